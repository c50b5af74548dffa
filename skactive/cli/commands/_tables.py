"""Labeled tables for ``skactive demo`` and ``skactive compare``: numbers and a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_note
from skactive.cli.reading import (
    TABLE_SUFFIXES,
    check_column,
    check_finite,
    check_regular_file,
    is_table,
    list_parts,
    read_frame,
    to_numbers,
)

__all__ = ["LabeledTable", "read_table"]


class LabeledTable(NamedTuple):
    """Rows of numbers, and a class for each.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Numbers, NaN if one is missing.
    y : ndarray of shape (n_rows,)
        Classes as 0 .. n_classes - 1.
    classes : ndarray of shape (n_classes,)
        The classes as the file has them.
    names : list of str
        Names of the features; of an npz file, of its array of rows.
    """

    X: NDArray[np.float64]
    y: NDArray[np.intp]
    classes: NDArray[Any]
    names: list[str]


def read_table(path: Path, target: str | None) -> LabeledTable:
    """Read rows of numbers, and a class for each.

    Parameters
    ----------
    path : Path
        An npz file, a table in a format that `read_columns` reads, or a folder of parquet files.
    target : str or None
        The column or array to predict; of an npz file, ``y`` if None.

    Returns
    -------
    LabeledTable

    Raises
    ------
    CommandError
        If the file cannot be read, or does not hold such a table.
    """
    has_parts = bool(list_parts(path))
    if not has_parts:
        check_regular_file(path)
    is_npz = not has_parts and path.suffix.lower() == ".npz"
    if not (has_parts or is_npz or is_table(path)):
        suffixes = ", ".join((".npz", *TABLE_SUFFIXES))
        raise CommandError(
            f"cannot read {path.name}: expected one of {suffixes}, or a text format with .gz"
        )
    names, X, y, notes = (_read_npz if is_npz else _read_frame)(path, target)
    if X.shape[1] == 0:
        raise CommandError(f"{path.name} has no column besides the target")
    check_finite(X, path)
    classes, encoded = np.unique(y, return_inverse=True)
    if len(classes) < 2 or 2 * len(classes) > len(y) or len(classes) > max(20, len(y) // 5):
        raise CommandError(
            f"the target of {path.name} has {len(classes)} distinct values in {len(y)} rows; it "
            "must hold two classes or more, and several rows of each"
        )
    for note in notes:
        print_note(f"{path.name}: {note}")
    return LabeledTable(X, encoded, classes, names)


def _read_npz(path: Path, target: str | None) -> tuple[list[str], Any, Any, list[str]]:
    target = target or "y"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, BadZipFile) as error:
        raise CommandError(f"{path.name} is not an npz file, or is damaged") from error
    check_column(target, arrays, path, "array")
    y = arrays.pop(target)
    if y.ndim != 1 or not len(y):
        raise CommandError(
            f"{target!r} of {path.name} must have one dimension, not shape {y.shape}"
        )
    if y.dtype.kind == "f":
        _check_all_labeled(int(np.isnan(y).sum()), target, path)
    name = "X" if "X" in arrays else next((name for name in arrays if arrays[name].ndim > 1), "X")
    if name not in arrays or arrays[name].ndim < 2 or len(arrays[name]) != len(y):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise CommandError(
            f"{path.name} needs an array X of {len(y)} rows and some columns; it has {shapes}"
        )
    X = arrays[name].reshape(len(y), -1)  # (n_rows, n_features)
    if X.dtype.kind not in "biuf":
        raise CommandError(f"expected numbers, but {name!r} of {path.name} holds {X.dtype}")
    return [name], X.astype(np.float64), y, []


def _read_frame(path: Path, target: str | None) -> tuple[list[str], Any, Any, list[str]]:
    frame = read_frame(path)
    _, *notes = frame.attrs["notes"]  # the first one counts the rows, which commands do
    if target is None:
        raise CommandError(
            f"name the column to predict by --target; {path.name} has {', '.join(frame.columns)}"
        )
    check_column(target, frame.columns, path)
    y = frame.pop(target)
    _check_all_labeled(int(y.isna().sum()), target, path)
    X = to_numbers(frame, path, "encode or drop them")
    return list(frame.columns), X, y.to_numpy(), notes


def _check_all_labeled(n_missing: int, target: str, path: Path) -> None:
    if n_missing:
        n_rows = pluralize(n_missing, "row")
        raise CommandError(f"{path.name} has no {target} in {n_rows}: fill in or drop such rows")
