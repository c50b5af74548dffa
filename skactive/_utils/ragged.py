"""Ragged arrays: rows of different lengths, one after the other in one array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.matrices import tensor_to_array

__all__ = ["Ragged", "check_offsets", "offsets_of", "reduce_rows"]


class Ragged:
    """Values of the elements of rows, which may have any number of them, none included.

    Parameters
    ----------
    values : ndarray of shape (n_elements, ...), or (n_draws, n_elements, ...) with `axis=1`
        The values of all elements, row after row.
    offsets : ndarray of shape (n_rows + 1,)
        The elements of row i are those in ``offsets[i]:offsets[i + 1]``.
    axis : {0, 1}, default=0
        The axis of `values` that counts elements.

    Raises
    ------
    ValueError
        If the offsets do not start at 0, decrease, or do not end at the number of elements.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive import Ragged
    >>> tokens = Ragged.of([[0.9, 0.2], [], [0.5]])
    >>> tokens.offsets
    array([0, 2, 2, 3])
    >>> tokens[0]
    array([0.9, 0.2])
    >>> tokens.owner  # the row of each element
    array([0, 0, 2])
    """

    def __init__(self, values: Any, offsets: Any, *, axis: int = 0) -> None:
        if axis not in (0, 1):
            raise ValueError(f"axis must be 0 or 1, got {axis!r}.")
        self.values: NDArray[Any] = np.asarray(tensor_to_array(values))
        if self.values.ndim <= axis:
            raise ValueError(
                f"values of shape {self.values.shape} have no axis {axis} that counts elements."
            )
        self.offsets: Positions = check_offsets(offsets, self.values.shape[axis])
        self.axis = axis

    @classmethod
    def of(cls, rows: Iterable[Any], *, axis: int = 0) -> Ragged:
        """Join the arrays of single rows.

        Parameters
        ----------
        rows : iterable of array-like
            One array per row; all are equal in shape but for the axis that counts elements.
        axis : {0, 1}, default=0
            The axis that counts elements.

        Returns
        -------
        Ragged
        """
        arrays = [np.asarray(tensor_to_array(row)) for row in rows]
        for i, array in enumerate(arrays):
            if array.ndim <= axis:
                raise ValueError(
                    f"Row {i} is of shape {array.shape}, without axis {axis}; expected an array "
                    "with one entry per element there: put a single value into a list."
                )
        filled = [array for array in arrays if array.size] or arrays[:1]  # [] has no other axes
        _check_same_axes(arrays, axis)
        values = np.empty((0,) * (axis + 1))
        if filled:  # one array is not copied: it may be a map as large as all others together
            values = filled[0] if len(filled) == 1 else np.concatenate(filled, axis=axis)
        lengths = [array.shape[axis] if array.size else 0 for array in arrays]
        if not any(lengths):
            values = values[:, :0] if axis else values[:0]
        return cls(values, offsets_of(lengths), axis=axis)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        if not isinstance(row, Integral):
            raise TypeError(f"a row is an integer, got {row!r}: take(...) takes several rows")
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} is not among the {len(self)} rows")
        row %= len(self)
        return self._cut(slice(self.offsets[row], self.offsets[row + 1]))

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return map(self.__getitem__, range(len(self)))

    def __repr__(self) -> str:
        return f"Ragged({len(self)} rows, {self.offsets[-1]} elements)"

    @property
    def lengths(self) -> Positions:
        """Number of elements of each row, shape (n_rows,)."""
        return np.diff(self.offsets)

    @property
    def owner(self) -> Positions:
        """Row of each element, shape (n_elements,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, positions: Positions | slice) -> Ragged:
        """Take some rows, in any order.

        Parameters
        ----------
        positions : ndarray of int, or slice
            Positions of rows.

        Returns
        -------
        Ragged
        """
        rows = np.arange(len(self))[positions]
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        # Consecutive rows are one slice of the values, without a copy.
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            first = self.offsets[rows[0]]
            return Ragged(self._cut(slice(first, first + offsets[-1])), offsets, axis=self.axis)
        steps = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        elements = np.repeat(self.offsets[rows], lengths) + steps
        return Ragged(self._cut(elements), offsets, axis=self.axis)

    def _cut(self, elements: Positions | slice) -> NDArray[Any]:
        return self.values[:, elements] if self.axis else self.values[elements]


def _check_same_axes(arrays: list[NDArray[Any]], axis: int) -> None:
    """Check that rows are equal in shape but for the axis that counts elements."""
    shapes = {
        i: (*array.shape[:axis], *array.shape[axis + 1 :])
        for i, array in enumerate(arrays)
        if array.size
    }
    first = next(iter(shapes), 0)
    for i, shape in shapes.items():
        if shape != shapes[first]:
            raise ValueError(
                f"Row {i} is of shape {arrays[i].shape}, row {first} of shape "
                f"{arrays[first].shape}; they may differ in axis {axis} only, that of elements."
            )


def offsets_of(lengths: Any) -> Positions:
    """Return the offsets of rows of these lengths, shape (n_rows + 1,)."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.intp)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def reduce_rows(operation: np.ufunc, values: Floats, offsets: Positions) -> Floats:
    """Reduce the values of the elements of each row by a ufunc; 0 for rows without elements.

    Parameters
    ----------
    operation : ufunc
        Such as ``numpy.add`` or ``numpy.maximum``.
    values : ndarray of shape (n_elements,)
        Values of the elements.
    offsets : ndarray of shape (n_rows + 1,)
        Offsets that were checked.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    reduced = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):  # an empty row would take the value of the next one
        reduced[filled] = operation.reduceat(values, offsets[filled])
    return reduced


def check_offsets(offsets: Any, n_elements: int) -> Positions:
    """Return offsets, (n_rows + 1,), after checking that they cut so many elements into rows."""
    array = np.asarray(offsets)
    if array.dtype.kind not in "iu" and array.size:
        raise ValueError(f"offsets must be integers, got {array.dtype}.")
    array = array.astype(np.intp, copy=False)
    if array.ndim != 1 or not len(array) or array[0] != 0 or (np.diff(array) < 0).any():
        raise ValueError(
            "offsets must start at 0 and never decrease, one more than there are rows; got "
            f"{array}."
        )
    if array[-1] != n_elements:
        raise ValueError(
            f"offsets end at {array[-1]}, but there are {n_elements} elements: the last offset "
            "must be their number."
        )
    return array
