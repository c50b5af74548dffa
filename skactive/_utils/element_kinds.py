"""Kinds of parameters that are elements of rows: boxes, labels, offsets, texts, maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.input_kinds import check_columns, check_count, check_vector, to_numbers
from skactive._utils.ragged import check_offsets

__all__ = [
    "check_box_samples",
    "check_boxes",
    "check_counts",
    "check_cuts",
    "check_indicators",
    "check_lengths",
    "check_map",
    "check_presence",
    "check_texts",
    "match_elements",
]


def check_boxes(name: str, values: Any) -> Any:
    """Take corners of boxes, (n_boxes, 4), as (left, top, right, bottom)."""
    return _check_corners(name, values, 2, "(n_boxes, 4)")


def check_box_samples(name: str, values: Any) -> Any:
    """Take draws of the corners of boxes, (n_samples, n_boxes, 4)."""
    values = _check_corners(name, values, 3, "(n_samples, n_boxes, 4)")
    if not len(values):
        raise ValueError(f"{name} must hold at least one draw.")
    return values


def check_map(name: str, values: Any) -> Any:
    """Take class probabilities of a map, (height, width, n_classes), or of any other axes."""
    values = to_numbers(name, values)
    if values.ndim < 2 or not values.shape[-1]:
        raise ValueError(
            f"{name} must be of shape (height, width, n_classes), got shape {values.shape}."
        )
    _check_finite(name, values)
    if values.size and values.min() < 0:
        raise ValueError(f"{name} must be at least 0, got {values.min():.6g}.")
    return values


def check_presence(name: str, values: Any) -> Any:
    """Take probabilities of labels, (n_rows, n_labels), each from 0 to 1; there may be no label."""
    values = to_numbers(name, values)
    if values.ndim != 2:
        raise ValueError(f"{name} must be of shape (n_rows, n_labels), got shape {values.shape}.")
    _check_finite(name, values)
    if values.size and not 0 <= values.min() <= values.max() <= 1:
        raise ValueError(
            f"{name} must be from 0 to 1, got {values.min():.6g} to {values.max():.6g}."
        )
    return values.astype(np.float64, copy=False)


def check_indicators(name: str, values: Any) -> Any:
    """Take labels that are present, 1, or absent, 0, (n_rows, n_labels)."""
    values = check_presence(name, values)
    if not np.isin(values, (0, 1)).all():
        raise ValueError(f"{name} must be 0 or 1 for each label.")
    return values.astype(np.float64, copy=False)


def check_counts(name: str, values: Any) -> Any:
    """Take one number of labels, or one per row, each 0 or more."""
    return check_columns(name, values) if np.ndim(values) else check_count(name, values, low=0)


def check_cuts(name: str, values: Any) -> Any:
    """Take offsets, (n_rows + 1,), which start at 0 and never decrease."""
    array = to_numbers(name, values)
    if array.dtype.kind == "f" and array.size and np.array_equal(array, np.floor(array)):
        array = array.astype(np.intp)  # as in a list of objects, or a column of a frame
    last = array.ravel()[-1] if array.size and array.dtype.kind in "iu" else 0
    return check_offsets(array, int(last))


def check_lengths(name: str, values: Any) -> Any:
    """Take a number of tokens per element, at least 1."""
    values = check_vector(name, values)
    if len(values) and values.min() < 1:
        raise ValueError(f"{name} must be at least 1, got {values.min():.6g}.")
    return values


def check_texts(name: str, values: Any) -> list[str]:
    """Take one text per element; anything else is written as one."""
    if isinstance(values, str):
        raise TypeError(f"{name} must be a list of texts, got one text.")
    return [str(value) for value in values]


def match_elements(offsets: Any, **arrays: Any) -> None:
    """Check that arrays have one entry for each of the elements that the offsets count."""
    for name, array in arrays.items():
        if len(array) != offsets[-1]:
            raise ValueError(
                f"{name} has {len(array)} entries, but offsets end at {offsets[-1]}: expected one "
                "entry for each element."
            )


def _check_corners(name: str, values: Any, n_dims: int, axes: str) -> Any:
    values = to_numbers(name, values)
    if values.ndim != n_dims or values.shape[-1] != 4:
        raise ValueError(f"{name} must be of shape {axes}, got shape {values.shape}.")
    _check_finite(name, values)
    return values if values.dtype.kind == "f" else values.astype(np.float64)


def _check_finite(name: str, values: Any) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
