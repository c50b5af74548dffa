"""Selectors for regression, and others that need the distances of all rows to their centres.

Greedy sampling measures how far rows are in what the model predicts of them; largest cluster
maximum distance, and farthest-first traversal that tolerates outliers, look at the whole pool
before each pick.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skactive._seeding import Seed, make_random_state
from skactive.selectors._distance import (
    Matrix,
    Points,
    central_row,
    fill_at_random,
    k_center_greedy,
)
from skactive.selectors._lazy import LazyDistances, _Centres, _norms, _paired, _Points, _products
from skactive.selectors._top import Positions

__all__ = ["gsy", "igs", "lcmd", "robust_k_center_greedy"]

Values: TypeAlias = NDArray[np.float64]

# Share of the norms within which distances by products may mislead.
_CLOSE = 1e-10
# Squared distances from products carry rounding of some 1e-15 of the norms. Below this share of
# them rows count as duplicates.
_DUPLICATE = 1e-12
# Sums over clusters carry the rounding of their terms; within this share of the largest they tie.
_TIE = 1e-9
# Rows that meet a new centre at a time: their copies in double precision are of bounded size.
_BLOCK_COLUMNS = 128


def gsy(
    X: Points,
    prediction: NDArray[Any],
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    targets: NDArray[Any] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows whose predictions are farthest from all targets known or predicted so far.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; they have a say only where predictions have none.
    prediction : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What the model predicts of each row.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose targets are known, of the kind of ``X`` (factors have none).
    targets : ndarray of shape (n_labeled,) or (n_labeled, n_outputs), default=None
        Their targets.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`f` the predictions, which stand for the targets of rows picked before, each pick is

    .. math:: i^* = \arg\max_i \min_{s} \lvert f(x_i) - y_s \rvert

    Where no target is known the first pick is the row nearest to the mean of ``X``. Where every
    prediction left equals a target, as those of a single tree do, rows follow farthest-first in
    ``X``.

    References
    ----------
    Wu, Lin and Huang (2019), :doi:`10.1016/j.ins.2018.09.060`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> gsy(X, np.array([5.0, 9.0, 4.0]), 2, labeled=X[:1], targets=np.array([5.5]))
    array([1, 2])
    """
    rng = make_random_state(random_state)
    batch_size = min(batch_size, len(prediction))
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    state = LazyDistances(_columns(prediction), labeled=_columns(targets))
    picks = _farthest_first(state, X, batch_size, rng)
    return _then_spread(picks, X, batch_size, labeled, rng)


def igs(
    X: Points,
    prediction: NDArray[Any],
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    targets: NDArray[Any] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows far from all known ones, in themselves and in what is predicted of them.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    prediction : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What the model predicts of each row.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose targets are known, of the kind of ``X`` (factors have none).
    targets : ndarray of shape (n_labeled,) or (n_labeled, n_outputs), default=None
        Their targets.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`f` the predictions, which stand for the targets of rows picked before, each pick is

    .. math:: i^* = \arg\max_i \min_{s} \lVert x_i - x_s \rVert \, \lvert f(x_i) - y_s \rvert

    Where nothing is known the first pick is the row nearest to the mean of ``X``. Where every
    product left is zero, rows follow farthest-first in ``X``.

    References
    ----------
    Wu, Lin and Huang (2019), :doi:`10.1016/j.ins.2018.09.060`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0], [9.0]])
    >>> known = {"labeled": np.array([[0.0]]), "targets": np.array([0.0])}
    >>> igs(X, np.array([5.0, 4.0, 0.5]), 1, **known)  # 1 x 5, 2 x 4, 9 x 0.5
    array([1])
    """
    rng = make_random_state(random_state)
    batch_size = min(batch_size, len(prediction))
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    state = _ProductDistances(X, _columns(prediction), labeled, _columns(targets))
    picks = _farthest_first(state, X, batch_size, rng)
    return _then_spread(picks, X, batch_size, labeled, rng)


def lcmd(
    X: Points, batch_size: int, *, labeled: Matrix | None = None, random_state: Seed = None
) -> Positions:
    r"""Select, in the cluster that is worst covered, the row farthest from its centre.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that are centres from the start, of the kind of ``X`` (factors have none). Without
        any, the first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties; where every row left coincides with a centre, draws the rest.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each row belongs to the cluster of its nearest centre :math:`c(i)`, labelled or picked before
    (of centres equally near, to any). Each pick is

    .. math::
        i^* = \arg\max_{i :\, c(i) = c^*} \lVert x_i - x_{c^*} \rVert, \qquad
        c^* = \arg\max_c \sum_{i :\, c(i) = c} \lVert x_i - x_c \rVert^2

    A row whose distance from its centre is at most half of that centre's distance from the new one
    cannot be nearer to the new one; distances are computed for the other rows alone.

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
    rng = make_random_state(random_state)
    n_rows = _count(X)
    batch_size = min(batch_size, n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    state = _AllDistances(X, labeled=labeled)
    picks = _start(state, X, rng)
    while len(picks) < batch_size:
        sums = state.cluster_sums()
        if sums.max() <= 0.0:
            break
        cluster = _one_of(np.flatnonzero(sums >= sums.max() * (1.0 - _TIE)), rng)
        picks.append(state.meet(_one_of(state.farthest_of(cluster), rng)))
    return fill_at_random(picks, batch_size, n_rows, rng)


def robust_k_center_greedy(
    X: Points,
    batch_size: int,
    *,
    quantile: float = 0.99,
    labeled: Matrix | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows far from those chosen, but not the very farthest, which may be outliers.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    quantile : float, default=0.99
        Above 0; of the rows that no centre coincides with, the share ``1 - quantile`` that is
        farthest is passed over at each pick. 1.0 is :func:`k_center_greedy`.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that are covered from the start, of the kind of ``X`` (factors have none). Without
        any, the first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties; where every row left coincides with a chosen one, draws the rest.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`d_i` the distance of row :math:`i` from its nearest centre, labelled or picked
    before, and :math:`m` the number of rows of :math:`d_i > 0`, the pick is the row at place
    :math:`\lfloor (1 - q) m \rfloor`, counted from 0, of these rows from the farthest down.

    References
    ----------
    Sener and Savarese (2018), :doi:`10.48550/arXiv.1708.00489`, bound the number of outliers in an
    integer program; this is the greedy step of theirs with outliers left out.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [90.0]])
    >>> robust_k_center_greedy(X, 1, quantile=0.8, labeled=np.array([[0.0]]))
    array([3])
    """
    if quantile >= 1.0:
        return k_center_greedy(X, batch_size, labeled=labeled, random_state=random_state)
    rng = make_random_state(random_state)
    n_rows = _count(X)
    batch_size = min(batch_size, n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    state = _AllDistances(X, labeled=labeled)
    picks = _start(state, X, rng)
    while len(picks) < batch_size and (n_apart := int((state.bound > 0.0).sum())):
        # A hair is added, or the rounding of 1 - 0.8 would pass over one outlier too few.
        n_outliers = int((1.0 - quantile) * n_apart * (1.0 + _TIE))
        place = n_rows - 1 - min(n_outliers, n_apart - 1)
        picks.append(state.meet(_one_of(state.at_place(place), rng)))
    return fill_at_random(picks, batch_size, n_rows, rng)


def _columns(values: Any) -> Any:
    """Return outputs as a matrix in double precision, one column an output."""
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1) if len(values) else None


def _count(X: Points) -> int:
    return int((X[0] if isinstance(X, tuple) else X).shape[0])


def _one_of(positions: Positions, rng: RandomState) -> int:
    return int(positions[rng.randint(len(positions)) if len(positions) > 1 else 0])


def _farthest_first(
    state: LazyDistances, X: Points, batch_size: int, rng: RandomState
) -> list[int]:
    picks: list[int] = []
    if not state.n_centres:
        picks.append(central_row(X, rng))
        state.add(picks[0])
        state.lower_all()
    return picks + state.farthest_first(batch_size - len(picks), rng)


def _then_spread(
    picks: list[int], X: Points, batch_size: int, labeled: Matrix | None, rng: RandomState
) -> Positions:
    """Fill the batch by farthest-first traversal of the points, and then at random."""
    if len(picks) < batch_size:
        state = LazyDistances(X, labeled=labeled)
        for pick in picks:
            state.add(pick)
        state.lower_all()
        picks = picks + state.farthest_first(batch_size - len(picks), rng)
    return fill_at_random(picks, batch_size, _count(X), rng)


def _start(state: _AllDistances, X: Points, rng: RandomState) -> list[int]:
    return [] if state.n_centres else [state.meet(central_row(X, rng))]


class _AllDistances(LazyDistances):
    """The distance of every row to its nearest centre, none of them a mere bound.

    ``bound`` holds the squared distances; rows that coincide with a centre are at exactly 0.
    """

    def __init__(self, X: Points, *, labeled: Matrix | None = None) -> None:
        super().__init__(X, labeled=labeled)
        if self.n_centres:
            self.refresh(np.arange(self.n_rows))

    def meet(self, position: int) -> int:
        """Make a row a centre, tell the rows that may be nearer to it, return its position."""
        gaps = self._gaps(position)
        self.add(position)
        # A row within half of its centre's gap to the new centre cannot be nearer to the latter.
        rows = np.flatnonzero(4.0 * self.bound > gaps[self._nearest])
        size = self._points.block_rows(_BLOCK_COLUMNS)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self._meet_last(self._points.rows(part), part, self.bound[part])
        self.seen.fill(self.n_centres)
        return position

    def _gaps(self, position: int) -> Values:
        """Squared distances, at least, of the centres to a row that is to join them."""
        row = np.array([position])
        centres = slice(0, self.n_centres)
        gaps = np.zeros(self.n_centres + 1)  # the last is the new centre's own
        if self.n_centres:
            gaps[:-1] = self._points.distances(self._points.rows(row), row, self._centres, centres)
            gaps[:-1] -= _CLOSE * (self._centres.norms + self._points.norms[position])
        return gaps

    def cluster_sums(self) -> Values:
        """Sum of the squared distances of the rows of each centre, shape (n_centres,)."""
        sums = np.bincount(self._nearest, self.bound, minlength=self.n_centres)
        return sums.astype(np.float64, copy=False)

    def farthest_of(self, cluster: int) -> Positions:
        """Return the rows of a cluster that are farthest from its centre."""
        rows = np.flatnonzero(self._nearest == cluster)
        close = rows[self._near(rows, self.bound[rows].max())]
        if len(close) > 1:  # too close to call by products
            self._settle(close)
        return close[self.bound[close] == self.bound[close].max()]

    def at_place(self, place: int) -> Positions:
        """Return the rows that share a place in the order of distances, from the nearest up."""
        close = np.flatnonzero(self._near(slice(None), np.partition(self.bound, place)[place]))
        if len(close) > 1:
            self._settle(close)
        return close[self.bound[close] == np.partition(self.bound, place)[place]]

    def _near(self, rows: Any, squared: float) -> NDArray[np.bool_]:
        """Tell which rows are as far as that, as well as products can tell."""
        margin = 2.0 * _CLOSE * self._points.norms[rows].max()
        return np.abs(self.bound[rows] - squared) <= margin


class _ProductDistances(LazyDistances):
    """Bounds on the squared distance times the squared gap of outputs to the nearest centre.

    The least of such products only shrinks as centres come, which is all that laziness asks for.
    """

    def __init__(
        self, X: Points, outputs: Values, labeled: Matrix | None, targets: Values | None
    ) -> None:
        super().__init__(X)
        self._points = _ProductPoints(X, outputs, targets)
        self._centres = _Centres(self._points)
        if labeled is not None and targets is not None:
            self._centres.add_rows((labeled, targets))
            self.lower_all()


class _ProductPoints(_Points):
    """Points with outputs; what counts as distance is the product of distance and gap, squared.

    The outputs are the last of the factors. ``norms`` are the scale of the products.
    """

    def __init__(self, X: Points, outputs: Values, targets: Values | None) -> None:
        super().__init__(X)
        self.factors = (*self.factors, outputs)
        self._outputs = outputs
        self._lengths = self.norms  # of the points alone
        known = outputs if targets is None else np.concatenate([outputs, targets])
        self.norms = self._lengths * float(np.square(np.ptp(known, axis=0)).sum())

    def centred(self, labeled: Any) -> Any:
        """Bring rows and targets that are not of the pool where the pool is."""
        rows, targets = labeled
        return (*super().centred(rows), targets)

    def distances(self, block: Any, rows: Positions, centres: _Centres, which: slice) -> Values:
        """Squared products of a block with some centres, shape (n_block, n_which)."""
        points, outputs = block[:-1], block[-1]
        others, targets = _parted(centres.get(which, np.dtype(np.float64)))
        squared = _products(points, others)
        squared *= -2.0
        squared += _norms(others)
        squared += self._lengths[rows, np.newaxis]
        np.maximum(squared, 0.0, out=squared)
        squared *= cdist(outputs, targets, "sqeuclidean")
        return squared

    def raised_distances(self, block: Any, rows: slice, centres: _Centres, which: slice) -> Values:
        """Bounds on the squared products of a block with the nearest of some centres."""
        others, targets = _parted(centres.get(which, np.dtype(np.float64)))
        lengths = _norms(others)
        reach = lengths + self._lengths[rows, np.newaxis]
        products = _products(block[:-1], tuple(other.astype(self.dtype) for other in others))
        squared = np.maximum(reach - 2.0 * products, 0.0) + 2.0 * self.rounding * reach
        squared *= cdist(self._outputs[rows], targets, "sqeuclidean")
        return squared.min(axis=1)

    def exact_distances(self, rows: Positions, centres: _Centres, which: Positions) -> Values:
        """Squared product of each row with one centre each; exactly 0 for duplicates."""
        points, outputs = _parted(self.rows(rows))
        others, targets = _parted(centres.take(which))
        gaps = np.square(outputs - targets).sum(axis=1)
        if self.offset is not None:
            return np.square(points[0] - others[0]).sum(axis=1) * gaps
        inner = np.prod([_paired(*pair) for pair in zip(points, others, strict=True)], axis=0)
        norms = self._lengths[rows] + _norms(others)
        squared = norms - 2.0 * inner
        squared[squared < _DUPLICATE * norms] = 0.0
        return squared * gaps


def _parted(factors: Any) -> tuple[Any, Any]:
    """Part the factors of points from their outputs, which come last."""
    return factors[:-1], factors[-1]
