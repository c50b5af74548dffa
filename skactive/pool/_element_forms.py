"""The forms in which an adapter may give a reading of elements, and one ragged array of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.ragged import Ragged
from skactive.exceptions import InvalidReadingError

__all__ = ["to_ragged"]

Shapes = list[tuple[int, ...]]


def to_ragged(
    raw: Any, n_rows: int, n_axes: int, draws: bool, reading: str, adapter: Any
) -> tuple[Ragged, Shapes]:
    """Return a reading in any of its forms as a ragged array, and the axes of each row's elements.

    `n_axes` is the number of axes of one element; with `draws` there is one more before the rows.
    """
    first = int(draws)
    if isinstance(raw, Ragged):
        shapes: Shapes = [(int(length),) for length in raw.lengths]
        ragged = raw
    elif isinstance(raw, Iterable) and not hasattr(raw, "shape"):
        ragged, shapes = _join_rows(raw, first, n_axes)
    else:
        ragged, shapes = _cut_rows(np.asarray(raw), n_rows, first, n_axes, reading, adapter)
    if len(ragged) != n_rows:
        raise InvalidReadingError(
            f"{type(adapter.model).__name__} gives {reading} of {len(ragged)} rows for {n_rows} "
            "rows; expected one for each."
        )
    return ragged, shapes


def _join_rows(rows: Iterable[Any], first: int, n_axes: int) -> tuple[Ragged, Shapes]:
    """Join one array per row, each ([n_draws,] ...[, n_classes])."""
    arrays, shapes = [], Shapes()
    for row in map(np.asarray, rows):
        is_empty_list = not row.size and row.ndim < first + 1 + n_axes
        shapes.append((0,) if is_empty_list else row.shape[first : row.ndim - n_axes])
        arrays.append(_flatten(row, first, n_axes))
    if len(arrays) == 1:  # a large map is not copied
        return Ragged(arrays[0], [0, arrays[0].shape[first]], axis=first), shapes
    return Ragged.of(arrays, axis=first), shapes


def _cut_rows(
    array: NDArray[Any], n_rows: int, first: int, n_axes: int, reading: str, adapter: Any
) -> tuple[Ragged, Shapes]:
    """Cut an array with an axis of rows, ([n_draws,] n_rows, ...[, n_classes])."""
    if array.ndim < first + 2 + n_axes and array.ndim != first + 1 + n_axes:
        raise InvalidReadingError(
            f"{type(adapter.model).__name__} gives {reading} of shape {array.shape} for {n_rows} "
            "rows; expected axes for the rows, their elements"
            + (" and the classes." if n_axes else ".")
        )
    length = array.shape[first] if array.ndim > first else 0
    shape = array.shape[first + 1 : array.ndim - n_axes]
    offsets = np.arange(length + 1) * int(np.prod(shape, dtype=int))
    return Ragged(_flatten(array, first, n_axes), offsets, axis=first), [shape] * length


def _flatten(array: NDArray[Any], first: int, n_axes: int) -> NDArray[Any]:
    """Make the axes of elements one, (..., n_elements, ...); a view where the layout allows it."""
    if not array.size and array.ndim < first + 1 + n_axes:  # an empty list
        return np.empty((0,) * (first + 1 + n_axes))
    before, after = array.shape[:first], array.shape[array.ndim - n_axes :]
    n_elements = int(np.prod(array.shape[first : array.ndim - n_axes], dtype=int))
    return array.reshape(*before, n_elements, *after)
