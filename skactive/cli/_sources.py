"""Read the rows to label, from a table or a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skactive._utils.fingerprint import digest
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
from skactive.labeling.state._events import Ident

__all__ = ["DataSource", "read_source"]

_MEDIA_SUFFIXES = {
    "images": (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
    "audio": (".wav",),
}
_UNSUPPORTED_AUDIO = (".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wma")


@dataclass(frozen=True, eq=False)
class DataSource:
    """Rows to label.

    Parameters
    ----------
    kind : {"text", "table", "images", "audio"}
        Kind of the rows.
    rows : list of str or DataFrame
        Texts, numbers of a table, or names of files relative to the folder.
    ids : list of str or int or None
        Ids of the rows; None numbers them.
    files : str or None
        Of a folder: fingerprint of the names and sizes of its files, 64 characters.
    """

    kind: str
    rows: Any
    ids: list[Ident] | None
    files: str | None = None


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
        return _read_folder(path, kind, text or id_column)
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


# Folders ----------------------------------------------------------------------------------------


def _read_folder(path: Path, kind: str | None, column: str | None) -> DataSource:
    if column is not None:
        raise CommandError(f"{path} is a folder: it has no column {column!r}")
    names = sorted(_walk_files(path))
    by_kind = {
        kind: [name for name in names if name.lower().endswith(suffixes)]
        for kind, suffixes in _MEDIA_SUFFIXES.items()
    }
    kind = kind or _infer_kind(path, by_kind)
    files = by_kind[kind]
    if not files:
        other = [name for name in names if name.lower().endswith(_UNSUPPORTED_AUDIO)]
        advice = f"; convert the others ({other[0]}, ...) to WAV" if other else ""
        raise CommandError(f"{path} holds no {' '.join(_MEDIA_SUFFIXES[kind])} file{advice}")
    for name in files:
        if not name.isprintable():
            raise CommandError(f"{name!r} in {path} contains unprintable characters: rename it")
    sizes = [(name, (path / name).stat().st_size) for name in files]
    return DataSource(kind, files, list(files), digest(sizes))


def _infer_kind(path: Path, by_kind: dict[str, list[str]]) -> str:
    present = [kind for kind, names in by_kind.items() if names]
    if len(present) > 1:
        raise CommandError(f"{path} holds images and sounds: choose by --images or --audio")
    return present[0] if present else "images"


def _walk_files(path: Path) -> Iterable[str]:
    """Yield all files in a folder and its subfolders, except hidden ones."""
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(path).as_posix()
