"""The tables of a store, and how a store of an earlier version becomes one of this version."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from skactive._utils.files import publish_file
from skactive.exceptions import StoreError
from skactive.labeling.stores._errors import make_damage_error
from skactive.labeling.stores._rows import COLUMNS, chain_rows, check_old_rows

__all__ = [
    "APPLICATION_ID",
    "SCHEMA_VERSION",
    "check_schema",
    "create",
    "make_foreign_error",
    "migrate",
    "read_version",
]

APPLICATION_ID = 0x534B4142  # "SKAB": distinguishes a store from other SQLite files
SCHEMA_VERSION = 2
_MAX_NAME_BYTES = 240  # of 255 on most file systems; SQLite appends "-journal"

# AUTOINCREMENT keeps the last position in a table of its own: a lost end is noticed.
_SCHEMA = """
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    checksum INTEGER NOT NULL,
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
    time REAL NOT NULL
) STRICT;
CREATE TABLE fact (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    checksum INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE snapshot (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    event_checksum INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE TRIGGER no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""


def create(path: Path) -> None:
    """Create an empty store, completely or not at all, and never over another one."""
    if not path.name or path.name.startswith(":") or str(path).startswith("file:"):
        raise StoreError(
            f"{str(path)!r} is not the name of a file: pass one, such as labels.db. For labels "
            "that are not kept pass store=None."
        )
    if len(os.fsencode(path.name)) > _MAX_NAME_BYTES:
        raise StoreError(
            f"The name of the file, {path.name[:40]}..., has {len(os.fsencode(path.name))} bytes; "
            f"at most {_MAX_NAME_BYTES} are possible: choose a shorter one."
        )
    temporary = path.with_name(f".skactive-{uuid4().hex}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION_ID}; "
                f"PRAGMA user_version={SCHEMA_VERSION}; {_SCHEMA} COMMIT;"
            )
        finally:
            connection.close()
        with suppress(FileExistsError):  # another process was faster
            publish_file(temporary, path)
    except (sqlite3.Error, OSError, ValueError) as error:
        raise StoreError(
            f"{path} cannot be created: {error}. Check that its folder exists and is writable, and "
            "that the disk is not full."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of a store.

    Raises
    ------
    StoreError
        If the file is not a store, or was made by a newer version.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise make_foreign_error(path)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer skactive (format {version}, this one supports up to "
            f"{SCHEMA_VERSION}); it was not touched. Upgrade skactive."
        )
    if version < 1:
        raise make_damage_error(path, f"format {version}")
    return version


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Check that tables and triggers are those of a store, so that SQLite checks the types."""
    expected = sqlite3.connect(":memory:")
    try:
        expected.executescript(_SCHEMA)
        missing = _list_parts(expected) - _list_parts(connection)
    finally:
        expected.close()
    triggers = "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    found = {row[0] for row in connection.execute(triggers)}
    if missing or found != {"no_update", "no_delete"}:
        part = " ".join(map(str, min(missing, default=("triggers",))))
        raise make_damage_error(path, f"its tables are not those of a store: {part}")


def _list_parts(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """Return tables, whether they are strict, and their columns with their types."""
    query = (
        "SELECT tables.name, strict, columns.name, columns.type, columns.[notnull], pk "
        "FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS columns "
        "WHERE tables.name IN ('event', 'fact', 'snapshot')"
    )
    return set(connection.execute(query))


def make_foreign_error(path: Path) -> StoreError:
    """Return the error to raise for a file that is not a store."""
    return StoreError(
        f"{path} is not a store of labels; it was not touched. Pass another file, or a new one."
    )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate an older store, version by version, each completely or not at all."""
    while (version := read_version(connection, path)) < SCHEMA_VERSION:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if read_version(connection, path) == version:
                MIGRATIONS[version](connection, path)
                connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _migrate_1(connection: sqlite3.Connection, path: Path) -> None:
    """Chain the checksums of events, and give facts checksums too."""
    columns = ", ".join(COLUMNS)
    rows = f"SELECT seq, checksum, {columns} FROM event ORDER BY seq"
    for damage in check_old_rows(connection.execute(rows)):
        raise make_damage_error(path, damage)
    facts = connection.execute("SELECT rowid, name, value FROM fact ORDER BY rowid").fetchall()
    for trigger in ("no_update", "no_delete"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for table in ("event", "fact"):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in _SCHEMA.strip().split(";\n"):  # executescript would commit
        connection.execute(statement)
    old = connection.execute(f"SELECT seq, {columns} FROM old_event ORDER BY seq")
    marks = ", ".join("?" * (len(COLUMNS) + 2))
    connection.executemany(
        f"INSERT INTO event (seq, checksum, {columns}) VALUES ({marks})", chain_rows(old, 0)
    )
    connection.executemany("INSERT INTO fact VALUES (?, ?, ?, ?)", chain_rows(facts, 0))
    for table in ("event", "fact"):
        connection.execute(f"DROP TABLE old_{table}")


# By version, the migration to the next version, in one transaction. Version 1 is the first.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection, Path], None]] = {1: _migrate_1}
