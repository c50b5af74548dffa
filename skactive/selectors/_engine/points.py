"""Points between which distances are computed: dense rows, sparse rows, or products of factors.

Points are a dense array, a sparse matrix, or a pair of factors ``(a, h)``, which stands for the
rows ``outer(a[i], h[i])``. Gradients of an output layer have this form; they are never built.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions

__all__ = [
    "DUPLICATE",
    "AnyPoints",
    "Centers",
    "Matrix",
    "PointSet",
    "canonical",
    "count",
    "distances_from_products",
    "products",
    "round_to_bits",
    "row_products",
    "slices",
    "squared_distances",
    "squared_norms",
]

Matrix: TypeAlias = NDArray[Any] | sparse.sparray | sparse.spmatrix
AnyPoints: TypeAlias = Matrix | tuple[NDArray[Any], Matrix]

# Size of a block of products: with the rows that they come from, it fits a core's cache.
_PRODUCT_BYTES = 2**21
# Numbers of sparse rows that are made dense at a time, in the columns that they use: 16 MiB.
_DENSE_NUMBERS = 2**21
# Squared distances from inner products carry rounding errors of about 1e-15 of the squared norms.
# Rows whose squared distance is below this share of the norms count as duplicates.
DUPLICATE = 1e-12


def count(X: AnyPoints) -> int:
    """Return the number of points."""
    return int((X[0] if isinstance(X, tuple) else X).shape[0])


class PointSet:
    """Rows as the product of factors: one factor for plain rows, two for gradients.

    Plain dense rows are centered: distances stay the same, and their products become precise.
    """

    def __init__(self, X: Any) -> None:
        factors = X if isinstance(X, tuple) else (X,)
        self.factors = tuple(canonical(factor) for factor in factors)
        self.n_rows = self.factors[0].shape[0]
        plain = len(self.factors) == 1 and not sparse.issparse(self.factors[0])
        # Centering would fill sparse rows, and the center of outer products is no outer product.
        self.is_sparse = any(sparse.issparse(factor) for factor in self.factors)
        single = all(factor.dtype == np.float32 for factor in self.factors)
        self.dtype: np.dtype[Any] = np.dtype(np.float32 if single else np.float64)
        self.offset = _round_mean(self.factors[0], self.dtype) if plain else None
        # Relative rounding error of a product: one unit per term, and some more for the norms.
        n_terms = sum(factor.shape[1] for factor in self.factors) + 16
        self.rounding = n_terms * float(np.finfo(np.float32 if single else np.float64).eps)
        self.norms = np.empty(self.n_rows)  # squared
        for rows in slices(self.n_rows, self.rows_per_block(1)):
            self.norms[rows] = squared_norms(self._copy_rows(rows, np.dtype(np.float64)))

    def rows_per_block(self, n_columns: int) -> int:
        """Return the number of rows whose products, or copies, fill a block."""
        width = sum(min(_count_stored(factor), 4096) for factor in self.factors)
        return max(16, _PRODUCT_BYTES // (8 * max(n_columns, width)))

    def copy_rows(self, rows: Positions) -> Any:
        """Copy rows in double precision."""
        return self._copy_rows(rows, np.dtype(np.float64))

    def copy_block(self, rows: slice) -> Any:
        """Copy a block of rows in the precision of the data."""
        return self._copy_rows(rows, self.dtype)

    def _copy_rows(self, rows: Any, dtype: np.dtype[Any]) -> Any:
        factors = tuple(factor[rows].astype(dtype) for factor in self.factors)
        if self.offset is not None:
            factors[0].__isub__(self.offset.astype(dtype))
        return factors

    def center(self, labeled: Any) -> Any:
        """Shift rows from outside of the pool as the pool is shifted, in double precision."""
        labeled = canonical(labeled).astype(np.float64)
        return (labeled if self.offset is None else labeled - self.offset,)

    def take(self, rows: Positions, X: Any) -> PointSet:
        """Return the points at `rows`, given as `X`, with the norms and the center of all."""
        subset = copy(self)
        subset.factors = tuple(canonical(part) for part in (X if isinstance(X, tuple) else (X,)))
        subset.n_rows, subset.norms = len(rows), self.norms[rows]
        return subset

    def squared_distances_to_mean(self) -> Floats:
        """Squared distance of each row to the mean of all rows, shape (n_rows,)."""
        if self.offset is not None:
            return self.norms
        mean = self._mean_product()
        inner = np.empty(self.n_rows)
        for rows in slices(self.n_rows, self.rows_per_block(mean.shape[1])):
            a, h = self._copy_as_pair(rows)
            inner[rows] = row_products(a, h @ mean)  # <outer(a, h), mean> = a @ (h @ mean)
        return distances_from_products(inner, self.norms + np.square(mean).sum())

    def _mean_product(self) -> Floats:
        """Return the mean of the outer products of the factors, shape (n_h, n_a)."""
        total: Any = 0.0
        for rows in slices(self.n_rows, self.rows_per_block(1)):
            a, h = self._copy_as_pair(rows)
            total = total + h.T @ a
        return total / self.n_rows

    def _copy_as_pair(self, rows: slice) -> Any:
        """Copy a block as two factors; a plain row is its outer product with the number 1."""
        block = self._copy_rows(rows, np.dtype(np.float64))
        return block if len(block) == 2 else (np.ones((block[0].shape[0], 1)), *block)

    def distances(self, block: Any, rows: Positions, centers: Centers, which: slice) -> Floats:
        """Squared distances of a block to the centers at `which`, shape (n_block, n_which)."""
        others = centers.get(which, np.dtype(np.float64))
        return squared_distances(block, others, self.norms[rows], centers.norms[which])

    def upper_bounds(self, block: Any, rows: slice, centers: Centers, which: slice) -> Floats:
        """Upper bounds on the squared distance of each row of a block to the nearest center.

        Not by `squared_distances`: the nearest center is that of the greatest <x, c> - |c|^2 / 2,
        so the pass over all pairs can stay in the precision of the data, and the norms of the rows
        and the rounding error come in once per row.
        """
        norms = centers.norms[which]
        inner = products(block, centers.get(which, self.dtype))  # (n_block, n_which)
        inner -= (0.5 * norms).astype(self.dtype)
        squared = self.norms[rows] - 2.0 * inner.max(axis=1).astype(np.float64)
        return np.maximum(squared, 0.0) + self.rounding * 2.0 * (self.norms[rows] + norms.max())

    def exact_distances(self, rows: Positions, centers: Centers, which: Positions) -> Floats:
        """Squared distance of each row to the center at the same place of `which`, shape (n_rows,).

        Distances of duplicates are exactly 0.
        """
        block = self.copy_rows(rows)
        others = centers.take(which)
        if self.offset is not None:
            return np.square(block[0] - others[0]).sum(axis=1)
        inner = np.prod([row_products(*pair) for pair in zip(block, others, strict=True)], axis=0)
        return distances_from_products(inner, self.norms[rows] + centers.norms[which])


class Centers:
    """The coordinates and norms of the centers, in the order in which they were added."""

    def __init__(self, points: PointSet) -> None:
        self._points = points
        self._length = 0
        # Arrays grow by doubling, so their last rows may be unused.
        self._factors: list[Any] = [
            None if sparse.issparse(factor) else np.empty((64, factor.shape[1]))
            for factor in points.factors
        ]
        self._norms = np.empty(64)

    def __len__(self) -> int:
        return self._length

    def copy_for(self, points: PointSet) -> Centers:
        """Return a copy to which rows of other points of the same kind can be added."""
        other = copy(self)
        other._points, other._norms = points, self._norms.copy()
        # Sparse factors are replaced, never written into.
        other._factors = [f.copy() if isinstance(f, np.ndarray) else f for f in self._factors]
        return other

    @property
    def norms(self) -> Floats:
        """Squared norms, shape (n_centers,)."""
        return self._norms[: self._length]

    def add_position(self, position: int) -> None:
        """Add a row of the pool."""
        self._add(self._points.copy_rows(np.array([position])))

    def add_rows(self, labeled: Any) -> None:
        """Add rows from outside of the pool."""
        self._add(self._points.center(labeled))

    def _add(self, rows: Any) -> None:
        length = self._length + rows[0].shape[0]
        if length > len(self._norms):
            self._norms = np.resize(self._norms, 2 * length)
        self._norms[self._length : length] = squared_norms(rows)
        for k, factor in enumerate(rows):
            if sparse.issparse(factor):
                centers = self._factors[k]
                self._factors[k] = (
                    factor if centers is None else sparse.vstack([centers, factor], "csr")
                )
                continue
            if length > len(self._factors[k]):
                self._factors[k] = np.resize(self._factors[k], (2 * length, factor.shape[1]))
            self._factors[k][self._length : length] = factor
        self._length = length

    def get(self, which: slice, dtype: np.dtype[Any]) -> Any:
        """Return the factors of the centers at `which`."""
        return tuple(factor[which].astype(dtype, copy=False) for factor in self._factors)

    def take(self, which: Positions) -> Any:
        """Return the centers at `which`, one per position."""
        return tuple(factor[which] for factor in self._factors)


def _round_mean(rows: NDArray[Any], dtype: np.dtype[Any]) -> Floats:
    """Return the mean of the rows in a precision, so that it is the same in all copies of rows."""
    mean = rows.sum(axis=0, dtype=np.float64) / max(1, rows.shape[0])
    return mean.astype(dtype).astype(np.float64)


def canonical(factor: Any) -> Any:
    """Return rows that can be sliced: an array, or CSR without repeated entries."""
    if not sparse.issparse(factor):
        return factor
    rows = sparse.csr_array(factor)
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may share the caller's arrays
        rows.sum_duplicates()
    return rows


# -- distances from inner products -------------------------------------------------------------


def squared_distances(left: Any, right: Any, left_norms: Floats, right_norms: Floats) -> Floats:
    """Return the squared distances of all pairs, at least 0, shape (n_left, n_right).

    ``left`` and ``right`` are tuples of factors, and the norms are squared. Rounding errors are
    about 1e-15 of the norms, also for duplicates: this is the fast form, for comparisons.
    """
    # In place: passes over further blocks would cost time and cache.
    squared = products(left, right)
    squared *= -2.0
    squared += right_norms
    squared += left_norms[:, np.newaxis]
    return np.maximum(squared, 0.0, out=squared)


def distances_from_products(inner: NDArray[Any], norms: Floats) -> Floats:
    """Return the squared distances of pairs by their inner products; exactly 0 for duplicates.

    ``norms`` holds the sum of the squared norms of both rows of each pair, of the same shape.
    """
    squared: Floats = norms - 2.0 * inner
    squared[squared < DUPLICATE * norms] = 0.0
    return squared


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def products(left: Any, right: Any) -> Any:
    """Inner products of all pairs of rows, given by their factors, shape (n_left, n_right)."""
    product = _multiply_rows(left[0], right[0])
    # <outer(a, h), outer(b, g)> = <a, b> <h, g>
    for factor, other in zip(left[1:], right[1:], strict=True):
        product *= _multiply_rows(factor, other)
    return product


def _multiply_rows(left: Any, right: Any) -> Any:
    """Inner products of all pairs of rows, dense or sparse, as an array of (n_left, n_right)."""
    if not (sparse.issparse(left) and sparse.issparse(right)):
        product = left @ right.T
        return product.toarray() if sparse.issparse(product) else product
    # A product of two sparse matrices has nearly as many entries as pairs, and finding their places
    # takes most of its time. So the rows of the smaller one are made dense, where they use columns.
    if left.shape[0] < right.shape[0]:
        return _multiply_rows(right, left).T
    n_used = max(1, min(right.shape[1], right.nnz))
    size = max(1, _DENSE_NUMBERS // n_used)
    if right.shape[0] <= size:
        return _multiply_by_few(left, right)
    product = np.empty((left.shape[0], right.shape[0]), np.result_type(left.dtype, right.dtype))
    for part in slices(right.shape[0], size):
        product[:, part] = _multiply_by_few(left, right[part])
    return product


def _multiply_by_few(left: Any, right: Any) -> Any:
    """Inner products of sparse rows with few others, whose columns in use are made dense."""
    if right.shape[0] * right.shape[1] <= left.nnz:  # all columns cost less than a search for them
        return left @ np.ascontiguousarray(right.toarray().T)
    columns = np.unique(right.indices)
    # In the order of rows, as the product reads a row of it for each entry on the left.
    return left[:, columns] @ np.ascontiguousarray(right[:, columns].toarray().T)


def squared_norms(block: Any) -> Floats:
    """Squared norms of the rows of a block of factors, shape (n_block,)."""
    return np.prod([row_products(factor, factor) for factor in block], axis=0)


def row_products(first: Any, second: Any) -> Floats:
    """Inner product of each row of one matrix with the same row of another, shape (n_rows,)."""
    if sparse.issparse(first):
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", first, second)


def _count_stored(factor: Any) -> int:
    """Return the numbers that are stored per row; an entry of a sparse row counts as two."""
    if not sparse.issparse(factor):
        return int(factor.shape[1])
    return 2 * factor.nnz // max(1, factor.shape[0])


# -- numbers and slices ------------------------------------------------------------------------


def round_to_bits(values: Floats, bits: int) -> Floats:
    """Round to fewer bits than the arithmetic has, so that the order of a sum has no effect."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)


def slices(stop: int, size: int, start: int = 0) -> Iterator[slice]:
    """Cut ``start .. stop`` into slices of a size; the last may be shorter."""
    return (slice(begin, min(begin + size, stop)) for begin in range(start, stop, size))
