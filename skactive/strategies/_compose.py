"""Composition: strategies made of strategies."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skactive._compat import BaseComposition, HasMethods, Interval
from skactive.selectors import top
from skactive.strategies._base import A_STRATEGY, Positions, ScoreStrategy, Strategy
from skactive.strategies._candidates import rest_of

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["Mixture", "Prefilter", "Subsample"]


class Subsample(Strategy):
    """Let a strategy choose from a random part of the pool.

    **When:** the pool is too large for the strategy; or near-duplicates are to be met less often.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the rows drawn.
    n_candidates : int, default=1000
        How many rows to draw; never fewer than the batch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import InformationDensity, Subsample
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = Subsample(InformationDensity(), n_candidates=200)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> learner.fit(X[:50], y[:50]).query(X[50:], batch_size=5).shape
    (5,)
    """

    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": A_STRATEGY,
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, strategy: Strategy, *, n_candidates: int = 1000) -> None:
        self.strategy = strategy
        self.n_candidates = n_candidates

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What the inner strategy reads."""
        return self.strategy.needs

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw rows, and let the inner strategy choose among them."""
        n_drawn = max(self.n_candidates, batch_size)
        drawn = np.sort(pool.random_state.permutation(len(pool))[:n_drawn])
        return drawn[self.strategy.select(pool.take(drawn), batch_size)]


class Prefilter(Strategy):
    """Let a strategy choose among the rows that a score puts first.

    **When:** a costly or a diversity strategy shall look at the most uncertain rows only. With
    :class:`Margin` and :class:`KMeans` it is the plain way to varied, uncertain batches.

    Parameters
    ----------
    prefilter : ScoreStrategy
        Scores the rows of the pool.
    strategy : Strategy
        Chooses among the best of them.
    factor : float, default=10.0
        How many rows pass, as a multiple of the batch; at least 1.

    References
    ----------
    Zhdanov, "Diverse mini-batch active learning", 2019, :doi:`10.48550/arXiv.1901.05954`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import KMeans, Margin, Prefilter
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = Prefilter(Margin(), KMeans(), factor=20)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> learner.fit(X[:50], y[:50]).query(X[50:], batch_size=5).shape
    (5,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "prefilter": [HasMethods("score_in_chunks")],
        "strategy": A_STRATEGY,
        "factor": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(
        self, prefilter: ScoreStrategy, strategy: Strategy, *, factor: float = 10.0
    ) -> None:
        self.prefilter = prefilter
        self.strategy = strategy
        self.factor = factor

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What both strategies read."""
        return self.prefilter.needs | self.strategy.needs

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether either strategy draws."""
        return self.prefilter.randomized or self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Keep the rows of the highest scores, and let the strategy choose among them."""
        scores = self.prefilter.score_in_chunks(pool)
        n_passed = math.floor(round(self.factor * batch_size, 6))  # 1.15 * 100 is 114.99...
        passed = top(scores, min(len(pool), n_passed), pool.random_state)
        return passed[self.strategy.select(pool.take(passed), batch_size)]


class Mixture(BaseComposition, Strategy):
    """Share each batch among several strategies.

    Each strategy in turn chooses its share among the rows that those before have left; the batch
    alternates between them. Where a share is not a whole number of rows, which strategy gets the
    odd row is drawn so that the shares hold on average, also for batches of one row.

    **When:** to hedge: some rows by doubt, some by coverage, some by :class:`Random`. (Rows that a
    model learns from tell little of its accuracy, however they were chosen: for that, set rows
    aside as ``SimulatedLearner(audit_share=...)`` does.)

    Parameters
    ----------
    strategies : list of (str, Strategy)
        The strategies and their names, by which their parameters can be set.
    shares : array-like of shape (n_strategies,), default=None
        Shares of the batch, in proportion; None gives equal ones.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Margin, Mixture, Random
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = Mixture([("margin", Margin()), ("random", Random())], shares=[0.8, 0.2])
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> learner.fit(X[:50], y[:50]).query(X[50:], batch_size=5).shape
    (5,)
    """

    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategies": [list],
        "shares": ["array-like", None],
    }

    def __init__(self, strategies: list[tuple[str, Strategy]], *, shares: Any = None) -> None:
        self.strategies = strategies
        self.shares = shares

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and with `deep` those of the strategies under their names."""
        return self._get_params("strategies", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``name`` replaces a strategy, ``name__param`` sets one of its own."""
        return self._set_params("strategies", **params)

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What the strategies read, together."""
        return frozenset().union(*(strategy.needs for _, strategy in self.strategies))

    def _validate_params(self) -> None:
        super()._validate_params()
        for named in self.strategies:
            if not isinstance(named, tuple) or len(named) != 2:
                raise ValueError(f"strategies must be a list of (name, strategy), got {named!r}.")
        self._validate_names([name for name, _ in self.strategies])
        if not self.strategies:
            raise ValueError("strategies must hold at least one (name, strategy), got none.")
        if self.shares is not None and not _are_shares(self.shares, len(self.strategies)):
            raise ValueError(
                f"shares must be {len(self.strategies)} finite numbers of at least 0, not all 0; "
                f"got {self.shares!r}."
            )

    def parts(self) -> list[Any]:
        """Return the strategies that share the batch."""
        return [strategy for _, strategy in self.strategies]

    def _proportions(self) -> NDArray[np.float64]:
        shares = np.ones(len(self.strategies)) if self.shares is None else self.shares
        return np.asarray(shares, dtype=np.float64)

    def _counts(self, batch_size: int, random_state: np.random.RandomState) -> NDArray[np.intp]:
        """Share a batch out in whole rows, each count within 1 of its share and right on average.

        Systematic sampling: one random offset on the running sum of the shares.
        """
        shares = self._proportions()
        edges = np.cumsum(shares) / shares.sum() * batch_size
        edges[-1] = batch_size  # free of rounding
        steps = np.minimum(np.floor(edges + random_state.uniform()), batch_size)
        return np.diff(steps.astype(np.intp), prepend=0)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let each strategy choose its share among the rows that are left."""
        left = np.arange(len(pool))
        chosen, ranks = [left[:0]], [np.empty(0)]
        counts = self._counts(batch_size, pool.random_state)
        for (_, strategy), count in zip(self.strategies, counts, strict=True):
            if count:
                # The whole pool keeps what is read of it, and what is taken of it shares that.
                rest = pool if len(left) == len(pool) else pool.take(left)
                picked = left[strategy.select(rest, int(count))]
                chosen.append(picked)
                ranks.append((np.arange(count) + 0.5) / count)
                left = rest_of(len(pool), np.concatenate(chosen))
        order = np.argsort(np.concatenate(ranks), kind="stable")
        return np.concatenate(chosen)[order]


def _are_shares(shares: Any, n: int) -> bool:
    """Tell whether shares are `n` finite numbers of at least 0, not all 0."""
    shares = np.asarray(shares)
    if shares.shape != (n,) or shares.dtype.kind not in "iuf":
        return False
    return bool(np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0)
