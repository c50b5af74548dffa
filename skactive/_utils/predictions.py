"""Predictions as one label, or one number, per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.tags import is_classifier

__all__ = ["flatten_labels", "flatten_numbers"]


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
