"""DriftAlert: says when annotators, or the accuracy, are not what they were."""

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
    Classes,
    Levels,
    Pair,
    Windows,
    agreement_test,
    class_test,
    cohen_kappa,
    speed_test,
)
from skactive.labeling.state._events import Ident

__all__ = ["Drift", "DriftAlert"]

SIGNALS = ("speed", "classes", "agreement", "accuracy")


@dataclass(frozen=True)
class Drift:
    """Something that is not what it was; as a text, a sentence about it.

    Parameters
    ----------
    signal : str
        "speed", "classes", "agreement" or "accuracy".
    annotators : tuple of (str or None)
        Whom it is about: one, two who agree less, or none.
    before, now : float
        Seconds an answer (the medians), share of the class, kappa, or accuracy.
    p_value : float
        Of the test; NaN for the accuracy, where two intervals are compared.
    level : float
        Of the test: smaller with each, so that all together keep to `alpha`.
    n_labels : int
        How many labels there were.
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
    r"""Raises an alarm when speed, classes, agreement or accuracy drift.

    Each is tested again and again while labels come in. The chance that *any* of these tests gives
    a false alarm, in a campaign of any length, is at most `alpha`.

    ==============  ================================================================================
    signal          what is compared
    ==============  ================================================================================
    ``speed``       seconds an answer, of each annotator: Mann and Whitney's rank test, two-sided;
                    and one takes `speed_ratio` times as long as the other, at least
    ``classes``     shares of the classes among the rows of the audit: Fisher's exact test of each
                    class, two-sided
    ``agreement``   Cohen's kappa of each two annotators who labeled the same rows: whether it fell
    ``accuracy``    of the model on the rows of the audit: whether it fell below the best so far
    ==============  ================================================================================

    Parameters
    ----------
    callback : callable, default=None
        Called with each :class:`Drift`; ``logging.getLogger("labels").warning`` will do. None gives
        a :class:`~skactive.exceptions.SkactiveWarning`.
    signals : sequence of str, default=("speed", "classes", "agreement", "accuracy")
        What to watch. The fewer, the more the others see.
    alpha : float, default=0.05
        The chance of any false alarm; each signal has an equal part of it.
    window : int, default=50
        How many answers, audited rows or pairs are compared with as many from the beginning; the
        accuracy is judged from so many audited rows on. At least 10. With more, smaller changes are
        seen, later.
    speed_ratio : float, default=1.25
        Changes of speed below it give no alarm, however certain they are.
    audit_ids : container of ids, default=()
        Rows that were drawn at random, besides those that the session says are of its audit.
        Without any the classes are not watched.

    Attributes
    ----------
    alarms : list of Drift
        All so far, those of :meth:`replay` too.

    Notes
    -----
    The first `window` values are the reference. Each time as many new ones are there they are
    compared with it, once. The k-th test of a signal, whoever it is about, has the level
    :math:`\alpha / (4 k (k + 1))` (with four signals); these add up to :math:`\alpha`, and the
    union bound asks for no independence. After an alarm the newest values are the reference.

    What each test takes for granted where nothing drifts:

    * *speed*: an annotator's answers are exchangeable, that is, in no particular order. A strategy
      that comes to ask harder rows slows people down: then the alarm is true, but not about them.
      An answer counts where its seconds are known, one for each submission.
    * *classes*: active learning itself changes the mix of classes, so only rows drawn at random
      count, each by its first label. What drifts there is how people label, or who does.
      Labels that are numbers with a fraction are no classes.
    * *agreement*: the pairs of two annotators are exchangeable. The first label of each of them for
      a row counts; several classes of a row are one label. Rows that get harder lower it as well.
      Where one only mends what the other did, kappa is about what is mended.
    * *accuracy*: the audited rows are random. An alarm means that the upper end of Clopper and
      Pearson's interval is below the highest lower end so far; the intervals of the k-th round have
      the confidence 1 minus the level above. All of them hold at once with the chance
      :math:`1 - \alpha / 4`, and then a model that never got worse gives no alarm. It takes a large
      fall, or many audited rows, to see one.

    What a person takes back by ``undo`` is not told, and still counts.

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
        import scipy.stats  # noqa: F401  now, because nobody waits yet: it takes half a second

        _check(signals, alpha, window, speed_ratio)
        self.callback, self.signals, self.alpha = callback, tuple(signals), alpha
        self.window, self.speed_ratio, self.audit_ids = window, speed_ratio, audit_ids
        self.alarms: list[Drift] = []
        self._levels = {signal: Levels(alpha / len(self.signals)) for signal in self.signals}
        self._lock = RLock()
        self._seconds: dict[str | None, Windows[float]] = {}
        self._audited: set[Ident] = set()
        self._classes: Windows[Classes] = Windows(window)
        self._opinions: dict[Ident, dict[str, Any]] = {}
        self._pairs: dict[tuple[str, str], Windows[Pair]] = {}
        self._best: tuple[float, float, int] | None = None  # lower end, accuracy, rows

    def on_labels(self, event: SessionEvent) -> None:
        """Watch speed, classes and agreement."""
        for drift in self._read(event):
            self._tell(drift)

    def on_round_end(self, event: SessionEvent) -> None:
        """Watch the accuracy."""
        with self._lock:
            found = list(self._accuracy(event)) if "accuracy" in self.signals else []
            self.alarms += found
        for drift in found:
            self._tell(drift)

    def replay(self, records: Iterable[dict[str, Any]]) -> None:
        """Take in the answers of earlier sessions, so that the reference is what came first.

        Alarms are kept in `alarms`; nobody is called. The accuracy begins anew. Answers in a row
        of one person, under one ticket and of equal seconds count as one submission.

        Parameters
        ----------
        records : iterable of dict
            As of ``LabelingSession.records()``.
        """
        labeled: set[Ident] = set()
        given = (record for record in records if record["kind"] == "label")
        for (who, seconds, _), answers in groupby(given, _submission):
            labels = {record["id"]: record["label"] for record in answers}
            labeled.update(labels)
            about: dict[str, Any] = {"annotator": who, "labels": labels, "seconds": seconds or 0.0}
            self._read(SessionEvent("on_labels", 0, len(labeled), tuple(labels), **about))

    def _read(self, event: SessionEvent) -> list[Drift]:
        watched = {
            "speed": self._speed, "classes": self._class_mix, "agreement": self._agreement,
        }  # fmt: skip
        with self._lock:
            found = [
                drift
                for signal, watch in watched.items()
                if signal in self.signals
                for drift in watch(event)
            ]
            self.alarms += found
        return found

    def _tell(self, drift: Drift) -> None:
        if self.callback is not None:
            self.callback(drift)
        else:
            warnings.warn(str(drift), SkactiveWarning, stacklevel=2)

    # What is watched ------------------------------------------------------------------------------

    def _speed(self, event: SessionEvent) -> Iterator[Drift]:
        if not (event.labels and 0 < event.seconds < np.inf):
            return
        windows = self._seconds.setdefault(event.annotator, Windows(self.window))
        if (full := windows.add(event.seconds)) is None:
            return
        first, newest = full
        level = self._levels["speed"].next()
        p_value, ratio = speed_test(first, newest)
        if p_value <= level and max(ratio, 1 / ratio) >= self.speed_ratio:
            windows.restart(newest)
            before, now = float(np.median(first)), float(np.median(newest))
            text = (
                f"{_name(event.annotator)} takes {ratio:.2g} times as long as before: "
                f"{before:.2g} s, now {now:.2g} s (medians of {self.window} answers, "
                f"p = {p_value:.2g})."
            )
            who = (event.annotator,)
            yield Drift("speed", who, before, now, p_value, level, event.n_labels, text)

    def _class_mix(self, event: SessionEvent) -> Iterator[Drift]:
        for ident in self._newly_audited(event):
            if (full := self._classes.add(_classes(event.labels[ident]))) is None:
                continue
            first, newest = full
            level = self._levels["classes"].next()
            p_value, label, before, now = class_test(first, newest)
            if p_value <= level:
                self._classes.restart(newest)
                text = (
                    f"Of rows drawn at random {before:.0%} were {label!r} before, now it is "
                    f"{now:.0%} ({self.window} rows each, p = {p_value:.2g})."
                )
                yield Drift("classes", (), before, now, p_value, level, event.n_labels, text)

    def _newly_audited(self, event: SessionEvent) -> list[Ident]:
        """Return the rows drawn at random that have a class for the first time."""
        told = event.audited
        new = [
            ident
            for ident, label in event.labels.items()
            if not isinstance(label, float) and ident not in self._audited
            if ident in told or ident in self.audit_ids
        ]
        self._audited.update(new)
        return new

    def _agreement(self, event: SessionEvent) -> Iterator[Drift]:
        for who, pair in self._new_pairs(event):
            windows = self._pairs.setdefault(who, Windows(self.window))
            if (full := windows.add(pair)) is None:
                continue
            first, newest = full
            level = self._levels["agreement"].next()
            p_value = agreement_test(first, newest)
            if p_value <= level:
                windows.restart(newest)
                before, now = cohen_kappa(first), cohen_kappa(newest)
                text = (
                    f"{who[0]} and {who[1]} agree less than before: kappa {_interval(*before)}, "
                    f"now {_interval(*now)} ({self.window} rows each, p = {p_value:.2g})."
                )
                n = event.n_labels
                yield Drift("agreement", who, before.value, now.value, p_value, level, n, text)

    def _new_pairs(self, event: SessionEvent) -> Iterator[tuple[tuple[str, str], Pair]]:
        """Yield two annotators and what they said, the first that each said of the row."""
        who = event.annotator
        if who is None:
            return
        for ident, label in event.labels.items():
            opinions = self._opinions.setdefault(ident, {})
            if who in opinions or isinstance(label, float):
                continue
            opinions[who] = tuple(sorted(label, key=str)) if isinstance(label, list) else label
            for a, b in (sorted((who, other)) for other in opinions if other != who):
                yield (a, b), (opinions[a], opinions[b])

    def _accuracy(self, event: SessionEvent) -> Iterator[Drift]:
        n, score = int(event.metrics.get("audit_n", 0)), event.metrics.get("audit_score", 0.0)
        if n < self.window:
            return
        level = self._levels["accuracy"].next()
        low, high = clopper_pearson(round(score * n), n, 1 - level)
        best = self._best
        if best is None or low > best[0] or high < best[0]:
            self._best = (low, score, n)
        if best is not None and high < best[0]:
            (_, before, n_before), counts = best, event.n_labels
            text = (
                "The model got worse on the rows of the audit: accuracy "
                f"{_interval(before, *clopper_pearson(round(before * n_before), n_before))}, "
                f"now {_interval(score, *clopper_pearson(round(score * n), n))} of {n} rows."
            )
            yield Drift("accuracy", (), before, score, float("nan"), level, counts, text)


def _check(signals: Sequence[str], alpha: float, window: int, speed_ratio: float) -> None:
    if isinstance(signals, str) or not signals or set(signals) - set(SIGNALS):
        raise ValueError(f"signals must be some of {', '.join(SIGNALS)}, got {signals!r}.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha!r}: 0.05 stands for 5 %.")
    if window < 10:
        raise ValueError(f"window must be at least 10, got {window!r}: fewer tell nothing.")
    if not speed_ratio >= 1:
        raise ValueError(f"speed_ratio must be at least 1, got {speed_ratio!r}.")


def _submission(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what answers have in common that were stored together."""
    return record["annotator"], record["seconds"], record["ticket"]


def _classes(label: Any) -> Classes:
    return tuple(label) if isinstance(label, list | tuple) else (label,)


def _name(annotator: str | None) -> str:
    return "An annotator without a name" if annotator is None else annotator


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.2f} (95 %: {low:.2f} .. {high:.2f})"
