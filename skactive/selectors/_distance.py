"""Selectors based on the distance to the nearest row chosen so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_points
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.nearest_centers import (
    AllDistances,
    NearestCenters,
    draw_centers,
    draw_one,
)
from skactive.selectors._engine.points import AnyPoints, Matrix
from skactive.selectors._top import fill_at_random

__all__ = [
    "k_center_greedy",
    "kmeans_plusplus",
    "lcmd",
    "ranked_batch",
    "robust_k_center_greedy",
    "select_by_rank",
    "select_far_inliers",
    "select_farthest_first",
    "select_in_largest_cluster",
]

# Sums over clusters carry the rounding of their terms, and tie within this share.
_SUM_TOLERANCE = 1e-9
_MERIT_TOLERANCE = 1e-12  # merits computed from differences of rows tie within it


@check_input(X=check_points)
def k_center_greedy(
    X: AnyPoints, batch_size: int, *, labeled: Matrix | None = None, random_state: Seed = None
) -> Positions:
    r"""Select rows farthest-first, so that every row is close to a chosen one.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centers from the start, of the kind of ``X`` (not available for factors). Without any, the
        first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the remaining rows once all of them coincide with chosen ones.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick is the row farthest from its nearest center, labeled or picked before,

    .. math:: i^* = \arg\max_i \min_{c} \lVert x_i - x_c \rVert_2

    which covers the pool within twice the smallest possible radius.

    References
    ----------
    Gonzalez (1985), :doi:`10.1016/0304-3975(85)90224-5`; as a strategy, Sener and Savarese (2018),
    :doi:`10.48550/arXiv.1708.00489`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [4.0], [9.0]])
    >>> k_center_greedy(X, batch_size=3, labeled=np.array([[0.0]]))
    array([3, 2, 1])
    """
    rng = make_random_state(random_state)
    return select_farthest_first(NearestCenters(X, labeled=labeled), batch_size, rng)


def select_farthest_first(state: NearestCenters, batch_size: int, rng: RandomState) -> Positions:
    """Select rows, each the farthest from all centers: :func:`k_center_greedy` of a state."""
    batch_size = min(batch_size, state.n_rows)
    picks = state.start(rng) if batch_size else []
    picks += state.farthest_first(batch_size - len(picks), rng)
    return fill_at_random(picks, batch_size, state.n_rows, rng)


@check_input(X=check_points)
def kmeans_plusplus(
    X: AnyPoints, batch_size: int, *, first: int | None = None, random_state: Seed = None
) -> Positions:
    r"""Draw rows in proportion to their squared distance from the rows drawn before.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    first : int or None, default=None
        Position of the first row; None draws it uniformly.
    random_state : int, RandomState or None, default=None
        Makes the draws.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions in the order of the draws.

    Notes
    -----
    With :math:`D_i` the distance of row :math:`i` from the nearest row drawn before,

    .. math:: p_i = D_i^2 / \textstyle\sum_j D_j^2

    Duplicates of drawn rows are drawn only if no other rows remain, and then uniformly.

    References
    ----------
    Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding", *SODA*; on
    gradient factors, Ash, Zhang, Krishnamurthy, Langford and Agarwal (2020),
    :doi:`10.48550/arXiv.1906.03671`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.0], [0.0], [5.0]])
    >>> kmeans_plusplus(X, batch_size=2, first=0)  # rows 1 and 2 coincide with row 0
    array([0, 3])
    """
    return draw_centers(X, batch_size, make_random_state(random_state), first)


@check_input(X=check_points)
def ranked_batch(
    X: AnyPoints,
    uncertainty: NDArray[Any],
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows one by one for uncertainty and for distance from those selected before.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    uncertainty : ndarray of shape (n_rows,)
        Scores from 0 to 1; higher is more uncertain.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose labels are known, of the kind of ``X`` (not available for factors).
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`U` the rows not chosen yet, :math:`L` those labeled or chosen, and :math:`d_i` the
    Euclidean distance from row :math:`i` to the nearest of :math:`L`, each pick maximizes

    .. math::
        \alpha \Bigl(1 - \frac{1}{1 + d_i}\Bigr) + (1 - \alpha) \, u_i, \qquad
        \alpha = \frac{|U|}{|U| + |L|}

    If :math:`L` is empty, :math:`\alpha = 0`: the first pick is the most uncertain row.

    References
    ----------
    Cardoso, Silva, Canuto, Moro and Gonçalves (2017), :doi:`10.1016/j.ins.2016.10.037`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [5.0]])
    >>> ranked_batch(X, np.array([0.9, 0.8, 0.1]), 2, labeled=np.array([[9.0]]))
    array([0, 2])
    """
    state = NearestCenters(X, labeled=labeled)
    return select_by_rank(state, uncertainty, batch_size, make_random_state(random_state))


def select_by_rank(
    state: NearestCenters, uncertainty: NDArray[Any], batch_size: int, rng: RandomState
) -> Positions:
    """Select rows for uncertainty and distance from centers: :func:`ranked_batch` of a state."""
    return _Ranking(state, uncertainty, rng).pick(min(batch_size, state.n_rows))


class _Ranking:
    """The rows ranked so far, and upper bounds on the merit of the others.

    Merit grows with the distance, and distances only shrink, so merits by old distances are upper
    bounds. They are made exact only for rows whose bound could still be the highest.
    """

    def __init__(self, state: NearestCenters, uncertainty: NDArray[Any], rng: RandomState) -> None:
        self._state, self._rng = state, rng
        self._uncertainty = np.asarray(uncertainty, dtype=np.float64)
        self._n_points = state.n_rows + state.n_centers
        # The most that a merit changes per change of the weight alpha.
        self._max_slope = (
            max(self._uncertainty.max(), 1 - self._uncertainty.min(), 0.0) if state.n_rows else 0.0
        )
        self._picks: list[int] = []
        self._width = 256

    def pick(self, n_picks: int) -> Positions:
        """Rank rows, and return the first ones."""
        self._width = max(self._width, 2 * n_picks)
        max_contenders = self._state.max_contenders(n_picks)
        while len(self._picks) < n_picks:
            rows, threshold = self._find_contenders()
            if len(rows) <= max_contenders:
                self._rank_among(rows, threshold, n_picks)
            else:  # copying that many rows would cost more than it saves
                self._rank(self._find_best(rows))
        return np.array(self._picks, dtype=np.intp)

    def _alpha(self) -> float:
        """Return the weight of the distance; 0 before the first center."""
        n_left = self._state.n_rows - len(self._picks)
        return n_left / self._n_points if n_left < self._n_points else 0.0

    def _merit(self, rows: Any, error: float = 0.0) -> Floats:
        """Return the merit of rows by their current squared distances plus an error."""
        return self._compute_merit(rows, np.maximum(self._state.bound[rows] + error, 0.0))

    def _compute_merit(self, rows: Any, squared: Floats) -> Floats:
        """Return the merit of rows by squared distances."""
        alpha = self._alpha()
        merit: Floats = alpha * (1 - 1 / (1 + np.sqrt(squared)))
        merit += (1 - alpha) * self._uncertainty[rows]
        return merit

    def _lead(self, rows: Positions) -> float:
        """Return a merit that the best of rows surely reaches, less what counts as a tie."""
        merit = self._merit(rows, -self._state.max_error(rows))
        return float(merit.max()) - _MERIT_TOLERANCE

    def _find_contenders(self) -> tuple[Positions, float]:
        """Return rows that include all of the best, and a merit that no other row exceeds."""
        state = self._state
        merit = self._compute_merit(slice(None), state.raise_bounds())
        merit[self._picks] = -np.inf
        while self._width < state.n_rows:
            rank = state.n_rows - self._width - 1
            order = np.argpartition(merit, rank)
            rows, threshold = np.sort(order[rank + 1 :]), float(merit[order[rank]])
            state.refresh(rows)
            rows = rows[merit[rows] > -np.inf]
            if len(rows) and self._lead(rows) > threshold:
                return rows, threshold
            self._width *= 2
        rows = np.flatnonzero(merit > -np.inf)
        state.refresh(rows)
        return rows, -np.inf

    def _rank_among(self, rows: Positions, threshold: float, n_picks: int) -> None:
        """Rank the best of the contenders, one by one, while no other row can be better."""
        state, alpha, block = self._state, self._alpha(), self._state.copy_rows(rows)
        while len(self._picks) < n_picks and len(rows):
            # As alpha changes with each pick, other rows gain at most this.
            drift = abs(alpha - self._alpha()) * self._max_slope
            if self._lead(rows) <= threshold + drift:
                break
            best = self._find_best(rows)
            self._rank(best)
            remaining = rows != best
            rows, block = rows[remaining], tuple(factor[remaining] for factor in block)
            state.update_by_last(block, rows, state.bound[rows])

    def _rank(self, row: int) -> None:
        self._picks.append(row)
        self._state.add(row)

    def _find_best(self, rows: Positions) -> int:
        """Return the one of `rows` of the highest merit, ties broken at random."""
        error = self._state.max_error(rows)
        close = rows[self._merit(rows, error) >= self._merit(rows, -error).max()]
        if len(close) == 1:
            return int(close[0])
        self._state.make_exact(close)  # too close for distances from products
        merit = self._merit(close)
        return draw_one(close[merit >= merit.max() - _MERIT_TOLERANCE], self._rng)


@check_input(X=check_points)
def lcmd(
    X: AnyPoints, batch_size: int, *, labeled: Matrix | None = None, random_state: Seed = None
) -> Positions:
    r"""Select, in the cluster of the largest sum of squares, the row farthest from its center.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centers from the start, of the kind of ``X`` (not available for factors). Without any, the
        first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the remaining rows once all of them coincide with centers.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each row belongs to the cluster of its nearest center :math:`c(i)`, labeled or picked before
    (to the first of several that are equally near). Each pick is

    .. math::
        i^* = \arg\max_{i :\, c(i) = c^*} \lVert x_i - x_{c^*} \rVert, \qquad
        c^* = \arg\max_c \sum_{i :\, c(i) = c} \lVert x_i - x_c \rVert^2

    A row whose distance from its center is at most half of that center's distance from the new one
    cannot be nearer to the new one; distances are computed only for the other rows.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart (2023), :doi:`10.48550/arXiv.2203.09410`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [1.5], [1.6], [1.7], [9.0], [11.5]])
    >>> lcmd(X, 1, labeled=np.array([[0.0], [9.0]]))  # 1 + 2.25 + 2.56 + 2.89 > 6.25
    array([3])
    """
    state = AllDistances(X, labeled=labeled)
    return select_in_largest_cluster(state, batch_size, make_random_state(random_state))


def select_in_largest_cluster(state: AllDistances, batch_size: int, rng: RandomState) -> Positions:
    """Select the farthest rows of the clusters of largest sum: :func:`lcmd` of a state."""
    batch_size = min(batch_size, state.n_rows)
    picks = state.start(rng) if batch_size else []
    while len(picks) < batch_size:
        sums = state.cluster_sums()
        if sums.max() <= 0.0:
            break
        cluster = draw_one(np.flatnonzero(sums >= sums.max() * (1.0 - _SUM_TOLERANCE)), rng)
        picks.append(state.add_and_update(draw_one(state.find_farthest(cluster), rng)))
    return fill_at_random(picks, batch_size, state.n_rows, rng)


@check_input(X=check_points)
def robust_k_center_greedy(
    X: AnyPoints,
    batch_size: int,
    *,
    quantile: float = 0.99,
    labeled: Matrix | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows far from chosen ones, but not the very farthest, which may be outliers.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    quantile : float, default=0.99
        Above 0; each pick skips the share ``1 - quantile`` of the farthest rows, among those that
        do not coincide with a center. 1.0 is :func:`k_center_greedy`.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centers from the start, of the kind of ``X`` (not available for factors). Without any, the
        first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the remaining rows once all of them coincide with chosen ones.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`d_i` the distance of row :math:`i` from its nearest center, labeled or picked
    before, and :math:`m` the number of rows of :math:`d_i > 0`, the pick is the row of rank
    :math:`\lfloor (1 - q) m \rfloor`, counted from 0, among these rows in decreasing order of
    distance.

    References
    ----------
    Sener and Savarese (2018), :doi:`10.48550/arXiv.1708.00489`, bound the number of outliers in an
    integer program; this is their greedy step, with outliers left out.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [90.0]])
    >>> robust_k_center_greedy(X, 1, quantile=0.8, labeled=np.array([[0.0]]))
    array([3])
    """
    if quantile >= 1.0:
        return k_center_greedy(X, batch_size, labeled=labeled, random_state=random_state)
    state = AllDistances(X, labeled=labeled)
    return select_far_inliers(state, batch_size, quantile, make_random_state(random_state))


def select_far_inliers(
    state: AllDistances, batch_size: int, quantile: float, rng: RandomState
) -> Positions:
    """Select rows at a quantile of the distances: :func:`robust_k_center_greedy` of a state."""
    batch_size = min(batch_size, state.n_rows)
    picks = state.start(rng) if batch_size else []
    while len(picks) < batch_size and (n_apart := int((state.bound > 0.0).sum())):
        # The tolerance makes up for the rounding of 1 - 0.8, which would skip one row too few.
        n_outliers = int((1.0 - quantile) * n_apart * (1.0 + _SUM_TOLERANCE))
        rank = state.n_rows - 1 - min(n_outliers, n_apart - 1)
        picks.append(state.add_and_update(draw_one(state.find_at_rank(rank), rng)))
    return fill_at_random(picks, batch_size, state.n_rows, rng)
