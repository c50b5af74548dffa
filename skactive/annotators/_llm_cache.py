"""Replies of a server on disk, so that none is paid twice."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from skactive.exceptions import StoreError

__all__ = ["ReplyCache"]

_VERSION = 1  # of the file
_BUSY_SECONDS = 30.0
_TABLE = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)"


class ReplyCache:
    """Replies by the digest of their request, in one SQLite file.

    A reply is on disk when :meth:`put` returns. The file holds digests and replies; neither rows
    nor keys. Several threads and processes may share it, not on network file systems.

    Parameters
    ----------
    path : str, Path or None
        The file, which is made for its owner alone (mode 0600) if it does not exist; None: replies
        are kept in memory.

    Raises
    ------
    StoreError
        If the file cannot be opened, or is something else.
    """

    def __init__(self, path: Any) -> None:
        self._path = None if path is None else Path(path)
        self._lock = Lock()
        try:
            self._connection = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise self._explain(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the reply to a request, None if there is none."""
        query = "SELECT reply FROM replies WHERE key = ?"
        try:
            with self._lock:
                found = self._connection.execute(query, (key,)).fetchone()
            return None if found is None else json.loads(found[0])
        except (sqlite3.Error, ValueError) as error:
            raise self._explain(error) from error

    def put(self, key: str, reply: dict[str, Any]) -> None:
        """Store the reply to a request; the first of several stays."""
        values = (key, json.dumps(reply))
        try:
            with self._lock, self._connection:
                self._connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", values)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        if self._path is not None:  # an existing file keeps its mode
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        if version not in (0, _VERSION) or (tables and not any("replies" in row for row in tables)):
            raise sqlite3.DatabaseError("it holds something else, or is of another version")
        with connection:
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _explain(self, error: Exception) -> StoreError:
        return StoreError(
            f"The replies in {self._path or 'memory'} cannot be read or written ({error}): pass "
            "another file as cache, or free space on its disk."
        )
