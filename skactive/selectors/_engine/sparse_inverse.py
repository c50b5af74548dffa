"""The inverse of an information matrix of sparse rows, by the products of its rows alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import linalg, sparse

from skactive._utils.array_types import Floats
from skactive.selectors._engine.design_rows import DesignRows
from skactive.selectors._engine.information import check_inverse_size, factor_gram

__all__ = ["SparseInverse"]


class SparseInverse:
    """``A^-1`` of an information matrix ``A = ridge I + S^T S`` that grows by sparse rows of S.

    By Woodbury's identity ``A^-1 = (I - S^T (F F^T)^-1 S) / ridge``, where F is the Cholesky
    factor of ``ridge I + S S^T``: it is as wide as there are rows, however many dimensions they
    use.

    Parameters
    ----------
    rows : DesignRows
        Sparse rows of which some will be added.
    ridge : float
        Lambda: A is ``ridge * I`` before the first row.
    labeled : DesignRows or None
        Sparse rows that A contains from the start.
    n_additions : int
        Largest number of rows that will be added.

    Raises
    ------
    PoolTooLargeError
        If F exceeds the limit on its size.
    """

    def __init__(
        self, rows: DesignRows, ridge: float, labeled: DesignRows | None, n_additions: int
    ) -> None:
        n_labeled = 0 if labeled is None else labeled.n_rows
        n_most = n_labeled + n_additions
        check_inverse_size(n_most, n_most)
        self._ridge, self._labeled = ridge, labeled
        self._S: Any = sparse.csr_array((0, rows.n_dims))
        self._factor = np.zeros((n_most, n_most))  # F in its upper left part
        if labeled is not None and n_labeled > 0:
            self._S = labeled.build_sparse(slice(None))
            gram = (self._S @ self._S.T).toarray()
            self._factor[:n_labeled, :n_labeled] = factor_gram(gram, ridge)

    def leverages(self, rows: DesignRows) -> Floats:
        """Return x^T A^-1 x for each row before the first addition, (n_rows,)."""
        leverages = rows.squared_norms()
        if self._labeled is not None and self._labeled.n_rows > 0:
            for block, products in rows.multiply_rows(self._labeled):
                leverages[block] -= np.square(self._solve(products.T)).sum(axis=0)
        return np.maximum(leverages, 0.0) / self._ridge

    def add(self, rows: DesignRows, position: int) -> Any:
        """Add a row to A, and return the vector v by whose v v^T this lowers A^-1, (n_dims, 1)."""
        n_rows = self._S.shape[0]
        x = rows.build_sparse(slice(position, position + 1))  # (1, n_dims)
        solved = self._solve((self._S @ x.T).toarray())  # F^-1 S x, (n_rows, 1)
        weights = sparse.csr_array(self._solve(solved, transposed=True))
        v = ((x.T - self._S.T @ weights) / self._ridge).tocsc()
        leverage = max(0.0, float((x @ v).sum()))
        self._factor[n_rows, :n_rows] = solved[:, 0]
        # The Schur complement of the row in F F^T is the ridge times (1 + leverage).
        self._factor[n_rows, n_rows] = math.sqrt(self._ridge * (1 + leverage))
        self._S = sparse.vstack([self._S, x], format="csr")
        return v / math.sqrt(1 + leverage)

    def _solve(self, right: Floats, *, transposed: bool = False) -> Floats:
        """Return F^-1 right, or F^-T right, (n_rows, n_columns)."""
        n_rows = len(right)
        factor = self._factor[:n_rows, :n_rows]
        return linalg.solve_triangular(factor, right, lower=True, trans=int(transposed))
