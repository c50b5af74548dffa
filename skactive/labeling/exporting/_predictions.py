"""Predictions for rows without a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.rows import take_rows
from skactive.labeling._validation import to_builtin
from skactive.labeling.page._suggestions import get_positive_proba, list_multilabel_classes
from skactive.labeling.state._events import Ident

__all__ = ["Predictions", "predict_rows"]

_N_DECIMALS = 6  # of probabilities


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for some rows.

    Parameters
    ----------
    ids : sequence of str or int
        Ids of the rows.
    labels : list
        Their predicted labels.
    classes : list
        The classes, one per column of `proba`.
    proba : ndarray of shape (n_rows, n_classes) or None
        Probabilities of the classes; None if the model has none.
    multilabel : bool
        Whether a label is a list of classes.
    """

    ids: Sequence[Ident]
    labels: list[Any]
    classes: list[Any]
    proba: NDArray[np.float64] | None
    multilabel: bool

    def get_labels(self) -> dict[Ident, tuple[Any, float | None]]:
        """Return the labels and their probabilities, by row; of lists of classes only the label."""
        if self.proba is None or self.multilabel:
            return {
                ident: (label, None) for ident, label in zip(self.ids, self.labels, strict=True)
            }
        columns = {label: column for column, label in enumerate(self.classes)}
        return {
            ident: (label, round(float(row[columns[label]]), _N_DECIMALS))
            for ident, label, row in zip(self.ids, self.labels, self.proba, strict=True)
        }

    def make_columns(self, items: Sequence[Ident]) -> dict[str, list[Any]]:
        """Return columns for items, empty where there is no prediction."""
        labels = self.get_labels()
        predicted = [labels.get(ident, (None, None)) for ident in items]
        columns: dict[str, list[Any]] = {"prediction": [label for label, _ in predicted]}
        if self.proba is None:
            return columns
        if not self.multilabel:
            columns["probability"] = [probability for _, probability in predicted]
        for label, values in zip(self.classes, self.proba.T.round(_N_DECIMALS), strict=True):
            by_row = dict(zip(self.ids, values.tolist(), strict=True))
            columns[f"probability_{label}"] = [by_row.get(ident) for ident in items]
        return columns


def predict_rows(session: Any, ids: Sequence[Ident]) -> Predictions:
    """Predict rows of the pool by the learner, fitted to all labels as they are now.

    Raises
    ------
    ValueError
        If the labels are too few to fit it.
    """
    fitted = session.learner
    learned, learner = session.latest_model or ({}, fitted)
    if not ids:
        return Predictions([], [], [], None, session.multilabel)
    rows = take_rows(session.X, [session.positions[ident] for ident in ids])
    predicted = np.asarray(learner.predict(rows))
    has_proba = session.is_classifier and hasattr(learner, "predict_proba")
    proba = learner.predict_proba(rows) if has_proba else None
    if session.multilabel:
        return _predict_multilabel(session, ids, learned, learner, predicted, proba)
    classes = [to_builtin(label) for label in learner.classes_] if has_proba else []
    labels = predicted.tolist()
    return Predictions(ids, labels, classes, None if proba is None else np.asarray(proba), False)


def _predict_multilabel(
    session: Any, ids: Sequence[Ident], learned: Any, learner: Any, predicted: Any, proba: Any
) -> Predictions:
    """Return lists of classes; the model has one column per class."""
    classes = list_multilabel_classes(session, learned)
    if predicted.shape[1] != len(classes):
        raise ValueError(
            f"The model predicts {predicted.shape[1]} classes, but the session has {len(classes)}: "
            "label a few more rows, and export again."
        )
    labels = [[c for c, on in zip(classes, row, strict=True) if on] for row in predicted]
    if isinstance(proba, list):  # forests: one array (n_rows, 2) per class
        columns = [
            [get_positive_proba(learner, column, row) for row in binary]
            for column, binary in enumerate(proba)
        ]
        proba = np.array(columns).T
    return Predictions(ids, labels, classes, None if proba is None else np.asarray(proba), True)
