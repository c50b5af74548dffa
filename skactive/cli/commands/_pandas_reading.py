"""Lines of Python by which NumPy or pandas read a table as the commands have read it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive.cli._arguments import SEPARATOR_NAMES
from skactive.cli.reading import find_marked_encoding, find_table_format, list_parts, open_bytes

__all__ = ["write_reading"]

_FUNCTIONS = {
    ".parquet": "read_parquet",
    ".xlsx": "read_excel",
    ".json": "read_json",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
}
_ROUNDING = 1e-14  # pandas may round the last digit otherwise


def write_reading(
    path: Path, target: str, names: Sequence[str], X: NDArray[Any], y: NDArray[Any]
) -> list[str] | None:
    """Return lines that make ``X`` and ``y``, or None if none give the same as the commands read.

    Each way of reading is tried, as pandas takes other rows, columns or missing values than the
    commands from some files.

    Parameters
    ----------
    path : Path
        The table.
    target : str
        The column or array to predict.
    names : sequence of str
        Names of the features; of an npz file, of its array of rows.
    X : ndarray of shape (n_rows, n_features)
        Numbers that the commands have read.
    y : ndarray of shape (n_rows,)
        Classes that they have read, as 0 .. n_classes - 1.
    """
    if path.suffix.lower() == ".npz":
        return [
            f"stored = np.load({str(path)!r})",
            f"y = stored[{target!r}]",
            f"X = stored[{names[0]!r}].reshape(len(y), -1)",
            "X = X.astype(float)",
        ]
    for function, options in _list_ways(path, [*names, target]):
        if _gives_same(_read(function, path, options), target, X, y):
            arguments = [repr(str(path)), *(f"{name}={v!r}" for name, v in options.items())]
            return [
                f"frame = pd.{function}({', '.join(arguments)}).rename(columns=str)",
                f"y = frame.pop({target!r}).to_numpy()",
                "X = frame.to_numpy(dtype=float, na_value=np.nan)",
            ]
    return None


def _list_ways(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield functions of pandas and their options, the plainest first."""
    has_parts = bool(list_parts(path))
    if has_parts and not path.is_dir():  # pandas takes no patterns
        return
    suffix = ".parquet" if has_parts else find_table_format(path)
    function = _FUNCTIONS.get(suffix, "read_csv")
    if function == "read_csv":
        yield from ((function, options) for options in _list_csv_options(path, columns))
    elif function == "read_json":
        yield function, {"lines": True} if suffix != ".json" else {}
        yield function, {"lines": True} if suffix == ".json" else {"dtype": False}
    else:
        named: dict[str, Any] = {"usecols" if function == "read_excel" else "columns": columns}
        yield from ((function, options) for options in ({}, named))


def _list_csv_options(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    import pandas as pd  # late: an extra

    encoding = _find_encoding(path)
    separators: tuple[dict[str, Any], ...] = ({}, *({"sep": mark} for mark in SEPARATOR_NAMES))
    for separator, skipped in product(separators, ({}, {"skiprows": 1})):
        options = {**encoding, **separator, **skipped}
        try:
            header = pd.read_csv(path, nrows=0, **options).columns
        except (ValueError, OSError):
            continue
        if set(columns) <= set(header):
            yield from (options, {**options, "usecols": columns})


def _find_encoding(path: Path) -> dict[str, str]:
    with open_bytes(path) as file:
        encoding = find_marked_encoding(file.read(4))
    return {} if encoding in {None, "utf-8-sig"} else {"encoding": str(encoding)}


def _read(function: str, path: Path, options: dict[str, Any]) -> Any:
    """Return the frame that pandas reads, or None if it raises an error."""
    import pandas as pd  # late: an extra

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about ways that are then not taken
            return getattr(pd, function)(path, **options).rename(columns=str)
    except (ValueError, TypeError, OSError, KeyError, ImportError):
        return None


def _gives_same(frame: Any, target: str, X: NDArray[Any], y: NDArray[Any]) -> bool:
    """Return whether the program would compare on the same numbers and classes."""
    if frame is None or target not in frame:
        return False
    try:
        encoded = np.unique(frame.pop(target).to_numpy(), return_inverse=True)[1]
        numbers = frame.to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        return False
    return (
        np.array_equal(encoded, y)
        and numbers.shape == X.shape
        and np.allclose(numbers, X, rtol=_ROUNDING, atol=0.0, equal_nan=True)
    )
