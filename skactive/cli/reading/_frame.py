"""Tables of numbers, with the types of columns inferred by one rule."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.values import format_value
from skactive.cli._errors import CommandError
from skactive.cli.reading._file import import_library
from skactive.cli.reading._read import read_columns
from skactive.cli.reading._table import Table, shorten

__all__ = ["check_finite", "make_frame", "read_frame", "to_numbers"]

_MISSING = {"", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NULL", "null", "None"}
_TRUTH_VALUES = {"true": True, "false": False}
_SIMPLE = {str, int, float, bool, Decimal, type(None)}
_PADDED = re.compile(r"\s*[+-]?0[0-9]")


def read_frame(path: Path) -> Any:
    """Return the rows of `read_columns`, with columns of numbers where all values are numbers.

    Parameters
    ----------
    path : Path
        A table.

    Returns
    -------
    DataFrame
        Its column names are strings; its ``attrs["notes"]`` are the notes of the table.

    Raises
    ------
    CommandError
        If pandas is missing, or the file cannot be read.
    """
    import_library("pandas", "data", path)
    return make_frame(read_columns(path), path)


def make_frame(table: Table, path: Path) -> Any:
    """Return a table as a data frame, with columns of numbers where all values are numbers.

    Empty cells, "NA", "NaN" and the like are missing numbers. In columns of texts only empty cells
    are missing. A column with a number that begins with zeros, such as 007, holds texts.

    Parameters
    ----------
    table : Table
        Columns as they are written.
    path : Path
        For messages.

    Returns
    -------
    DataFrame
        Its ``attrs["notes"]`` are the notes of the table.
    """
    pd = import_library("pandas", "data", path)
    columns = {name: _infer_type(values) for name, values in table.columns.items()}
    frame = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    frame.attrs["notes"] = table.notes
    return frame


def _infer_type(values: list[Any]) -> NDArray[Any]:
    """Return a column as numbers or truth values if all its values are, otherwise as objects."""
    kinds = set(map(type, values))
    if float in kinds and kinds <= {int, float, type(None)}:
        return np.array(values, dtype=np.float64)  # None becomes NaN
    if kinds <= _SIMPLE:
        texts = values if kinds == {str} else [format_value(value) for value in values]
        numbers = _to_array(texts)
        if numbers is not None:
            return numbers
    objects = np.empty(len(values), dtype=object)
    objects[:] = [None if isinstance(v, str) and not v.strip() else v for v in values]
    return objects


def _to_array(texts: list[str]) -> NDArray[Any] | None:
    """Return texts as integers, floats or truth values; None if one is something else."""
    joined = "".join(texts)
    if not joined.isascii() or "_" in joined:  # float() would take 1_000, and digits of any script
        return None
    numbers = _convert_texts(texts)
    if numbers is None:
        stripped = [text.strip() for text in texts]
        if all(text.lower() in _TRUTH_VALUES or text in _MISSING for text in stripped):
            return np.array([_TRUTH_VALUES.get(text.lower(), np.nan) for text in stripped])
        numbers = _convert_texts(["nan" if text in _MISSING else text for text in stripped])
    # Codes: 007, or the postal code 01067
    return None if numbers is None or any(map(_PADDED.match, texts)) else numbers


def _convert_texts(texts: list[str]) -> NDArray[Any] | None:
    try:
        return np.array(list(map(int, texts)), dtype=np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return np.array(list(map(float, texts)))
    except ValueError:
        return None


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
            f"{', '.join(other)}; {advice} ({other[0]} has {_find_other(frame[other[0]])!r})"
        )
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def _find_other(column: Any) -> str:
    """Return the first value of a column that is no number."""
    texts = (format_value(value) for value in column)
    return next(shorten(text, 20) for text in texts if _to_array([text]) is None)


def check_finite(X: NDArray[np.float64], path: Path) -> None:
    """Raise an error if there are infinite values; missing ones are allowed."""
    if np.isinf(X).any():
        raise CommandError(f"{path.name} has infinite values: replace them, or leave them empty")
