"""Distances and similarities between candidates and reference rows, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import DUPLICATE, Matrix, row_products, slices

__all__ = [
    "Candidates",
    "Distances",
    "PairValues",
    "Similarity",
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


@dataclass(frozen=True)
class Candidates:
    """Candidate rows, and what is needed to keep their inner products precise.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        The rows, unchanged.
    center : ndarray of shape (n_dims,) or None
        Mean, which is subtracted from dense rows; subtracted from sparse rows it would fill them.
    largest : float
        Largest squared norm, after the center is subtracted.
    spread : float
        Root mean square distance from the mean; 1 if all rows coincide.
    """

    X: Matrix
    center: Floats | None
    largest: float
    spread: float

    @classmethod
    def from_rows(cls, X: Matrix) -> Candidates:
        """Compute center, largest norm and spread of rows."""
        if not isinstance(X, np.ndarray):
            X = sparse.csr_array(X)
        n_rows = max(1, X.shape[0])  # an empty pool has a mean, too
        mean = np.asarray(X.sum(axis=0, dtype=np.float64)).reshape(-1) / n_rows
        center = mean if isinstance(X, np.ndarray) else None
        total = largest = 0.0
        for block in block_slices(*X.shape):
            rows = _center_rows(X[block], center)
            norms = row_products(rows, rows)
            total, largest = total + norms.sum(), max(largest, norms.max(initial=0.0))
        # E|x - m|^2 = E|x|^2 - |m|^2; centered rows have a mean of 0.
        variance = total / n_rows - (0.0 if center is not None else mean @ mean)
        # The variance of rows that coincide is only rounding error.
        flat = variance <= DUPLICATE * (largest + mean @ mean)
        return cls(X, center, float(largest), 1.0 if flat else math.sqrt(variance))

    @property
    def n_rows(self) -> int:
        """Number of candidates."""
        return int(self.X.shape[0])


def block_slices(n_rows: int, n_columns: int, itemsize: int = 8) -> Iterator[slice]:
    """Cut rows into blocks of bounded size, if each row has `n_columns` values."""
    return slices(n_rows, max(16, _SIMILARITY_BYTES // (itemsize * max(1, n_columns))))


def _center_rows(rows: Matrix, center: Floats | None) -> Matrix:
    """Return a copy in double precision, with the center subtracted if there is one."""
    if center is not None:
        return np.subtract(rows, center, dtype=np.float64)
    return sparse.csr_array(rows, dtype=np.float64)


class Distances:
    """Squared distances from any rows to reference rows, shrunk and divided by a scale.

    They are shrunk by the possible rounding error, so that similarities computed from them are
    upper bounds.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows.
    center : ndarray of shape (n_dims,) or None
        Subtracted from all rows, if dense.
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
    block is needed, which matters in single precision.
    """

    def __init__(
        self, rows: Matrix, center: Floats | None, *, scale: float, shrinkage: float, dtype: Any
    ) -> None:
        self.n_reference = rows.shape[0]
        self._center, self.dtype = center, np.dtype(dtype)
        rows = _center_rows(rows, center)
        norms = row_products(rows, rows)[:, np.newaxis]
        self._share, self._shrinkage = (1 - shrinkage) / scale, shrinkage
        columns = [rows * (-2 / scale), np.full_like(norms, self._share), norms * self._share]
        if isinstance(rows, np.ndarray):
            # (n_reference, n_dims + 2)
            self._reference = np.concatenate(columns, axis=1).astype(dtype, copy=False)
        else:
            self._reference, self._norms = sparse.csr_array(columns[0]), columns[2].reshape(-1)

    @property
    def largest(self) -> float:
        """The largest squared norm of a reference row."""
        dense = isinstance(self._reference, np.ndarray)
        norms = self._reference[:, -1] if dense else self._norms
        return float(norms.max(initial=0.0)) / self._share

    def with_precision(self, shrinkage: float, dtype: Any) -> Distances:
        """Return the same distances, shrunk by another share and in another precision."""
        other = copy(self)
        other.dtype = np.dtype(dtype)
        other._share = self._share * (1 - shrinkage) / (1 - self._shrinkage)
        other._shrinkage, other._reference = shrinkage, self._rescale_norms(_ALL, other._share)
        other._reference = other._reference.astype(dtype)
        return other

    def _rescale_norms(self, reference: Positions | slice, share: float) -> NDArray[Any]:
        """Return extended reference rows with another factor of the norms."""
        factor = self._reference[reference].copy()
        factor[:, -1] *= share / self._share
        factor[:, -2] = share
        return factor

    def upper_bounds(self, factor: NDArray[Any], reference: Positions) -> PairValues:
        """Return upper bounds: distances enlarged, rather than shrunk, by the rounding error."""
        # The factor of the norms becomes 1 + 2 e, where it is 1 - e for lower bounds.
        share = self._share * (1 + 2 * self._shrinkage) / (1 - self._shrinkage)
        return clip_at_zero(multiply(factor, self._rescale_norms(reference, share).T))

    def __call__(self, rows: Matrix, reference: Positions | slice = _ALL) -> PairValues:
        """Return distances, at least 0, of shape (n_rows, n_reference)."""
        return self.from_factor(self.make_factor(rows), reference)

    def make_factor(self, rows: Matrix) -> Matrix:
        """Return the left factor of the product, of shape (n_rows, n_dims + 2) for dense rows."""
        rows = _center_rows(rows, self._center)
        if not isinstance(rows, np.ndarray):
            return rows
        norms = row_products(rows, rows)[:, np.newaxis]
        factor = np.concatenate([rows, norms, np.ones_like(norms)], axis=1)
        return factor.astype(self.dtype, copy=False)

    def from_factor(self, factor: Matrix, reference: Positions | slice = _ALL) -> PairValues:
        """Return the distances of rows whose left factor is known."""
        right = self._reference[reference]
        if isinstance(factor, np.ndarray):
            return clip_at_zero(multiply(factor, right.T))
        # Sparse rows are not extended by their norms, which are added afterwards.
        squared = (factor @ right.T).toarray()
        squared += row_products(factor, factor)[:, np.newaxis] * self._share
        squared += self._norms[reference]
        return clip_at_zero(squared)


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


def choose_precision(
    candidates: Candidates, largest: float, scale: float, max_sharpness: float = 1.0
) -> tuple[Any, float]:
    """Return the precision of bounds, and the rounding error of squared distances in it.

    Single precision takes half the time. It is chosen if it can represent the distances, and
    if the bounds are tight.
    """
    shrinkage = float(np.finfo(np.float32).eps) * (8 + math.sqrt(candidates.X.shape[1]))
    is_sparse = not isinstance(candidates.X, np.ndarray)  # their products are in double precision
    # Neither the values in the product nor the results may over- or underflow.
    extremes = (largest, largest / scale, max_sharpness * largest / scale)
    representable = all(1e-30 < value < 1e30 for value in extremes)
    if is_sparse or not representable or shrinkage * largest > 0.01 * candidates.spread**2:
        return np.float64, DUPLICATE
    return np.float32, shrinkage
