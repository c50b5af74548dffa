"""Tables as users have them: csv, tsv, txt, json, jsonl, parquet and xlsx files."""

from __future__ import annotations

from skactive.cli.reading._encoding import find_marked_encoding
from skactive.cli.reading._file import (
    TABLE_SUFFIXES,
    check_column,
    check_regular_file,
    check_uses,
    find_table_format,
    import_library,
    is_table,
    open_bytes,
)
from skactive.cli.reading._frame import check_finite, make_frame, read_frame, to_numbers
from skactive.cli.reading._parquet import list_parts
from skactive.cli.reading._read import read_columns
from skactive.cli.reading._table import Table

__all__ = [
    "TABLE_SUFFIXES",
    "Table",
    "check_column",
    "check_finite",
    "check_regular_file",
    "check_uses",
    "find_marked_encoding",
    "find_table_format",
    "import_library",
    "is_table",
    "list_parts",
    "make_frame",
    "open_bytes",
    "read_columns",
    "read_frame",
    "to_numbers",
]
