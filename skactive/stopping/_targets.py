"""Stopping by known labels: those of an audit sample or a validation set."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

from skactive._utils.compat import Interval, StrOptions
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT
from skactive._utils.text import format_apart, pluralize
from skactive.estimation import clopper_pearson
from skactive.stopping._base import (
    Memory,
    Round,
    StoppingCriterion,
    Verdict,
    wait_for,
)
from skactive.stopping._evaluation import agreement, check_audit, check_binary_audit

__all__ = ["Plateau", "TargetReached"]


class TargetReached(StoppingCriterion):
    r"""Stop when an audit sample shows, with confidence, that a target accuracy is reached.

    **When:** there is a target, and labels to spare for an audit: rows drawn at random, labeled
    and never learned from (``SimulatedLearner(audit_share=)``).

    Parameters
    ----------
    target : float
        The accuracy to reach, below 1.
    confidence : float, default=0.95
        Confidence of the lower bound that has to reach it; above 0.5.
    n_looks : int, default=1
        Number of rounds that the confidence covers together. With 1 it holds for each bound by
        itself, and a campaign that looks after every round stops at the luckiest of many looks, too
        early more often than the confidence says: in a trial of 20 looks at 10 to 200 rows, 13 to
        14 % instead of 5 % of the models that stay just below the target. With the number of
        planned rounds it holds for all of them (Bonferroni's inequality; below 1 % in that trial),
        at the price of a larger audit.

    Notes
    -----
    With :math:`k` of :math:`n` audited rows predicted correctly, it stops when the exact one-sided
    lower bound of Clopper and Pearson reaches the target:

    .. math:: B^{-1}(\alpha / L;\ k, n - k + 1) \ge \text{target}

    Even without an error, the bound from an audit of :math:`n` rows is at most
    :math:`(\alpha / L)^{1/n}`: 95 % with confidence 0.95 takes 59 rows.

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934, :doi:`10.1093/biomet/26.4.404`.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.stopping import Round, TargetReached
    >>> monitor = TargetReached(0.9).start()
    >>> monitor.update(Round(n_labels=100, audit=np.ones(20))).reason
    '20 of 20 audited rows are right: with confidence 0.95 at least 0.861, below 0.9'
    >>> monitor.update(Round(n_labels=200, audit=np.ones(40))).reason
    '40 of 40 audited rows are right: with confidence 0.95 at least 0.928, which reaches 0.9'
    """

    reading = "lower bound of the accuracy"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "target": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0.5, 1, closed="neither")],
        "n_looks": POSITIVE_INT,
    }

    def __init__(self, target: float, *, confidence: float = 0.95, n_looks: int = 1) -> None:
        self.target = target
        self.confidence = confidence
        self.n_looks = n_looks

    def limit(self) -> float:
        """Return the target."""
        return self.target

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Bound the accuracy by the audit sample."""
        correct = check_binary_audit(self, current)
        k, n = int(correct.sum()), len(correct)
        # The lower end of a two-sided interval, at twice the error, is a one-sided bound.
        low, _ = clopper_pearson(k, n, 1.0 - 2.0 * (1.0 - self.confidence) / self.n_looks)
        stop = low >= self.target
        value, limit = format_apart(low, self.target)
        looks = "" if self.n_looks == 1 else f" over {self.n_looks} looks"
        return Verdict(
            stop,
            f"{k} of {n} audited rows are right: with confidence {self.confidence:.6g}{looks} at "
            f"least {value}, {'which reaches' if stop else 'below'} {limit}",
            low,
        )


class Plateau(StoppingCriterion):
    r"""Stop when a score has hardly risen for some rounds.

    **When:** there is a validation set, or an audit of hundreds of rows. Learning curves have
    steps: a long window is safer than a small tolerance.

    Parameters
    ----------
    score : {"agreement", "audit"} or callable, default="agreement"
        Score to watch. "agreement" is Cohen's kappa of the predictions of successive models on a
        random stop set; "audit" the mean score of the audit sample; a callable gets the
        :class:`Round` and returns a number, higher is better: the score of the round's `learner` on
        a validation set, say.
    window : int, default=5
        Number of rounds that may pass without a rise.
    tolerance : float, default=0.005
        Largest difference that does not count as a rise.
    stop_set_size : int, default=1000
        Number of rows on which the agreement is computed.

    Notes
    -----
    With :math:`s_t` the scores, it stops when the best of the last :math:`w` rounds is no better
    than the best of the rounds before, up to the tolerance:

    .. math:: \max_{i > t - w} s_i - \max_{i \le t - w} s_i \le \tau

    Examples
    --------
    >>> from skactive.stopping import Plateau, Round
    >>> scores = {10: 0.6, 20: 0.8, 30: 0.801, 40: 0.79}
    >>> monitor = Plateau(lambda current: scores[current.n_labels], window=2).start()
    >>> for n_labels in scores:
    ...     verdict = monitor.update(Round(n_labels))
    >>> verdict.reason
    'over 2 rounds the score reached 0.801, at most 0.005 above its best before, 0.8'
    """

    reading = "rise of the score"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "score": [StrOptions({"agreement", "audit"}), callable],
        "window": POSITIVE_INT,
        "tolerance": NONNEGATIVE_REAL,
        "stop_set_size": POSITIVE_INT,
    }

    def __init__(
        self,
        score: str | Callable[[Round], float] = "agreement",
        *,
        window: int = 5,
        tolerance: float = 0.005,
        stop_set_size: int = 1000,
    ) -> None:
        self.score = score
        self.window = window
        self.tolerance = tolerance
        self.stop_set_size = stop_set_size

    def limit(self) -> float:
        """Return the largest difference that does not count as a rise."""
        return self.tolerance

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the best of the window with the best before."""
        recent = memory.setdefault("recent", deque())
        score = self._score(current, memory)
        if score is not None:
            recent.append(score)
        if len(recent) > self.window:
            memory["best"] = max(memory.get("best", -math.inf), recent.popleft())
        if "best" not in memory:
            return wait_for("score", len(recent), self.window + 1)
        rise = max(recent) - memory["best"]
        stop = rise <= self.tolerance
        value, before = format_apart(max(recent), memory["best"])
        return Verdict(
            stop,
            f"over {pluralize(self.window, 'round')} the {self._name()} reached {value}, "
            f"{'at most' if stop else 'more than'} {self.tolerance:g} above its best before, "
            f"{before}",
            rise,
        )

    def _name(self) -> str:
        names = {"agreement": "agreement of successive models", "audit": "audit score"}
        return names[self.score] if isinstance(self.score, str) else "score"

    def _score(self, current: Round, memory: Memory) -> float | None:
        if self.score == "agreement":
            return agreement(self, current, memory, self.stop_set_size)
        if self.score == "audit":
            scores = check_audit(self, current)
            return float(scores.mean()) if len(scores) else None
        assert callable(self.score)
        score = float(self.score(current))
        if not math.isfinite(score):
            raise ValueError(f"score of Plateau must return a finite number, got {score}.")
        return score
