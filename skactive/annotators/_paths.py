"""From audited answers to a threshold: tests from strict to loose, until one fails."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression

from skactive._utils.array_types import Floats
from skactive.annotators._bounds import compute_p_values, count_allowed

__all__ = ["Calibration", "Checked", "choose_region", "find_single_threshold", "make_grid", "walk"]

_MAX_STEPS = 2_000  # of a search
_EDGE = 1e-6  # confidences are kept this far from 0 and 1
_START = 0.8  # of a region: there the tests begin
_N_REGIONS = 60


class Checked(NamedTuple):
    """A threshold, and the audited answers that it accepts: how many, and how many are wrong."""

    threshold: float
    n_checked: int
    n_wrong: int


class Calibration(NamedTuple):
    """A logistic curve from confidence to the probability of being right."""

    slope: float
    intercept: float

    @classmethod
    def fit(cls, confidences: Floats, right: NDArray[np.bool_]) -> Calibration:
        """Fit the curve to audited answers; it never falls."""
        answered = np.isfinite(confidences)
        hits = right[answered]
        if not 0 < hits.sum() < len(hits):  # all alike: Laplace's rule, and the order as it is
            share = (hits.sum() + 1) / (len(hits) + 2)
            return cls(1.0, float(logit(share) - np.median(_to_logits(confidences[answered]))))
        model = LogisticRegression().fit(_to_logits(confidences[answered])[:, np.newaxis], hits)
        slope = max(float(model.coef_[0, 0]), 0.0)
        return cls(slope, float(model.intercept_[0]) if slope else float(logit(hits.mean())))

    def apply(self, confidences: Floats) -> Floats:
        """Return probabilities of being right; -inf where there is no answer."""
        curve = expit(self.slope * _to_logits(confidences) + self.intercept)
        return np.asarray(np.where(np.isfinite(confidences), curve, -np.inf))

    def invert(self, value: float) -> float:
        """Return the least confidence whose probability is `value` or more; inf: none."""
        if not np.isfinite(value):
            return value
        if not self.slope:
            return -np.inf if expit(self.intercept) >= value else np.inf
        rough = float(expit((logit(value) - self.intercept) / self.slope))
        near = np.clip(rough + np.array([-1e-12, 0.0, 1e-12]), _EDGE, 1.0)
        fits = near[self.apply(near) >= value]
        return float(fits.min()) if len(fits) else np.inf


def make_grid(values: Floats) -> Floats:
    """Return distinct values, from strict to loose; equally many rows apart, if there are many."""
    distinct = np.unique(values[np.isfinite(values)])[::-1]
    if len(distinct) <= _MAX_STEPS:
        return distinct
    return distinct[np.linspace(0, len(distinct) - 1, _MAX_STEPS).astype(np.intp)]


def walk(
    grid: Floats,
    values: Floats,
    wrong: NDArray[np.bool_],
    max_error: float,
    level: float,
    guarantee: str,
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
        Confidences of the audited answers, on one scale, and which of them are wrong. A row is
        labeled by the first annotator whose value reaches the threshold.
    max_error, level : float
        The share of wrong rows, and the error of the tests.
    guarantee : {"set", "accepted"}
        Whether the share is of all rows, or of those that are accepted.
    total : int, default=None
        Number of all rows.
    pool : ndarray of shape (n_rows,), default=None
        The values of all rows, if there is one annotator.
    start : float, default=0
        Share of the rows that the first threshold to be tested accepts.
    """
    steps = grid[:, np.newaxis, np.newaxis]
    reached = values >= steps  # (n_steps, n_audited, n_annotators)
    accepted = reached.any(axis=2)
    source = reached.argmax(axis=2)
    is_wrong = np.take_along_axis(wrong, source.T, axis=1).T & accepted
    n_wrong, n_checked = is_wrong.sum(axis=1), accepted.sum(axis=1)
    n_accepted = None if pool is None else np.searchsorted(np.sort(-pool), -grid, side="right")
    if guarantee == "set":
        p = compute_p_values(n_wrong, len(values), total, max_error)
        ready = np.ones(len(grid), dtype=bool)
    else:
        p = compute_p_values(n_wrong, n_checked, n_accepted, max_error)
        ready = (1.0 - max_error) ** n_checked <= level  # before, no test could reject
        if n_accepted is not None and pool is not None:
            ready &= n_accepted >= start * len(pool)
    if not ready.any():
        return Checked(np.inf, 0, 0)
    first = int(ready.argmax())
    failed = np.flatnonzero(p[first:] > level)
    last = first + (int(failed[0]) if len(failed) else len(grid) - first) - 1
    if last < first:
        return Checked(np.inf, 0, 0)
    return Checked(float(grid[last]), int(n_checked[last]), int(n_wrong[last]))


def find_single_threshold(
    values: Floats, wrong: NDArray[np.bool_], total: int, max_error: float, level: float
) -> Checked:
    """Return the threshold of one annotator without ties, before one wrong answer too many.

    Parameters
    ----------
    values, wrong : ndarray of shape (n_audited,)
        Confidences of the audited answers, all different, and which are wrong.
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
    beyond = np.flatnonzero(counts > allowed)
    if not len(beyond):
        return Checked(-np.inf, len(values), int(counts[-1]))
    stop = int(beyond[0])
    return Checked(float(np.nextafter(values[order[stop]], np.inf)), stop, allowed)


def choose_region(
    rows: NDArray[np.intp],
    confidences: Floats,
    calibration: Calibration,
    n_audit: int,
    max_error: float,
    level: float,
) -> tuple[NDArray[np.intp], float]:
    """Return the rows whose answers are most worth an audit, and where to begin the tests.

    For each region of surest rows, the curve says how many of its answers are wrong, so how likely
    it passes a test on `n_audit` of its rows: the one that is expected to yield most is taken.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Positions, in random order.
    confidences : ndarray
        Confidences by position.
    calibration : Calibration
        The curve.
    n_audit : int
        Rows to audit.
    max_error, level : float
        The share of wrong rows, and the error of the tests.

    Returns
    -------
    rows : ndarray
        Those of the region, in the order they had.
    start : float
        The share of the region that the first test is to accept.
    """
    errors = 1.0 - calibration.apply(np.sort(confidences[rows])[::-1])
    errors = errors[np.isfinite(errors)]
    if len(errors) <= n_audit:
        return rows, _START
    sizes = np.unique(np.linspace(n_audit, len(errors), _N_REGIONS).astype(np.intp))
    rates = (np.cumsum(errors) / np.arange(1, len(errors) + 1))[
        np.maximum((_START * sizes).astype(np.intp) - 1, 0)
    ]
    n_first = int(_START * n_audit)
    counts = np.arange(n_first + 1)
    allowed: Any = int((compute_p_values(counts, n_first, None, max_error) <= level).sum()) - 1
    size = sizes[np.argmax(sizes * binom.cdf(allowed, n_first, rates))]
    least = np.sort(confidences[rows])[::-1][size - 1]
    return rows[confidences[rows] >= least], _START


def _to_logits(confidences: Floats) -> Floats:
    return np.asarray(logit(np.clip(confidences, _EDGE, 1.0 - _EDGE)))
