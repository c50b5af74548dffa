"""Votes: the answers of people, and of a model among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.crowds._answers import Answers

__all__ = ["Votes", "collect_votes"]

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Votes:
    """Answers as codes.

    Attributes
    ----------
    items, annotators, labels : ndarray of shape (n_votes,)
        Codes of each vote.
    n_items, n_annotators, n_classes : int
        The numbers of codes; a model is the last annotator.
    model : ndarray of shape (n_items, n_classes) or None
        The probabilities of the model; NaN where it has none.
    """

    items: Codes
    annotators: Codes
    labels: Codes
    n_items: int
    n_annotators: int
    n_classes: int
    model: Floats | None = None

    def of_people(self) -> Votes:
        """Return the votes without those of the model."""
        if self.model is None:
            return self
        last = self.n_annotators - 1
        chosen = self.annotators < last
        items, people, labels = self.items[chosen], self.annotators[chosen], self.labels[chosen]
        return Votes(items, people, labels, self.n_items, last, self.n_classes)

    def count(self) -> Floats:
        """Return the votes of each class for each item, (n_items, n_classes)."""
        return self.sum_by_label(None)

    def sum_by_label(self, values: Floats | None) -> Floats:
        """Return the sum of one value per vote, or 1, by item and label, (n_items, n_classes)."""
        cells = self.items * self.n_classes + self.labels
        sums: Any = np.bincount(cells, values, minlength=self.n_items * self.n_classes)
        return sums.reshape(self.n_items, self.n_classes).astype(np.float64, copy=False)

    def sum_by_annotator(self, values: Floats | None) -> Floats:
        """Return the sum of one value per vote, or 1, by annotator, (n_annotators,)."""
        sums: Any = np.bincount(self.annotators, values, minlength=self.n_annotators)
        return sums

    def make_table(self) -> Any:
        """Return a sparse matrix of counts, (n_items, n_annotators * n_classes)."""
        columns = self.annotators * self.n_classes + self.labels
        shape = (self.n_items, self.n_annotators * self.n_classes)
        return sp.csr_array((np.ones(len(columns)), (self.items, columns)), shape=shape)


def collect_votes(answers: Answers, proba: Floats | None) -> Votes:
    """Return the votes of answers and, if there are probabilities, of a model.

    Parameters
    ----------
    answers : Answers
        The answers.
    proba : ndarray of shape (n_items, n_classes) or None
        A model's probabilities, whose answer is its most probable class; NaN where it has none.

    Returns
    -------
    Votes
    """
    n_items, n_people, n_classes = map(len, (answers.items, answers.annotators, answers.classes))
    items, people, labels = answers.item_codes, answers.annotator_codes, answers.label_codes
    if proba is None:
        return Votes(items, people, labels, n_items, n_people, n_classes)
    rows = np.flatnonzero(~np.isnan(proba[:, 0]))
    return Votes(
        np.concatenate([items, rows]),
        np.concatenate([people, np.full(len(rows), n_people)]),
        np.concatenate([labels, proba[rows].argmax(axis=1)]),
        n_items,
        n_people + 1,
        n_classes,
        proba,
    )
