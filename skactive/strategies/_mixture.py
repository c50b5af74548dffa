"""Composition: strategies made of strategies."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.compat import BaseComposition, Interval
from skactive.exceptions import TiedScoresWarning
from skactive.strategies._base import STRATEGY, Positions, Strategy

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["ClassBalanced", "EpsilonGreedy", "Mixture"]


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


class ClassBalanced(Strategy):
    r"""Share each batch among the predicted classes, so that the labels become balanced.

    Row by row, the batch goes to the class c of the fewest labels known or expected,

    .. math:: \arg\min_c \; \big( |\{l : y_l = c\}| + |\{s \in S : \hat y(s) = c\}| \big)

    among those that the model predicts for rows that are left, with S the rows of the batch so far
    and :math:`\hat y` the most probable class. Within each class the inner strategy chooses.

    **When:** some classes are rare, and plain uncertainty keeps asking about the common ones. It is
    as good as the predictions are: a class that the model never predicts gets no row. Needs
    probabilities and what the inner strategy needs.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the rows predicted to be of one class.

    References
    ----------
    Bengar, van de Weijer, Lopez-Fuentes and Raducanu, "Class-balanced active learning for image
    classification", WACV 2022, :doi:`10.48550/arXiv.2110.04543`, balance expected counts by an
    optimization over the batch; this is the plain form, which takes predictions at their word.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ClassBalanced, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500)
    >>> learner = ActiveLearner(model, ClassBalanced(Margin()), random_state=0)
    >>> learner = learner.fit(X[:105], y[:105])  # five labels of class 2
    >>> learner.predict(X[learner.query(X, batch_size=3)])
    array([2, 2, 2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"strategy": STRATEGY}

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Probabilities, and what the inner strategy reads."""
        return self.strategy.needs | {"proba"}

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether the inner strategy draws."""
        return self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let the inner strategy choose each class's share among the rows predicted to be of it."""
        predicted = pool.proba.argmax(axis=1)
        n_left = np.bincount(predicted, minlength=len(pool.classes))
        turns = _turns(_label_counts(pool), n_left, batch_size, pool.random_state)
        picks = np.empty(batch_size, dtype=np.intp)
        with warnings.catch_warnings():
            if n_left.max() < len(pool):  # the few rows of one class may well tie
                warnings.simplefilter("ignore", TiedScoresWarning)
            for column in np.unique(turns):
                members = np.flatnonzero(predicted == column)
                places = np.flatnonzero(turns == column)
                picks[places] = members[self.strategy.select(pool.take(members), len(places))]
        return picks


class EpsilonGreedy(Strategy):
    """Let a strategy choose, but each row of the batch at random with a small probability.

    Which places of a batch are random is drawn for each place by itself; they are filled by rows
    drawn evenly from those that the strategy has not chosen.

    **When:** a strategy may be blind to a part of the pool: it will get there in time, at a cost
    that is known. :class:`Mixture` holds shares exactly; this one draws them, also in batches of
    one row. Needs what the inner strategy needs.

    Parameters
    ----------
    strategy : Strategy
        Chooses the other rows.
    epsilon : float, default=0.1
        Probability of a random row, from 0 to 1.

    References
    ----------
    Osugi, Kun and Scott, "Balancing exploration and exploitation: a new algorithm for active
    machine learning", ICDM 2005, :doi:`10.1109/ICDM.2005.33`, adapt the probability as they go;
    this is the plain form.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import EpsilonGreedy, Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500)
    >>> learner = ActiveLearner(model, EpsilonGreedy(Margin(), epsilon=0.2), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=5).shape
    (5,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "epsilon": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, strategy: Strategy, *, epsilon: float = 0.1) -> None:
        self.strategy = strategy
        self.epsilon = epsilon

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What the inner strategy reads."""
        return self.strategy.needs

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether any row is drawn."""
        return self.epsilon > 0 or self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw which places are random, and fill them when the others are."""
        rng = pool.random_state
        explores = rng.random_sample(batch_size) < self.epsilon
        n_drawn = int(explores.sum())
        picks = np.empty(batch_size, dtype=np.intp)
        if n_drawn < batch_size:
            picks[~explores] = self.strategy.select(pool, batch_size - n_drawn)
        left = rest_of(len(pool), picks[~explores])
        picks[explores] = rng.choice(left, n_drawn, replace=False) if n_drawn else []
        return picks


def rest_of(n_rows: int, chosen: Positions) -> Positions:
    """Return the positions that are not chosen, sorted, in linear time."""
    left = np.ones(n_rows, dtype=bool)
    left[chosen] = False
    return np.flatnonzero(left)


def _drawn(pool: PoolView, n_rows: int) -> Positions:
    """Draw rows of a pool, sorted."""
    return np.sort(pool.random_state.permutation(len(pool))[:n_rows])


def _label_counts(pool: PoolView) -> NDArray[np.intp]:
    """Count the labels of each class, one count a column of the probabilities."""
    if pool.labeled is None:
        return np.zeros(len(pool.classes), dtype=np.intp)
    columns = np.searchsorted(pool.classes, np.asarray(pool.labeled.y))
    return np.bincount(columns, minlength=len(pool.classes))


def _turns(
    counts: NDArray[np.intp], n_left: NDArray[np.intp], batch_size: int, rng: RandomState
) -> NDArray[np.intp]:
    """Give each place of a batch to the class of the fewest labels that has rows left."""
    # Among classes of as many labels, chance decides: a share below 1 that does not change.
    level = counts + rng.permutation(len(counts)) / len(counts)
    level[n_left == 0] = np.inf
    turns, n_left = np.empty(batch_size, dtype=np.intp), n_left.copy()
    for place in range(batch_size):
        turns[place] = column = np.argmin(level)
        n_left[column] -= 1
        level[column] = level[column] + 1 if n_left[column] else np.inf
    return turns
