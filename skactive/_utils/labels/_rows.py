"""Rows of labels: taken, copied, joined, described, and passed to a model."""

from __future__ import annotations

from collections.abc import Set
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.fingerprint import describe_rows, digest, hash_rows
from skactive._utils.labels._reading import (
    RowList,
    check_same_kind,
    is_structured,
    name_kind,
    to_dense,
)
from skactive._utils.matrices import tensor_to_array
from skactive._utils.rows import n_rows, take_rows, type_name

__all__ = [
    "copy_labels",
    "describe_labels",
    "join_labels",
    "list_names",
    "take_labels",
    "to_model_labels",
]


def take_labels(y: Any, rows: Any) -> Any:
    """Take the labels of some rows, in the kind of `y`; those of a sparse matrix as an array."""
    return to_dense(take_rows(y, rows))


def copy_labels(y: Any) -> Any:
    """Copy labels that were read, and their rows: the caller may use an array for other labels."""
    if y is None:
        return None
    labels = np.array(y, subok=True)
    if is_structured(labels):
        labels[:] = _list_copies(labels)
    return labels


def _list_copies(rows: Any) -> NDArray[Any]:
    """Return copies of objects in an object vector; arrays in it are not joined to one."""
    return np.fromiter((deepcopy(row) for row in rows), dtype=object, count=len(rows))


def to_model_labels(y: Any) -> Any:
    """Return labels as a model takes them: structured ones that came in a list as a list."""
    return list(y) if isinstance(y, RowList) else y


def join_labels(first: Any, second: Any) -> NDArray[Any]:
    """Concatenate labels that were read, of one kind.

    Raises
    ------
    ValueError
        If they are of several kinds, or have other numbers of values per row.
    """
    first, second = np.asanyarray(first), np.asanyarray(second)
    if not len(first) and first.ndim == 1:
        return second
    if is_structured(first) or is_structured(second):
        return _join_structured(*_match_maps(first, second))
    kinds = {first.dtype.kind, second.dtype.kind}
    if kinds & set("US") and kinds - set("USO"):
        raise ValueError(
            f"The labels so far are of dtype {first.dtype}, the new ones of {second.dtype}: "
            "mixing numbers and strings would split classes. Pass labels of one type."
        )
    shapes = first.shape[1:], second.shape[1:]
    if shapes[0] != shapes[1] and not set(shapes) <= {(), (1,)}:
        raise ValueError(
            f"The labels so far have rows of shape {shapes[0]}, the new ones of shape {shapes[1]}: "
            "pass as many values for each row, or a list of arrays if shapes differ."
        )
    # The reshape lets a column of labels, (n_new, 1), join a vector, (n_labeled,).
    return np.concatenate([first, second.reshape(-1, *shapes[0])])


def _match_maps(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return maps, some in one array and others in a list, in a list of arrays each."""
    if not (_holds_arrays(first) and _holds_arrays(second)):
        return first, second
    return tuple(  # type: ignore[return-value]
        y if is_structured(y) else np.fromiter(y, dtype=object, count=len(y)).view(RowList)
        for y in (first, second)
    )


def _holds_arrays(y: NDArray[Any]) -> bool:
    return y.ndim > 2 or (is_structured(y) and {name_kind(row) for row in y} <= {"array", None})


def _join_structured(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    if not (is_structured(first) and is_structured(second)):
        names = [
            "a list, array, set or dict" if is_structured(y) else "a value or matrix row"
            for y in (first, second)
        ]
        raise ValueError(
            f"The labels so far have {names[0]} per row, the new ones {names[1]}: pass labels of "
            "one kind."
        )
    joined = np.concatenate([first, second])
    check_same_kind(map(name_kind, joined))
    return joined.view(type(first))


def describe_labels(y: Any) -> str:
    """Describe labels by their type, number and values, the same in every process."""
    if not is_structured(y):
        return describe_rows(y)
    hashes = hash_rows([tensor_to_array(row) for row in y])
    return f"{type_name(y)} {n_rows(y)} structured {digest(hashes.tolist())}"


def list_names(y: NDArray[Any]) -> set[str]:
    """List the distinct texts in structured labels whose rows are lists of them."""
    rows = (row for row in y if isinstance(row, list | tuple | Set))
    return {value for row in rows for value in row if isinstance(value, str)}
