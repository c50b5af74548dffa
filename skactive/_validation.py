"""Checks of user input and of the output of strategies, each in one place."""

from __future__ import annotations

import reprlib
import warnings
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import column_or_1d

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import to_numbers
from skactive._utils.labels import (
    find_missing,
    find_missing_rows,
    is_structured,
    list_names,
    read_labels,
)
from skactive._utils.row_checks import check_has_positions, check_rows, check_same_features
from skactive._utils.rows import n_rows
from skactive._utils.tags import find_estimator_type, takes_missing_labels, takes_vector
from skactive.exceptions import PoolExhaustedError, SelectionError, SkactiveWarning
from skactive.strategies import Strategy

__all__ = [
    "check_batch_size",
    "check_classes",
    "check_costs",
    "check_estimator_like",
    "check_labels",
    "check_rows",
    "check_same_features",
    "check_selection",
    "check_strategy",
]


def check_batch_size(batch_size: Any, n_pool: int, kind: str = "rows") -> int:
    """Check that `batch_size` is a positive integer, at most the number of rows in the pool."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, Integral):
        raise TypeError(
            f"batch_size must be an integer, got {batch_size!r} of type "
            f"{type(batch_size).__name__}."
        )
    batch_size = int(batch_size)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    if batch_size > n_pool:
        raise PoolExhaustedError(
            f"Asked for {batch_size} {kind} of a pool that has {n_pool} left: ask for at most "
            f"{n_pool}, or stop."
        )
    return batch_size


def check_costs(costs: Any, n_pool: int) -> Floats | None:
    """Check that there is a positive, finite cost for each row of the pool."""
    if costs is None:
        return None
    array = to_numbers("costs", costs).astype(np.float64)
    if array.shape != (n_pool,) or not (np.isfinite(array) & (array > 0)).all():
        got = f"shape {array.shape}" if array.shape != (n_pool,) else f"{array.min()} among them"
        raise ValueError(
            f"costs must be {n_pool} positive, finite numbers, one per row of the pool; got {got}."
        )
    return array


def check_selection(positions: Any, batch_size: int, n_pool: int, strategy: Any) -> Positions:
    """Check that a strategy returned `batch_size` distinct positions in the pool."""
    name = type(strategy).__name__
    answer = np.asarray(positions)
    if answer.ndim != 1 or len(answer) != batch_size:
        raise SelectionError(
            f"{name}.select must return {batch_size} positions in one dimension, got shape "
            f"{answer.shape}."
        )
    if answer.dtype.kind not in "iu":
        raise SelectionError(f"{name}.select must return integers, got {answer.dtype}.")
    if answer.min() < 0 or answer.max() >= n_pool:
        raise SelectionError(
            f"{name}.select must return positions in 0 .. {n_pool - 1}, got {answer.min()} .. "
            f"{answer.max()}."
        )
    if len(np.unique(answer)) != batch_size:
        raise SelectionError(f"{name}.select returned some positions twice: {answer}.")
    return answer.astype(np.intp)


def _check_no_class(name: str, value: Any) -> None:
    if isinstance(value, type):
        raise TypeError(
            f"{name} must be an object, got the class {value.__name__}: write {value.__name__}()."
        )


def check_estimator_like(estimator: Any) -> None:
    """Check that the model is an object with ``fit``."""
    _check_no_class("estimator", estimator)
    if not callable(getattr(estimator, "fit", None)):
        raise TypeError(
            "estimator must be a model with fit, such as LogisticRegression(), got "
            f"{estimator!r} of type {type(estimator).__name__}."
        )


def check_positions(positions: Any, n_pool: int) -> Positions:
    """Return positions of rows of the pool as an array, after checking them."""
    array = np.atleast_1d(np.asarray(positions))
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, dtype=np.intp)
    is_integer = array.ndim == 1 and array.dtype.kind in "iu"
    if not is_integer or array.min() < 0 or array.max() >= n_pool:
        is_mask = array.dtype.kind == "b" and array.shape == (n_pool,)
        advice = "numpy.flatnonzero(mask)" if is_mask else "what query returned for this pool"
        raise ValueError(
            f"positions must be integers from 0 to {n_pool - 1}, the rows of the pool; got "
            f"{reprlib.repr(positions)}. Pass {advice}."
        )
    return array.astype(np.intp, copy=False)


def check_strategy(strategy: Any) -> None:
    """Check the interface and the hyper-parameters of a strategy, and of its nested strategies."""
    _check_no_class("strategy", strategy)
    if not callable(getattr(strategy, "select", None)):
        raise TypeError(
            f"strategy must be a skactive Strategy (an object with select(pool, batch_size)), got "
            f"{strategy!r}."
        )
    if isinstance(strategy, Strategy):
        strategy._validate_params()  # scikit-learn's, from _parameter_constraints
        for part in strategy.parts():
            check_strategy(part)


def check_classes(classes: Any, y: Any) -> NDArray[Any] | None:
    """Check that the declared classes include every label in `y`; return them sorted."""
    if classes is None:
        return None
    declared = np.unique(np.asarray(classes))
    if len(declared) != n_rows(classes):
        raise ValueError(f"classes must be distinct, got {classes!r}.")
    if y is None or is_structured(y) or np.ndim(y) > 2:  # a map may mark what is ignored
        return declared
    labels = np.asarray(y).ravel()
    undeclared = np.setdiff1d(labels[~find_missing(labels)], declared)
    if len(undeclared):
        raise ValueError(
            f"y has labels that classes= does not declare: {undeclared.tolist()}; declared are "
            f"{declared.tolist()}."
        )
    return declared


def check_labels(
    y: Any, model: Any, *, classes: Any = None, known: Any = None, joins: bool = False
) -> Any:
    """Check labels, and return a column of them as a vector unless they are numbers to predict.

    Parameters
    ----------
    y : array-like of shape (n_rows,), (n_rows, 1) or (n_rows, ...), list, or None
        The labels.
    model : estimator
        The model that learns from them.
    classes : array-like, default=None
        The declared classes.
    known : ndarray, default=None
        The labels so far.
    joins : bool, default=False
        Whether the labels are to join these.

    Returns
    -------
    ndarray or None
        The labels; an object vector of the rows if they are structured.

    Raises
    ------
    ValueError
        If a label is missing, or if numbers and texts, or rows of several kinds, are mixed.
    """
    if y is None:
        return None
    _check_one_per_row(y)
    # What joins structured labels is structured, even if each row has one value by chance.
    labels = read_labels(y, None if joins and is_structured(known) else model)
    if labels.ndim == 2 and takes_missing_labels(model):
        return labels
    is_number = find_estimator_type(model) == "regressor"
    _check_none_missing(labels, is_number)
    if is_structured(labels):
        _check_names_declared(labels, classes)
        return labels
    if is_number:
        return labels
    _check_sortable(labels)
    if labels.ndim == 2 and labels.shape[1] == 1 and takes_vector(model):
        labels = column_or_1d(labels, warn=True)
    if labels.dtype.kind in "if" and labels.ndim < 3 and classes is None:
        _warn_about_minus_one(labels, known)
    return labels


def _check_one_per_row(y: Any) -> None:
    if isinstance(y, list | tuple) or sp.issparse(y) or np.asarray(y).ndim:
        return
    check_has_positions(y)
    label = np.asarray(y).item()
    raise ValueError(
        f"y must be one label per row, got the single label {label!r}: pass X[[i]] and "
        f"[{label!r}], or [X[i]] and [{label!r}] if X is a list."
    )


def _check_names_declared(labels: NDArray[Any], classes: Any) -> None:
    """Check that the names in structured labels are declared; numbers may mark what is ignored."""
    if classes is None:
        return
    undeclared = sorted(list_names(labels) - set(np.asarray(classes).tolist()))
    if undeclared:
        raise ValueError(
            f"y has labels that classes= does not declare: {undeclared}; declared are "
            f"{np.asarray(classes).tolist()}."
        )


def _check_none_missing(labels: NDArray[Any], is_number: bool) -> None:
    is_by_row = is_structured(labels) or labels.ndim > 2
    is_unknown = find_missing_rows(labels) if is_by_row else find_missing(labels)
    if not is_unknown.any():
        return
    if labels.ndim == 2 and labels.shape[1] > 1:
        other = (
            "; or learn from all of them with skactive.multilabel.MissingLabelsClassifier, which "
            "takes unknown labels of two classes"
        )
        raise ValueError(
            f"{int(is_unknown.sum())} of {labels.size} labels are missing. Keep the rows of which "
            "all labels are known, known = ~pandas.isna(y).any(axis=1), then X[known] and "
            f"y[known]{'' if is_number else other}."
        )
    first = labels.ravel()[[int(is_unknown.argmax())]].tolist()[0] if labels.ndim < 3 else np.nan
    advice = "with a mask: known = ~pandas.isna(y), then X[known] and y[known]."
    if is_by_row:
        known = "not numpy.isnan(y[i]).all()"
        if is_structured(labels):
            are_none = all(label is None for label in labels[is_unknown])
            known = "y[i] is not None" if are_none else "hasattr(y[i], '__len__')"
        advice = (
            f"by their positions: known = [i for i in range(len(y)) if {known}], then the rows "
            "and labels at these."
        )
    raise ValueError(
        f"{int(is_unknown.sum())} of {len(labels)} labels are missing (the first: {first!r}). "
        "y holds the labels of labeled rows only; rows without a label are the pool that query "
        f"chooses from. Keep the labeled ones {advice}"
    )


def _check_sortable(labels: NDArray[Any]) -> None:
    if labels.dtype.kind != "O":
        return
    try:
        np.unique(labels)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels.ravel()})
        raise ValueError(
            f"Labels must be numbers or texts, got objects of type {', '.join(kinds)}, which have "
            "no order: pass their names, or their positions in a list of the classes; for several "
            "labels per row, a list of lists, arrays or dicts."
        ) from error


def _warn_about_minus_one(labels: NDArray[Any], known: Any) -> None:
    """Warn, when -1 first appears, that it is a class here and no mark of unlabeled rows."""
    if not (labels == -1).any() or (known is not None and (np.asarray(known) == -1).any()):
        return
    others = labels[labels != -1]
    is_count = (others >= 0) & (others == np.floor(others))
    # -1 and 1 are the usual names of two classes.
    if len(others) and is_count.all() and set(others.tolist()) != {1}:
        warnings.warn(
            f"{int((labels == -1).sum())} of {len(labels)} labels are -1, which is learnt as a "
            "class like any other. If it marks rows without a label, keep the labeled rows only: "
            "X[y != -1] and y[y != -1]. If it is a class, declare it by classes=.",
            SkactiveWarning,
            stacklevel=4,
        )
