"""Labels of single elements: how many a row has, which are missing, and rows with some unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.labels._reading import find_missing, is_container, is_structured, name_kind

__all__ = ["count_elements", "find_missing_elements", "hide_elements"]


def count_elements(labels: NDArray[Any]) -> Positions:
    """Count the elements of each row of labels that were read, shape (n_rows,).

    Raises
    ------
    ValueError
        If a row has no elements in an order: a single label, a set, a dict or a list of lists.
    """
    if not is_structured(labels):
        if labels.ndim < 2:
            raise ValueError(
                f"These labels have shape {labels.shape}, one per row, so that there are no "
                "elements to label: pass several per row, such as an array of shape (n_rows, "
                "n_labels), or a list of lists or arrays."
            )
        return np.full(len(labels), int(np.prod(labels.shape[1:])), dtype=np.intp)
    return np.array([_count_in_row(i, row) for i, row in enumerate(labels)], dtype=np.intp)


def _count_in_row(i: int, row: Any) -> int:
    if hasattr(row, "shape"):
        return int(np.prod(row.shape))
    if isinstance(row, list | tuple) and not any(map(is_container, row)):
        return len(row)
    kind = name_kind(row)
    got = {None: "a missing label", "list": "a list of lists"}.get(kind, f"a {kind}")
    raise ValueError(
        f"The label of row {i} is {got}; single elements need a list or an array of labels for "
        "each row, one for each element."
    )


def find_missing_elements(labels: NDArray[Any], unknown: Any = None) -> NDArray[np.bool_]:
    """Find the elements without a label, or with the mark `unknown`, shape (n_elements,)."""
    if is_structured(labels):
        rows = [_find_in_row(np.asarray(row).ravel(), unknown) for row in labels]
        return np.concatenate([np.empty(0, dtype=bool), *rows])
    return _find_in_row(labels.ravel(), unknown)


def _find_in_row(values: NDArray[Any], unknown: Any) -> NDArray[np.bool_]:
    is_unknown = find_missing(values)
    return is_unknown if unknown is None else is_unknown | np.asarray(values == unknown)


def hide_elements(
    labels: NDArray[Any], is_known: NDArray[np.bool_], unknown: Any = None
) -> NDArray[Any]:
    """Return labels in which those of some elements are unknown.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, ...)
        Labels that were read.
    is_known : ndarray of bool, shape (n_elements,)
        Whether the label of each element is kept.
    unknown : object, default=None
        The mark of the others; None is NaN in arrays of numbers, and None elsewhere.
    """
    if not is_structured(labels):
        return _hide_in_array(labels, is_known, unknown)
    hidden = labels.copy()
    stop = 0
    for i, row in enumerate(labels):
        start, stop = stop, stop + _count_in_row(i, row)
        hidden[i] = _hide_in_row(row, is_known[start:stop], unknown)
    return hidden


def _hide_in_row(row: Any, is_known: NDArray[np.bool_], unknown: Any) -> Any:
    if hasattr(row, "shape"):
        return _hide_in_array(np.asarray(row), is_known, unknown)
    return [
        label if known else unknown for label, known in zip(row, is_known.tolist(), strict=True)
    ]


def _hide_in_array(labels: NDArray[Any], is_known: NDArray[np.bool_], unknown: Any) -> NDArray[Any]:
    """Return a copy of an array, of a type that holds the mark."""
    if unknown is None and labels.dtype.kind in "biuf":
        unknown, hidden = np.nan, labels.astype(np.result_type(labels.dtype, np.float32), "C")
    elif unknown is None:
        hidden = labels.astype(object, "C")
    else:
        hidden = labels.astype(np.result_type(labels.dtype, np.asarray(unknown).dtype), "C")
    hidden.reshape(-1)[~is_known] = unknown
    return hidden
