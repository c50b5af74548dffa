"""Read the rows to label, from a table or a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skactive.cli._data_source import DataSource
from skactive.cli._errors import CommandError
from skactive.cli._files import (
    FRAME_SUFFIXES,
    check_column,
    check_file,
    check_finite,
    read_columns,
    read_frame,
    to_numbers,
)
from skactive.cli._folders import read_folder

__all__ = ["read_source"]


def read_source(
    path: Path, kind: str | None, text: str | None, id_column: str | None
) -> DataSource:
    """Read the rows to label.

    Parameters
    ----------
    path : Path
        A csv, jsonl or parquet file, or a folder of images or WAV files.
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
    if path.suffix.lower() not in FRAME_SUFFIXES:
        raise CommandError(
            f"cannot read {path.name}: expected one of {', '.join(FRAME_SUFFIXES)}, or a folder "
            "of images or WAV files"
        )
    if text is None:
        return _read_numbers(path, id_column)
    return _read_texts(path, text, id_column)


# Tables -----------------------------------------------------------------------------------------


def _read_texts(path: Path, column: str, id_column: str | None) -> DataSource:
    columns = read_columns(path)
    for name in (column, id_column):
        if name is not None:
            check_column(name, columns, path)
    texts = [_to_text(value) for value in columns[column]]
    if not texts:
        raise CommandError(f"{path.name} has no rows")
    return DataSource("text", texts, None if id_column is None else columns[id_column])


def _to_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _read_numbers(path: Path, id_column: str | None) -> DataSource:
    frame = read_frame(path)
    import pandas as pd  # late: an extra, which was needed to read the frame

    if id_column is not None:
        check_column(id_column, frame.columns, path)
    ids = None if id_column is None else frame.pop(id_column).tolist()
    if not len(frame):
        raise CommandError(f"{path.name} has no rows")
    if not len(frame.columns):
        raise CommandError(f"{path.name} has no column besides {id_column!r}")
    X = to_numbers(frame, path, "name the column to read by --text, or drop them")
    check_finite(X, path)
    return DataSource("table", pd.DataFrame(X, columns=list(frame.columns)), ids)
