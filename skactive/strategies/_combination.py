"""Composition by scores: sums and products of what several strategies think of each row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from skactive._utils.array_types import Floats
from skactive._utils.compat import BaseComposition, StrOptions
from skactive.exceptions import SelectionError
from skactive.strategies._base import ScoreStrategy, ScoringStrategy, Selector, change_named
from skactive.strategies._design import DOptimal
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["CombinedScores", "Product", "WeightedSum"]


class CombinedScores(BaseComposition, ScoreStrategy):
    """Base of the strategies that combine the scores of other strategies.

    Parameters
    ----------
    strategies : list of (str, ScoringStrategy), default=None
        Names and strategies that score rows; None combines `Margin` and `DOptimal`.
    weights : array-like of shape (n_strategies,), default=None
        Weights; None gives each the weight 1.
    scale : {"rank", "min_max"} or None
        How each score is brought to (0, 1] first.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "strategies": [list, None],
        "weights": ["array-like", None],
        "scale": [StrOptions({"rank", "min_max"}), None],
    }

    def __init__(
        self,
        strategies: list[tuple[str, ScoringStrategy]] | None = None,
        *,
        weights: Any = None,
        scale: Literal["rank", "min_max"] | None = None,
        selector: Selector | None = None,
    ) -> None:
        self.selector = selector
        self.strategies = strategies
        self.weights = weights
        self.scale = scale

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and with `deep` those of the strategies by their names."""
        return self._get_params("strategies", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``name`` replaces a strategy, ``name__param`` sets its parameter."""
        return self._set_params("strategies", **params)

    def parts(self) -> list[Any]:
        """Return the strategies whose scores are combined."""
        return [strategy for _, strategy in self._get_strategies()]

    def with_parts(self, change: Callable[[Any], Any]) -> Any:
        """Return the same combination of other strategies; this one if none of them changes."""
        return change_named(self, self._get_strategies(), change)

    def _get_strategies(self) -> list[tuple[str, ScoringStrategy]]:
        if self.strategies is None:
            return [("margin", Margin()), ("novelty", DOptimal())]
        return self.strategies

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of all strategies."""
        return frozenset().union(*(strategy.needs for strategy in self.parts()))

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """True if the scores of any of the strategies depend on random numbers."""
        return any(strategy.draws_scores for strategy in self.parts())

    @property
    def rowwise(self) -> bool:  # type: ignore[override]
        """True if each score depends on its row alone, and is not scaled by those of others."""
        return self.scale is None and all(strategy.rowwise for strategy in self.parts())

    def _validate_params(self) -> None:
        super()._validate_params()
        items = self._get_strategies()
        if not items or any(not isinstance(item, tuple) or len(item) != 2 for item in items):
            raise ValueError(
                f"strategies must be a list of one or more (name, strategy), got {items!r}."
            )
        self._validate_names([name for name, _ in items])
        for name, strategy in items:
            if not hasattr(strategy, "score_in_chunks"):
                raise ValueError(
                    f"{type(self).__name__} combines scores, but {name!r} is {strategy!r}, which "
                    "does not score rows. Pass strategies such as Margin() or BADGE(), or divide "
                    "the batch among strategies with Mixture."
                )
        if self.weights is not None:
            try:
                weights = np.asarray(self.weights)
            except ValueError:  # a ragged list
                weights = np.array(None)
            self._check_weights(weights)

    def _check_weights(self, weights: NDArray[Any]) -> None:
        is_number = weights.dtype.kind in "iuf" and bool(np.isfinite(weights).all())
        if weights.shape != (len(self.parts()),) or not is_number:
            raise ValueError(
                f"weights must be {len(self.parts())} finite numbers, one per strategy; got "
                f"{self.weights!r}."
            )

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the combination of all scores, shape (n_rows,)."""
        return self.combine(*self._read_scores(pool))

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the weighted scores by the names of their strategies, and their combination."""
        scores, weights = self._read_scores(pool)
        names = [name for name, _ in self._get_strategies()]
        parts = zip(names, self.weigh(scores, weights), strict=True)
        return {**dict(parts), "score": self.combine(scores, weights)}

    def _read_scores(self, pool: PoolView) -> tuple[Floats, Floats]:
        """Return the scores, brought to one scale, (n_strategies, n_rows), and their weights."""
        weights = np.ones(len(self.parts())) if self.weights is None else self.weights
        scores = [self._rescale(strategy.score_in_chunks(pool)) for strategy in self.parts()]
        return np.array(scores), np.asarray(weights, dtype=np.float64)

    def _rescale(self, scores: Floats) -> Floats:
        if self.scale == "rank":
            return rankdata(scores) / len(scores)
        if self.scale == "min_max":
            lowest, spread = scores.min(), np.ptp(scores)
            # Scores that are all the same have nothing to say: a factor of 1.
            return (scores - lowest) / spread if spread > 0 else np.ones(len(scores))
        return scores

    @abstractmethod
    def weigh(self, scores: Floats, weights: Floats) -> Floats:
        """Apply the weights to scores of shape (n_strategies, n_rows)."""

    @abstractmethod
    def combine(self, scores: Floats, weights: Floats) -> Floats:
        """Combine scores of shape (n_strategies, n_rows) to one per row, shape (n_rows,)."""


class WeightedSum(CombinedScores):
    r"""Choose rows of the largest weighted sum of the scores of several strategies.

    .. math:: u(x) = \sum_i w_i \, r_i(x)

    with :math:`r_i(x)` the rank of x by the scores of strategy i, lowest first, divided by the
    number of rows; rows that tie share the mean of their ranks.

    **When:** a row should be good by several measures, and one may make up for another:
    uncertain, far from the labeled rows, in a dense region. Scores have different units (nats,
    shares, distances), so by default only their ranks count: weights then mean the same whatever
    the units, and outliers of one score do not drown the others. A batch holds the rows of the
    highest sums, which may be alike; for shares of a batch use :class:`Mixture`. Needs the
    readings of all strategies.

    Parameters
    ----------
    strategies : list of (str, ScoringStrategy), default=None
        Names and strategies that score rows; the names give access to their parameters. None
        combines :class:`Margin` and :class:`DOptimal`: uncertain rows unlike the labeled ones.
    weights : array-like of shape (n_strategies,), default=None
        Weights; None gives each the weight 1. A negative weight prefers low scores.
    scale : {"rank", "min_max"} or None, default="rank"
        "rank" takes the ranks above; "min_max" maps the lowest score of the pool to 0
        and the highest to 1; None adds the scores as they are (modAL's linear combination).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Danka and Horvath, "modAL: a modular active learning framework for Python", 2018,
    :doi:`10.48550/arXiv.1805.00979`, where scores are added as they are.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BADGE, Margin, WeightedSum
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = WeightedSum([("margin", Margin()), ("badge", BADGE())], weights=[2, 1])
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    def __init__(
        self,
        strategies: list[tuple[str, ScoringStrategy]] | None = None,
        *,
        weights: Any = None,
        scale: Literal["rank", "min_max"] | None = "rank",
        selector: Selector | None = None,
    ) -> None:
        super().__init__(strategies, weights=weights, scale=scale, selector=selector)

    def weigh(self, scores: Floats, weights: Floats) -> Floats:
        """Multiply the scores by their weights, shape (n_strategies, n_rows)."""
        return weights[:, np.newaxis] * scores

    def combine(self, scores: Floats, weights: Floats) -> Floats:
        """Add the weighted scores, shape (n_rows,)."""
        return weights @ scores


class Product(CombinedScores):
    r"""Choose rows of the largest product of the scores of several strategies.

    .. math:: u(x) = \prod_i s_i(x)^{w_i}

    with :math:`s_i(x)` the score of row x by strategy i, which must not be negative.

    **When:** a row must be good by every measure: one score near 0 rules it out. A change of
    units multiplies all products alike, so scores are taken as they are. Negative scores, such as
    those of a decision function, have no meaningful product: rescale them. Needs the readings of
    all strategies.

    Parameters
    ----------
    strategies : list of (str, ScoringStrategy), default=None
        Names and strategies that score rows; the names give access to their parameters. None
        combines :class:`Margin` and :class:`DOptimal`: uncertain rows unlike the labeled ones.
    weights : array-like of shape (n_strategies,), default=None
        Exponents, at least 0; None gives each the exponent 1.
    scale : {"rank", "min_max"} or None, default=None
        None multiplies the scores as they are; "rank" takes ranks as :class:`WeightedSum` does;
        "min_max" maps the lowest score of the pool to 0, which rules its rows out, and the highest
        to 1.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Danka and Horvath, "modAL: a modular active learning framework for Python", 2018,
    :doi:`10.48550/arXiv.1805.00979`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Entropy, ExpectedModelChange, Product
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = Product([("entropy", Entropy()), ("change", ExpectedModelChange())])
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    def _check_weights(self, weights: NDArray[Any]) -> None:
        super()._check_weights(weights)
        if (weights < 0).any():
            raise ValueError(f"weights of a Product must be at least 0, got {self.weights!r}.")

    def weigh(self, scores: Floats, weights: Floats) -> Floats:
        """Raise the scores to the powers of their weights, shape (n_strategies, n_rows)."""
        return scores ** weights[:, np.newaxis]

    def combine(self, scores: Floats, weights: Floats) -> Floats:
        """Multiply the powers of the scores, shape (n_rows,)."""
        lows = scores.min(axis=1)
        for (name, strategy), lowest in zip(self._get_strategies(), lows, strict=True):
            if lowest < 0:
                raise SelectionError(
                    f"Product needs scores of at least 0, but {name!r} ({type(strategy).__name__}) "
                    f"gives {lowest:.6g}. Set scale='rank' or scale='min_max', or use WeightedSum."
                )
        return np.prod(self.weigh(scores, weights), axis=0)
