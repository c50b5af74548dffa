"""Rows of a design matrix, dense, sparse or as factors, and their products block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import canonical, row_products, slices

if TYPE_CHECKING:
    from skactive.selectors._engine.points import AnyPoints

__all__ = ["DesignRows", "RowIndex", "split_rows", "squared_row_norms", "to_dense", "to_float64"]

RowIndex: TypeAlias = slice | Positions

# A block of rows and its products stay in the cache of one core ...
_ROW_BLOCK_BYTES = 2**21
# ... but with fewer rows than this, matrix products are no faster than loops.
_MIN_PRODUCT_ROWS = 32
# Numbers of sparse columns that are made dense at a time: 16 MiB.
_DENSE_NUMBERS = 2**21


class DesignRows:
    """Rows of a design matrix, multiplied in float64 a block at a time.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Rows; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) represents the outer
        products of their rows, with ``n_dims = n_a * n_h``, which are built a block at a time.
    """

    def __init__(self, X: AnyPoints) -> None:
        self._a, h = X if isinstance(X, tuple) else (None, X)
        self._h: Any = h if isinstance(h, np.ndarray) else canonical(h)
        self.is_sparse = not isinstance(h, np.ndarray)
        self._n_a = 1 if self._a is None else self._a.shape[1]
        self.n_rows, self.n_dims = h.shape[0], h.shape[1] * self._n_a

    def take(self, index: RowIndex) -> DesignRows:
        return DesignRows(self._h[index] if self._a is None else (self._a[index], self._h[index]))

    def squared_norms(self) -> Floats:
        """Return the squared norm of each row, (n_rows,)."""
        squared = squared_row_norms(self._h)
        # The norm of an outer product is the product of the norms.
        return squared if self._a is None else squared * squared_row_norms(self._a)

    def build(self, index: RowIndex) -> Floats:
        """Return rows as a dense array, (n, n_dims)."""
        h = to_dense(self._h[index])
        if self._a is None:
            return h
        a = to_float64(self._a[index])
        return (a[:, :, None] * h[:, None, :]).reshape(-1, self.n_dims)

    def build_row(self, position: int) -> Floats:
        return self.build(slice(position, position + 1))[0]

    def build_sparse(self, index: slice) -> sparse.csr_array:
        """Return rows of a sparse design as a sparse array, (n, n_dims)."""
        h = to_float64(self._h[index])
        if self._a is None:
            return h
        a = to_float64(self._a[index])
        return sparse.hstack([h.multiply(a[:, [k]]) for k in range(self._n_a)], format="csr")

    def count_stored(self) -> int:
        """Return the number of stored entries of all rows of a sparse design."""
        return self._n_a * int(self._h.nnz)

    def multiply(self, right: Any) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows and their products with the columns of `right`, (n, n_columns).

        ``right`` may be sparse if the rows are: then only the dimensions that it uses are read.
        """
        n_columns = right.shape[1]
        n_dense = 0 if self.is_sparse else self._h.shape[1]
        used: Any = None
        if sparse.issparse(right):
            used, right = self._to_dense_factor(right)
        if self._a is not None:
            # (n_a n_h, m) -> (n_h, m n_a), so that the sums over n_a run along memory.
            # No length is left to reshape: there may be no dimension at all.
            right = right.reshape(self._n_a, len(right) // self._n_a, n_columns).transpose(1, 2, 0)
            right = right.reshape(len(right), n_columns * self._n_a)
        if self.is_sparse:
            right = np.ascontiguousarray(right)  # else it is copied for each block
        for block in split_rows(self.n_rows, n_dense + right.shape[1]):
            h = self._h[block] if used is None else self._h[block][:, used]
            product = to_float64(h) @ right
            yield block, product if self._a is None else self._contract(block, product)

    def _contract(self, block: slice, product: Floats) -> Floats:
        """Sum the products of h with each slice of the columns, (n, m n_a), weighted by a."""
        a = to_float64(self._a[block])
        product = product.reshape(len(a), product.shape[1] // self._n_a, self._n_a)
        return np.einsum("ima,ia->im", product, a)

    def _to_dense_factor(self, right: Any) -> tuple[Positions, Floats]:
        """Return the columns of h that a sparse factor uses, and its dense part there."""
        right = right.tocoo()
        outer, inner = np.divmod(right.row, self._h.shape[1])  # positions in a and in h
        is_used = np.zeros(self._h.shape[1], dtype=bool)
        is_used[inner] = True
        used = np.flatnonzero(is_used)
        dense = np.zeros((self._n_a, len(used), right.shape[1]))
        dense[outer, np.searchsorted(used, inner), right.col] = right.data
        return used, dense.reshape(-1, right.shape[1])

    def multiply_rows(self, others: DesignRows) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows of a sparse design and their products with others, (n, n_others)."""
        right = to_float64(others._h).T.tocsr()
        for block in split_rows(self.n_rows, others.n_rows):
            product = (to_float64(self._h[block]) @ right).toarray()
            if self._a is not None:  # products of outer products are products of products
                product *= to_float64(self._a[block]) @ to_float64(others._a).T
            yield block, product

    def sums_of_squares(self, columns: Any) -> Floats:
        """Return the sum of the squared products of each row with the columns, (n_rows,)."""
        sums, n_columns, width = np.zeros(self.n_rows), columns.shape[1], columns.shape[1]
        if sparse.issparse(columns):  # they become dense, a part at a time
            width = max(1, _DENSE_NUMBERS * n_columns // max(1, columns.nnz))
        for part in slices(n_columns, max(1, width)):
            for block, product in self.multiply(columns[:, part]):
                sums[block] += np.einsum("im,im->i", product, product)
        return sums

    def quadratic_forms(self, matrix: Floats) -> Floats:
        """Return x^T matrix x for each row, (n_rows,)."""
        values = np.empty(self.n_rows)
        for block in split_rows(self.n_rows, 2 * self.n_dims):
            x = self.build_sparse(block) if self.is_sparse else self.build(block)
            values[block] = row_products(x, x @ matrix)
        return values

    def information(self) -> Floats:
        """Return the sum of x x^T over the rows, (n_dims, n_dims)."""
        if self.is_sparse:
            x = self.build_sparse(slice(None))
            return (x.T @ x).toarray()
        total = np.zeros((self.n_dims, self.n_dims))
        for block in split_rows(self.n_rows, self.n_dims):
            x = self.build(block)
            total += x.T @ x
        return total


def split_rows(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Return slices of rows such that blocks of `n_columns` float64 columns fit the cache."""
    return slices(n_rows, max(_MIN_PRODUCT_ROWS, _ROW_BLOCK_BYTES // (8 * max(1, n_columns))))


def to_float64(block: Any) -> Any:
    """Return a dense or sparse block in float64; a copy only if it has another type."""
    return block.astype(np.float64, copy=False)


def to_dense(block: Any) -> Floats:
    """Return a dense or sparse block as a dense array in float64."""
    return to_float64(block if isinstance(block, np.ndarray) else block.toarray())


def squared_row_norms(factor: Any) -> Floats:
    """Return the squared norms of dense or sparse rows, summed in float64, (n_rows,)."""
    if isinstance(factor, np.ndarray):
        return np.einsum("ij,ij->i", factor, factor, dtype=np.float64)
    return np.asarray(to_float64(factor).power(2).sum(axis=1)).reshape(-1)
