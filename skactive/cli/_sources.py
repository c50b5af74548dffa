"""Read the rows to label, from a table or a folder."""

from __future__ import annotations

from pathlib import Path

from skactive.cli._data_source import DataSource
from skactive.cli._errors import CommandError
from skactive.cli._folders import read_folder
from skactive.cli.reading import (
    Table,
    check_column,
    check_file,
    check_finite,
    format_value,
    make_frame,
    read_columns,
    to_numbers,
)

__all__ = ["read_source"]


def read_source(
    path: Path, kind: str | None, text: str | None, id_column: str | None
) -> DataSource:
    """Read the rows to label.

    Parameters
    ----------
    path : Path
        A table, or a folder of images or WAV files.
    kind : {"images", "audio"} or None
        Which files of a folder to read; None decides by their suffixes.
    text : str or None
        Column of texts; None for a table of numbers.
    id_column : str or None
        Column of ids; None numbers the rows.

    Raises
    ------
    CommandError
        If the rows cannot be read.
    """
    if path.is_dir():
        return read_folder(path, kind, text or id_column)
    check_file(path)
    if kind is not None:
        raise CommandError(f"--{kind} needs a folder of files, but {path.name} is a file")
    table = read_columns(path)
    for name in (text, id_column):
        if name is not None:
            check_column(name, table.columns, path)
    if text is None:
        return _read_numbers(path, table, id_column)
    return _make_texts(table, text, id_column)


# Tables -----------------------------------------------------------------------------------------


def _make_texts(table: Table, column: str, id_column: str | None) -> DataSource:
    texts = [format_value(value) for value in table.columns[column]]
    return DataSource("text", texts, None if id_column is None else table.columns[id_column])


def _read_numbers(path: Path, table: Table, id_column: str | None) -> DataSource:
    frame = make_frame(table, path)
    import pandas as pd  # late: an extra, which was needed to make the frame

    ids = None
    if id_column is not None:
        numbers = frame.pop(id_column)
        is_whole = pd.api.types.is_integer_dtype(numbers)
        ids = numbers.tolist() if is_whole else table.columns[id_column]
    if not len(frame.columns):
        raise CommandError(f"{path.name} has no column besides {id_column!r}")
    X = to_numbers(frame, path, "name the column to read by --text, or drop them")
    check_finite(X, path)
    return DataSource("table", pd.DataFrame(X, columns=list(frame.columns)), ids)
