"""Errors of SQLite, explained."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from shlex import quote

from skactive.exceptions import StoreError

__all__ = ["BUSY_SECONDS", "SQLITE_ERRORS", "explain", "make_damage_error"]

BUSY_SECONDS = 60.0  # how long to wait for another process's transaction
# sqlite3 decodes SQLite's messages, which may quote bytes of a damaged file
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)

_NOTHING_STORED = "Nothing of this call was stored"
_EXPLANATIONS = (
    ("full", f"the disk is full. {_NOTHING_STORED}: make room and call again"),
    ("readonly", "the file or its folder is read-only. Make both writable"),
    ("unable to open", "the file cannot be opened. Check that its folder exists and is writable"),
    ("locked", f"another process has kept the file busy for {BUSY_SECONDS:g} s. Call again"),
    ("disk I/O", f"the disk fails. {_NOTHING_STORED}: check the disk and call again"),
)
_SIGNS_OF_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "decode")


def explain(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> StoreError:
    """Return the error to raise for an error of SQLite."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    for phrase, explanation in _EXPLANATIONS:
        if phrase in text:
            return StoreError(f"{path}: {explanation} (SQLite: {text})")
    is_damaged = any(sign in text for sign in _SIGNS_OF_DAMAGE)
    if isinstance(error, sqlite3.OperationalError) and not is_damaged:
        return StoreError(f"{path} cannot be read or written: {text}.")
    return make_damage_error(path, f"SQLite: {text}")


def make_damage_error(path: Path, detail: str) -> StoreError:
    """Return the error to raise for a file whose content is not what was stored."""
    return StoreError(
        f"{path}: the file is damaged. It was not changed: keep it. `skactive status --salvage "
        f"{quote(str(path))}` copies what can still be read to a new file ({detail})"
    )
