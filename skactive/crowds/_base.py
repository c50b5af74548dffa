"""The base of all crowd models."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Floats
from skactive._utils.values import is_missing
from skactive.crowds._answers import Answers
from skactive.crowds._votes import Votes, collect_votes
from skactive.exceptions import SkactiveWarning

__all__ = ["Consensus", "CrowdModel", "read_table"]

Codes = NDArray[np.intp]
_UNKNOWN = -1  # code of an item whose true class is not known
_TIE = 1e-12  # probabilities that differ by less are equal but for rounding


class Consensus(NamedTuple):
    """The labels that a model makes of votes.

    Attributes
    ----------
    proba : ndarray of shape (n_items, n_classes)
        Probability of each class.
    log_likelihood : float
        Log-likelihood of the votes; NaN if the model has none.
    n_iter : int
        Number of iterations.
    has_converged : bool
        Whether the last iteration changed little.
    parameters : dict of str to ndarray
        What else was estimated: attributes of the model.
    """

    proba: Floats
    log_likelihood: float = np.nan
    n_iter: int = 1
    has_converged: bool = True
    parameters: Mapping[str, Any] = {}


class CrowdModel(BaseEstimator, ABC):
    """Base of models that turn the answers of several annotators into one label per item.

    A subclass implements `_estimate`.

    Attributes
    ----------
    items_ : ndarray of shape (n_items,)
        The items, sorted: those of the answers.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    labels_ : ndarray of shape (n_items,)
        The most probable class of each item; of two that are equally probable, the one that is
        rarer among all items (one that annotators answer too often is more often wrong).
    proba_ : ndarray of shape (n_items, n_classes)
        Probability of each class.
    annotators_ : ndarray of shape (n_annotators,)
        The annotators, sorted.
    annotator_accuracy_ : ndarray of shape (n_annotators,)
        Expected share of right answers of each.
    model_accuracy_ : float
        The same of the model whose probabilities were passed; NaN without one.
    log_likelihood_ : float
        Log-likelihood of the answers; NaN for models that have none.
    n_iter_ : int
        Number of iterations.
    answers_ : Answers
        All answers so far.
    """

    def fit(self, answers: Answers, *, proba: Any = None, gold: Any = None) -> Self:
        """Estimate the labels of the items.

        Parameters
        ----------
        answers : Answers
            The answers.
        proba : array-like of shape (n_items, n_classes), default=None
            Probabilities of a model that has not learned from the answers to the same items (by
            ``cross_val_predict``), in the order of ``answers.items`` and ``answers.classes``. The
            model is one more annotator, who answers its most probable class. NaN where it has none.
        gold : mapping of item to label, or array-like of shape (n_items,), default=None
            True labels of some items; in an array, None or NaN where they are not known.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If shapes do not fit, or gold labels are no classes.

        Warns
        -----
        SkactiveWarning
            If, on the gold items and without their labels, the model is right less often than the
            votes.
        """
        self._validate_params()
        return self._fit(answers, proba, gold, None)

    def partial_fit(self, answers: Answers, *, proba: Any = None, gold: Any = None) -> Self:
        """Add answers, and continue from the present estimate.

        Parameters
        ----------
        answers : Answers
            Further answers, of known or new items and annotators.
        proba, gold : as in `fit`
            For the items of all answers, old and new.

        Returns
        -------
        Self
        """
        self._validate_params()
        if not hasattr(self, "answers_"):
            return self._fit(answers, proba, gold, None)
        joined = self.answers_.join(answers)
        start = _start_from_votes(collect_votes(joined, None))
        rows = np.searchsorted(joined.items, self.items_)
        columns = np.searchsorted(joined.classes, self.classes_)
        start[rows] = 0.0
        start[np.ix_(rows, columns)] = self.proba_
        return self._fit(joined, proba, gold, start)

    @property
    def confusion_(self) -> Floats:
        """Probability of each answer by each annotator, given the true class.

        Returns
        -------
        ndarray of shape (n_annotators, n_classes, n_classes)
            Entry (a, t, k): that annotator a answers k where t is true; NaN where no item of class
            t was answered by a.
        """
        votes = collect_votes(self.answers_, None)
        counts = (votes.make_table().T @ self.proba_).reshape(
            votes.n_annotators, -1, votes.n_classes
        )
        counts = np.swapaxes(counts, 1, 2)  # (n_annotators, true, answered)
        totals = counts.sum(axis=2, keepdims=True)
        return np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)

    @abstractmethod
    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        """Estimate the probabilities of the classes.

        Parameters
        ----------
        votes : Votes
            The votes; there are two classes or more.
        start : ndarray of shape (n_items, n_classes)
            Probabilities to start from.
        known : ndarray of shape (n_items,)
            The true class of items where it is known, else -1.

        Returns
        -------
        Consensus
        """

    def _fit(self, answers: Answers, proba: Any, gold: Any, start: Floats | None) -> Self:
        table = _read_proba(proba, answers)
        known = _read_gold(gold, answers)
        votes = collect_votes(answers, table)
        if start is None:
            start = _start_from_votes(votes)
        consensus = self._reach_consensus(votes, start, known)
        is_known = known != _UNKNOWN
        if is_known.any():
            self._compare_with_votes(votes, start, known)
        self.answers_, self.items_ = answers, answers.items
        self.classes_, self.annotators_ = answers.classes, answers.annotators
        self.proba_ = consensus.proba
        self.labels_ = answers.classes[_choose_labels(consensus.proba)]
        self.log_likelihood_, self.n_iter_ = consensus.log_likelihood, consensus.n_iter
        accuracy = _estimate_accuracy(votes, consensus.proba)
        n_people = len(answers.annotators)
        self.annotator_accuracy_ = accuracy[:n_people]
        self.model_accuracy_ = np.nan if table is None else float(accuracy[n_people])
        for name, value in consensus.parameters.items():
            setattr(self, name, value)
        return self

    def _reach_consensus(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        if votes.n_classes == 1:
            return Consensus(np.ones((votes.n_items, 1)), 0.0)
        return self._estimate(votes, fix_known(start.copy(), known), known)

    def _compare_with_votes(self, votes: Votes, start: Floats, known: Codes) -> None:
        """Warn if the model is worse than the votes on items of known truth."""
        is_known = known != _UNKNOWN
        blind = self._reach_consensus(votes, start, np.full_like(known, _UNKNOWN)).proba
        truth = known[is_known]
        right = (_choose_labels(blind)[is_known] == truth).sum()
        by_votes = (_choose_labels(_start_from_votes(votes))[is_known] == truth).sum()
        if right < by_votes:
            warnings.warn(
                f"On the {len(truth)} items of known truth {type(self).__name__} is right "
                f"{right} times, the votes {by_votes} times: its assumptions do not fit these "
                "annotators. Use MajorityVote, or compare other models on these items.",
                SkactiveWarning,
                stacklevel=4,
            )


def fix_known(proba: Floats, known: Codes) -> Floats:
    """Set the probabilities of items whose class is known, in place."""
    rows = np.flatnonzero(known != _UNKNOWN)
    proba[rows] = 0.0
    proba[rows, known[rows]] = 1.0
    return proba


def _start_from_votes(votes: Votes) -> Floats:
    """Return the shares of the votes; of items without any, the shares among all items."""
    counts = votes.count()
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    has_votes = totals[:, 0] > 0
    shares[~has_votes] = shares[has_votes].mean(axis=0)
    return shares


def _choose_labels(proba: Floats) -> Codes:
    """Return the most probable class of each item; ties go to the rarer class."""
    order = np.argsort(proba.mean(axis=0), kind="stable")
    ranked = proba[:, order]
    is_best = ranked >= ranked.max(axis=1, keepdims=True) - _TIE
    return order[is_best.argmax(axis=1)]


def _estimate_accuracy(votes: Votes, proba: Floats) -> Floats:
    right = votes.sum_by_annotator(proba[votes.items, votes.labels])
    return right / votes.sum_by_annotator(None)


def read_table(proba: Any, answers: Any) -> Floats | None:
    """Return probabilities with a row for each item and a column for each class of the answers."""
    if proba is None:
        return None
    table = np.asarray(proba, dtype=np.float64)
    shape = (len(answers.items), len(answers.classes))
    if table.shape != shape:
        raise ValueError(
            f"proba must have shape {shape}, a row for each of answers.items and a column for each "
            f"of answers.classes, got {table.shape}."
        )
    return table


def _read_proba(proba: Any, answers: Answers) -> Floats | None:
    table = read_table(proba, answers)
    if table is None:
        return None
    sums = table.sum(axis=1)
    given = ~np.isnan(sums)
    if (table[given] < 0).any() or not np.allclose(sums[given], 1.0, atol=1e-3):
        raise ValueError("The rows of proba must be probabilities: at least 0, with a sum of 1.")
    return table


def _read_gold(gold: Any, answers: Answers) -> Codes:
    """Return the code of the true class of each item, or -1."""
    n = len(answers.items)
    known = np.full(n, _UNKNOWN, dtype=np.intp)
    if gold is None:
        return known
    if isinstance(gold, Mapping):
        pairs = list(gold.items())
        places = {item: i for i, item in enumerate(answers.items.tolist())}
        absent = [item for item, _ in pairs if item not in places]
        if absent:
            raise ValueError(
                f"gold has the item {absent[0]!r}, which has no answers: leave it out."
            )
        rows = np.array([places[item] for item, _ in pairs], dtype=np.intp)
        labels = [label for _, label in pairs]
    else:
        values = list(gold)
        if len(values) != n:
            raise ValueError(
                f"gold must have one entry for each of the {n} items, or be a mapping of item to "
                f"label, got {len(values)} entries."
            )
        rows = np.flatnonzero([not is_missing(value) for value in values])
        labels = [values[row] for row in rows]
    codes = {label: code for code, label in enumerate(answers.classes.tolist())}
    strange = [label for label in labels if label not in codes]
    if strange:
        raise ValueError(
            f"gold has the label {strange[0]!r}, which nobody gave: pass classes= to Answers to "
            f"declare it beside {answers.classes.tolist()}."
        )
    known[rows] = [codes[label] for label in labels]
    return known
