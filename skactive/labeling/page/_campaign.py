"""CampaignReport: all that somebody who runs a campaign wants to see at a glance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from skactive.labeling._messages import describe_accuracy
from skactive.labeling.page._campaign_people import (
    count_by_time,
    describe_agreement,
    describe_people,
    find_drift,
)
from skactive.labeling.page._protocol import to_json

__all__ = ["CampaignReport"]

_MAX_POINTS = 200  # of a curve, which is some hundred pixels wide
_SHARE_OF_TIME = 0.1  # that the report may take: with a million labels it is read more seldom

Record = dict[str, Any]


class CampaignReport:
    """Read what there is to know of a session: progress, accuracy, people, costs and routing.

    Parameters
    ----------
    session : LabelingSession
        The session.
    title : str, default=""
        Its title.
    watches : sequence of PoolDrift, default=()
        Watches of new rows, beside those of the session's hooks.
    clock : callable, default=time.monotonic
        Returns the time in seconds.
    """

    def __init__(
        self,
        session: Any,
        title: str = "",
        *,
        watches: Sequence[Any] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._title, self._clock = session, title, clock
        self._watches = watches
        self._lock = Lock()
        self._read_at, self._took, self._n_events = -math.inf, 0.0, -1
        self._details: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """Return the report, as JSON can hold it.

        Returns
        -------
        dict
            ``title``, ``progress``, ``classes``, ``audit``, ``curve``, ``costs``, ``routing``,
            ``pool_drift``, and of the answers ``people``, ``agreement``, ``times`` and ``drift``,
            which are read again when answers have come, but take a tenth of the time at most.
        """
        progress = self._session.progress()
        details = self._read_details()
        return {
            "title": self._title,
            "progress": _describe_progress(progress, details["n_routed"]),
            "classes": [[to_json(label), n] for label, n in progress.classes.items()],
            "audit": self._describe_audit(progress),
            "costs": self._describe_costs(progress),
            "pool_drift": [_describe_watch(watch) for watch in self._list_watches()],
            **{name: part for name, part in details.items() if name != "n_routed"},
            "routing": _describe_routing(progress, details["routing"]),
        }

    def _read_details(self) -> dict[str, Any]:
        """Return what takes long: it is made of all answers and rounds."""
        with self._lock:
            began, n_events = self._clock(), self._session.n_events
            waits = began < self._read_at + self._took / _SHARE_OF_TIME
            if n_events == self._n_events or (waits and self._details):
                return self._details
            records = self._session.records()
            by_people = [r for r in records if r.get("source", "people") == "people"]
            are_numbers = self._session.labels_are_numbers
            self._details = {
                "curve": describe_curve(self._session.rounds, self._session.progress().min_audited),
                "people": describe_people(by_people),
                "agreement": describe_agreement(by_people, are_numbers=are_numbers),
                "times": count_by_time(records),
                "drift": find_drift(by_people, self._session),
                "routing": _sum_routed(records),
                "n_routed": _count_routed(records),
            }
            self._n_events, self._read_at = n_events, self._clock()
            self._took = self._read_at - began
            return self._details

    def _describe_audit(self, progress: Any) -> dict[str, Any]:
        estimate = progress.reliable_accuracy
        is_error = not progress.has_classes
        if is_error and progress.n_audited >= progress.min_audited:
            estimate = progress.error
        return {
            "text": describe_accuracy(progress, len(self._session.audit_ids)),
            "measure": "mean error" if is_error else "accuracy",
            "estimate": None if estimate is None else [float(value) for value in estimate],
            "n_audited": progress.n_audited,
            "n_rows": len(self._session.audit_ids),
        }

    def _describe_costs(self, progress: Any) -> dict[str, Any]:
        spent, spending = self._session.spent, self._session.spending
        n_left = progress.n_rows - progress.n_labeled - progress.n_unknown
        has_prices = spending is not None and spending.has_prices
        return {
            "money": spent.money if has_prices or spent.routed else None,
            "routed": spent.routed,
            "hours": spent.hours,
            "n_labels": spent.n_labels,
            "n_timed": spent.n_timed,
            "n_untimed": spent.n_untimed,
            "money_limit": None if spending is None else spending.money,
            "hours_limit": None if spending is None else spending.hours,
            "n_left": n_left,
            "hours_left": n_left * spent.hours / spent.n_timed if spent.n_timed else None,
        }

    def _list_watches(self) -> list[Any]:
        """Return the watches of new rows: those passed, and those of triggers among the hooks."""
        found = [*self._watches, *(getattr(h, "drift", None) for h in self._session.hooks)]
        return [watch for watch in found if hasattr(watch, "wealth")]


def _describe_progress(progress: Any, n_routed: int) -> dict[str, Any]:
    n_left = progress.n_rows - progress.n_labeled - progress.n_unknown
    return {
        "n_rows": progress.n_rows,
        "n_labeled": progress.n_labeled,
        "n_routed": min(n_routed, progress.n_labeled),
        "n_by_people": max(progress.n_labeled - n_routed, 0),
        "n_unknown": progress.n_unknown,
        "n_left": n_left,
        "n_skipped": progress.n_skipped,
        "n_in_flight": progress.n_in_flight,
        "n_asked": progress.n_asked,
        "n_learned": progress.n_learned,
        "n_rounds": progress.n_rounds,
        "fitting": progress.fitting,
        "problem": progress.problem,
        "stop_reason": progress.stop_reason,
    }


def describe_curve(rounds: Sequence[dict[str, Any]], min_audited: int) -> list[list[float]]:
    """Return the learning curve: labels, score, both ends of its 95 % interval, and audit rows.

    Rounds with fewer than `min_audited` audit rows are left out; of many rounds some are shown.
    """
    measured = [record for record in rounds if record.get("n_audited", 0) >= min_audited]
    step = max(1, math.ceil(len(measured) / _MAX_POINTS))
    shown = measured[::-1][::step][::-1]  # the last one is always there
    return [point for record in shown if (point := _measure(record)) is not None]


def _measure(record: dict[str, Any]) -> list[float] | None:
    if record.get("audit"):
        from skactive.estimation import clopper_pearson  # late: it takes SciPy

        n_right, n = record["audit"]
        return [record["n_labels"], n_right / n, *clopper_pearson(n_right, n), n]
    if record.get("audit_error"):
        return [record["n_labels"], *record["audit_error"], record["n_audited"]]
    return None


def _count_routed(records: Sequence[Record]) -> int:
    """Return the number of rows whose label is that of an annotator: the last one counts."""
    labels = {r["id"]: r.get("source") for r in records if r["kind"] == "label"}
    return sum(source == "annotator" for source in labels.values())


def _sum_routed(records: Sequence[Record]) -> dict[str, list[float]]:
    """Return the sum of confidences, how many there are, and the costs, by annotator."""
    sums: dict[str, list[float]] = {}
    for record in records:
        if record.get("source") == "annotator":
            entry = sums.setdefault(record["annotator"], [0.0, 0, 0.0])
            entry[2] += record["cost"]
            if record["confidence"] is not None:
                entry[0] += record["confidence"]
                entry[1] += 1
    return sums


def _describe_routing(progress: Any, sums: dict[str, list[float]]) -> dict[str, Any]:
    annotators = []
    for name, n_labels in progress.routed.items():
        confidence, n_sure, cost = sums.get(name, [0.0, 0, 0.0])
        share = n_labels / progress.n_rows if progress.n_rows else 0.0
        mean = confidence / n_sure if n_sure else None
        annotators.append(
            {"name": name, "n_labels": n_labels, "share": share, "confidence": mean, "cost": cost}
        )
    return {
        "certificate": progress.certificate,
        "n_asked": progress.n_asked,
        "annotators": annotators,
    }


def _describe_watch(watch: Any) -> dict[str, Any]:
    """Return the state of a watch of new rows; its evidence is 1 at the alarm."""
    wealth = float(watch.wealth)
    return {
        "alarms": [str(alarm) for alarm in watch.alarms],
        "evidence": wealth * float(watch.alpha) if math.isfinite(wealth) else 1.0,
    }
