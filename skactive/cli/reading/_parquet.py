"""Read parquet files, with values as Python objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize, take_first_line
from skactive._utils.values import is_missing
from skactive.cli._errors import CommandError
from skactive.cli.reading._columns import leave_out_empty, restore_integers
from skactive.cli.reading._encoding import explain_read_errors
from skactive.cli.reading._file import check_content, import_library
from skactive.cli.reading._header import check_names, leave_out_unnamed
from skactive.cli.reading._table import Table

__all__ = ["read_parquet"]


def read_parquet(path: Path) -> Table:
    """Read a parquet file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    CommandError
        If pyarrow is missing, or the file cannot be read.
    """
    pyarrow = import_library("pyarrow", "data", path)
    parquet = import_library("pyarrow.parquet", "data", path)
    with explain_read_errors(path, None):
        with path.open("rb") as file:
            check_content(path, ".parquet", file.read(64))
        try:
            # read_table would add columns from the names of folders
            arrow = parquet.ParquetFile(path).read()
        except (pyarrow.ArrowException, ValueError, NotImplementedError, OSError) as error:
            raise CommandError(f"{path.name} cannot be read: {take_first_line(error)}") from error
    names = [str(name) for name in arrow.column_names]
    columns = [
        _list_values(column, name, path) for column, name in zip(arrow.columns, names, strict=True)
    ]
    names, columns, notes = leave_out_unnamed(names, columns)
    check_names(names, path)
    columns, _, left_out = leave_out_empty(columns, list(range(1, arrow.num_rows + 1)), "row")
    table = dict(zip(names, map(restore_integers, columns), strict=True))
    if not table or not len(next(iter(table.values()))):
        raise CommandError(f"{path.name} has no rows")
    n_rows = len(next(iter(table.values())))
    return Table(table, [], [pluralize(n_rows, "row"), *notes, *left_out])


def _list_values(column: Any, name: str, path: Path) -> list[Any]:
    try:
        values = column.to_pylist()
    except (ValueError, OverflowError, ArithmeticError, ImportError) as error:
        raise CommandError(
            f"column {name!r} of {path.name} cannot be read: {take_first_line(error)}"
        ) from error
    kinds = set(map(type, values))
    if kinds <= {str, int, bool, type(None)}:  # none of which is another missing value
        return values
    return [None if is_missing(value) else value for value in values]
