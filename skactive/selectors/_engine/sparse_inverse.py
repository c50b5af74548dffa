"""The inverse of an information matrix of sparse rows, in the dimensions that its rows use."""

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
    """``A^-1`` of an information matrix A that grows by sparse rows, as I / ridge minus R R^T.

    A column of R is a combination of rows in A, so that it is 0 in all dimensions where these are.

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
        If R may exceed the limit on its size.
    """

    def __init__(
        self, rows: DesignRows, ridge: float, labeled: DesignRows | None, n_additions: int
    ) -> None:
        n_labeled = 0 if labeled is None else labeled.n_rows
        n_stored = n_additions * rows.count_stored() // max(1, rows.n_rows)
        n_stored += 0 if labeled is None else labeled.count_stored()
        check_inverse_size(min(rows.n_dims, n_stored), n_labeled + n_additions)
        self._ridge = ridge
        self._columns: Any = sparse.csc_array((rows.n_dims, 0))  # R
        if labeled is not None and n_labeled > 0:
            self._columns = _compute_prior_columns(labeled, ridge)

    def leverages(self, rows: DesignRows) -> Floats:
        """Return x^T A^-1 x for each row before the first addition, (n_rows,)."""
        leverages = rows.squared_norms() / self._ridge
        if self._columns.shape[1]:
            leverages -= rows.sums_of_squares(self._columns)
        return np.maximum(leverages, 0.0)

    def add(self, rows: DesignRows, position: int) -> Any:
        """Add a row to A, and return the vector v by whose v v^T this lowers A^-1, (n_dims, 1)."""
        x = rows.build_sparse(slice(position, position + 1)).T
        v = x / self._ridge - self._columns @ (self._columns.T @ x)
        leverage = float((x.T @ v).sum())
        v = (v / math.sqrt(1 + max(0.0, leverage))).tocsc()
        self._columns = sparse.hstack([self._columns, v], format="csc")
        return v


def _compute_prior_columns(labeled: DesignRows, ridge: float) -> Any:
    """Return R for which (ridge I + X^T X)^-1 = I / ridge - R R^T, (n_dims, n_labeled)."""
    X = labeled.build_sparse(slice(None))
    used = np.unique(X.indices)
    factor = factor_gram((X @ X.T).toarray(), ridge)
    # (n_labeled, n_used), one column of R after another
    values = linalg.solve_triangular(factor, X[:, used].toarray(), lower=True) / math.sqrt(ridge)
    starts = np.arange(len(values) + 1) * len(used)
    parts = (values.ravel(), np.tile(used, len(values)), starts)
    return sparse.csc_array(parts, shape=(labeled.n_dims, len(values)))
