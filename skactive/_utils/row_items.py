"""Rows that come one by one, stacked to a container that models take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any

import numpy as np

from skactive._utils.matrices import tensor_to_array

__all__ = ["stack_items"]


def stack_items(items: Iterator[Any], n: int) -> Any:
    """Stack `n` rows: numbers of one shape in an array, mappings in a dict of stacks, else a list.

    Arrays are filled row by row, so that rows are never held twice.
    """
    first = next(items, None)
    if first is None:
        return []
    if isinstance(first, Mapping):
        rows = [dict(first), *map(dict, items)]
        return {key: stack_items(iter([row[key] for row in rows]), n) for key in first}
    if (array := _to_numbers(first)) is None:
        return [first, *items]
    stack = np.empty((n, *array.shape), dtype=array.dtype)
    stack[0] = array
    for position, item in enumerate(items, 1):
        row = item if getattr(item, "dtype", None) is stack.dtype else _to_numbers(item)
        if row is None or row.shape != array.shape:
            return [*stack[:position], item, *items]
        if row.dtype != stack.dtype:  # whole numbers among others: all get the wider type
            stack = stack.astype(np.result_type(stack.dtype, row.dtype), copy=False)
        stack[position] = row
    return stack


def _to_numbers(item: Any) -> Any:
    """Return a row as an array of numbers; None if it is none (a text, a list of texts)."""
    if isinstance(item, str | bytes | Mapping) or item is None:
        return None
    if not (
        isinstance(item, Number | list | tuple)
        or hasattr(item, "__array__")
        or hasattr(item, "__array_interface__")  # images of Pillow
    ):
        return None
    try:
        array = np.asarray(tensor_to_array(item))
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "biufc" else None
