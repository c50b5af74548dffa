"""The answers of an annotator, one entry per row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats

__all__ = ["Annotations"]


class Annotations(NamedTuple):
    """Answers to rows.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,)
        The labels; None where the annotator abstained.
    proba : ndarray of shape (n_rows, n_classes), or None
        Probabilities of the classes, if the annotator has any; NaN where it abstained.
    cost : ndarray of shape (n_rows,)
        What each answer cost.
    seconds : ndarray of shape (n_rows,)
        Time of each answer.
    abstained : ndarray of bool of shape (n_rows,)
        Where there is no label: these rows are left to people.
    sources : ndarray of int of shape (n_rows,)
        Of a router, which annotator each label is from: a position in its `annotators`, -1 for
        labels of people and rows that are left to them. Of any other annotator: zeros.
    confidences : ndarray of shape (n_rows,), or None
        Of a router, how sure the annotator is whose label was accepted; NaN where there is none,
        or where it gives no probabilities. None: `proba` says it.
    """

    labels: NDArray[Any]
    proba: Floats | None
    cost: Floats
    seconds: Floats
    abstained: NDArray[np.bool_]
    sources: NDArray[np.intp]
    confidences: Floats | None = None

    def list_confidences(self) -> Floats:
        """Return how sure the annotator is of each label.

        Returns
        -------
        ndarray of shape (n_rows,)
            The largest probability; 1 if there are none, and -inf where it abstained.
        """
        known = self.list_known_confidences()
        return np.where(self.abstained, -np.inf, np.where(np.isnan(known), 1.0, known))

    def list_known_confidences(self) -> Floats:
        """Return how sure the annotator is of each label, as far as it says.

        Returns
        -------
        ndarray of shape (n_rows,)
            The largest probability; NaN where there is none.
        """
        if self.confidences is not None:
            return self.confidences
        n = len(self.abstained)
        return np.full(n, np.nan) if self.proba is None else self.proba.max(axis=1, initial=0.0)

    def take(self, rows: NDArray[np.intp]) -> Annotations:
        """Return the answers to some of the rows.

        Parameters
        ----------
        rows : ndarray of shape (n_taken,)
            Their positions.

        Returns
        -------
        Annotations
        """
        proba = None if self.proba is None else self.proba[rows]
        confidences = None if self.confidences is None else self.confidences[rows]
        return Annotations(
            self.labels[rows],
            proba,
            self.cost[rows],
            self.seconds[rows],
            self.abstained[rows],
            self.sources[rows],
            confidences,
        )
