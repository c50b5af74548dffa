"""State of a labeling project from its store alone, without its data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from skactive.cli._errors import CommandError
from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._progress import Progress, progress_of, records_of
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import SQLiteLabelStore

__all__ = ["StoredProject", "check_store_file", "open_store", "read_store"]


class StoredProject:
    """State of a labeling project, from its store alone.

    Parameters
    ----------
    events : iterable of Event
        All events of the store.
    facts : dict
        Its facts "pool" and "campaign", each a dict or None.

    Attributes
    ----------
    n_events : int
        Number of events.
    """

    def __init__(self, events: Iterable[Event], facts: dict[str, Any]) -> None:
        self.pool, self.settings = facts["pool"], facts["campaign"]
        self.n_events, self._plans = 0, list[Event]()
        self.state = SessionState("")
        self.state.apply(self._set_plans_aside(events))
        # Plans under other settings than the last one's are ignored
        self.state.settings = self._plans[-1].value["by"] if self._plans else ""
        self.state.apply(self._plans)

    def _set_plans_aside(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield all events but plans; keep these, without their rows, which take most memory."""
        for event in events:
            self.n_events += 1
            if event.kind == "plan":
                value = {**event.value, "ids": [], "scores": None}
                self._plans.append(_replace_value(event, value))
            else:
                yield event

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
        """Return the numbers of labels and answers, and the median seconds, by annotator."""
        answers: dict[str | None, list[Event]] = {}
        for event in self.state.answers():
            answers.setdefault(event.annotator, []).append(event)
        return {
            name: {
                "labels": sum(event.kind == "label" for event in given),
                "answers": len(given),
                "seconds": _median_seconds(given),
            }
            for name, given in answers.items()
        }

    def summary(self) -> dict[str, Any]:
        """Return all of this as a dict for JSON."""
        state = self.progress()
        progress = asdict(state)
        # The first two are of a running session only; annotators have more details below.
        for name in ("fitting", "problem", "annotators"):
            del progress[name]
        plan = self.state.plan
        return {
            **progress,
            "n_audited": getattr(state, "n_audited", 0),
            "min_audited": getattr(state, "min_audited", 20),
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
    """Read an existing store, and write nothing.

    Parameters
    ----------
    path : Path
        File of the store.

    Raises
    ------
    CommandError
        If it does not exist or cannot be read.
    """
    with open_store(path) as store:
        facts = {name: store.fact(name) for name in ("pool", "campaign")}
        return StoredProject(_iter_events(store), facts)


@contextmanager
def open_store(path: Path) -> Iterator[SQLiteLabelStore]:
    """Yield an existing store, to read it.

    Parameters
    ----------
    path : Path
        File of the store.

    Raises
    ------
    CommandError
        If it does not exist or cannot be read, here or within the context.
    """
    check_store_file(path)
    try:
        store = SQLiteLabelStore(path)
        try:
            yield store
        finally:
            store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def check_store_file(path: Path) -> None:
    """Raise an error if there is no file: devices and pipes may never end."""
    try:
        if path.is_file():
            return
        if path.is_dir():
            raise CommandError(f"{path} is a folder: name the file of the labels")
        if path.exists():
            raise CommandError(f"{path} is not a file: name the file of the labels")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error
    raise CommandError(f"file not found: {path}")


def _iter_events(store: SQLiteLabelStore) -> Iterator[Event]:
    """Yield all events of a store, some at a time."""
    after = 0
    while events := store.events(after):
        yield from events
        after = events[-1].seq


def _replace_value(event: Event, value: Any) -> Event:
    """Return an event with another content."""
    return replace(event, value=value)


def _median_seconds(answers: Sequence[Event]) -> float | None:
    seconds = [event.seconds for event in answers if event.seconds is not None]
    return median(seconds) if seconds else None


def _format_time(event: Event) -> str:
    return datetime.fromtimestamp(event.time, UTC).isoformat(timespec="seconds")
