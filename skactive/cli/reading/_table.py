"""A table as it was read, and the words for places in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from skactive._utils.text import pluralize

__all__ = ["Table", "count_lines", "format_lines", "format_names", "shorten"]

_MAX_PLACES = 5
_MAX_NAMES = 12
_EXCERPT_LENGTH = 60  # characters of an excerpt


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a file, and the remarks about its reading.

    Parameters
    ----------
    columns : dict of str to list
        Values by column, in the order of the file: texts as they are written in csv, tsv and txt,
        Python objects from the other formats. None is a missing value.
    lines : list of int
        Line in which each row begins, from 1; empty if the format has no lines.
    notes : list of str
        Remarks for people: what was read, what was left out, and what looks odd.
    """

    columns: dict[str, list[Any]]
    lines: list[int]
    notes: list[str]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), []))

    def name_place(self, position: int) -> str:
        """Return the words for the place of a row: "line 7", or "row 6" without lines."""
        return f"line {self.lines[position]}" if self.lines else f"row {position + 1}"


def format_lines(lines: Sequence[int], noun: str = "line") -> str:
    """Return numbers of lines in words: "line 7", "lines 2, 3 and 5", "lines 2, 3, ... and 9"."""
    if len(lines) == 1:
        return f"{noun} {lines[0]}"
    if len(lines) > _MAX_PLACES:
        shown = ", ".join(map(str, lines[:_MAX_PLACES]))
        return f"{noun}s {shown} and {len(lines) - _MAX_PLACES} more"
    return f"{noun}s {', '.join(map(str, lines[:-1]))} and {lines[-1]}"


def format_names(names: Iterable[str]) -> str:
    """Return names of columns, separated by commas; of many, the first ones."""
    names = [name if name.isprintable() else repr(name) for name in names]
    names = [shorten(name, 30) for name in names]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def shorten(text: str, length: int = _EXCERPT_LENGTH) -> str:
    """Return the beginning of a text, which messages put in quotes."""
    text = text.rstrip("\r\n")
    return text if len(text) <= length else text[: length - 3] + "..."


def count_lines(n_rows: int, n_lines: int) -> str:
    """Return "60 rows of 61 lines"."""
    return f"{pluralize(n_rows, 'row')} of {pluralize(n_lines, 'line')}"
