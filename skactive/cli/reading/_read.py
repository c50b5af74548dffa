"""Read the columns of a table of any format."""

from __future__ import annotations

from pathlib import Path

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.reading._characters import check_characters, describe_damaged_texts
from skactive.cli.reading._delimited import read_delimited
from skactive.cli.reading._excel import read_excel
from skactive.cli.reading._file import check_regular_file, find_table_format
from skactive.cli.reading._json import read_json, read_jsonl
from skactive.cli.reading._parquet import list_parts, read_parquet
from skactive.cli.reading._table import Table, format_names

__all__ = ["read_columns"]


def read_columns(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | None = None,
) -> Table:
    """Read a table.

    Nothing is lost in silence: the notes count what was read, list what was left out, and name the
    lines of what looks odd; what cannot be read safely is an error.

    Parameters
    ----------
    path : Path
        A csv, tsv, txt, json or jsonl file, or one of these compressed by gzip; a parquet or xlsx
        file; or a folder of parquet files, or a pattern of these, ``folder/*.parquet``.
    encoding : str, default=None
        Encoding of a text format; None for UTF-8, or what a byte order mark says.
    separator : str, default=None
        Character between the cells of csv, tsv or txt; None finds it.
    sheet : str, default=None
        Sheet of an xlsx file; None for the first one.

    Raises
    ------
    CommandError
        If the file cannot be read, or has no rows.
    """
    if parts := list_parts(path):
        _check_reading_options(path, ".parquet", encoding, separator, sheet)
        return read_parquet(path, parts)
    check_regular_file(path)
    suffix = find_table_format(path)
    _check_reading_options(path, suffix, encoding, separator, sheet)
    if suffix == ".parquet":
        table = read_parquet(path)
    elif suffix == ".xlsx":
        table = read_excel(path, sheet)
    elif suffix == ".json":
        table = read_json(path, suffix, encoding)
    elif suffix in {".jsonl", ".ndjson"}:
        table = read_jsonl(path, suffix, encoding)
    else:
        table = read_delimited(path, suffix, encoding, separator)
    check_characters(table, path)
    count, *notes = table.notes
    columns = pluralize(len(table.columns), "column")
    first = f"{count}, {columns}: {format_names(table.columns)}"
    return Table(table.columns, table.lines, [first, *notes, *describe_damaged_texts(table)])


def _check_reading_options(
    path: Path, suffix: str, encoding: str | None, separator: str | None, sheet: str | None
) -> None:
    """Raise an error if an option is of no use for a format."""
    misplaced = {
        "--encoding": encoding is not None and suffix in {".parquet", ".xlsx"},
        "--separator": separator is not None and suffix not in {".csv", ".tsv", ".txt"},
        "--sheet": sheet is not None and suffix != ".xlsx",
    }
    for option, is_misplaced in misplaced.items():
        if is_misplaced:
            raise CommandError(f"{option} is of no use for {path.name}: leave it out")
