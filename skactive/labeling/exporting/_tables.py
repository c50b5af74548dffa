"""Tables in files: CSV, JSON lines, parquet and Excel."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, datetime
from io import TextIOWrapper
from typing import Any, BinaryIO

from skactive._utils.values import dump_json, format_value
from skactive.labeling.exporting._content import Columns, ExportContent
from skactive.labeling.exporting._values import Cleaner, quote_formula

__all__ = ["write_csv", "write_jsonl", "write_parquet", "write_xlsx"]

_LISTS_OF_NAMES = ("annotators",)  # columns of lists that people read as lists of names
_MAX_CELL_LENGTH, _MAX_ROWS, _MAX_COLUMNS = 32_767, 1_048_576, 16_384  # of Excel
_MAX_EXACT = 2**53  # Excel's numbers are floats
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_csv(content: ExportContent, file: BinaryIO, spreadsheet_safe: bool) -> list[str]:
    """Write values as people write them; return remarks for the user."""
    columns, notes = _clean(content)
    quote: Callable[[Any], str] = _format_safely if spreadsheet_safe else format_value
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([quote(name) for name in columns])
    for row in _iterate_rows(_join_annotators(columns)):
        writer.writerow([quote(value) for value in row])
    text.flush()
    text.detach()
    return notes


def write_jsonl(content: ExportContent, file: BinaryIO, spreadsheet_safe: bool) -> list[str]:
    """Write one JSON object per row, with types; return remarks for the user."""
    columns, notes = _clean(content)
    for row in _iterate_rows(columns):
        file.write(f"{dump_json(dict(zip(columns, row, strict=True)))}\n".encode())
    return notes


def write_parquet(content: ExportContent, file: BinaryIO, spreadsheet_safe: bool) -> list[str]:
    """Write columns with their types; return remarks for the user."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError('Parquet files need pyarrow: pip install "skactive[data]".') from error
    columns, notes = _clean(content)
    arrays = {}
    for name, values in columns.items():
        array = _make_arrow_array(pa, values)
        if array is None:
            array = pa.array([None if v is None else format_value(v) for v in values], pa.string())
            notes.append(f"Parquet has no type for the values of {name!r}: written as text.")
        arrays[name] = array
    parquet.write_table(pa.table(arrays), file)
    return notes


def write_xlsx(content: ExportContent, file: BinaryIO, spreadsheet_safe: bool) -> list[str]:
    """Write a workbook whose texts are texts, whatever they begin with; return remarks."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise ImportError('Excel files need openpyxl: pip install "skactive[excel]".') from error
    columns, notes = _clean(content)
    n_rows = max(map(len, columns.values()), default=0)
    if n_rows >= _MAX_ROWS or len(columns) > _MAX_COLUMNS:
        raise ValueError(
            f"Excel files hold {_MAX_ROWS - 1:,} rows and {_MAX_COLUMNS:,} columns, not {n_rows:,} "
            f"and {len(columns):,}: write csv or parquet."
        )
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("labels")
    cleaned = _join_annotators(columns)
    rows = [tuple(cleaned), *_iterate_rows(cleaned)]
    for row in [[_make_cell(sheet, value) for value in row] for row in rows]:
        sheet.append(row)
    workbook.save(file)
    return notes


def _clean(content: ExportContent) -> tuple[Columns, list[str]]:
    """Return plain columns, and remarks for the user."""
    cleaner = Cleaner()
    columns = {
        cleaner.clean(name): [cleaner.clean(value) for value in values]
        for name, values in content.columns.items()
    }
    return columns, [*content.notes, *cleaner.describe()]


def _iterate_rows(columns: Columns) -> Any:
    return zip(*columns.values(), strict=True)


def _join_annotators(columns: Columns) -> Columns:
    """Return columns with lists of names as people write them."""
    return {
        name: ["; ".join(value) if isinstance(value, list) else value for value in values]
        if name in _LISTS_OF_NAMES
        else values
        for name, values in columns.items()
    }


# CSV ---------------------------------------------------------------------------------------------


def _format_safely(value: Any) -> str:
    text = format_value(value)
    return quote_formula(text) if isinstance(value, str | bytes) else text


# Parquet -----------------------------------------------------------------------------------------


def _make_arrow_array(pa: Any, values: list[Any]) -> Any:
    """Return an array of one type; None if there is none that keeps all values as they are."""
    present = [value for value in values if value is not None]
    kinds = {_find_kind(value) for value in present}
    if len(kinds) > 1 or any(map(_has_dicts, present)):
        return None
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def _find_kind(value: Any) -> type:
    """Return the type of a value; of numbers and of times there are several."""
    if isinstance(value, datetime):
        return datetime
    return float if type(value) is int else type(value)


def _has_dicts(value: Any) -> bool:
    """Return whether a value holds objects: parquet would give all of them the same fields."""
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_has_dicts, value)))


# Excel -------------------------------------------------------------------------------------------


def _make_cell(sheet: Any, value: Any) -> Any:
    """Return a cell; a text stays one, whatever it begins with, even if it is edited."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or isinstance(value, bool) or _is_number_of_excel(value):
        return value
    if isinstance(value, date) and getattr(value, "tzinfo", None) is None and value.year > 1900:
        return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    text = _NOT_IN_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", format_value(value))
    if len(text) > _MAX_CELL_LENGTH:
        raise ValueError(
            f"Excel cells hold {_MAX_CELL_LENGTH:,} characters, not {len(text):,} "
            f"({text[:20]!r} ...): write csv or parquet."
        )
    cell = WriteOnlyCell(sheet, text)
    cell.data_type, cell.quotePrefix = "s", True
    return cell


def _is_number_of_excel(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _MAX_EXACT
