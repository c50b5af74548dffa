"""Rows inside a quoted cell: the trace of a stray quote that closes at another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

__all__ = ["Suspect", "find_swallowed", "suspect_rows"]

_SAMPLE = 2000  # rows whose values are compared
_MAX_KEPT = 20  # lines kept of each suspect
_MAX_LENGTH = 40  # characters of a value that may mark a row
_MAX_SHAPES = 20


class Suspect(NamedTuple):
    """A row over several lines, whose lines have as many separators as rows."""

    line: int
    n_lines: int
    cells: list[list[str]]  # of the lines after its first


def suspect_rows(
    line: int, record: Sequence[str], separator: str, n_columns: int
) -> Suspect | None:
    """Return a row over several lines if most of these could be rows.

    Parameters
    ----------
    line : int
        Line in which the row begins.
    record : sequence of str
        Its lines.
    separator : str
        Character between cells.
    n_columns : int
        Number of cells of a row.
    """
    if n_columns < 2:
        return None
    # Counting is cheap: a row may have a million lines
    similar = [text for text in record[1:] if text.count(separator) == n_columns - 1]
    if not similar or 2 * len(similar) < len(record) - 1:
        return None
    return Suspect(line, len(record), [text.split(separator) for text in similar[:_MAX_KEPT]])


def find_swallowed(suspects: Iterable[Suspect], columns: Sequence[Sequence[str]]) -> Suspect | None:
    """Return the first suspect whose lines resemble the rows of the table.

    They resemble rows if they have a value of a column with few values, such as a class, or one
    that has digits where the others have them, such as an id.

    Parameters
    ----------
    suspects : iterable of Suspect
        Rows over several lines.
    columns : sequence of sequence of str
        Values of the table, by column.
    """
    suspects = list(suspects)
    if not suspects:
        return None
    marks = [_Marks(column) for column in columns]
    for suspect in suspects:
        n_rows = sum(
            any(mark.fits(cell) for mark, cell in zip(marks, cells, strict=True))
            for cells in suspect.cells
        )
        if 2 * n_rows > len(suspect.cells):
            return suspect
    return None


class _Marks:
    """Features of the values of a column, if they distinguish them from running text."""

    def __init__(self, column: Sequence[str]) -> None:
        values = list(islice((value for value in column if value.strip()), _SAMPLE))
        short = all(len(value) <= _MAX_LENGTH for value in values)
        distinct = set(values)
        is_repeated = short and 2 * len(distinct) <= len(values)
        self.values = distinct if is_repeated else set()
        shapes = {_describe_shape(value) for value in distinct} if short else set()
        has_digits = all("9" in shape for shape in shapes)
        self.shapes = shapes if has_digits and len(shapes) <= _MAX_SHAPES else set()

    def fits(self, cell: str) -> bool:
        """Return whether a cell could be a value of the column."""
        cell = cell.strip('"\r\n')
        return cell in self.values or _describe_shape(cell) in self.shapes


def _describe_shape(value: str) -> str:
    """Return a value with its words replaced by "a" and its numbers by "9": "a-9" for row-17."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", value[: _MAX_LENGTH + 1]))
