"""Clusterings of large pools: k-means and its medoids, typicality within a cluster, and linkage.

* k-means with weights w minimizes ``sum_i w_i |x_i - m_c(i)|^2``. The nearest center of a row is
  the one of largest ``<x, c> - |c|^2 / 2``: one matrix product per block of rows.
* The typicality of a row is the inverse of its mean distance to its K nearest neighbors within its
  cluster, from ``|x - y|^2 = |x|^2 + |y|^2 - 2 <x, y>``, again by blocks.
* Average linkage joins the two clusters of smallest mean distance between their rows. It takes time
  and memory quadratic in what it joins.

Small pools are treated exactly. In larger ones mini-batches, a sample of neighbors and a hierarchy
of micro-clusters keep time and memory linear in the number of rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine import sparse_kmeans
from skactive.selectors._engine.nearest_centers import draw_weighted
from skactive.selectors._engine.points import (
    DUPLICATE,
    Matrix,
    distances_from_products,
    row_products,
    slices,
)
from skactive.selectors._engine.sparse_rows import (
    ColumnSplit,
    SplitRows,
    compute_squared_norms,
    scale_rows,
)
from skactive.selectors._top import top

__all__ = [
    "Cluster",
    "cluster_by_kmeans",
    "cluster_by_linkage",
    "find_medoids",
    "group_members",
    "normalize_weights",
]

# Up to this many rows, k-means runs Lloyd's algorithm on all of them; beyond, it takes this many
# steps on random mini-batches, which cost the same for any pool, and assigns each row once.
_LLOYD_ROWS = 20_000
_MINI_BATCH_STEPS = 50
_MINI_BATCH_ROWS = 2_048
# In clusters of up to this many rows, neighbors are searched among all pairs. In larger ones, only
# the contenders are compared exactly: the rows with the nearest neighbors in a sample.
_ALL_PAIRS_ROWS = 2_048
_SAMPLE_ROWS = 512
_MIN_CONTENDERS = 256
# Up to this many rows, the hierarchy joins the rows themselves; beyond, this many clusters of them.
_HIERARCHY_ROWS = 2_000
_MICRO_CLUSTERS = 1_000
# Blocks of products with the centers stay in the last cache; blocks of pairs are squares.
_CENTER_BLOCK_BYTES = 2**22
_NEIGHBOR_BLOCK_ROWS = 1_024
# Mean distances carry the rounding of their terms; within this relative tolerance they tie.
_MEAN_RTOL = 1e-9
# Share of the largest weight to which rows of weight 0 are raised, since they belong to a cluster
# too: negligible even in single precision.
_MIN_WEIGHT = 1e-12


def normalize_weights(weights: NDArray[Any] | None) -> Floats | None:
    """Return the weights divided by the largest, all above 0; None if all are 0."""
    if weights is None or not weights.any():
        return None
    shares = np.asarray(weights, dtype=np.float64) / weights.max()
    return np.maximum(shares, _MIN_WEIGHT)


# -- k-means -----------------------------------------------------------------------------------


def cluster_by_kmeans(
    parts: list[Matrix], n_clusters: int, rng: RandomState, weights: Floats | None = None
) -> NDArray[np.intp]:
    """Return the k-means cluster of each row of the first part, then of the second if any."""
    if sum(part.shape[0] for part in parts) <= _LLOYD_ROWS:
        return _run_lloyd(_stack_parts(parts), n_clusters, rng, weights)
    return _run_mini_batches(parts, n_clusters, rng, weights)[0]


def _run_lloyd(
    X: Matrix, n_clusters: int, rng: RandomState, weights: Floats | None
) -> NDArray[np.intp]:
    """Return the cluster of each row after Lloyd's algorithm, (n_rows,)."""
    if sparse.issparse(X):
        return sparse_kmeans.run_lloyd(X, n_clusters, rng, weights)
    from sklearn.cluster import KMeans  # imported here: it takes a tenth of a second

    with warnings.catch_warnings():
        # Duplicate rows are legitimate, and the callers handle the empty clusters.
        warnings.filterwarnings(
            "ignore", message="Number of distinct clusters", category=ConvergenceWarning
        )
        kmeans = KMeans(n_clusters, n_init=1, random_state=rng)
        return kmeans.fit(X, sample_weight=weights).labels_.astype(np.intp)


def _run_mini_batches(
    parts: list[Matrix], n_clusters: int, rng: RandomState, weights: Floats | None = None
) -> tuple[NDArray[np.intp], Matrix]:
    """Return the cluster of each row, and the centers up to a common shift, (n_clusters, n_dims).

    Single steps need only the rows drawn from the parts, and the labels take one product per block.
    """
    n_draws = max(_MINI_BATCH_ROWS, 3 * n_clusters)
    cumulative = None if weights is None else np.cumsum(weights)

    def draw_batch() -> Matrix:
        return _take_rows(parts, _draw_rows(parts, n_draws, cumulative, rng))

    # One thread is as fast on an idle machine; on a busy one, threads that wait for each other at
    # the end of such small steps take ten times as long.
    with threadpool_limits(1):
        if sparse.issparse(parts[0]):
            _draw_rows(parts, n_draws, cumulative, rng)  # as for the origin of dense rows
            steps = (draw_batch() for _ in range(_MINI_BATCH_STEPS))
            return sparse_kmeans.run_mini_batches(parts, steps, n_clusters, rng)
        origin = draw_batch().mean(axis=0)  # around it, products lose fewer digits
        centers = _move_dense_centers(draw_batch, origin, n_clusters, rng)
        labels = [_assign_to_centers(part, centers, origin) for part in parts]
    return np.concatenate(labels), centers


def _move_dense_centers(
    draw_batch: Callable[[], NDArray[Any]], origin: NDArray[Any], n_clusters: int, rng: RandomState
) -> NDArray[Any]:
    """Return the centers, minus the origin, after steps on mini-batches, (n_clusters, n_dims).

    `MiniBatchKMeans.fit` needs all rows in one array and visits each several times.
    """
    from sklearn.cluster import MiniBatchKMeans  # imported here: it takes a tenth of a second

    kmeans = MiniBatchKMeans(n_clusters, n_init=1, random_state=rng)
    for _ in range(_MINI_BATCH_STEPS):
        kmeans.partial_fit(draw_batch() - origin)
    return kmeans.cluster_centers_


def _draw_rows(
    parts: list[Matrix], n_draws: int, cumulative: Floats | None, rng: RandomState
) -> Positions:
    """Draw positions among all rows with replacement, in proportion to cumulative weights."""
    if cumulative is None:
        return rng.randint(sum(part.shape[0] for part in parts), size=n_draws)
    return draw_weighted(cumulative, n_draws, rng)


def _take_rows(parts: list[Matrix], positions: Positions) -> Matrix:
    """Return rows by their positions in all parts, those of the first part first."""
    if len(parts) == 1:
        return parts[0][positions]
    n_first = parts[0].shape[0]
    first = positions < n_first
    return _stack_parts([parts[0][positions[first]], parts[1][positions[~first] - n_first]])


def _stack_parts(parts: list[Matrix]) -> Matrix:
    if len(parts) == 1:
        return parts[0]
    dense = isinstance(parts[0], np.ndarray)
    return np.concatenate(parts) if dense else sparse.vstack(parts, format="csr")


def _assign_to_centers(
    X: NDArray[Any], centers: NDArray[Any], origin: NDArray[Any]
) -> NDArray[np.intp]:
    """Return the nearest center of each row, the one of largest <x, c> - |c|^2 / 2, (n_rows,)."""
    labels = np.empty(X.shape[0], dtype=np.intp)
    half_norms = np.square(centers).sum(axis=1) / 2
    for block in _split_rows(X.shape[0], sum(centers.shape)):
        inner = (X[block] - origin) @ centers.T  # (n_block, n_clusters)
        labels[block] = (inner - half_norms).argmax(axis=1)
    return labels


def _split_rows(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Return slices of rows such that blocks of `n_columns` float64 columns fit the cache."""
    return slices(n_rows, max(1, _CENTER_BLOCK_BYTES // (8 * n_columns)))


# -- medoids -----------------------------------------------------------------------------------


def group_members(labels: NDArray[np.intp], n_clusters: int) -> list[Positions]:
    """Return the sorted positions of the members of each cluster; clusters may be empty."""
    ends = np.cumsum(np.bincount(labels, minlength=n_clusters))[:-1]
    return np.split(np.argsort(labels, kind="stable"), ends)


def find_medoids(
    X: Matrix, labels: NDArray[np.intp], weights: Floats | None, rng: RandomState
) -> list[int]:
    """Return the member nearest to the mean of each cluster, largest (or heaviest) cluster first.

    Empty clusters are skipped.
    """
    masses = np.bincount(labels, weights)
    squared = _squared_distances_to_means(X, labels, _compute_means(X, labels, weights, masses))
    members = group_members(labels, len(masses))
    order = np.argsort(-masses, kind="stable")
    return [_draw_smallest(members[c], squared, rng) for c in order if len(members[c])]


def _draw_smallest(members: Positions, values: Floats, rng: RandomState) -> int:
    """Return the member of the smallest value, ties within rounding broken at random."""
    of_members = values[members]
    smallest = members[of_members <= of_members.min() * (1 + _MEAN_RTOL)]
    return int(smallest[rng.randint(len(smallest))])


def _compute_means(
    X: Matrix, labels: NDArray[np.intp], weights: Floats | None, masses: NDArray[Any]
) -> Matrix:
    """Return the weighted mean of the rows of each cluster in float64, (n_clusters, n_dims).

    The means of sparse rows are sparse, with sorted entries.
    """
    n_rows = len(labels)
    values = np.ones(n_rows) if weights is None else weights
    # (n_rows, n_clusters), one entry per row
    indicator = sparse.csr_array((values, labels, np.arange(n_rows + 1)))
    # Empty clusters have no mean; the floor only avoids 0 / 0.
    masses = np.maximum(masses, _MIN_WEIGHT)
    if not isinstance(X, np.ndarray):
        totals = sparse.csr_array(indicator.T @ X)
        totals.sort_indices()
        return scale_rows(totals, 1 / masses)
    totals = np.zeros((len(masses), X.shape[1]))
    for block in _split_rows(*X.shape):
        totals += indicator[block].T @ X[block].astype(np.float64, copy=False)
    return totals / masses[:, np.newaxis]


def _squared_distances_to_means(X: Matrix, labels: NDArray[np.intp], means: Matrix) -> Floats:
    """Return the squared distance of each row to the mean of its cluster, (n_rows,)."""
    if not isinstance(X, np.ndarray):
        return _squared_distances_of_sparse_rows(X, labels, means)
    squared = np.empty(len(X))
    for block in _split_rows(*X.shape):
        difference = X[block] - means[labels[block]]
        squared[block] = np.einsum("ij,ij->i", difference, difference)
    return squared


def _squared_distances_of_sparse_rows(
    X: sparse.csr_array, labels: NDArray[np.intp], means: sparse.csr_array
) -> Floats:
    """Return the same for CSR: each entry of a row has one of the mean of its cluster beside it."""
    row = np.repeat(np.arange(len(labels)), np.diff(X.indptr))  # row of each entry, (nnz,)
    cluster = np.repeat(np.arange(means.shape[0]), np.diff(means.indptr))
    keys = cluster * X.shape[1] + means.indices  # ascending
    own = means.data[np.searchsorted(keys, labels[row] * X.shape[1] + X.indices)]
    inner = np.bincount(row, X.data * own, minlength=len(labels))
    norms = compute_squared_norms(X) + compute_squared_norms(means)[labels]
    return distances_from_products(inner, norms)


# -- typicality --------------------------------------------------------------------------------


class Cluster:
    """A cluster whose members are ordered by typicality: by how near their neighbors in it are.

    Parameters
    ----------
    parts : list of ndarray or csr_array
        The pool, and the labeled rows if there are any.
    members : ndarray of shape (n_members,)
        Sorted positions in the pool, then in the labeled rows.
    n_neighbors : int
        Largest number of neighbors to average over.
    """

    def __init__(self, parts: list[Matrix], members: Positions, n_neighbors: int) -> None:
        self._parts, self._members, self._n_neighbors = parts, members, n_neighbors
        if sparse.issparse(parts[0]):
            self._split = ColumnSplit(_take_rows(parts, members))
        else:
            self._origin = _take_rows(parts, members[:_NEIGHBOR_BLOCK_ROWS]).mean(axis=0)

    def find_most_typical(self, n_picks: int, n_pool: int, rng: RandomState) -> Positions:
        """Return the members of the pool with the nearest neighbors, best first, (n_picks,)."""
        members = self._members
        candidates = members[: np.searchsorted(members, n_pool)]
        if len(members) <= _ALL_PAIRS_ROWS:
            return self._sort_by_typicality(candidates, members, rng)[:n_picks]
        sample = np.sort(rng.choice(members, _SAMPLE_ROWS, replace=False))
        # In single precision, which is twice as fast: only the order of contenders matters.
        approximate = self._sort_by_typicality(candidates, sample, rng, np.float32)
        n_contenders = max(_MIN_CONTENDERS, 4 * n_picks)
        exact = self._sort_by_typicality(np.sort(approximate[:n_contenders]), members, rng)
        return np.concatenate([exact, approximate[n_contenders:]])[:n_picks]

    def _sort_by_typicality(
        self, rows: Positions, references: Positions, rng: RandomState, dtype: Any = np.float64
    ) -> Positions:
        """Sort `rows` by their mean distance to the nearest other `references`, ties at random."""
        k = min(self._n_neighbors, len(references) - 1)
        if k == 0:
            return rng.permutation(rows)
        means = np.empty(len(rows))
        for block in slices(len(rows), _NEIGHBOR_BLOCK_ROWS):
            means[block] = self._mean_distance_to_nearest(rows[block], references, k, dtype)
        # In steps of the tolerance, so that rounding does not order rows that tie.
        steps = np.rint(means / max(_MEAN_RTOL * means.max(), np.finfo(np.float64).tiny))
        return rows[top(-steps, len(rows), rng)]

    def _mean_distance_to_nearest(
        self, rows: Positions, references: Positions, k: int, dtype: Any
    ) -> Floats:
        """Return the mean distance of each row to its k nearest other references, (n,)."""
        left = self._load_rows(rows, dtype)
        norms = _compute_norms(left)[:, np.newaxis]
        # The k smallest so far, then a block of new ones, (n, k + n_block).
        width = k + min(len(references), _NEIGHBOR_BLOCK_ROWS)
        smallest = np.full((len(rows), width), np.inf, dtype)
        for block in slices(len(references), _NEIGHBOR_BLOCK_ROWS):
            others = references[block]
            partial = smallest[:, k : k + len(others)]  # a view
            _partial_squared_distances(left, self._load_rows(others, dtype), out=partial)
            _, itself, column = np.intersect1d(rows, others, True, return_indices=True)
            partial[itself, column] = np.inf
            # A shorter last block leaves columns behind it as they are: all of them were rejected.
            smallest.partition(k - 1, axis=1)
        squared = norms + smallest[:, :k]
        least = max(DUPLICATE, np.finfo(dtype).eps)
        squared[squared < least * norms] = 0.0
        return np.sqrt(squared).mean(axis=1, dtype=np.float64)

    def _load_rows(self, positions: Positions, dtype: Any) -> NDArray[Any] | SplitRows:
        rows = _take_rows(self._parts, positions).astype(np.float64)
        if sparse.issparse(rows):
            return self._split.split(rows.astype(dtype, copy=False))
        return (rows - self._origin).astype(dtype, copy=False)


def _compute_norms(rows: NDArray[Any] | SplitRows) -> NDArray[Any]:
    """Return the squared norm of each row, (n_rows,)."""
    return rows.squared_norms if isinstance(rows, SplitRows) else row_products(rows, rows)


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def _partial_squared_distances(A: Any, B: Any, out: NDArray[Any]) -> None:
    """Write |b|^2 - 2 <a, b> to `out`, (n_A, n_B): it orders the rows of B around each a.

    These are the squared distances minus |a|^2, which is the same for all columns.
    """
    norms = _compute_norms(B)
    if isinstance(A, SplitRows):
        np.multiply(A.multiply(B), -2, out=out)
        out += norms
    else:
        # The norms as one more column: a pass over the product would cost more than that.
        left, right = (
            np.hstack([-2 * A, np.ones((len(A), 1), A.dtype)]),
            np.column_stack([B, norms]),
        )
        np.matmul(left, right.T, out=out)


# -- hierarchies -------------------------------------------------------------------------------


def cluster_by_linkage(
    X: Matrix, n_clusters: int, epsilon: float | None, rng: RandomState
) -> NDArray[np.intp]:
    """Return the average-linkage cluster of each row; in large pools that of its micro-cluster.

    Clusters are joined up to the mean distance `epsilon`; if it is None, until `n_clusters` remain.
    """
    if X.shape[0] <= _HIERARCHY_ROWS:
        return _cut_linkage_tree(X, n_clusters, epsilon)
    micro_labels, centers = _run_mini_batches([X], _MICRO_CLUSTERS, rng)
    return _cut_linkage_tree(centers, n_clusters, epsilon)[micro_labels]


def _cut_linkage_tree(X: Matrix, n_clusters: int, epsilon: float | None) -> NDArray[np.intp]:
    from scipy.cluster.hierarchy import fcluster, linkage  # imported here: rarely needed

    n_rows = X.shape[0]
    # Old versions of SciPy join two rows if as many clusters as rows are asked for.
    if n_rows == 1 or (epsilon is None and n_clusters >= n_rows):
        return np.arange(n_rows)
    rows = X.astype(np.float64)
    if isinstance(rows, np.ndarray):
        tree = linkage(rows, "average")
    else:
        squared = _pairwise_squared_distances(rows, rows)
        tree = linkage(np.sqrt(squared[np.triu_indices(n_rows, 1)]), "average")
    criterion, level = ("maxclust", n_clusters) if epsilon is None else ("distance", epsilon)
    return fcluster(tree, level, criterion).astype(np.intp) - 1


def _pairwise_squared_distances(A: sparse.csr_array, B: sparse.csr_array) -> Floats:
    """Return all squared distances of sparse rows, exactly 0 for duplicates, (n_A, n_B)."""
    norms = np.add.outer(row_products(A, A), row_products(B, B))
    return distances_from_products((A @ B.T).toarray(), norms)
