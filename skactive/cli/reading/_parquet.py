"""Read parquet files, with values as Python objects."""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["list_parts", "read_parquet"]


def list_parts(path: Path) -> list[Path]:
    """List the files of a table in parts: the parquet files of a folder, or of a pattern.

    Parameters
    ----------
    path : Path
        A folder, or a pattern such as ``folder/*.parquet``; of a file there are no parts.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError):  # no path at all, which is for others to say
        return []
    if is_folder:
        path = path / "*.parquet"
    elif exists or path.suffix != ".parquet" or not any(mark in path.name for mark in "*?["):
        return []
    return sorted(part for part in path.parent.glob(path.name) if part.is_file())


def read_parquet(path: Path, parts: Sequence[Path] = ()) -> Table:
    """Read a parquet file, or several of the same columns as one table.

    Parameters
    ----------
    path : Path
        The file; of several, their folder or pattern.
    parts : sequence of Path, default=()
        The files, if there are several, in the order of their rows.

    Raises
    ------
    CommandError
        If pyarrow is missing, or the file cannot be read.
    """
    pyarrow = import_library("pyarrow", "data", path)
    parquet = import_library("pyarrow.parquet", "data", path)
    tables = [_read_file(part, pyarrow, parquet) for part in parts or [path]]
    for part, table in zip(parts, tables, strict=False):
        _check_same_columns(parts[0], tables[0], part, table)
    arrow = pyarrow.concat_tables(tables, promote_options="permissive")
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


def _read_file(path: Path, pyarrow: Any, parquet: Any) -> Any:
    """Read one file to a table of pyarrow."""
    with explain_read_errors(path, None):
        with path.open("rb") as file:
            check_content(path, ".parquet", file.read(64))
        try:
            # read_table would add columns from the names of folders
            return parquet.ParquetFile(path).read()
        except (pyarrow.ArrowException, ValueError, NotImplementedError, OSError) as error:
            raise CommandError(f"{path.name} cannot be read: {take_first_line(error)}") from error


def _check_same_columns(first: Path, expected: Any, path: Path, table: Any) -> None:
    """Raise an error unless a part has the columns of the first one, of types that go together."""
    if table.column_names != expected.column_names:
        raise CommandError(
            f"{path.name} has the columns {', '.join(table.column_names)}, but {first.name} has "
            f"{', '.join(expected.column_names)}: the parts of a table need the same columns"
        )
    for field, other in zip(expected.schema, table.schema, strict=True):
        kinds = {_name_kind(field.type), _name_kind(other.type)} - {"null"}
        if len(kinds) > 1:
            raise CommandError(
                f"{field.name!r} is {other.type} in {path.name}, but {field.type} in {first.name}: "
                "the parts of a table need columns of the same type"
            )


def _name_kind(kind: Any) -> str:
    """Return the name of a type of pyarrow, the same for all that concatenate to one."""
    name = str(kind)
    is_number = name.lstrip("u").startswith(("int", "float", "double", "halffloat"))
    return "number" if is_number else name.removeprefix("large_")


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
