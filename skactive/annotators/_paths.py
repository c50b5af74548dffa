"""From audited answers to a threshold: tests from strict to loose, until one fails."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from skactive._utils.array_types import Floats
from skactive.annotators._bounds import (
    compute_betting_p_values,
    compute_p_values,
    count_allowed,
)

__all__ = [
    "AS_CLAIMED",
    "N_TESTS",
    "Calibration",
    "Checked",
    "ShareTest",
    "choose_region",
    "find_single_threshold",
    "make_grid",
    "walk",
]

_MAX_STEPS = 2_000  # of a search
N_TESTS = 20  # of a search in which more steps would mean more chances to fail
_EDGE = 1e-6  # confidences are kept this far from 0 and 1
_SHIFT_SPREAD, _SLOPE_SPREAD = 1.0, 0.5  # of curves around the identity, before an audit
_LEAST_SLOPE = 0.05  # the curve never falls


class Checked(NamedTuple):
    """A threshold, and the audited answers that it accepts: how many, and how many are wrong."""

    threshold: float
    n_checked: int
    n_wrong: int


class ShareTest(NamedTuple):
    """How a threshold is tested: the largest share of wrong rows, and the error of the test.

    `of_all_rows` is whether the share is of all rows, or of those that are accepted; `by_bets`
    whether the test stays valid if the audit grows.
    """

    max_error: float
    level: float
    of_all_rows: bool
    by_bets: bool

    def compute_p_values(
        self, wrong: NDArray[np.bool_], checked: NDArray[np.bool_], n_rows: Any
    ) -> Floats:
        """Return p-values of the hypothesis that too many are wrong, (n_steps,).

        Parameters
        ----------
        wrong, checked : ndarray of bool of shape (n_steps, n_audited)
            Which audited rows a threshold counts, and which of them are wrong.
        n_rows : ndarray of int of shape (n_steps,), or None
            Number of all rows that it would count, if that is known.
        """
        if self.by_bets:
            return compute_betting_p_values(wrong, checked, n_rows, self.max_error)
        n_wrong, n_checked = wrong.sum(axis=1), checked.sum(axis=1)
        return compute_p_values(n_wrong, n_checked, n_rows, self.max_error)


class Calibration(NamedTuple):
    """A logistic curve from confidence to the probability of being right."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, confidences: Floats, right: NDArray[np.bool_]) -> Calibration:
        """Fit the curve to audited answers; few of them leave it near what the annotator says."""
        answered = np.isfinite(confidences)
        x = _to_logits(confidences[answered])
        signs = np.where(right[answered], 1.0, -1.0)

        def compute_loss(curve: Floats) -> tuple[float, Floats]:
            slope, intercept = curve
            margins = signs * (slope * x + intercept)
            pulls = -signs * expit(-margins)
            apart = np.array([(slope - 1.0) / _SLOPE_SPREAD**2, intercept / _SHIFT_SPREAD**2])
            prior = 0.5 * (apart @ np.array([slope - 1.0, intercept]))
            loss = -log_expit(margins).sum() + prior
            return float(loss), np.array([pulls @ x, pulls.sum()]) + apart

        found = minimize(
            compute_loss, [1.0, 0.0], jac=True, bounds=[(_LEAST_SLOPE, None), (None, None)]
        )
        return cls(*map(float, found.x))

    def apply(self, confidences: Floats) -> Floats:
        """Return probabilities of being right; -inf where there is no answer."""
        curve = expit(self.slope * _to_logits(confidences) + self.intercept)
        return np.asarray(np.where(np.isfinite(confidences), curve, -np.inf))

    def invert(self, value: float) -> float:
        """Return the least confidence whose probability is `value` or more; inf: none."""
        if not np.isfinite(value):
            return value
        rough = float(expit((logit(value) - self.intercept) / self.slope))
        near = np.clip(rough + np.array([-1e-12, 0.0, 1e-12]), _EDGE, 1.0)
        fits = near[self.apply(near) >= value]
        return float(fits.min()) if len(fits) else np.inf


AS_CLAIMED = Calibration(1.0, 0.0)


def make_grid(values: Floats, n_steps: int | None = None) -> Floats:
    """Return distinct values, from strict to loose; equally many apart, if there are many."""
    distinct = np.unique(values[np.isfinite(values)])[::-1]
    n_steps = _MAX_STEPS if n_steps is None else n_steps
    if len(distinct) <= n_steps:
        return distinct
    return distinct[np.linspace(0, len(distinct) - 1, n_steps).astype(np.intp)]


def walk(
    grid: Floats,
    values: Floats,
    wrong: NDArray[np.bool_],
    test: ShareTest,
    *,
    total: int | None = None,
    pool: Floats | None = None,
    start: float = 0.0,
) -> Checked:
    """Return the loosest threshold up to which all tests reject that too many are wrong.

    Parameters
    ----------
    grid : ndarray of shape (n_steps,)
        Thresholds, from strict to loose; not chosen by the labels of the audit.
    values, wrong : ndarray of shape (n_audited, n_annotators)
        Confidences of the audited answers, on one scale, and which of them are wrong, in the order
        in which they were drawn. A row is labeled by the first annotator whose value reaches the
        threshold.
    test : ShareTest
        How a threshold is tested.
    total : int, default=None
        Number of all rows.
    pool : ndarray of shape (n_rows,), default=None
        The values of all rows, if there is one annotator.
    start : float, default=0
        Share of the rows that the first threshold to be tested accepts.
    """
    steps = grid[:, np.newaxis, np.newaxis]
    reached = values >= steps  # (n_steps, n_audited, n_annotators)
    accepted = np.asarray(reached.any(axis=2))
    source = reached.argmax(axis=2)
    is_wrong = np.take_along_axis(wrong, source.T, axis=1).T & accepted
    n_wrong, n_checked = is_wrong.sum(axis=1), accepted.sum(axis=1)
    n_accepted = None if pool is None else np.searchsorted(np.sort(-pool), -grid, side="right")
    if test.of_all_rows:
        totals = None if total is None else np.full(len(grid), total)
        p = test.compute_p_values(is_wrong, np.ones_like(accepted), totals)
        ready = np.ones(len(grid), dtype=bool)
    else:
        p = test.compute_p_values(is_wrong, accepted, n_accepted)
        ready = np.ones(len(grid), dtype=bool)
        if not test.by_bets:  # before, no test could reject
            ready = (1.0 - test.max_error) ** n_checked <= test.level
        if n_accepted is not None and pool is not None:
            ready &= n_accepted >= start * len(pool)
    if not ready.any():
        return Checked(np.inf, 0, 0)
    first = int(ready.argmax())
    failed = np.flatnonzero(p[first:] > test.level)
    last = first + (int(failed[0]) if len(failed) else len(grid) - first) - 1
    if last < first:
        return Checked(np.inf, 0, 0)
    return Checked(float(grid[last]), int(n_checked[last]), int(n_wrong[last]))


def find_single_threshold(
    values: Floats, wrong: NDArray[np.bool_], total: int, max_error: float, level: float
) -> Checked:
    """Return the threshold of one annotator, before one wrong answer too many.

    Rows with the same confidence, of which one is the wrong answer too many, are all left out: who
    stops earlier than allowed has taken fewer wrong rows.

    Parameters
    ----------
    values, wrong : ndarray of shape (n_audited,)
        Confidences of the audited answers, and which are wrong.
    total : int
        Number of all rows.
    max_error, level : float
        As of :func:`count_allowed`.
    """
    allowed = count_allowed(len(values), total, max_error, level)
    if allowed < 0:
        return Checked(np.inf, 0, 0)
    order = np.argsort(-values, kind="stable")
    counts = np.cumsum(wrong[order])
    if counts[-1] <= allowed:
        return Checked(-np.inf, len(values), int(counts[-1]))
    bound = values[order[np.flatnonzero(counts > allowed)[0]]]
    kept = values > bound
    return Checked(float(np.nextafter(bound, np.inf)), int(kept.sum()), int(wrong[kept].sum()))


def choose_region(
    rows: NDArray[np.intp],
    confidences: Floats,
    calibration: Calibration,
    n_audit: int,
    max_error: float,
) -> NDArray[np.intp]:
    """Return the rows whose answers are most worth an audit: the largest region that may pass.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Positions, in random order.
    confidences : ndarray
        Confidences by position.
    calibration : Calibration
        The curve.
    n_audit : int
        Rows to audit; the region is at least twice as large, unless there are too few answers.
    max_error : float
        The share of the answers of the region that may be wrong, by the curve.

    Returns
    -------
    ndarray
        Those of the region, in the order they had.
    """
    ordered = np.sort(confidences[rows])[::-1]
    ordered = ordered[np.isfinite(ordered)]
    if len(ordered) <= n_audit:
        return rows
    rates = np.cumsum(1.0 - calibration.apply(ordered)) / np.arange(1, len(ordered) + 1)
    fits = np.flatnonzero(rates <= max_error)
    size = max(int(fits[-1]) + 1 if len(fits) else 0, min(2 * n_audit, len(ordered)))
    return rows[confidences[rows] >= ordered[size - 1]]


def _to_logits(confidences: Floats) -> Floats:
    return np.asarray(logit(np.clip(confidences, _EDGE, 1.0 - _EDGE)))
