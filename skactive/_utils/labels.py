"""Labels of any kind: what `y` may be, and how its rows are read, taken, joined and compared.

An array, a frame, a series or a sparse matrix is what its shape says: one label per row, (n_rows,),
or an array per row, (n_rows, ...): an indicator matrix, several numbers, maps of one shape. A list
whose rows are lists, tuples, sets, arrays or dicts (tags per token, boxes, maps of any shapes) is
*structured*: its rows are kept as they are, and the model is given a list of them.

There is one exception, for lists of plain values that scikit-learn's models take as a matrix: rows
of equal length become a matrix if the model's tags say that it takes several outputs or labels per
row, and rows of one value each become one label per row if the model is a classifier or regressor
that takes single outputs.

Structured labels are an object vector, (n_rows,), whose elements are the rows of the user: taking
and joining them copies no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from numbers import Number, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.fingerprint import describe_rows, digest, hash_rows
from skactive._utils.matrices import tensor_to_array
from skactive._utils.rows import n_rows, take_rows, type_name
from skactive._utils.tags import find_estimator_type, read_tags
from skactive._utils.values import is_missing

__all__ = [
    "check_unmasked",
    "copy_labels",
    "describe_labels",
    "equal_rows",
    "find_missing",
    "find_missing_rows",
    "has_one_label",
    "holds_floats",
    "is_structured",
    "join_labels",
    "list_names",
    "read_labels",
    "row_errors",
    "take_labels",
    "to_model_labels",
]


# What y is ----------------------------------------------------------------------------------------


def is_structured(y: Any) -> bool:
    """Return whether labels have a list, array, set or dict per row, which is kept as it is."""
    if isinstance(y, np.ndarray):
        if y.dtype != object or y.ndim != 1:
            return False
    elif not isinstance(y, list | tuple):
        return False
    # Missing labels say nothing; all others are of one kind.
    return _is_container(next((row for row in y if not is_missing(row)), None))


def has_one_label(y: Any) -> bool:
    """Return whether labels that were read are one per row: a class, a number or a text."""
    return y is not None and np.ndim(y) == 1 and not is_structured(y)


def read_labels(y: Any, model: Any = None) -> NDArray[Any]:
    """Return labels as an array; structured ones as an object vector of their rows.

    Parameters
    ----------
    y : array-like, frame, sparse matrix or list
        The labels.
    model : estimator, default=None
        The model that learns from them: its tags say whether it takes lists of plain values as a
        matrix. None: no list of lists is one.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, ...)

    Raises
    ------
    ValueError
        If labels are masked, texts and numbers are mixed, or rows are of several kinds.
    """
    y = _to_dense(y)
    if not isinstance(y, list | tuple):
        y = np.asarray(y)
        is_column = y.dtype == object and y.ndim == 2 and y.shape[1] == 1
        y = y.ravel() if is_column and is_structured(y.ravel()) else y
    if isinstance(y, np.ndarray) and (y.dtype != object or y.ndim != 1):
        return _unify_types(y)
    if not any(map(_is_container, y)):
        return _unify_types(_list_to_array(y))
    if _are_plain_lists(y) and _takes_matrix(model, {len(row) for row in y}):
        return _unify_types(_list_to_array([list(row) for row in y]))
    _check_same_kind(map(_name_kind, y))
    return np.fromiter(y, dtype=object, count=len(y))


def check_unmasked(y: Any) -> Any:
    """Return labels unchanged; masked ones are missing, which is an error."""
    if np.ma.isMaskedArray(y) and np.ma.is_masked(y):  # arrays of pandas have masks, too
        n_masked = int(np.ma.getmaskarray(y).sum())
        raise ValueError(
            f"{n_masked} of {len(y)} labels are masked, so they are missing. Keep the "
            "others: known = ~numpy.ma.getmaskarray(y), then X[known] and y[known]."
        )
    return y


def _to_dense(y: Any) -> Any:
    """Return labels of a sparse matrix as an array, since few models take others."""
    return y.toarray() if sp.issparse(y) else check_unmasked(y)


def _is_container(row: Any) -> bool:
    """Return whether a row has labels of its own; a text has not."""
    return isinstance(row, list | tuple | Set | Mapping) or bool(getattr(row, "shape", ()))


def _are_plain_lists(rows: Any) -> bool:
    """Return whether all rows are lists, tuples or vectors of numbers and texts, or of missing."""

    def is_plain(row: Any) -> bool:
        if isinstance(row, list | tuple):
            return all(isinstance(value, str | Number) or is_missing(value) for value in row)
        return isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype != object

    return all(map(is_plain, rows))


def _takes_matrix(model: Any, lengths: set[int]) -> bool:
    """Return whether a model takes rows of these lengths as the rows of a matrix."""
    if len(lengths) != 1 or 0 in lengths:
        return False
    if find_estimator_type(model) not in {"classifier", "regressor"}:
        return False
    tags = read_tags(model)
    takes_one = tags is None or tags.target_tags.single_output
    return (lengths == {1} and takes_one) or _takes_several(model)


def _takes_several(model: Any) -> bool:
    """Return whether a model takes several outputs per row, by its tags or those in a search."""
    tags = read_tags(model)
    if tags is None:
        return False
    classifies_several = tags.classifier_tags is not None and tags.classifier_tags.multi_label
    if tags.target_tags.multi_output or classifies_several:
        return True
    inner = getattr(model, "estimator", None)  # searches do not pass on that tag of regressors
    return inner is not None and _takes_several(inner)


def _list_to_array(y: Any) -> NDArray[Any]:
    """Return a list as an array; numbers and texts in it are not made all texts."""
    labels = np.asarray(y)
    if labels.dtype.kind == "U" and not all(isinstance(v, str) for v in _iter_values(y)):
        labels = np.array(y, dtype=object)
    return labels


def _iter_values(y: Any) -> Iterable[Any]:
    """Yield the values of a list, or of a list of lists."""
    for row in y:
        yield from row if isinstance(row, list | tuple | np.ndarray) else (row,)


def _unify_types(labels: NDArray[Any]) -> NDArray[Any]:
    """Return objects that are all numbers as numbers; mixed with texts they are an error."""
    if labels.dtype != object:
        return labels
    types = {
        "text" if isinstance(label, str) else "number"
        for label in labels.ravel()
        if isinstance(label, str | Real) and not is_missing(label)
    }
    if len(types) > 1:
        raise ValueError(
            "y mixes texts and numbers, which would split classes: pass labels of one type."
        )
    if types == {"number"}:  # as in a column of a mixed frame: scikit-learn refuses objects
        numbers = np.array(labels.ravel().tolist()).reshape(labels.shape)
        return numbers if numbers.dtype.kind in "biuf" else labels
    return labels


def _name_kind(row: Any) -> str | None:
    """Name the kind of a row of structured labels; None if it is missing or an empty list."""
    if is_missing(row) or (isinstance(row, list | tuple) and not row):
        return None
    kinds = {"dict": Mapping, "set": Set, "list": list | tuple}
    kind = next((name for name, types in kinds.items() if isinstance(row, types)), "array")
    return kind if _is_container(row) else "single label"


def _check_same_kind(kinds: Iterable[str | None]) -> None:
    """Check that rows of structured labels are of one kind; empty lists go with any."""
    names = sorted({kind for kind in kinds if kind is not None})
    if len(names) > 1:
        raise ValueError(
            f"The labels of some rows are of the kind {names[0]!r}, of others {names[1]!r}: pass "
            "all in one kind, lists of tags, say, or arrays."
        )


# Missing labels -----------------------------------------------------------------------------------


def find_missing(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Find the labels, one after the other, that are None, NaN, NaT or NA."""
    labels = labels.ravel()
    if labels.dtype.kind == "O":
        return np.array([is_missing(label) for label in labels], dtype=bool)
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    return np.isnan(labels) if labels.dtype.kind in "fc" else np.zeros(len(labels), dtype=bool)


def find_missing_rows(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Find the rows without a label, (n_rows,): any of their values is missing, or all of a map."""
    if not len(labels) or not labels.size:
        return np.zeros(len(labels), dtype=bool)
    is_unknown = find_missing(labels).reshape(len(labels), -1)
    is_all = labels.ndim > 2
    return np.asarray(is_unknown.all(axis=1) if is_all else is_unknown.any(axis=1))


# Rows of labels -----------------------------------------------------------------------------------


def take_labels(y: Any, rows: Any) -> Any:
    """Take the labels of some rows, in the kind of `y`; those of a sparse matrix as an array."""
    return _to_dense(take_rows(y, rows))


def copy_labels(y: Any) -> Any:
    """Copy labels that were read; the rows of structured ones are the user's own objects."""
    return None if y is None else np.array(y)


def to_model_labels(y: Any) -> Any:
    """Return labels as a model takes them: structured ones as a list of their rows."""
    return list(y) if is_structured(y) else y


def join_labels(first: Any, second: Any) -> NDArray[Any]:
    """Concatenate labels that were read, of one kind.

    Raises
    ------
    ValueError
        If they are of several kinds, or have other numbers of values per row.
    """
    first, second = np.asarray(first), np.asarray(second)
    if not len(first) and first.ndim == 1:
        return second
    if is_structured(first) or is_structured(second):
        return _join_structured(first, second)
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
    _check_same_kind(map(_name_kind, joined))
    return joined


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


def holds_floats(y: NDArray[Any]) -> bool:
    """Return whether all rows of structured labels are arrays of floating-point numbers."""
    return all(np.dtype(getattr(row, "dtype", object)).kind == "f" for row in y)


# Comparison with predictions ----------------------------------------------------------------------


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
    y, predicted = np.asarray(y), np.asarray(_to_dense(predicted))
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
    if not (_is_container(label) and _is_container(prediction)):
        return not (_is_container(label) or _is_container(prediction)) and bool(label == prediction)
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
