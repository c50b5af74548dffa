"""Import annotations into a session: each once, with later changes and deletions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from skactive.exceptions import LabelError
from skactive.labeling.label_studio._project import Project, TaskRecord
from skactive.labeling.label_studio._tasks import TaskIndex, get_id
from skactive.labeling.state._events import ANSWERS, Event, Ident, keyed_id

__all__ = ["AnnotationImporter", "PullResult"]

# A change may become visible after one with a later timestamp.
_CLOCK_MARGIN = timedelta(seconds=30)


@dataclass(frozen=True)
class PullResult:
    """The result of a pull from Label Studio.

    Parameters
    ----------
    n_labels, n_skips : int
        Number of new annotations: labels and skips.
    n_changed : int
        Number of known annotations that changed.
    n_withdrawn : int
        Number of known annotations that were deleted; their answers were undone.
    problems : dict of int to str
        The reasons why annotations could not be imported, by the number of the annotation; earlier
        ones are included. Their import is tried again at each pull.
    """

    n_labels: int = 0
    n_skips: int = 0
    n_changed: int = 0
    n_withdrawn: int = 0
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def n_new(self) -> int:
        """The number of answers that changed in the session."""
        return self.n_labels + self.n_skips + self.n_changed + self.n_withdrawn


@dataclass
class _ImportedAnnotation:
    """An annotation that the store has, with one event per change."""

    task: int
    item: Ident
    annotator: str | None = None
    is_skip: bool = False
    events: set[str] = field(default_factory=set)


class AnnotationImporter:
    """Import annotations into a session.

    The session's store has the imported annotations: the event of an annotation has the key
    ``label-studio:PROJECT:TASK:ANNOTATION:CHANGED``, and so can be stored only once.

    Parameters
    ----------
    session : LabelingSession
        The session that gets the labels.
    project : Project
        The project that has the annotations.
    tasks : TaskIndex
        Maps tasks to rows.
    read_label : callable
        ``read_label(result)`` returns the label in the result of an annotation.
    get_email : callable
        ``get_email(completed_by)`` returns the email address of an annotator.
    """

    def __init__(
        self,
        session: Any,
        project: Project,
        tasks: TaskIndex,
        read_label: Callable[[Any], Any],
        get_email: Callable[[Any], str | None],
    ) -> None:
        self._session, self._project, self._tasks = session, project, tasks
        self._read_label, self._get_email = read_label, get_email
        self._prefix = f"label-studio:{project.mark}:"
        self._imported: dict[int, _ImportedAnnotation] = {}
        self._undone: set[str] = set()  # ids of events
        self._last_seq = 0  # of the events read from the store
        self._cursor: datetime | None = None  # time of the last change pulled
        self._waiting: dict[int, tuple[TaskRecord, dict[str, Any]]] = {}

    def rows(self, *, skipped: bool = False) -> set[Ident]:
        """Return the rows with an annotation, or only those that were skipped."""
        return {
            annotation.item
            for annotation in self._imported.values()
            if (annotation.is_skip or not skipped) and annotation.events - self._undone
        }

    def pull(self) -> PullResult:
        """Import what changed since the last call; at the first call, everything."""
        self._read_store()
        present: dict[int, set[int]] = {}  # the annotations of each task, by number
        if self._cursor is None:
            present |= self._list_annotated_tasks()
            changed_tasks = self._project.annotated_tasks()
        else:
            changed_tasks = self._project.changed_tasks(self._cursor)
        for task in changed_tasks:
            self._add_waiting(task)
            present[task["id"]] = {each["id"] for each in task.get("annotations") or ()}
        counts, problems = self._import_waiting()
        return PullResult(**counts, n_withdrawn=self._withdraw(present), problems=problems)

    def _list_annotated_tasks(self) -> dict[int, set[int]]:
        """Return the existing tasks of imported annotations, each without annotations.

        Needed for deletions: tasks without annotations are not returned by the API.
        """
        existing = {task for tasks in self._tasks.by_row.values() for task in tasks}
        return {
            imported.task: set()
            for imported in self._imported.values()
            if imported.task in existing
        }

    def _add_waiting(self, task: TaskRecord) -> None:
        """Let the annotations of a task wait for their import, which is in the order of time."""
        for number in [n for n, (other, _) in self._waiting.items() if other["id"] == task["id"]]:
            del self._waiting[number]
        for annotation in task.get("annotations") or ():
            self._waiting[annotation["id"]] = task, annotation
        moment = datetime.fromisoformat(task["updated_at"]) - _CLOCK_MARGIN
        self._cursor = moment if self._cursor is None else max(self._cursor, moment)

    def _import_waiting(self) -> tuple[dict[str, int], dict[int, str]]:
        counts = {"n_labels": 0, "n_skips": 0, "n_changed": 0}
        problems: dict[int, str] = {}
        for number, (task, annotation) in sorted(self._waiting.items(), key=_sort_key):
            try:
                count = self._import(task, annotation)
            except LabelError as error:
                problems[number] = f"annotation {number} of task {task['id']}: {error}"
                continue
            del self._waiting[number]
            if count is not None:
                counts[count] += 1
        return counts, problems

    def _import(self, task: TaskRecord, annotation: dict[str, Any]) -> str | None:
        """Import an annotation unless it is known; return the name of the count to increment."""
        item = self._tasks.find_row(task)
        if item is None:
            raise LabelError(f"the pool has no row with the id {get_id(task)!r}")
        number, is_skip = annotation["id"], bool(annotation.get("was_cancelled"))
        key = f"{self._prefix}{task['id']}:{number}:{annotation['updated_at']}"
        event = keyed_id(key, item)
        imported = self._imported.get(number)
        if imported is not None and event in imported.events:
            return None
        self._store_answer(item, annotation, key, is_change=imported is not None)
        self._remember(event, number, task["id"], item, self._get_annotator(annotation), is_skip)
        if imported is not None:
            return "n_changed"
        return "n_skips" if is_skip else "n_labels"

    def _store_answer(
        self, item: Ident, annotation: dict[str, Any], key: str, *, is_change: bool
    ) -> None:
        annotator = self._get_annotator(annotation)
        if annotation.get("was_cancelled"):
            self._session.skip([item], annotator=annotator, key=key)
            return
        label = self._read_label(annotation.get("result") or [])
        store = self._session.relabel if is_change else self._session.submit
        store({item: label}, annotator=annotator, seconds=_parse_lead_time(annotation), key=key)

    def _get_annotator(self, annotation: dict[str, Any]) -> str | None:
        return self._get_email(annotation.get("completed_by"))

    # Imported annotations -------------------------------------------------------------------------

    def _read_store(self) -> None:
        """Read the imported annotations from the store; other bridges may have added some."""
        prefix = f"key:{self._prefix}"  # as made by keyed_id
        for event in self._session.store.events(self._last_seq):
            self._last_seq = event.seq
            if event.kind == "undo" and event.target is not None:
                self._undone.add(event.target)
            elif event.kind in ANSWERS and event.id.startswith(prefix):
                task, number = map(int, event.id[len(prefix) :].split(":")[:2])
                assert event.item is not None
                is_skip = event.kind == "skip"
                self._remember(event.id, number, task, event.item, event.annotator, is_skip)

    def _remember(
        self,
        event: str,
        number: int,
        task: int,
        item: Ident,
        annotator: str | None,
        is_skip: bool,
    ) -> None:
        imported = self._imported.setdefault(number, _ImportedAnnotation(task, item))
        imported.annotator, imported.is_skip = annotator, is_skip
        imported.events.add(event)

    def _withdraw(self, present: dict[int, set[int]]) -> int:
        """Undo the answers of annotations that were deleted from existing tasks."""
        deleted = [
            imported
            for number, imported in self._imported.items()
            if number not in present.get(imported.task, {number})
            and imported.events - self._undone
            and not self._project.has_annotation(number)
        ]
        for imported in deleted:
            self._session.store.append(
                _make_undo(imported, event) for event in sorted(imported.events)
            )
            self._undone |= imported.events
        return len(deleted)


def _make_undo(imported: _ImportedAnnotation, event: str) -> Event:
    return Event("undo", f"undo:{event}", imported.item, imported.annotator, target=event)


def _sort_key(waiting: tuple[int, tuple[TaskRecord, dict[str, Any]]]) -> tuple[str, int]:
    number, (_, annotation) = waiting
    return annotation["updated_at"], number


def _parse_lead_time(annotation: dict[str, Any]) -> float | None:
    seconds = annotation.get("lead_time")
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return None
    return float(seconds)
