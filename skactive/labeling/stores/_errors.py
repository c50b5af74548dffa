"""Errors of SQLite, explained."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from skactive.exceptions import StoreError

__all__ = ["BUSY_SECONDS", "SQLITE_ERRORS", "explain", "make_damage_error"]

BUSY_SECONDS = 60.0  # how long to wait for another process's transaction
# sqlite3 decodes SQLite's messages, which may quote bytes of a damaged file
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)

_DAMAGED = (
    "the file is damaged. It was not changed: keep it. `skactive status --salvage` copies what can "
    "still be read to a new file"
)
_NOTHING_STORED = "Nothing of this call was stored"
_EXPLANATIONS = (
    ("full", f"the disk is full. {_NOTHING_STORED}: make room and call again"),
    ("readonly", "the file or its folder is read-only. Make both writable"),
    ("unable to open", "the file cannot be opened. Check that its folder exists and is writable"),
    ("locked", f"another process has kept the file busy for {BUSY_SECONDS:g} s. Call again"),
    ("malformed", _DAMAGED),
    ("not a database", _DAMAGED),
    ("no such table", _DAMAGED),
    ("no such column", _DAMAGED),
    ("disk I/O", f"the disk fails. {_NOTHING_STORED}: check the disk and call again"),
)


def explain(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> StoreError:
    """Return the error to raise for an error of SQLite."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    for phrase, explanation in _EXPLANATIONS:
        if phrase in text:
            return StoreError(f"{path}: {explanation} (SQLite: {text})")
    if isinstance(error, sqlite3.OperationalError) and "decode" not in text:
        return StoreError(f"{path} cannot be read or written: {text}.")
    return make_damage_error(path, f"SQLite: {text}")


def make_damage_error(path: Path, detail: str) -> StoreError:
    """Return the error to raise for a file whose content is not what was stored."""
    return StoreError(f"{path}: {_DAMAGED} ({detail})")
