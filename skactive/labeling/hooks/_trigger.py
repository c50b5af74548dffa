"""Trigger: when to refit, to audit or to ask, by labels, drift, accuracy or time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from skactive._utils.input_kinds import check_callable, check_count, check_number, check_option
from skactive.estimation import Estimate, clopper_pearson
from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._drift_tests import AlphaSpending
from skactive.labeling.hooks._pool_drift import PoolDrift

__all__ = ["Trigger", "TriggerFired"]

ACTIONS = ("refit", "audit", "ask")
_ALPHA = 0.05


@dataclass(frozen=True)
class TriggerFired:
    """Condition of a trigger that was met; ``str()`` of it is a sentence.

    Parameters
    ----------
    action : str
        Action that is due: "refit", "audit" or "ask".
    condition : str
        Condition that was met: "n_labels", "drift", "accuracy" or "time".
    n_labels : int
        Number of labels in the session by then.
    message : str
        The sentence.
    """

    action: str
    condition: str
    n_labels: int
    message: str

    def __str__(self) -> str:
        return self.message


class Trigger:
    """Hook that says when it is time to refit the model, to audit it, or to ask for labels.

    It fires as soon as any of its conditions is met, and then begins anew with all of them. It only
    calls `callback`, which is to do what is due.

    Parameters
    ----------
    action : {"refit", "audit", "ask"}
        The action that is due when it fires.
    callback : callable
        Called with each :class:`TriggerFired`, in the thread that met the condition.
    n_labels : int, default=None
        Fires after so many new labels.
    drift : PoolDrift, default=None
        Fires when rows given to :meth:`watch_rows` are unlike the pool.
    accuracy_below : float, default=None
        Fires when the accuracy is below: that of a session's audit, at the end of a round, or an
        estimate given to :meth:`watch_accuracy`. All of its interval must be below.
    seconds : float, default=None
        Fires so long after the beginning or the last time; it notices at the next call of any of
        its methods, :meth:`check` among them.
    clock : callable, default=time.monotonic
        Returns the seconds of a clock.

    Attributes
    ----------
    fired : list of TriggerFired
        All times that it fired.

    Raises
    ------
    ValueError
        If there is no condition, or one of them is out of range.

    Notes
    -----
    The audit of a session is read after every round; the k-th reading since the last time has the
    confidence :math:`1 - 0.05 / (k (k + 1))`, so that in 95 % of sessions none of them fires while
    the accuracy is not below. An estimate given to :meth:`watch_accuracy` is taken as it is: one
    that is looked at again and again should hold at all times
    (``ActiveEvaluation.estimate(anytime=True)``).

    Examples
    --------
    >>> from skactive.estimation import Estimate
    >>> from skactive.labeling.hooks import Trigger
    >>> trigger = Trigger("refit", print, n_labels=500, accuracy_below=0.8)
    >>> trigger.watch_accuracy(Estimate(0.74, 0.69, 0.78, 200, "calibrated", 0.95))
    Time to refit: the accuracy is 0.74 (0.69 .. 0.78), below 0.8.
    """

    def __init__(
        self,
        action: str,
        callback: Callable[[TriggerFired], Any],
        *,
        n_labels: int | None = None,
        drift: PoolDrift | None = None,
        accuracy_below: float | None = None,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_option("action", action, ACTIONS)
        if (n_labels, drift, accuracy_below, seconds) == (None, None, None, None):
            raise ValueError("Give a condition: n_labels, drift, accuracy_below or seconds.")
        if n_labels is not None:
            check_count("n_labels", n_labels)
        if accuracy_below is not None:
            check_number("accuracy_below", accuracy_below, 0.0, 1.0)
        if seconds is not None:
            check_number("seconds", seconds, 0.0, above=True)
        if drift is not None and not callable(getattr(drift, "update", None)):
            raise TypeError(f"drift must be a PoolDrift, got {drift!r}.")
        self.action, self.callback = action, check_callable("callback", callback)
        self.n_labels, self.drift = n_labels, drift
        self.accuracy_below, self.seconds, self.clock = accuracy_below, seconds, clock
        self.fired: list[TriggerFired] = []
        self._lock = RLock()
        self._n_labels = 0  # of the session
        self._restart()

    def on_labels(self, event: SessionEvent) -> None:
        """Count new labels."""
        with self._lock:
            self._n_labels = event.n_labels
            self._n_new += len(event.labels)
            is_due = self.n_labels is not None and self._n_new >= self.n_labels
            reason = f"{self._n_new} new labels" if is_due else ""
            fired = self._fire("n_labels", reason)
        self._tell(fired)

    def on_round_end(self, event: SessionEvent) -> None:
        """Read the accuracy on the audit rows."""
        n = int(event.metrics.get("audit_n", 0))
        if n == 0 or self.accuracy_below is None:
            self.check()
            return
        score = event.metrics["audit_score"]
        with self._lock:
            self._n_labels = event.n_labels
            level = 1.0 - self._levels.next_level()
        interval = clopper_pearson(round(score * n), n, level)
        self.watch_accuracy(Estimate(score, *interval, n, "clopper-pearson", level))

    def watch_rows(self, X: Any) -> None:
        """Take new rows and pass them to `drift`.

        Parameters
        ----------
        X : rows
            New rows, as :meth:`PoolDrift.update` takes them.

        Raises
        ------
        ValueError
            If the trigger has no `drift`.
        """
        if self.drift is None:
            raise ValueError("This trigger does not watch rows: give it drift=PoolDrift(...).")
        with self._lock:
            shift = self.drift.update(X)
            fired = self._fire("drift", "" if shift is None else str(shift).rstrip("."))
        self._tell(fired)

    def watch_accuracy(self, estimate: Estimate) -> None:
        """Take an estimate of the accuracy.

        Parameters
        ----------
        estimate : Estimate
            Such as :class:`ExpectedAccuracy` gives.

        Raises
        ------
        ValueError
            If the trigger has no `accuracy_below`.
        """
        if self.accuracy_below is None:
            raise ValueError("This trigger does not watch the accuracy: give it accuracy_below.")
        with self._lock:
            reason = ""
            if estimate.high < self.accuracy_below:
                value, low, high = (f"{number:.2f}" for number in estimate[:3])
                reason = f"the accuracy is {value} ({low} .. {high}), below {self.accuracy_below:g}"
            fired = self._fire("accuracy", reason)
        self._tell(fired)

    def check(self) -> None:
        """Look at the clock."""
        with self._lock:
            fired = self._fire("", "")
        self._tell(fired)

    def _restart(self) -> None:
        self._n_new, self._began = 0, self.clock()
        self._levels = AlphaSpending(_ALPHA)

    def _fire(self, condition: str, reason: str) -> TriggerFired | None:
        """Note that a condition is met, if there is a reason or the time is over."""
        passed = self.clock() - self._began
        if not reason and self.seconds is not None and passed >= self.seconds:
            condition, reason = "time", f"{passed:.0f} seconds have passed"
        if not reason:
            return None
        message = f"Time to {self.action}: {reason[0].lower()}{reason[1:]}."
        fired = TriggerFired(self.action, condition, self._n_labels, message)
        self.fired.append(fired)
        self._restart()
        return fired

    def _tell(self, fired: TriggerFired | None) -> None:
        if fired is not None:
            self.callback(fired)
