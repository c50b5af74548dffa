"""Read csv, tsv and txt: every line is a row, or is accounted for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from skactive.cli._errors import CommandError
from skactive.cli.reading._encoding import choose_encoding, explain_read_errors, open_text
from skactive.cli.reading._header import check_names, leave_out_unnamed, warn_of_data_in_header
from skactive.cli.reading._ragged import RaggedRows
from skactive.cli.reading._rows import RowChecks, RowReader, StrayQuoteError
from skactive.cli.reading._separator import choose_separator, name_separator
from skactive.cli.reading._swallowed import find_swallowed
from skactive.cli.reading._table import Table, count_lines, format_lines, shorten

__all__ = ["read_delimited"]

_SAMPLE_LINES, _SAMPLE_LENGTH = 100, 2**18  # to find the separator
_CHUNK_ROWS = 20_000  # rows that are turned into columns at once
_MAX_CELL = 2**31 - 1  # characters


def read_delimited(
    path: Path, suffix: str, encoding: str | None = None, separator: str | None = None
) -> Table:
    """Read a csv, tsv or txt file, with texts exactly as they are written.

    Parameters
    ----------
    path : Path
        The file, or one compressed by gzip.
    suffix : str
        Its format, from `find_table_format`.
    encoding : str, default=None
        Its encoding; None for UTF-8, or what a byte order mark says.
    separator : str, default=None
        Character between cells; None finds it.

    Raises
    ------
    CommandError
        If it cannot be read, or a row has other cells than the first line names.
    """
    csv.field_size_limit(_MAX_CELL)
    chosen, notes = choose_encoding(path, suffix, encoding)
    with explain_read_errors(path, chosen):
        with open_text(path, chosen) as file:
            sample, skip = _read_sample(file, path)
        separator, more = _settle_separator(sample, skip, suffix, separator, path)
        source = _Source(path, chosen, separator, skip)
        try:
            table = source.read()
        except StrayQuoteError as error:
            if separator != "\t":
                raise
            table = source.read_unquoted(error)
    return Table(table.columns, table.lines, [table.notes[0], *notes, *more, *table.notes[1:]])


def _read_sample(file: TextIO, path: Path) -> tuple[list[str], int]:
    """Return the first lines that are not blank, and how many to skip, up to a line "sep=;"."""
    sample, length, skip = [], 0, 0
    for number, line in enumerate(islice(file, _SAMPLE_LINES), 1):
        if line.strip():
            sample.append(line)
            if len(sample) == 1 and _find_hint(line) is not None:
                skip = number
        length += len(line)
        if length > _SAMPLE_LENGTH:
            break
    if not sample:
        raise CommandError(f"{path.name} is empty: its first line must name the columns")
    return sample, skip


def _find_hint(line: str) -> str | None:
    """Return the separator that a first line "sep=;" names, which spreadsheets write and read."""
    line = line.rstrip("\r\n").strip('"')
    is_hint = line.lower().startswith("sep=") and len(line) == len("sep=;")
    return line[-1] if is_hint else None


def _settle_separator(
    sample: list[str], skip: int, suffix: str, separator: str | None, path: Path
) -> tuple[str, list[str]]:
    """Return the separator, and notes about it."""
    if separator is not None:
        header = sample[1] if skip and len(sample) > 1 else sample[0]
        if separator in header:
            return separator, []
        name = name_separator(separator)
        return separator, [f"the first line has no {name}: one column, {shorten(header)!r}"]
    hint = _find_hint(sample[0]) if skip else None
    if hint is not None:
        name = name_separator(hint)
        return hint, [f"cells are separated by {name}s, as line {skip} says"]
    return choose_separator(sample, suffix, path.name)


class _Source:
    """A text file of known encoding and separator.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Its encoding.
    separator : str
        Character between cells.
    skip : int
        Number of lines to pass over at the beginning.
    """

    def __init__(self, path: Path, encoding: str, separator: str, skip: int) -> None:
        self.path, self.encoding, self.separator, self.skip = path, encoding, separator, skip

    def read(self, *, quoted: bool = True) -> Table:
        """Return the table; `quoted` says whether quotes enclose cells."""
        with open_text(self.path, self.encoding) as file:
            table = _read_checked_rows(self._make_reader(file, quoted))
            ends = file.newlines
        if isinstance(ends, tuple) and "\r" in ends:
            self._check_line_ends(quoted)
        return table

    def _make_reader(self, file: TextIO, quoted: bool) -> RowReader:
        return RowReader(self.path, file, self.separator, quoted=quoted, skip=self.skip)

    def read_unquoted(self, fault: StrayQuoteError) -> Table:
        """Return the table with quotes as characters like others, if every line then is a row."""
        try:
            table = self.read(quoted=False)
        except CommandError:
            raise fault from None
        loose, n_enclosed = [], 0
        for column in table.columns.values():
            for line, cell in zip(table.lines, column, strict=True):
                if '"' in cell:
                    is_enclosed = len(cell) > 1 and cell[0] == cell[-1] == '"'
                    n_enclosed += is_enclosed
                    loose += [] if is_enclosed else [line]
        if n_enclosed > len(loose):  # then they do enclose cells
            raise fault
        where = format_lines(sorted(set(loose)))
        table.notes.append(f"quotes read as characters: some do not enclose a cell ({where})")
        return table

    def _check_line_ends(self, quoted: bool) -> None:
        r"""Raise an error if some rows end with \r alone and others do not."""
        with open_text(self.path, self.encoding) as file:
            reader = self._make_reader(file, quoted)
            ends = [(reader.record[-1].endswith("\r"), line) for line, _ in reader]
        returns = [line for is_return, line in ends if is_return]
        if returns and 2 * len(returns) > len(ends):
            returns = [line for is_return, line in ends[:-1] if not is_return]
        if returns:
            raise CommandError(
                f"{self.path.name} has different line ends, with and without a line feed: see "
                f"{format_lines(returns)}; save it with one kind of line end"
            )


def _read_checked_rows(reader: RowReader) -> Table:
    """Return the table, or raise an error if a row may not be as it was meant."""
    path = reader.path
    rows = iter(reader)
    _, header = next(rows, (0, []))
    if not header:
        raise CommandError(f"{path.name} is empty: its first line must name the columns")
    names = [name.strip() for name in header]
    ragged, checks = RaggedRows(path, reader.separator, names), RowChecks(reader, len(names))
    lines: list[int] = []
    repeated: list[int] = []
    columns: list[list[str]] = [[] for _ in names]
    checked = _check_rows(rows, header, (ragged, checks), lines, repeated)
    while chunk := list(islice(checked, _CHUNK_ROWS)):
        for column, values in zip(columns, zip(*chunk, strict=True), strict=True):
            column.extend(values)
    if not lines:
        raise CommandError(f"{path.name} has no rows: only its first line, which names the columns")
    notes = ragged.settle(columns, lines)
    swallowed = find_swallowed(checks.suspects, columns)
    if swallowed is not None:
        raise checks.explain_swallowed(swallowed)
    kept, columns, more = leave_out_unnamed(names, columns)
    check_names(kept, path)
    table = dict(zip(kept, columns, strict=True))
    notes = [count_lines(len(lines), reader.n_lines), *notes, *more, *checks.describe()]
    if repeated:
        notes.append(f"the first line is repeated, and left out ({format_lines(repeated)})")
    if names != header:
        notes.append("spaces around the names of columns left out")
    return Table(table, lines, notes + warn_of_data_in_header(table))


def _check_rows(
    rows: Iterator[tuple[int, list[str]]],
    header: list[str],
    checks: tuple[RaggedRows, RowChecks],
    lines: list[int],
    repeated: list[int],
) -> Iterator[list[str]]:
    """Yield rows of as many cells as names; note the line in which each begins."""
    ragged, quotes = checks
    record, n_columns = quotes.rows.record, len(header)
    for line, row in rows:
        if len(row) != n_columns:
            row = ragged.fit(line, row, len(lines))
        elif row == header and n_columns > 1:
            repeated.append(line)
            continue
        if len(record) > 1 or '"' in record[0]:
            quotes.check(line, row)
        lines.append(line)
        yield row
