"""What the last model says of a row, for people who ask."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.rows import take_rows

__all__ = ["suggestion"]


def suggestion(session: Any, position: int) -> list[tuple[Any, float | None]] | None:
    """Return the classes with their probabilities, the likeliest first.

    The model is the last that was fitted; it never waits for another. Of a model without
    probabilities it is the class predicted, without one.

    Parameters
    ----------
    session : LabelingSession
        Whose model.
    position : int
        The row.

    Returns
    -------
    list of (class, float or None), or None
        None where there is no model yet, or it knows too few of the classes.
    """
    fitted = session.latest_model
    learner = None if fitted is None else fitted[1]
    if learner is None:
        return None
    row = take_rows(session.X, [position])
    if session.multilabel:
        return _of_several(learner, row, _columns(session, fitted[0]))
    if not hasattr(learner, "predict_proba"):
        return [(_plain(learner.predict(row)[0]), None)]
    proba = np.asarray(learner.predict_proba(row))[0]
    return _sorted([_plain(each) for each in learner.classes_], proba)


def _of_several(
    learner: Any, row: Any, columns: list[Any]
) -> list[tuple[Any, float | None]] | None:
    """Return the share of each class by itself, of a model with a column for each."""
    if not hasattr(learner, "predict_proba"):
        predicted = np.asarray(learner.predict(row))[0]
        if len(predicted) != len(columns):
            return None
        return [(label, None) for label, on in zip(columns, predicted, strict=True) if on]
    proba = learner.predict_proba(row)
    if isinstance(proba, list):  # forests: for each class, the probabilities of 0 and 1
        proba = [[_of_one(learner, column, each[0]) for column, each in enumerate(proba)]]
    shares = np.asarray(proba)[0]
    return None if len(shares) != len(columns) else _sorted(columns, shares)


def _of_one(learner: Any, column: int, proba: Any) -> float:
    """Return the probability of 1, of a column that may have known only 0 or only 1."""
    known = list(learner.classes_[column])
    return float(proba[known.index(1)]) if 1 in known else 0.0


def _columns(session: Any, labels: dict[Any, Any]) -> list[Any]:
    given = {each for label in labels.values() for each in label}
    return sorted(given | set(session.classes))


def _sorted(classes: list[Any], shares: Any) -> list[tuple[Any, float | None]]:
    order = np.argsort(-np.asarray(shares), kind="stable")
    return [(classes[i], float(shares[i])) for i in order]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
