"""Greedy sampling for regression: rows far from what is known, in what is predicted of them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.nearest_centers import NearestCenters, central_row
from skactive.selectors._engine.points import (
    DUPLICATE,
    AnyPoints,
    Centers,
    Matrix,
    Points,
    count,
    products,
    row_products,
    squared_norms,
)
from skactive.selectors._top import Positions, fill_at_random

__all__ = ["gsy", "igs"]

Values: TypeAlias = NDArray[np.float64]


def gsy(
    X: AnyPoints,
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
    state = NearestCenters(_columns(prediction), labeled=_columns(targets))
    picks = _farthest_first(state, X, batch_size, rng)
    return _then_spread(picks, X, batch_size, labeled, rng)


def igs(
    X: AnyPoints,
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


def _columns(values: Any) -> Any:
    """Return outputs as a matrix in double precision, one column an output."""
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1) if len(values) else None


def _farthest_first(
    state: NearestCenters, X: AnyPoints, batch_size: int, rng: RandomState
) -> list[int]:
    picks: list[int] = []
    if not state.n_centers:
        picks.append(central_row(Points(X), rng))
        state.label(picks)
    return picks + state.farthest_first(batch_size - len(picks), rng)


def _then_spread(
    picks: list[int], X: AnyPoints, batch_size: int, labeled: Matrix | None, rng: RandomState
) -> Positions:
    """Fill the batch by farthest-first traversal of the points, and then at random."""
    if len(picks) < batch_size:
        state = NearestCenters(X, labeled=labeled)
        state.label(picks)
        picks = picks + state.farthest_first(batch_size - len(picks), rng)
    return fill_at_random(picks, batch_size, count(X), rng)


class _ProductDistances(NearestCenters):
    """Bounds on the squared distance times the squared gap of outputs to the nearest center.

    The least of such products only shrinks as centers come, which is all that laziness asks for.
    """

    def __init__(
        self, X: AnyPoints, outputs: Values, labeled: Matrix | None, targets: Values | None
    ) -> None:
        self._hold(_ProductPoints(X, outputs, targets))
        if labeled is not None and targets is not None:
            self._centers.add_rows((labeled, targets))
            self.lower_all()


class _ProductPoints(Points):
    """Points with outputs; what counts as distance is the product of distance and gap, squared.

    The outputs are the last of the factors. ``norms`` are the scale of the products.
    """

    def __init__(self, X: AnyPoints, outputs: Values, targets: Values | None) -> None:
        super().__init__(X)
        self.factors = (*self.factors, outputs)
        self._outputs = outputs
        self._lengths = self.norms  # of the points alone
        known = outputs if targets is None else np.concatenate([outputs, targets])
        self.norms = self._lengths * float(np.square(np.ptp(known, axis=0)).sum())

    def centered(self, labeled: Any) -> Any:
        """Bring rows and targets that are not of the pool where the pool is."""
        rows, targets = labeled
        return (*super().centered(rows), targets)

    def distances(self, block: Any, rows: Positions, centers: Centers, which: slice) -> Values:
        """Squared products of a block with some centers, shape (n_block, n_which)."""
        points, outputs = block[:-1], block[-1]
        others, targets = _parted(centers.get(which, np.dtype(np.float64)))
        squared = products(points, others)
        squared *= -2.0
        squared += squared_norms(others)
        squared += self._lengths[rows, np.newaxis]
        np.maximum(squared, 0.0, out=squared)
        squared *= cdist(outputs, targets, "sqeuclidean")
        return squared

    def raised_distances(self, block: Any, rows: slice, centers: Centers, which: slice) -> Values:
        """Bounds on the squared products of a block with the nearest of some centers."""
        others, targets = _parted(centers.get(which, np.dtype(np.float64)))
        lengths = squared_norms(others)
        reach = lengths + self._lengths[rows, np.newaxis]
        inner = products(block[:-1], tuple(other.astype(self.dtype) for other in others))
        squared = np.maximum(reach - 2.0 * inner, 0.0) + 2.0 * self.rounding * reach
        squared *= cdist(self._outputs[rows], targets, "sqeuclidean")
        return squared.min(axis=1)

    def exact_distances(self, rows: Positions, centers: Centers, which: Positions) -> Values:
        """Squared product of each row with one center each; exactly 0 for duplicates."""
        points, outputs = _parted(self.rows(rows))
        others, targets = _parted(centers.take(which))
        gaps = np.square(outputs - targets).sum(axis=1)
        if self.offset is not None:
            return np.square(points[0] - others[0]).sum(axis=1) * gaps
        inner = np.prod([row_products(*pair) for pair in zip(points, others, strict=True)], axis=0)
        norms = self._lengths[rows] + squared_norms(others)
        squared = norms - 2.0 * inner
        squared[squared < DUPLICATE * norms] = 0.0
        return squared * gaps


def _parted(factors: Any) -> tuple[Any, Any]:
    """Part the factors of points from their outputs, which come last."""
    return factors[:-1], factors[-1]
