"""A model's own score, also of labels for which scikit-learn has none."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import type_of_target

from skactive._utils.labels import equal_rows, is_structured, read_labels, to_model_labels
from skactive._utils.rows import collect_rows

__all__ = ["score_model"]


def score_model(model: Any, X: Any, y: Any, **params: Any) -> float:
    """Return the model's own score on test rows.

    Accuracy of several labels per row, of other classes than 0 and 1, is the share of rows of which
    all labels are right, as for 0 and 1: scikit-learn refuses to count them.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : rows in any container
        Test rows.
    y : array-like of shape (n_rows,) or (n_rows, ...), or list
        Their true labels; lists are read as in a fit.
    **params : dict
        Passed to the model's ``score``.
    """
    X = collect_rows(X)
    if isinstance(y, list | tuple):
        y = to_model_labels(read_labels(y, model))
    if not _counts_rows(model, y):
        return model.score(X, y, **params)
    correct = equal_rows(y, model.predict(X))
    return float(np.average(correct, weights=params.get("sample_weight")))


def _counts_rows(model: Any, y: Any) -> bool:
    """Return whether a model's score is the accuracy, of labels for which scikit-learn has none."""
    steps = getattr(model, "steps", None)
    last = steps[-1][1] if steps else model
    if getattr(type(last), "score", None) is not ClassifierMixin.score or is_structured(y):
        return False
    return np.ndim(y) == 2 and type_of_target(y) == "multiclass-multioutput"
