"""Stopping when a label gains less than it costs."""

from __future__ import annotations

import math
from collections import deque
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.compat import Interval, StrOptions
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_REAL
from skactive._utils.text import format_apart, pluralize
from skactive.stopping._base import Memory, Round, StoppingCriterion, Verdict, wait_for
from skactive.stopping._evaluation import check_binary_audit, draw_stop_set, predict_probabilities

__all__ = ["ExpectedGain"]


class ExpectedGain(StoppingCriterion):
    r"""Stop when one more label is expected to gain less than it costs.

    **When:** labels have a price and accuracy has a value. Read the assumptions below.

    Parameters
    ----------
    worth : float
        Value of one percentage point of accuracy, in the currency of `cost`.
    cost : float, default=1.0
        Cost of a label.
    error : {"expected", "audit"}, default="expected"
        Source of the error. "expected" is the model's own estimate on a random stop set, smooth
        but only as good as its probabilities. "audit" is the model's error rate on the audit
        sample: unbiased, but with fewer than hundreds of rows so rough that the slope is noise.
    window : int, default=5
        Number of rounds to which the power law is fitted; at least 3. It never stops before.
    stop_set_size : int, default=1000
        Number of rows for the model's own estimate.

    Notes
    -----
    A power law :math:`e(n) = a n^{-b}` is fitted to the errors of the last rounds, by least squares
    of :math:`\log e` on :math:`\log n`, and it stops when

    .. math:: 0 \le 100 \, w \, [e(n) - e(n + 1)] < c, \qquad
        \hat e = \frac{1}{|S|} \sum_{x \in S} (1 - \max_y p(y \mid x))

    It assumes (1) that the error continues as over the window; a power law without a floor always
    predicts further gains, so near the noise floor the criterion errs on the side of labeling more;
    (2) that the *slope* of the error is right, although the model's own estimate is usually too
    low; (3) that the next label is as useful as the last ones. A rising estimate of the error says
    nothing about gains (overconfident models become less so at first), so it does not stop then.
    An error of less than half a row counts as half a row.

    References
    ----------
    Figueroa, Zeng-Treitler, Kandula and Ngo, "Predicting sample size required for classification
    performance", BMC Medical Informatics and Decision Making 12, 2012,
    :doi:`10.1186/1472-6947-12-8`, for the power law of learning curves.

    Zhu, Wang, Hovy and Ma, "Confidence-based stopping criteria for active learning for data
    annotation", ACM Transactions on Speech and Language Processing 6, 2010, for the expected error.

    Examples
    --------
    >>> from skactive.stopping import ExpectedGain, Round
    >>> import numpy as np
    >>> monitor = ExpectedGain(worth=10, error="audit", window=3).start()
    >>> for n_labels, n_wrong in ((100, 40), (200, 20), (400, 10)):  # the error halves: 40 / n
    ...     audit = (np.arange(100) >= n_wrong).astype(float)
    ...     verdict = monitor.update(Round(n_labels, audit=audit))
    >>> verdict.reason
    'one more label is expected to gain 0.0249 points, worth 0.249, less than its cost of 1'
    """

    reading = "expected gain of a label"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "worth": POSITIVE_REAL,
        "cost": POSITIVE_REAL,
        "error": [StrOptions({"expected", "audit"})],
        "window": [Interval(Integral, 3, None, closed="left")],
        "stop_set_size": POSITIVE_INT,
    }

    def __init__(
        self,
        worth: float,
        *,
        cost: float = 1.0,
        error: str = "expected",
        window: int = 5,
        stop_set_size: int = 1000,
    ) -> None:
        self.worth = worth
        self.cost = cost
        self.error = error
        self.window = window
        self.stop_set_size = stop_set_size

    def limit(self) -> float:
        """Return the cost of a label."""
        return self.cost

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Fit the power law to the errors of the window."""
        errors = memory.setdefault("errors", deque(maxlen=self.window))
        error = self._error(current, memory)
        if error is not None:
            errors.append((current.n_labels, error))
        if len(errors) < self.window:
            return wait_for("error", len(errors), self.window)
        exponent, now = _power_law(np.array(errors, dtype=np.float64))
        log_ratio = -math.log1p(1.0 / current.n_labels)  # log(n / (n + 1))
        return self._judge_gain(-100.0 * now * math.expm1(exponent * log_ratio))

    def _judge_gain(self, gain: float) -> Verdict:
        """Compare the value of a gain, in percentage points, with the cost of a label."""
        worth = self.worth * gain
        if worth < -1e-9 * self.cost:  # rounding can make a flat curve negative
            window = pluralize(self.window, "round")
            return Verdict(False, f"the estimated error did not fall over {window}", worth)
        stop = worth < self.cost
        value, limit = format_apart(worth, self.cost)
        return Verdict(
            stop,
            f"one more label is expected to gain {gain:.3g} points, worth {value}, "
            f"{'less than' if stop else 'at least'} its cost of {limit}",
            worth,
        )

    def _error(self, current: Round, memory: Memory) -> float | None:
        if self.error == "audit":
            correct = check_binary_audit(self, current)
            return max(1.0 - float(correct.mean()), 0.5 / len(correct)) if len(correct) else None
        rows = draw_stop_set(current, memory, self.stop_set_size)
        n_wrong = sum(  # expected number of wrong predictions
            float((1.0 - p.max(axis=1)).sum()) for p in predict_probabilities(self, current, rows)
        )
        return max(n_wrong, 0.5) / len(rows)


def _power_law(points: Floats) -> tuple[float, float]:
    """Fit ``e = a n**-b`` to points (n, e), shape (n_points, 2): return b, and e at the last n."""
    x, y = np.log(points).T
    centered = x - x.mean()
    slope = float(centered @ y / max(centered @ centered, np.finfo(float).tiny))
    return -slope, float(np.exp(y.mean() + slope * centered[-1]))
