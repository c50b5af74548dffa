"""Cells of a table: characters that cannot be shown, and the words for where cells stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["INVALID_CHARACTER", "clean_text", "format_rows", "list_first"]

# Surrogates, which no file can hold, and control characters but tabs and ends of lines
INVALID_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_LISTED = 5


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
