"""Sources: the rows of a campaign, from a table or a folder that people name."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.fingerprint import digest
from skactive.cli._errors import CommandError
from skactive.labeling.state._events import Ident

__all__ = ["KINDS", "Source", "read_source"]

KINDS = ("text", "table", "images", "audio")
_ENDINGS = {
    "images": (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
    "audio": (".wav",),
}
_UNREAD = (".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wma")  # audio that is no WAV

Columns = dict[str, list[Any]]


@dataclass(frozen=True, eq=False)
class Source:
    """What is to be labeled.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    rows : list of str or DataFrame
        Texts; the numbers of a table; or the names of the files, within the folder.
    ids : list of str or int or None
        Of the rows; None numbers them.
    files : str or None
        Of a folder: names and sizes of its files, in 64 characters.
    """

    kind: str
    rows: Any
    ids: list[Ident] | None
    files: str | None = None


def read_source(path: Path, kind: str | None, text: str | None, id_column: str | None) -> Source:
    """Read what is to be labeled.

    Parameters
    ----------
    path : Path
        A csv, jsonl or parquet file, or a folder of images or WAV files.
    kind : {"images", "audio"} or None
        What a folder holds; None goes by the endings of its files.
    text : str or None
        The column to read; None: the table is one of numbers.
    id_column : str or None
        The column that names the rows; None numbers them.

    Raises
    ------
    CommandError
        If it is not what it should be.
    """
    if path.is_dir():
        return _folder(path, kind, text or id_column)
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    if kind is not None:
        raise CommandError(f"--{kind} names a folder of files, but {path.name} is a file")
    ending = path.suffix.lower()
    if ending not in _TEXT_READERS:
        raise CommandError(
            f"{path.name} is none of the kinds that can be read: {', '.join(_TEXT_READERS)}, or a "
            "folder of images or WAV files"
        )
    if text is None:
        return _table(path, id_column)
    columns = _TEXT_READERS[ending](path)
    for column in (text, id_column):
        if column is not None and column not in columns:
            raise CommandError(f"{path.name} has no column {column!r}; it has {_list(columns)}")
    texts = [_as_text(value) for value in columns[text]]
    if not texts:
        raise CommandError(f"{path.name} has no rows")
    return Source("text", texts, None if id_column is None else columns[id_column])


# Texts ------------------------------------------------------------------------------------------


# Read without pandas: it would make numbers and missing values of texts such as 007 and NA.
def _read_csv(path: Path) -> Columns:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # texts may be long
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise CommandError(f"{path.name} is empty: its first line must name the columns")
            lines = [line for line in reader if line]
    except (OSError, csv.Error) as error:
        raise CommandError(f"{path.name} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path.name} is not in UTF-8: convert it ({error.reason})") from error
    short = len(header)
    lines = [line + [""] * (short - len(line)) for line in lines]
    return {name: [line[place] for line in lines] for place, name in enumerate(header)}


def _read_jsonl(path: Path) -> Columns:
    records = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    records.append(_record(line, number, path))
    except OSError as error:
        raise CommandError(f"{path.name} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path.name} is not in UTF-8: convert it ({error.reason})") from error
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _record(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise CommandError(f"line {number} of {path.name} is no JSON object")
    return record


def _read_parquet(path: Path) -> Columns:
    frame = _frame(path)
    return {name: frame[name].tolist() for name in frame.columns}


_TEXT_READERS: dict[str, Callable[[Path], Columns]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


# Tables of numbers ------------------------------------------------------------------------------


def _table(path: Path, id_column: str | None) -> Source:
    import pandas as pd  # late, and there: the frame is of pandas

    frame = _frame(path)
    if id_column is not None and id_column not in frame.columns:
        raise CommandError(f"{path.name} has no column {id_column!r}; it has {_list(frame)}")
    ids = None if id_column is None else frame.pop(id_column).tolist()
    if not len(frame):
        raise CommandError(f"{path.name} has no rows")
    strange = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    if strange or not len(frame.columns):
        raise CommandError(
            f"a table of numbers is needed, but these columns of {path.name} are not: "
            f"{_list(strange) or 'all'}; name the column to read by --text, or drop them"
        )
    numbers = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise CommandError(f"{path.name} has infinite values: replace them, or leave them empty")
    return Source("table", pd.DataFrame(numbers, columns=list(frame.columns)), ids)


def _frame(path: Path) -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise CommandError(
            f'reading {path.name} needs pandas: pip install "skactive[data]"'
        ) from error
    readers = {
        ".csv": pd.read_csv,
        ".jsonl": lambda file: pd.read_json(file, lines=True, dtype=False, convert_dates=False),
        ".parquet": pd.read_parquet,
    }
    try:
        frame = readers[path.suffix.lower()](path)
    except (OSError, ValueError, ImportError) as error:  # pandas' parser errors are ValueErrors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CommandError(f"{path.name} cannot be read: {reason}") from error
    frame.columns = frame.columns.map(str)
    return frame


# Folders ----------------------------------------------------------------------------------------


def _folder(path: Path, kind: str | None, column: str | None) -> Source:
    if column is not None:
        raise CommandError(f"{path} is a folder: it has no column {column!r}")
    names = sorted(_files(path))
    found = {
        each: [name for name in names if name.lower().endswith(_ENDINGS[each])] for each in _ENDINGS
    }
    kind = _kind_of(path, kind, found)
    if not found[kind]:
        other = [name for name in names if name.lower().endswith(_UNREAD)]
        advice = f"; convert the others ({other[0]}, ...) to WAV" if other else ""
        raise CommandError(f"{path} holds no file {' '.join(_ENDINGS[kind])}{advice}")
    for name in found[kind]:
        if not name.isprintable():
            raise CommandError(f"{name!r} in {path} is no name that can be shown: rename it")
    sizes = [(name, (path / name).stat().st_size) for name in found[kind]]
    return Source(kind, found[kind], list(found[kind]), digest(sizes))


def _kind_of(path: Path, kind: str | None, found: dict[str, list[str]]) -> str:
    there = [each for each in found if found[each]]
    if kind is not None:
        return kind
    if len(there) > 1:
        raise CommandError(f"{path} holds images and sounds: say which by --images or --audio")
    return there[0] if there else "images"


def _files(path: Path) -> Iterable[str]:
    """Name all files within a folder but for hidden ones."""
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(path).as_posix()


def _list(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names))
