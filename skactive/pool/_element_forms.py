"""The forms in which readings and settings of elements are given, and one ragged array of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skactive._utils.matrices import tensor_to_array
from skactive._utils.ragged import Ragged
from skactive.exceptions import InvalidReadingError

__all__ = ["to_ragged", "to_values"]

Shapes = list[tuple[int, ...]]


def to_values(name: str, values: Any, n_rows: int) -> Ragged:
    """Return one value per element of each row, such as costs or groups, as a ragged array.

    `values` holds one array per row, of any shape; `name` names it in errors.
    """
    if not isinstance(values, Ragged):
        values = _join_values(name, values)
    if values.values.ndim != 1 + values.axis:
        raise ValueError(
            f"{name} must hold one value per element, got values of shape {values.values.shape}."
        )
    if len(values) != n_rows:
        raise ValueError(
            f"{name} is of {len(values)} rows for a pool of {n_rows}; expected one array for each "
            "row."
        )
    return Ragged(values.values.ravel(), values.offsets) if values.axis else values


def _join_values(name: str, values: Any) -> Ragged:
    """Join the values of the elements of each row, whatever the axes of these."""
    values = values.toarray() if sp.issparse(values) else tensor_to_array(values)
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    is_one = isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable)
    if is_one or getattr(values, "shape", (1,)) == ():
        raise TypeError(
            f"{name} must be a list of arrays, one for each row, with a value per element; got a "
            f"{type(values).__name__}."
        )
    rows = []
    for i, row in enumerate(values):
        try:
            rows.append(np.ravel(_to_array(row)))
        except ValueError as error:
            raise ValueError(f"{name} of row {i} is no array of values: {error}") from error
    return Ragged.of(rows)


def to_ragged(
    raw: Any, n_rows: int, n_axes: int, draws: bool, reading: str, adapter: Any
) -> tuple[Ragged, Shapes]:
    """Return a reading in any of its forms as a ragged array, and the axes of each row's elements.

    `n_axes` is the number of axes of one element; with `draws` there is one more before the rows.
    """
    first, name = int(draws), f"{type(adapter.model).__name__} gives {reading}"
    if isinstance(raw, Ragged):
        shapes: Shapes = [(int(length),) for length in raw.lengths]
        ragged = raw
        _check_axes(name, raw, first, n_axes)
    elif (rows := _list_rows(raw)) is not None:
        ragged, shapes = _join_rows(name, rows, first, n_axes)
    else:
        ragged, shapes = _cut_rows(name, _to_array(raw), n_rows, first, n_axes)
    if len(ragged) != n_rows:
        raise InvalidReadingError(
            f"{name} of {len(ragged)} rows for {n_rows} rows; expected one for each."
        )
    return ragged, shapes


def _list_rows(raw: Any) -> Iterable[Any] | None:
    """Return a reading row by row, or None if it is one array with an axis of rows."""
    if getattr(raw, "is_nested", False):  # a tensor of rows of different lengths
        return list(raw.unbind())
    if not hasattr(raw, "shape"):
        return raw if isinstance(raw, Iterable) and not isinstance(raw, Mapping) else None
    is_of_arrays = str(getattr(raw, "dtype", "")) == "object" and len(raw.shape) == 1
    return list(raw) if is_of_arrays else None


def _to_array(values: Any) -> NDArray[Any]:
    """Return the values of a row, or of all, as an array."""
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise InvalidReadingError(
            f"An array has {np.ma.getmaskarray(values).sum()} masked values: give a list with one "
            "array per row instead of rows that are padded and masked."
        )
    values = values.toarray() if sp.issparse(values) else tensor_to_array(values)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InvalidReadingError(
            "An array was expected where lists of different lengths are: give one array per row, "
            "of draws with the axis of draws first in each."
        ) from error


def _check_axes(name: str, ragged: Ragged, first: int, n_axes: int) -> None:
    """Check that a ragged reading has the axes of draws, elements and one element."""
    n_dims = first + 1 + n_axes
    is_empty = not ragged.values.size and ragged.axis == first
    if ragged.axis != first or (ragged.values.ndim != n_dims and not is_empty):
        raise InvalidReadingError(
            f"{name} as a Ragged of shape {ragged.values.shape} with axis={ragged.axis}; expected "
            f"{n_dims} axes and axis={first}."
        )


def _join_rows(name: str, rows: Iterable[Any], first: int, n_axes: int) -> tuple[Ragged, Shapes]:
    """Join one array per row, each ([n_draws,] ...[, n_classes])."""
    arrays, shapes = [], Shapes()
    for i, row in enumerate(map(_to_array, rows)):
        is_empty_list = not row.size and row.ndim < first + 1 + n_axes
        if not is_empty_list and row.ndim < first + n_axes:
            raise InvalidReadingError(
                f"{name} of shape {row.shape} for row {i}; expected axes for "
                f"{_describe_axes(first, n_axes)}."
            )
        shapes.append((0,) if is_empty_list else row.shape[first : row.ndim - n_axes])
        arrays.append(_flatten(row, first, n_axes))
    if len(arrays) == 1:  # a large map is not copied
        return Ragged(arrays[0], [0, arrays[0].shape[first]], axis=first), shapes
    try:
        return Ragged.of(arrays, axis=first), shapes
    except ValueError as error:
        raise InvalidReadingError(f"{name} of rows that do not fit each other. {error}") from error


def _describe_axes(first: int, n_axes: int) -> str:
    names = ["the draws"] * first + ["its elements"] + ["the values of one element"] * n_axes
    return " and ".join(names)


def _cut_rows(
    name: str, array: NDArray[Any], n_rows: int, first: int, n_axes: int
) -> tuple[Ragged, Shapes]:
    """Cut an array with an axis of rows, ([n_draws,] n_rows, ...[, n_classes])."""
    if array.ndim < first + 2 + n_axes and array.ndim != first + 1 + n_axes:
        raise InvalidReadingError(
            f"{name} of shape {array.shape} for {n_rows} rows; expected axes for the rows, their "
            "elements" + (" and the classes." if n_axes else ".")
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
