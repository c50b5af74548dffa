"""Selectors that cluster the pool."""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.clustering import (
    _Cluster,
    _hierarchy_labels,
    _kmeans_labels,
    _medoids,
    _members,
    _shares,
)
from skactive.selectors._engine.points import Matrix, canonical
from skactive.selectors._top import Positions, fill_at_random, top

__all__ = ["cluster_margin", "kmeans_medoids", "typiclust"]


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
        Number of clusters, and so of rows.
    weights : ndarray of shape (n_rows,), default=None
        How much each row counts, at least 0; None counts all alike.
    random_state : int, RandomState or None, default=None
        Seeds k-means, breaks ties, and draws the rows that duplicates leave over.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, those of larger (with weights: heavier) clusters first. A batch of the whole
        pool is in random order.

    Notes
    -----
    For each cluster :math:`C` of :class:`sklearn.cluster.KMeans` with one k-means++ start, and
    weights :math:`w`,

    .. math::
        i^* = \arg\min_{i \in C} \Bigl\lVert
            x_i - \frac{\sum_{j \in C} w_j x_j}{\sum_{j \in C} w_j} \Bigr\rVert_2

    Where fewer distinct points than clusters exist, the rest is drawn uniformly from the other
    rows.

    Above 20 000 rows the centers are those of :class:`sklearn.cluster.MiniBatchKMeans` after 50
    random draws of rows (in proportion to their weights), so that time and memory are linear and
    the sum of squared distances is some percent above that of all rows.

    References
    ----------
    Zhdanov (2019), :doi:`10.48550/arXiv.1901.05954`; with the entropy of the predictions as
    weights, Prabhu, Chandrasekaran, Saenko and Hoffman (2021), :doi:`10.48550/arXiv.2010.08666`;
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
    rows, weights = canonical(X), _shares(weights)
    labels = _kmeans_labels([rows], batch_size, rng, weights)
    medoids = _medoids(rows, labels, weights, rng)
    return fill_at_random(medoids, batch_size, n_rows, rng)


def typiclust(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    max_clusters: int = 500,
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
        Points whose labels are known, of the kind of ``X``.
    max_clusters : int, default=500
        Most clusters to make.
    n_neighbors : int, default=20
        Number of neighbors that tell how typical a row is.
    random_state : int, RandomState or None, default=None
        Seeds k-means and breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, in the order in which their clusters are visited.

    Notes
    -----
    All rows, labeled ones included, form min(n_labeled + batch_size, max_clusters) k-means
    clusters (mini-batches above 20 000 rows, see :func:`kmeans_medoids`). The cluster with the
    fewest labeled or selected rows comes next, the largest of such. There the row that is left
    with the highest typicality

    .. math:: t(x) = \Bigl( \frac1K \sum_{x' \in N_K(x)} \lVert x - x' \rVert_2 \Bigr)^{-1}

    is selected, with :math:`N_K(x)` its nearest neighbors *within its cluster*, labeled or
    selected rows among them, and :math:`K` at most ``n_neighbors`` and the number of other
    members. The distances are plain ones, as in the paper's text; its code averages squared
    distances, and passes over clusters of up to five rows. Rows with so many duplicates that the
    mean is 0 are the most typical ones, at random among themselves.

    Neighbors are sought only within clusters that are visited. In clusters of more than 2 048
    rows only some 256 rows compete, which come first by their neighbors in a sample of 512
    members, so that time stays linear.

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
    labels = _kmeans_labels(parts, n_clusters, rng)
    members = _members(labels, n_clusters)
    visits = _visits(labels, n_rows, n_clusters, batch_size, rng)
    picks = np.empty(batch_size, dtype=np.intp)
    with threadpool_limits(1):  # products this small lose to waiting for threads
        for cluster in np.unique(visits):
            turns = np.flatnonzero(visits == cluster)
            of_cluster = _Cluster(parts, members[cluster], n_neighbors)
            picks[turns] = of_cluster.most_typical(len(turns), n_rows, rng)
    return picks


def cluster_margin(
    X: Matrix,
    scores: NDArray[Any],
    batch_size: int,
    *,
    factor: float = 10.0,
    epsilon: float | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows of high score in turn from the clusters of a hierarchy, small ones first.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    scores : ndarray of shape (n_rows,)
        One score a row, higher is more uncertain.
    batch_size : int
        Number of rows to select.
    factor : float, default=10.0
        How many rows of the highest scores are candidates, as a multiple of the batch; at least 1.
    epsilon : float or None, default=None
        Mean distance up to which clusters are joined. None joins them until there are as many
        clusters as rows to select.
    random_state : int, RandomState or None, default=None
        Draws rows within clusters, seeds k-means and breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, in the order in which their clusters are visited.

    Notes
    -----
    The pool is clustered by average linkage: the distance between two clusters is

    .. math:: D(A, B) = \frac{1}{|A| |B|} \sum_{x \in A} \sum_{x' \in B} \lVert x - x' \rVert_2

    Of the ``factor * batch_size`` rows of the highest scores, each cluster in turn gives one at
    random, clusters with the fewest candidates first, round and round until the batch is full.

    Pools of more than 2 000 rows are first put into 1 000 clusters by mini-batch k-means, and the
    hierarchy joins their centers, each counted once.

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
    labels = _hierarchy_labels(canonical(X), batch_size, epsilon, rng)
    return candidates[_in_turn(labels[candidates], batch_size, rng)]


# k-means ----------------------------------------------------------------------------------------


# Medoids ----------------------------------------------------------------------------------------


# Typicality -------------------------------------------------------------------------------------


def _visits(
    labels: NDArray[np.intp], n_pool: int, n_clusters: int, batch_size: int, rng: RandomState
) -> NDArray[np.intp]:
    """Return the cluster of each pick: the one with the fewest known rows, then the largest."""
    left = np.bincount(labels[:n_pool], minlength=n_clusters).tolist()
    known = np.bincount(labels[n_pool:], minlength=n_clusters).tolist()
    order = rng.permutation(n_clusters).tolist()  # the place in it breaks ties
    heap = [(known[c], -known[c] - left[c], place, c) for place, c in enumerate(order) if left[c]]
    heapq.heapify(heap)
    visits = np.empty(batch_size, dtype=np.intp)
    for turn in range(batch_size):
        n_known, size, place, visits[turn] = heap[0]
        left[visits[turn]] -= 1
        if left[visits[turn]]:
            heapq.heapreplace(heap, (n_known + 1, size, place, visits[turn]))
        else:
            heapq.heappop(heap)
    return visits


# Hierarchies ------------------------------------------------------------------------------------


def _in_turn(labels: NDArray[np.intp], batch_size: int, rng: RandomState) -> Positions:
    """Return positions from each cluster in turn, smallest first, in random order within it."""
    sizes, ties = np.bincount(labels), rng.permutation(labels.max() + 1)
    shuffled = rng.permutation(len(labels))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    of = labels[by_cluster]
    rounds = np.arange(len(of)) - (np.cumsum(sizes) - sizes)[of]  # in which each has its turn
    return by_cluster[np.lexsort((ties[of], sizes[of], rounds))[:batch_size]]
