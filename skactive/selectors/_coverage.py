"""Selectors that cover the pool: every row shall be near to a row that is labeled or chosen.

All of them maximize a weighted coverage: `_covering` says what it gains to choose a row, `_greedy`
searches for the rows that gain most. Here are the selectors, which put the two together, the sample
on which the coverage of a large pool is measured, and the radius at which balls are pure.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.coverage import Coverage, RadiusCoverage, nearest_centers
from skactive.selectors._engine.lazy_greedy import lazy_greedy
from skactive.selectors._engine.points import Matrix
from skactive.selectors._engine.similarity import (
    Distances,
    Points,
    Similarity,
    Values,
    blocks,
    distance,
    precision,
    rbf,
    tophat,
)
from skactive.selectors._engine.threads import share_out, threads
from skactive.selectors._top import Positions

__all__ = [
    "facility_location",
    "max_coverage",
    "purity_radius",
    "targeted_coverage",
    "weighted_sample",
]

_KERNELS = {"rbf": rbf, "tophat": tophat}


def max_coverage(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    reference: Matrix | None = None,
    kernel: str = "rbf",
    bandwidth: float | NDArray[Any] | None = None,
    labeled_bandwidth: NDArray[Any] | None = None,
    candidate_weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows that are together most similar to all rows, each to the nearest of them.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover rows from the start.
    weights : ndarray of shape (n_rows,) or (n_reference,), default=None
        How much it is worth to cover each row, at least 0; None counts all the same.
    reference : ndarray or sparse matrix of shape (n_reference, n_dims), default=None
        What is to be covered; None covers the rows of ``X``.
    kernel : {"rbf", "tophat"}, default="rbf"
        Similarity of two rows: :math:`\exp(-d^2 / \sigma^2)`, or 1 where :math:`d \le \sigma`
        and 0 elsewhere.
    bandwidth : float or ndarray of shape (n_rows,), default=None
        :math:`\sigma`, or how far each of the rows reaches ("rbf" only). None takes the root mean
        square distance of the rows from their mean; for rows of length 1 in all directions that
        is 1.
    labeled_bandwidth : ndarray of shape (n_labeled,), default=None
        How far the labeled points reach; needed where `bandwidth` is an array.
    candidate_weights : ndarray of shape (n_rows,), default=None
        What the gain of choosing each row is multiplied by, at least 0; None takes it as it is.
    max_reference : int or None, default=10_000
        Where there are more rows to be covered, coverage is measured on a sample of this many.
        None measures it on all rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the rest where nothing is left to cover.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`L` the labeled rows, each pick adds most to

    .. math:: F(S) = \sum_i w_i \max_{s \in L \cup S} k(x_i, x_s)

    times the weight of the row in `candidate_weights`. Without these, greedy picks reach at
    least :math:`1 - 1/e` of the best coverage possible. The sample is drawn without replacement,
    with probabilities :math:`\pi_i` in proportion to the weights, and its rows weigh
    :math:`w_i / \pi_i` (Horvitz-Thompson), so that its coverage is that of the pool on average.
    Every row remains a candidate: time grows with n_rows x n_reference, memory with
    n_rows + n_reference.

    References
    ----------
    Bae, Noh and Sutherland (2024), :doi:`10.48550/arXiv.2407.12212`; lazy evaluation, Minoux
    (1978), :doi:`10.1007/BFb0006528`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [8.0], [9.0]])
    >>> max_coverage(X, batch_size=2, bandwidth=1.0, random_state=0)[0]
    np.int64(1)
    >>> max_coverage(X, batch_size=1, labeled=X[1:2], kernel="tophat", bandwidth=1.5)
    array([...])
    """
    rng = make_random_state(random_state)
    points = Points.of(X)
    rows = points.X if reference is None else reference
    chosen, weights = _sample(int(rows.shape[0]), weights, max_reference, rng)
    kind = RadiusCoverage if kernel == "tophat" else Coverage
    options: dict[str, Any] = {"weights": weights, "labeled": labeled, "worth": candidate_weights}
    options["own"] = kernel != "tophat" and reference is None and isinstance(chosen, slice)
    if isinstance(bandwidth, np.ndarray):
        if kernel == "tophat":
            raise ValueError("kernel='tophat' takes one bandwidth for all rows; got an array.")
        options |= {"own": False, "sharpness": _sharpness(bandwidth)}
        options["labeled_sharpness"] = _sharpness(labeled_bandwidth)
        bandwidth = 1.0
    similarity = _KERNELS[kernel](points.spread if bandwidth is None else bandwidth)
    return _most_covering(kind, points, rows[chosen], similarity, batch_size, rng=rng, **options)


def facility_location(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows so that the distances of all rows to the nearest of them have a small sum.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that serve rows from the start.
    weights : ndarray of shape (n_rows,), default=None
        How much each row counts, at least 0; None counts all the same.
    max_reference : int or None, default=10_000
        Where the pool has more rows, the sum is estimated on a sample of this many. None takes all
        rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the rest where all distances are 0.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick makes the sum :math:`\sum_i w_i \min_{s \in L \cup S} \lVert x_i - x_s \rVert_2` as
    small as it can. Where nothing is labeled or chosen yet, the distance is that to a phantom
    farther away than any row: the first pick is the medoid, and the picks are those of the
    similarity :math:`d_{\max} - d`, whatever constant stands for :math:`d_{\max}`. The sample is
    that of :func:`max_coverage`.

    References
    ----------
    Nemhauser, Wolsey and Fisher (1978), :doi:`10.1007/BF01588971`; as a strategy, Wei, Iyer and
    Bilmes (2015), "Submodularity in data subset selection and active learning", *ICML*.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    >>> facility_location(X, batch_size=2)
    array([2, 4])
    """
    rng = make_random_state(random_state)
    points = Points.of(X)
    chosen, weights = _sample(points.n_rows, weights, max_reference, rng)
    options: dict[str, Any] = {"weights": weights, "labeled": labeled}
    options["own"] = isinstance(chosen, slice)
    return _most_covering(
        Coverage, points, points.X[chosen], distance(), batch_size, rng=rng, **options
    )


def targeted_coverage(
    X: Matrix,
    targets: Matrix,
    batch_size: int,
    *,
    eta: float = 1.0,
    labeled: Matrix | None = None,
    bandwidth: float | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows that resemble the targets, and between them all of the targets.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    targets : ndarray or sparse matrix of shape (n_targets, n_dims)
        Points to find rows for, of the kind of ``X``.
    batch_size : int
        Number of rows to select.
    eta : float, default=1.0
        At least 0. At 0 each target needs one row only; large values take the rows nearest to any
        target.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover targets from the start.
    bandwidth : float, default=None
        :math:`\sigma` of the similarity :math:`k = \exp(-d^2 / \sigma^2)`. None takes the root
        mean square distance of the rows of ``X`` from their mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the rest where nothing is left to gain.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`T` the targets and :math:`L` the labeled rows, each pick adds most to the mutual
    information of facility location over the pairs of a row and a target,

    .. math::
        \sum_{t \in T} \max_{s \in L \cup S} k(t, s) + \eta \sum_{s \in S} \max_{t \in T} k(s, t)

    References
    ----------
    Kothawade, Kaushal, Ramakrishnan, Bilmes and Iyer (2022), :doi:`10.48550/arXiv.2103.00128`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> targeted_coverage(X, np.array([[0.0], [9.1]]), 2, bandwidth=1.0)
    array([0, 3])
    """
    rng = make_random_state(random_state)
    points = Points.of(X)
    similarity = rbf(points.spread if bandwidth is None else bandwidth)
    ones = np.ones(targets.shape[0])
    options: dict[str, Any] = {"weights": ones, "labeled": labeled, "bonus": eta}
    return _most_covering(Coverage, points, targets, similarity, batch_size, rng=rng, **options)


def purity_radius(
    X: Matrix,
    n_clusters: int,
    *,
    purity: float = 0.95,
    n_balls: int = 1000,
    max_reference: int = 10_000,
    random_state: Seed = None,
) -> float:
    r"""Return the largest radius at which most balls around rows hold rows of one cluster only.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    n_clusters : int
        Number of k-means clusters, which stand for the classes.
    purity : float, default=0.95
        Share of the balls that must be pure.
    n_balls : int, default=1000
        Number of rows, drawn at random, around which balls are laid. Each is checked against all
        rows.
    max_reference : int, default=10_000
        Number of rows, drawn at random, from which k-means learns.
    random_state : int, RandomState or None, default=None
        Draws the rows and seeds k-means.

    Returns
    -------
    float
        The radius; infinity where there is one cluster only.

    Notes
    -----
    The ball around :math:`x_i` is pure while its radius is below the distance to the nearest row
    of another cluster. So no radii are tried: the answer is a quantile of these distances.

    References
    ----------
    Yehuda, Dekel, Hacohen and Weinshall (2022), :doi:`10.48550/arXiv.2205.11320`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> round(purity_radius(X, n_clusters=2, random_state=0), 3)
    4.0
    """
    rng = make_random_state(random_state)
    points = Points.of(X)
    learned = np.sort(rng.permutation(points.n_rows)[:max_reference])
    centers = _kmeans_centers(points.X[learned], n_clusters, rng)
    clusters, _ = nearest_centers(points, centers)
    balls = np.sort(rng.permutation(points.n_rows)[:n_balls])
    stranger = np.sort(_distance_to_another(points, balls, clusters))
    impure = math.floor((1 - purity) * len(stranger) + 1e-9)
    return float(stranger[impure]) * (1 - 1e-6)  # just inside, whatever the rounding


# -- the search for what covers most -----------------------------------------------------------


def _most_covering(
    kind: type[Coverage],
    points: Points,
    rows: Matrix,
    similarity: Similarity,
    batch_size: int,
    *,
    rng: RandomState,
    worth: NDArray[Any] | None = None,
    **options: Any,
) -> Positions:
    with threads(points.n_rows * rows.shape[0]) as n_threads:
        objective = kind(points, rows, similarity, rng=rng, n_threads=n_threads, **options)
        worth = np.ones(points.n_rows) if worth is None else np.asarray(worth, dtype=np.float64)
        return lazy_greedy(objective, worth, batch_size, rng)


def _sharpness(lengths: NDArray[Any] | None) -> Values | None:
    """Return what squared distances are multiplied by, where each row has a length of its own."""
    return None if lengths is None else np.asarray(lengths, dtype=np.float64) ** -2.0


# -- the sample on which coverage is measured --------------------------------------------------


def _sample(
    n_rows: int, weights: NDArray[Any] | None, size: int | None, rng: RandomState
) -> tuple[Positions | slice, Values]:
    """Draw rows where there are more than `size`; else take all, with their own weights."""
    weights = np.ones(n_rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if size is None or n_rows <= size:
        return slice(None), weights
    return weighted_sample(weights, size, rng)


def weighted_sample(weights: Values, size: int, rng: RandomState) -> tuple[Positions, Values]:
    """Draw rows in proportion to their weights, and return them with Horvitz-Thompson weights.

    Systematic sampling from a random order: exactly `size` rows, where as many have a weight.
    """
    inclusion = _inclusion_probabilities(weights, size)
    order = rng.permutation(len(weights))
    steps = np.floor(np.cumsum(inclusion[order]) + rng.uniform())
    drawn = np.sort(order[np.diff(steps, prepend=0.0) > 0])
    return drawn, weights[drawn] / inclusion[drawn]


def _inclusion_probabilities(weights: Values, size: int) -> Values:
    """Return probabilities in proportion to the weights that sum to `size`, none above 1."""
    inclusion = np.where(weights > 0, 1.0, 0.0)
    free, n_positive = weights > 0, int((weights > 0).sum())
    while n_positive > size:
        left = size - (n_positive - free.sum())  # draws not taken up by rows that are certain
        inclusion[free] = weights[free] * (left / weights[free].sum())
        certain = free & (inclusion >= 1.0)
        if not certain.any():
            break
        inclusion[certain] = 1.0
        free &= ~certain
    return inclusion


# -- the radius at which balls are pure --------------------------------------------------------


def _kmeans_centers(X: Matrix, n_clusters: int, rng: RandomState) -> Values:
    """Return the centers of at most as many clusters as there are rows, (n_clusters, n_dims)."""
    from sklearn.cluster import KMeans  # late: it takes a tenth of a second
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Duplicate rows are no fault of the caller's: some clusters are empty.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        model = KMeans(min(n_clusters, X.shape[0]), n_init=1, random_state=rng)
        return model.fit(X).cluster_centers_


def _distance_to_another(points: Points, balls: Positions, clusters: Positions) -> Values:
    """Return the distance of some rows to the nearest row of another cluster, or a little less."""
    dtype, short = precision(points, points.largest, 1.0)
    distances = Distances(points.X[balls], points.center, scale=1, short=short, dtype=dtype)
    members = np.split(np.argsort(clusters, kind="stable"), np.cumsum(np.bincount(clusters))[:-1])
    nearest = np.full((len(members), len(balls)), np.inf)

    def measure(cluster: int) -> None:
        others, mine = np.flatnonzero(clusters[balls] != cluster), members[cluster]
        for block in blocks(len(mine), len(balls) + points.X.shape[1], distances.dtype.itemsize):
            squared = distances(points.X[mine[block]], others).min(axis=0)
            nearest[cluster, others] = np.minimum(nearest[cluster, others], squared)

    with threads(points.n_rows * len(balls)) as n_threads:
        share_out(measure, len(members), n_threads)
    return np.sqrt(nearest.min(axis=0))
