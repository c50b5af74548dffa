"""Contents of rows, to be drawn beside their nearest labeled row: pictures, texts, columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.inputs import has_several_inputs
from skactive._utils.matrices import tensor_to_array
from skactive._utils.rows import column_names, n_rows, row_shape, take_rows
from skactive._utils.values import is_missing

__all__ = [
    "ColumnDifference",
    "RowKind",
    "compare_columns",
    "find_row_kind",
    "read_image",
    "read_new_words",
]

RowKind = Literal["image", "text", "table", "none"]
_MIN_PIXELS = 49  # of a square row of numbers that is drawn as a picture
_N_SAMPLE = 1000  # rows of the pool from which the spread of a column is computed


@dataclass(frozen=True)
class ColumnDifference:
    """A column in which a row differs from its nearest labeled row.

    Attributes
    ----------
    name : str
        Name of the column; "column 3" if it has none.
    value, labeled_value : object
        The values of the row and of the labeled row.
    difference : float
        Their difference, in standard deviations of the column; NaN if the values are no numbers.
    """

    name: str
    value: Any
    labeled_value: Any
    difference: float


def find_row_kind(X: Any) -> RowKind:
    """Return how rows can be drawn, from their container and its first rows."""
    if has_several_inputs(X) or not n_rows(X):
        return "none"
    if sparse.issparse(X) or column_names(X) is not None:
        return "table"
    first = take_rows(X, np.arange(1))
    shape = row_shape(X)
    if isinstance(next(iter(first)), str):
        return "text"
    if shape is None or not shape:
        return "none"
    if len(shape) == 1:
        return "image" if _are_square_pixels(X, shape[0]) else "table"
    is_colored = len(shape) == 3 and (shape[-1] in {1, 3, 4} or shape[0] in {1, 3, 4})
    return "image" if len(shape) == 2 or is_colored else "none"


def _are_square_pixels(X: Any, n_columns: int) -> bool:
    """Return whether rows look like unrolled square pictures: a scale of gray, from 0 to 1 or up.

    All values are whole numbers of a few bits, or in [0, 1].
    """
    if n_columns < _MIN_PIXELS or math.isqrt(n_columns) ** 2 != n_columns:
        return False
    values = _make_array(take_rows(X, _sample(X)))
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return False
    highest = values.max()
    is_whole = values.dtype.kind in "iu" or bool((values == np.round(values)).all())
    return bool(values.min() >= 0 and (highest <= 1 or (is_whole and highest <= 255)))


def read_image(X: Any, position: int) -> NDArray[Any]:
    """Return a row as a picture, shape (height, width) or (height, width, n_channels)."""
    image = _make_array(take_rows(X, np.array([position])))[0]
    if image.ndim == 1:
        side = math.isqrt(len(image))
        return image.reshape(side, side)
    if image.ndim == 3 and image.shape[-1] not in {1, 3, 4}:  # channels come first
        image = np.moveaxis(image, 0, -1)
    return image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image


def read_new_words(text: str, other: str) -> list[str]:
    """Return the words of a text that another has not, in their order and each once."""
    known = set(_iter_words(other.casefold()))
    return [word for word in dict.fromkeys(_iter_words(text)) if word.casefold() not in known]


def _iter_words(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"\w+", text))


def compare_columns(
    X: Any, position: int, X_labeled: Any, labeled_position: int, n_columns: int
) -> list[ColumnDifference]:
    """Return the columns in which two rows differ most, in standard deviations of the pool.

    Values that are no numbers count as one standard deviation apart if they differ.
    """
    sample = take_rows(X, _sample(X))
    row, labeled = take_rows(X, np.array([position])), take_rows(X_labeled, [labeled_position])
    names = column_names(X)
    if names is None:
        return _compare_numbers(row, labeled, sample, n_columns)
    pairs = (
        _compare_values(str(name), *(_get_column(part, j, name) for part in (row, labeled, sample)))
        for j, name in enumerate(names)
    )
    return _sort_differences([pair for pair in pairs if pair is not None], n_columns)


def _compare_numbers(row: Any, labeled: Any, sample: Any, n: int) -> list[ColumnDifference]:
    """Compare rows of numbers; only columns that differ are read from the sample."""
    first, second = _make_array(row)[0], _make_array(labeled)[0]
    columns = np.flatnonzero(first != second)
    values = _make_array(sample[:, columns])
    pairs = (
        _compare_values(f"column {j}", first[[j]], second[[j]], values[:, k])
        for k, j in enumerate(columns)
    )
    return _sort_differences([pair for pair in pairs if pair is not None], n)


def _compare_values(
    name: str, first: NDArray[Any], second: NDArray[Any], sample: NDArray[Any]
) -> ColumnDifference | None:
    """Compare one value of each of two rows; None if they are equal, or one is missing."""
    value, other = first[0], second[0]
    if is_missing(value) or is_missing(other) or value == other:
        return None
    difference = math.nan
    if sample.dtype.kind in "iuf":
        spread = float(np.nanstd(sample.astype(np.float64)))
        difference = (float(value) - float(other)) / spread if spread > 0 else math.nan
    return ColumnDifference(name, value, other, difference)


def _sort_differences(pairs: list[ColumnDifference], n: int) -> list[ColumnDifference]:
    def measure(pair: ColumnDifference) -> float:
        return -1.0 if math.isnan(pair.difference) else -abs(pair.difference)

    return sorted(pairs, key=measure)[:n]


def _sample(X: Any) -> NDArray[np.intp]:
    """Return positions of evenly spaced rows, at most `_N_SAMPLE`."""
    return np.unique(np.linspace(0, n_rows(X) - 1, _N_SAMPLE).astype(np.intp))


def _get_column(X: Any, column: int, name: Any) -> NDArray[Any]:
    return np.asarray(X.iloc[:, column] if hasattr(X, "iloc") else X[name])


def _make_array(X: Any) -> NDArray[Any]:
    if sparse.issparse(X):
        return X.toarray()
    return np.asarray(tensor_to_array(X))
