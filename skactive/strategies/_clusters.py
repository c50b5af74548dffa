"""Clusters: rows that stand for parts of the pool, the doubtful or the uncovered ones."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.compat import Interval
from skactive.selectors import top
from skactive.selectors._clusters import cluster_margin, kmeans_medoids, typiclust
from skactive.strategies._base import POSITIVE_INT, Positions, Strategy
from skactive.strategies._diversity import labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["CLUE", "ClusterMargin", "DropQuery", "TypiClust"]

A_NUMBER_FROM_1: list[Any] = [Interval(Integral, 1, None, closed="left")]
A_POSITIVE: Any = Interval(Real, 0, None, closed="neither")


class TypiClust(Strategy):
    r"""Choose the most typical row of each of the largest clusters that have no label.

    .. math:: t(x) = \Big( \frac{1}{K} \sum_{x' \in N_K(x)} \lVert z(x) - z(x') \rVert \Big)^{-1}

    with :math:`N_K(x)` the nearest neighbors of x within its cluster. Pool and labeled rows
    together form as many k-means clusters as there will be labels.

    **When:** few labels, down to one a class, and embeddings that mean something (self-supervised
    features, sentence embeddings); it can start cold. With many labels strategies that look at the
    model's doubts do better. Needs an embedding only.

    Parameters
    ----------
    max_clusters : int, default=500
        Most clusters to make; then clusters are visited again, those of the fewest labels first.
    n_neighbors : int, default=20
        How many neighbors tell how typical a row is.

    References
    ----------
    Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets", ICML 2022, :doi:`10.48550/arXiv.2202.02794`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import TypiClust
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), TypiClust(), random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before there is any label
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_clusters": A_NUMBER_FROM_1,
        "n_neighbors": A_NUMBER_FROM_1,
    }

    def __init__(self, *, max_clusters: int = 500, n_neighbors: int = 20) -> None:
        self.max_clusters = max_clusters
        self.n_neighbors = n_neighbors

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Visit the clusters that have the fewest labels, and choose their most typical rows."""
        return typiclust(
            pool.embedding,
            batch_size,
            labeled=labeled_embedding(pool),
            max_clusters=self.max_clusters,
            n_neighbors=self.n_neighbors,
            random_state=pool.random_state,
        )


class CLUE(Strategy):
    r"""Choose the rows nearest to the centers of clusters in which uncertain rows weigh more.

    .. math:: \min_{C, \mu} \sum_k \sum_{x \in C_k} H\big[p_T(y \mid x)\big]\,
        \lVert z(x) - \mu_k \rVert^2, \qquad p_T \propto p^{1/T}

    with the entropy H, by weighted k-means. The row nearest to a center is sought in its own
    cluster, so all are distinct; the heaviest cluster comes first. Where all rows are certain they
    weigh the same.

    **When:** batches that shall be uncertain as well as varied, in a pool unlike the rows that the
    model was trained on. Needs probabilities and an embedding.

    Parameters
    ----------
    temperature : float, default=1.0
        T, above 0: small values leave only the most uncertain rows their weight, large ones weigh
        all rows alike.

    References
    ----------
    Prabhu, Chandrasekaran, Saenko and Hoffman, "Active domain adaptation via clustering
    uncertainty-weighted embeddings", ICCV 2021, :doi:`10.48550/arXiv.2010.08666`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import CLUE
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), CLUE(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba", "embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"temperature": [A_POSITIVE]}

    def __init__(self, *, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Cluster the pool by embedding and entropy, and choose the medoids."""
        chunks = pool.chunks(frozenset({"proba"}))
        doubts = [self._entropy(pool.take(chunk).proba) for chunk in chunks]
        return kmeans_medoids(
            pool.embedding,
            batch_size,
            weights=np.concatenate(doubts),
            random_state=pool.random_state,
        )

    def _entropy(self, proba: NDArray[Any]) -> NDArray[np.float64]:
        """Return the entropy of the probabilities at this temperature, (n_rows,)."""
        if self.temperature != 1.0:
            proba = proba / proba.max(axis=1, keepdims=True)  # the largest stays 1 at any power
            proba = proba ** (1.0 / self.temperature)
            proba = proba / proba.sum(axis=1, keepdims=True)
        return scores.entropy(proba)


class ClusterMargin(Strategy):
    r"""Choose among the rows of the smallest margin, from each cluster of the pool in turn.

    .. math:: M = \text{the } \lambda b \text{ rows of the largest }
        1 - \big( p_1(x) - p_2(x) \big)

    for a batch of b rows. Average linkage joins the rows of the pool into clusters up to a
    distance :math:`\epsilon`; each cluster in turn, those with the fewest rows of M first, gives
    one of its rows of M at random, round and round until the batch is full.

    **When:** large batches, thousands of rows, of which plain margins would make near-duplicates.
    The published method clusters once for a whole campaign; this one clusters the pool of each
    query. Above 2 000 rows k-means makes 1 000 clusters for the hierarchy to join. Needs
    probabilities or a decision function, and an embedding.

    Parameters
    ----------
    factor : float, default=10.0
        :math:`\lambda`, how many rows are candidates, as a multiple of the batch; at least 1.
    epsilon : float, default=None
        Mean distance up to which clusters are joined. None joins them until there are as many
        clusters as rows to choose, which asks nothing about the scale of the embedding.

    References
    ----------
    Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh and Kumar, "Batch active
    learning at scale", NeurIPS 2021, :doi:`10.48550/arXiv.2107.14263`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ClusterMargin
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), ClusterMargin(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = Margin.needs | {"embedding"}
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "factor": [Interval(Real, 1, None, closed="left")],
        "epsilon": [A_POSITIVE, None],
    }

    def __init__(self, *, factor: float = 10.0, epsilon: float | None = None) -> None:
        self.factor = factor
        self.epsilon = epsilon

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Keep the rows of the smallest margins, and take of each cluster in turn."""
        return cluster_margin(
            pool.embedding,
            Margin().score_in_chunks(pool),
            batch_size,
            factor=self.factor,
            epsilon=self.epsilon,
            random_state=pool.random_state,
        )


class DropQuery(Strategy):
    r"""Choose varied rows among those whose predicted class does not stand up to dropout.

    .. math:: Z_c = \Big\{ x : \frac{1}{M} \sum_m \big[ \hat y_m(x) \ne \hat y(x) \big]
        \ge \frac12 \Big\}

    with :math:`\hat y` the predicted class and :math:`\hat y_m` that of draw m. The row nearest to
    the center of each of as many k-means clusters of :math:`Z_c` as rows are asked for is chosen.
    Where :math:`Z_c` is smaller than the batch, the rows with the most draws against them are.

    **When:** a small model on the features of a large one that stays as it is (a foundation
    model), from few labels on. The published method drops three quarters of the *features* in
    each of three draws; this one takes the draws that the model offers: dropout in a net, the
    members of an ensemble. Needs posterior samples, probabilities and an embedding.

    Parameters
    ----------
    n_samples : int, default=None
        M, how many draws; None leaves it to the model (all members of an ensemble).

    References
    ----------
    Gupte, Aklilu, Nirschl and Yeung-Levy, "Revisiting active learning in the era of vision
    foundation models", TMLR 2024, :doi:`10.48550/arXiv.2401.14555`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import DropQuery
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), DropQuery(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba", "proba_samples", "embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_samples": POSITIVE_INT}

    def __init__(self, *, n_samples: int | None = None) -> None:
        self.n_samples = n_samples

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose the medoids of the rows on which the draws contradict the prediction."""
        chunks = pool.chunks(self.needs)
        against = np.concatenate([self._share_against(pool.take(chunk)) for chunk in chunks])
        candidates = np.flatnonzero(against >= 0.5)
        if len(candidates) < batch_size:
            return top(against, batch_size, pool.random_state)
        embedding = pool.take(candidates).embedding
        return candidates[kmeans_medoids(embedding, batch_size, random_state=pool.random_state)]

    def _share_against(self, pool: PoolView) -> NDArray[np.float64]:
        """Return the share of the draws whose class is not the predicted one, (n_rows,)."""
        predicted, samples = pool.proba.argmax(axis=1), pool.proba_samples(self.n_samples)
        against = np.zeros(len(predicted))
        for draw in samples:
            against += draw.argmax(axis=1) != predicted
        return against / len(samples)
