"""State of a labeling project from its store alone, without its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli.reading import check_file
from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._progress import Progress, progress_of, records_of
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import SQLiteLabelStore

__all__ = ["StoredProject", "read_store"]


class StoredProject:
    """State of a labeling project, from its store alone.

    Parameters
    ----------
    events : sequence of Event
        All events of the store.
    facts : dict
        Its facts "pool" and "campaign", each a dict or None.
    """

    def __init__(self, events: Sequence[Event], facts: dict[str, Any]) -> None:
        self.pool, self.settings = facts["pool"], facts["campaign"]
        plans = [event for event in events if event.kind == "plan"]
        self.state = SessionState(plans[-1].value["by"] if plans else "")
        self.state.apply(events)

    def records(self) -> list[dict[str, Any]]:
        """Return the present answers, as ``LabelingSession.records`` does."""
        return records_of(self.state)

    def progress(self) -> Progress:
        """Return the progress, as ``LabelingSession.progress`` does."""
        n_rows = self.pool["n_rows"] if self.pool else 0
        progress = progress_of(self.state, LiveLeases(self.state), n_rows=n_rows)
        classes = dict.fromkeys(self._get_classes(), 0) | progress.classes
        return replace(progress, classes=classes)

    def annotators(self) -> dict[str | None, dict[str, Any]]:
        """Return the number of answers and the median seconds per answer, by annotator."""
        answers: dict[str | None, list[Event]] = {}
        for event in self.state.answers():
            answers.setdefault(event.annotator, []).append(event)
        return {
            name: {"answers": len(given), "seconds": _median_seconds(given)}
            for name, given in answers.items()
        }

    def summary(self) -> dict[str, Any]:
        """Return all of this as a dict for JSON."""
        progress = asdict(self.progress())
        # The first two are of a running session only; annotators have more details below.
        for name in ("fitting", "problem", "annotators"):
            del progress[name]
        plan = self.state.plan
        return {
            **progress,
            "classes": {str(name): count for name, count in progress["classes"].items()},
            "annotators": {name or "": counts for name, counts in self.annotators().items()},
            "seconds": _median_seconds(list(self.state.answers())),
            "last_model": _format_time(plan) if plan and plan.value["n_labels"] else None,
            "made_with": self.settings,
        }

    def _get_classes(self) -> list[Any]:
        declared = self.settings["classes"] if self.settings else []
        return [*declared, *self.state.classes]


def read_store(path: Path) -> StoredProject:
    """Read an existing store.

    Parameters
    ----------
    path : Path
        File of the store.

    Raises
    ------
    CommandError
        If it does not exist or cannot be read.
    """
    check_file(path)
    try:
        store = SQLiteLabelStore(path)
        try:
            facts = {name: store.fact(name) for name in ("pool", "campaign")}
            return StoredProject(store.events(), facts)
        finally:
            store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def _median_seconds(answers: Sequence[Event]) -> float | None:
    seconds = [event.seconds for event in answers if event.seconds is not None]
    return median(seconds) if seconds else None


def _format_time(event: Event) -> str:
    return datetime.fromtimestamp(event.time, UTC).isoformat(timespec="seconds")
