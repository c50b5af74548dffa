"""Uncertainty sampling: choose the rows about which the model is least sure."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive.scores._draws import average_in_one_pass
from skactive.strategies._base import SampledScoreStrategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["Entropy", "LeastConfidence", "Margin", "MarginRatio", "UncertaintyStrategy"]


class _Needs:
    """The readings of a strategy with `n_samples`; of the class, those of its default.

    Parameters
    ----------
    needs : str
        The reading without `n_samples`.
    """

    def __init__(self, needs: str) -> None:
        self._needs = frozenset({needs})

    def __get__(self, strategy: Any, owner: Any = None) -> frozenset[str]:
        if strategy is None or strategy.n_samples is None:
            return self._needs
        return frozenset({"proba_samples"})


class UncertaintyStrategy(SampledScoreStrategy):
    """Base of the strategies that score one distribution over the classes per row.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    needs = _Needs("proba")
    score_name = "uncertainty"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the uncertainty of their probabilities, shape (n_rows,)."""
        return self.score_proba(self._read_proba(pool))

    def _read_proba(self, pool: PoolView) -> NDArray[Any]:
        """Return the model's probabilities, or the mean of draws, shape (n_rows, n_classes)."""
        if self.n_samples is None:
            return pool.proba
        if pool.yields_draws:
            return average_in_one_pass(pool.iter_draws(self.n_samples))
        return pool.proba_samples(self.n_samples).mean(axis=0)

    @abstractmethod
    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score probabilities of shape (n_rows, n_classes), shape (n_rows,)."""


class LeastConfidence(UncertaintyStrategy):
    r"""Choose rows whose most probable class is least probable.

    .. math:: u(x) = 1 - \max_y p(y \mid x)

    **When:** a plain and cheap measure of uncertainty. It looks at one class only; with many
    classes :class:`Margin` is usually the better choice. Needs probabilities.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Lewis and Gale, "A sequential algorithm for training text classifiers", SIGIR 1994,
    :doi:`10.1007/978-1-4471-2099-5_1`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import LeastConfidence
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), LeastConfidence(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score the rows by 1 minus the largest probability, shape (n_rows,)."""
        return scores.least_confidence(proba)


class Margin(UncertaintyStrategy):
    r"""Choose rows whose two most probable classes are almost equally probable.

    .. math:: u(x) = 1 - (p_{(1)}(x) - p_{(2)}(x))

    where :math:`p_{(1)} \ge p_{(2)}` are the two largest probabilities. For a model without
    probabilities (a support vector machine, a ridge classifier) the negative distance between the
    two largest values of the decision function is used; for two classes, the negative distance to
    the decision boundary.

    **When:** the first thing to try, and hard to beat with a linear model, a forest or a small net
    once there are a few labels per class. Needs probabilities or a decision function.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Scheffer, Decomain and Wrobel, "Active hidden Markov models for information extraction",
    IDA 2001, :doi:`10.1007/3-540-44816-0_31`.

    Tong and Koller, "Support vector machine active learning with applications to text
    classification", JMLR 2, 2001, for the decision function.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import LinearSVC
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LinearSVC(), Margin(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = _Needs("proba|decision")

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by minus the gap between the two best classes, shape (n_rows,)."""
        if self.n_samples is None and not pool.provides("proba"):
            return scores.decision_margin(pool.decision)
        return super().score(pool)

    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score the rows by 1 minus the gap of the two largest probabilities, shape (n_rows,)."""
        return scores.margin(proba)


class MarginRatio(UncertaintyStrategy):
    r"""Choose rows whose second most probable class is nearly as probable as the first.

    .. math:: u(x) = p_{(2)}(x) / p_{(1)}(x)

    **When:** like :class:`Margin`, but of two rows with the same gap it prefers the one whose two
    best classes are more probable: uncertainty between two classes counts more than uncertainty
    spread over many. For two classes both rank alike. Needs probabilities.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Settles, "Active Learning", Morgan and Claypool 2012, :doi:`10.1007/978-3-031-01560-1`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import MarginRatio
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), MarginRatio(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score the rows by the ratio of the two largest probabilities, shape (n_rows,)."""
        return scores.margin_ratio(proba)


class Entropy(UncertaintyStrategy):
    r"""Choose rows with the most uncertain predictive distribution over all classes.

    .. math:: u(x) = -\sum_y p(y \mid x) \log p(y \mid x)

    in nats; a probability of 0 adds nothing. With `n_samples` it is :class:`ConsensusEntropy`.

    **When:** the whole distribution matters, as for calibrated models of few classes. With many
    classes it favors rows that spread a little uncertainty over many of them. Needs probabilities.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27, 1948,
    :doi:`10.1002/j.1538-7305.1948.tb01338.x`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Entropy
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), Entropy(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score the rows by their predictive entropy in nats, shape (n_rows,)."""
        return scores.entropy(proba)
