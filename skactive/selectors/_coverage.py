"""Selectors that cover the pool: every row should be near a labeled or chosen row.

All of them maximize a weighted coverage: `_engine.coverage` computes the gains of choosing rows,
and `_engine.lazy_greedy` searches for the rows that gain most. This module has the selectors, which
combine the two, the sample on which the coverage of a large pool is measured, and the radius at
which balls are pure.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_matrix, check_number, check_some_points
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._bandwidth import LazyBandwidths
from skactive.selectors._engine.cells import assign_to_centers
from skactive.selectors._engine.coverage import Coverage, Own
from skactive.selectors._engine.lazy_greedy import lazy_greedy
from skactive.selectors._engine.points import (
    DUPLICATE,
    Matrix,
    PointSet,
    distances_from_products,
    products,
    slices,
)
from skactive.selectors._engine.radius_coverage import RadiusCoverage
from skactive.selectors._engine.sharpness import KnownBandwidths
from skactive.selectors._engine.similarity import (
    Candidates,
    Distances,
    Similarity,
    block_slices,
    choose_precision,
    negative_distance,
    rbf,
    tophat,
)
from skactive.selectors._engine.threads import limit_blas_threads, run_parts

__all__ = [
    "facility_location",
    "facility_location_gains",
    "max_coverage",
    "max_coverage_gains",
    "purity_radius",
    "smallest_distance",
    "targeted_coverage",
    "targeted_coverage_gains",
    "weighted_sample",
]

_KERNELS = {"rbf": rbf, "tophat": tophat}

# From an objective and a factor of each candidate's gains to positions, or to gains.
Solve = Callable[[Coverage, Floats], NDArray[Any]]


@check_input()
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
    r"""Select rows such that every row is similar to at least one of them.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover rows from the start.
    weights : ndarray of shape (n_rows,) or (n_reference,), default=None
        Weight of covering each row, at least 0; None weighs all rows equally.
    reference : ndarray or sparse matrix of shape (n_reference, n_dims), default=None
        Rows to cover; None covers the rows of ``X``.
    kernel : {"rbf", "tophat"}, default="rbf"
        Similarity of two rows: :math:`\exp(-d^2 / \sigma^2)`, or 1 where :math:`d \le \sigma`
        and 0 elsewhere.
    bandwidth : float or ndarray of shape (n_rows,), default=None
        :math:`\sigma`, one for all rows or ("rbf" only) one per row. None uses the root mean square
        distance of the rows from their mean; for rows of length 1 in all directions that is 1.
    labeled_bandwidth : ndarray of shape (n_labeled,), default=None
        The :math:`\sigma` of each labeled point; required where `bandwidth` is an array.
    candidate_weights : ndarray of shape (n_rows,), default=None
        Factor of the gain of choosing each row, at least 0; None leaves the gains as they are.
    max_reference : int or None, default=10_000
        If more rows are to be covered, coverage is measured on a sample of this many. None
        measures it on all rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the remaining rows once everything is covered.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`L` the labeled rows, each pick maximizes the increase of

    .. math:: F(S) = \sum_i w_i \max_{s \in L \cup S} k(x_i, x_s)

    times the weight of the row in `candidate_weights`. Without these, greedy picks reach at least
    :math:`1 - 1/e` of the best coverage possible. The sample is drawn without replacement, with
    probabilities :math:`\pi_i` in proportion to the weights, and its rows weigh
    :math:`w_i / \pi_i` (Horvitz-Thompson), so that its expected coverage is that of the pool.
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
    return cover_greedily(
        X,
        batch_size,
        labeled=labeled,
        weights=weights,
        reference=reference,
        kernel=kernel,
        bandwidth=bandwidth,
        labeled_bandwidth=labeled_bandwidth,
        candidate_weights=candidate_weights,
        max_reference=max_reference,
        random_state=random_state,
    )


def cover_greedily(
    X: Matrix, batch_size: int, *, random_state: Seed = None, **options: Any
) -> Positions:
    """Select rows as :func:`max_coverage` does; the bandwidths may be `LazyBandwidths`."""
    rng = make_random_state(random_state)
    solve = partial(lazy_greedy, batch_size=batch_size, rng=rng)
    return _solve_max_coverage(solve, X, rng=rng, **options)


def max_coverage_gains(X: Matrix, *, random_state: Seed = None, **options: Any) -> Floats:
    """Return the gains of which :func:`max_coverage` first picks the largest, shape (n_rows,)."""
    return _solve_max_coverage(_weigh_gains, X, rng=make_random_state(random_state), **options)


def _solve_max_coverage(
    solve: Solve,
    X: Matrix,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    reference: Matrix | None = None,
    kernel: str = "rbf",
    bandwidth: float | NDArray[Any] | LazyBandwidths | None = None,
    labeled_bandwidth: NDArray[Any] | None = None,
    candidate_weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    rng: RandomState,
) -> NDArray[Any]:
    if kernel == "rbf" and isinstance(bandwidth, float) and bandwidth == np.inf:
        raise ValueError("bandwidth must be finite with kernel='rbf', got inf.")
    candidates = Candidates.from_rows(X)
    rows = candidates.X if reference is None else reference
    chosen, weights, own = _draw_reference(int(rows.shape[0]), weights, max_reference, rng)
    kind = RadiusCoverage if kernel == "tophat" else Coverage
    options: dict[str, Any] = {
        "weights": weights,
        "labeled": labeled,
        "candidate_weights": candidate_weights,
        "own": own if reference is None else None,
    }
    options["symmetric"] = kernel != "tophat" and reference is None and isinstance(chosen, slice)
    if isinstance(bandwidth, np.ndarray | LazyBandwidths):
        if kernel == "tophat":
            raise ValueError("kernel='tophat' takes one bandwidth for all rows; got an array.")
        # exp(-d^2 / s_j^2) is the kernel of bandwidth 1 at d^2 times the sharpness 1 / s_j^2.
        known = isinstance(bandwidth, np.ndarray)
        options |= {"symmetric": False}
        options["bandwidths"] = (
            KnownBandwidths(np.asarray(bandwidth, float)) if known else bandwidth
        )
        options["labeled_sharpness"] = _sharpness(labeled_bandwidth)
        bandwidth = 1.0
    similarity = _KERNELS[kernel](candidates.spread if bandwidth is None else bandwidth)
    return _solve_coverage(solve, kind, candidates, rows[chosen], similarity, rng=rng, **options)


@check_input()
def facility_location(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows that minimize the sum of the distances of all rows to the nearest of them.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that are open from the start.
    weights : ndarray of shape (n_rows,), default=None
        Weight of each row, at least 0; None weighs all rows equally.
    max_reference : int or None, default=10_000
        If the pool has more rows, the sum is estimated on a sample of this many. None takes all
        rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the remaining rows once all distances are 0.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick minimizes the sum :math:`\sum_i w_i \min_{s \in L \cup S} \lVert x_i - x_s \rVert_2`.
    As long as nothing is labeled or chosen, the distance is that to a phantom farther away than
    any row: the first pick is the medoid, and the picks are those of the similarity
    :math:`d_{\max} - d`, for any constant :math:`d_{\max}`. The sample is that of
    :func:`max_coverage`.

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
    solve = partial(lazy_greedy, batch_size=batch_size, rng=rng)
    return _solve_facility_location(
        solve, X, labeled=labeled, weights=weights, max_reference=max_reference, rng=rng
    )


def facility_location_gains(X: Matrix, *, random_state: Seed = None, **options: Any) -> Floats:
    """Return the gains of which :func:`facility_location` first picks the largest, (n_rows,)."""
    rng = make_random_state(random_state)
    return _solve_facility_location(_weigh_gains, X, rng=rng, **options)


def _solve_facility_location(
    solve: Solve,
    X: Matrix,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    rng: RandomState,
) -> NDArray[Any]:
    candidates = Candidates.from_rows(X)
    chosen, weights, own = _draw_reference(candidates.n_rows, weights, max_reference, rng)
    options: dict[str, Any] = {"weights": weights, "labeled": labeled, "own": own}
    options["symmetric"] = isinstance(chosen, slice)
    return _solve_coverage(
        solve, Coverage, candidates, candidates.X[chosen], negative_distance(), rng=rng, **options
    )


@check_input(targets=check_matrix, bandwidth=partial(check_number, low=0.0, above=True))
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
    r"""Select rows that are similar to the targets, and that together cover all targets.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    targets : ndarray or sparse matrix of shape (n_targets, n_dims)
        Points to cover, of the kind of ``X``.
    batch_size : int
        Number of rows to select.
    eta : float, default=1.0
        At least 0. At 0 one similar row per target is enough; large values select the rows nearest
        to any target.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover targets from the start.
    bandwidth : float, default=None
        :math:`\sigma` of the similarity :math:`k = \exp(-d^2 / \sigma^2)`. None uses the root mean
        square distance of the rows of ``X`` from their mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the remaining rows once no row gains anything.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`T` the targets and :math:`L` the labeled rows, each pick maximizes the increase of
    the mutual information of facility location over the pairs of a row and a target,

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
    solve = partial(lazy_greedy, batch_size=batch_size, rng=rng)
    return _solve_targeted_coverage(
        solve, X, targets, eta=eta, labeled=labeled, bandwidth=bandwidth, rng=rng
    )


def targeted_coverage_gains(
    X: Matrix, targets: Matrix, *, random_state: Seed = None, **options: Any
) -> Floats:
    """Return the gains of which :func:`targeted_coverage` first picks the largest, (n_rows,)."""
    rng = make_random_state(random_state)
    return _solve_targeted_coverage(_weigh_gains, X, targets, rng=rng, **options)


def _solve_targeted_coverage(
    solve: Solve,
    X: Matrix,
    targets: Matrix,
    *,
    eta: float = 1.0,
    labeled: Matrix | None = None,
    bandwidth: float | None = None,
    rng: RandomState,
) -> NDArray[Any]:
    candidates = Candidates.from_rows(X)
    similarity = rbf(candidates.spread if bandwidth is None else bandwidth)
    ones = np.ones(targets.shape[0])
    options: dict[str, Any] = {"weights": ones, "labeled": labeled, "bonus": eta}
    return _solve_coverage(solve, Coverage, candidates, targets, similarity, rng=rng, **options)


@check_input(X=check_some_points)
def purity_radius(
    X: Matrix,
    n_clusters: int,
    *,
    purity: float = 0.95,
    n_balls: int = 1000,
    max_reference: int = 10_000,
    random_state: Seed = None,
) -> float:
    r"""Return the largest radius at which most balls around rows contain one cluster only.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    n_clusters : int
        Number of k-means clusters, which stand in for the classes.
    purity : float, default=0.95
        Share of the balls that must be pure.
    n_balls : int, default=1000
        Number of randomly drawn rows that are centers of balls. Each is compared with all rows.
    max_reference : int, default=10_000
        Number of randomly drawn rows to which k-means is fitted.
    random_state : int, RandomState or None, default=None
        Draws the rows and seeds k-means.

    Returns
    -------
    float
        The radius; infinity if there is only one cluster.

    Notes
    -----
    The ball around :math:`x_i` is pure as long as its radius is below the distance to the nearest
    row of another cluster. So no radii are tried: the result is a quantile of these distances.

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
    candidates = Candidates.from_rows(X)
    sample = np.sort(rng.permutation(candidates.n_rows)[:max_reference])
    centers = _fit_kmeans(candidates.X[sample], n_clusters, rng)
    clusters, _ = assign_to_centers(candidates, centers)
    balls = np.sort(rng.permutation(candidates.n_rows)[:n_balls])
    radii = np.sort(_distances_to_other_clusters(candidates, balls, clusters))
    n_impure = math.floor((1 - purity) * len(radii) + 1e-9)  # else (1 - 0.8) * 5 would give 0
    return float(radii[min(n_impure, len(radii) - 1)]) * (
        1 - 1e-6
    )  # strictly inside, in spite of rounding


def smallest_distance(X: Matrix) -> float | None:
    """Return the smallest distance above 0 between two rows; None if all rows coincide."""
    points, least = PointSet(X), np.inf
    all_rows = points.copy_rows(np.arange(points.n_rows))
    for rows in slices(points.n_rows, points.rows_per_block(points.n_rows)):
        inner = products(points.copy_rows(np.arange(rows.start, rows.stop)), all_rows)
        norms = points.norms[rows, np.newaxis] + points.norms
        squared = distances_from_products(inner, norms)
        least = min(least, squared.min(where=squared > 0, initial=np.inf))
    return math.sqrt(least) if least < np.inf else None


# -- the search --------------------------------------------------------------------------------


def _solve_coverage(
    solve: Solve,
    kind: type[Coverage],
    candidates: Candidates,
    rows: Matrix,
    similarity: Similarity,
    *,
    rng: RandomState,
    candidate_weights: NDArray[Any] | None = None,
    **options: Any,
) -> NDArray[Any]:
    if not candidates.n_rows:
        return np.empty(0, dtype=np.intp)
    with limit_blas_threads(candidates.n_rows * rows.shape[0]) as n_threads:
        objective = kind(candidates, rows, similarity, rng=rng, n_threads=n_threads, **options)
        if candidate_weights is None:
            candidate_weights = np.ones(candidates.n_rows)
        weights = np.asarray(candidate_weights, dtype=np.float64)
        return solve(objective, weights)


def _weigh_gains(objective: Coverage, candidate_weights: Floats) -> Floats:
    return objective.first_gains() * candidate_weights


def _sharpness(bandwidths: NDArray[Any] | None) -> Floats | None:
    """Return the factors of squared distances that stand for one bandwidth per row."""
    return None if bandwidths is None else np.asarray(bandwidths, dtype=np.float64) ** -2.0


# -- the sample on which coverage is measured --------------------------------------------------


def _draw_reference(
    n_rows: int, weights: NDArray[Any] | None, size: int | None, rng: RandomState
) -> tuple[Positions | slice, Floats, Own | None]:
    """Draw `size` of the rows to cover, with new weights; take all if there are not more."""
    weights = np.ones(n_rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if size is None or n_rows <= size:
        return slice(None), weights, None
    sample, drawn_weights = weighted_sample(weights, size, rng)
    places, excess = np.zeros(n_rows, dtype=np.intp), np.zeros(n_rows)
    places[sample] = np.arange(len(sample))
    excess[sample] = drawn_weights - weights[sample]
    return sample, drawn_weights, Own(places, excess)


def weighted_sample(weights: Floats, size: int, rng: RandomState) -> tuple[Positions, Floats]:
    """Draw rows in proportion to their weights, and return them with Horvitz-Thompson weights.

    Systematic sampling from a random order: exactly `size` rows, if that many have a weight.
    """
    inclusion = _inclusion_probabilities(weights, size)
    order = rng.permutation(len(weights))
    steps = np.floor(np.cumsum(inclusion[order]) + rng.uniform())
    sample = np.sort(order[np.diff(steps, prepend=0.0) > 0])
    return sample, weights[sample] / inclusion[sample]


def _inclusion_probabilities(weights: Floats, size: int) -> Floats:
    """Return probabilities in proportion to the weights that sum to `size`, none above 1."""
    # Rows whose probability would exceed 1 are certain; the rest of the draws goes to the others.
    inclusion = np.where(weights > 0, 1.0, 0.0)
    free, n_positive = weights > 0, int((weights > 0).sum())
    while n_positive > size:
        n_left = size - (n_positive - free.sum())  # draws besides the rows that are certain
        inclusion[free] = weights[free] * (n_left / weights[free].sum())
        certain = free & (inclusion >= 1.0)
        if not certain.any():
            break
        inclusion[certain] = 1.0
        free &= ~certain
    return inclusion


# -- the radius at which balls are pure --------------------------------------------------------


def _fit_kmeans(X: Matrix, n_clusters: int, rng: RandomState) -> Floats:
    """Return the centers of at most as many clusters as there are rows, (n_clusters, n_dims)."""
    from sklearn.cluster import KMeans  # late: importing it takes 0.1 s
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Duplicate rows are not the caller's mistake: some clusters are empty.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        model = KMeans(min(n_clusters, X.shape[0]), n_init=1, random_state=rng)
        return model.fit(X).cluster_centers_


def _distances_to_other_clusters(
    candidates: Candidates, balls: Positions, clusters: Positions
) -> Floats:
    """Return lower bounds on the distance of rows to the nearest row of another cluster.

    They are smaller than the distances by no more than the rounding error.
    """
    X = candidates.X
    dtype, shrinkage = choose_precision(candidates, candidates.largest, 1.0)
    if candidates.common is not None:  # not centered, so that single precision would lose more
        dtype, shrinkage = np.float64, DUPLICATE
    distances = Distances(X[balls], candidates, scale=1, shrinkage=shrinkage, dtype=dtype)
    members = np.split(np.argsort(clusters, kind="stable"), np.cumsum(np.bincount(clusters))[:-1])
    nearest = np.full((len(members), len(balls)), np.inf)  # one row per part, for the threads

    def measure(cluster: int) -> None:
        others, rows = np.flatnonzero(clusters[balls] != cluster), members[cluster]
        n_columns = len(balls) + candidates.width
        for block in block_slices(len(rows), n_columns, distances.dtype.itemsize):
            squared = distances(X[rows[block]], others).min(axis=0)
            nearest[cluster, others] = np.minimum(nearest[cluster, others], squared)

    with limit_blas_threads(candidates.n_rows * len(balls)) as n_threads:
        run_parts(measure, len(members), n_threads)
    return np.sqrt(nearest.min(axis=0))
