"""Exact nearest neighbors between a pool and a few other rows, a block of the pool at a time.

Comparisons of distances carry rounding, which differs with the size of a block. So distances within
rounding of each other tie, and ties are always treated alike: no answer depends on the order of
the rows or on the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive.selectors._engine.points import Matrix, row_products

__all__ = ["cosine_to_neighbors", "neighbor_weights", "neighborhood"]

Values: TypeAlias = NDArray[np.float64]
# A block of the pool, its distances from the other rows, and within how much those of a row tie.
Block: TypeAlias = tuple[slice, Values, Values]
Blocks: TypeAlias = Callable[[Matrix, Matrix], Iterator[Block]]

# Of a block of the pool and its distances, and of the distances kept for a group of other rows.
_BLOCK_BYTES = 2**22
_KEPT_BYTES = 2**24
_GROUP_ROWS = 256
# Distances from inner products carry rounding of some 1e-15 of the squared norms.
_ROUNDING, _DECIMALS = 1e-12, 12


def neighbor_weights(
    X: Matrix, rows: Matrix, n_neighbors: int
) -> Iterator[tuple[slice, sparse.csr_array]]:
    """Share a weight of 1 among the nearest ``rows`` of each row of ``X``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points among which neighbors are sought.
    n_neighbors : int
        How many neighbors a point has. Those that tie for the last places share them.

    Yields
    ------
    block : slice
        The rows of ``X`` that are meant.
    weights : sparse array of shape (n_block_rows, n_others)
        Each row sums to 1.
    """
    k = min(n_neighbors, rows.shape[0])
    for block, distances, slack in _euclidean(X, rows):
        last = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
        inside = distances < last - slack
        level = (distances <= last + slack) & ~inside
        share = (k - inside.sum(axis=1)) / level.sum(axis=1)
        yield block, sparse.csr_array((inside + level * share[:, np.newaxis]) / k)


def neighborhood(X: Matrix, rows: Matrix, n_neighbors: int) -> NDArray[np.bool_]:
    """Tell which rows of ``X`` are among the nearest ones of any of ``rows``.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points whose neighbors are sought.
    n_neighbors : int
        How many neighbors each of ``rows`` has; those that tie for the last place all count.

    Returns
    -------
    ndarray of shape (n_rows,), dtype bool
    """
    near = np.zeros(X.shape[0], dtype=bool)
    for group in _groups(rows, n_neighbors):
        for block, _, inside in _neighbors(_euclidean, X, group, n_neighbors):
            near[block] |= inside.any(axis=1)
    return near


def cosine_to_neighbors(X: Matrix, rows: Matrix, n_neighbors: int) -> Values:
    """Return the mean cosine between each row of ``X`` and those of ``rows`` that it is near to.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    rows : ndarray or sparse matrix of shape (n_others, n_dims)
        The points whose neighbors are sought, by cosine; that of a point at 0 is 0.
    n_neighbors : int
        How many neighbors each of ``rows`` has; those that tie for the last place all count.

    Returns
    -------
    ndarray of shape (n_rows,)
        Means over those of ``rows`` that have the point as a neighbor; minus infinity for points
        that are a neighbor of none.
    """
    total, count = np.zeros(X.shape[0]), np.zeros(X.shape[0])
    for group in _groups(rows, n_neighbors):
        for block, distances, inside in _neighbors(_cosine, X, group, n_neighbors):
            total[block] -= np.where(inside, distances, 0.0).sum(axis=1)
            count[block] += inside.sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(total), -np.inf), where=count > 0)
    return np.round(mean, _DECIMALS)


def _neighbors(
    blocks: Blocks, X: Matrix, rows: Matrix, n_neighbors: int
) -> Iterator[tuple[slice, Values, NDArray[np.bool_]]]:
    """Yield distances and whether they are among the smallest ones from each of ``rows``.

    Two passes: the neighbors themselves could not be told from their ties in one.
    """
    radii = _radii(blocks, X, rows, min(n_neighbors, X.shape[0]))
    for block, distances, slack in blocks(X, rows):
        yield block, distances, distances <= radii + slack


def _radii(blocks: Blocks, X: Matrix, rows: Matrix, n_neighbors: int) -> Values:
    """Return the distance of each of ``rows`` to its last neighbor in ``X``."""
    nearest = np.full((rows.shape[0], n_neighbors), np.inf)
    for _, distances, _ in blocks(X, rows):
        both = np.concatenate([nearest, distances.T], axis=1)
        nearest = np.partition(both, n_neighbors - 1, axis=1)[:, :n_neighbors]
    return nearest.max(axis=1)


def _euclidean(X: Matrix, rows: Matrix) -> Iterator[Block]:
    """Yield squared distances; they are taken from the center of ``rows``, to lose no digits."""
    dense = isinstance(rows, np.ndarray)
    center = rows.mean(axis=0, dtype=np.float64) if dense else 0.0
    others = _rows64(rows) - center if dense else _rows64(rows)
    squares = row_products(others, others)
    for block, points in _row_blocks(X, others.shape[0]):
        points = points - center if dense else points
        norms = row_products(points, points)[:, np.newaxis] + squares
        distances = norms - 2.0 * _inner(points, others)
        yield block, distances, _ROUNDING * norms.max(axis=1, keepdims=True)


def _cosine(X: Matrix, rows: Matrix) -> Iterator[Block]:
    """Yield cosines with their sign changed, so that smaller is nearer."""
    others = _unit(_rows64(rows))
    for block, points in _row_blocks(X, others.shape[0]):
        distances = -_inner(_unit(points), others)
        yield block, distances, np.full((len(distances), 1), _ROUNDING)


def _groups(rows: Matrix, n_neighbors: int) -> Iterator[Matrix]:
    """Cut rows into groups whose neighbors' distances can be kept."""
    held = rows if isinstance(rows, np.ndarray) else sparse.csr_array(rows)
    size = max(1, min(_GROUP_ROWS, _KEPT_BYTES // (8 * n_neighbors)))
    return (held[start : start + size] for start in range(0, held.shape[0], size))


def _row_blocks(X: Matrix, n_others: int) -> Iterator[tuple[slice, Any]]:
    """Yield blocks of rows in float64, small enough to stay with their distances in cache."""
    held = X if isinstance(X, np.ndarray) else sparse.csr_array(X)
    width = held.shape[1] if isinstance(held, np.ndarray) else 0
    size = max(1, _BLOCK_BYTES // (8 * (width + n_others)))
    for start in range(0, held.shape[0], size):
        block = slice(start, min(start + size, held.shape[0]))
        yield block, _rows64(held[block])


def _rows64(X: Matrix) -> Any:
    return X.astype(np.float64, copy=False) if isinstance(X, np.ndarray) else _csr64(X)


def _csr64(X: Matrix) -> sparse.csr_array:
    """Return float64 CSR without repeated entries, which would square wrongly."""
    rows = sparse.csr_array(X, dtype=np.float64)
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may share the caller's arrays, and is sorted in place
        rows.sum_duplicates()
    return rows


def _inner(points: Any, others: Any) -> Values:
    inner = points @ others.T
    return inner if isinstance(inner, np.ndarray) else inner.toarray()


def _unit(X: Any) -> Any:
    """Scale rows to length 1; a row of zeros stays."""
    norms = np.sqrt(row_products(X, X))
    scale = np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)
    if isinstance(X, np.ndarray):
        return X * scale[:, np.newaxis]
    return sparse.csr_array(X.multiply(scale[:, np.newaxis]))
