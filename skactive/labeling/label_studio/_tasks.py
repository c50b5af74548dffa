"""The pool as tasks of a project: each row once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from skactive.exceptions import BridgeError
from skactive.labeling.label_studio._project import Project, Task
from skactive.labeling.state._events import Ident

__all__ = ["Tasks", "id_of"]

_MARK = "skactive"  # in a task's meta, with the mark of the pool: a task that was made here
_CHUNK = 1000  # tasks sent at once
_CHUNK_BYTES = 8_000_000
_TRIES = 5  # where the server goes away in the middle
_WAIT = 1.0  # seconds


class Tasks:
    """Tells which task is which row, and adds the tasks that are missing.

    Nothing of it is kept here: it is read from the tasks, after a restart of either side too.

    Parameters
    ----------
    ids : sequence of str or int
        Of the pool.
    project : Project
        Where the tasks are.
    fields : callable
        ``fields(id)`` returns the data of a row's task.
    mark : str
        Of the pool.
    """

    def __init__(
        self,
        ids: Sequence[Ident],
        project: Project,
        fields: Callable[[Ident], dict[str, Any]],
        mark: str,
    ) -> None:
        self._ids, self._project, self._fields, self._mark = ids, project, fields, mark
        self._known = set(ids)
        self._names = {str(ident): ident for ident in ids}
        self._by_row: dict[Ident, list[int]] | None = None

    @property
    def by_row(self) -> dict[Ident, list[int]]:
        """The tasks of each row that has some, the oldest first."""
        return self.read() if self._by_row is None else self._by_row

    def row_of(self, task: Task) -> Ident | None:
        """Return the row of a task; numbers may have become texts on the way there."""
        ident = id_of(task)
        if isinstance(ident, str | int) and not isinstance(ident, bool):
            return ident if ident in self._known else self._names.get(str(ident))
        return None

    def push(self) -> int:
        """Add the tasks that are missing, and return how many that were."""
        missing = self._missing()
        n_missing, tries_left = len(missing), _TRIES
        while missing:
            try:
                for tasks in self._batches(missing):
                    self._project.add_tasks(tasks)
            except BridgeError as error:
                tries_left -= 1
                if not error.passing or not tries_left:
                    raise
                time.sleep(_WAIT)
            # What arrived, whatever the answers were, shows now.
            missing = self._missing()
        return n_missing

    def _missing(self) -> list[Ident]:
        by_row = self.read()
        return [ident for ident in self._ids if ident not in by_row]

    def read(self) -> dict[Ident, list[int]]:
        """Read which task is which row; remove second tasks of a row that were made here."""
        by_row: dict[Ident, list[int]] = {}
        ours: set[int] = set()
        for task in self._project.tasks():
            item = self.row_of(task)
            if item is not None:
                by_row.setdefault(item, []).append(task["id"])
                if (task.get("meta") or {}).get(_MARK) == self._mark:
                    ours.add(task["id"])
        for tasks in by_row.values():
            tasks[1:] = [each for each in tasks[1:] if not (each in ours and self._removed(each))]
        self._by_row = by_row
        return by_row

    def _removed(self, task: int) -> bool:
        """Remove a task that an import left whose answer was lost, unless it is being worked on."""
        if not self._project.is_untouched(task):
            return False
        self._project.remove_task(task)
        return True

    def _batches(self, ids: Sequence[Ident]) -> Iterator[list[Task]]:
        """Yield tasks, not too many at once."""
        batch: list[Task] = []
        size = 0
        for ident in ids:
            task = {"data": self._fields(ident) | {"id": ident}, "meta": {_MARK: self._mark}}
            length = len(json.dumps(task))
            if batch and (len(batch) == _CHUNK or size + length > _CHUNK_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(task)
            size += length
        yield batch


def id_of(task: Task) -> Any:
    """Return the id in a task's data."""
    return (task.get("data") or {}).get("id")
