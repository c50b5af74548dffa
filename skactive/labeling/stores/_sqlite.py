"""SQLiteLabelStore: labels in one file, with the standard library's sqlite3."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any
from zlib import crc32

from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event, new_id

__all__ = ["SQLiteLabelStore"]

APPLICATION_ID = 0x534B4142  # "SKAB": distinguishes a store from other SQLite files
SCHEMA_VERSION = 1
_SQLITE_MAGIC = b"SQLite format 3\0"
_OLDEST_SQLITE = (3, 37, 0)  # the first with STRICT tables
_BUSY_SECONDS = 60.0  # how long to wait for another process's transaction

_SCHEMA = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    item TEXT,
    annotator TEXT,
    value TEXT,
    ticket TEXT,
    target TEXT,
    seconds REAL,
    round INTEGER,
    score REAL,
    time REAL NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""
_COLUMNS = (
    "id", "kind", "item", "annotator", "value", "ticket", "target",
    "seconds", "round", "score", "time",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO event ({', '.join(_COLUMNS)}, checksum) "
    f"VALUES ({', '.join('?' * (len(_COLUMNS) + 1))}) ON CONFLICT (id) DO NOTHING"
)
_SELECT = f"SELECT seq, checksum, {', '.join(_COLUMNS)} FROM event WHERE seq > ? ORDER BY seq"

# By version, the migration to the next version, in one transaction. Version 1 is the first.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}


class SQLiteLabelStore:
    """Labels in one SQLite file, safe from crashes and power cuts; several processes may share it.

    An answer is in the file when :meth:`append` returns (write-ahead log, ``synchronous=FULL``).
    Events are never changed or deleted, and each has a checksum that is verified when it is read.
    Not for network file systems, where SQLite cannot lock.

    Parameters
    ----------
    path : str or Path
        The file; it is created if it does not exist.

    Attributes
    ----------
    path : Path
        The file.

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

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        self._lock, self._depth = RLock(), 0
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old, labels need 3.37 or newer: use a "
                "newer Python."
            )
        if not os.path.lexists(self.path):  # does not raise if access is denied
            _create(self.path)
        _check_header(self.path)
        self._connection: sqlite3.Connection | None = self._connect()
        self._owner = os.getpid()

    # The protocol ---------------------------------------------------------------------------------

    def append(self, events: Iterable[Event]) -> None:
        """Store all of these events or none; they are on disk when the call returns.

        Parameters
        ----------
        events : iterable of Event
            The events; those whose id is stored already are ignored.

        Raises
        ------
        StoreError
            If they cannot be stored (on a full disk, say); none of them was stored.
        """
        rows = [_to_row(event) for event in events]
        with self.exclusive():
            self._run(lambda connection: connection.executemany(_INSERT, rows))

    def events(self, after: int = 0) -> list[Event]:
        """Return the events whose position is greater than `after`, in order.

        Parameters
        ----------
        after : int, default=0
            Position of the last event that is known already.

        Returns
        -------
        list of Event

        Raises
        ------
        StoreError
            If an event is damaged.
        """
        rows = self._run(lambda connection: connection.execute(_SELECT, (after,)).fetchall())
        return [self._to_event(row) for row in rows]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep all other writers out; on an error, nothing inside is stored.

        Calls may be nested; the outermost one commits.
        """
        with self._lock:
            if self._depth == 0:
                self._run(lambda connection: connection.execute("BEGIN IMMEDIATE"))
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._roll_back()
                raise
            self._depth -= 1
            if self._depth == 0:
                try:
                    self._run(lambda connection: connection.execute("COMMIT"))
                except BaseException:
                    self._roll_back()
                    raise

    def fact(self, name: str) -> Any:
        """Return the value of a fact, or None.

        Parameters
        ----------
        name : str
            Name of the fact.

        Returns
        -------
        object
        """
        query = "SELECT value FROM fact WHERE name = ?"
        row = self._run(lambda connection: connection.execute(query, (name,)).fetchone())
        return None if row is None else json.loads(row[0])

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
        row = name, json.dumps(value)
        with self.exclusive():
            self._run(lambda connection: connection.execute(
                "INSERT OR IGNORE INTO fact VALUES (?, ?)", row
            ))  # fmt: skip
            return self.fact(name)

    def backup(self, path: Any) -> None:
        """Copy everything stored so far to a new file; others may label meanwhile.

        Parameters
        ----------
        path : str or Path
            The new file.

        Raises
        ------
        StoreError
            If the file exists already, or cannot be written.
        """
        path = Path(path)
        if path.exists():
            raise StoreError(f"{path} exists already: pass a new file for the backup.")

        def copy(connection: sqlite3.Connection) -> None:
            target = sqlite3.connect(path)
            try:
                connection.backup(target)
            finally:
                target.close()

        self._run(copy)

    def close(self) -> None:
        """Close the file. Everything that was stored is on disk."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    # The connection -------------------------------------------------------------------------------

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                _check_version(connection, self.path)
                _prepare(connection)
                _migrate(connection)
                damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if damage != "ok":
                    raise sqlite3.DatabaseError(damage)
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise self._explain(error) from error
        return connection

    def _run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call `work` with the connection; errors of SQLite become a StoreError."""
        with self._lock:
            if self._connection is None:
                raise StoreError(f"{self.path} is closed: open it again.")
            if self._owner != os.getpid():
                # A connection does not survive a fork. The parent's is never used nor closed.
                self._connection, self._owner = self._connect(), os.getpid()
                self._depth = 0
            try:
                return work(self._connection)
            except sqlite3.Error as error:
                raise self._explain(error) from error

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # on a full disk SQLite has rolled back itself
            if self._connection is not None:
                self._connection.execute("ROLLBACK")

    def _explain(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        for phrase, explanation in _EXPLANATIONS:
            if phrase in text:
                return StoreError(f"{self.path}: {explanation} (SQLite: {text})")
        if isinstance(error, sqlite3.OperationalError):
            return StoreError(f"{self.path} cannot be read or written: {text}.")
        return StoreError(f"{self.path}: {_DAMAGED} (SQLite: {text})")

    def _to_event(self, row: tuple[Any, ...]) -> Event:
        seq, checksum, *values = row
        if checksum != _compute_checksum(tuple(values)):
            raise StoreError(
                f"{self.path}: {_DAMAGED} (the checksum of event {seq} differs from the stored one)"
            )
        fields = dict(zip(_COLUMNS, values, strict=True))
        fields["item"], fields["value"] = _from_json(fields["item"]), _from_json(fields["value"])
        return Event(seq=seq, **fields)


_DAMAGED = (
    "the file is damaged. It was not touched: keep it, and continue from a backup; what is still "
    "readable can be copied with `sqlite3 FILE .recover`"
)
_EXPLANATIONS = (
    ("full", "the disk is full. Nothing of this call was stored: make room and call again"),
    ("readonly", "the file or its folder is read-only. Make both writable"),
    ("unable to open", "the file cannot be opened. Check that its folder exists and is writable"),
    ("locked", f"another process has kept the file busy for {_BUSY_SECONDS:g} s. Call again"),
    ("malformed", _DAMAGED),
    ("not a database", _DAMAGED),
    ("disk I/O", "the disk fails. Nothing of this call was stored: check the disk and call again"),
)


def _create(path: Path) -> None:
    """Create an empty store, completely or not at all, and never over another one."""
    temporary = path.with_name(f".{path.name}.{new_id()}")
    try:
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION_ID}; "
                f"PRAGMA user_version={SCHEMA_VERSION}; {_SCHEMA} COMMIT;"
            )
        finally:
            connection.close()
        _publish(temporary, path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"{path} cannot be created: {error}. Check that its folder exists."
        ) from error
    finally:
        for leftover in temporary.parent.glob(f"{temporary.name}*"):
            leftover.unlink()


def _publish(temporary: Path, path: Path) -> None:
    """Move a file to its name, durably, unless another process was faster."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if path.exists():
            return
        temporary.replace(path)
    with suppress(OSError):  # folders cannot be opened everywhere
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _check_header(path: Path) -> None:
    """Check the first bytes as a plain file, so that a file that is not a store is not touched."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    if not header:
        raise StoreError(
            f"{path} is empty: it is not a store of labels. Delete it to start a new store."
        )
    if header[:16] != _SQLITE_MAGIC or int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(
            f"{path} is not a store of labels; it was not touched. Pass another file, or a new one."
        )


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer skactive (format {version}, this one supports up to "
            f"{SCHEMA_VERSION}); it was not touched. Upgrade skactive."
        )


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    # A file that cannot be written fails here, and not at the first label.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _migrate(connection: sqlite3.Connection) -> None:
    """Migrate an older store, version by version, each completely or not at all."""
    while (version := connection.execute("PRAGMA user_version").fetchone()[0]) < SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] == version:
                MIGRATIONS[version](connection)
                connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _to_row(event: Event) -> tuple[Any, ...]:
    timed = event if event.time else replace(event, time=time.time())
    values = tuple(
        json.dumps(value) if name in {"item", "value"} and value is not None else value
        for name, value in ((name, getattr(timed, name)) for name in _COLUMNS)
    )
    return (*values, _compute_checksum(values))


def _from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _compute_checksum(values: tuple[Any, ...]) -> int:
    return crc32(repr(tuple(float(v) if isinstance(v, int) else v for v in values)).encode())
