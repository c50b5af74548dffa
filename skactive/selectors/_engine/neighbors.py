"""Exact nearest neighbors between a pool and a few other rows, a block of the pool at a time.

Comparisons of distances carry rounding, which depends on the size of a block. So distances within
rounding of each other tie, and all ties are treated the same: no result depends on the order of the
rows or on the blocks.

scikit-learn's brute force finds the radii of neighborhoods in the same time (100,000 x 64 points,
200 queries, 100 neighbors), but not their ties, and it needs a centered copy of the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import (
    Matrix,
    canonical,
    products,
    row_products,
    slices,
    squared_distances,
)

__all__ = ["cosine_to_neighbors", "find_nearest", "kernel_sums", "neighbor_weights", "neighborhood"]

# A block of the pool, its distances from other rows, of shape (n_others, n_block), and the
# difference of distances within which those of each row of the block tie, of shape (n_block,).
DistanceBlock: TypeAlias = tuple[slice, Floats, Floats]
Metric: TypeAlias = Callable[[Matrix, Matrix], Iterator[DistanceBlock]]

_POOL_BLOCK_BYTES = 2**20  # of rows and their distances: small enough for a core's cache
_NEAREST_BYTES = 2**24  # of the distances to nearest neighbors, kept for a group of other rows
_GROUP_ROWS = 256
# Distances tie within this share of the squared norms; from inner products, they carry rounding
# errors of about 1e-15 of them.
_TIE_ROUNDING, _COSINE_DECIMALS = 1e-12, 12


def neighbor_weights(
    X: Matrix, rows: Matrix, n_neighbors: int, *, normalize: bool = False
) -> Iterator[tuple[slice, sparse.csr_array]]:
    """Divide a weight of 1 among the nearest ``rows`` of each row of ``X``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points among which neighbors are searched.
    n_neighbors : int
        Number of neighbors per point. Those that tie for the last ranks share them.
    normalize : bool, default=False
        Whether points are scaled to length 1 first; those at 0 stay.

    Yields
    ------
    block : slice
        Positions in ``X``.
    weights : sparse array of shape (n_block, n_others)
        Weights of their neighbors; each row sums to 1.
    """
    k = min(n_neighbors, rows.shape[0])
    for block, distances, slack in _euclidean(X, rows, normalize=normalize):
        # (n_block, n_others) and (n_block, 1); a partition is faster along contiguous rows.
        distances, slack = np.ascontiguousarray(distances.T), slack[:, np.newaxis]
        last = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
        inside = distances < last - slack
        tied = (distances <= last + slack) & ~inside
        # Ranks that are left over after those inside, divided among all that tie for them.
        share = (k - inside.sum(axis=1)) / tied.sum(axis=1)
        yield block, sparse.csr_array((inside + tied * share[:, np.newaxis]) / k)


def kernel_sums(X: Matrix, rows: Matrix, values: Floats, bandwidth: float) -> Floats:
    """Return the sums of values of ``rows``, weighted by a Gaussian kernel at each row of ``X``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points at which the values are known.
    values : ndarray of shape (n_others, n_columns)
        Their values.
    bandwidth : float
        Standard deviation of the kernel.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
    """
    sums = np.empty((X.shape[0], values.shape[1]))
    for block, distances, _ in _euclidean(X, rows):  # squared distances, (n_others, n_block)
        distances *= -0.5 / bandwidth**2
        sums[block] = np.exp(distances, out=distances).T @ values
    return sums


def neighborhood(X: Matrix, rows: Matrix, n_neighbors: int) -> NDArray[np.bool_]:
    """Return which rows of ``X`` are among the nearest neighbors of any of ``rows``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points whose neighbors are searched.
    n_neighbors : int
        Number of neighbors of each of ``rows``; all that tie for the last rank count.

    Returns
    -------
    ndarray of shape (n_rows,), dtype bool
    """
    near = np.zeros(X.shape[0], dtype=bool)
    for group in _groups(rows, n_neighbors):
        for block, _, inside in _neighbors(_euclidean, X, group, n_neighbors):
            near[block] |= inside.any(axis=0)
    return near


def find_nearest(X: Matrix, rows: Matrix, n_neighbors: int) -> tuple[Positions, Floats]:
    """Return the nearest neighbors in ``X`` of each of ``rows``, nearest first.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points whose neighbors are searched.
    n_neighbors : int
        Number of neighbors of each, at most all points. Of points equally near, the first count.

    Returns
    -------
    positions : ndarray of shape (n_others, n_neighbors)
        Positions in ``X``.
    distances : ndarray of shape (n_others, n_neighbors)
        Distances, not squared; those of duplicates are 0.
    """
    k = min(n_neighbors, X.shape[0])
    found = [_find_nearest(canonical(X), group, k) for group in _groups(rows, max(1, k))]
    positions, squared = (np.concatenate(part) for part in zip(*found, strict=True))
    return positions, np.sqrt(squared)


def _find_nearest(X: Matrix, rows: Matrix, k: int) -> tuple[Positions, Floats]:
    """Return positions and squared distances, found by products and then made exact."""
    nearest = np.full((rows.shape[0], k), np.inf)
    positions = np.zeros((rows.shape[0], k), dtype=np.intp)
    for block, distances, _ in _euclidean(X, rows):
        both = np.concatenate([nearest, distances], axis=1)  # (n_others, k + n_block)
        order = np.argsort(both, axis=1, kind="stable")[:, :k]
        columns = np.arange(block.start, block.start + distances.shape[1])
        both_positions = np.hstack([positions, np.broadcast_to(columns, distances.shape)])
        nearest = np.take_along_axis(both, order, axis=1)
        positions = np.take_along_axis(both_positions, order, axis=1)
    squared = np.empty((rows.shape[0], k))
    for rank in range(k):
        difference = _to_float64(X[positions[:, rank]]) - _to_float64(rows)
        squared[:, rank] = row_products(difference, difference)
    order = np.lexsort((positions, squared), axis=1)
    return np.take_along_axis(positions, order, axis=1), np.take_along_axis(squared, order, axis=1)


def cosine_to_neighbors(X: Matrix, rows: Matrix, n_neighbors: int) -> Floats:
    """Return the mean cosine of each row of ``X`` to those of ``rows`` whose neighbor it is.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points whose neighbors are searched, by cosine; the cosine of a point at 0 is 0.
    n_neighbors : int
        Number of neighbors of each of ``rows``; all that tie for the last rank count.

    Returns
    -------
    ndarray of shape (n_rows,)
        Means over those of ``rows`` that have the point as a neighbor; minus infinity for points
        that are a neighbor of none.
    """
    total, count = np.zeros(X.shape[0]), np.zeros(X.shape[0])
    for group in _groups(rows, n_neighbors):
        for block, distances, inside in _neighbors(_cosine, X, group, n_neighbors):
            # Contiguous rows are summed in pairs, which loses fewer digits.
            total[block] -= np.ascontiguousarray(np.where(inside, distances, 0.0).T).sum(axis=1)
            count[block] += inside.sum(axis=0)
    mean = np.divide(total, count, out=np.full(len(total), -np.inf), where=count > 0)
    return np.round(mean, _COSINE_DECIMALS)


def _neighbors(
    metric: Metric, X: Matrix, rows: Matrix, n_neighbors: int
) -> Iterator[tuple[slice, Floats, NDArray[np.bool_]]]:
    """Yield distances, and whether they are among the smallest ones of each of ``rows``.

    In two passes, because neighbors that tie for the last rank are known only after the first.
    """
    radii = _radii(metric, X, rows, min(n_neighbors, X.shape[0]))[:, np.newaxis]
    for block, distances, slack in metric(X, rows):
        yield block, distances, distances <= radii + slack


def _radii(metric: Metric, X: Matrix, rows: Matrix, n_neighbors: int) -> Floats:
    """Return the distance of each of ``rows`` to its last neighbor in ``X``."""
    # The smallest distances of all blocks so far, in no order: (n_others, n_neighbors).
    nearest = np.full((rows.shape[0], n_neighbors), np.inf)
    for _, distances, _ in metric(X, rows):
        both = np.concatenate([nearest, distances], axis=1)
        both.partition(n_neighbors - 1, axis=1)
        nearest = both[:, :n_neighbors]
    return nearest.max(axis=1)


def _euclidean(X: Matrix, rows: Matrix, *, normalize: bool = False) -> Iterator[DistanceBlock]:
    """Yield squared distances, after both are centered by ``rows``, to lose no digits."""
    dense = isinstance(rows, np.ndarray)
    others = _normalize(_to_float64(rows)) if normalize else _to_float64(rows)
    center = others.mean(axis=0) if dense else 0.0
    others = others - center if dense else others
    other_norms = row_products(others, others)
    for block, points in _row_blocks(X, others.shape[0]):
        points = _normalize(points) if normalize else points
        points = points - center if dense else points
        norms = row_products(points, points)
        distances = squared_distances((others,), (points,), other_norms, norms)
        yield block, distances, _TIE_ROUNDING * (norms + other_norms.max())


def _cosine(X: Matrix, rows: Matrix) -> Iterator[DistanceBlock]:
    """Yield negative cosines, so that smaller is nearer."""
    others = _normalize(_to_float64(rows))
    for block, points in _row_blocks(X, others.shape[0]):
        distances = products((others,), (_normalize(points),))
        yield block, np.negative(distances, out=distances), np.full(points.shape[0], _TIE_ROUNDING)


def _groups(rows: Matrix, n_neighbors: int) -> Iterator[Matrix]:
    """Cut rows into groups whose distances to their neighbors fit into memory."""
    rows = canonical(rows)
    size = max(1, min(_GROUP_ROWS, _NEAREST_BYTES // (8 * n_neighbors)))
    return (rows[group] for group in slices(rows.shape[0], size))


def _row_blocks(X: Matrix, n_others: int) -> Iterator[tuple[slice, Any]]:
    """Yield blocks of rows in double precision."""
    X = canonical(X)
    width = X.shape[1] if isinstance(X, np.ndarray) else 0
    for block in slices(X.shape[0], max(1, _POOL_BLOCK_BYTES // (8 * (width + n_others)))):
        yield block, _to_float64(X[block])


def _to_float64(X: Matrix) -> Any:
    """Return rows in double precision, of a dense array or canonical CSR."""
    return canonical(X).astype(np.float64, copy=False)


def _normalize(X: Any) -> Any:
    """Scale rows to length 1; rows of zeros stay."""
    norms = np.sqrt(row_products(X, X))
    scale = np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)
    if isinstance(X, np.ndarray):
        return X * scale[:, np.newaxis]
    return sparse.csr_array(X.multiply(scale[:, np.newaxis]))
