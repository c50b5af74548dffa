"""Oracles of campaigns: what can be bought, what it costs, and what is answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Positions
from skactive._utils.labels import count_elements, is_structured, read_labels
from skactive._utils.ragged import Ragged, offsets_of
from skactive._utils.rows import n_rows
from skactive._utils.tags import takes_missing_labels
from skactive._validation import check_costs
from skactive.pool._candidates import check_element_costs, match_elements
from skactive.simulation._ledger import ElementLedger, Ledger, RowLedger

__all__ = ["Elements", "Oracle", "Rows", "check_refits"]


class Oracle(BaseEstimator, ABC):
    """Base of oracles: what a campaign can buy, what it costs, and what is answered."""

    sets_prices: ClassVar[bool] = False  # whether it says itself what labels cost

    @abstractmethod
    def open(self, X: Any, y: Any, costs: Any, learner: Any) -> Ledger:
        """Open the ledger of a campaign, of which nothing is bought yet.

        Parameters
        ----------
        X : rows in any container
            The pool.
        y : labels of any kind
            The true labels of the rows.
        costs : array-like, list or None
            What the labels cost; None: 1 each.
        learner : ActiveLearner
            The learner that will be taught.

        Returns
        -------
        Ledger
        """


class Rows(Oracle):
    """An oracle that answers for whole rows: the default of a campaign.

    A row costs 1, or what `costs` of :meth:`SimulatedLearner.fit
    <skactive.SimulatedLearner.fit>`, of shape (n_rows,), says.

    Examples
    --------
    A budget of 100 units of cost, where labels cost 1 to 5:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.simulation import Rows
    >>> from skactive.strategies import Margin, PerCost
    >>> X, y = load_iris(return_X_y=True)
    >>> costs = np.random.RandomState(0).randint(1, 6, size=150)
    >>> learner = ActiveLearner(GaussianNB(), PerCost(Margin()))
    >>> simulation = SimulatedLearner(learner, budget=100, oracle=Rows(), random_state=0)
    >>> simulation = simulation.fit(X, y, costs=costs)
    >>> bool(simulation.costs_[-1] <= 100 < simulation.costs_[-1] + 5)
    True
    """

    def open(self, X: Any, y: Any, costs: Any, learner: Any) -> RowLedger:
        """Open the ledger of a campaign."""
        n = n_rows(X)
        prices = check_costs(costs, n)
        values = np.ones(n, dtype=np.intp) if prices is None else prices
        return RowLedger(y, np.arange(n), Ragged(values, np.arange(n + 1)), costs is not None)


class Elements(Oracle):
    """An oracle that answers for single elements: labels, tokens, pixels or groups of them.

    The learner chooses elements by :meth:`ActiveLearner.query_elements
    <skactive.ActiveLearner.query_elements>`, of rows of which other elements may be known already.
    `budget` and `batch_size` count elements, which cost 1, or what `costs` of
    :meth:`SimulatedLearner.fit <skactive.SimulatedLearner.fit>` says: an array of shape (n_rows,
    ...) or a list with an array per row, one entry per element (or group). `n_initial` and
    `initial` count rows, of which all elements are bought; so are those of an audit.

    The model is fitted to the rows of which an element or more is known, with `unknown` in place of
    the labels that were not bought, and has to take such labels. It does if

    - `y` is a matrix of shape (n_rows, n_labels), and it has an attribute ``takes_missing_labels``
      that is true;
    - `y` is a list with a list or an array per row, or an array of more dimensions, and its ``fit``
      leaves out the elements that are `unknown`.

    Parameters
    ----------
    unknown : object, default=None
        The mark of an unknown label. None is NaN in arrays of numbers (which become arrays of
        floats) and None elsewhere; for maps of integers -1 or 255 are usual. Elements that have
        this mark in `y` cannot be bought, since the answer is not known.
    groups : callable, default=None
        ``groups(X)`` returns the group of each element, a list with an array of integers per row,
        negative for elements in none: superpixels, say. Then whole groups are bought, at a cost of
        1 each.

    Notes
    -----
    The learner has to refit, `incremental` and `prefit` are refused, and so is `retune_every`: rows
    become known bit by bit.

    Examples
    --------
    Single tags of sentences, for a model that counts the known tags of each word:

    >>> from collections import Counter
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.adapters import StructuredAdapter, register
    >>> from skactive.simulation import Elements
    >>> from skactive.strategies import Aggregate, Entropy
    >>> class WordTagger(BaseEstimator):
    ...     def fit(self, X, y):
    ...         self.counts_ = Counter(pair for row in zip(X, y) for pair in zip(*row))
    ...         return self  # pairs of a word and None are never looked up
    ...     def predict_marginals(self, words):
    ...         counts = np.array([[self.counts_[word, tag] for tag in (0, 1)] for word in words])
    ...         return (counts + 1) / (counts.sum(axis=1, keepdims=True) + 2)
    >>> @register(WordTagger)
    ... class WordTaggerAdapter(StructuredAdapter):
    ...     element = "token"
    ...     def proba(self, Z):
    ...         return [self.model.predict_marginals(words) for words in Z]
    >>> X = [["a", "fox", "ran"], ["the", "fox", "sat"], ["a", "hen", "sat"]]
    >>> y = [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
    >>> simulation = SimulatedLearner(
    ...     ActiveLearner(WordTagger(), Aggregate(Entropy())), budget=7, batch_size=4,
    ...     oracle=Elements(), random_state=0,
    ... ).fit(X, y, initial=[0])
    >>> simulation.n_labels_
    array([3, 7])
    >>> words = zip(simulation.queried_, simulation.queried_elements_)
    >>> sorted(X[row][place] for row, place in list(words)[3:])  # those never seen
    ['hen', 'sat', 'sat', 'the']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "unknown": "no_validation",
        "groups": [callable, None],
    }

    def __init__(self, unknown: Any = None, groups: Any = None) -> None:
        self.unknown = unknown
        self.groups = groups

    def open(self, X: Any, y: Any, costs: Any, learner: Any) -> ElementLedger:
        """Open the ledger of a campaign."""
        self._validate_params()
        labels = read_labels(y, learner.estimator)
        offsets = offsets_of(count_elements(labels))
        self._check_learner(learner, labels)
        groups, answers, sizes = self._group(X, offsets)
        label_offsets = offsets_of(sizes)
        if costs is None:
            values = np.ones(label_offsets[-1], dtype=np.intp)
        else:
            values = check_element_costs(costs, label_offsets)
        prices = Ragged(values, label_offsets)
        rows, is_priced = np.arange(len(labels)), costs is not None
        return ElementLedger(labels, self.unknown, rows, prices, is_priced, groups, answers)

    def _group(self, X: Any, offsets: Positions) -> tuple[Ragged | None, Ragged, Positions]:
        """Return the group of each element, the label that it gets, and their number per row."""
        if self.groups is None:
            lengths = np.diff(offsets)
            place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
            return None, Ragged(place, offsets), lengths
        groups = Ragged(match_elements(self.groups(X), offsets, "groups"), offsets)
        answers, sizes = _number_groups(groups)
        return groups, answers, sizes

    def _check_learner(self, learner: Any, labels: Any) -> None:
        check_refits(learner, "Elements", "rows become known bit by bit")
        marks_missing = self.unknown is None or self.unknown != self.unknown
        is_matrix = not is_structured(labels) and labels.ndim == 2
        if is_matrix and marks_missing and not takes_missing_labels(learner.estimator):
            raise ValueError(
                f"{type(learner.estimator).__name__} takes no unknown labels, but oracle=Elements()"
                " buys single ones: use a model that leaves out those that are NaN or None and "
                "says so by an attribute takes_missing_labels = True, or leave oracle=None."
            )


def check_refits(learner: Any, oracle: str, reason: str) -> None:
    """Check that a learner refits all labels in each round."""
    if learner.incremental or learner.prefit:
        raise ValueError(
            f"oracle={oracle}(...) needs a learner that refits, since {reason}: set "
            "incremental=False and prefit=False, or leave oracle=None."
        )


def _number_groups(groups: Ragged) -> tuple[Ragged, Positions]:
    """Number the groups of each row from 0, in order; count them."""
    numbers, counts = [np.empty(0, dtype=np.intp)], []
    for row in groups:
        names, place = np.unique(row, return_inverse=True)
        n_skipped = int((names < 0).sum())  # elements in no group: negative here, too
        numbers.append(np.where(row < 0, -1, place.ravel() - n_skipped))
        counts.append(len(names) - n_skipped)
    return Ragged(np.concatenate(numbers), groups.offsets), np.array(counts, dtype=np.intp)
