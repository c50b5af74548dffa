"""Composition for large and unbalanced pools: which rows a strategy gets to choose from."""

from __future__ import annotations

import math
from abc import abstractmethod
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState

from skactive._utils.compat import HasMethods, Interval
from skactive.selectors import kmeans_plusplus, top
from skactive.selectors._engine.neighbors import cosine_to_neighbors, neighborhood
from skactive.strategies._base import STRATEGY, Positions, ScoreStrategy, Strategy
from skactive.strategies._mixture import _drawn

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["SEALS", "AnchorAL", "Prefilter", "Subsample"]

POSITIVE_INT: list[Any] = [Interval(Integral, 1, None, closed="left")]


class _Pruned(Strategy):
    """Base of those that let a strategy choose among the rows near to labeled ones."""

    strategy: Strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """An embedding, and what the inner strategy reads."""
        return self.strategy.needs | {"embedding"}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Keep the candidates, and let the inner strategy choose among them."""
        candidates = self._candidates(pool, max(1, batch_size))
        if len(candidates) == len(pool):
            return self.strategy.select(pool, batch_size)
        return candidates[self.strategy.select(pool.take(candidates), batch_size)]

    @abstractmethod
    def _candidates(self, pool: PoolView, batch_size: int) -> Positions:
        """Return the positions of at least `batch_size` rows, sorted."""


class SEALS(_Pruned):
    """Let a strategy choose among the rows nearest to the labeled ones.

    A row is a candidate if it is among the nearest rows of any labeled row, in the embedding.

    **When:** the classes sought are rare and the pool is large: most of it is far from anything of
    interest, and the strategy, with the model's readings that it needs, meets the candidates only.
    The embedding should be one in which rows of a class lie together, such as that of a pretrained
    net. What no labeled row is near to is not found: start with an example of each class. Needs
    an embedding of the whole pool, and what the inner strategy needs of the candidates. Where
    nothing is labeled, the candidates are drawn at random, as many as neighbors.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_neighbors : int, default=100
        How many nearest rows of each labeled row are candidates; never fewer than the batch.
        Rows that tie for the last place are all candidates.

    References
    ----------
    Coleman, Chou, Katz-Samuels, Culatana, Bailis, Berg, Nowak, Sumbaly, Zaharia and Yalniz,
    "Similarity search for efficient active learning and search of rare concepts", AAAI 2022,
    :doi:`10.48550/arXiv.2007.00077`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import SEALS, Margin
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = SEALS(Margin(), n_neighbors=10)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> learner.fit(X[:50], y[:50]).query(X[50:], batch_size=5).shape
    (5,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "n_neighbors": POSITIVE_INT,
    }

    def __init__(self, strategy: Strategy, *, n_neighbors: int = 100) -> None:
        self.strategy = strategy
        self.n_neighbors = n_neighbors

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether the inner strategy draws."""
        return self.strategy.randomized

    def _candidates(self, pool: PoolView, batch_size: int) -> Positions:
        n_neighbors = max(self.n_neighbors, batch_size)
        if pool.labeled is None:
            return _drawn(pool, n_neighbors)
        near = neighborhood(pool.embedding, pool.labeled.embedding, n_neighbors)
        return np.flatnonzero(near)


class AnchorAL(_Pruned):
    r"""Let a strategy choose among the rows most alike to some labeled rows of each class.

    In each class, anchors are drawn from its labeled rows by k-means++ seeding; each anchor
    retrieves the rows of the pool that are nearest to it by cosine. The candidates are the rows of
    the highest

    .. math:: s(x) = \frac{1}{|A(x)|} \sum_{a \in A(x)} \cos \big( z(a), z(x) \big)

    with :math:`A(x)` the anchors that have retrieved x and :math:`z` the embedding.

    **When:** classes are unbalanced and the pool is large: every class has as many anchors, so
    that rare ones have their share of the candidates, and the anchors change from query to query.
    Needs an embedding in which cosines mean likeness, labeled rows of every class, and what the
    inner strategy needs of the candidates. Where nothing is labeled, the candidates are drawn at
    random.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_anchors : int, default=10
        How many anchors a class has; all of its labeled rows where there are fewer.
    n_neighbors : int, default=50
        How many rows each anchor retrieves; never fewer than the batch.
    n_candidates : int, default=1000
        How many rows to keep at most; never fewer than the batch.

    References
    ----------
    Lesci and Vlachos, "AnchorAL: computationally efficient active learning for large and
    imbalanced datasets", NAACL 2024, :doi:`10.48550/arXiv.2404.05623`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import AnchorAL, Margin
    >>> X, y = load_digits(return_X_y=True)
    >>> strategy = AnchorAL(Margin(), n_anchors=2, n_candidates=100)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy, random_state=0)
    >>> learner.fit(X[:50], y[:50]).query(X[50:], batch_size=5).shape
    (5,)
    """

    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": STRATEGY,
        "n_anchors": POSITIVE_INT,
        "n_neighbors": POSITIVE_INT,
        "n_candidates": POSITIVE_INT,
    }

    def __init__(
        self,
        strategy: Strategy,
        *,
        n_anchors: int = 10,
        n_neighbors: int = 50,
        n_candidates: int = 1000,
    ) -> None:
        self.strategy = strategy
        self.n_anchors = n_anchors
        self.n_neighbors = n_neighbors
        self.n_candidates = n_candidates

    def _candidates(self, pool: PoolView, batch_size: int) -> Positions:
        n_candidates = max(self.n_candidates, batch_size)
        if pool.labeled is None:
            return _drawn(pool, n_candidates)
        known, rng = pool.labeled.embedding, pool.random_state
        anchors = known[self._anchors(known, pool.labeled.y, rng)]
        n_neighbors = max(self.n_neighbors, batch_size)
        likeness = cosine_to_neighbors(pool.embedding, anchors, n_neighbors)
        n_retrieved = int(np.isfinite(likeness).sum())
        return np.sort(top(likeness, min(n_candidates, n_retrieved), rng))

    def _anchors(self, known: Any, y: Any, rng: RandomState) -> Positions:
        """Choose anchors among the labeled rows of each class, sorted by position."""
        labels = np.asarray(y)
        anchors = []
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            drawn = kmeans_plusplus(known[members], self.n_anchors, random_state=rng)
            anchors.append(members[drawn])
        return np.sort(np.concatenate(anchors))


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
        "strategy": STRATEGY,
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
        "strategy": STRATEGY,
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
