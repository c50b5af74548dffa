"""Rows with more or fewer cells than the first line names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.reading._separator import name_separator
from skactive.cli.reading._table import format_lines, format_names, shorten

__all__ = ["RaggedRows"]


class _Odd(NamedTuple):
    position: int  # of the row in the table
    line: int
    n_cells: int
    text: str


class RaggedRows:
    """Rows with more or fewer cells than there are columns.

    Nothing is cut or filled in silently. Allowed are only two habits of programs: an empty cell at
    the end of every row, and rows without their last cells where these are empty in others.

    Parameters
    ----------
    path : Path
        For messages.
    separator : str
        Character between cells.
    names : sequence of str
        Names of the columns.
    """

    def __init__(self, path: Path, separator: str, names: Sequence[str]) -> None:
        self.path, self.separator, self.names = path, separator, names
        self.long: list[_Odd] = []  # with values beyond the names; the first one only
        self.ending: list[_Odd] = []  # with empty cells beyond the names; the first one only
        self.short: list[_Odd] = []
        self.n_long = self.n_ending = 0

    def fit(self, line: int, row: list[str], position: int) -> list[str]:
        """Return a row with as many cells as columns, and note what was done for `settle`.

        Parameters
        ----------
        line : int
            Line in which the row begins.
        row : list of str
            Its cells.
        position : int
            Position of the row in the table.
        """
        n_columns = len(self.names)
        text = shorten(self.separator.join(row)) if self._keeps(row) else ""
        odd = _Odd(position, line, len(row), text)
        if len(row) < n_columns:
            self.short.append(odd)
            return row + [""] * (n_columns - len(row))
        if any(map(str.strip, row[n_columns:])):
            self.n_long += 1
            self.long = self.long or [odd]
        else:
            self.n_ending += 1
            self.ending = self.ending or [odd]
        return row[:n_columns]

    def _keeps(self, row: list[str]) -> bool:
        return len(row) < len(self.names) or not self.long or not self.ending

    def settle(self, columns: Sequence[Sequence[str]], lines: Sequence[int]) -> list[str]:
        """Return notes about such rows, or raise an error if cells may be lost.

        Parameters
        ----------
        columns : sequence of sequence of str
            All values, by column.
        lines : sequence of int
            Line in which each row begins.
        """
        if self.long:
            raise self._explain(self.long[0], self.n_long)
        notes = []
        if self.ending:
            if self.n_ending < len(lines):
                raise self._explain(self.ending[0], self.n_ending)
            notes.append("an empty cell at the end of every row left out")
        if self.short:
            broken = self._find_broken(columns, len(lines))
            if broken is not None:
                raise self._explain(broken, len(self.short))
            where = format_lines([odd.line for odd in self.short])
            cells = pluralize(len(self.short), "row")
            notes.append(f"{cells} without the last cells, read as empty ({where})")
        return notes

    def _find_broken(self, columns: Sequence[Sequence[str]], n_rows: int) -> _Odd | None:
        """Return the first short row that a spreadsheet would not have written so."""
        shortest = self._measure_shortest(columns, n_rows)
        for number, odd in enumerate(self.short):
            if odd.n_cells == 1 or odd.n_cells < shortest or self._continues(number):
                return odd
        return None

    def _measure_shortest(self, columns: Sequence[Sequence[str]], n_rows: int) -> int:
        """Return the number of cells up to the last value, at least, of the complete rows."""
        short = {odd.position for odd in self.short}
        shortest = len(columns)
        for position in range(n_rows):
            if position not in short:
                while shortest and not any(
                    column[position].strip() for column in columns[shortest - 1 :]
                ):
                    shortest -= 1
        return shortest

    def _continues(self, number: int) -> bool:
        """Return whether a short row and those after it are the parts of one broken row."""
        first = self.short[number]
        n_cells = first.n_cells
        for distance in range(1, len(self.short) - number):
            odd = self.short[number + distance]  # no slice: there may be a million
            n_cells += odd.n_cells - 1
            if odd.position != first.position + distance or n_cells > len(self.names):
                return False
            if n_cells == len(self.names):
                return True
        return False

    def _explain(self, odd: _Odd, count: int) -> CommandError:
        names = f"{pluralize(len(self.names), 'column')} ({format_names(self.names)})"
        verb = "is" if count == 2 else "are"
        others = f"; {pluralize(count - 1, 'other line')} {verb} like it" if count > 1 else ""
        separator = name_separator(self.separator)
        if odd.n_cells > len(self.names):
            advice = f'put cells that contain a {separator} in double quotes ("...")'
        else:
            advice = (
                "write all cells of a row, and put cells over several lines in double quotes "
                '("...")'
            )
        return CommandError(
            f"line {odd.line} of {self.path.name} has {pluralize(odd.n_cells, 'cell')}, separated "
            f"by {separator}s, but its first line names {names}: {odd.text!r}{others}; {advice}, "
            "or save the table as .xlsx or .jsonl"
        )
