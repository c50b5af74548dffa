"""Clustering: choose rows that represent clusters of the pool, uncertain or unlabeled ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import (
    AT_LEAST_ONE,
    NONNEGATIVE_INT,
    POSITIVE_INT,
    POSITIVE_INT_OR_NONE,
    POSITIVE_REAL,
    POSITIVE_REAL_OR_NONE,
)
from skactive.selectors import top
from skactive.selectors._clusters import cluster_margin, kmeans_medoids, typiclust
from skactive.strategies._base import Strategy
from skactive.strategies._pool_rows import labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["CLUE", "ClusterMargin", "DropQuery", "TypiClust"]

# As published: draws by dropout of features, and the probability of dropping one.
_N_DROPOUTS, _DROPOUT = 3, 0.75


class TypiClust(Strategy):
    r"""Choose the most typical row of each of the largest clusters without a labeled row.

    .. math:: t(x) = \Big( \frac{1}{K} \sum_{x' \in N_K(x)} \lVert z(x) - z(x') \rVert \Big)^{-1}

    with :math:`N_K(x)` the nearest neighbors of x within its cluster. K-means splits the pool and
    the labeled rows together into as many clusters as there will be labels.

    **When:** few labels, down to one per class, and meaningful embeddings (self-supervised
    features, sentence embeddings); it can start cold. With many labels strategies that use the
    uncertainty of the model do better. Needs an embedding only.

    Parameters
    ----------
    max_clusters : int, default=500
        Maximum number of clusters; beyond it, clusters are visited again, those with the fewest
        labels first.
    min_cluster_size : int, default=5
        Clusters of up to this many rows, most of them outliers, come after all others; where the
        mean cluster is small itself, only those of up to half its size do. 0 treats all alike.
    n_neighbors : int, default=20
        Number of neighbors from which the typicality of a row is computed.

    References
    ----------
    Hacohen, Dekel and Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets", ICML 2022, :doi:`10.48550/arXiv.2202.02794`.

    Notes
    -----
    Departures from the authors' code: labeled rows and rows chosen before count as neighbors, and
    up to `n_neighbors` other members of the cluster are neighbors, not only half of the remaining
    ones; distances are not squared; each turn goes to the cluster that has the fewest labels by
    then, where the code repeats one order of the clusters; clusters of up to five rows come last,
    where the code drops them and fails if there are no others.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import TypiClust
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), TypiClust(), random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before any row is labeled
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_clusters": POSITIVE_INT,
        "min_cluster_size": NONNEGATIVE_INT,
        "n_neighbors": POSITIVE_INT,
    }

    def __init__(
        self, *, max_clusters: int = 500, min_cluster_size: int = 5, n_neighbors: int = 20
    ) -> None:
        self.max_clusters = max_clusters
        self.min_cluster_size = min_cluster_size
        self.n_neighbors = n_neighbors

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Visit the clusters with the fewest labels, and choose their most typical rows."""
        return typiclust(
            pool.embedding,
            batch_size,
            labeled=labeled_embedding(pool),
            max_clusters=self.max_clusters,
            min_cluster_size=self.min_cluster_size,
            n_neighbors=self.n_neighbors,
            random_state=pool.random_state,
        )


class CLUE(Strategy):
    r"""Choose the rows nearest to the centers of clusters that are weighted by uncertainty.

    .. math:: \min_{C, \mu} \sum_k \sum_{x \in C_k} H\big[p_T(y \mid x)\big]\,
        \lVert z(x) - \mu_k \rVert^2, \qquad p_T \propto p^{1/T}

    with the entropy H, by weighted k-means. The row nearest to a center is searched within its own
    cluster, so all chosen rows are distinct; the heaviest cluster comes first. If all rows are
    certain they have equal weights.

    **When:** uncertain and diverse batches, from a pool unlike the rows that the model was trained
    on. Needs probabilities and an embedding.

    Parameters
    ----------
    temperature : float, default=1.0
        T, above 0: with small values only the most uncertain rows keep their weight, with large
        ones all rows have similar weights.

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
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"temperature": POSITIVE_REAL}

    def __init__(self, *, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Cluster the pool by embedding and entropy, and choose the medoids."""
        return kmeans_medoids(
            pool.embedding,
            batch_size,
            weights=self.explain(pool)["uncertainty"],
            random_state=pool.random_state,
        )

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the entropy, by which rows are weighted, shape (n_rows,)."""
        chunks = pool.chunks(frozenset({"proba"}))
        entropies = [self._compute_entropy(pool.take(chunk).proba) for chunk in chunks]
        return {"uncertainty": np.concatenate(entropies)}

    def _compute_entropy(self, proba: NDArray[Any]) -> Floats:
        """Return the entropy of the probabilities at this temperature, shape (n_rows,)."""
        if self.temperature != 1.0:
            # The largest probability stays 1 at any power, so that none underflows to a sum of 0.
            proba = proba / proba.max(axis=1, keepdims=True)
            proba = proba ** (1.0 / self.temperature)
            proba = proba / proba.sum(axis=1, keepdims=True)
        return scores.entropy(proba)


class ClusterMargin(Strategy):
    r"""Choose among the rows of the smallest margins, from each cluster of the pool in turn.

    .. math:: M = \text{the } \lambda b \text{ rows of the largest }
        1 - \big( p_1(x) - p_2(x) \big)

    for a batch of b rows. Average linkage joins the rows of the pool into clusters up to a
    distance :math:`\epsilon`. One row of M is drawn from each cluster in turn, starting with the
    clusters that have the fewest rows of M, and round robin until the batch is full.

    **When:** large batches, thousands of rows, in which plain margins would choose near-duplicates.
    The published method clusters once for a whole campaign; this one clusters the pool at each
    query. Above 2,000 rows k-means first makes 1,000 clusters for the linkage to join. Needs
    probabilities or a decision function, and an embedding.

    Parameters
    ----------
    factor : float, default=10.0
        :math:`\lambda`, the number of candidates as a multiple of the batch; at least 1.
    epsilon : float, default=None
        Mean distance up to which clusters are joined. None joins them until there are as many
        clusters as rows to choose, which does not depend on the scale of the embedding.

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
        "factor": AT_LEAST_ONE,
        "epsilon": POSITIVE_REAL_OR_NONE,
    }

    def __init__(self, *, factor: float = 10.0, epsilon: float | None = None) -> None:
        self.factor = factor
        self.epsilon = epsilon

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Keep the rows of the smallest margins, and choose from each cluster in turn."""
        return cluster_margin(
            pool.embedding,
            Margin().score_in_chunks(pool),
            batch_size,
            factor=self.factor,
            epsilon=self.epsilon,
            random_state=pool.random_state,
        )

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the uncertainty of the margin, by which rows become candidates."""
        return Margin().explain(pool)


class DropQuery(Strategy):
    r"""Choose diverse rows among those whose predicted class changes under dropout.

    .. math:: Z_c = \Big\{ x : \frac{1}{M} \sum_m \big[ \hat y_m(x) \ne \hat y(x) \big]
        > \frac12 \Big\}

    with :math:`\hat y` the predicted class and :math:`\hat y_m` that of draw m. K-means splits
    :math:`Z_c` into as many clusters as rows to choose, and the row nearest to each center is
    chosen. If :math:`Z_c` is smaller than the batch, the rows with the most contradicting draws
    are.

    The draws are those that the model offers: dropout in a net, the members of an ensemble. For
    other models, such as a linear probe, a draw predicts after dropout of the features, as
    published: each feature of a row (in a pipeline, of what the last step takes) becomes 0 with
    probability 3/4, else four times as large.

    **When:** a small model on the features of a large frozen one (a foundation model), even with
    few labels. Needs probabilities, an embedding, and posterior samples or rows of numbers.

    Parameters
    ----------
    n_samples : int, default=None
        M, the number of draws; None leaves it to the model (all members of an ensemble), and means
        3 where features are dropped.

    Notes
    -----
    The authors' code lowers the required share of draws until there are 25 candidates for each row
    to choose, and clusters embeddings of length 1; this one does neither.

    References
    ----------
    Gupte, Aklilu, Nirschl and Yeung-Levy, "Revisiting active learning in the era of vision
    foundation models", TMLR 2024, :doi:`10.48550/arXiv.2401.14555`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import DropQuery
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), DropQuery(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba", "proba_samples|proba", "embedding"})
    randomized = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_samples": POSITIVE_INT_OR_NONE}

    def __init__(self, *, n_samples: int | None = None) -> None:
        self.n_samples = n_samples

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose the medoids of the rows on which the draws contradict the prediction."""
        contradicting = self.explain(pool)["disagreement"]
        candidates = np.flatnonzero(contradicting > 0.5)
        if len(candidates) < batch_size:
            return top(contradicting, batch_size, pool.random_state)
        embedding = pool.take(candidates).embedding
        return candidates[kmeans_medoids(embedding, batch_size, random_state=pool.random_state)]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the share of draws that contradict the predicted class, shape (n_rows,)."""
        draw = (
            self._sample_posterior if pool.provides("proba_samples") else self._make_dropout(pool)
        )
        shares = [
            _contradicting_share(view.proba, draw(view))
            for view in map(pool.take, pool.chunks(self._readings(pool)))
        ]
        return {"disagreement": np.concatenate(shares)}

    def _readings(self, pool: PoolView) -> frozenset[str]:
        drawn = {"proba_samples"} if pool.provides("proba_samples") else set()
        return frozenset({"proba", "embedding"} | drawn)

    def _sample_posterior(self, pool: PoolView) -> Iterable[Floats]:
        return pool.proba_samples(self.n_samples)

    def _make_dropout(self, pool: PoolView) -> Callable[[PoolView], Iterable[Floats]]:
        """Return the draws of consecutive parts of the pool, by dropout of their features."""
        n_draws = self.n_samples or _N_DROPOUTS
        # Each draw has its own stream of numbers, so that the parts may be of any size.
        streams = [RandomState(seed) for seed in pool.random_state.randint(2**31, size=n_draws)]
        return lambda part: (part.predict_changed(partial(_drop_out, rng=rng)) for rng in streams)


def _drop_out(features: Any, rng: RandomState) -> Any:
    """Return features, or the nonzero ones of CSR, each kept and scaled or replaced by 0."""
    if sparse.issparse(features):
        features = sparse.csr_array(features)
        entries = (_drop_out(features.data, rng), features.indices, features.indptr)
        return sparse.csr_array(entries, shape=features.shape)
    kept = rng.random_sample(features.shape) >= _DROPOUT
    return np.where(kept, features / (1 - _DROPOUT), 0)


def _contradicting_share(proba: Floats, draws: Iterable[Floats]) -> Floats:
    """Return the share of draws that contradict the predicted class, shape (n_rows,)."""
    predicted = proba.argmax(axis=1)
    contradicts = [draw.argmax(axis=1) != predicted for draw in draws]
    return np.mean(contradicts, axis=0)
