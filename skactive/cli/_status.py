"""What a store tells by itself, without the rows that were labeled."""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["Stored", "read_stored"]


class Stored:
    """The state of a campaign, from its store alone.

    Parameters
    ----------
    events : sequence of Event
        All of the store.
    facts : dict
        What it holds under "pool" and "campaign", or None.
    """

    def __init__(self, events: Sequence[Event], facts: dict[str, Any]) -> None:
        self.pool, self.campaign = facts["pool"], facts["campaign"]
        plans = [event for event in events if event.kind == "plan"]
        self.ledger = SessionState(plans[-1].value["by"] if plans else "")
        self.ledger.apply(events)

    def records(self) -> list[dict[str, Any]]:
        """Return the answers that hold, as of ``LabelingSession.records``."""
        return records_of(self.ledger)

    def progress(self) -> Progress:
        """Return how far the campaign is, as of ``LabelingSession.progress``."""
        n_rows = self.pool["n_rows"] if self.pool else 0
        known = progress_of(self.ledger, LiveLeases(self.ledger), n_rows=n_rows)
        return replace(known, classes=dict.fromkeys(self._classes(), 0) | known.classes)

    def people(self) -> dict[str | None, dict[str, Any]]:
        """Return, by annotator, how many answers they gave, and the median of the seconds each."""
        answers: dict[str | None, list[Event]] = {}
        for event in self.ledger.answers():
            answers.setdefault(event.annotator, []).append(event)
        return {
            name: {"answers": len(theirs), "seconds": _median_seconds(theirs)}
            for name, theirs in answers.items()
        }

    def summary(self) -> dict[str, Any]:
        """Return all of it in what JSON can hold."""
        progress = asdict(self.progress())
        for unknown in ("fitting", "problem", "annotators"):  # of a session; told more fully below
            del progress[unknown]
        last = self.ledger.plan
        return {
            **progress,
            "classes": {str(name): count for name, count in progress["classes"].items()},
            "annotators": {"" if n is None else n: who for n, who in self.people().items()},
            "seconds": _median_seconds(list(self.ledger.answers())),
            "last_model": None if last is None or not last.value["n_labels"] else _moment(last),
            "made_with": self.campaign,
        }

    def _classes(self) -> list[Any]:
        declared = self.campaign["classes"] if self.campaign else []
        return [*declared, *self.ledger.classes]


def read_stored(path: Path) -> Stored:
    """Read a store that there is.

    Parameters
    ----------
    path : Path
        Its file.

    Raises
    ------
    CommandError
        If there is none, or it cannot be read.
    """
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    try:
        store = SQLiteLabelStore(path)
        try:
            facts = {name: store.fact(name) for name in ("pool", "campaign")}
            return Stored(store.events(), facts)
        finally:
            store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def _median_seconds(answers: Sequence[Event]) -> float | None:
    seconds = [event.seconds for event in answers if event.seconds is not None]
    return median(seconds) if seconds else None


def _moment(event: Event) -> str:
    return datetime.fromtimestamp(event.time, UTC).isoformat(timespec="seconds")
