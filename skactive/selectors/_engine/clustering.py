"""Clusterings of large pools: k-means, linkage, and medoids."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skactive.selectors._engine.nearest_centers import draw_weighted
from skactive.selectors._engine.points import (
    DUPLICATE,
    Matrix,
    distances_from_products,
    row_products,
    slices,
)
from skactive.selectors._top import Positions, top

__all__ = ["Values"]


Values: TypeAlias = NDArray[np.float64]


# Up to so many rows k-means sees all of them at every step; beyond, this many random draws of
# some rows, which cost the same for any pool, and each row once to be told its cluster.
_LLOYD_ROWS = 20_000


_MINI_BATCH_STEPS = 50


_MINI_BATCH_ROWS = 2_048


# Neighbors are sought among all pairs in clusters of up to so many rows. In larger ones a sample
# tells which rows are worth it.
_ALL_PAIRS_ROWS = 2_048


_SAMPLE = 512


_CONTENDERS = 256


# A hierarchy takes time and memory that grow with the square of what it joins.
_HIERARCHY_ROWS = 2_000


_MICRO_CLUSTERS = 1_000


_BLOCK_BYTES = 2**22


_BLOCK_ROWS = 1_024


# Means carry the rounding of their terms; within this share of the largest they tie.
_TIE = 1e-9


# A row that weighs nothing still belongs to a cluster; in single precision this is next to nothing.
_LEAST_WEIGHT = 1e-12


def _shares(weights: NDArray[Any] | None) -> Values | None:
    """Return the weights as shares of the largest, none quite 0; None where all are 0."""
    if weights is None or not weights.any():
        return None
    shares = np.asarray(weights, dtype=np.float64) / weights.max()
    return np.maximum(shares, _LEAST_WEIGHT)


def _kmeans_labels(
    parts: list[Matrix], n_clusters: int, rng: RandomState, weights: Values | None = None
) -> NDArray[np.intp]:
    """Return the cluster of each row of the first part, then of the second if there is one."""
    if sum(part.shape[0] for part in parts) <= _LLOYD_ROWS:
        return _lloyd_labels(_stack(parts), n_clusters, rng, weights)
    return _mini_batch_labels(parts, n_clusters, rng, weights)[0]


def _lloyd_labels(
    X: Matrix, n_clusters: int, rng: RandomState, weights: Values | None
) -> NDArray[np.intp]:
    from sklearn.cluster import KMeans  # late: it takes a tenth of a second

    with warnings.catch_warnings():
        # Duplicate rows are no fault of the caller's, and are seen to afterwards.
        warnings.filterwarnings(
            "ignore", message="Number of distinct clusters", category=ConvergenceWarning
        )
        kmeans = KMeans(n_clusters, n_init=1, random_state=rng)
        return kmeans.fit(X, sample_weight=weights).labels_.astype(np.intp)


def _mini_batch_labels(
    parts: list[Matrix], n_clusters: int, rng: RandomState, weights: Values | None = None
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return the cluster of each row, and the centers up to a common shift.

    `MiniBatchKMeans.fit` wants all rows in one array and visits each several times; single steps
    need only the rows drawn, of whichever part, and the labels are one product a block.
    """
    from sklearn.cluster import MiniBatchKMeans  # late: it takes a tenth of a second

    n_drawn = max(_MINI_BATCH_ROWS, 3 * n_clusters)
    kmeans = MiniBatchKMeans(n_clusters, n_init=1, random_state=rng)
    cumulated = None if weights is None else np.cumsum(weights)
    origin = _mean(_rows_at(parts, _drawn(parts, n_drawn, cumulated, rng)))
    # On one thread, which is as fast where nothing else runs; where something does, threads that
    # wait for each other at the end of such small steps take ten times as long.
    with threadpool_limits(1):
        for _ in range(_MINI_BATCH_STEPS):
            some = _rows_at(parts, _drawn(parts, n_drawn, cumulated, rng))
            kmeans.partial_fit(_shifted(some, origin))
        centers = kmeans.cluster_centers_
        labels = [_nearest_center(part, centers, origin) for part in parts]
    return np.concatenate(labels), centers


def _drawn(
    parts: list[Matrix], n_drawn: int, cumulated: Values | None, rng: RandomState
) -> Positions:
    """Draw positions among all rows, in proportion to weights given by their running sum."""
    if cumulated is None:
        return rng.randint(sum(part.shape[0] for part in parts), size=n_drawn)
    return draw_weighted(cumulated, n_drawn, rng)


def _rows_at(parts: list[Matrix], positions: Positions) -> Matrix:
    """Take rows by their positions in the first part, then the second; those of the first first."""
    if len(parts) == 1:
        return parts[0][positions]
    n_first = parts[0].shape[0]
    first = positions < n_first
    return _stack([parts[0][positions[first]], parts[1][positions[~first] - n_first]])


def _stack(parts: list[Matrix]) -> Matrix:
    if len(parts) == 1:
        return parts[0]
    dense = isinstance(parts[0], np.ndarray)
    return np.concatenate(parts) if dense else sparse.vstack(parts, format="csr")


def _mean(rows: Matrix) -> NDArray[Any] | None:
    """Return the mean row: around it products lose fewer digits. Sparse rows stay as they are."""
    return rows.mean(axis=0) if isinstance(rows, np.ndarray) else None


def _shifted(rows: Matrix, origin: NDArray[Any] | None) -> Matrix:
    return rows if origin is None else rows - origin


def _nearest_center(
    X: Matrix, centers: NDArray[Any], origin: NDArray[Any] | None
) -> NDArray[np.intp]:
    """Return the nearest center of each row: that of the largest <x, c> - |c|^2 / 2."""
    labels = np.empty(X.shape[0], dtype=np.intp)
    half = np.square(centers).sum(axis=1) / 2
    for block in _blocks(X.shape[0], sum(centers.shape)):
        labels[block] = (_shifted(X[block], origin) @ centers.T - half).argmax(axis=1)
    return labels


def _blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    return slices(n_rows, max(1, _BLOCK_BYTES // (8 * n_columns)))


def _members(labels: NDArray[np.intp], n_clusters: int) -> list[Positions]:
    """Return the sorted positions of each cluster's members; of an empty cluster none."""
    ends = np.cumsum(np.bincount(labels, minlength=n_clusters))[:-1]
    return np.split(np.argsort(labels, kind="stable"), ends)


def _medoids(
    X: Matrix, labels: NDArray[np.intp], weights: Values | None, rng: RandomState
) -> list[int]:
    """Return the member nearest to each cluster's mean, large or heavy clusters first."""
    masses = np.bincount(labels, weights)
    squared = _squared_to_means(X, labels, _cluster_means(X, labels, weights, masses))
    members = _members(labels, len(masses))
    order = np.argsort(-masses, kind="stable")
    return [_lowest(members[c], squared, rng) for c in order if len(members[c])]


def _lowest(members: Positions, values: Values, rng: RandomState) -> int:
    """Return the member of the lowest value, ties within rounding broken at random."""
    level = values[members]
    lowest = members[level <= level.min() * (1 + _TIE)]
    return int(lowest[rng.randint(len(lowest))])


def _cluster_means(
    X: Matrix, labels: NDArray[np.intp], weights: Values | None, masses: NDArray[Any]
) -> Values:
    """Return the mean of each cluster's rows in float64, (n_clusters, n_dims)."""
    n_rows = len(labels)
    values = np.ones(n_rows) if weights is None else weights
    indicator = sparse.csr_array((values, labels, np.arange(n_rows + 1)))  # of clusters, by rows
    if isinstance(X, np.ndarray):
        totals = np.zeros((len(masses), X.shape[1]))
        for block in _blocks(*X.shape):
            totals += indicator[block].T @ X[block].astype(np.float64, copy=False)
    else:
        totals = (indicator.T @ X).toarray()
    return totals / np.maximum(masses, _LEAST_WEIGHT)[:, np.newaxis]  # empty clusters have no mean


def _squared_to_means(X: Matrix, labels: NDArray[np.intp], means: Values) -> Values:
    """Return the squared distance of each row to the mean of its cluster, (n_rows,)."""
    if not isinstance(X, np.ndarray):
        return _sparse_squared_to_means(X, labels, means)
    squared = np.empty(len(X))
    for block in _blocks(*X.shape):
        difference = X[block] - means[labels[block]]
        squared[block] = np.einsum("ij,ij->i", difference, difference)
    return squared


def _sparse_squared_to_means(
    X: sparse.csr_array, labels: NDArray[np.intp], means: Values
) -> Values:
    """As above for CSR, from what is not 0."""
    row = np.repeat(np.arange(len(labels)), np.diff(X.indptr))
    inner = np.bincount(row, X.data * means[labels[row], X.indices], minlength=len(labels))
    norms = (
        row_products(X.astype(np.float64), X.astype(np.float64))
        + np.square(means).sum(axis=1)[labels]
    )
    return distances_from_products(inner, norms)


class _Cluster:
    """A cluster whose members are told apart by how near their neighbors in it are.

    Parameters
    ----------
    parts : list of ndarray or csr_array
        The pool, and the labeled rows if there are any.
    members : ndarray of shape (n_members,)
        Sorted positions in the pool, then in the labeled rows.
    n_neighbors : int
        Most neighbors to look at.
    """

    def __init__(self, parts: list[Matrix], members: Positions, n_neighbors: int) -> None:
        self._parts, self._members, self._n_neighbors = parts, members, n_neighbors
        self._origin = _mean(_rows_at(parts, members[:_BLOCK_ROWS]))

    def most_typical(self, n_picks: int, n_pool: int, rng: RandomState) -> Positions:
        """Return the members of the pool with the nearest neighbors, best first."""
        members = self._members
        mine = members[: np.searchsorted(members, n_pool)]
        if len(members) <= _ALL_PAIRS_ROWS:
            return self._nearest_first(mine, members, rng)[:n_picks]
        sample = np.sort(rng.choice(members, _SAMPLE, replace=False))
        roughly = self._nearest_first(mine, sample, rng, np.float32)  # twice as fast
        n_contenders = max(_CONTENDERS, 4 * n_picks)
        exactly = self._nearest_first(np.sort(roughly[:n_contenders]), members, rng)
        return np.concatenate([exactly, roughly[n_contenders:]])[:n_picks]

    def _nearest_first(
        self, some: Positions, among: Positions, rng: RandomState, dtype: Any = np.float64
    ) -> Positions:
        """Order `some` members by their mean distance to the nearest `among` others."""
        k = min(self._n_neighbors, len(among) - 1)
        if k == 0:
            return rng.permutation(some)
        means = np.empty(len(some))
        for block in slices(len(some), _BLOCK_ROWS):
            means[block] = self._mean_to_nearest(some[block], among, k, dtype)
        steps = np.rint(means / max(_TIE * means.max(), np.finfo(np.float64).tiny))
        return some[top(-steps, len(some), rng)]

    def _mean_to_nearest(self, some: Positions, among: Positions, k: int, dtype: Any) -> Values:
        """Return the mean distance of each of `some` members to its k nearest `among` others."""
        left = self._rows(some, dtype)
        norms = row_products(left, left)[:, np.newaxis]
        found = np.full((len(some), k + min(len(among), _BLOCK_ROWS)), np.inf, dtype)
        for block in slices(len(among), _BLOCK_ROWS):
            others = among[block]
            excess = found[:, k : k + len(others)]
            _less_own_norm(left, self._rows(others, dtype), out=excess)
            _, itself, here = np.intersect1d(some, others, True, return_indices=True)
            excess[itself, here] = np.inf
            found.partition(k - 1, axis=1)  # what stays behind the k is none of them
        squared = norms + found[:, :k]
        least = max(DUPLICATE, np.finfo(dtype).eps)
        squared[squared < least * norms] = 0.0
        return np.sqrt(squared).mean(axis=1, dtype=np.float64)

    def _rows(self, positions: Positions, dtype: Any) -> Matrix:
        rows = _rows_at(self._parts, positions).astype(np.float64)
        return _shifted(rows, self._origin).astype(dtype, copy=False)


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def _less_own_norm(A: Matrix, B: Matrix, out: NDArray[Any]) -> None:
    """Write |b|^2 - 2 <a, b>, the squared distances less |a|^2: enough to compare within a row."""
    norms = row_products(B, B)[:, np.newaxis]
    if isinstance(A, np.ndarray):  # one product, as passes over it would cost more than the norms
        left, right = np.hstack([-2 * A, np.ones((len(A), 1), A.dtype)]), np.hstack([B, norms])
        np.matmul(left, right.T, out=out)
    else:
        out[:] = norms.T - 2 * (A @ B.T).toarray()


def _hierarchy_labels(
    X: Matrix, n_clusters: int, epsilon: float | None, rng: RandomState
) -> NDArray[np.intp]:
    """Return the average-linkage cluster of each row; of large pools that of its micro-cluster."""
    if X.shape[0] <= _HIERARCHY_ROWS:
        return _linkage_labels(X, n_clusters, epsilon)
    micro, centers = _mini_batch_labels([X], _MICRO_CLUSTERS, rng)
    return _linkage_labels(centers, n_clusters, epsilon)[micro]


def _linkage_labels(X: Matrix, n_clusters: int, epsilon: float | None) -> NDArray[np.intp]:
    from scipy.cluster.hierarchy import fcluster, linkage  # late: few need it

    n_rows = X.shape[0]
    if n_rows == 1 or (epsilon is None and n_clusters >= n_rows):  # old versions join two of them
        return np.arange(n_rows)
    rows = X.astype(np.float64)
    if isinstance(rows, np.ndarray):
        tree = linkage(rows, "average")
    else:
        squared = _squared_distances(rows, rows)
        tree = linkage(np.sqrt(squared[np.triu_indices(n_rows, 1)]), "average")
    by, level = ("maxclust", n_clusters) if epsilon is None else ("distance", epsilon)
    return fcluster(tree, level, by).astype(np.intp) - 1


def _squared_distances(A: sparse.csr_array, B: sparse.csr_array) -> Values:
    """Return all squared distances of sparse rows, exactly 0 for duplicates, (n_A, n_B)."""
    norms = np.add.outer(row_products(A, A), row_products(B, B))
    return distances_from_products((A @ B.T).toarray(), norms)
