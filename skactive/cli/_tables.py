"""Tables that people name on the command line: numbers and a target, or one clear line of error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from skactive.cli._errors import CommandError

__all__ = ["read_table"]


def read_table(
    path: Path, target: str | None
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[Any]]:
    """Read rows of numbers, and a class for each.

    Parameters
    ----------
    path : Path
        An npz, csv or parquet file.
    target : str or None
        The column or array to predict; of an npz file, ``y`` if None.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
        Numbers, NaN where one is missing.
    y : ndarray of shape (n_rows,)
        Classes as 0 .. n_classes - 1.
    classes : ndarray of shape (n_classes,)
        What the file calls them.

    Raises
    ------
    CommandError
        If the file is not what it should be.
    """
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CommandError(f"{path.name} is none of the kinds that can be read: {_list(_READERS)}")
    X, y = reader(path, target)
    if X.shape[1] == 0:
        raise CommandError(f"{path.name} has no column beside the target")
    if np.isinf(X).any():
        raise CommandError(f"{path.name} has infinite values: replace them, or leave them empty")
    classes, encoded = np.unique(y, return_inverse=True)
    if len(classes) < 2 or 2 * len(classes) > len(y) or len(classes) > max(20, len(y) // 5):
        raise CommandError(
            f"the target of {path.name} has {len(classes)} distinct values in {len(y)} rows; it "
            "must hold two classes or more, and several rows of each"
        )
    return X, encoded, classes


def _read_npz(path: Path, target: str | None) -> tuple[Any, Any]:
    target = target or "y"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, BadZipFile) as error:
        raise CommandError(f"{path.name} is no npz file, or a broken one") from error
    _check_there(target, arrays, path)
    y = arrays.pop(target)
    if y.ndim != 1 or not len(y):
        raise CommandError(
            f"{target!r} of {path.name} must have one dimension, not shape {y.shape}"
        )
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise CommandError(f"{int(np.isnan(y).sum())} rows of {path.name} have no {target}")
    name = "X" if "X" in arrays else next((name for name in arrays if arrays[name].ndim > 1), "X")
    if name not in arrays or arrays[name].ndim < 2 or len(arrays[name]) != len(y):
        shapes = _list(f"{name} {array.shape}" for name, array in arrays.items())
        raise CommandError(
            f"{path.name} needs an array X of {len(y)} rows and some columns; it has {shapes}"
        )
    X = arrays[name].reshape(len(y), -1)
    if X.dtype.kind not in "biuf":
        raise CommandError(f"numbers are needed, but {name!r} of {path.name} holds {X.dtype}")
    return X.astype(np.float64), y


def _read_frame(path: Path, target: str | None) -> tuple[Any, Any]:
    try:
        import pandas as pd
    except ImportError as error:
        raise CommandError(
            f'reading {path.suffix} needs pandas: pip install "skactive[data]"'
        ) from error
    read = pd.read_parquet if path.suffix.lower() == ".parquet" else pd.read_csv
    try:
        frame = read(path)
    except (OSError, ValueError, ImportError) as error:  # pandas' parser errors are ValueErrors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CommandError(f"{path.name} cannot be read: {reason}") from error
    frame.columns = frame.columns.map(str)
    if target is None:
        raise CommandError(f"name the column to predict by --target: {_list(frame.columns)}")
    _check_there(target, frame.columns, path)
    if not len(frame):
        raise CommandError(f"{path.name} has no rows")
    y = frame.pop(target)
    if y.isna().any():
        raise CommandError(f"{int(y.isna().sum())} rows of {path.name} have no {target}")
    strange = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    if strange:
        raise CommandError(
            f"numbers are needed, but these columns of {path.name} are text or dates: "
            f"{_list(strange)}; encode or drop them"
        )
    return frame.to_numpy(dtype=np.float64, na_value=np.nan), y.to_numpy()


def _check_there(target: str, names: Iterable[str], path: Path) -> None:
    if target not in names:
        raise CommandError(f"{path.name} has no {target!r}; it has {_list(names)}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


_READERS: dict[str, Callable[[Path, str | None], tuple[Any, Any]]] = {
    ".npz": _read_npz,
    ".csv": _read_frame,
    ".parquet": _read_frame,
}
