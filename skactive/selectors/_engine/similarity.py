"""Distances and similarities between candidates and reference rows, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import (
    DUPLICATE,
    Matrix,
    canonical,
    row_products,
    slices,
)

__all__ = [
    "Candidates",
    "Distances",
    "Factor",
    "PairValues",
    "Similarity",
    "as_slice",
    "block_slices",
    "choose_precision",
    "clip_at_zero",
    "multiply",
    "negative_distance",
    "rbf",
    "tophat",
]

PairValues: TypeAlias = NDArray[np.floating[Any]]  # of shape (n_candidates, n_reference)

_SIMILARITY_BYTES = 2**22  # size of a block: within a core's share of the last-level cache
_ALL = slice(None)
# A column of sparse rows is multiplied as a dense one if more than this share of it is filled:
# then the products that are not 0 cost more than all of them.
_COMMON_SHARE, _MAX_COMMON = 0.08, 1024


@dataclass(frozen=True)
class Candidates:
    """Candidate rows, and what is needed to keep their inner products precise and fast.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        The rows, unchanged.
    center : ndarray of shape (n_dims,) or None
        Mean, which is subtracted from dense rows; subtracted from sparse rows it would fill them.
    common : ndarray of shape (n_common,) or None
        Columns of sparse rows that are multiplied as a dense block: those filled most.
    n_terms : int
        The largest number of terms of an inner product.
    largest : float
        Largest squared norm, after the center is subtracted.
    mean_norm : float
        Mean of the squared norms.
    spread : float
        Root mean square distance from the mean; 1 if all rows coincide.
    """

    X: Matrix
    center: Floats | None
    common: Positions | None
    n_terms: int
    largest: float
    mean_norm: float
    spread: float

    @classmethod
    def from_rows(cls, X: Matrix) -> Candidates:
        """Compute center, largest norm and spread of rows."""
        X = canonical(X)
        n_rows = max(1, X.shape[0])  # an empty pool has a mean, too
        mean = np.asarray(X.sum(axis=0, dtype=np.float64)).reshape(-1) / n_rows
        is_dense = isinstance(X, np.ndarray)
        center, common = (mean, None) if is_dense else (None, _find_common_columns(X))
        n_terms = X.shape[1] if is_dense else int(np.diff(X.indptr).max(initial=0))
        total = largest = 0.0
        for block in block_slices(X.shape[0], n_terms):
            rows = _center_rows(X[block], center)
            norms = row_products(rows, rows)
            total, largest = total + norms.sum(), max(largest, norms.max(initial=0.0))
        # E|x - m|^2 = E|x|^2 - |m|^2; centered rows have a mean of 0.
        variance = total / n_rows - (0.0 if is_dense else mean @ mean)
        # The variance of rows that coincide is only rounding error.
        flat = variance <= DUPLICATE * (largest + mean @ mean)
        spread = 1.0 if flat else math.sqrt(variance)
        return cls(X, center, common, n_terms, float(largest), float(total / n_rows), spread)

    @property
    def n_rows(self) -> int:
        """Number of candidates."""
        return int(self.X.shape[0])

    @property
    def width(self) -> int:
        """Number of values of a row, while it is multiplied."""
        return self.n_terms if self.common is None else self.n_terms + len(self.common)


def _find_common_columns(X: Any) -> Positions:
    """Return the columns of a sparse matrix that are cheaper to multiply as dense ones."""
    counts = np.bincount(X.indices, minlength=X.shape[1])
    common = np.flatnonzero(counts > _COMMON_SHARE * X.shape[0])
    highest = np.argsort(-counts[common], kind="stable")[:_MAX_COMMON]
    return np.sort(common[highest])


def block_slices(n_rows: int, n_columns: int, itemsize: int = 8) -> Iterator[slice]:
    """Cut rows into blocks of bounded size, if each row has `n_columns` values."""
    return slices(n_rows, max(16, _SIMILARITY_BYTES // (itemsize * max(1, n_columns))))


def _center_rows(rows: Matrix, center: Floats | None) -> Matrix:
    """Return a copy in double precision, with the center subtracted if there is one."""
    if center is not None:
        return np.subtract(rows, center, dtype=np.float64)
    return canonical(rows).astype(np.float64)


class Factor(NamedTuple):
    """One factor of a product of rows: a dense part, and the rest of sparse rows.

    Attributes
    ----------
    dense : ndarray of shape (n_rows, n_columns)
        The columns that are multiplied as a dense block.
    rest : csr_array of shape (n_rows, n_dims) or None
        The values in the other columns; None for dense rows.
    """

    dense: NDArray[Any]
    rest: Any

    def take(self, rows: Positions | slice) -> Factor:
        """Return the factor of some of the rows."""
        return Factor(self.dense[rows], None if self.rest is None else self.rest[rows])

    def astype(self, dtype: Any) -> Factor:
        """Return the factor in another precision."""
        rest = None if self.rest is None else self.rest.astype(dtype)
        return Factor(self.dense.astype(dtype, copy=False), rest)

    def multiply(self, other: Factor) -> PairValues:
        """Return the inner products of all pairs of rows, shape (n_rows, n_other_rows)."""
        product = multiply(self.dense, other.dense.T)
        if self.rest is not None and self.rest.nnz and other.rest.nnz:
            part = sparse.csr_array(self.rest @ other.rest.T)
            starts = np.arange(part.shape[0]) * part.shape[1]
            places = np.repeat(starts, np.diff(part.indptr)) + part.indices
            product.reshape(-1)[places] += part.data  # no place occurs twice
        return product


class Distances:
    """Squared distances from any rows to reference rows, shrunk and divided by a scale.

    They are shrunk by the possible rounding error, so that similarities computed from them are
    upper bounds.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows.
    candidates : Candidates
        Their center is subtracted from all dense rows; their common columns are multiplied as a
        dense block.
    scale : float
        Divisor of the squared distances.
    shrinkage : float
        Share of both squared norms that is subtracted from the squared distances.
    dtype : dtype
        Precision of the product.

    Notes
    -----
    Distances from x to z are one matrix product of extended rows, with scale s and shrinkage e::

        (x, |x|^2, 1) @ (-2 z / s, (1 - e) / s, (1 - e) |z|^2 / s)

    This is not `squared_distances`: shrinkage and scale cost nothing, and no further pass over the
    block is needed, which matters in single precision. Of sparse rows, x and z stand for the common
    columns; few rows share others, and what these add is added where it is not 0.
    """

    def __init__(
        self, rows: Matrix, candidates: Candidates, *, scale: float, shrinkage: float, dtype: Any
    ) -> None:
        self.n_reference = rows.shape[0]
        self._center, self._common = candidates.center, candidates.common
        self.dtype = np.dtype(dtype)
        rows = _center_rows(rows, self._center)
        norms = row_products(rows, rows)[:, np.newaxis]
        self._share, self._shrinkage = (1 - shrinkage) / scale, shrinkage
        columns = [np.full_like(norms, self._share), norms * self._share]
        self._reference = self._extend(rows * (-2 / scale), columns)

    @property
    def largest(self) -> float:
        """The largest squared norm of a reference row."""
        return float(self.norms.max(initial=0.0)) / self._share

    @property
    def norms(self) -> Floats:
        """Squared norms of the reference rows, shrunk and divided by the scale, (n_reference,)."""
        return self._reference.dense[:, -1]

    def with_precision(self, shrinkage: float, dtype: Any) -> Distances:
        """Return the same distances, shrunk by another share and in another precision."""
        other = copy(self)
        other.dtype = np.dtype(dtype)
        other._share = self._share * (1 - shrinkage) / (1 - self._shrinkage)
        other._shrinkage = shrinkage
        other._reference = self._rescale_norms(_ALL, other._share).astype(dtype)
        return other

    def _rescale_norms(self, reference: Positions | slice, share: float) -> Factor:
        """Return extended reference rows with another factor of the norms."""
        dense, rest = self._reference.take(reference)
        dense = dense.copy()
        dense[:, -1] *= share / self._share
        dense[:, -2] = share
        return Factor(dense, rest)

    def upper_bounds(self, factor: Factor, reference: Positions) -> PairValues:
        """Return upper bounds: distances enlarged, rather than shrunk, by the rounding error."""
        # The factor of the norms becomes 1 + 2 e, where it is 1 - e for lower bounds.
        share = self._share * (1 + 2 * self._shrinkage) / (1 - self._shrinkage)
        return clip_at_zero(factor.multiply(self._rescale_norms(reference, share)))

    def __call__(self, rows: Matrix, reference: Positions | slice = _ALL) -> PairValues:
        """Return distances, at least 0, of shape (n_rows, n_reference)."""
        return self.from_factor(self.make_factor(rows), reference)

    def make_factor(self, rows: Matrix) -> Factor:
        """Return the left factor of the product, its dense part extended by the norms."""
        rows = _center_rows(rows, self._center)
        norms = row_products(rows, rows)[:, np.newaxis]
        return self._extend(rows, [norms, np.ones_like(norms)])

    def _extend(self, rows: Any, columns: list[Floats]) -> Factor:
        """Append columns to the columns of rows that are multiplied as a dense block."""
        head, rest = (rows, None) if self._common is None else _split(rows, self._common)
        return Factor(np.concatenate([head, *columns], axis=1), rest).astype(self.dtype)

    def from_factor(self, factor: Factor, reference: Positions | slice = _ALL) -> PairValues:
        """Return the distances of rows whose left factor is known."""
        return clip_at_zero(self.subtract_products(factor, reference))

    def subtract_products(self, factor: Factor, reference: Positions | slice = _ALL) -> PairValues:
        """Return the distances as the products give them: below 0 by rounding, some of them."""
        return factor.multiply(self._reference.take(as_slice(reference)))


def _split(rows: Any, common: Positions) -> tuple[Floats, Any]:
    """Split sparse rows into the dense columns that are common, and the rest."""
    places = np.full(rows.shape[1], -1)
    places[common] = np.arange(len(common))
    columns = places[rows.indices]
    is_common = columns >= 0
    owners = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    head = np.zeros((rows.shape[0], len(common)))
    head[owners[is_common], columns[is_common]] = rows.data[is_common]
    others = ~is_common
    counts = np.bincount(owners[others], minlength=rows.shape[0])
    ends = np.concatenate([[0], np.cumsum(counts)])
    rest = sparse.csr_array((rows.data[others], rows.indices[others], ends), rows.shape)
    return head, rest


def as_slice(positions: Positions | slice) -> Positions | slice:
    """Return ascending positions without gaps as a slice, so that no rows are copied."""
    if isinstance(positions, slice) or not len(positions):
        return positions
    first, last = int(positions[0]), int(positions[-1])
    if last - first + 1 != len(positions) or (np.diff(positions) != 1).any():
        return positions
    return slice(first, last + 1)


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def multiply(left: PairValues, right: PairValues) -> PairValues:
    """Return the matrix product."""
    return left @ right


def clip_at_zero(block: PairValues) -> PairValues:
    """Replace negative values by 0, in place."""
    # A row of zeros: NumPy compares arrays with each other twice as fast as with a number.
    return np.maximum(block, np.zeros(block.shape[1], block.dtype), out=block)


@dataclass(frozen=True)
class Similarity:
    """A decreasing function of the squared distance divided by `scale`.

    Attributes
    ----------
    apply : callable
        Turns a block of scaled squared distances into similarities, in place.
    scale : float
        Divisor of the squared distances.
    maximum : float
        Similarity of a row to itself.
    minimum : float or None
        Similarity that any row exceeds. None for similarities that are not bounded below: then it
        is the negative of a distance that no pair exceeds.
    """

    apply: Callable[[PairValues], PairValues]
    scale: float = 1.0
    maximum: float = 1.0
    minimum: float | None = 0.0


def rbf(bandwidth: float) -> Similarity:
    """Return the Gaussian kernel, ``exp(-d**2 / bandwidth**2)``."""

    def similarity(squared: PairValues) -> PairValues:
        return np.exp(np.negative(squared, out=squared), out=squared)

    return Similarity(similarity, scale=bandwidth * bandwidth)


def tophat(radius: float) -> Similarity:
    """Return the kernel that is 1 within a radius and 0 beyond."""

    def similarity(squared: PairValues) -> PairValues:
        # In single precision the limit is rounded up, because it serves for upper bounds.
        limit = np.nextafter(
            np.asarray(radius * radius, squared.dtype), np.inf, dtype=squared.dtype
        )
        return np.less_equal(squared, limit, out=squared)

    return Similarity(similarity)


def negative_distance() -> Similarity:
    """Return the similarity of facility location: the negative distance."""

    def similarity(squared: PairValues) -> PairValues:
        return np.negative(np.sqrt(squared, out=squared), out=squared)

    return Similarity(similarity, maximum=0.0, minimum=None)


def choose_precision(candidates: Candidates, largest: float, scale: float) -> tuple[Any, float]:
    """Return the precision of bounds, and the rounding error of squared distances in it.

    Single precision takes half the time. It is chosen if it can represent the distances, and
    if the bounds are tight.
    """
    shrinkage = float(np.finfo(np.float32).eps) * (8 + math.sqrt(candidates.n_terms))
    # Neither the values in the product nor the results may over- or underflow.
    representable = all(1e-30 < value < 1e30 for value in (largest, largest / scale))
    # What most pairs lose; only those with an outlier lose more.
    if not representable or shrinkage * candidates.mean_norm > 0.01 * candidates.spread**2:
        return np.float64, DUPLICATE
    return np.float32, shrinkage
