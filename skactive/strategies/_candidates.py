"""Composition for large and unbalanced pools: which rows a strategy gets to choose from."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._compat import Interval
from skactive.exceptions import TiedScoresWarning
from skactive.selectors import kmeans_plusplus, top
from skactive.selectors._neighbors import cosine_to_neighbors, neighborhood
from skactive.strategies._base import A_STRATEGY, Positions, Strategy

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["SEALS", "AnchorAL", "ClassBalanced", "EpsilonGreedy", "rest_of"]

A_NUMBER: list[Any] = [Interval(Integral, 1, None, closed="left")]


class _Pruned(Strategy):
    """Base of those that let a strategy choose among the rows near to labelled ones."""

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
    """Let a strategy choose among the rows nearest to the labelled ones.

    A row is a candidate if it is among the nearest rows of any labelled row, in the embedding.

    **When:** the classes sought are rare and the pool is large: most of it is far from anything of
    interest, and the strategy, with the model's readings that it needs, meets the candidates only.
    The embedding should be one in which rows of a class lie together, such as that of a pretrained
    net. What no labelled row is near to is not found: start with an example of each class. Needs
    an embedding of the whole pool, and what the inner strategy needs of the candidates. Where
    nothing is labelled, the candidates are drawn at random, as many as neighbours.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_neighbors : int, default=100
        How many nearest rows of each labelled row are candidates; never fewer than the batch.
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
        "strategy": A_STRATEGY,
        "n_neighbors": A_NUMBER,
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
    r"""Let a strategy choose among the rows most alike to some labelled rows of each class.

    In each class, anchors are drawn from its labelled rows by k-means++ seeding; each anchor
    retrieves the rows of the pool that are nearest to it by cosine. The candidates are the rows of
    the highest

    .. math:: s(x) = \frac{1}{|A(x)|} \sum_{a \in A(x)} \cos \big( z(a), z(x) \big)

    with :math:`A(x)` the anchors that have retrieved x and :math:`z` the embedding.

    **When:** classes are unbalanced and the pool is large: every class has as many anchors, so
    that rare ones have their share of the candidates, and the anchors change from query to query.
    Needs an embedding in which cosines mean likeness, labelled rows of every class, and what the
    inner strategy needs of the candidates. Where nothing is labelled, the candidates are drawn at
    random.

    Parameters
    ----------
    strategy : Strategy
        Chooses among the candidates.
    n_anchors : int, default=10
        How many anchors a class has; all of its labelled rows where there are fewer.
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
        "strategy": A_STRATEGY,
        "n_anchors": A_NUMBER,
        "n_neighbors": A_NUMBER,
        "n_candidates": A_NUMBER,
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
        """Choose anchors among the labelled rows of each class, sorted by position."""
        labels = np.asarray(y)
        anchors = []
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            drawn = kmeans_plusplus(known[members], self.n_anchors, random_state=rng)
            anchors.append(members[drawn])
        return np.sort(np.concatenate(anchors))


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
    optimisation over the batch; this is the plain form, which takes predictions at their word.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"strategy": A_STRATEGY}

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
        "strategy": A_STRATEGY,
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
