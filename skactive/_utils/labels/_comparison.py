"""Labels and their predictions: rows that are all right, and errors of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.labels._reading import is_container, is_structured, to_dense
from skactive._utils.rows import n_rows

__all__ = ["equal_rows", "holds_floats", "row_errors"]


def holds_floats(y: NDArray[Any]) -> bool:
    """Return whether labels that were read hold floating-point numbers, and nothing else."""
    if not is_structured(y):
        return y.dtype.kind == "f"
    return {kind for row in y for kind in _list_kinds(row)} == {"f"}


def _list_kinds(row: Any) -> set[str]:
    """List the kinds of the values of a row, as NumPy calls them; "O" stands for all but floats."""
    if isinstance(row, list | tuple):
        return {"f" if isinstance(value, float) else "O" for value in row}
    return {np.asarray(row).dtype.kind}


def equal_rows(y: Any, predicted: Any) -> NDArray[np.bool_]:
    """Return whether all of each row of labels is predicted, (n_rows,).

    Parameters
    ----------
    y : ndarray or list
        Labels that were read.
    predicted : array-like or list
        Predictions; those of structured labels are compared row by row.
    """
    if is_structured(y) or is_structured(predicted):
        return _map_rows(_are_equal, y, predicted, dtype=bool)
    y, predicted = np.asarray(y), np.asarray(to_dense(predicted))
    _check_same_size(y, predicted)
    correct = predicted == y.reshape(predicted.shape)  # labels may come as a column
    return np.asarray(correct.reshape(len(y), -1).all(axis=1))


def row_errors(y: Any, predicted: Any, *, power: int = 2) -> Floats:
    """Return the mean absolute or squared error of each row of numbers, (n_rows,).

    Parameters
    ----------
    y : ndarray or list
        Labels that were read.
    predicted : array-like or list
        Predictions, of the shape of the labels row by row.
    power : int, default=2
        The power of the absolute differences: 1 or 2.

    Raises
    ------
    ValueError
        If a prediction has another shape than its label.
    """
    if is_structured(y) or is_structured(predicted):
        return _map_rows(lambda a, b: _mean_error(a, b, power), y, predicted, dtype=np.float64)
    y, predicted = np.asarray(y), np.asarray(predicted)
    _check_same_size(y, predicted)
    errors = np.abs(predicted - y.reshape(predicted.shape)) ** power
    return np.asarray(errors.reshape(len(y), -1).mean(axis=1), dtype=np.float64)


def _map_rows(
    function: Callable[[Any, Any], Any], y: Any, predicted: Any, *, dtype: type
) -> NDArray[Any]:
    """Return `function` of each label and its prediction, (n_rows,)."""
    if len(y) != n_rows(predicted):
        raise ValueError(f"Got {n_rows(predicted)} predictions for {len(y)} labeled rows.")
    pairs = zip(y, predicted, strict=True)
    return np.fromiter((function(*pair) for pair in pairs), dtype=dtype, count=len(y))


def _check_same_size(y: NDArray[Any], predicted: NDArray[Any]) -> None:
    if y.size != predicted.size:
        raise ValueError(f"Got predictions of shape {predicted.shape} for labels of {y.shape}.")


def _are_equal(label: Any, prediction: Any) -> bool:
    """Return whether two rows are equal in all of their parts."""
    if isinstance(label, Mapping) and isinstance(prediction, Mapping):
        return label.keys() == prediction.keys() and all(
            _are_equal(value, prediction[key]) for key, value in label.items()
        )
    if isinstance(label, Set | Mapping) or isinstance(prediction, Set | Mapping):
        return bool(label == prediction)
    if not (is_container(label) and is_container(prediction)):
        return not (is_container(label) or is_container(prediction)) and bool(label == prediction)
    if hasattr(label, "shape") and hasattr(prediction, "shape"):
        return np.array_equal(np.asarray(label), np.asarray(prediction))
    return len(label) == len(prediction) and all(map(_are_equal, label, prediction))


def _mean_error(label: Any, prediction: Any, power: int) -> float:
    """Return the mean error of the numbers in a row; 0 if it has none."""
    label, prediction = np.asarray(label, dtype=float), np.asarray(prediction, dtype=float)
    if label.shape != prediction.shape:
        raise ValueError(
            f"A prediction has shape {prediction.shape}, its label {label.shape}: errors need a "
            "number for each number."
        )
    return float(np.mean(np.abs(prediction - label) ** power)) if label.size else 0.0
