"""DriftAlert: alarms when annotators or the accuracy of the model change."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import RLock
from typing import Any

import numpy as np

from skactive.estimation import clopper_pearson
from skactive.exceptions import SkactiveWarning
from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._drift_tests import (
    AlphaSpending,
    Classes,
    Pair,
    Windows,
    agreement_test,
    class_test,
    kappa_interval,
    speed_test,
)
from skactive.labeling.state._events import Ident

__all__ = ["Drift", "DriftAlert"]

SIGNALS = ("speed", "classes", "agreement", "accuracy")


@dataclass(frozen=True)
class Drift:
    """A change that raised an alarm; ``str()`` of it is a sentence.

    Parameters
    ----------
    signal : str
        "speed", "classes", "agreement" or "accuracy".
    annotators : tuple of (str or None)
        The annotators concerned: one, two who agree less, or none.
    before, now : float
        Median seconds per answer, share of the class, kappa, or accuracy.
    p_value : float
        P-value of the test; NaN for the accuracy, where two intervals are compared.
    level : float
        Level of the test; it decreases from test to test, so that all of them together keep to
        `alpha`.
    n_labels : int
        Number of labels at the time of the alarm.
    message : str
        The sentence.
    """

    signal: str
    annotators: tuple[str | None, ...]
    before: float
    now: float
    p_value: float
    level: float
    n_labels: int
    message: str

    def __str__(self) -> str:
        return self.message


class DriftAlert:
    r"""Hook that raises an alarm when speed, classes, agreement or accuracy drift.

    Each signal is tested repeatedly while labels come in. The chance that *any* of these tests
    gives a false alarm, in a session of any length, is at most `alpha`.

    ==============  ================================================================================
    signal          test
    ==============  ================================================================================
    ``speed``       seconds per answer of each annotator: two-sided Mann-Whitney rank test; the
                    times must also differ by a factor of at least `speed_ratio`
    ``classes``     shares of the classes among the audit rows: two-sided Fisher's exact test of
                    each class
    ``agreement``   Cohen's kappa of any two annotators who labeled the same rows: one-sided test
                    of a fall
    ``accuracy``    accuracy of the model on the audit rows: below the best so far
    ==============  ================================================================================

    Parameters
    ----------
    callback : callable, default=None
        Called with each :class:`Drift`, for example ``logging.getLogger("labels").warning``. None
        gives a :class:`~skactive.exceptions.SkactiveWarning`.
    signals : sequence of str, default=("speed", "classes", "agreement", "accuracy")
        The signals to watch. With fewer signals each test has more power.
    alpha : float, default=0.05
        Bound on the chance of any false alarm; each signal has an equal part of it.
    window : int, default=50
        Number of answers, audit rows or pairs that are compared with as many from the beginning;
        also the number of audit rows from which on the accuracy is watched. At least 10. Larger
        windows detect smaller changes, later.
    speed_ratio : float, default=1.25
        Changes of speed by a smaller factor give no alarm, however significant they are.
    audit_ids : container of ids, default=()
        Rows that were drawn at random, in addition to the audit rows of the session. Without any
        such rows the classes are not watched.

    Attributes
    ----------
    alarms : list of Drift
        All alarms so far, including those of :meth:`replay`.

    Notes
    -----
    The first `window` values are the reference. Each block of `window` new values is compared with
    it once. The k-th test of a signal, whichever annotators it concerns, has the level
    :math:`\alpha / (4 k (k + 1))` (with four signals); the levels add up to :math:`\alpha`, and the
    union bound needs no independence. After an alarm the newest values are the reference.

    Assumptions of the tests when nothing drifts:

    * *speed*: the times of an annotator are exchangeable, that is, in no particular order. A query
      strategy that begins to ask harder rows slows people down: then the alarm is true, but not
      about them. An answer counts if its seconds are known, once per submission.
    * *classes*: active learning itself changes the mix of classes, so only rows drawn at random
      count, each with its first label. A drift there concerns how people label, or who does.
      Labels of type float are not classes.
    * *agreement*: the pairs of two annotators are exchangeable. The first label of each of them for
      a row counts; several classes of a row are one label. Harder rows lower the agreement as well.
      If one annotator only corrects the other, kappa describes the corrected rows.
    * *accuracy*: the audit rows are random. An alarm means that the upper end of the
      Clopper-Pearson interval is below the highest lower end so far; the intervals of the k-th
      round have the confidence 1 minus the level above. All of them hold at once with probability
      :math:`1 - \alpha / 4`, and then a model that never got worse gives no alarm. Only a large
      fall, or one on many audit rows, is detected.

    Hooks do not learn of ``undo``: an answer that is retracted still counts.

    References
    ----------
    Mann and Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", Annals of Mathematical Statistics 18, 1947.

    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.labeling import SessionEvent
    >>> from skactive.labeling.hooks import DriftAlert
    >>> alert = DriftAlert(print, signals=["speed"], window=30)
    >>> seconds = np.random.RandomState(1).lognormal(1.0, 0.4, size=90)
    >>> seconds[60:] *= 2.5  # after 60 answers the annotator is tired
    >>> for row, took in enumerate(seconds):
    ...     labels = {row: "cat"}
    ...     event = SessionEvent(
    ...         "on_labels", 1, row + 1, (row,), seconds=took, annotator="ann", labels=labels
    ...     )
    ...     alert.on_labels(event)
    ann takes 2.8 times as long as before: 2.5 s, now 7.3 s (medians of 30 answers, p = 6.1e-10).
    """

    def __init__(
        self,
        callback: Callable[[Drift], Any] | None = None,
        *,
        signals: Sequence[str] = SIGNALS,
        alpha: float = 0.05,
        window: int = 50,
        speed_ratio: float = 1.25,
        audit_ids: Container[Ident] = (),
    ) -> None:
        import scipy.stats  # noqa: F401  now, while nobody waits: it takes half a second

        _check_alert_settings(signals, alpha, window, speed_ratio)
        self.callback, self.signals, self.alpha = callback, tuple(signals), alpha
        self.window, self.speed_ratio, self.audit_ids = window, speed_ratio, audit_ids
        self.alarms: list[Drift] = []
        self._levels = {s: AlphaSpending(alpha / len(self.signals)) for s in self.signals}
        self._lock = RLock()
        self._seconds: dict[str | None, Windows[float]] = {}
        self._audited: set[Ident] = set()
        self._classes: Windows[Classes] = Windows(window)
        self._first_labels: dict[Ident, dict[str, Any]] = {}
        self._pairs: dict[tuple[str, str], Windows[Pair]] = {}
        self._best: tuple[float, float, int] | None = None  # lower end, accuracy, n rows

    def on_labels(self, event: SessionEvent) -> None:
        """Watch speed, classes and agreement."""
        for drift in self._detect(event):
            self._report(drift)

    def on_round_end(self, event: SessionEvent) -> None:
        """Watch the accuracy."""
        with self._lock:
            drifts = list(self._watch_accuracy(event)) if "accuracy" in self.signals else []
            self.alarms += drifts
        for drift in drifts:
            self._report(drift)

    def replay(self, records: Iterable[dict[str, Any]]) -> None:
        """Process the answers of earlier sessions, so that the first of them are the reference.

        Alarms are added to `alarms`; the callback is not called. The accuracy starts without a
        reference. Consecutive answers of one annotator with the same ticket and seconds count as
        one submission.

        Parameters
        ----------
        records : iterable of dict
            Records as ``LabelingSession.records()`` returns them.
        """
        labeled: set[Ident] = set()
        label_records = (record for record in records if record["kind"] == "label")
        for (annotator, seconds, _), answers in groupby(label_records, _submission_key):
            labels = {record["id"]: record["label"] for record in answers}
            labeled.update(labels)
            event = SessionEvent(
                "on_labels",
                0,
                len(labeled),
                tuple(labels),
                annotator=annotator,
                labels=labels,
                seconds=seconds or 0.0,
            )
            self._detect(event)

    def _detect(self, event: SessionEvent) -> list[Drift]:
        """Process answers; return the new alarms."""
        watchers = {
            "speed": self._watch_speed,
            "classes": self._watch_classes,
            "agreement": self._watch_agreement,
        }
        with self._lock:
            drifts = [
                drift
                for signal, watch in watchers.items()
                if signal in self.signals
                for drift in watch(event)
            ]
            self.alarms += drifts
        return drifts

    def _report(self, drift: Drift) -> None:
        if self.callback is not None:
            self.callback(drift)
        else:
            warnings.warn(str(drift), SkactiveWarning, stacklevel=2)

    # Signals --------------------------------------------------------------------------------------

    def _watch_speed(self, event: SessionEvent) -> Iterator[Drift]:
        if not (event.labels and 0 < event.seconds < np.inf):
            return
        windows = self._seconds.setdefault(event.annotator, Windows(self.window))
        if (both := windows.add(event.seconds)) is None:
            return
        first, newest = both
        level = self._levels["speed"].next_level()
        p_value, ratio = speed_test(first, newest)
        if p_value <= level and max(ratio, 1 / ratio) >= self.speed_ratio:
            windows.restart(newest)
            before, now = float(np.median(first)), float(np.median(newest))
            message = (
                f"{_display_name(event.annotator)} takes {ratio:.2g} times as long as before: "
                f"{before:.2g} s, now {now:.2g} s (medians of {self.window} answers, "
                f"p = {p_value:.2g})."
            )
            who = (event.annotator,)
            yield Drift("speed", who, before, now, p_value, level, event.n_labels, message)

    def _watch_classes(self, event: SessionEvent) -> Iterator[Drift]:
        for ident in self._find_new_audited(event):
            if (both := self._classes.add(_to_classes(event.labels[ident]))) is None:
                continue
            first, newest = both
            level = self._levels["classes"].next_level()
            p_value, label, before, now = class_test(first, newest)
            if p_value <= level:
                self._classes.restart(newest)
                message = (
                    f"Of rows drawn at random {before:.0%} were {label!r} before, now it is "
                    f"{now:.0%} ({self.window} rows each, p = {p_value:.2g})."
                )
                yield Drift("classes", (), before, now, p_value, level, event.n_labels, message)

    def _find_new_audited(self, event: SessionEvent) -> list[Ident]:
        """Return the rows drawn at random that get a class for the first time."""
        new = [
            ident
            for ident, label in event.labels.items()
            if not isinstance(label, float) and ident not in self._audited
            if ident in event.audited or ident in self.audit_ids
        ]
        self._audited.update(new)
        return new

    def _watch_agreement(self, event: SessionEvent) -> Iterator[Drift]:
        for names, pair in self._find_new_pairs(event):
            windows = self._pairs.setdefault(names, Windows(self.window))
            if (both := windows.add(pair)) is None:
                continue
            first, newest = both
            level = self._levels["agreement"].next_level()
            p_value = agreement_test(first, newest)
            if p_value <= level:
                windows.restart(newest)
                before, now = kappa_interval(first), kappa_interval(newest)
                message = (
                    f"{names[0]} and {names[1]} agree less than before: kappa {_format(*before)}, "
                    f"now {_format(*now)} ({self.window} rows each, p = {p_value:.2g})."
                )
                n = event.n_labels
                yield Drift("agreement", names, before.value, now.value, p_value, level, n, message)

    def _find_new_pairs(self, event: SessionEvent) -> Iterator[tuple[tuple[str, str], Pair]]:
        """Yield the names of two annotators, and the first label of each of them for a row."""
        name = event.annotator
        if name is None:
            return
        for ident, label in event.labels.items():
            labels = self._first_labels.setdefault(ident, {})  # of this row, by annotator
            if name in labels or isinstance(label, float):
                continue
            labels[name] = tuple(sorted(label, key=str)) if isinstance(label, list) else label
            for a, b in (sorted((name, other)) for other in labels if other != name):
                yield (a, b), (labels[a], labels[b])

    def _watch_accuracy(self, event: SessionEvent) -> Iterator[Drift]:
        n, score = int(event.metrics.get("audit_n", 0)), event.metrics.get("audit_score", 0.0)
        if n < self.window:
            return
        level = self._levels["accuracy"].next_level()
        low, high = clopper_pearson(round(score * n), n, 1 - level)
        best = self._best
        if best is None or low > best[0] or high < best[0]:
            self._best = (low, score, n)
        if best is not None and high < best[0]:
            (_, before, n_before), n_labels = best, event.n_labels
            message = (
                "The model got worse on the audit rows: accuracy "
                f"{_format(before, *clopper_pearson(round(before * n_before), n_before))}, "
                f"now {_format(score, *clopper_pearson(round(score * n), n))} of {n} rows."
            )
            yield Drift("accuracy", (), before, score, float("nan"), level, n_labels, message)


def _check_alert_settings(
    signals: Sequence[str], alpha: float, window: int, speed_ratio: float
) -> None:
    if isinstance(signals, str) or not signals or set(signals) - set(SIGNALS):
        raise ValueError(f"signals must be some of {', '.join(SIGNALS)}, got {signals!r}.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha!r}: 0.05 means 5 %.")
    if window < 10:
        raise ValueError(f"window must be at least 10, got {window!r}: smaller ones have no power.")
    if not speed_ratio >= 1:
        raise ValueError(f"speed_ratio must be at least 1, got {speed_ratio!r}.")


def _submission_key(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return the values that all answers of a submission share."""
    return record["annotator"], record["seconds"], record["ticket"]


def _to_classes(label: Any) -> Classes:
    return tuple(label) if isinstance(label, list | tuple) else (label,)


def _display_name(annotator: str | None) -> str:
    return "An annotator without a name" if annotator is None else annotator


def _format(value: float, low: float, high: float) -> str:
    return f"{value:.2f} (95 %: {low:.2f} .. {high:.2f})"
