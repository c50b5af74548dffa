"""Annotations on their way into a session: each once, changes and deletions too."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from skactive.exceptions import LabelError
from skactive.labeling.label_studio._project import Project, Task
from skactive.labeling.label_studio._tasks import Tasks, id_of
from skactive.labeling.state._events import ANSWERS, Event, Ident, keyed_id

__all__ = ["AnnotationImporter", "Pulled"]

_OVERLAP = timedelta(seconds=30)  # a change may be seen later than one that is stamped later


@dataclass(frozen=True)
class Pulled:
    """What came from Label Studio.

    Parameters
    ----------
    n_labels, n_skips : int
        Annotations that were new.
    n_changed : int
        Annotations that were known, and are others now.
    n_withdrawn : int
        Annotations that were deleted: their answers were taken back.
    problems : dict of int to str
        Annotations that could not be taken, by their number, and why: now and at earlier times.
        They are tried again at each pull.
    """

    n_labels: int = 0
    n_skips: int = 0
    n_changed: int = 0
    n_withdrawn: int = 0
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def n_new(self) -> int:
        """How many answers changed in the session."""
        return self.n_labels + self.n_skips + self.n_changed + self.n_withdrawn


@dataclass
class _Known:
    """An annotation that the store holds: the events that it made, one for each change."""

    task: int
    item: Ident
    annotator: str | None = None
    is_skip: bool = False
    events: set[str] = field(default_factory=set)


class AnnotationImporter:
    """Takes annotations over into a session.

    Which ones are known is read from the session's store: an event of an annotation is called
    ``label-studio:PROJECT:TASK:ANNOTATION:CHANGED``, and so can be stored once only.

    Parameters
    ----------
    session : LabelingSession
        Where they go.
    project : Project
        Where they come from.
    tasks : Tasks
        Which task is which row.
    read : callable
        ``read(result)`` returns the label that an annotation gives.
    email : callable
        ``email(completed_by)`` returns who annotated.
    """

    def __init__(
        self,
        session: Any,
        project: Project,
        tasks: Tasks,
        read: Callable[[Any], Any],
        email: Callable[[Any], str | None],
    ) -> None:
        self._session, self._project, self._tasks = session, project, tasks
        self._read, self._email = read, email
        self._prefix = f"label-studio:{project.mark}:"
        self._known: dict[int, _Known] = {}
        self._undone: set[str] = set()  # events that were taken back
        self._seq = 0  # up to where the store was read
        self._cursor: datetime | None = None  # up to where changes were pulled
        self._waiting: dict[int, tuple[Task, dict[str, Any]]] = {}

    def rows(self, *, skipped: bool = False) -> set[Ident]:
        """Return the rows that have an annotation, or those that were skipped."""
        return {
            known.item
            for known in self._known.values()
            if (known.is_skip or not skipped) and known.events - self._undone
        }

    def pull(self) -> Pulled:
        """Take over what changed since the last call; at the first call, all there is."""
        self._recall()
        seen: dict[int, set[int]] = {}  # of each task, its annotations
        if self._cursor is None:
            seen |= self._annotated_once()
            changed = self._project.annotated()
        else:
            changed = self._project.changed(self._cursor)
        for task in changed:
            self._note(task)
            seen[task["id"]] = {each["id"] for each in task.get("annotations") or ()}
        counts, problems = self._take_waiting()
        return Pulled(**counts, n_withdrawn=self._withdraw(seen), problems=problems)

    def _annotated_once(self) -> dict[int, set[int]]:
        """Return the tasks of known annotations: those without any now do not come else."""
        there = {task for several in self._tasks.by_row.values() for task in several}
        return {known.task: set() for known in self._known.values() if known.task in there}

    def _note(self, task: Task) -> None:
        """Put a task's annotations among those that wait; they are taken in the order of time."""
        for number in [n for n, (of, _) in self._waiting.items() if of["id"] == task["id"]]:
            del self._waiting[number]
        for annotation in task.get("annotations") or ():
            self._waiting[annotation["id"]] = task, annotation
        moment = datetime.fromisoformat(task["updated_at"]) - _OVERLAP
        self._cursor = moment if self._cursor is None else max(self._cursor, moment)

    def _take_waiting(self) -> tuple[dict[str, int], dict[int, str]]:
        counts = {"n_labels": 0, "n_skips": 0, "n_changed": 0}
        problems: dict[int, str] = {}
        for number, (task, annotation) in sorted(self._waiting.items(), key=_when):
            try:
                what = self._take(task, annotation)
            except LabelError as error:
                problems[number] = f"annotation {number} of task {task['id']}: {error}"
                continue
            del self._waiting[number]
            if what is not None:
                counts[what] += 1
        return counts, problems

    def _take(self, task: Task, annotation: dict[str, Any]) -> str | None:
        """Take over an annotation, unless it is known; return as what it counts."""
        item = self._tasks.row_of(task)
        if item is None:
            raise LabelError(f"the task is of no row of the pool (its id is {id_of(task)!r})")
        number, skipped = annotation["id"], bool(annotation.get("was_cancelled"))
        key = f"{self._prefix}{task['id']}:{number}:{annotation['updated_at']}"
        event = keyed_id(key, item)
        known = self._known.get(number)
        if known is not None and event in known.events:
            return None
        self._give(item, annotation, key, again=known is not None)
        self._keep(event, number, task["id"], item, self._annotator(annotation), skipped)
        if known is not None:
            return "n_changed"
        return "n_skips" if skipped else "n_labels"

    def _give(self, item: Ident, annotation: dict[str, Any], key: str, *, again: bool) -> None:
        annotator = self._annotator(annotation)
        if annotation.get("was_cancelled"):
            self._session.skip([item], annotator=annotator, key=key)
            return
        label = self._read(annotation.get("result") or [])
        give = self._session.relabel if again else self._session.submit
        give({item: label}, annotator=annotator, seconds=_seconds(annotation), key=key)

    def _annotator(self, annotation: dict[str, Any]) -> str | None:
        return self._email(annotation.get("completed_by"))

    # What is known --------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Read from the store which annotations are known; others may have taken some over."""
        mine = f"key:{self._prefix}"  # as keyed_id writes it
        for event in self._session.store.events(self._seq):
            self._seq = event.seq
            if event.kind == "undo" and event.target is not None:
                self._undone.add(event.target)
            elif event.kind in ANSWERS and event.id.startswith(mine):
                task, number = map(int, event.id[len(mine) :].split(":")[:2])
                assert event.item is not None
                skipped = event.kind == "skip"
                self._keep(event.id, number, task, event.item, event.annotator, skipped)

    def _keep(
        self,
        event: str,
        number: int,
        task: int,
        item: Ident,
        annotator: str | None,
        is_skip: bool,
    ) -> None:
        known = self._known.setdefault(number, _Known(task, item))
        known.annotator, known.is_skip = annotator, is_skip
        known.events.add(event)

    def _withdraw(self, seen: dict[int, set[int]]) -> int:
        """Take back the answers of annotations that are gone from tasks that are there."""
        gone = [
            known
            for number, known in self._known.items()
            if number not in seen.get(known.task, {number})
            and known.events - self._undone
            and not self._project.has_annotation(number)
        ]
        for known in gone:
            self._session.store.append(_undo(known, event) for event in sorted(known.events))
            self._undone |= known.events
        return len(gone)


def _undo(known: _Known, event: str) -> Event:
    return Event("undo", f"undo:{event}", known.item, known.annotator, target=event)


def _when(waiting: tuple[int, tuple[Task, dict[str, Any]]]) -> tuple[str, int]:
    number, (_, annotation) = waiting
    return annotation["updated_at"], number


def _seconds(annotation: dict[str, Any]) -> float | None:
    seconds = annotation.get("lead_time")
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return None
    return float(seconds)
