"""Distances and similarities between the rows of a pool, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive.selectors._engine.points import DUPLICATE, Matrix, slices
from skactive.selectors._top import Positions

__all__ = [
    "Block",
    "Distances",
    "Points",
    "Similarity",
    "Values",
    "blocks",
    "distance",
    "precision",
    "rbf",
    "tophat",
]


Values: TypeAlias = NDArray[np.float64]


Block: TypeAlias = NDArray[np.floating[Any]]  # some candidates x all reference rows


_BLOCK_BYTES = 2**22  # similarities at a time: within a core's share of the last-level cache


_ALL = slice(None)


@dataclass(frozen=True)
class Points:
    """Candidate rows, and what inner products need to keep their digits.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        The rows, untouched.
    center : ndarray of shape (n_dims,) or None
        Mean, which is taken from dense rows; taken from sparse rows it would fill them.
    largest : float
        Largest squared norm, after the mean is taken off.
    spread : float
        Root mean square distance from the mean; 1 where all rows coincide.
    """

    X: Matrix
    center: Values | None
    largest: float
    spread: float

    @classmethod
    def of(cls, X: Matrix) -> Points:
        """Measure some rows."""
        if not isinstance(X, np.ndarray):
            X = sparse.csr_array(X)
        n_rows = max(1, X.shape[0])
        mean = np.asarray(X.sum(axis=0, dtype=np.float64)).reshape(-1) / n_rows
        center = mean if isinstance(X, np.ndarray) else None
        total = largest = 0.0
        for block in blocks(*X.shape):
            norms = _squared_norms(_shifted(X[block], center, np.float64))
            total, largest = total + norms.sum(), max(largest, norms.max(initial=0.0))
        variance = total / n_rows - (0.0 if center is not None else mean @ mean)
        # What rounding leaves of rows that coincide is no spread.
        flat = variance <= DUPLICATE * (largest + mean @ mean)
        return cls(X, center, float(largest), 1.0 if flat else math.sqrt(variance))

    @property
    def n_rows(self) -> int:
        """How many they are."""
        return int(self.X.shape[0])


def blocks(n_rows: int, n_columns: int, itemsize: int = 8) -> Iterator[slice]:
    """Cut rows into blocks whose products with some columns are of bounded size."""
    return slices(n_rows, max(16, _BLOCK_BYTES // (itemsize * max(1, n_columns))))


def _shifted(rows: Matrix, center: Values | None, dtype: Any) -> Matrix:
    """Take the mean off in double precision; the result is a copy of its own."""
    if center is not None:
        return np.subtract(rows, center, dtype=np.float64).astype(dtype, copy=False)
    return sparse.csr_array(rows, dtype=dtype)


def _squared_norms(rows: Matrix) -> Values:
    if isinstance(rows, np.ndarray):
        return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).reshape(-1)


class Distances:
    """Squared distances from any rows to some reference rows, shortened and divided by a scale.

    One matrix product gives them: the norms are two more columns of its factors.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows.
    center : ndarray of shape (n_dims,) or None
        Taken from all rows, if dense.
    scale : float
        What squared distances are divided by.
    short : float
        By this share of both squared norms the squared distances are shortened.
    dtype : dtype
        Of the product.
    """

    def __init__(
        self, rows: Matrix, center: Values | None, *, scale: float, short: float, dtype: Any
    ) -> None:
        self.n_reference = rows.shape[0]
        self._center, self.dtype = center, np.dtype(dtype)
        rows = _shifted(rows, center, np.float64)
        norms = _squared_norms(rows)[:, np.newaxis]
        self._share, self._short = (1 - short) / scale, short
        columns = [rows * (-2 / scale), np.full_like(norms, self._share), norms * self._share]
        if isinstance(rows, np.ndarray):
            self._reference = np.concatenate(columns, axis=1).astype(dtype, copy=False)
        else:
            self._reference, self._norms = sparse.csr_array(columns[0]), columns[2].reshape(-1)

    @property
    def largest(self) -> float:
        """The largest squared norm of a reference row."""
        dense = isinstance(self._reference, np.ndarray)
        norms = self._reference[:, -1] if dense else self._norms
        return float(norms.max(initial=0.0)) / self._share

    def rounded(self, short: float, dtype: Any) -> Distances:
        """Return the same, shortened by another share and in another precision."""
        other = copy(self)
        other.dtype, other._share = np.dtype(dtype), self._share * (1 - short) / (1 - self._short)
        other._short, other._reference = short, self._stretched(_ALL, other._share)
        other._reference = other._reference.astype(dtype)
        return other

    def _stretched(self, among: Positions | slice, share: float) -> NDArray[Any]:
        reference = self._reference[among].copy()
        reference[:, -1] *= share / self._share
        reference[:, -2] = share
        return reference

    def surely(self, left: NDArray[Any], among: Positions) -> Block:
        """Return distances of rows that are prepared, lengthened by what others are shortened."""
        share = self._share * (1 + 2 * self._short) / (1 - self._short)
        return _at_least_zero(_product(left, self._stretched(among, share).T))

    def __call__(self, rows: Matrix, among: Positions | slice = _ALL) -> Block:
        """Return at least 0, of shape (n_rows, n_reference), or so many as are `among` them."""
        return self.of(self.prepared(rows), among)

    def prepared(self, rows: Matrix) -> Matrix:
        """Return the factor of the product that stands for some rows."""
        rows = _shifted(rows, self._center, np.float64)
        if not isinstance(rows, np.ndarray):
            return rows
        norms = _squared_norms(rows)[:, np.newaxis]
        left = np.concatenate([rows, norms, np.ones_like(norms)], axis=1)
        return left.astype(self.dtype, copy=False)

    def of(self, left: Matrix, among: Positions | slice = _ALL) -> Block:
        """Return the distances of rows that are prepared."""
        reference = self._reference[among]
        if isinstance(left, np.ndarray):
            return _at_least_zero(_product(left, reference.T))
        squared = (left @ reference.T).toarray()
        squared += _squared_norms(left)[:, np.newaxis] * self._share
        squared += self._norms[among]
        return _at_least_zero(squared)


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def _product(left: Block, right: Block) -> Block:
    return left @ right


def _at_least_zero(block: Block) -> Block:
    """Clip in place."""
    # A row of zeros: NumPy compares arrays with each other twice as fast as with a number.
    return np.maximum(block, np.zeros(block.shape[1], block.dtype), out=block)


@dataclass(frozen=True)
class Similarity:
    """What a squared distance, divided by `scale`, is worth; `of` works in place.

    `least` is the similarity of a row and of nothing, `most` that of a row and itself. None says
    that distances have no end: it takes the negative of a distance that none exceeds.
    """

    of: Callable[[Block], Block]
    scale: float = 1.0
    most: float = 1.0
    least: float | None = 0.0


def rbf(bandwidth: float) -> Similarity:
    """A Gaussian of the distance."""

    def similarity(squared: Block) -> Block:
        return np.exp(np.negative(squared, out=squared), out=squared)

    return Similarity(similarity, scale=bandwidth * bandwidth)


def tophat(radius: float) -> Similarity:
    """1 within a radius, 0 beyond it."""

    def similarity(squared: Block) -> Block:
        # In single precision the limit is rounded up, as it serves upper bounds.
        limit = np.nextafter(
            np.asarray(radius * radius, squared.dtype), np.inf, dtype=squared.dtype
        )
        return np.less_equal(squared, limit, out=squared)

    return Similarity(similarity)


def distance() -> Similarity:
    """The negative distance: rows that are farther apart are less alike."""

    def similarity(squared: Block) -> Block:
        return np.negative(np.sqrt(squared, out=squared), out=squared)

    return Similarity(similarity, most=0.0, least=None)


def precision(
    points: Points, largest: float, scale: float, sharpest: float = 1.0
) -> tuple[Any, float]:
    """Choose the precision of bounds, and the rounding of squared distances in it.

    Single precision halves the time, where it can hold the distances and its bounds are tight.
    """
    short = float(np.finfo(np.float32).eps) * (8 + math.sqrt(points.X.shape[1]))
    sparse_rows = not isinstance(points.X, np.ndarray)  # their products are in double precision
    held = all(1e-30 < v < 1e30 for v in (largest, largest / scale, sharpest * largest / scale))
    if sparse_rows or not held or short * largest > 0.01 * points.spread**2:
        return np.float64, DUPLICATE
    return np.float32, short
