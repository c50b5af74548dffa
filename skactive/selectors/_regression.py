"""Greedy sampling for regression: rows far from labeled ones in their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_points
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.nearest_centers import NearestCenters, find_central_row
from skactive.selectors._engine.points import (
    AnyPoints,
    Centers,
    Matrix,
    PointSet,
    count,
    distances_from_products,
    products,
    row_products,
    squared_distances,
    squared_norms,
)
from skactive.selectors._top import fill_at_random

__all__ = ["gsy", "igs"]


@check_input(X=check_points)
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
        Points; they decide only if predictions do not.
    prediction : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Predictions of the model.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose targets are known, of the kind of ``X`` (not available for factors).
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

    If no target is known, the first pick is the row nearest to the mean of ``X``. Once every
    remaining prediction equals a target, as those of a single tree do, rows are selected
    farthest-first in ``X``.

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
    state = NearestCenters(_as_columns(prediction), labeled=_as_columns(targets))
    picks = _pick_farthest_first(state, X, batch_size, rng)
    return _fill_farthest_first(picks, X, batch_size, labeled, rng)


@check_input(X=check_points)
def igs(
    X: AnyPoints,
    prediction: NDArray[Any],
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    targets: NDArray[Any] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows far from all labeled ones, both in ``X`` and in their predictions.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    prediction : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Predictions of the model.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose targets are known, of the kind of ``X`` (not available for factors).
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

    If no target is known, the first pick is the row nearest to the mean of ``X``. Once every
    remaining product is zero, rows are selected farthest-first in ``X``.

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
    state = _ProductDistances(X, _as_columns(prediction), labeled, _as_columns(targets))
    picks = _pick_farthest_first(state, X, batch_size, rng)
    return _fill_farthest_first(picks, X, batch_size, labeled, rng)


def first_distances(
    X: AnyPoints,
    prediction: NDArray[Any],
    *,
    labeled: Matrix | None,
    targets: NDArray[Any] | None,
    product: bool,
) -> Floats:
    """Return what the first pick of `gsy` maximizes, or with `product` that of `igs`, (n_rows,)."""
    if labeled is None:
        return -np.sqrt(PointSet(X).squared_distances_to_mean())
    outputs, known = _as_columns(prediction), _as_columns(targets)
    state = NearestCenters(outputs, labeled=known)
    if product:
        state = _ProductDistances(X, outputs, labeled, known)
    squared = state.refresh(np.arange(len(outputs)))
    if not squared.any():
        squared = NearestCenters(X, labeled=labeled).refresh(np.arange(len(outputs)))
    return np.sqrt(squared)


def _as_columns(values: Any) -> Any:
    """Return outputs as a matrix in double precision, one column per output; None if empty."""
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(len(values), -1) if len(values) else None


def _pick_farthest_first(
    state: NearestCenters, X: AnyPoints, batch_size: int, rng: RandomState
) -> list[int]:
    picks: list[int] = []
    if not state.n_centers:
        picks.append(find_central_row(PointSet(X), rng))
        state.add_all(picks)
    return picks + state.farthest_first(batch_size - len(picks), rng)


def _fill_farthest_first(
    picks: list[int], X: AnyPoints, batch_size: int, labeled: Matrix | None, rng: RandomState
) -> Positions:
    """Fill the batch farthest-first by the points, and then at random."""
    if len(picks) < batch_size:
        state = NearestCenters(X, labeled=labeled)
        state.add_all(picks)
        picks = picks + state.farthest_first(batch_size - len(picks), rng)
    return fill_at_random(picks, batch_size, count(X), rng)


class _ProductDistances(NearestCenters):
    """Bounds on the least product of squared distance and squared gap of outputs to a center.

    The least product only shrinks as centers are added, which is all that lazy bounds require.
    """

    def __init__(
        self, X: AnyPoints, outputs: Floats, labeled: Matrix | None, targets: Floats | None
    ) -> None:
        self._set_points(_ProductPoints(X, outputs, targets))
        if labeled is not None and targets is not None:
            self._centers.add_rows((labeled, targets))
            self.lower_all()


class _ProductPoints(PointSet):
    """Points with outputs; their distance is the product of distance and gap of outputs.

    The outputs are the last of the factors. ``norms`` are the scale of the squared products.
    """

    def __init__(self, X: AnyPoints, outputs: Floats, targets: Floats | None) -> None:
        super().__init__(X)
        self.factors = (*self.factors, outputs)
        self._outputs = outputs
        self._point_norms = self.norms
        all_outputs = outputs if targets is None else np.concatenate([outputs, targets])
        # No gap of outputs is larger than the diagonal of their range.
        self.norms = self._point_norms * float(np.square(np.ptp(all_outputs, axis=0)).sum())

    def center(self, labeled: Any) -> Any:
        """Shift rows from outside of the pool as the pool is shifted; targets stay."""
        rows, targets = labeled
        return (*super().center(rows), targets)

    def distances(self, block: Any, rows: Positions, centers: Centers, which: slice) -> Floats:
        """Squared products of a block with the centers at `which`, shape (n_block, n_which)."""
        points, outputs = _split_outputs(block)
        others, targets = _split_outputs(centers.get(which, np.dtype(np.float64)))
        norms = self._point_norms[rows]
        squared = squared_distances(points, others, norms, squared_norms(others))
        squared *= cdist(outputs, targets, "sqeuclidean")
        return squared

    def upper_bounds(self, block: Any, rows: slice, centers: Centers, which: slice) -> Floats:
        """Upper bounds on the least squared product of each row of a block with the centers.

        The product is in the precision of the data, and the rounding error is added per pair: the
        nearest center of a product is not that of the distance alone.
        """
        others, targets = _split_outputs(centers.get(which, np.dtype(np.float64)))
        norms = squared_norms(others) + self._point_norms[rows, np.newaxis]  # (n_block, n_which)
        inner = products(block[:-1], tuple(other.astype(self.dtype) for other in others))
        squared = np.maximum(norms - 2.0 * inner, 0.0) + 2.0 * self.rounding * norms
        squared *= cdist(self._outputs[rows], targets, "sqeuclidean")
        return squared.min(axis=1)

    def exact_distances(self, rows: Positions, centers: Centers, which: Positions) -> Floats:
        """Squared product of each row with the center at the same place of `which`, (n_rows,).

        Products of duplicates are exactly 0.
        """
        points, outputs = _split_outputs(self.copy_rows(rows))
        others, targets = _split_outputs(centers.take(which))
        gaps = np.square(outputs - targets).sum(axis=1)  # (n_rows,)
        if self.offset is not None:
            return np.square(points[0] - others[0]).sum(axis=1) * gaps
        inner = np.prod([row_products(*pair) for pair in zip(points, others, strict=True)], axis=0)
        norms = self._point_norms[rows] + squared_norms(others)
        return distances_from_products(inner, norms) * gaps


def _split_outputs(factors: Any) -> tuple[Any, Any]:
    """Return the factors of points, and their outputs, which come last."""
    return factors[:-1], factors[-1]
