"""Values as people write them."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["format_value", "is_filled", "is_missing"]

_MAX_WHOLE = 1e15  # above, floats are not exact in all digits that would be shown


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or the missing value of a library."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float | Decimal | np.floating) and bool(value != value)


def is_filled(value: Any) -> bool:
    """Return whether a value is neither missing nor a text of spaces."""
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return not is_missing(value)


def format_value(value: Any) -> str:
    """Return a value as people write it.

    Parameters
    ----------
    value : object
        A value of a table.

    Returns
    -------
    str
        A text as it is; a missing value as ""; a whole number without ".0"; a date or time in ISO
        8601; bytes as their text, or "12 bytes"; a list as "a, b"; an object, or a list of such,
        as JSON.

    Examples
    --------
    >>> from datetime import date
    >>> [format_value(value) for value in ("a", None, 2.0, True, date(2024, 5, 1), ["b", 3])]
    ['a', '', '2', 'true', '2024-05-01', 'b, 3']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return format_value(value.tolist())
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _MAX_WHOLE else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return _format_bytes(bytes(value))
    if isinstance(value, dict):
        return _to_json(value)
    if isinstance(value, list | tuple | set | frozenset):
        is_nested = any(isinstance(item, list | tuple | dict) for item in value)
        return _to_json(value) if is_nested else ", ".join(map(format_value, value))
    return str(value)


def _format_bytes(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character in "\n\r\t" for character in text):
        return text
    return "1 byte" if len(value) == 1 else f"{len(value)} bytes"


def _to_json(value: Any) -> str:
    return json.dumps(_simplify(value), ensure_ascii=False)


def _simplify(value: Any) -> Any:
    """Return a value that JSON has: of other kinds, its text."""
    if isinstance(value, dict):
        return {format_value(key): _simplify(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simplify(item) for item in value]
    if is_missing(value):
        return None
    return value if isinstance(value, str | int | float) else format_value(value)
