"""Rows between which distances are taken: plain, sparse, or given by factors.

Points come as a dense array, as a sparse matrix, or as a pair of factors ``(a, h)`` that stands
for the rows ``outer(a[i], h[i])``, which are never built: gradients of an output layer are of this
kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = [
    "DUPLICATE",
    "AnyPoints",
    "Centers",
    "Floats",
    "Matrix",
    "Points",
    "Positions",
    "canonical",
    "count",
    "products",
    "rounded",
    "row_products",
    "slices",
    "squared_norms",
]

Floats: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.intp]
Matrix: TypeAlias = NDArray[Any] | sparse.sparray | sparse.spmatrix
AnyPoints: TypeAlias = Matrix | tuple[NDArray[Any], Matrix]

_BLOCK_BYTES = 2**21  # of products in a block: with the rows that they come from, a core's cache
# Squared distances from inner products carry rounding of some 1e-15 of the norms. Below this share
# of them rows count as duplicates.
DUPLICATE = 1e-12


def count(X: AnyPoints) -> int:
    """Return the number of points."""
    return int((X[0] if isinstance(X, tuple) else X).shape[0])


class Points:
    """Rows as the product of factors: one for plain rows, two for gradients.

    Plain dense rows are centered, which leaves distances alone and makes products precise.
    """

    def __init__(self, X: Any) -> None:
        factors = X if isinstance(X, tuple) else (X,)
        self.factors = tuple(canonical(factor) for factor in factors)
        self.n_rows = self.factors[0].shape[0]
        plain = len(self.factors) == 1 and not sparse.issparse(self.factors[0])
        total = self.factors[0].sum(axis=0, dtype=np.float64) if plain else None
        self.offset = None if total is None else total / max(1, self.n_rows)
        single = all(factor.dtype == np.float32 for factor in self.factors)
        self.dtype: np.dtype[Any] = np.dtype(np.float32 if single else np.float64)
        n_terms = sum(factor.shape[1] for factor in self.factors) + 16
        self.rounding = n_terms * float(np.finfo(np.float32 if single else np.float64).eps)
        self.norms = np.empty(self.n_rows)
        for rows in slices(self.n_rows, self.block_rows(1)):
            self.norms[rows] = squared_norms(self._cut(rows, np.dtype(np.float64)))

    def block_rows(self, n_columns: int) -> int:
        """How many rows make a block whose products, or copies, are of bounded size."""
        dense = sum(min(factor.shape[1], 4096) for factor in self.factors)
        return max(16, _BLOCK_BYTES // (8 * max(n_columns, dense)))

    def rows(self, rows: Positions) -> Any:
        """Copy rows in double precision."""
        return self._cut(rows, np.dtype(np.float64))

    def block(self, rows: slice) -> Any:
        """Copy a block of rows in the precision of the data."""
        return self._cut(rows, self.dtype)

    def _cut(self, rows: Any, dtype: np.dtype[Any]) -> Any:
        cut = tuple(factor[rows].astype(dtype) for factor in self.factors)
        if self.offset is not None:
            cut[0].__isub__(self.offset.astype(dtype))
        return cut

    def centered(self, labeled: Any) -> Any:
        """Bring rows that are not of the pool, in double precision, where the pool is."""
        labeled = canonical(labeled).astype(np.float64)
        return (labeled if self.offset is None else labeled - self.offset,)

    def take(self, rows: Positions, X: Any) -> Points:
        """Return some of the points, which are `X`; what is known of them stays."""
        other = copy(self)
        other.factors = tuple(canonical(factor) for factor in (X if isinstance(X, tuple) else (X,)))
        other.n_rows, other.norms = len(rows), self.norms[rows]
        return other

    def squared_distances_to_mean(self) -> Floats:
        """Squared distance of each row to the mean of all, shape (n_rows,)."""
        if self.offset is not None:
            return self.norms
        mean = self._mean()
        inner = np.empty(self.n_rows)
        for rows in slices(self.n_rows, self.block_rows(mean.shape[1])):
            a, h = self._pair(rows)
            inner[rows] = row_products(a, h @ mean)
        squared = self.norms + np.square(mean).sum() - 2 * inner
        squared[squared < DUPLICATE * (self.norms + np.square(mean).sum())] = 0.0
        return squared

    def _mean(self) -> Floats:
        """Return the mean of the outer products of the factors, (n_h, n_a)."""
        total: Any = 0.0
        for rows in slices(self.n_rows, self.block_rows(1)):
            a, h = self._pair(rows)
            total = total + h.T @ a
        return total / self.n_rows

    def _pair(self, rows: slice) -> Any:
        """Return a block as two factors; a plain row is its outer product with the number 1."""
        block = self._cut(rows, np.dtype(np.float64))
        return block if len(block) == 2 else (np.ones((block[0].shape[0], 1)), *block)

    def distances(self, block: Any, rows: Positions, centers: Centers, which: slice) -> Floats:
        """Squared distances of a block to some centers, shape (n_block, n_which)."""
        squared = products(block, centers.get(which, np.dtype(np.float64)))
        squared *= -2.0
        squared += centers.norms[which]
        squared += self.norms[rows, np.newaxis]
        return np.maximum(squared, 0.0, out=squared)

    def raised_distances(self, block: Any, rows: slice, centers: Centers, which: slice) -> Floats:
        """Bounds on the squared distances of a block to the nearest of some centers."""
        norms = centers.norms[which]
        inner = products(block, centers.get(which, self.dtype))
        inner -= (0.5 * norms).astype(self.dtype)
        squared = self.norms[rows] - 2.0 * inner.max(axis=1).astype(np.float64)
        return np.maximum(squared, 0.0) + self.rounding * 2.0 * (self.norms[rows] + norms.max())

    def exact_distances(self, rows: Positions, centers: Centers, which: Positions) -> Floats:
        """Squared distance of each row to one center each; exactly 0 for duplicates."""
        block = self.rows(rows)
        others = centers.take(which)
        if self.offset is not None:
            return np.square(block[0] - others[0]).sum(axis=1)
        inner = np.prod([row_products(*pair) for pair in zip(block, others, strict=True)], axis=0)
        norms = self.norms[rows] + centers.norms[which]
        squared = norms - 2.0 * inner
        squared[squared < DUPLICATE * norms] = 0.0
        return squared


class Centers:
    """The coordinates and norms of the centers, in the order in which they came."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._length = 0
        self._factors: list[Any] = [
            None if sparse.issparse(factor) else np.empty((64, factor.shape[1]))
            for factor in points.factors
        ]
        self._norms = np.empty(64)

    def __len__(self) -> int:
        return self._length

    def of(self, points: Points) -> Centers:
        """Return a copy, to which rows of other points of the same kind are added."""
        other = copy(self)
        other._points, other._norms = points, self._norms.copy()
        # Sparse factors are never written into; they are replaced.
        other._factors = [f.copy() if isinstance(f, np.ndarray) else f for f in self._factors]
        return other

    @property
    def norms(self) -> Floats:
        """Squared norms, shape (n_centers,)."""
        return self._norms[: self._length]

    def add_position(self, position: int) -> None:
        """Add a row of the pool."""
        self._add(self._points.rows(np.array([position])))

    def add_rows(self, labeled: Any) -> None:
        """Add rows from elsewhere."""
        self._add(self._points.centered(labeled))

    def _add(self, rows: Any) -> None:
        new = self._length + rows[0].shape[0]
        if new > len(self._norms):
            self._norms = np.resize(self._norms, 2 * new)
        self._norms[self._length : new] = squared_norms(rows)
        for k, factor in enumerate(rows):
            if sparse.issparse(factor):
                known = self._factors[k]
                self._factors[k] = (
                    factor if known is None else sparse.vstack([known, factor], "csr")
                )
                continue
            if new > len(self._factors[k]):
                self._factors[k] = np.resize(self._factors[k], (2 * new, factor.shape[1]))
            self._factors[k][self._length : new] = factor
        self._length = new

    def get(self, which: slice, dtype: np.dtype[Any]) -> Any:
        """Return some centers, dense."""
        cut = [factor[which] for factor in self._factors]
        return tuple(
            (factor.toarray() if sparse.issparse(factor) else factor).astype(dtype, copy=False)
            for factor in cut
        )

    def take(self, which: Positions) -> Any:
        """Return one center for each of some rows."""
        return tuple(factor[which] for factor in self._factors)


def canonical(factor: Any) -> Any:
    """Return rows that can be cut: an array, or CSR without repeated entries."""
    if not sparse.issparse(factor):
        return factor
    rows = sparse.csr_array(factor)
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may share the caller's arrays
        rows.sum_duplicates()
    return rows


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def products(block: Any, centers: Any) -> Any:
    """Inner products of a block with centers, shape (n_block, n_centers)."""
    product = block[0] @ centers[0].T
    for factor, center in zip(block[1:], centers[1:], strict=True):
        product *= factor @ center.T
    return product


def squared_norms(block: Any) -> Floats:
    """Squared norms of the rows of a block, shape (n_block,)."""
    return np.prod([row_products(factor, factor) for factor in block], axis=0)


def row_products(first: Any, second: Any) -> Floats:
    """Inner product of each row of one factor with the same row of another."""
    if sparse.issparse(first):
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", first, second)


def rounded(values: Floats, bits: int) -> Floats:
    """Round to fewer bits than the arithmetic has, so that the order of a sum does not show."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)


def slices(stop: int, size: int, start: int = 0) -> Iterator[slice]:
    """Cut ``start .. stop`` into slices of a size; the last may be shorter."""
    return (slice(begin, min(begin + size, stop)) for begin in range(start, stop, size))
