"""Rows inside a quoted cell: the trace of a stray quote that closes at another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from skactive.cli.reading._cells import count_line_ends, split_lines

__all__ = ["Suspect", "find_swallowed", "suspect_rows"]

_SAMPLE = 2000  # rows whose values are compared
_MAX_KEPT = 20  # lines kept of each suspect
_FEW = 2  # lines, of which more is asked than of many
_MAX_MARK_LENGTH = 40  # characters of a value that may mark a row
_MAX_SHAPES = 20


class Suspect(NamedTuple):
    """A cell over several lines that has separators where several rows would have them."""

    line: int
    n_lines: int
    parts: list[dict[int, str]]  # of each line, what would be in other columns, by column


def suspect_rows(line: int, row: Sequence[str], separator: str) -> Suspect | None:
    """Return the first cell of a row that may consist of the end of a row, rows, and a beginning.

    Parameters
    ----------
    line : int
        Line in which the row begins.
    row : sequence of str
        Its cells.
    separator : str
        Character between cells.
    """
    n_columns = len(row)
    for column, cell in enumerate(row):
        n_ends = count_line_ends(cell)
        if n_ends and n_columns > 1:
            first, *inner, last = split_lines(cell)
            # The end of one row, and the beginning of another
            if first.count(separator) == n_columns - 1 - column and last.count(separator) == column:
                similar = [text for text in inner if text.count(separator) == n_columns - 1]
                if 2 * len(similar) >= len(inner):
                    end = dict(enumerate(first.split(separator)[1:], column + 1))
                    start = dict(enumerate(last.split(separator)[:-1]))
                    rows = [dict(enumerate(t.split(separator))) for t in similar[:_MAX_KEPT]]
                    return Suspect(line, n_ends + 1, [part for part in (end, *rows, start) if part])
        line += n_ends
    return None


def find_swallowed(suspects: Iterable[Suspect], columns: Sequence[Sequence[str]]) -> Suspect | None:
    """Return the first suspect whose lines resemble the rows of the table.

    They resemble rows if they have a value of a column with few values, such as a class, or one
    that has digits where the others have them, such as an id.

    Parameters
    ----------
    suspects : iterable of Suspect
        Cells over several lines.
    columns : sequence of sequence of str
        Values of the table, by column.
    """
    suspects = list(suspects)
    marks = [_Marks(column) for column in columns] if suspects else []
    for suspect in suspects:
        n_similar = sum(
            any(marks[column].fits(text, len(suspect.parts)) for column, text in part.items())
            for part in suspect.parts
        )
        if 2 * n_similar > len(suspect.parts):
            return suspect
    return None


class _Marks:
    """Features of the values of a column, if they distinguish them from running text."""

    def __init__(self, column: Sequence[str]) -> None:
        values = list(islice((value for value in column if value.strip()), _SAMPLE))
        short = all(len(value) <= _MAX_MARK_LENGTH for value in values)
        self.values = set(values)
        self.is_repeated = short and 2 * len(self.values) <= len(values)
        self.is_unique = len(self.values) == len(values)
        shapes = {_describe_shape(value) for value in self.values} if short else set()
        has_digits = all("9" in shape for shape in shapes)
        self.shapes = shapes if has_digits and len(shapes) <= _MAX_SHAPES else set()
        self.numbers = [int(value) for value in self.values] if shapes == {"9"} else []

    def fits(self, text: str, n_lines: int) -> bool:
        """Return whether a text, on one of some lines, could be a value of the column."""
        text = text.strip('"')
        if len(text) > _MAX_MARK_LENGTH:
            return False
        if self.is_repeated:
            return text in self.values
        if _describe_shape(text) not in self.shapes or (self.is_unique and text in self.values):
            return False
        # "10,000 people" is no row with the id 10: a few lines must have ids near the others
        is_near = not self.numbers or (
            min(self.numbers) - n_lines <= int(text) <= max(self.numbers) + n_lines
        )
        return is_near or n_lines > _FEW


def _describe_shape(value: str) -> str:
    """Return a value with its words replaced by "a" and its numbers by "9": "a-9" for row-17."""
    return re.sub(r"[0-9]+", "9", re.sub(r"[^\W\d_]+", "a", value))
