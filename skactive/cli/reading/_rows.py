"""Rows of a text file, each with the line in which it begins."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.reading._cells import (
    QuoteFault,
    count_line_ends,
    find_loose_quotes,
    find_quote_fault,
    split_lines,
)
from skactive.cli.reading._separator import name_separator
from skactive.cli.reading._swallowed import Suspect, suspect_rows
from skactive.cli.reading._table import format_lines, shorten

__all__ = ["RowChecks", "RowReader", "StrayQuoteError"]


class StrayQuoteError(CommandError):
    """A quote is out of place."""


class RowReader:
    """Rows of a text file that are not empty.

    Parameters
    ----------
    path : Path
        For messages.
    file : iterable of str
        Its lines, with their ends.
    separator : str
        Character between cells.
    quoted : bool, default=True
        Whether a quote at the beginning of a cell encloses it.
    skip : int, default=0
        Number of lines to pass over at the beginning.
    """

    def __init__(
        self,
        path: Path,
        file: Iterable[str],
        separator: str,
        *,
        quoted: bool = True,
        skip: int = 0,
    ) -> None:
        self.path, self.separator, self.quoted = path, separator, quoted
        self.record: list[str] = []  # lines of the present row
        self.n_lines = 0  # read until now
        self.blank: list[int] = []  # lines of empty rows
        self._file, self._skip = file, skip

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        rows = csv.reader(
            self._pass_lines(),
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            strict=True,
        )
        line = self._skip + 1
        try:
            for row in rows:
                if row and ((row[0] and not row[0].isspace()) or any(map(str.strip, row))):
                    yield line, row
                else:
                    self.blank.append(line)
                self.record.clear()
                line = self.n_lines + 1
        except csv.Error as error:
            fault = find_quote_fault("".join(self.record), self.separator)
            if fault is None:
                raise CommandError(f"{self.path.name} cannot be read: {error}") from error
            raise self.explain(fault, line) from error

    def _pass_lines(self) -> Iterator[str]:
        for line in self._file:
            self.n_lines += 1
            if self.n_lines <= self._skip:
                continue
            if "\0" in line:
                raise CommandError(
                    f"line {self.n_lines} of {self.path.name} holds a NUL character: the file is "
                    "damaged, or in another encoding, such as --encoding utf-16-le"
                )
            self.record.append(line)
            yield line

    def explain(self, fault: QuoteFault, line: int) -> StrayQuoteError:
        """Return the error about a quote out of place in the present row.

        Parameters
        ----------
        fault : QuoteFault
            The quote.
        line : int
            Line in which the row begins.
        """
        text = "".join(self.record)
        where = line + count_line_ends(text[: fault.offset])
        start = max(text.rfind("\n", 0, fault.offset), text.rfind("\r", 0, fault.offset)) + 1
        excerpt = shorten(split_lines(text[max(start, fault.offset - 30) :])[0])
        return StrayQuoteError(
            f"line {where} of {self.path.name}: {fault.reason} ({excerpt!r}); remove the quote, or "
            'put the whole cell in double quotes and write each quote in it twice ("")'
        )


class RowChecks:
    """Checks of rows that hold quotes.

    Parameters
    ----------
    rows : RowReader
        The reader whose present row is checked.
    n_columns : int
        Number of cells of a row.
    """

    def __init__(self, rows: RowReader, n_columns: int) -> None:
        self.rows, self.n_columns = rows, n_columns
        self.suspects: list[Suspect] = []
        self._loose: list[int] = []  # lines of cells with quotes that do not enclose them
        self._n_multiline = self._most_lines = self._longest = 0

    def check(self, line: int, row: list[str]) -> None:
        """Check the present row; raise an error if a quote in it is out of place.

        Parameters
        ----------
        line : int
            Line in which it begins.
        row : list of str
            Its cells.
        """
        record, separator = self.rows.record, self.rows.separator
        if len(record) > 1:
            self._count_lines(line, row)
            suspect = suspect_rows(line, row, separator)
            if suspect is not None:
                self.suspects.append(suspect)
        if self.rows.quoted and any('"' in cell for cell in row):
            n_loose, fault = find_loose_quotes("".join(record), separator)
            if fault is not None and separator != "\t":
                raise self.rows.explain(fault, line)
            if n_loose:
                self._loose.append(line)

    def _count_lines(self, line: int, row: list[str]) -> None:
        for cell in row:
            n_lines = count_line_ends(cell) + 1
            if n_lines > 1:
                self._n_multiline += 1
                if n_lines > self._most_lines:
                    self._most_lines, self._longest = n_lines, line
            line += n_lines - 1

    def describe(self) -> list[str]:
        """Return notes about empty rows, cells over several lines, and quotes."""
        notes = []
        blank = self.rows.blank
        if blank:
            count = pluralize(len(blank), "empty line")
            notes.append(f"{count} left out ({format_lines(blank)})")
        if self._n_multiline:
            count = "1 cell spans" if self._n_multiline == 1 else f"{self._n_multiline} cells span"
            up_to = f"{self._most_lines} lines" if self._n_multiline == 1 else "several lines"
            most = f", up to {self._most_lines}" if self._n_multiline > 1 else ""
            notes.append(f"{count} {up_to}{most} (line {self._longest})")
        if self._loose:
            where = format_lines(self._loose)
            notes.append(f"quotes inside cells read as they are ({where})")
        return notes

    def explain_swallowed(self, suspect: Suspect) -> CommandError:
        """Return the error about a cell that contains what looks like rows."""
        return StrayQuoteError(
            f"line {suspect.line} of {self.rows.path.name}: a quote opens and closes only "
            f"{suspect.n_lines - 1} lines later, and the lines between look like rows, with "
            f"{self.n_columns} cells separated by {name_separator(self.rows.separator)}s each; "
            "remove the quote, or save the table as .xlsx or .jsonl if this is one text"
        )
