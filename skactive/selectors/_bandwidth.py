"""Kernel bandwidths learned from the rows, one per row."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from skactive._utils.array_types import Floats, Positions
from skactive._utils.public_input import check_input
from skactive.selectors._engine.points import DUPLICATE, Matrix, canonical, round_to_bits, slices
from skactive.selectors._engine.similarity import Candidates, Distances, PairValues

__all__ = ["LazyBandwidths", "SharedBandwidths", "effective_bandwidth"]

_DISTANCE_BYTES = 2**20  # size of a block of distances; larger ones are returned to the system
_MAX_STEPS = 100  # of Newton's method, on logarithms of squared lengths
_START_ROWS, _START_TOLERANCE = 64, 1e-2  # of the pool, and of the solution to start from
_SINGLE_TOLERANCE = 2e-6  # from here on, single precision is enough
_LENGTH_BITS = 24  # bits of a length that are kept, if it is as precise
_NOWHERE = 400.0  # times the mean of the squared distances: no bandwidth reaches as far
_TINY = 1e-30
# Upper bounds are as tight as one step of this length makes them, and leave room for the rounding
# errors of the sums, and of the bandwidths themselves.
_BOUND_TOLERANCE, _BOUND_SLACK, _SOLUTION_SLACK = 0.04, 1e-5, 4e-6


@check_input()
def effective_bandwidth(
    X: Matrix, n_chosen: float, *, at: Matrix | None = None, tolerance: float = 1e-9
) -> Floats:
    r"""Return the bandwidths at which `n_chosen` rows, anywhere, would just share the pool.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points: the pool, or rows drawn uniformly from it; a thousand are enough.
    n_chosen : float
        Number of rows that share the pool: those labeled, and the batch. Fewer than 2 count as 2:
        no row covers the whole pool by itself.
    at : ndarray or sparse matrix of shape (n_at, n_dims), default=None
        The points whose bandwidths are returned; None takes those of ``X``.
    tolerance : float, default=1e-9
        Relative error of the bandwidths. From 2e-6 on they are solved in single precision.

    Returns
    -------
    ndarray of shape (n_at,)
        The bandwidths :math:`\sigma_j`; 1 if all rows coincide.

    Notes
    -----
    Each solves, over the points that do not coincide with :math:`z_j`,

    .. math:: \operatorname{mean}_i \exp(-\lVert z_i - z_j \rVert^2 / \sigma_j^2)
        = \frac{1}{n_{\text{chosen}}}

    The mean is the share of the pool that a row covers. So all rows cover the same share: those in
    dense regions have smaller bandwidths than isolated ones. Rows that do not overlap cover the
    whole pool together, and bandwidths shrink as the number of labels grows. Time grows with
    n_rows x n_at, memory with n_rows + n_at.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.selectors import effective_bandwidth
    >>> X = np.array([[0.0], [0.1], [0.2], [0.3], [9.0]])
    >>> effective_bandwidth(X, n_chosen=4).round(1)
    array([0.2, 0.1, 0.1, 0.2, 7.5])
    """
    bandwidths = SharedBandwidths(X, n_chosen, tolerance=tolerance)
    return bandwidths.solve(X if at is None else at)


class SharedBandwidths:
    """Solve the equation of `effective_bandwidth` for the rows of one pool, or bound its solutions.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        The pool, or rows drawn uniformly from it.
    n_chosen : float
        Number of rows that share the pool.
    tolerance : float, default=1e-9
        Relative error of the bandwidths.
    """

    def __init__(self, X: Matrix, n_chosen: float, *, tolerance: float = 1e-9) -> None:
        rows = canonical(X)
        candidates = Candidates.from_rows(rows)
        self._distances = Distances(rows, candidates, scale=1, shrinkage=0, dtype=np.float64)
        self._log_chosen = math.log(max(n_chosen, 2.0))
        self._tolerance = tolerance
        self._n_bits = max(8, min(_LENGTH_BITS, math.ceil(1 - math.log2(tolerance))))

    def solve(self, at: Matrix, start: Floats | None = None) -> Floats:
        """Return the bandwidths at points, shape (n_at,), found from approximations if given.

        Points with which all rows coincide get the median of the others.
        """
        lengths = self._find_lengths(at, self._tolerance, start)
        known = ~np.isnan(lengths)
        lengths[~known] = np.median(lengths[known]) if known.any() else 1.0
        return round_to_bits(lengths, self._n_bits)

    def bound(self, at: Matrix) -> Floats:
        """Return upper bounds of the bandwidths, mostly within a hundredth of them.

        Points with which all rows coincide get NaN.
        """
        return self._find_lengths(at, None)

    def _find_lengths(
        self, at: Matrix, tolerance: float | None, start: Floats | None = None
    ) -> Floats:
        """Return bandwidths, or upper bounds without a tolerance, shape (n_at,)."""
        points = canonical(at)
        lengths = np.full(points.shape[0], np.nan)
        for block in self._cut(len(lengths)):
            scaled, unit, n_others = self._measure(points[block], tolerance)
            some = n_others > 0
            known = None if start is None else 2 * np.log(start[block][some]) - np.log(unit[some])
            logs = _solve(scaled[some], n_others[some], self._log_chosen, tolerance, known)
            lengths[block][some] = np.sqrt(unit[some] * np.exp(logs))
        return lengths

    def _cut(self, n_at: int) -> Iterator[slice]:
        n_rows = max(1, self._distances.n_reference)
        return slices(n_at, max(16, _DISTANCE_BYTES // (8 * n_rows)))

    def _measure(
        self, points: Matrix, tolerance: float | None
    ) -> tuple[PairValues, Floats, Positions]:
        """Measure the squared distances of points to the pool.

        Returns the distances, divided by their mean over the rows that do not coincide with the
        point, these means, and the numbers of these rows. No bandwidth reaches much farther than
        the mean; rows that coincide are moved to where none is counted.
        """
        factor = self._distances.make_factor(points)
        squared = self._distances.subtract_products(factor)
        norms = factor.dense[:, -2]
        # Few pairs are near to each other, compared with the largest norm: only these are looked
        # at.
        limits = DUPLICATE * (norms + self._distances.norms.max(initial=0.0))
        near = np.flatnonzero(squared <= limits[:, np.newaxis])
        rows, columns = np.divmod(near, squared.shape[1])
        same = squared[rows, columns] <= DUPLICATE * (norms[rows] + self._distances.norms[columns])
        rows, columns = rows[same], columns[same]
        squared[rows, columns] = 0.0
        n_others = squared.shape[1] - np.bincount(rows, minlength=len(squared))
        unit = squared.sum(axis=1) / np.maximum(n_others, 1)
        unit[n_others == 0] = 1.0
        single = tolerance is None or tolerance >= _SINGLE_TOLERANCE
        dtype = np.float32 if single else np.float64
        scaled = np.multiply(squared, 1 / unit[:, np.newaxis], dtype=dtype, casting="same_kind")
        scaled[rows, columns] = _NOWHERE
        return scaled, unit, n_others


def _solve(
    squared: PairValues,
    n_others: Positions,
    log_chosen: float,
    tolerance: float | None,
    start: Floats | None,
) -> Floats:
    """Return the logarithms of the squared lengths, or of upper bounds, shape (n_at,).

    Starts from approximations, or else from the solution for a part of the pool.
    """
    # The bracket: as if all rows were as far away as the nearest, and as if all were at the mean of
    # the squared distances, 1 (Jensen's inequality).
    low = np.log(squared.min(axis=1, initial=_NOWHERE).astype(np.float64) / log_chosen)
    high = np.full(len(squared), -math.log(log_chosen))
    logs, step = high if start is None else start, squared.shape[1] // _START_ROWS
    if start is None and step > 1:
        part = squared[:, ::step].copy()
        n_part = np.maximum(1, np.count_nonzero(part < _NOWHERE, axis=1))
        logs = _find_root(part, n_part, log_chosen, logs, (low, high), _START_TOLERANCE)[0]
    logs, bounds = _find_root(
        squared, n_others, log_chosen, logs, (low, high), tolerance or _BOUND_TOLERANCE
    )
    return bounds if tolerance is None else logs


def _find_root(
    squared: PairValues,
    n_others: Positions,
    log_chosen: float,
    start: Floats,
    bracket: tuple[Floats, Floats],
    tolerance: float,
) -> tuple[Floats, Floats]:
    """Solve by Newton's method on logarithms, within a bracket that shrinks; also bound the roots.

    Steps that would leave the bracket halve it instead. Each row goes on until its own step is
    short enough: the error of the last is about its square.
    """
    (low, high), logs = (bound.copy() for bound in bracket), start.copy()
    bounds = high.copy()
    left = np.arange(len(logs))  # rows that are not solved
    for _ in range(_MAX_STEPS):
        exponents = squared * -np.exp(-logs[left])[:, np.newaxis].astype(squared.dtype)
        terms = np.exp(exponents)
        total = np.maximum(terms.sum(axis=1), _TINY).astype(np.float64)
        slope = np.maximum(-np.einsum("ij,ij->i", exponents, terms) / total, _TINY)
        excess = np.log(total / n_others[left]) + log_chosen
        low[left] = np.where(excess < 0, logs[left], low[left])
        high[left] = np.where(excess > 0, logs[left], high[left])
        # The logarithm of the mean is convex in the inverse of the squared length, so that its
        # tangent meets the target at a length that is not shorter.
        change = np.maximum((excess - _BOUND_SLACK) / slope, -0.9)
        bounds[left] = np.where(change > -0.9, logs[left] - np.log1p(change), bounds[left])
        step = logs[left] - excess / slope
        inside = (step >= low[left]) & (step <= high[left])
        step = np.where(inside, step, (low[left] + high[left]) / 2)
        open_ = np.square(step - logs[left]) > tolerance
        logs[left] = step
        if not open_.any():
            break
        if not open_.all():
            left, squared = left[open_], squared[open_]
    return logs, np.minimum(bounds, bracket[1]) + _SOLUTION_SLACK


class LazyBandwidths:
    """Bandwidths of candidates, bounded and solved for those that are asked for.

    Parameters
    ----------
    shared : SharedBandwidths
        The equation.
    at : ndarray or sparse matrix of shape (n_at, n_dims)
        The candidates.
    """

    def __init__(self, shared: SharedBandwidths, at: Matrix) -> None:
        self._shared, self._at = shared, canonical(at)
        self._upper = np.full(self._at.shape[0], np.nan)
        self._all: Floats | None = None

    def bound(self, positions: Positions) -> Floats:
        """Return upper bounds of the bandwidths of the candidates at `positions`."""
        missing = positions[np.isnan(self._upper[positions])]
        if len(missing):
            self._upper[missing] = self._shared.bound(self._at[missing])
        if np.isnan(self._upper[positions]).any():
            # What coincides with the whole pool has the bandwidth of all others.
            self._upper = self._all = self._shared.solve(self._at)
        return self._upper[positions]

    def solve(self, positions: Positions) -> Floats:
        """Return the bandwidths of the candidates at `positions`."""
        start = self.bound(positions)
        return start if self._all is not None else self._shared.solve(self._at[positions], start)
