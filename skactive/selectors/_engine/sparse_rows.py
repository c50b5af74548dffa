"""Inner products of sparse rows by blocks: frequent columns as dense ones, the others as sparse.

In rows of text a few columns (words) are used by many rows and most columns by few. A product of
sparse rows spends nearly all of its time on the few frequent columns, where dense arithmetic is
many times as fast; the rare columns alone are multiplied within a small share of that time.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions

__all__ = ["ColumnSplit", "SplitRows", "compute_squared_norms", "scale_rows"]

# Columns that more than this share of the rows use are multiplied as dense ones, but no more than
# so many, since all rows may be needed at once.
_FREQUENT_SHARE = 1 / 16
_MAX_FREQUENT = 256
# Rare columns are dense too, in products of sparse and dense, where more than this share of the
# multiplications are with numbers other than 0, and where they fit.
_DENSE_SHARE = 1 / 8
_MAX_DENSE_BYTES = 2**26


class SplitRows:
    """Rows whose frequent and rare columns are kept apart.

    Parameters
    ----------
    frequent : ndarray or csr_array of shape (n_rows, n_frequent)
        The frequent columns.
    rare : csr_array of shape (n_rows, n_rare)
        The rare columns.
    usage : ndarray of shape (n_rare,)
        How often rows use each of the rare columns.
    squared_norms : ndarray of shape (n_rows,), default=None
        Squared length of each row in double precision; None computes them from both parts.
    """

    def __init__(
        self,
        frequent: NDArray[Any] | sparse.csr_array,
        rare: sparse.csr_array,
        usage: NDArray[Any],
        squared_norms: Floats | None = None,
    ) -> None:
        self.frequent, self.rare, self.usage = frequent, rare, usage
        self.squared_norms = self._compute_norms() if squared_norms is None else squared_norms

    def __len__(self) -> int:
        return int(self.rare.shape[0])

    def __getitem__(self, rows: Positions | slice) -> SplitRows:
        norms = self.squared_norms[rows]
        return SplitRows(self.frequent[rows], self.rare[rows], self.usage, norms)

    def astype(self, dtype: Any) -> SplitRows:
        """Return the rows in another precision."""
        frequent, rare = self.frequent.astype(dtype), self.rare.astype(dtype)
        return SplitRows(frequent, rare, self.usage, self.squared_norms)

    def multiply(self, other: SplitRows) -> NDArray[Any]:
        """Return the inner products with all rows of `other`, shape (n_rows, n_others).

        What `other` needs for it is computed once, so let the rows that stay be `other`.
        """
        product = self.rare @ other._rare_columns
        product = product.toarray() if sparse.issparse(product) else product
        product += self.dense @ other.dense.T
        return product

    def squared_distances(self, others: SplitRows) -> Floats:
        """Return the squared distance of each row to the one at the same place, (n_rows,)."""
        difference = np.subtract(self.dense, others.dense, dtype=np.float64)
        rare = self.rare.astype(np.float64) - others.rare.astype(np.float64)
        return np.square(difference).sum(axis=1) + compute_squared_norms(rare)

    @cached_property
    def dense(self) -> NDArray[Any]:
        """The frequent columns, shape (n_rows, n_frequent)."""
        frequent: Any = self.frequent
        return frequent.toarray() if sparse.issparse(frequent) else frequent

    @cached_property
    def _rare_columns(self) -> NDArray[Any] | sparse.csr_array:
        """The rare columns, (n_rare, n_rows), in the form in which products with them are fast."""
        columns = sparse.csr_array(self.rare.T)
        n_bytes = columns.dtype.itemsize * columns.shape[0] * columns.shape[1]
        n_useful = int(self.usage @ np.diff(columns.indptr))
        useful = n_useful > _DENSE_SHARE * len(self) * int(self.usage.sum())
        return columns.toarray() if useful and n_bytes <= _MAX_DENSE_BYTES else columns

    def _compute_norms(self) -> Floats:
        frequent = np.square(self.dense, dtype=np.float64).sum(axis=1)
        return frequent + compute_squared_norms(self.rare)


class ColumnSplit:
    """A division of the columns of matrices into frequent, rare and unused ones.

    Parameters
    ----------
    *parts : csr_array of shape (n_rows_of_part, n_dims)
        Rows whose entries are counted.
    """

    def __init__(self, *parts: sparse.csr_array) -> None:
        self._n_dims = parts[0].shape[1]
        usage = np.zeros(self._n_dims, dtype=np.intp)
        for part in parts:
            usage += np.bincount(part.indices, minlength=self._n_dims)
        n_rows = sum(part.shape[0] for part in parts)
        order = np.argsort(-usage, kind="stable")[:_MAX_FREQUENT]
        self._frequent = np.sort(order[usage[order] > _FREQUENT_SHARE * n_rows])
        is_rare = usage > 0
        is_rare[self._frequent] = False
        self._rare = np.flatnonzero(is_rare)
        self._usage = usage[self._rare]

    def split(self, X: sparse.csr_array) -> SplitRows:
        """Return rows with as many columns, split; entries in unused columns only add to norms."""
        frequent, rare = (self._take(X, columns) for columns in (self._frequent, self._rare))
        return SplitRows(frequent, rare, self._usage, compute_squared_norms(X))

    def join(self, rows: SplitRows) -> sparse.csr_array:
        """Return split rows as one matrix, shape (n_rows, n_dims)."""
        frequent = sparse.csr_array(rows.frequent)
        return sum(
            sparse.csr_array(
                (part.data, columns[part.indices], part.indptr), shape=(len(rows), self._n_dims)
            )
            for part, columns in ((frequent, self._frequent), (rows.rare, self._rare))
        )

    def _take(self, X: sparse.csr_array, columns: Positions) -> sparse.csr_array:
        """Return some columns, (n_rows, n_columns)."""
        rank = np.full(self._n_dims, -1, dtype=X.indices.dtype)
        rank[columns] = np.arange(len(columns))
        rank = rank[X.indices]
        keep = rank >= 0
        n_kept = np.concatenate([[0], np.cumsum(keep)])  # before each entry
        dtype = np.result_type(X.dtype, np.float32)  # of large whole numbers, double
        entries = (X.data[keep].astype(dtype), rank[keep], n_kept[X.indptr].astype(X.indptr.dtype))
        return sparse.csr_array(entries, shape=(X.shape[0], len(columns)))


def scale_rows(X: sparse.csr_array, factors: NDArray[Any]) -> sparse.csr_array:
    """Return the rows of CSR, each times its factor."""
    data = X.data * np.repeat(factors, np.diff(X.indptr))
    return sparse.csr_array((data, X.indices, X.indptr), shape=X.shape)


def compute_squared_norms(X: sparse.csr_array) -> Floats:
    """Return the squared length of each row of CSR in double precision, (n_rows,)."""
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    squares = np.square(X.data, dtype=np.float64)
    return np.bincount(rows, squares, minlength=X.shape[0]).astype(np.float64)  # int if empty
