"""Uncertainty sampling: choose the rows about which the model is least sure."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.cost_matrices import check_cost_matrix
from skactive.scores._draws import average_in_one_pass
from skactive.strategies._base import SampledScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = [
    "CostSensitiveStrategy",
    "Entropy",
    "LeastConfidence",
    "Margin",
    "MarginRatio",
    "UncertaintyStrategy",
]


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
        if strategy is None:
            return self._needs
        if strategy.n_samples is not None:
            return frozenset({"proba_samples"})
        # Expected costs are those of probabilities.
        has_costs = getattr(strategy, "cost_matrix", None) is not None
        return frozenset({"proba"}) if has_costs else self._needs


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


class CostSensitiveStrategy(UncertaintyStrategy):
    """Base of the uncertainty strategies that may know what wrong decisions cost.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior.
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        Costs of decisions; None: errors cost the same.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **UncertaintyStrategy._parameter_constraints,
        "cost_matrix": ["array-like", None],
    }

    def __init__(
        self,
        *,
        n_samples: int | None = None,
        cost_matrix: Any = None,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(n_samples=n_samples, selector=selector)
        self.cost_matrix = cost_matrix

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.cost_matrix is not None:
            check_cost_matrix("cost_matrix", self.cost_matrix)


class LeastConfidence(CostSensitiveStrategy):
    r"""Choose rows whose most probable class is least probable, or whose decision costs most.

    .. math:: u(x) = 1 - \max_y p(y \mid x)
        \qquad\text{with costs:}\quad u(x) = \min_k \sum_y p(y \mid x) \, c_{yk}

    **When:** a plain and cheap measure of uncertainty. It looks at one class only; with many
    classes :class:`Margin` is usually the better choice. With a `cost_matrix` (maximum expected
    cost), perhaps, if errors differ in what they cost: decide by
    :func:`skactive.metrics.minimize_expected_cost` in any case, and compare both choices of rows by
    :func:`skactive.metrics.make_cost_scorer`, since that by costs was the dearer one on most sets
    of ``benchmarks/cost_matrices.py``. Needs probabilities.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        What decisions cost, at least 0: rows true classes, columns decided classes, both in the
        order of the learner's classes, which is sorted. None: each error costs the same. If the
        first labels may lack a class, declare ``ActiveLearner(classes=...)``.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Lewis and Gale, "A sequential algorithm for training text classifiers", SIGIR 1994,
    :doi:`10.1007/978-1-4471-2099-5_1`.

    Chen and Lin, "Active learning for multiclass cost-sensitive classification using probabilistic
    models", TAAI 2013, :doi:`10.1109/TAAI.2013.17`, for the costs.

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
        """Score the rows by 1 minus the largest probability, or by cost, shape (n_rows,)."""
        if self.cost_matrix is not None:
            return scores.expected_cost(proba, self.cost_matrix)
        return scores.least_confidence(proba)


class Margin(CostSensitiveStrategy):
    r"""Choose rows whose two most probable classes are almost equally probable.

    .. math:: u(x) = 1 - (p_{(1)}(x) - p_{(2)}(x))

    where :math:`p_{(1)} \ge p_{(2)}` are the two largest probabilities. For a model without
    probabilities (a support vector machine, a ridge classifier) the negative distance between the
    two largest values of the decision function is used; for two classes, the negative distance to
    the decision boundary. With costs :math:`c_{yk}` it is the gap between the two decisions of the
    least expected costs (cost-weighted minimum margin):

    .. math:: u(x) = \max_{y,k} c_{yk} - (r_{(2)}(x) - r_{(1)}(x)), \qquad
        r_k(x) = \sum_y p(y \mid x) \, c_{yk}

    **When:** the first thing to try, and hard to beat with a linear model, a forest or a small net
    once there are a few labels per class. With a `cost_matrix`, perhaps, if errors differ in what
    they cost: compare both by :func:`skactive.metrics.make_cost_scorer`, since costs in the choice
    of rows helped on some sets of ``benchmarks/cost_matrices.py`` and harmed on others. Needs
    probabilities or a decision function; with costs, probabilities.

    Parameters
    ----------
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior (members of an ensemble, dropout).
    cost_matrix : array-like of shape (n_classes, n_classes), default=None
        What decisions cost, at least 0: rows true classes, columns decided classes, both in the
        order of the learner's classes, which is sorted. None: each error costs the same. If the
        first labels may lack a class, declare ``ActiveLearner(classes=...)``.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Scheffer, Decomain and Wrobel, "Active hidden Markov models for information extraction",
    IDA 2001, :doi:`10.1007/3-540-44816-0_31`.

    Tong and Koller, "Support vector machine active learning with applications to text
    classification", JMLR 2, 2001, for the decision function.

    Chen and Lin, "Active learning for multiclass cost-sensitive classification using probabilistic
    models", TAAI 2013, :doi:`10.1109/TAAI.2013.17`, for the costs.

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
        if self.n_samples is None and self.cost_matrix is None and not pool.provides("proba"):
            return scores.decision_margin(pool.decision)
        return super().score(pool)

    def score_proba(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Score the rows by 1 minus the gap of the two largest probabilities, shape (n_rows,).

        With costs: by the largest cost minus the gap of the two smallest expected ones.
        """
        if self.cost_matrix is not None:
            return scores.cost_margin(proba, self.cost_matrix)
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
