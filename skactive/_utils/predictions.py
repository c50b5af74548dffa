"""Predictions as one label, or one number, per row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.rows import are_stored, collect_rows, iter_blocks, n_rows
from skactive._utils.tags import is_classifier

__all__ = ["call_in_blocks", "flatten_labels", "flatten_numbers"]


def call_in_blocks(method: Callable[..., Any], X: Any, params: dict[str, Any]) -> Any:
    """Call a method of a model with rows, block by block if they are not in memory.

    Only arrays are put together: what else a model returns, or is passed with the rows, may not
    have one entry per row, so that all rows are read at once.
    """
    if not are_stored(X):
        return method(X, **params)
    if not params and n_rows(X):
        blocks = iter_blocks(X)
        first = method(next(blocks))
        if isinstance(first, np.ndarray):
            return np.concatenate([first, *map(method, blocks)])
    return method(collect_rows(X), **params)


def flatten_labels(predicted: Any, model: Any) -> Any:
    """Return labels that come as a column, (n_rows, 1), as one per row, (n_rows,).

    So predicts CatBoost where there are several classes. Predictions of regressors, and of several
    outputs, are returned as they are.
    """
    classes = getattr(model, "classes_", None)
    has_column = getattr(predicted, "ndim", 1) == 2 and predicted.shape[1] == 1
    if not has_column or isinstance(classes, list) or not is_classifier(model):
        return predicted
    # A single class means that the column says whether a row belongs to it.
    n_classes = 0 if classes is None else len(np.ravel(classes))
    return predicted if n_classes < 2 else predicted.reshape(-1)


def flatten_numbers(predicted: Any) -> NDArray[Any]:
    """Return numbers of one output that come as a column, (n_rows, 1), with shape (n_rows,).

    So predict nets, and models that are fitted to a column of targets.
    """
    numbers = np.asarray(predicted)
    return numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers
