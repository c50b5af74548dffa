"""The pool as tasks of a project, one task per row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from skactive.exceptions import BridgeError
from skactive.labeling.label_studio._project import Project, TaskRecord
from skactive.labeling.state._events import Ident

__all__ = ["TaskIndex", "get_id"]

_META_KEY = "skactive"  # in the meta of tasks made by bridges; its value is the mark of the pool
_CHUNK_TASKS = 1000  # per request
_CHUNK_BYTES = 8_000_000  # per request
_MAX_ATTEMPTS = 5  # if the server fails during an import
_RETRY_WAIT = 1.0  # seconds


class TaskIndex:
    """Map tasks to rows, and add missing tasks.

    The map is always read from the tasks themselves, so either side may be restarted.

    Parameters
    ----------
    ids : sequence of str or int
        The ids of the pool.
    project : Project
        The project that has the tasks.
    make_data : callable
        ``make_data(id)`` returns the data of a row's task.
    mark : str
        Identifies the pool.
    """

    def __init__(
        self,
        ids: Sequence[Ident],
        project: Project,
        make_data: Callable[[Ident], dict[str, Any]],
        mark: str,
    ) -> None:
        self._ids, self._project, self._make_data, self._mark = ids, project, make_data, mark
        self._id_set = set(ids)
        self._ids_by_text = {str(ident): ident for ident in ids}
        self._by_row: dict[Ident, list[int]] | None = None

    @property
    def by_row(self) -> dict[Ident, list[int]]:
        """The tasks of each row that has any, oldest first."""
        return self.read() if self._by_row is None else self._by_row

    def find_row(self, task: TaskRecord) -> Ident | None:
        """Return the id of a task's row, or None; numbers may have become strings there."""
        ident = get_id(task)
        if isinstance(ident, str | int) and not isinstance(ident, bool):
            return ident if ident in self._id_set else self._ids_by_text.get(str(ident))
        return None

    def push(self) -> int:
        """Add the missing tasks, and return their number."""
        missing = self._find_missing()
        n_missing, n_attempts = len(missing), 0
        while missing:
            try:
                for tasks in self._make_chunks(missing):
                    self._project.add_tasks(tasks)
            except BridgeError as error:
                n_attempts += 1
                if not error.passing or n_attempts == _MAX_ATTEMPTS:
                    raise
                time.sleep(_RETRY_WAIT)
            # Read again: tasks may have arrived although the request failed.
            missing = self._find_missing()
        return n_missing

    def _find_missing(self) -> list[Ident]:
        by_row = self.read()
        return [ident for ident in self._ids if ident not in by_row]

    def read(self) -> dict[Ident, list[int]]:
        """Read the map from the server; remove duplicate tasks made by bridges."""
        by_row: dict[Ident, list[int]] = {}
        made_by_bridges: set[int] = set()
        for task in self._project.tasks():
            item = self.find_row(task)
            if item is not None:
                by_row.setdefault(item, []).append(task["id"])
                if (task.get("meta") or {}).get(_META_KEY) == self._mark:
                    made_by_bridges.add(task["id"])
        for tasks in by_row.values():
            duplicates = made_by_bridges.intersection(tasks[1:])
            removed = {task for task in sorted(duplicates) if self._remove_untouched(task)}
            tasks[:] = [task for task in tasks if task not in removed]
        self._by_row = by_row
        return by_row

    def _remove_untouched(self, task: int) -> bool:
        """Remove a task unless somebody works on it, and return whether it was removed.

        Duplicates are left by imports whose response was lost.
        """
        if not self._project.is_untouched(task):
            return False
        self._project.remove_task(task)
        return True

    def _make_chunks(self, ids: Sequence[Ident]) -> Iterator[list[TaskRecord]]:
        """Yield tasks in chunks of limited number and size."""
        chunk: list[TaskRecord] = []
        size = 0
        for ident in ids:
            task = {"data": self._make_data(ident) | {"id": ident}, "meta": {_META_KEY: self._mark}}
            length = len(json.dumps(task))
            if chunk and (len(chunk) == _CHUNK_TASKS or size + length > _CHUNK_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(task)
            size += length
        yield chunk


def get_id(task: TaskRecord) -> Any:
    """Return the id in a task's data."""
    return (task.get("data") or {}).get("id")
