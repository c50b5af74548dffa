"""Selectors that cluster the pool: medoids, typical rows, and uncertain rows of each cluster."""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skactive._utils.array_types import Positions
from skactive._utils.input_kinds import check_unbounded_weights
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.clustering import (
    Cluster,
    cluster_by_kmeans,
    cluster_by_linkage,
    find_medoids,
    group_members,
    normalize_weights,
)
from skactive.selectors._engine.points import Matrix, canonical
from skactive.selectors._top import fill_at_random, top

__all__ = ["cluster_margin", "kmeans_medoids", "typiclust"]


@check_input(weights=check_unbounded_weights)
def kmeans_medoids(
    X: Matrix,
    batch_size: int,
    *,
    weights: NDArray[Any] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select the most central row of each of ``batch_size`` k-means clusters.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of clusters, and of rows to select.
    weights : ndarray of shape (n_rows,), default=None
        Weight of each row, at least 0. If None, all rows weigh the same.
    random_state : int, RandomState or None, default=None
        Seed for k-means, for breaking ties, and for filling the batch if there are duplicates.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, those of the largest clusters first (with weights: the heaviest). If the batch
        is the whole pool, it is in random order.

    Notes
    -----
    For each cluster :math:`C` of :class:`sklearn.cluster.KMeans` with one k-means++ start and
    weights :math:`w`, the selected row is

    .. math::
        i^* = \arg\min_{i \in C} \Bigl\lVert
            x_i - \frac{\sum_{j \in C} w_j x_j}{\sum_{j \in C} w_j} \Bigr\rVert_2

    If there are fewer distinct points than clusters, the rest is drawn uniformly from the other
    rows.

    Above 20 000 rows, the centers are those of :class:`sklearn.cluster.MiniBatchKMeans` after 50
    random mini-batches, drawn in proportion to the weights. Time and memory are then linear, and
    the sum of squared distances is a few percent larger.

    References
    ----------
    Zhdanov (2019), :doi:`10.48550/arXiv.1901.05954`; with predictive entropy as weights,
    Prabhu, Chandrasekaran, Saenko and Hoffman (2021), :doi:`10.48550/arXiv.2010.08666`;
    mini-batches, Sculley (2010), :doi:`10.1145/1772690.1772862`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [0.3], [8.0], [8.1], [8.9], [8.2]])
    >>> kmeans_medoids(X, batch_size=2, random_state=0)
    array([6, 1])
    """
    rng = make_random_state(random_state)
    n_rows = X.shape[0]
    batch_size = min(batch_size, n_rows)
    if batch_size in (0, n_rows):
        return fill_at_random([], batch_size, n_rows, rng)
    rows, weights = canonical(X), normalize_weights(weights)
    labels = cluster_by_kmeans([rows], batch_size, rng, weights)
    medoids = find_medoids(rows, labels, weights, rng)
    return fill_at_random(medoids, batch_size, n_rows, rng)


@check_input()
def typiclust(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    max_clusters: int = 500,
    min_cluster_size: int = 5,
    n_neighbors: int = 20,
    random_state: Seed = None,
) -> Positions:
    r"""Select the most typical row of each of the largest clusters without labeled rows.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Labeled points, of the same kind as ``X``.
    max_clusters : int, default=500
        Maximum number of clusters.
    min_cluster_size : int, default=5
        Clusters of up to this many rows, or up to half of the mean size of a cluster if that is
        less, are visited only once all rows of the others are labeled or selected: most of them
        are outliers. 0 treats all clusters alike.
    n_neighbors : int, default=20
        Number of neighbors over which the typicality of a row is computed.
    random_state : int, RandomState or None, default=None
        Seed for k-means and for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, in the order in which their clusters are visited.

    Notes
    -----
    All rows, including the labeled ones, form min(n_labeled + batch_size, max_clusters) k-means
    clusters (by mini-batches above 20 000 rows, see :func:`kmeans_medoids`). The next cluster is
    the one with the fewest labeled or selected rows, the largest of them if several tie; small
    clusters, see ``min_cluster_size``, come after all others. In it, the remaining row of highest
    typicality

    .. math:: t(x) = \Bigl( \frac1K \sum_{x' \in N_K(x)} \lVert x - x' \rVert_2 \Bigr)^{-1}

    is selected, where :math:`N_K(x)` are its nearest neighbors *within its cluster*, and :math:`K`
    is the smaller of ``n_neighbors`` and the number of other members. Rows whose K nearest
    neighbors are all duplicates are the most typical, in random order.

    The authors' code differs in five points. It averages squared distances, the text of the paper
    plain ones, as here. It takes at most half of the remaining rows as neighbors, and neither
    labeled rows nor those selected before are among them; here all members are, since they show
    where the cluster is dense as well. It sorts the clusters once and visits them in this order
    again and again, also where fewer rows are labeled in one than in another. It never visits
    clusters of up to five rows, and fails if there are no others; here, they come last, and where
    the mean cluster is small itself, only those of up to half its size do, so that small pools
    lose none of their clusters to the rule. It runs mini-batches above 50 clusters.

    Neighbors are searched only in clusters that are visited. In clusters of more than 2 048 rows,
    only the 256 rows (or four times the rows to select, if more) that are most typical within a
    sample of 512 members are compared exactly, so that time stays linear.

    References
    ----------
    Hacohen, Dekel and Weinshall (2022), :doi:`10.48550/arXiv.2202.02794`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [1.5], [20.0], [20.1], [20.3]])
    >>> typiclust(X, batch_size=1, labeled=np.array([[0.5]]), random_state=0)
    array([4])
    """
    rng = make_random_state(random_state)
    n_rows, n_labeled = X.shape[0], 0 if labeled is None else labeled.shape[0]
    batch_size = min(batch_size, n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    parts = [canonical(part) for part in (X, labeled) if part is not None and part.shape[0]]
    n_clusters = min(n_labeled + batch_size, max_clusters)
    labels = cluster_by_kmeans(parts, n_clusters, rng)
    members = group_members(labels, n_clusters)
    small = _find_small_clusters(labels, n_clusters, min_cluster_size)
    visits = _schedule_visits(labels, n_rows, small, batch_size, rng)
    picks = np.empty(batch_size, dtype=np.intp)
    with threadpool_limits(1):  # for products this small, threads cost more than they save
        for label in np.unique(visits):
            turns = np.flatnonzero(visits == label)
            cluster = Cluster(parts, members[label], n_neighbors)
            picks[turns] = cluster.find_most_typical(len(turns), n_rows, rng)
    return picks


@check_input()
def cluster_margin(
    X: Matrix,
    scores: NDArray[Any],
    batch_size: int,
    *,
    factor: float = 10.0,
    epsilon: float | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows of high score from the clusters of a hierarchy in turn, small clusters first.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    scores : ndarray of shape (n_rows,)
        Score of each row, higher is more uncertain.
    batch_size : int
        Number of rows to select.
    factor : float, default=10.0
        Number of candidates, the rows of highest score, as a multiple of the batch size; at least
        1.
    epsilon : float or None, default=None
        Mean distance up to which clusters are joined. If None, they are joined until there are
        as many clusters as rows to select.
    random_state : int, RandomState or None, default=None
        Seed for drawing rows within clusters, for k-means, and for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, in the order in which their clusters are visited.

    Notes
    -----
    The pool is clustered by average linkage: the distance between two clusters is

    .. math:: D(A, B) = \frac{1}{|A| |B|} \sum_{x \in A} \sum_{x' \in B} \lVert x - x' \rVert_2

    From the ``factor * batch_size`` rows of highest score, one row per cluster is drawn in turn,
    clusters with the fewest candidates first, and again until the batch is full.

    Pools of more than 2 000 rows are first divided into 1 000 clusters by mini-batch k-means; the
    hierarchy then joins their centers, each counted once.

    References
    ----------
    Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh and Kumar (2021),
    :doi:`10.48550/arXiv.2107.14263`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [0.2], [9.0], [50.0]])
    >>> scores = np.array([0.9, 0.8, 0.7, 0.6, 0.1])
    >>> picks = cluster_margin(X, scores, batch_size=2, factor=2, epsilon=1.0)
    >>> int(picks[0]), bool(picks[1] < 3)  # row 3 is alone in its cluster; row 4 is too certain
    (3, True)
    """
    rng = make_random_state(random_state)
    n_rows = X.shape[0]
    batch_size = min(batch_size, n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    n_candidates = math.floor(round(factor * batch_size, 6))  # 1.15 * 100 is 114.99...
    candidates = top(scores, min(n_candidates, n_rows), rng)
    labels = cluster_by_linkage(canonical(X), batch_size, epsilon, rng)
    return candidates[_take_turns(labels[candidates], batch_size, rng)]


def _find_small_clusters(
    labels: NDArray[np.intp], n_clusters: int, min_cluster_size: int
) -> NDArray[np.bool_]:
    """Return which clusters are so small that their rows may be outliers, (n_clusters,).

    Where the mean cluster is small itself, only those of up to half its size are.
    """
    sizes = np.bincount(labels, minlength=n_clusters)
    return sizes <= min(min_cluster_size, len(labels) / (2 * n_clusters))


def _schedule_visits(
    labels: NDArray[np.intp],
    n_pool: int,
    small: NDArray[np.bool_],
    batch_size: int,
    rng: RandomState,
) -> NDArray[np.intp]:
    """Return the cluster of each pick: fewest labeled or picked rows first, then the largest.

    `labels` holds the clusters of the pool, then those of the labeled rows. Clusters that are
    `small`, (n_clusters,), come last.
    """
    n_clusters = len(small)
    n_left = np.bincount(labels[:n_pool], minlength=n_clusters).tolist()
    n_labeled = np.bincount(labels[n_pool:], minlength=n_clusters).tolist()
    order = rng.permutation(n_clusters).tolist()
    # (small, labeled or picked, minus the size, rank in a random order to break ties, cluster)
    heap = [
        (bool(small[c]), n_labeled[c], -n_labeled[c] - n_left[c], rank, c)
        for rank, c in enumerate(order)
        if n_left[c]
    ]
    heapq.heapify(heap)
    visits = np.empty(batch_size, dtype=np.intp)
    for turn in range(batch_size):
        last, n_known, size, rank, cluster = heap[0]
        visits[turn] = cluster
        n_left[cluster] -= 1
        if n_left[cluster]:
            heapq.heapreplace(heap, (last, n_known + 1, size, rank, cluster))
        else:
            heapq.heappop(heap)
    return visits


def _take_turns(labels: NDArray[np.intp], batch_size: int, rng: RandomState) -> Positions:
    """Return positions from each cluster in turn, smallest first, in random order within it."""
    sizes, ties = np.bincount(labels), rng.permutation(labels.max() + 1)
    shuffled = rng.permutation(len(labels))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    cluster = labels[by_cluster]
    # Round in which each position has its turn: its rank within its cluster.
    rounds = np.arange(len(cluster)) - (np.cumsum(sizes) - sizes)[cluster]
    return by_cluster[np.lexsort((ties[cluster], sizes[cluster], rounds))[:batch_size]]
