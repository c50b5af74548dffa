"""Values of any kind: which of them are missing, and how they are written."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["dump_json", "format_value", "is_blank", "is_missing"]

_MISSING_TYPES = frozenset({"NAType", "NaTType"})  # of pandas, which is not imported here
# Readers that split texts at any line break would split within a string
_LINE_BREAKS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or the missing value of a library."""
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and bool(value != value)


def is_blank(value: Any) -> bool:
    """Return whether a value is missing, or a text without a visible character."""
    if isinstance(value, str):
        return not value or value.isspace()
    return is_missing(value)


def format_value(value: Any) -> str:
    """Return a value as a text from which it can be read again.

    Parameters
    ----------
    value : object
        A value of a table.

    Returns
    -------
    str
        A text as it is; a missing value as ""; a truth value in lower case; a date or time in ISO
        8601; bytes as their text, or in base64 if they are none; lists and objects in JSON.

    Examples
    --------
    >>> from datetime import date
    >>> [format_value(value) for value in ("a", None, 2.0, True, date(2024, 5, 1), ["b", 3])]
    ['a', '', '2.0', 'true', '2024-05-01', '["b", 3]']
    """
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, np.generic | np.ndarray):
        return format_value(value.tolist())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return _format_bytes(bytes(value))
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return dump_json(value)
    return str(value)


def _format_bytes(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character in "\n\r\t" for character in text):
        return text
    return b64encode(value).decode("ascii")


def dump_json(value: Any) -> str:
    """Return a value in JSON, on one line.

    Infinite numbers are texts, as JSON has none; missing values are null.
    """
    try:
        text = _dump_strictly(value)
    except (TypeError, ValueError):  # keys that are no texts, or numbers that JSON has not
        text = _dump_strictly(_simplify(value))
    return text.translate(_LINE_BREAKS)


def _dump_strictly(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_simplify)


def _simplify(value: Any) -> Any:
    """Return a value that JSON has."""
    if isinstance(value, np.generic | np.ndarray) and not is_missing(value):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {format_value(key): _simplify(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_simplify(item) for item in value]
    if is_missing(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value if isinstance(value, str | int | float) else format_value(value)
