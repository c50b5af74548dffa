"""Sums of the similarities 1 / (1 + d(x, y)) of each row to reference rows, by blocks of pairs.

Euclidean distances between dense rows come from one matrix product per block,
``|x - y|^2 = |x|^2 + |y|^2 - 2 <x, y>`` around the mean row, in single precision if the data are.
Rounding is relative to the norms, so it spoils distances that are small beside them: those are
computed again from the differences or in double precision. Sparse rows are not centered.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import DUPLICATE, canonical, slices
from skactive.selectors._engine.sparse_rows import ColumnSplit, SplitRows, compute_squared_norms

__all__ = ["sum_similarities"]

# Blocks of pairs stay in the cache of one core.
_PAIR_BLOCK_ROWS = 512
_CHUNK_MEGABYTES = 16
# Squared distances below this share of the squared norms have lost too many digits ...
_CLOSE_RTOL = {np.float32: 1 / 64, np.float64: 1e-7}
# ... and up to this share of a block, they are computed one by one.
_MAX_PATCHED_SHARE = 1 / 256


def sum_similarities(X: Any, references: Positions | None, metric: Any) -> Floats:
    """Return the sum of the similarities of each row to the reference rows, (n_rows,).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points; distances for the metric "precomputed".
    references : ndarray of shape (n_references,) or None
        Sorted positions of the reference rows; None means all rows.
    metric : str or callable
        As in :func:`sklearn.metrics.pairwise_distances`.
    """
    if metric == "euclidean":
        with threadpool_limits(1):  # for products this small, threads cost more than they save
            return _sum_euclidean(X, references)
    return _sum_by_chunks(X, references, metric)


def _sum_by_chunks(X: Any, references: Positions | None, metric: Any) -> Floats:
    """Sum the similarities with the distances of scikit-learn."""
    from sklearn.metrics import pairwise_distances_chunked  # imported here: a tenth of a second

    chunks = pairwise_distances_chunked(
        X,
        None if references is None else X[references],
        metric=metric,
        reduce_func=_reduce_to_similarity,
        working_memory=min(sklearn.get_config()["working_memory"], _CHUNK_MEGABYTES),
    )
    return np.concatenate(list(chunks))


def _reduce_to_similarity(distances: NDArray[Any], _start: int) -> Floats:
    # The chunk may be a view of the caller's array (metric="precomputed"): do not write to it.
    return np.reciprocal(distances + 1.0).sum(axis=1, dtype=np.float64)


def _sum_euclidean(X: Any, references: Positions | None) -> Floats:
    """Sum the similarities by blocks; if all rows are references, each pair is visited once."""
    n_rows = X.shape[0]
    positions = np.arange(n_rows) if references is None else references
    blocks: _PairBlocks = _SparseBlocks(X) if sparse.issparse(X) else _DenseBlocks(X, positions)
    size, total = blocks.size, np.zeros(n_rows)
    for columns in slices(len(positions), size):
        right = blocks.load(positions[columns])
        # The similarities are symmetric: without a sample, start at the diagonal.
        for start in range(columns.start if references is None else 0, n_rows, size):
            rows = slice(start, start + size)
            # (n_block_rows, n_block_references)
            similarity = blocks.similarity(blocks.load(rows), right, positions[columns] - start)
            # A product with ones is several times as fast as a sum.
            total[rows] += similarity @ np.ones(similarity.shape[1], similarity.dtype)
            if references is None and start > columns.start:
                total[columns] += np.ones(len(similarity), similarity.dtype) @ similarity
    total[positions] += 1.0  # the similarity of a row to itself
    return total


class _CenteredRows(NamedTuple):
    """Rows minus the mean row in double precision, (n, n_dims), and their squared norms, (n,)."""

    rows: Floats
    squared_norms: Floats


class _PairBlocks:
    """Similarities of one block of rows to another.

    Parameters
    ----------
    size : int
        Maximum number of rows in a block.
    dtype : dtype
        Precision of the squared distances.
    """

    def __init__(self, size: int, dtype: Any) -> None:
        self.size, self.dtype = size, dtype
        self._close_rtol = _CLOSE_RTOL[dtype]
        self._buffer = np.empty((size, size), dtype)

    def load(self, positions: Positions | slice) -> Any:
        """Return a block of rows, with their `squared_norms`."""
        raise NotImplementedError

    def write_squared_distances(self, left: Any, right: Any, out: NDArray[Any]) -> None:
        """Write the squared distances to `out`, (n_left, n_right), in its precision."""
        raise NotImplementedError

    def compute_pairs(self, left: Any, right: Any, rows: Positions, columns: Positions) -> Floats:
        """Return the squared distances of some pairs from the differences, (n_pairs,)."""
        raise NotImplementedError

    def similarity(self, left: Any, right: Any, same: Positions) -> NDArray[Any]:
        """Return 1 / (1 + distance), and 0 for a row with itself, (n_left, n_right).

        The result is a buffer that the next call overwrites. `same`, (n_right,), holds the
        position among the rows on the left of each row on the right; it may be out of range.
        """
        n_left, n_right = len(left.squared_norms), len(right.squared_norms)
        block = self._buffer.reshape(-1)[: n_left * n_right].reshape(n_left, n_right)
        self.write_squared_distances(left, right, block)
        itself = np.flatnonzero((same >= 0) & (same < n_left))
        block[same[itself], itself] = np.inf
        limit = self._close_rtol * (left.squared_norms.max() + right.squared_norms.max())
        if block.min() < limit:
            self._recompute_close_pairs(block, left, right, limit)
        np.sqrt(block, out=block)
        block += 1.0
        return np.reciprocal(block, out=block)

    def _recompute_close_pairs(
        self, block: NDArray[Any], left: Any, right: Any, limit: float
    ) -> None:
        """Recompute small squared distances; if there are many, all of them in double precision."""
        rows, columns = np.nonzero(block < limit)
        if len(rows) <= block.size * _MAX_PATCHED_SHARE:
            block[rows, columns] = self.compute_pairs(left, right, rows, columns)
            return
        itself = np.isinf(block)
        squared = np.empty(block.shape)
        self.write_squared_distances(left, right, squared)
        norms = np.add.outer(left.squared_norms, right.squared_norms)
        squared[squared < DUPLICATE * norms] = 0.0
        squared[itself] = np.inf
        block[...] = squared


class _DenseBlocks(_PairBlocks):
    """The same for dense rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_dims)
        Points.
    positions : ndarray
        Positions of the rows around whose mean norms are computed.
    """

    def __init__(self, X: NDArray[Any], positions: Positions) -> None:
        size = max(16, min(_PAIR_BLOCK_ROWS, _CHUNK_MEGABYTES * 2**17 // (X.shape[1] + 2)))
        single = X.dtype == np.float32 and _fits_single_precision(X)
        super().__init__(size, np.float32 if single else np.float64)
        self._X, self._mean = X, _compute_mean(X, positions, size)

    def load(self, positions: Positions | slice) -> _CenteredRows:
        rows = self._X[positions] - self._mean
        return _CenteredRows(rows, np.einsum("ij,ij->i", rows, rows))

    def write_squared_distances(
        self, left: _CenteredRows, right: _CenteredRows, out: NDArray[Any]
    ) -> None:
        # [-2 x, |x|^2, 1] [y, 1, |y|^2]^T: one product, because further passes over the block would
        # cost more than two more columns.
        one, other = (np.ones((len(block.rows), 1)) for block in (left, right))
        factor = np.hstack([-2.0 * left.rows, left.squared_norms[:, np.newaxis], one])
        transposed = np.hstack([right.rows, other, right.squared_norms[:, np.newaxis]])
        np.matmul(
            factor.astype(out.dtype, copy=False),
            transposed.astype(out.dtype, copy=False).T,
            out=out,
        )

    def compute_pairs(
        self, left: _CenteredRows, right: _CenteredRows, rows: Positions, columns: Positions
    ) -> Floats:
        differences = left.rows[rows] - right.rows[columns]
        return np.einsum("ij,ij->i", differences, differences)


class _SparseBlocks(_PairBlocks):
    """The same for sparse rows, (n_rows, n_dims)."""

    def __init__(self, X: Any) -> None:
        rows = canonical(X)
        single = rows.dtype == np.float32 and compute_squared_norms(rows).max(initial=0.0) < 1e35
        super().__init__(_PAIR_BLOCK_ROWS, np.float32 if single else np.float64)
        self._rows = ColumnSplit(rows).split(rows.astype(self.dtype, copy=False))

    def load(self, positions: Positions | slice) -> SplitRows:
        return self._rows[positions]

    def write_squared_distances(self, left: SplitRows, right: SplitRows, out: NDArray[Any]) -> None:
        if out.dtype != self.dtype:
            left, right = left.astype(out.dtype), right.astype(out.dtype)
        np.multiply(left.multiply(right), -2.0, out=out)
        out += left.squared_norms[:, np.newaxis]
        out += right.squared_norms

    def compute_pairs(
        self, left: SplitRows, right: SplitRows, rows: Positions, columns: Positions
    ) -> Floats:
        return left[rows].squared_distances(right[columns])


def _compute_mean(X: NDArray[Any], positions: Positions, size: int) -> Floats:
    """Return the mean of the rows at `positions`, (n_dims,)."""
    blocks = (X[positions[block]] for block in slices(len(positions), size))
    total = reduce(np.add, (block.sum(axis=0, dtype=np.float64) for block in blocks))
    return total / len(positions)


def _fits_single_precision(X: NDArray[Any]) -> bool:
    """Return whether squared distances are finite in single precision."""
    return bool(X.shape[1] * (float(X.max()) - float(X.min())) ** 2 < 1e36)
