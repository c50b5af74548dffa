"""Suggestions of the latest model, for annotators who ask for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.predictions import flatten_numbers
from skactive._utils.rows import take_rows
from skactive.adapters import adapt
from skactive.labeling._messages import describe_prediction
from skactive.labeling._validation import to_builtin
from skactive.labeling.page._protocol import to_json

__all__ = [
    "get_positive_proba",
    "list_multilabel_classes",
    "make_suggestion",
    "suggest_classes",
    "suggest_number",
]


def make_suggestion(session: Any, position: int) -> list[list[Any]] | str | None:
    """Return the suggestion for a row as a JSON value: classes and probabilities, or a sentence."""
    if session.labels_are_numbers:
        predicted = suggest_number(session, position)
        return None if predicted is None else describe_prediction(*predicted)
    suggestion = suggest_classes(session, position)
    return None if suggestion is None else [[to_json(label), proba] for label, proba in suggestion]


def suggest_classes(session: Any, position: int) -> list[tuple[Any, float | None]] | None:
    """Return the classes with their probabilities under the latest model, most probable first.

    It never waits for a model that is being fitted. A model without probabilities suggests the
    classes that it predicts, without probabilities.

    Parameters
    ----------
    session : LabelingSession
        The session with the model.
    position : int
        The position of the row in the pool.

    Returns
    -------
    list of (class, float or None), or None
        None if there is no model yet, or if it does not know all classes of a multilabel session.
    """
    fitted = session.latest_model
    learner = None if fitted is None else fitted[1]
    if learner is None:
        return None
    row = take_rows(session.X, [position])
    if session.multilabel:
        return _suggest_multilabel(learner, row, list_multilabel_classes(session, fitted[0]))
    if not (session.is_classifier and hasattr(learner, "predict_proba")):
        return [(to_builtin(learner.predict(row)[0]), None)]
    proba = np.asarray(learner.predict_proba(row))[0]
    return _sort_by_proba([to_builtin(label) for label in learner.classes_], proba)


def suggest_number(session: Any, position: int) -> tuple[float, float | None] | None:
    """Return the prediction of the latest model for a row, and its standard deviation.

    It never waits for a model that is being fitted.

    Parameters
    ----------
    session : LabelingSession
        The session with the model, a regressor.
    position : int
        The position of the row in the pool.

    Returns
    -------
    (float, float or None) or None
        None if there is no model yet; no deviation if the model has none.
    """
    fitted = session.latest_model
    if fitted is None or fitted[1] is None:
        return None
    learner, row = fitted[1], take_rows(session.X, [position])
    number = float(flatten_numbers(learner.predict(row))[0])
    adapter = adapt(learner.estimator_)
    if not adapter.provides("std"):
        return number, None
    return number, float(flatten_numbers(adapter.std(adapter.prepare(row), session.seed))[0])


def _suggest_multilabel(
    learner: Any, row: Any, classes: list[Any]
) -> list[tuple[Any, float | None]] | None:
    """Suggest from a multilabel model, which has one column per class."""
    if not hasattr(learner, "predict_proba"):
        predicted = np.asarray(learner.predict(row))[0]
        if len(predicted) != len(classes):
            return None
        return [(label, None) for label, on in zip(classes, predicted, strict=True) if on]
    proba = learner.predict_proba(row)
    if isinstance(proba, list):  # forests: one array (n_rows, 2) per class
        proba = [[get_positive_proba(learner, i, binary[0]) for i, binary in enumerate(proba)]]
    proba = np.asarray(proba)[0]
    return None if len(proba) != len(classes) else _sort_by_proba(classes, proba)


def get_positive_proba(learner: Any, column: int, proba: Any) -> float:
    """Return the probability of 1 in a column that may have been fitted on only 0 or only 1."""
    classes = list(learner.classes_[column])
    return float(proba[classes.index(1)]) if 1 in classes else 0.0


def list_multilabel_classes(session: Any, labels: dict[Any, Any]) -> list[Any]:
    used = {label for row_labels in labels.values() for label in row_labels}
    return sorted(used | set(session.classes))


def _sort_by_proba(classes: list[Any], proba: Any) -> list[tuple[Any, float | None]]:
    order = np.argsort(-np.asarray(proba), kind="stable")
    return [(classes[i], float(proba[i])) for i in order]
