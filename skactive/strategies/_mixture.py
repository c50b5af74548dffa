"""Division by shares: batches divided among strategies, chance, classes or clusters."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import BaseComposition
from skactive._utils.constraints import POSITIVE_INT, STRATEGY, UNIT_INTERVAL
from skactive.exceptions import TiedScoresWarning
from skactive.selectors._engine.clustering import cluster_by_kmeans
from skactive.selectors._engine.points import canonical
from skactive.strategies._base import Strategy, change_named
from skactive.strategies._pool_rows import remaining_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["ClassBalanced", "ClusterBalanced", "EpsilonGreedy", "Mixture", "assign_columns"]


class Mixture(BaseComposition, Strategy):
    """Divide each batch among several strategies.

    Each strategy in turn chooses its share among the remaining rows; the batch alternates between
    them. If a share is not an integer number of rows, the strategy that gets the odd row is drawn
    at random, so that the shares hold on average, even for batches of one row.

    **When:** to hedge: some rows by uncertainty, some by coverage, some by :class:`Random`. (Rows
    that a model learns from say little about its accuracy, however they were chosen: to estimate
    it, set rows aside as ``SimulatedLearner(audit_share=...)`` does.)

    Parameters
    ----------
    strategies : list of (str, Strategy)
        Names and strategies; the names give access to the parameters of the strategies.
    shares : array-like of shape (n_strategies,), default=None
        Shares of the batch, up to a common factor; None gives equal shares.

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
        """Return the parameters, and with `deep` those of the strategies by their names."""
        return self._get_params("strategies", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``name`` replaces a strategy, ``name__param`` sets its parameter."""
        return self._set_params("strategies", **params)

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of all strategies."""
        return frozenset().union(*(strategy.needs for _, strategy in self.strategies))

    def _validate_params(self) -> None:
        super()._validate_params()
        for item in self.strategies:
            if not isinstance(item, tuple) or len(item) != 2:
                raise ValueError(f"strategies must be a list of (name, strategy), got {item!r}.")
        self._validate_names([name for name, _ in self.strategies])
        if not self.strategies:
            raise ValueError("strategies must contain at least one (name, strategy), got none.")
        if self.shares is not None and not _are_shares(self.shares, len(self.strategies)):
            raise ValueError(
                f"shares must be {len(self.strategies)} finite numbers >= 0, not all 0; "
                f"got {self.shares!r}."
            )

    def parts(self) -> list[Any]:
        """Return the strategies that share the batch."""
        return [strategy for _, strategy in self.strategies]

    def with_parts(self, change: Callable[[Any], Any]) -> Any:
        """Return the same division among other strategies; this one if none of them changes."""
        return change_named(self, self.strategies, change)

    def _get_shares(self) -> Floats:
        shares = np.ones(len(self.strategies)) if self.shares is None else self.shares
        return np.asarray(shares, dtype=np.float64)

    def _draw_counts(self, batch_size: int, rng: RandomState) -> NDArray[np.intp]:
        """Draw the number of rows per strategy, within 1 of its share and equal to it on average.

        This is systematic sampling, with one random offset on the running sum of the shares.
        """
        shares = self._get_shares()
        edges = np.cumsum(shares) / shares.sum() * batch_size  # (n_strategies,)
        edges[-1] = batch_size  # exactly, whatever the rounding
        steps = np.minimum(np.floor(edges + rng.uniform()), batch_size)
        return np.diff(steps.astype(np.intp), prepend=0)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Let each strategy choose its share among the remaining rows."""
        remaining = np.arange(len(pool))
        chosen, ranks = [remaining[:0]], [np.empty(0)]
        counts = self._draw_counts(batch_size, pool.random_state)
        for (_, strategy), count in zip(self.strategies, counts, strict=True):
            if count:
                # The pool itself caches its readings, and the views taken of it share them.
                view = pool if len(remaining) == len(pool) else pool.take(remaining)
                chosen.append(remaining[strategy.select(view, int(count))])
                ranks.append((np.arange(count) + 0.5) / count)  # the middles of equal parts
                remaining = remaining_rows(len(pool), np.concatenate(chosen))
        order = np.argsort(np.concatenate(ranks), kind="stable")
        return np.concatenate(chosen)[order]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the choice of each strategy depends on, with the strategy's name."""
        return {
            f"{part} ({name})": values
            for name, strategy in self.strategies
            for part, values in strategy.explain(pool).items()
        }


def _are_shares(shares: Any, n: int) -> bool:
    """Return whether shares are `n` finite numbers >= 0, not all 0."""
    try:
        shares = np.asarray(shares)
    except ValueError:  # a ragged list
        return False
    if shares.shape != (n,) or shares.dtype.kind not in "iuf":
        return False
    return bool(np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0)


class EpsilonGreedy(Strategy):
    """Let a strategy choose, but replace each pick by a random row with a small probability.

    Each slot of a batch is random independently of the others; the random slots are filled with
    rows drawn uniformly from those that the strategy has not chosen.

    **When:** a strategy may be blind to a part of the pool: this one explores it in time, at a
    known cost. :class:`Mixture` keeps shares exactly; this one draws them. Needs the readings of
    the inner strategy.

    Parameters
    ----------
    strategy : Strategy
        Chooses the rows of the other slots.
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
        "epsilon": UNIT_INTERVAL,
    }

    def __init__(self, strategy: Strategy, *, epsilon: float = 0.1) -> None:
        self.strategy = strategy
        self.epsilon = epsilon

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of the inner strategy."""
        return self.strategy.needs

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if rows are drawn, or the inner strategy is randomized."""
        return self.epsilon > 0 or self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw the random slots, let the strategy fill the others, then fill the random ones."""
        rng = pool.random_state
        is_random = rng.random_sample(batch_size) < self.epsilon  # (batch_size,)
        n_random = int(is_random.sum())
        picks = np.empty(batch_size, dtype=np.intp)
        if n_random < batch_size:
            picks[~is_random] = self.strategy.select(pool, batch_size - n_random)
        remaining = remaining_rows(len(pool), picks[~is_random])
        picks[is_random] = rng.choice(remaining, n_random, replace=False) if n_random else []
        return picks

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the choice of the strategy depends on."""
        return self.strategy.explain(pool)


class ClassBalanced(Strategy):
    r"""Divide each batch among the predicted classes, so that the labels become balanced.

    Row by row, the batch takes the class c with the fewest labels known or expected,

    .. math:: \arg\min_c \; \big( |\{l : y_l = c\}| + |\{s \in S : \hat y(s) = c\}| \big)

    among those that the model predicts for remaining rows, with S the rows of the batch so far and
    :math:`\hat y` the most probable class. Within each class the inner strategy chooses.

    **When:** some classes are rare, and plain uncertainty keeps asking about the common ones. It is
    only as good as the predictions: a class that the model never predicts gets no row. Needs
    probabilities and the readings of the inner strategy.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the rows of one predicted class.

    References
    ----------
    Bengar, van de Weijer, Lopez-Fuentes and Raducanu, "Class-balanced active learning for image
    classification", WACV 2022, :doi:`10.48550/arXiv.2110.04543`, balance expected counts by an
    optimization over the batch; this is the plain form, which takes predictions at face value.

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
        """The probabilities, and the readings of the inner strategy."""
        return self.strategy.needs | {"proba"}

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if the inner strategy is randomized."""
        return self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Assign each slot of the batch to a class, and let the inner strategy fill it."""
        predicted = pool.proba.argmax(axis=1)  # (n_rows,), columns
        n_candidates = np.bincount(predicted, minlength=len(pool.classes))
        columns = assign_columns(_count_labels(pool), n_candidates, batch_size, pool.random_state)
        picks = np.empty(batch_size, dtype=np.intp)
        with warnings.catch_warnings():
            if n_candidates.max() < len(pool):  # the few rows of one class may well tie
                warnings.simplefilter("ignore", TiedScoresWarning)
            for column in np.unique(columns):
                members = np.flatnonzero(predicted == column)
                slots = np.flatnonzero(columns == column)
                picks[slots] = members[self.strategy.select(pool.take(members), len(slots))]
        return picks

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the choice of the strategy depends on, in the whole pool."""
        return self.strategy.explain(pool)


class ClusterBalanced(Strategy):
    r"""Draw rows at random, so that clusters of the pool get the same number of labels.

    Row by row, the batch takes a cluster of k-means with the fewest rows labeled or drawn so far,
    among those with rows left, and draws one of its rows uniformly.

    **When:** to start without any label where some kinds of rows are rare: a uniform draw misses
    small clusters, and :class:`KMeans` ties the number of clusters to the batch and always takes
    their centers. Within a cluster the rows are a random sample. Classes are balanced as far as
    clusters are classes; to start with rows balanced by labels that are known, pass their
    positions as ``initial`` to :meth:`SimulatedLearner.fit <skactive.SimulatedLearner.fit>`.
    Needs an embedding only.

    Parameters
    ----------
    n_clusters : int, default=10
        Number of clusters, at most the number of rows; two or three times the number of classes
        are a good start.

    References
    ----------
    Kang, Ryu and Kwon, "Using cluster-based sampling to select initial training set for active
    learning in text classification", PAKDD 2004, :doi:`10.1007/978-3-540-24775-3_46`, take the
    centers; this is the random form.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ClusterBalanced
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = ClusterBalanced(n_clusters=3)
    >>> learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before any row is labeled
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_clusters": POSITIVE_INT}

    def __init__(self, n_clusters: int = 10) -> None:
        self.n_clusters = n_clusters

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Assign each slot of the batch to a cluster, and draw a row of it."""
        rng, parts = pool.random_state, [canonical(pool.embedding)]
        if pool.labeled is not None:
            parts.append(canonical(pool.labeled.embedding))
        n_clusters = min(self.n_clusters, len(pool))
        clusters = cluster_by_kmeans(parts, n_clusters, rng)
        own = clusters[: len(pool)]
        n_labeled, n_own = (
            np.bincount(part, minlength=n_clusters) for part in (clusters[len(pool) :], own)
        )
        columns = assign_columns(n_labeled, n_own, batch_size, rng)
        picks = np.empty(batch_size, dtype=np.intp)
        for cluster in np.unique(columns):
            slots = np.flatnonzero(columns == cluster)
            picks[slots] = rng.permutation(np.flatnonzero(own == cluster))[: len(slots)]
        return picks


def _count_labels(pool: PoolView) -> NDArray[np.intp]:
    """Count the labels per class, shape (n_classes,), in the order of the probabilities."""
    if pool.labeled is None:
        return np.zeros(len(pool.classes), dtype=np.intp)
    columns = np.searchsorted(pool.classes, np.asarray(pool.labeled.y))
    return np.bincount(columns, minlength=len(pool.classes))


def assign_columns(
    n_labels: NDArray[np.intp], n_candidates: NDArray[np.intp], batch_size: int, rng: RandomState
) -> NDArray[np.intp]:
    """Assign each slot of a batch to the class with the fewest labels that still has candidates.

    Parameters
    ----------
    n_labels, n_candidates : ndarray of shape (n_classes,)
        Numbers of labels, and of candidates predicted to be of each class.
    batch_size : int
        Number of slots.
    rng : RandomState
        Breaks ties.

    Returns
    -------
    ndarray of shape (batch_size,)
        Columns of the classes.
    """
    # Ties are broken at random, by a fraction below 1 that each class keeps for all slots.
    n_expected = n_labels + rng.permutation(len(n_labels)) / len(n_labels)
    n_expected[n_candidates == 0] = np.inf
    columns, n_candidates = np.empty(batch_size, dtype=np.intp), n_candidates.copy()
    for slot in range(batch_size):
        columns[slot] = column = np.argmin(n_expected)
        n_candidates[column] -= 1
        n_expected[column] = n_expected[column] + 1 if n_candidates[column] else np.inf
    return columns
