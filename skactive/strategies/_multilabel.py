"""Scores of rows with several labels: loss, cardinality, separation and inconsistency."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn import get_config
from sklearn.utils import gen_batches

from skactive._utils.array_types import Floats
from skactive._utils.constraints import POSITIVE_INT_OR_NONE
from skactive.scores import borda_margin, entropy_distance, hamming_risk, separation_margin
from skactive.strategies._base import ScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive.pool import PoolView
    from skactive.pool._elements import ElementView

__all__ = ["CVIRS", "LCI", "MMC", "SeparationMargin"]

_NEEDS = frozenset({"elements.proba|elements.decision"})


# What strategies read -----------------------------------------------------------------------------


def _read_presence(elements: ElementView) -> Floats:
    """Return the probability that each label is present, shape (n_rows, n_labels).

    Present means of another class than the label's first. A decision function is mapped to
    probabilities by the logistic function. Where rows have different numbers of labels, those that
    a row lacks are absent for certain.
    """
    has_proba = elements.provides("proba")
    first = (np.arange(len(elements)), elements.first_class)
    values = 1.0 - elements.proba[first] if has_proba else expit(elements.decision)
    table = np.zeros((len(elements.rows), np.diff(elements.offsets).max(initial=0)))
    table[elements.owner, elements.place] = np.clip(values, 0.0, 1.0)
    return table


def _read_labels(pool: PoolView) -> Floats:
    """Return the labels of the labeled rows: 1 present, 0 absent, NaN unknown.

    The shape is (n_labeled, n_labels); (0, 0) without labels, one for each element.
    """
    labeled = pool.elements.labeled
    if labeled is None or labeled.y is None:
        return np.empty((0, 0))
    lengths = np.diff(labeled.offsets)
    table = np.zeros((len(lengths), lengths.max(initial=0)))
    table[np.arange(table.shape[1]) < lengths[:, np.newaxis]] = np.nan
    table[labeled.owner, labeled.place] = labeled.y != labeled.classes[labeled.first_class]
    return table


def _pad(table: Floats, n_columns: int) -> Floats:
    """Add columns of 0, absent labels."""
    return np.pad(table, ((0, 0), (0, max(0, n_columns - table.shape[1]))))


class _LabelStrategy(ScoreStrategy):
    """Base of the strategies whose score depends on the labeled rows and on the row alone."""

    needs = _NEEDS

    @abstractmethod
    def make_score(self, pool: PoolView) -> Callable[[Floats], Floats]:
        """Return a function from presences, (n_some_rows, n_labels), to scores."""

    def score(self, pool: PoolView) -> Floats:
        """Score each row by the probabilities of its labels, shape (n_rows,)."""
        score = self.make_score(pool)
        blocks = pool.element_blocks(frozenset({"proba|decision"}))
        scores = [score(_read_presence(block)) for block, _ in blocks]
        return np.concatenate(scores) if scores else np.empty(0)


# Strategies ---------------------------------------------------------------------------------------


class MMC(_LabelStrategy):
    r"""Choose rows whose labels are expected to be predicted worst (maximal loss reduction).

    .. math:: u(x) = \sum_j |\hat y_j - p_j(x)|

    with :math:`p_j` the probability that label j is present, and :math:`\hat y` the prediction: 1
    for the m most likely labels. A logistic regression predicts m from the sorted probabilities; it
    learns from the labeled rows of which all labels are known. While they all have equally many
    labels, m is this number; without any, the labels above 1/2 are counted.

    **When:** rows of several labels are labeled whole, and few of many labels are present.

    Parameters
    ----------
    n_labels : int, default=None
        The number m of labels of every row; None predicts it. 1 is the "max loss" of Li et al.
        (2004).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Yang, Sun, Wang and Chen, "Effective multi-label active learning for text classification", KDD
    2009, :doi:`10.1145/1557019.1557119`.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import MMC
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), MMC(), random_state=0)
    >>> learner.fit(X[:20], Y[:20]).query(X[20:], batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_labels": POSITIVE_INT_OR_NONE,
    }

    def __init__(self, n_labels: int | None = None, *, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.n_labels = n_labels

    def make_score(self, pool: PoolView) -> Callable[[Floats], Floats]:
        """Return the expected loss of the predicted labels, as a function of presences."""
        count = self._make_counter(pool)
        return lambda presence: hamming_risk(presence, count(presence))

    def _make_counter(self, pool: PoolView) -> Callable[[Floats], Any]:
        """Return a function that predicts how many labels are present."""
        if self.n_labels is not None:
            return lambda _: self.n_labels
        labels = _read_labels(pool)
        is_complete = ~np.isnan(labels).any(axis=1)
        counts = labels[is_complete].sum(axis=1).astype(int)
        if not len(counts):
            return lambda presence: (presence > 0.5).sum(axis=1)
        if len(np.unique(counts)) == 1:
            return lambda _: counts[0]
        from sklearn.linear_model import LogisticRegression  # late: no other strategy needs it

        assert pool.labeled is not None
        presence = _read_presence(pool.labeled.elements)[is_complete]
        n_columns = presence.shape[1]
        model = LogisticRegression(max_iter=1000).fit(_sort_shares(presence, n_columns), counts)
        return lambda presence: model.predict(_sort_shares(presence, n_columns))


def _sort_shares(presence: Floats, n_columns: int) -> Floats:
    """Return each row's probabilities as shares of their sum, the highest `n_columns` of them."""
    ordered = _pad(-np.sort(-presence, axis=1), n_columns)[:, :n_columns]
    return ordered / np.maximum(ordered.sum(axis=1, keepdims=True), np.finfo(float).tiny)


class LCI(_LabelStrategy):
    r"""Choose rows predicted to have another number of labels than the labeled rows have.

    .. math:: u(x) = \Bigl| \sum_j [p_j(x) > 1/2] - c \Bigr|

    with c the mean number of labels of the labeled rows: the label cardinality inconsistency. It
    takes few values, so most rows tie; the authors multiply it with the uncertainty
    :class:`SeparationMargin`::

        Product([("margin", SeparationMargin()), ("cardinality", LCI())], weights=[0.5, 0.5])

    **When:** rows of several labels are labeled whole. With half-known rows, c is the sum over
    labels of the share of rows that have them.

    Parameters
    ----------
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Li and Guo, "Active learning with multi-label SVM classification", IJCAI 2013.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import LCI, Product, SeparationMargin
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> parts = [("margin", SeparationMargin()), ("cardinality", LCI())]
    >>> strategy = Product(parts, weights=[0.5, 0.5])
    >>> learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    >>> learner.fit(X[:20], Y[:20]).query(X[20:], batch_size=3).shape
    (3,)
    """

    def make_score(self, pool: PoolView) -> Callable[[Floats], Floats]:
        """Return the distance to the mean number of labels, as a function of presences."""
        labels = _read_labels(pool)
        n_known = (~np.isnan(labels)).sum(axis=0)
        cardinality = float((np.nansum(labels, axis=0) / np.maximum(n_known, 1)).sum())
        return lambda presence: np.abs((presence > 0.5).sum(axis=1) - cardinality)


class SeparationMargin(_LabelStrategy):
    r"""Choose rows whose present labels are least separated from the absent ones.

    .. math:: u(x) = 1 / \bigl(\min_{j: p_j > 1/2} p_j(x) - \max_{j: p_j \le 1/2} p_j(x)\bigr)

    The least sure of the labels predicted to be present counts, and the least sure of the others:
    the max-margin prediction uncertainty. Without a present label the minimum is 1, without an
    absent one the maximum is 0.

    **When:** rows of several labels are labeled whole; alone or multiplied with :class:`LCI`.

    Parameters
    ----------
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Li and Guo, "Active learning with multi-label SVM classification", IJCAI 2013.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import SeparationMargin
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> learner = ActiveLearner(RidgeClassifier(), SeparationMargin(), random_state=0)
    >>> learner.fit(X[:20], Y[:20]).query(X[20:], batch_size=3).shape
    (3,)
    """

    rowwise = True

    def make_score(self, pool: PoolView) -> Callable[[Floats], Floats]:
        """Return the score of presences."""
        return separation_margin


class CVIRS(ScoreStrategy):
    r"""Choose rows of small margins whose predicted labels are unlike those of labeled rows.

    .. math:: u(x) = s(x) \, \frac{1}{|L|} \sum_{y \in L} d(\hat y(x), y)

    Rows are ranked by the margin of each label, and s is the mean of the ranks (Borda's count, 1 if
    the row has the smallest margin of every label). The second factor is the inconsistency of the
    predicted vector of labels with those of the labeled rows: d is their entropy distance, or 1 if
    they differ in every label (category vector inconsistency and ranking of scores).

    **When:** rows of several labels are labeled whole. Labeled rows of which a label is unknown
    are left out; without any other, the ranks alone count.

    Parameters
    ----------
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Reyes, Morell and Ventura, "Effective active learning strategy for multi-label learning",
    Neurocomputing 273, 2018, :doi:`10.1016/j.neucom.2017.08.001`.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.multioutput import ClassifierChain
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import CVIRS
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> chain = ClassifierChain(LogisticRegression(max_iter=1000))
    >>> learner = ActiveLearner(chain, CVIRS(), random_state=0)
    >>> learner.fit(X[:20], Y[:20]).query(X[20:], batch_size=3).shape
    (3,)
    """

    needs = _NEEDS

    def score(self, pool: PoolView) -> Floats:
        """Multiply mean ranks and inconsistencies, shape (n_rows,)."""
        blocks = pool.element_blocks(frozenset({"proba|decision"}))
        tables = [_read_presence(block) for block, _ in blocks]
        labels = _read_labels(pool)
        labels = labels[~np.isnan(labels).any(axis=1)]
        n_columns = max((table.shape[1] for table in [*tables, labels]), default=0)
        presence = np.concatenate(
            [_pad(table, n_columns) for table in tables] or [np.empty((0, 0))]
        )
        if not len(labels) or not n_columns:
            return borda_margin(presence)
        return borda_margin(presence) * _mean_distances(presence > 0.5, _pad(labels, n_columns))


def _mean_distances(predicted: Any, labels: Floats) -> Floats:
    """Return the mean distance of each vector of labels to those of labeled rows, (n_rows,)."""
    vectors, vector_of = np.unique(predicted.astype(np.float64), axis=0, return_inverse=True)
    known, counts = np.unique(labels, axis=0, return_counts=True)
    n_bytes = 8 * 8 * len(known)  # a row of tables and distances
    length = max(1, int(get_config()["working_memory"] * 2**20 / n_bytes))
    means = np.concatenate(
        [
            np.average(entropy_distance(vectors[batch], known), axis=1, weights=counts)
            for batch in gen_batches(len(vectors), length)
        ]
    )
    return means[vector_of.reshape(-1)]
