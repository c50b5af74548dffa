"""Cells of a table: what is missing, how a value is written, and where it stands in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["INVALID_CHARACTER", "clean_text", "format_rows", "is_missing", "list_first", "to_text"]

# Surrogates, which no file can hold, and control characters but tabs and ends of lines
INVALID_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_LISTED = 5


def is_missing(value: Any) -> bool:
    """Return whether a cell is empty: None, NaN or no visible text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return not hasattr(value, "__len__") and _differs_from_itself(value)


def _differs_from_itself(value: Any) -> bool:
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA
        return True


def to_text(value: Any) -> str:
    """Return a cell as a text: a missing one is empty, an object is written as JSON."""
    if isinstance(value, str):
        return value
    return "" if is_missing(value) else json.dumps(value, ensure_ascii=False, default=str)


def clean_text(text: str) -> str:
    """Replace the characters that cannot be shown or stored."""
    return INVALID_CHARACTER.sub("\ufffd", text)


def format_rows(positions: Iterable[int], lines: Sequence[int]) -> str:
    """Name rows in a message: "line 7", "lines 7, 31", "lines 7, 31, 40, 41, 50 and 3 more".

    Parameters
    ----------
    positions : iterable of int
        Positions of the rows.
    lines : sequence of int
        Line of each row in its file; empty if the format has no lines, then rows count from 1.
    """
    numbers = [lines[position] if lines else position + 1 for position in positions]
    noun = ("line" if lines else "row") + ("" if len(numbers) == 1 else "s")
    return f"{noun} {list_first([str(number) for number in numbers])}"


def list_first(names: Sequence[str]) -> str:
    """List the first names, and the number of the others: "a, b, c, d, e and 3 more"."""
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more:,} more" if more > 0 else "")
