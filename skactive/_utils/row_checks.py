"""Checks of rows that users pass: whether they are rows at all, how many, and of what features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from numbers import Number
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import indexable

from skactive._utils.inputs import (
    InputList,
    find_input_list,
    has_several_inputs,
    is_ambiguous,
    list_inputs,
    map_inputs,
)
from skactive._utils.rows import column_names, n_rows, row_shape, sample_row, type_name
from skactive._utils.stored_rows import StoredRows, open_rows

__all__ = ["check_has_positions", "check_rows", "check_same_features"]


def check_rows(X: Any, y: Any = None, *, like: Any = None, name: str = "X") -> tuple[Any, Any]:
    """Check that X holds rows, as many as y has labels; sparse matrices are converted to CSR.

    `like`, rows that were checked before, or else the number of labels, decide whether a list holds
    rows or the inputs of a model. The rows are called `name` in errors.
    """
    X = open_rows(find_input_list(X, n_rows(y) if hasattr(y, "__len__") else None, like))
    X = _check_container(X, name)
    if y is not None:
        return X, _check_lengths(X, y, name)
    if like is None and is_ambiguous(X):
        raise ValueError(
            f"{name} is a list of {len(X)} arrays of {n_rows(X[0])} rows each: these may be the "
            f"inputs of one model or {len(X)} rows. Pass inputs in a dict of arrays, with the "
            f"names that the model gives them, and rows in one array, numpy.stack({name})."
        )
    return X, None


def _check_container(X: Any, name: str) -> Any:
    """Check that `X` holds rows; sparse matrices become CSR, several inputs have equal lengths."""
    if isinstance(open_rows(X), StoredRows):
        return X
    _refuse_others(X, name)
    if not has_several_inputs(X):
        return _make_indexable(X, name)
    inputs = list_inputs(X)
    if not inputs:
        raise ValueError(f"{name} has no inputs: pass one container of rows per input, got {X!r}.")
    for key, values in inputs:
        if values is None or _is_single_value(values):
            raise ValueError(
                f"Input {key!r} of {name} is {values!r}, not rows: pass one container of rows per "
                f"input, or a list of records, [{name}], if this is one row."
            )
        _check_container(values, f"{name}[{key!r}]")
    lengths = {key: n_rows(values) for key, values in inputs}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"The inputs in {name} must have equally many rows, got "
            f"{', '.join(f'{length} in {key!r}' for key, length in lengths.items())}."
        )
    is_sparse = any(sp.issparse(values) for _, values in inputs)
    return map_inputs(lambda values: _check_container(values, name), X) if is_sparse else X


def _make_indexable(X: Any, name: str) -> Any:
    """Return `X` as scikit-learn indexes it: sparse matrices as CSR."""
    try:
        X = indexable(X)[0]
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} is no container of rows, but a {type_name(X)}: pass an array, a frame, a "
            f"sparse matrix, a list or a tensor ({error})."
        ) from error
    if sp.issparse(X) and X.ndim != 2:
        raise ValueError(f"{name} is sparse with {X.ndim} dimension: pass {name}.reshape(1, -1).")
    return X


def _is_single_value(X: Any) -> bool:
    return isinstance(X, str | bytes | Number | np.generic) or getattr(X, "shape", None) == ()


def _refuse_others(X: Any, name: str) -> None:
    """Refuse what is no container of rows, with what to pass instead."""
    kind = type_name(X).removeprefix("builtins.")
    if X is None:
        raise TypeError(f"{name} must be rows, got None.")
    if isinstance(X, str | bytes):
        raise TypeError(f"{name} is a single text, {X[:20]!r}: pass a list of texts, [{name}].")
    if isinstance(X, set | frozenset):
        raise TypeError(f"{name} is a {kind}, whose rows have no order: pass sorted({name}).")
    if _is_single_value(X):
        raise TypeError(f"{name} is a single value, {X!r}: pass rows, of shape (n_rows, ...).")
    if hasattr(X, "__iter__") and not any(
        hasattr(X, method) for method in ("__getitem__", "__array__", "iloc", "shape")
    ):
        raise TypeError(f"{name} is a {kind}, whose rows have no positions: pass list({name}).")


def _check_lengths(X: Any, y: Any, name: str) -> Any:
    """Check that there is one label for each row; return the labels, indexable."""
    if _is_single_value(y):  # by its type alone: labels are not read before they are bought
        raise ValueError(
            f"y is a single label, {y!r}: to pass one row, pass {_advise_single_row(X, name)} and "
            "[y[i]]."
        )
    check_has_positions(y)
    y = indexable(y)[0]
    if n_rows(X) == n_rows(y):
        return y
    advice = "Pass one label for each row"
    if n_rows(y) == 1 and _has_plain_items(X):
        advice = f"To pass one row, pass {_advise_single_row(X, name)}"
    elif isinstance(X, list | tuple) and not isinstance(X, InputList) and _are_containers(X):
        advice += (
            "; if the list holds the inputs of a model, pass a dict of arrays that are equally long"
        )
    raise ValueError(
        f"{name} and y have inconsistent numbers of samples: {[n_rows(X), n_rows(y)]}. {advice}."
    )


def check_has_positions(y: Any) -> None:
    """Check that labels are not in an iterator, a set or a dict, whose items have no positions."""
    is_read_once = isinstance(y, Iterable) and not hasattr(y, "__getitem__")
    if sp.issparse(y) or hasattr(y, "shape") or not (is_read_once or isinstance(y, Mapping)):
        return
    advice = "a list of labels" if isinstance(y, Set | Mapping) else "list(y)"
    raise ValueError(
        f"y must be one label per row in a list or array, got a {type(y).__name__}, which has no "
        f"positions: pass {advice}, in the order of the rows."
    )


def _are_containers(X: Any) -> bool:
    return all(hasattr(value, "shape") or isinstance(value, Mapping) for value in X)


def _has_plain_items(X: Any) -> bool:
    """Return whether `X` has one number or text per row, so that it may be a row itself."""
    if has_several_inputs(X):
        return any(_has_plain_items(values) for _, values in list_inputs(X))
    shape = row_shape(X)
    if shape is None:
        X = sample_row(X)
        return all(map(_is_single_value, X))
    return shape == ()


def _advise_single_row(X: Any, name: str) -> str:
    """Return the expression that takes row i in the kind of container of `X`."""
    if isinstance(X, Mapping) and has_several_inputs(X):
        return f"{{key: values[[i]] for key, values in {name}.items()}}"
    if isinstance(X, InputList):
        return f"[values[[i]] for values in {name}]"
    if isinstance(X, str | bytes | list | tuple):
        return f"[{name}[i]]"
    return f"{name}.iloc[[i]]" if hasattr(X, "iloc") else f"{name}[[i]]"


def check_same_features(expected: Any, X: Any, name: str) -> None:
    """Check that `X`, called `name` in errors, has the features of the rows `expected`."""
    if has_several_inputs(expected) or has_several_inputs(X):
        _check_same_inputs(expected, X, name)
        return
    names = column_names(expected), column_names(X)
    if None not in names and names[0] != names[1]:
        raise ValueError(
            f"{name} has the columns {names[1]}, but the labeled rows have {names[0]}: pass the "
            "same columns in the same order."
        )
    shapes = row_shape(expected), row_shape(X)
    if None not in shapes and shapes[0] != shapes[1]:
        is_single = tuple(getattr(X, "shape", ())) == shapes[0]
        advice = f"to pass one row, pass {_advise_single_row(X, name)}"
        raise ValueError(
            f"{name} has rows of shape {shapes[1]}, but the labeled rows have shape {shapes[0]}: "
            f"{advice if is_single else 'pass the same features'}."
        )


def _check_same_inputs(expected: Any, X: Any, name: str) -> None:
    """Check that `X` has the inputs of `expected`, with the same features in each."""
    if isinstance(expected, Mapping) != isinstance(X, Mapping) or not (
        has_several_inputs(expected) and has_several_inputs(X)
    ):
        raise ValueError(
            f"{name} is {_name_inputs(X)}, but the labeled rows are {_name_inputs(expected)}: pass "
            "the same kind of container, with equally many rows in each input."
        )
    keys, got = ([key for key, _ in list_inputs(rows)] for rows in (expected, X))
    if set(keys) != set(got):
        raise ValueError(
            f"{name} has the inputs {got}, but the labeled rows have {keys}: pass the same inputs."
        )
    for key in keys:
        check_same_features(expected[key], X[key], f"{name}[{key!r}]")


def _name_inputs(X: Any) -> str:
    """Name a container, and the number of inputs that it has."""
    kind = type_name(X).removeprefix("builtins.")
    if isinstance(X, InputList):
        return f"a list of {len(X)} inputs"
    if isinstance(X, Mapping):
        return f"a {kind} of {len(X)} inputs"
    return f"rows in a {kind}"
