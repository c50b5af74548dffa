"""Checks of probabilities, and their columns: one per class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.adapters import ModelAdapter
from skactive.exceptions import InvalidReadingError
from skactive.scores import SUM_TOLERANCE

__all__ = ["check_proba", "widen_proba"]


def check_proba(proba: Any, adapter: ModelAdapter, n_dims: int) -> Floats:
    """Check that a reading is probabilities, (..., n_rows, n_columns), of `n_dims` dimensions."""
    name = type(adapter.model).__name__
    if isinstance(proba, list):
        raise InvalidReadingError(
            f"{name} predicts several outputs per row; this reading is for one label per row."
        )
    proba = np.asarray(proba)
    if proba.ndim != n_dims:
        raise InvalidReadingError(
            f"{name} gives probabilities of shape {proba.shape}; expected {n_dims} dimensions."
        )
    # One comparison also finds NaN and infinity: they make a sum that is not near 1.
    # A product with ones sums short rows several times as fast as `sum` does.
    near_one = np.abs(proba @ np.ones(proba.shape[-1], proba.dtype) - 1.0) <= SUM_TOLERANCE
    if not near_one.all() or (proba.size and proba.min() < 0.0):
        rows = proba.reshape(-1, proba.shape[-1])
        bad = rows[~near_one.ravel() | (rows < 0.0).any(axis=1)]
        raise InvalidReadingError(
            f"{name} gives {len(bad)} rows of probability that are negative, not finite or do "
            f"not sum to 1; the first: {bad[0]}. A net needs a criterion that ends in "
            "probabilities: criterion=torch.nn.CrossEntropyLoss with a module that returns "
            "logits, or a module that ends in softmax."
        )
    return proba


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
        raise InvalidReadingError(
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
