"""Checks of probabilities, and their columns: one per class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.adapters import ModelAdapter
from skactive.exceptions import InvalidReadingError
from skactive.scores import SUM_TOLERANCE

__all__ = ["MissingClassesError", "check_proba", "widen_proba"]


# Rounding that is mended: values down to this count as 0 ...
_LEAST_VALUE = -1e-6
# ... and rows are divided by their sum if it is off by at most half a hundredth per class, as with
# values of two decimals, and never by more than this.
_ROUNDING_PER_CLASS, _MOST_ROUNDING = 0.005, 0.05


class MissingClassesError(InvalidReadingError):
    """More columns than classes so far: it is not known yet which class each column belongs to."""


def check_proba(proba: Any, adapter: ModelAdapter, n_dims: int, n_rows: int) -> Floats:
    """Check that a reading is probabilities, (..., n_rows, n_columns), of `n_dims` dimensions.

    Rounding errors are mended in a copy.
    """
    proba = _to_array(proba, adapter, n_dims)
    _check_shape(proba, adapter, n_dims, n_rows)
    # A product with ones sums short rows several times as fast as `sum` does.
    sums = proba @ np.ones(proba.shape[-1], proba.dtype)
    # One comparison also finds NaN and infinity: they make a sum that is not near 1.
    errors = np.abs(sums - 1.0)
    tolerance = min(_ROUNDING_PER_CLASS * proba.shape[-1], _MOST_ROUNDING)
    least = proba.min(initial=0.0)
    if not (errors <= tolerance).all() or least < _LEAST_VALUE:
        bad = ~(errors <= tolerance) | (proba < _LEAST_VALUE).any(axis=-1)
        raise InvalidReadingError(_describe_bad_rows(proba[bad], adapter))
    if least < 0.0:
        proba = np.maximum(proba, 0.0)
    if (errors > SUM_TOLERANCE).any():
        proba = proba / np.where(errors > SUM_TOLERANCE, sums, 1.0)[..., np.newaxis]
    return proba


def _to_array(proba: Any, adapter: ModelAdapter, n_dims: int) -> Floats:
    """Convert a reading to an array of floating-point numbers."""
    name = type(adapter.model).__name__
    if isinstance(proba, list) and len(proba) and np.ndim(proba[0]) >= n_dims:
        raise InvalidReadingError(
            f"{name} predicts several outputs per row; this reading is for one label per row."
        )
    try:
        array = np.asarray(proba.toarray() if hasattr(proba, "toarray") else proba)
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidReadingError(
            f"{name} gives probabilities that are no array of numbers ({error}); expected an array "
            "of shape (n_rows, n_classes)."
        ) from error


def _check_shape(proba: Floats, adapter: ModelAdapter, n_dims: int, n_rows: int) -> None:
    """Check that there is a row of probabilities for each row."""
    name, advice = type(adapter.model).__name__, ""
    if proba.ndim == n_dims and proba.shape[-2] == n_rows:
        return
    if proba.ndim != n_dims:
        if adapter.fixed_columns and adapter.element is None and proba.ndim > n_dims:
            advice = (
                ' If the net predicts each pixel or token of a row, say so, element = "pixel" or '
                '"token", in a class attribute of its module, and wrap the strategy in Aggregate.'
            )
        elif proba.shape[-1:] == (n_rows,):
            advice = " " + _advise_on_one_column(adapter)
        raise InvalidReadingError(
            f"{name} gives probabilities of shape {proba.shape}; expected {n_dims} dimensions, one "
            f"row for each of the {n_rows} rows and one column per class.{advice}"
        )
    if proba.shape[-1] == n_rows:
        advice = " They seem to be transposed: return their .T."
    raise InvalidReadingError(
        f"{name} gives {proba.shape[-2]} rows of probability for {n_rows} rows; expected one row "
        f"for each.{advice}"
    )


def _describe_bad_rows(bad: Floats, adapter: ModelAdapter) -> str:
    """Describe rows, (n_bad, n_columns), that are no probabilities, and what they seem to be."""
    return (
        f"{type(adapter.model).__name__} gives {len(bad)} rows of probability that are negative, "
        f"not finite or do not sum to 1; the first: {bad[0]}. {_advise_on_values(bad, adapter)}"
    )


def _advise_on_values(bad: Floats, adapter: ModelAdapter) -> str:
    """Return what rows that are no probabilities seem to be, and how to mend them."""
    if not np.isfinite(bad).all():
        return "NaN and infinity come from the model or from its rows: check both."
    if bad.shape[-1] == 1:
        return _advise_on_one_column(adapter)
    if adapter.fixed_columns:
        return (
            "A net needs a criterion that ends in probabilities: "
            "criterion=torch.nn.CrossEntropyLoss with a module that returns logits, or a module "
            "that ends in softmax."
        )
    if bad.min() >= 0.0 and (np.abs(bad.sum(axis=-1) - 100.0) <= 100.0 * _MOST_ROUNDING).all():
        return "They seem to be percentages: divide them by 100."
    if bad.min() < 0.0 or bad.max() > 1.0:
        return "They seem to be logits: return scipy.special.softmax(logits, axis=1)."
    return (
        "Each class seems to have a probability of its own, as for several labels per row. For one "
        "label per row they must share 1: return a softmax over the classes, or divide each row "
        "by its sum."
    )


def _advise_on_one_column(adapter: ModelAdapter) -> str:
    """Return how two classes get two columns."""
    net = ", or use skorch.NeuralNetBinaryClassifier" if adapter.fixed_columns else ""
    return (
        "It seems to have one output unit for two classes, with the probability p of the second: "
        f"give two columns, 1 - p and p (numpy.column_stack([1 - p, p])){net}."
    )


def widen_proba(
    proba: Floats, adapter: ModelAdapter, declared: NDArray[Any] | None, classes: NDArray[Any]
) -> Floats:
    """Give each of `classes` its column; zeros for classes that the model has not seen."""
    n_columns, model_classes = proba.shape[-1], adapter.classes
    unnamed = adapter.fixed_columns or model_classes is None  # no class known per column
    if n_columns == len(classes) and (unnamed or declared is None):
        return proba
    if adapter.fixed_columns or model_classes is None or n_columns != len(model_classes):
        source = "declared" if declared is not None else "among the labels so far"
        may_come = unnamed and declared is None and n_columns > len(classes)
        error_type = MissingClassesError if may_come else InvalidReadingError
        raise error_type(
            f"{type(adapter.model).__name__} gives {n_columns} columns of probability, but "
            f"{len(classes)} classes are {source}. Declare all classes, one per column, with "
            "ActiveLearner(..., classes=[...]), and give the model as many outputs."
        )
    undeclared = np.setdiff1d(model_classes, classes)
    if len(undeclared):
        raise InvalidReadingError(
            f"{type(adapter.model).__name__} knows classes that classes= does not declare: "
            f"{undeclared.tolist()}; declared are {classes.tolist()}."
        )
    wide = np.zeros((*proba.shape[:-1], len(classes)))  # (..., n_rows, n_classes)
    wide[..., np.searchsorted(classes, model_classes)] = proba
    return wide
