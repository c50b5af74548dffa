"""SQLiteLabelStore: labels in one file, with the standard library's sqlite3."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any

from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event
from skactive.labeling.stores._connection import (
    check_file,
    check_log,
    connect,
    connect_read_only,
    copy_files,
    copy_tables,
)
from skactive.labeling.stores._errors import SQLITE_ERRORS, explain, make_damage_error
from skactive.labeling.stores._identity import FileIdentity
from skactive.labeling.stores._rows import Row, to_event, to_json, to_values
from skactive.labeling.stores._schema import check_schema, create, read_version
from skactive.labeling.stores._tables import EventTable, FactTable, SnapshotTable

__all__ = ["SQLiteLabelStore"]

_OLDEST_SQLITE = (3, 37, 0)  # the first with STRICT tables


class SQLiteLabelStore:
    """Labels in one SQLite file, safe from crashes and power cuts; several processes may share it.

    An answer is in the file when :meth:`append` returns (rollback journal, ``synchronous=FULL``),
    and while nobody is writing, the file alone is complete. Events are never changed or deleted.
    Each has a checksum that continues the one of the event before, and is verified when the event
    is written and when it is read. Not for network file systems, where SQLite cannot lock.

    Parameters
    ----------
    path : str or Path
        The file; it is created if it does not exist, for its owner alone (mode 0600).
    read_only : bool, default=False
        Whether to read an existing file without changing it. It may be write-protected, and of an
        earlier version.

    Attributes
    ----------
    path : Path
        The file.
    read_only : bool
        Whether it was opened for reading only.

    Raises
    ------
    StoreError
        If the file is not a store, was made by a newer version, is damaged, or cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skactive.labeling import SQLiteLabelStore
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels.db"
    >>> store = SQLiteLabelStore(path)
    >>> store.events()
    []
    >>> store.close()
    """

    def __init__(self, path: Any, *, read_only: bool = False) -> None:
        self.path, self.read_only = Path(path), read_only
        self._lock, self._depth = RLock(), 0
        self._connection: sqlite3.Connection | None = None
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old, labels need 3.37 or newer: use a "
                "newer Python."
            )
        if not os.path.lexists(self.path) and not read_only:
            create(self.path)
        self._identity = FileIdentity(self.path)
        self._owner, self._remove_copy = os.getpid(), _do_nothing
        self._last_known = (0, 0)  # by the events before the present transaction
        self._connection = self._open()
        try:
            version = self._run(lambda connection: read_version(connection, self.path))
            self._events = EventTable(self.path, self._query, version)
            self._facts = FactTable(self.path, self._query, version)
            self._snapshots = SnapshotTable(self._query, version)
            self._check_all()
        except BaseException:
            self.close()
            raise

    # The protocol ---------------------------------------------------------------------------------

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Store all of these events or none; they are on disk when the call returns.

        Parameters
        ----------
        events : iterable of Event
            The events; those whose id is stored already are ignored.

        Returns
        -------
        list of Event
            Those that are new, with their positions.

        Raises
        ------
        StoreError
            If they cannot be stored (on a full disk, say); none of them was stored.
        """
        values = {row[0]: row for row in map(to_values, events)}  # by id; the first one counts
        with self.exclusive():
            known = self._events.find_positions(list(values))
            new = [row for event_id, row in values.items() if event_id not in known]
            rows = self._events.insert(new)
        return [to_event(row) for row in rows]

    def events(self, after: int = 0, limit: int | None = None) -> list[Event]:
        """Return the events whose position is greater than `after`, in order.

        Parameters
        ----------
        after : int, default=0
            Position of the last event that is known already.
        limit : int, default=None
            Number of events to return at most.

        Returns
        -------
        list of Event

        Raises
        ------
        StoreError
            If an event is damaged, or the file was replaced by another one.
        """
        with self._lock:
            return [self._to_event(row) for row in self._events.read_after(after, limit)]

    def get_events(self, positions: Iterable[int]) -> list[Event]:
        """Return the events at some positions.

        Parameters
        ----------
        positions : iterable of int
            The positions, in any order.

        Returns
        -------
        list of Event
            In the order of `positions`.

        Raises
        ------
        StoreError
            If an event is damaged or missing.
        """
        wanted = list(positions)
        found = {row[0]: self._to_event(row) for row in self._events.read_at(wanted)}
        return [found[position] for position in wanted]

    def find_event(self, event_id: str) -> Event | None:
        """Return the event with an id.

        Parameters
        ----------
        event_id : str
            The id.

        Returns
        -------
        Event or None
        """
        positions = self._events.find_positions([event_id])
        return self.get_events(positions.values())[0] if positions else None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep all other writers out; on an error, nothing inside is stored.

        Calls may be nested; the outermost one commits.
        """
        with self._lock:
            if self._depth == 0:
                self._begin()
            self._depth += 1
            try:
                yield
            except BaseException as error:
                self._depth -= 1
                if self._depth == 0:
                    self._give_up(error)
                raise
            self._depth -= 1
            if self._depth == 0:
                self._commit()

    def fact(self, name: str) -> Any:
        """Return the value of a fact, or None.

        Parameters
        ----------
        name : str
            Name of the fact.

        Returns
        -------
        object

        Raises
        ------
        StoreError
            If a fact is damaged.
        """
        return self._facts.read().get(name)

    def set_fact(self, name: str, value: Any) -> Any:
        """Set a fact unless it is set already, and return its value.

        Parameters
        ----------
        name : str
            Name of the fact.
        value : object
            The value, serializable as JSON.

        Returns
        -------
        object
            The value that was set first.
        """
        text = to_json("value", value)
        with self.exclusive():
            if name not in self._facts.read():
                self._facts.insert(name, text)
            return self._facts.read()[name]

    def read_snapshot(self, name: str) -> tuple[int, bytes] | None:
        """Return a snapshot, if it and the event that it ends with are undamaged.

        Parameters
        ----------
        name : str
            Name of the snapshot.

        Returns
        -------
        (int, bytes) or None
            Position of the last event that it contains, and its content.
        """
        return self._snapshots.read(name)

    def save_snapshot(self, name: str, position: int, content: bytes) -> None:
        """Save a snapshot in place of an earlier one.

        Parameters
        ----------
        name : str
            Name of the snapshot.
        position : int
            Position of the last event that it contains.
        content : bytes
            What was derived from the events.
        """
        with self.exclusive():
            self._snapshots.write(name, position, content)

    def backup(self, path: Any) -> None:
        """Copy everything stored so far to a new file; others may label meanwhile.

        Parameters
        ----------
        path : str or Path
            The new file.

        Raises
        ------
        StoreError
            If the file exists already, or cannot be written; then it is removed.
        """
        path = Path(path)
        try:
            path.touch(0o600, exist_ok=False)
        except FileExistsError:
            raise StoreError(f"{path} exists already: pass a new file for the backup.") from None
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}. Pass another file.") from error
        try:
            self._run(lambda connection: copy_tables(connection, path))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the file. Everything that was stored is on disk."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                if not self.read_only:
                    with suppress(sqlite3.Error):  # removes the empty journal, if nobody writes
                        self._connection.execute("PRAGMA busy_timeout=0")
                        self._connection.execute("PRAGMA journal_mode=DELETE")
                self._connection.close()
                self._remove_copy()
            self._connection = None

    # The connection -------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            version = check_file(self.path)
            if version == 1:
                check_log(self.path)
            if not self.read_only:
                return connect(self.path)
            if version > 1:  # version 1 has a write-ahead log beside it
                with suppress(sqlite3.OperationalError):  # a journal has to be rolled back
                    return connect_read_only(self.path)
            folder = TemporaryDirectory(prefix="skactive-")
            try:
                connection = connect(copy_files(self.path, Path(folder.name)))
            except BaseException:
                folder.cleanup()
                raise
            self._remove_copy = folder.cleanup
            return connection
        except SQLITE_ERRORS as error:
            raise explain(error, self.path) from error

    def _run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call `work` with the connection; errors of SQLite become a StoreError."""
        with self._lock:
            if self._connection is None:
                raise StoreError(f"{self.path} is closed: open it again.")
            if self._owner != os.getpid():
                # A connection does not survive a fork. The parent's is never used nor closed.
                self._connection, self._owner = self._open(), os.getpid()
                self._depth = 0
            try:
                return work(self._connection)
            except SQLITE_ERRORS as error:
                raise explain(error, self.path) from error

    def _query(self, query: str, *parameters: Any) -> list[Row]:
        return self._run(lambda connection: connection.execute(query, parameters).fetchall())

    def _begin(self) -> None:
        if self.read_only:
            raise StoreError(f"{self.path} was opened for reading only: open it without read_only.")
        self._check_identity()  # a journal beside another file would damage that
        self._last_known = self._events.last_known
        try:
            self._query("PRAGMA shrink_memory")  # the checks read the file, not cached pages of it
            self._query("BEGIN IMMEDIATE")
            self._events.check_unchanged()
        except BaseException as error:
            self._give_up(error)
            raise

    def _commit(self) -> None:
        try:
            if not self._identity.is_lost():
                self._query("COMMIT")
            else:
                self._roll_back()
        except BaseException as error:
            self._give_up(error)
            raise
        self._check_identity()  # what was written to a file without a name is not acknowledged

    def _give_up(self, error: BaseException) -> None:
        """Roll back, and raise a better error if SQLite could not find the file any more."""
        self._roll_back()
        if isinstance(error, StoreError):
            self._check_identity()

    def _roll_back(self) -> None:
        self._events.last_known = self._last_known
        with suppress(sqlite3.Error):  # on a full disk SQLite has rolled back itself
            if self._connection is not None:
                self._connection.execute("ROLLBACK")

    # Checks ---------------------------------------------------------------------------------------

    def _check_all(self) -> None:
        """Check the structure of the file, its facts, and that the last event is there."""
        self._run(lambda connection: check_schema(connection, self.path))
        # Only who writes looks up ids, in an index that takes ten times as long to check
        check = "quick_check" if self.read_only else "integrity_check"
        damage = self._query(f"PRAGMA {check}(1)")[0][0]
        if damage != "ok":
            raise make_damage_error(self.path, f"SQLite: {' '.join(damage.split())}")
        self._facts.read()
        self._events.read_last()

    def _check_identity(self) -> None:
        """Check that the file still has its name."""
        if self._identity.is_lost():
            raise self._identity.make_error(self.backup)

    def _to_event(self, row: Row) -> Event:
        try:
            return to_event(row)
        except ValueError as error:
            raise make_damage_error(self.path, f"event {row[0]}: {error}") from error


def _do_nothing() -> None:
    """Remove nothing."""
