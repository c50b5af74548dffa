"""State of a labeling project from its store alone, without its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli.projects._recorded import check_settings, complete_settings, read_copies
from skactive.cli.reading import check_regular_file
from skactive.cli.sources._duplicates import repeat_for_copies
from skactive.exceptions import StoreError
from skactive.labeling._pool import read_pools
from skactive.labeling._spending import Spending, SpendingMeter, record_spending
from skactive.labeling._synced import SyncedState
from skactive.labeling.exporting._content import to_datetime
from skactive.labeling.state._events import Event
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._progress import Progress, progress_of, state_records
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import SQLiteLabelStore

__all__ = ["StoredProject", "read_store"]


class StoredProject:
    """State of a labeling project, from its store alone.

    Parameters
    ----------
    store : SQLiteLabelStore
        The store, which stays open.
    """

    def __init__(self, store: SQLiteLabelStore) -> None:
        self._store = store
        pools = read_pools(store)
        self.pool = pools[-1] if pools else None
        self.settings = check_settings(store.fact("campaign"))
        self.copies = read_copies(store)
        self.state = SessionState(None)
        SyncedState(store, self.state).sync()

    def iter_records(self) -> Iterator[dict[str, Any]]:
        """Yield the present answers, as ``LabelingSession.records`` returns them."""
        records = state_records(self.state, self._store.get_events)
        return iter(repeat_for_copies(records, self.copies)) if self.copies else records

    def progress(self) -> Progress:
        """Return the progress, as ``LabelingSession.progress`` does.

        Which rows belong to the audit is not in the store: those that the latest model was compared
        with are counted.
        """
        n_rows = self.pool["n_rows"] if self.pool else 0
        leases, has_classes = LiveLeases(self.state), not self.are_numbers
        progress = progress_of(self.state, leases, n_rows=n_rows, has_classes=has_classes)
        classes = dict.fromkeys(self._get_classes(), 0) | progress.classes
        plan = self.state.plan.value if self.state.plan else {}
        n_audited = plan.get("n_audited", (plan.get("audit") or (0, 0))[1])
        return replace(progress, classes=classes, n_audited=n_audited)

    @property
    def are_numbers(self) -> bool:
        """Whether labels are numbers, by the settings or by the audit of the latest model."""
        if self.settings is not None:
            return bool(complete_settings(self.settings)["numbers"])
        return self.state.plan is not None and self.state.plan.value.get("audit_error") is not None

    def annotators(self) -> dict[str | None, dict[str, Any]]:
        """Return the numbers of labels and answers, and the median seconds, by annotator."""
        seconds: dict[str | None, list[float | None]] = {}
        n_labels: Counter[str | None] = Counter()
        for record in self.iter_records():
            seconds.setdefault(record["annotator"], []).append(record["seconds"])
            n_labels[record["annotator"]] += record["kind"] == "label"
        return {
            name: {
                "labels": n_labels[name],
                "answers": len(given),
                "seconds": _find_median(given),
            }
            for name, given in seconds.items()
        }

    def summary(self) -> dict[str, Any]:
        """Return all of this as a dict for JSON."""
        progress = asdict(self.progress()) | {"min_audited": Progress.min_audited}
        # The first two are of a running session only; annotators have more details below.
        for name in ("fitting", "problem", "annotators"):
            del progress[name]
        plan, spending = self.state.plan, record_spending(self._store, None)
        meter = SpendingMeter(spending or Spending(), self._store)
        spent, reasons = meter.read(), (progress["stop_reason"], meter.describe_end())
        n_left = progress["n_rows"] - progress["n_labeled"] - progress["n_unknown"]
        return {
            **progress,
            "stop_reason": "; ".join(filter(None, reasons)),
            "spent": asdict(spent),
            "spending": None if spending is None else spending.to_record(),
            # As long as answers took so far: the mean, which slow ones raise
            "hours_left": n_left * spent.hours / spent.n_timed if spent.n_timed else None,
            "classes": {str(name): count for name, count in progress["classes"].items()},
            "annotators": {name or "": counts for name, counts in self.annotators().items()},
            "seconds": _find_median(record["seconds"] for record in self.iter_records()),
            "last_model": _format_time(plan) if plan and plan.value["n_labels"] else None,
            "made_with": self.settings,
        }

    def _get_classes(self) -> list[Any]:
        declared = self.settings["classes"] if self.settings else []
        return [*declared, *self.state.classes]


@contextmanager
def read_store(path: Path) -> Iterator[StoredProject]:
    """Yield the project of an existing store, which is not changed.

    Parameters
    ----------
    path : Path
        File of the store.

    Raises
    ------
    CommandError
        If it does not exist or cannot be read.
    """
    check_regular_file(path)
    try:
        store = SQLiteLabelStore(path, read_only=True)
        try:
            yield StoredProject(store)
        finally:
            store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def _find_median(seconds: Iterable[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return median(known) if known else None


def _format_time(event: Event) -> str:
    when = to_datetime(event.time)
    return "unknown" if when is None else when.isoformat(timespec="seconds")
