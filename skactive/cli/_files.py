"""Read files into columns, the same for all commands; every failure is a one-line error."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.text import take_first_line
from skactive.cli._errors import CommandError

__all__ = [
    "FRAME_SUFFIXES",
    "check_column",
    "check_file",
    "check_finite",
    "read_columns",
    "read_frame",
    "to_numbers",
]

FRAME_SUFFIXES = (".csv", ".jsonl", ".parquet")

Columns = dict[str, list[Any]]


def check_file(path: Path) -> None:
    """Raise an error if the file does not exist."""
    if not path.is_file():
        raise CommandError(f"file not found: {path}")


def check_column(name: str, columns: Iterable[str], path: Path, kind: str = "column") -> None:
    """Raise an error that lists the columns, or arrays, if one is missing."""
    columns = list(columns)
    if name not in columns:
        raise CommandError(f"{path.name} has no {kind} {name!r}; it has {', '.join(columns)}")


# With types -------------------------------------------------------------------------------------


def read_frame(path: Path) -> Any:
    """Return the columns of a file with the types that pandas gives them.

    Parameters
    ----------
    path : Path
        A csv, jsonl or parquet file.

    Returns
    -------
    DataFrame
        Its column names are strings.

    Raises
    ------
    CommandError
        If pandas is missing, or the file cannot be read.
    """
    try:
        import pandas as pd  # late: an extra
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
        raise CommandError(f"{path.name} cannot be read: {take_first_line(error)}") from error
    frame.columns = frame.columns.map(str)
    return frame


def to_numbers(frame: Any, path: Path, advice: str) -> NDArray[np.float64]:
    """Return the numbers of a frame, NaN if one is missing.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_features)
        Columns of numbers.
    path : Path
        Where it was read from.
    advice : str
        What to do about other columns.

    Returns
    -------
    ndarray of shape (n_rows, n_features)

    Raises
    ------
    CommandError
        If a column does not hold numbers.
    """
    import pandas as pd  # late: an extra

    other = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    if other:
        raise CommandError(
            f"expected numbers, but these columns of {path.name} are text or dates: "
            f"{', '.join(other)}; {advice}"
        )
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def check_finite(X: NDArray[np.float64], path: Path) -> None:
    """Raise an error if there are infinite values; missing ones are allowed."""
    if np.isinf(X).any():
        raise CommandError(f"{path.name} has infinite values: replace them, or leave them empty")


# As written -------------------------------------------------------------------------------------


def read_columns(path: Path) -> Columns:
    """Return the columns of a file, with texts exactly as they are written.

    Parameters
    ----------
    path : Path
        A csv, jsonl or parquet file.

    Raises
    ------
    CommandError
        If the file cannot be read.
    """
    return _COLUMN_READERS[path.suffix.lower()](path)


# Pandas would turn texts such as 007 and NA into numbers and missing values
def _read_csv(path: Path) -> Columns:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # texts may be long
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise CommandError(f"{path.name} is empty: its first line must name the columns")
            rows = [row for row in reader if row]
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    rows = [row + [""] * (len(header) - len(row)) for row in rows]  # short rows are padded
    return {name: [row[position] for row in rows] for position, name in enumerate(header)}


def _read_jsonl(path: Path) -> Columns:
    try:
        with path.open(encoding="utf-8-sig") as file:
            records = [
                _parse_record(line, number, path)
                for number, line in enumerate(file, 1)
                if line.strip()
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _parse_record(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise CommandError(f"line {number} of {path.name} is not a JSON object")
    return record


def _read_parquet(path: Path) -> Columns:
    frame = read_frame(path)
    return {name: frame[name].tolist() for name in frame.columns}


def _unreadable(path: Path, error: Exception) -> CommandError:
    if isinstance(error, UnicodeDecodeError):
        return CommandError(f"{path.name} is not in UTF-8: convert it ({error.reason})")
    return CommandError(f"{path.name} cannot be read: {error}")


_COLUMN_READERS: dict[str, Callable[[Path], Columns]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
