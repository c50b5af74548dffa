"""Composition by candidates: let a strategy choose from a part of a large pool."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState

from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import AT_LEAST_ONE, POSITIVE_INT, SCORE_STRATEGY, STRATEGY
from skactive._utils.labels import find_missing, is_structured
from skactive.selectors import kmeans_plusplus, top
from skactive.selectors._engine.neighbors import cosine_to_neighbors, neighborhood
from skactive.strategies._base import ScoreStrategy, Strategy
from skactive.strategies._pool_rows import draw_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["SEALS", "AnchorAL", "Prefilter", "Subsample"]


class Subsample(Strategy):
    """Let a strategy choose from a random sample of the pool.

    **When:** the pool is too large for the strategy; or near-duplicates should be met less often.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_candidates : int, default=1000
        Number of candidates to draw; never fewer than the batch.

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
        "n_candidates": POSITIVE_INT,
    }

    def __init__(self, strategy: Strategy, *, n_candidates: int = 1000) -> None:
        self.strategy = strategy
        self.n_candidates = n_candidates

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of the inner strategy."""
        return self.strategy.needs

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw candidates, and let the inner strategy choose among them."""
        candidates = draw_rows(pool, max(self.n_candidates, batch_size))
        return candidates[self.strategy.select(pool.take(candidates), batch_size)]


class Prefilter(Strategy):
    """Let a strategy choose among the rows with the highest scores of another one.

    **When:** a costly or a diversity strategy should look at the most uncertain rows only. With
    :class:`Margin` and :class:`KMeans` it is the simple way to diverse, uncertain batches.

    Parameters
    ----------
    prefilter : ScoreStrategy
        Scores the rows of the pool.
    strategy : Strategy
        Chooses among the rows with the highest scores.
    factor : float, default=10.0
        Number of these rows, as a multiple of the batch; at least 1.

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
        "prefilter": SCORE_STRATEGY,
        "strategy": STRATEGY,
        "factor": AT_LEAST_ONE,
    }

    def __init__(
        self, prefilter: ScoreStrategy, strategy: Strategy, *, factor: float = 10.0
    ) -> None:
        self.prefilter = prefilter
        self.strategy = strategy
        self.factor = factor

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of both strategies."""
        return self.prefilter.needs | self.strategy.needs

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if either strategy is randomized."""
        return self.prefilter.randomized or self.strategy.randomized

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Keep the rows with the highest scores, and let the strategy choose among them."""
        scores = self.prefilter.score_in_chunks(pool)
        n_candidates = math.floor(round(self.factor * batch_size, 6))  # 1.15 * 100 is 114.99...
        candidates = top(scores, min(len(pool), n_candidates), pool.random_state)
        return candidates[self.strategy.select(pool.take(candidates), batch_size)]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what makes rows candidates; the strategy only sees those."""
        return self.prefilter.explain(pool)


class _NeighborCandidates(Strategy):
    """Base of the strategies that let another one choose among the neighbors of labeled rows."""

    strategy: Strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The embedding, and the readings of the inner strategy."""
        return self.strategy.needs | {"embedding"}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Find the candidates, and let the inner strategy choose among them."""
        candidates = self._find_candidates(pool, max(1, batch_size))
        if len(candidates) == len(pool):
            return self.strategy.select(pool, batch_size)
        return candidates[self.strategy.select(pool.take(candidates), batch_size)]

    @abstractmethod
    def _find_candidates(self, pool: PoolView, batch_size: int) -> Positions:
        """Return the positions of at least `batch_size` rows, sorted."""


class SEALS(_NeighborCandidates):
    """Let a strategy choose among the nearest neighbors of the labeled rows.

    A row is a candidate if it is among the nearest neighbors of any labeled row in the embedding.

    **When:** the classes of interest are rare and the pool is large: most of it is irrelevant, and
    the model and the inner strategy only see the candidates. The rows of a class should lie
    together in the embedding, as in that of a pretrained net. Rows far from every labeled row are
    never found: start with an example of each class. Needs an embedding of the whole pool, and the
    readings of the inner strategy for the candidates. Without labeled rows, `n_neighbors`
    candidates are drawn at random.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_neighbors : int, default=100
        Number of nearest neighbors of each labeled row that are candidates; never fewer than the
        batch. Rows that tie for the last rank are all candidates.

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
        """True if the inner strategy is randomized."""
        return self.strategy.randomized

    def _find_candidates(self, pool: PoolView, batch_size: int) -> Positions:
        n_neighbors = max(self.n_neighbors, batch_size)
        if pool.labeled is None:
            return draw_rows(pool, n_neighbors)
        is_neighbor = neighborhood(pool.embedding, pool.labeled.embedding, n_neighbors)
        return np.flatnonzero(is_neighbor)


class AnchorAL(_NeighborCandidates):
    r"""Let a strategy choose among the rows most similar to labeled rows of each class.

    In each class (of several labels per row, each class of each label), anchors are drawn from its
    labeled rows by k-means++ seeding; each anchor retrieves the rows of the pool that are most
    similar to it by cosine. The candidates are the rows of the highest

    .. math:: s(x) = \frac{1}{|A(x)|} \sum_{a \in A(x)} \cos \big( z(a), z(x) \big)

    with :math:`A(x)` the anchors that retrieved x and :math:`z` the embedding.

    **When:** classes are imbalanced and the pool is large: every class has the same number of
    anchors, so that rare ones get their share of the candidates, and the anchors change from query
    to query. Needs an embedding in which cosines measure similarity, labeled rows of every class,
    and the readings of the inner strategy for the candidates. Without labeled rows, the candidates
    are drawn at random.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_anchors : int, default=10
        Number of anchors per class, at most its labeled rows.
    n_neighbors : int, default=50
        Number of rows that each anchor retrieves; never fewer than the batch.
    n_candidates : int, default=1000
        Maximum number of candidates; never fewer than the batch.

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

    def _find_candidates(self, pool: PoolView, batch_size: int) -> Positions:
        n_candidates = max(self.n_candidates, batch_size)
        if pool.labeled is None:
            return draw_rows(pool, n_candidates)
        labeled, rng = pool.labeled.embedding, pool.random_state
        anchors = labeled[self._draw_anchors(labeled, pool.labeled.y, rng)]
        n_neighbors = max(self.n_neighbors, batch_size)
        similarity = cosine_to_neighbors(pool.embedding, anchors, n_neighbors)  # (n_rows,)
        n_retrieved = int(np.isfinite(similarity).sum())  # -inf: retrieved by no anchor
        return np.sort(top(similarity, min(n_candidates, n_retrieved), rng))

    def _draw_anchors(self, labeled: Any, y: Any, rng: RandomState) -> Positions:
        """Draw anchors among the labeled rows of each class, sorted by position."""
        anchors = [
            members[kmeans_plusplus(labeled[members], self.n_anchors, random_state=rng)]
            for members in _group_by_class(y, labeled.shape[0])
        ]
        return np.unique(np.concatenate(anchors))


def _group_by_class(y: Any, n_labeled: int) -> list[Positions]:
    """Return the positions of the rows of each class, of several labels for each of these.

    Labels of any other kind (tags, boxes, maps) have no classes: all rows are one group, and so
    are elements whose labels are not known one by one (`y` is None).
    """
    if y is None or is_structured(y) or np.ndim(y) > 2:
        return [np.arange(n_labeled)]
    columns = np.asarray(y).reshape(len(y), -1).T
    groups = []
    for labels in columns:
        known = np.flatnonzero(~find_missing(labels))
        groups += [known[labels[known] == label] for label in np.unique(labels[known].tolist())]
    return groups
