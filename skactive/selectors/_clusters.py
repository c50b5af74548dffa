"""Selectors that cluster the pool."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skactive._seeding import Seed, make_random_state
from skactive.selectors._distance import Matrix, central_row, fill_at_random
from skactive.selectors._top import Positions

__all__ = ["kmeans_medoids"]


def kmeans_medoids(X: Matrix, batch_size: int, *, random_state: Seed = None) -> Positions:
    r"""Select the most central row of each of ``batch_size`` k-means clusters.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of clusters, and so of rows.
    random_state : int, RandomState or None, default=None
        Seeds k-means, breaks ties, and draws the rows that duplicates leave over.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, those of larger clusters first. A batch of the whole pool is in random order.

    Notes
    -----
    For each cluster :math:`C` of :class:`sklearn.cluster.KMeans` with one k-means++ start,

    .. math::
        i^* = \arg\min_{i \in C} \Bigl\lVert x_i - \frac{1}{|C|} \sum_{j \in C} x_j \Bigr\rVert_2

    Where fewer distinct points than clusters exist, the rest is drawn uniformly from the other
    rows.

    References
    ----------
    Zhdanov (2019), :doi:`10.48550/arXiv.1901.05954`, with equal weights.

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
    rows = X if isinstance(X, np.ndarray) else sparse.csr_array(X)
    clusters = _clusters(_kmeans_labels(rows, batch_size, rng))
    medoids = [int(members[central_row(rows[members], rng)]) for members in clusters]
    return fill_at_random(medoids, batch_size, n_rows, rng)


def _kmeans_labels(X: Matrix, n_clusters: int, rng: RandomState) -> NDArray[np.intp]:
    """Return the cluster of each row, (n_rows,)."""
    from sklearn.cluster import KMeans  # late: it takes a tenth of a second

    with warnings.catch_warnings():
        # Duplicate rows are no fault of the caller's, and are seen to afterwards.
        warnings.filterwarnings(
            "ignore", message="Number of distinct clusters", category=ConvergenceWarning
        )
        return KMeans(n_clusters, n_init=1, random_state=rng).fit(X).labels_


def _clusters(labels: NDArray[np.intp]) -> list[Positions]:
    """Return the positions of each cluster's members, larger clusters first; none is empty."""
    _, sizes = np.unique(labels, return_counts=True)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
    return sorted(members, key=len, reverse=True)
