r"""Determinants and variances of information matrices, updated row by row.

The information of a linear model with prior precision lambda is ``A = lambda I + sum x x^T``.
Let ``g = x^T A^-1 x`` be the leverage of a row and ``v = A^-1 x / sqrt(1 + g)``. Adding the row

* multiplies the determinant of A by ``1 + g`` (matrix determinant lemma),
* lowers ``A^-1`` by ``v v^T`` (Sherman-Morrison), so every leverage ``g_i`` by ``(x_i^T v)^2``,
* lowers the mean variance ``tr(A^-1 M)``, where ``M = mean(x x^T)``, by ``v^T M v``.

Each addition thus costs one product of all rows with one or two vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from scipy import linalg, sparse

from skactive._utils.array_types import Floats, Positions
from skactive.exceptions import PoolTooLargeError
from skactive.selectors._engine.points import canonical, row_products, slices

if TYPE_CHECKING:
    from skactive.selectors._engine.points import AnyPoints
    from skactive.selectors._engine.sparse_inverse import SparseInverse

__all__ = [
    "GAIN_RTOL",
    "DesignRows",
    "InverseInformation",
    "LazyCandidates",
    "VarianceReduction",
    "check_inverse_size",
    "check_trace_dims",
    "clip_ridge",
    "draw_best",
    "factor_gram",
    "invert_information",
    "split_rows",
    "squared_row_norms",
    "to_dense",
    "to_float64",
]

RowIndex: TypeAlias = slice | Positions

# Gains carry the rounding of many updates; values within this relative tolerance tie.
GAIN_RTOL = 1e-9
# Ridge as a share of the largest squared norm; below it the picks would depend on rounding.
_MIN_RELATIVE_RIDGE = 1e-10
# A block of rows and its products stay in the cache of one core ...
_ROW_BLOCK_BYTES = 2**21
# ... but with fewer rows than this, matrix products are no faster than loops.
_MIN_PRODUCT_ROWS = 32
# Rows whose leverages are kept up to date: a 64th of the pool within these limits.
_MIN_SHORTLIST, _MAX_SHORTLIST = 256, 4096
# Picks by which the leverages of the other rows may lag behind.
_MAX_PENDING_PICKS = 256
# Numbers of sparse columns that are made dense at a time: 16 MiB.
_DENSE_NUMBERS = 2**21
# Numbers in an inverse, or in the columns that represent it: 1 GiB.
_MAX_INVERSE_NUMBERS = 2**27
# Dimensions of a trace criterion, which holds several matrices: 512 features with 10 classes.
_MAX_TRACE_DIMS = 5120


# -- rows --------------------------------------------------------------------------------------


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


# -- gains -------------------------------------------------------------------------------------


def draw_best(gains: Floats, rng: RandomState) -> int:
    """Return the position of the largest gain, ties broken at random; it must be at least 0."""
    best = np.flatnonzero(gains >= gains.max() * (1 - GAIN_RTOL))
    return int(best[rng.randint(len(best))])


def clip_ridge(ridge: float, squared_norms: Floats) -> float:
    """Return the ridge, raised to where rounding does not decide."""
    return max(ridge, _MIN_RELATIVE_RIDGE * float(squared_norms.max()))


# -- determinants ------------------------------------------------------------------------------


class InverseInformation:
    """``A^-1`` of an information matrix A that grows row by row.

    If there will be fewer rows than dimensions, it is stored as I / ridge minus R R^T, with one
    column of R per row; otherwise as a matrix.

    Parameters
    ----------
    n_dims : int
        Number of dimensions.
    ridge : float
        Lambda: A is ``ridge * I`` before the first row.
    labeled : DesignRows or None
        Rows that A contains from the start.
    n_additions : int
        Largest number of rows that will be added.

    Raises
    ------
    PoolTooLargeError
        If the stored form exceeds the limit on its size.
    """

    def __init__(
        self, n_dims: int, ridge: float, labeled: DesignRows | None, n_additions: int
    ) -> None:
        n_labeled = 0 if labeled is None else labeled.n_rows
        n_columns = min(n_dims, n_labeled + n_additions)
        check_inverse_size(n_dims, n_columns)
        self._ridge = ridge
        self._matrix: Floats | None = None
        self._columns, self._n_columns = np.empty((n_dims, 0)), 0
        if n_columns < n_dims:
            # In column order, so that each new column, and the first n of them, are contiguous.
            self._columns = np.empty((n_dims, n_columns), order="F")
            if labeled is not None and n_labeled > 0:
                self._columns[:, :n_labeled] = _compute_prior_columns(labeled, ridge)
                self._n_columns = n_labeled
        elif n_labeled == 0 or labeled is None:
            self._matrix = np.eye(n_dims) / ridge
        else:
            self._matrix = invert_information(labeled.information(), ridge)
        self._starts_isotropic = n_labeled == 0

    def leverages(self, rows: DesignRows) -> Floats:
        """Return x^T A^-1 x for each row before the first addition, (n_rows,)."""
        if self._matrix is not None and not self._starts_isotropic:
            return rows.quadratic_forms(self._matrix)
        leverages = rows.squared_norms() / self._ridge
        if self._n_columns > 0:
            leverages -= rows.sums_of_squares(self._columns[:, : self._n_columns])
        return np.maximum(leverages, 0.0)

    def add(self, rows: DesignRows, position: int) -> Floats:
        """Add a row to A, and return the vector v by whose v v^T this lowers A^-1, (n_dims, 1)."""
        x = rows.build_row(position)
        v = self._multiply(x)
        v /= math.sqrt(1 + max(0.0, float(x @ v)))
        if self._matrix is None:
            self._columns[:, self._n_columns] = v
            self._n_columns += 1
        else:
            self._matrix -= np.outer(v, v)
        return v[:, np.newaxis]

    def _multiply(self, x: Floats) -> Floats:
        if self._matrix is not None:
            return self._matrix @ x
        columns = self._columns[:, : self._n_columns]
        return x / self._ridge - columns @ (columns.T @ x)


def _compute_prior_columns(labeled: DesignRows, ridge: float) -> Floats:
    """Return R for which (ridge I + X^T X)^-1 = I / ridge - R R^T, (n_dims, n_labeled)."""
    X = labeled.build(slice(None))
    # Woodbury: R R^T is X^T (ridge I + X X^T)^-1 X / ridge, and the middle is n_labeled wide.
    factor = factor_gram(X @ X.T, ridge)
    return linalg.solve_triangular(factor, X, lower=True).T / math.sqrt(ridge)


def factor_gram(gram: Floats, ridge: float) -> Floats:
    """Return the lower Cholesky factor of (ridge I + gram); `gram` is overwritten."""
    gram[np.diag_indices_from(gram)] += ridge
    return linalg.cholesky(gram, lower=True, overwrite_a=True)


def invert_information(information: Floats, ridge: float) -> Floats:
    """Return (ridge I + information)^-1, (n_dims, n_dims); `information` is overwritten."""
    information[np.diag_indices_from(information)] += ridge
    factor = linalg.cho_factor(information, lower=True, overwrite_a=True)
    inverse = linalg.cho_solve(factor, np.eye(len(information)), overwrite_b=True)
    return (inverse + inverse.T) / 2  # exactly symmetric


class LazyCandidates:
    """Candidates of largest leverage, weighted or not, whose leverages are updated lazily.

    Only a shortlist is up to date. Leverages never grow, so the last known leverage of any other
    row is an upper bound. When no row of the shortlist exceeds the bounds of all other rows, every
    leverage is updated with the pending picks at once, in one matrix product, and a new shortlist
    is built. The picks are those of plain greedy search.

    Parameters
    ----------
    rows : DesignRows
        The pool.
    inverse : InverseInformation or SparseInverse
        Inverse of the information; picks are added to it.
    weights : ndarray of shape (n_rows,) or None
        Factor of each row's gain; None gives all rows the same weight.
    """

    def __init__(
        self,
        rows: DesignRows,
        inverse: InverseInformation | SparseInverse,
        weights: Floats | None,
    ) -> None:
        self._rows, self._inverse, self._weights = rows, inverse, weights
        self._leverages = inverse.leverages(rows)
        self._is_candidate = np.ones(rows.n_rows, dtype=bool)
        self._pending: list[Any] = []
        self._build_shortlist(self._gains(slice(None), self._leverages))

    def find_best(self, rng: RandomState) -> int:
        """Return the position of the row of largest gain, ties broken at random."""
        if len(self._pending) < _MAX_PENDING_PICKS:
            gains = self._gains(self._shortlist, self._shortlist_leverages)
            # Rows off the shortlist can neither win nor tie.
            if gains.max() * (1 - GAIN_RTOL) > self._max_other_gain:
                return int(self._shortlist[draw_best(gains, rng)])
        self._update()
        gains = self._gains(slice(None), self._leverages)
        self._build_shortlist(gains)
        return draw_best(gains, rng)

    def add(self, position: int) -> int:
        """Add the row at `position` to the information, and return `position`."""
        v = self._inverse.add(self._rows, position)
        self._is_candidate[position] = False
        self._pending.append(v)
        self._shortlist_leverages -= self._shortlist_rows.sums_of_squares(v)
        return position

    def _gains(self, index: RowIndex, leverages: Floats) -> Floats:
        """Return the factor by which each row multiplies the determinant; -1 for picked rows."""
        leverages = np.maximum(leverages, 0.0)
        # Without weights g gives the same order as 1 + g, and keeps the digits of small leverages.
        gains = leverages if self._weights is None else self._weights[index] * (1 + leverages)
        return np.where(self._is_candidate[index], gains, -1.0)

    def _update(self) -> None:
        """Update the leverages of all rows with the pending picks."""
        if self._pending:
            # (n_dims, n_pending): one matrix product in place of n_pending vector products.
            is_sparse = sparse.issparse(self._pending[0])
            stack = sparse.hstack if is_sparse else np.hstack
            self._leverages -= self._rows.sums_of_squares(stack(self._pending))
            self._pending = []

    def _build_shortlist(self, gains: Floats) -> None:
        """Put the rows of largest gain on the shortlist, and keep the largest of the others."""
        n_others = len(gains) - _shortlist_size(len(gains))
        if n_others > 0:
            order = np.argpartition(gains, n_others - 1)
            self._max_other_gain = float(gains[order[n_others - 1]])
            # In order of position: how ties are broken must not depend on the shortlist.
            self._shortlist = np.sort(order[n_others:])
        else:
            self._shortlist, self._max_other_gain = np.arange(len(gains)), -np.inf
        self._shortlist_rows = self._rows.take(self._shortlist)
        self._shortlist_leverages = self._leverages[self._shortlist]


def _shortlist_size(n_rows: int) -> int:
    return min(n_rows, max(_MIN_SHORTLIST, min(_MAX_SHORTLIST, n_rows // 64)))


def check_inverse_size(n_dims: int, n_columns: int) -> None:
    """Raise PoolTooLargeError if an inverse of `n_columns` columns is too large."""
    if n_dims * n_columns > _MAX_INVERSE_NUMBERS:
        raise PoolTooLargeError(
            f"The determinant needs {n_dims} x {n_columns} numbers, but at most "
            f"{_MAX_INVERSE_NUMBERS} are supported. Ask for fewer rows or reduce the dimensions: "
            "give the learner an embedder such as PCA or TruncatedSVD."
        )


# -- mean variances ----------------------------------------------------------------------------


class VarianceReduction:
    """Reductions of the mean predictive variance on the pool by each row.

    Row i lowers ``tr(A^-1 M)`` by ``u_i / (1 + g_i)``, where ``u_i = x_i^T A^-1 M A^-1 x_i`` and
    ``g_i`` is its leverage.

    Parameters
    ----------
    rows : DesignRows
        The pool.
    labeled : DesignRows or None
        Rows that are labeled from the start.
    ridge : float
        Lambda: precision of the prior.
    """

    def __init__(self, rows: DesignRows, labeled: DesignRows | None, ridge: float) -> None:
        n_dims = rows.n_dims
        information = np.zeros((n_dims, n_dims)) if labeled is None else labeled.information()
        self._rows, self._inverse = rows, invert_information(information, ridge)
        self._moment = rows.information() / rows.n_rows  # M, (n_dims, n_dims)
        self._leverages = rows.quadratic_forms(self._inverse)  # g, (n_rows,)
        # u, (n_rows,)
        self._numerators = rows.quadratic_forms(self._inverse @ self._moment @ self._inverse)

    def gains(self, picks: list[int]) -> Floats:
        """Return the reduction of the variance if a row is added, (n_rows,)."""
        return self._numerators / (1 + self._leverages)

    def add(self, position: int) -> None:
        """Add the row at `position` to the information."""
        x = self._rows.build_row(position)
        v = self._inverse @ x
        v /= math.sqrt(1 + max(0.0, float(x @ v)))
        moment = self._moment @ v
        w = self._inverse @ moment - v * (v @ moment / 2)
        self._inverse -= np.outer(v, v)
        # (A^-1 - v v^T) M (A^-1 - v v^T) = A^-1 M A^-1 - v w^T - w v^T
        for block, product in self._rows.multiply(np.column_stack([v, w])):
            along_v, along_w = product.T
            self._leverages[block] -= along_v**2
            self._numerators[block] -= 2 * along_v * along_w


def check_trace_dims(n_dims: int) -> None:
    """Raise PoolTooLargeError if a trace criterion has too many dimensions."""
    if n_dims > _MAX_TRACE_DIMS:
        raise PoolTooLargeError(
            f"The trace needs several matrices of {n_dims} x {n_dims} numbers (for BAIT: classes "
            f"minus one, times features), but at most {_MAX_TRACE_DIMS} dimensions are supported. "
            "Reduce them: put PCA or TruncatedSVD before the model, or give it to the learner as "
            "embedder."
        )
