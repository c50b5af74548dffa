"""The tables of a store: rows are checked whenever they are read or written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

from skactive.exceptions import StoreError
from skactive.labeling.stores._errors import make_damage_error
from skactive.labeling.stores._rows import COLUMNS, Row, chain_rows, check_old_rows, check_rows

__all__ = ["EventTable", "FactTable", "SnapshotTable"]

Query: TypeAlias = Callable[..., list[Row]]  # an SQL statement and its parameters

_NAMES = f"seq, checksum, {', '.join(COLUMNS)}"
_INSERT = f"INSERT INTO event ({_NAMES}) VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
# The last position that was ever given in a table, whose rows may be missing. It is read together
# with them: between two queries others may write.
_FINAL = "(SELECT max(seq) AS final FROM sqlite_sequence WHERE name = ?)"
_CHUNK = 500  # positions in one query: SQLite limits the number of parameters


class EventTable:
    """The events, which are only added, each with a checksum that continues the one before.

    Parameters
    ----------
    path : Path
        The file, for messages.
    query : callable
        Executes SQL.
    version : int
        Version of the store.

    Attributes
    ----------
    last_known : (int, int)
        Position and checksum of the last event that was read or written. The next ones have to
        continue it, so that an older copy that is written over the file is noticed.
    """

    def __init__(self, path: Path, query: Query, version: int) -> None:
        self._path, self._query, self._version = path, query, version
        self.last_known = (0, 0)

    def check_unchanged(self) -> None:
        """Check that the last event that was read is still there."""
        self._read_row_before(self.last_known[0])

    def read_last(self) -> tuple[int, int]:
        """Return the position and the checksum of the last event; 0 and 0 without one."""
        query = (
            f"SELECT final, seq, checksum FROM {_FINAL} "
            "LEFT JOIN event ON seq = (SELECT max(seq) FROM event)"
        )
        ((final, last, checksum),) = self._query(query, "event")
        if (final or 0) != (last or 0):
            raise make_damage_error(self._path, "the last events are missing")
        return last or 0, checksum or 0

    def read_after(self, after: int, limit: int | None) -> list[Row]:
        """Return up to `limit` rows after a position."""
        before = self._read_row_before(after)
        query = f"SELECT {_NAMES} FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        rows = self._query(query, after, -1 if limit is None else limit)
        self._check(rows, before[1])
        self.last_known = max(self.last_known, rows[-1][:2] if rows else before)
        return rows

    def read_at(self, positions: Sequence[int]) -> list[Row]:
        """Return the rows at some positions, in any order."""
        before = (
            "(SELECT before.checksum FROM event AS before WHERE before.seq < event.seq "
            "ORDER BY before.seq DESC LIMIT 1)"
        )
        rows: list[Row] = []
        for start in range(0, len(positions), _CHUNK):
            chunk = positions[start : start + _CHUNK]
            query = f"SELECT {before}, {_NAMES} FROM event WHERE seq IN ({_marks(len(chunk))})"
            for checksum, *values in self._query(query, *chunk):
                rows.append(tuple(values))
                self._check(rows[-1:], checksum or 0)
        if len(rows) != len(set(positions)):
            missing = set(positions) - {row[0] for row in rows}
            raise make_damage_error(self._path, f"event {min(missing)} is missing")
        return rows

    def find_positions(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the positions of the events that are stored under some of these ids."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            # The id is read from the table, since a damaged index may have another one
            query = (
                "SELECT id, seq FROM event NOT INDEXED WHERE seq IN "
                f"(SELECT seq FROM event WHERE id IN ({_marks(len(chunk))}))"
            )
            found |= {row[0]: row[1] for row in self._query(query, *chunk)}
        if unknown := found.keys() - set(ids):
            position = found[unknown.pop()]
            raise make_damage_error(self._path, f"the index has another id for event {position}")
        return found

    def insert(self, values: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Add rows, read them back, and return them.

        Parameters
        ----------
        values : sequence of tuple
            Values of COLUMNS; their ids are new.
        """
        last, checksum = self.read_last()
        rows = list(chain_rows(((last + n, *row) for n, row in enumerate(values, 1)), checksum))
        for row in rows:
            self._query(_INSERT, *row)
        stored = self._query(f"SELECT {_NAMES} FROM event WHERE seq > ? ORDER BY seq", last)
        if stored != rows or len(self.find_positions([row[2] for row in rows])) != len(rows):
            raise make_damage_error(self._path, "events could not be read back as they were stored")
        if rows:
            self.last_known = rows[-1][:2]
        return rows

    def _check(self, rows: list[Row], checksum: int) -> None:
        found = check_rows(rows, checksum) if self._version > 1 else check_old_rows(rows)
        for damage in found:
            raise make_damage_error(self._path, damage)

    def _read_row_before(self, after: int) -> tuple[int, int]:
        """Return the position and the checksum of the last row up to a position."""
        query = "SELECT seq, checksum FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
        found = self._query(query, after)
        row = found[0][:2] if found else (0, 0)
        if after == self.last_known[0] and row != self.last_known:
            raise StoreError(
                f"{self._path} was overwritten by other contents while it was open: event {after} "
                "is not the one that was stored. Nothing of this call was stored. Keep the file, "
                "close this session, and open a backup that has your last labels."
            )
        return row


class FactTable:
    """The facts, each of which is set once, with checksums as those of events.

    Parameters
    ----------
    path : Path
        The file, for messages.
    query : callable
        Executes SQL.
    version : int
        Version of the store.
    """

    def __init__(self, path: Path, query: Query, version: int) -> None:
        self._path, self._query, self._version = path, query, version

    def read(self) -> dict[str, Any]:
        """Return all facts."""
        rows = self._read_old() if self._version == 1 else self._read_checked()
        try:
            return {name: json.loads(value) for name, value in rows}
        except (TypeError, ValueError, RecursionError) as error:
            raise make_damage_error(self._path, "a fact is not JSON") from error

    def insert(self, name: str, value: str) -> None:
        """Add a fact that is not set; its value is JSON."""
        found = self._query("SELECT seq, checksum FROM fact ORDER BY seq DESC LIMIT 1")
        last, checksum = found[0] if found else (0, 0)
        row = next(chain_rows([(last + 1, name, value)], checksum))
        self._query("INSERT INTO fact (seq, checksum, name, value) VALUES (?, ?, ?, ?)", *row)

    def _read_old(self) -> list[Row]:
        return self._query("SELECT name, value FROM fact")

    def _read_checked(self) -> list[Row]:
        columns = "final, seq, checksum, name, value"
        found = self._query(f"SELECT {columns} FROM {_FINAL} LEFT JOIN fact ORDER BY seq", "fact")
        rows = [row[1:] for row in found if row[1] is not None]
        final, last = found[-1][:2]
        if (final or 0) != (last or 0) or any(check_rows(rows, 0)):
            raise make_damage_error(self._path, "a fact (a setting or the seed) was changed")
        return [row[2:] for row in rows]


class SnapshotTable:
    """Snapshots of what follows from the events; they save time, and are ignored if damaged.

    Parameters
    ----------
    query : callable
        Executes SQL.
    version : int
        Version of the store.
    """

    def __init__(self, query: Query, version: int) -> None:
        self._query, self._version = query, version

    def read(self, name: str) -> tuple[int, bytes] | None:
        """Return the position and the content of a snapshot, if they fit to the events."""
        if self._version == 1:
            return None
        found = self._query(
            # NOT INDEXED: a damaged index may lead to another snapshot
            "SELECT snapshot.seq, snapshot.checksum, content FROM snapshot NOT INDEXED JOIN event "
            "ON event.seq = snapshot.seq AND event.checksum = event_checksum WHERE name = ?",
            name,
        )
        is_whole = found and isinstance(found[0][2], bytes) and crc32(found[0][2]) == found[0][1]
        if not is_whole:
            return None
        return found[0][0], found[0][2]

    def write(self, name: str, position: int, content: bytes) -> None:
        """Write a snapshot in place of an earlier one."""
        self._query(
            "INSERT OR REPLACE INTO snapshot SELECT ?, seq, checksum, ?, ? FROM event "
            "WHERE seq = ?",
            *(name, crc32(content), content, position),
        )


def _marks(n: int) -> str:
    return ", ".join("?" * n)
