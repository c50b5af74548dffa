"""Read sheets of Excel workbooks, as they show their values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize, take_first_line
from skactive._utils.values import format_value, is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading._columns import restore_integers
from skactive.cli.reading._encoding import explain_read_errors
from skactive.cli.reading._file import check_content, import_library
from skactive.cli.reading._header import check_names, leave_out_unnamed, warn_of_data_in_header
from skactive.cli.reading._sheet_marks import read_sheet_marks
from skactive.cli.reading._table import Table, format_lines, format_names

__all__ = ["read_excel"]

_ZEROS = re.compile(r"0{2,}")  # a number format that fills up with zeros: 00042
_N_DIGITS = 15  # that Excel keeps of a number


def read_excel(path: Path, sheet: str | None = None) -> Table:
    """Read a sheet of an .xlsx file; its first row names the columns.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, default=None
        Name of the sheet; None for the first one that is not hidden.

    Raises
    ------
    CommandError
        If openpyxl is missing, or the file cannot be read, or has no such sheet.
    """
    openpyxl = import_library("openpyxl", "excel", path)
    with explain_read_errors(path, None), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions, which are not read
        with path.open("rb") as file:
            check_content(path, ".xlsx", file.read(64))
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                name, notes = _choose_sheet(book, sheet, path)
                worksheet = book[name]
                worksheet.reset_dimensions()  # some programs write wrong ones: rows would be lost
                cells = _SheetCells(worksheet)
                rows, places = cells.read()
            finally:
                book.close()
            marks = read_sheet_marks(path, name)
        except CommandError:
            raise
        except Exception as error:  # the parser raises any kind where a part is not as it expects
            reason = take_first_line(error)
            raise CommandError(f"{path.name} is damaged, or no Excel file: {reason}") from error
    table = _make_sheet_table(rows, places, path, name)
    return Table(
        table.columns,
        table.lines,
        [table.notes[0], *notes, *table.notes[1:], *cells.describe(), *marks],
    )


def _choose_sheet(book: Any, sheet: str | None, path: Path) -> tuple[str, list[str]]:
    names = [worksheet.title for worksheet in book.worksheets]  # without charts
    visible = [w.title for w in book.worksheets if w.sheet_state == "visible"]
    if not names:
        raise CommandError(f"{path.name} has no sheet with cells")
    if sheet is not None and sheet not in names:
        raise CommandError(f"{path.name} has no sheet {sheet!r}; it has {format_names(names)}")
    name = sheet if sheet is not None else (visible or names)[0]
    others = [other for other in names if other != name]
    if sheet is not None or not others:
        return name, []
    return name, [f"read from sheet {name!r}; other sheets left out: {format_names(others)}"]


class _SheetCells:
    """Cells of a worksheet, and what looks odd in them.

    Parameters
    ----------
    worksheet : ReadOnlyWorksheet
        The sheet.
    """

    def __init__(self, worksheet: Any) -> None:
        self._worksheet = worksheet
        self._errors: list[str] = []  # coordinates
        self._long: list[str] = []

    def read(self) -> tuple[list[list[Any]], list[int]]:
        """Return the rows that are not empty, of equal length, and their numbers."""
        rows, places = [], []
        for place, cells in enumerate(self._worksheet.iter_rows(), 1):
            row = [self._convert(cell) for cell in cells]
            if not all(map(is_blank, row)):
                rows.append(row)
                places.append(place)
        filled = (i for row in rows for i, value in enumerate(row, 1) if not is_blank(value))
        width = max(filled, default=0)
        return [row[:width] + [None] * (width - len(row)) for row in rows], places

    def _convert(self, cell: Any) -> Any:
        """Return the value of a cell as the sheet shows it."""
        from openpyxl.styles.numbers import is_datetime  # late: an extra

        value = cell.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if cell.data_type == "e":
                self._errors.append(cell.coordinate)
            return _unescape(value) if "_x" in value else value
        if isinstance(value, datetime):
            has_time = value.time() != time() or is_datetime(cell.number_format) == "datetime"
            return value if has_time else value.date()
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int):
            if abs(value) >= 10**_N_DIGITS:
                self._long.append(cell.coordinate)
            if _ZEROS.fullmatch(cell.number_format or ""):
                return str(value).zfill(len(cell.number_format))
        return value

    def describe(self) -> list[str]:
        """Return notes about cells whose values are not those that people meant."""
        notes = []
        if self._errors:
            notes.append(f"{_count_cells(self._errors)} an error of a formula, such as #N/A")
        if self._long:
            notes.append(
                f"{_count_cells(self._long)} a number of more than {_N_DIGITS} digits, of which "
                "Excel keeps no more: format such columns as text"
            )
        return notes


def _count_cells(coordinates: Sequence[str]) -> str:
    shown = ", ".join(coordinates[:3]) + (", ..." if len(coordinates) > 3 else "")
    verb = "has" if len(coordinates) == 1 else "have"
    return f"{pluralize(len(coordinates), 'cell')} ({shown}) {verb}"


def _unescape(text: str) -> str:
    """Return a text without the escapes of its characters that XML has not: _x000D_."""
    text = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match.group(1), 16)), text)
    return text.replace("\r\n", "\n")


def _make_sheet_table(rows: list[list[Any]], places: list[int], path: Path, sheet: str) -> Table:
    if not rows:
        raise CommandError(f"{path.name} has no rows: its sheet {sheet!r} is empty")
    names = [" ".join(format_value(value).split()) for value in rows[0]]  # they may be wrapped
    if len(rows) == 1:
        raise CommandError(
            f"{path.name} has no rows: its sheet {sheet!r} has only a first row, which names the "
            "columns"
        )
    columns = [list(column) for column in zip(*rows[1:], strict=True)]
    names, columns, notes = leave_out_unnamed(names, columns)
    check_names(names, path)
    table = dict(zip(names, map(restore_integers, columns), strict=True))
    lines = places[1:]
    empty = sorted(set(range(places[0], places[-1])) - set(places))
    if empty:
        count = pluralize(len(empty), "empty row")
        notes.append(f"{count} left out ({format_lines(empty, 'row')})")
    notes = [f"{pluralize(len(lines), 'row')} of sheet {sheet!r}", *notes]
    return Table(table, lines, notes + warn_of_data_in_header(table))
