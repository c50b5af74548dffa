"""Connections to the file of a store."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from skactive.exceptions import StoreError
from skactive.labeling.stores._errors import BUSY_SECONDS, SQLITE_ERRORS, explain, make_damage_error
from skactive.labeling.stores._pages import count_commits
from skactive.labeling.stores._schema import make_foreign_error, migrate, read_version

__all__ = ["check_file", "check_log", "connect", "connect_read_only", "copy_files", "copy_tables"]

_LOG_SECONDS = 10.0  # how long to wait for a program that has a store of version 1 open


def check_file(path: Path) -> int:
    """Check that a file is a store, without changing it, and return its version.

    It is not opened as a plain file: closing that would drop SQLite's locks of this process.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is not a file: pass the name of a file, such as labels.db.")
    if not status.st_size:
        raise StoreError(
            f"{path} is empty: it is not a store of labels. Delete it to start a new store."
        )
    try:
        connection = sqlite3.connect(_make_uri(path, "immutable=1"), uri=True)
        try:
            # Its end may be missing after a power loss, until its journal is rolled back
            connection.execute("PRAGMA writable_schema=ON")
            return read_version(connection, path)
        finally:
            connection.close()
    except SQLITE_ERRORS as error:
        if "not a database" in str(error):
            raise make_foreign_error(path) from error
        raise explain(error, path) from error


def _make_uri(path: Path, options: str) -> str:
    return f"{path.absolute().as_uri()}?{options}"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open the file of a store, "rw" or "ro"; transactions begin when a statement says so."""
    return sqlite3.connect(
        _make_uri(path, f"mode={mode}"),
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open a store to write to it, and make it one of this version."""
    connection = _connect(path, "rw")
    try:
        connection.execute("PRAGMA synchronous=FULL")
        _leave_log(connection, path)
        # Not DELETE: the end of a transaction would wait for the folder too
        connection.execute("PRAGMA journal_mode=TRUNCATE")
        _check_writable(connection)
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_writable(connection: sqlite3.Connection) -> None:
    """Write without a change, so that a write-protected file fails before the first label."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version={version}")
    finally:
        connection.execute("ROLLBACK")


def _leave_log(connection: sqlite3.Connection, path: Path) -> None:
    """Move what is in the write-ahead log of version 1 into the file."""
    began = time.monotonic()
    while connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            if time.monotonic() - began > _LOG_SECONDS:
                raise StoreError(
                    f"{path} is in use by an older skactive: stop that program, and open it again."
                ) from error
            time.sleep(0.05)


def check_log(path: Path) -> None:
    """Check that SQLite can read the write-ahead log of version 1 to its end, on a copy of it.

    It ignores all that follows a damaged frame. That is right for the last transaction alone, which
    nobody was told of if the power was lost while it was written.
    """
    with TemporaryDirectory(prefix="skactive-") as folder:
        copy = copy_files(path, Path(folder))
        connection = sqlite3.connect(copy)
        try:
            n_frames = connection.execute("PRAGMA wal_checkpoint").fetchone()[1]
            n_ignored = count_commits(copy, max(n_frames, 0))
        finally:
            connection.close()
    if n_ignored > 1:
        raise make_damage_error(path, f"the last {n_ignored} transactions of its -wal")


def connect_read_only(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        read_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def copy_files(path: Path, folder: Path) -> Path:
    """Copy a store and what SQLite keeps beside it."""
    copy = folder / "copy.db"
    try:
        for suffix in ("", "-journal", "-wal"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                shutil.copyfile(beside, folder / f"copy.db{suffix}")
    except OSError as error:
        raise StoreError(f"{path} cannot be copied to read it: {error}.") from error
    return copy


def copy_tables(connection: sqlite3.Connection, path: Path) -> None:
    target = sqlite3.connect(path)
    try:
        connection.backup(target)
    finally:
        target.close()
