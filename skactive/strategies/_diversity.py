"""Diversity: rows that stand for the pool, whatever the model thinks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skactive.selectors import k_center_greedy, kmeans_medoids
from skactive.strategies._base import Positions, Strategy

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["KCenterGreedy", "KMeans", "labeled_embedding"]


def labeled_embedding(pool: PoolView) -> Any:
    """Return the embedding of the labelled rows, or None where there are none."""
    return None if pool.labeled is None else pool.labeled.embedding


class KMeans(Strategy):
    """Choose the rows nearest to the centres of as many clusters as rows are asked for.

    **When:** to start from nothing, with rows that stand for the whole pool; large clusters come
    first. It does not look at labels, so a later batch may choose near rows that are labelled;
    :class:`KCenterGreedy` does not. Needs an embedding only.

    References
    ----------
    Xu, Yu, Tresp, Xu and Wang, "Representative sampling for text classification using support
    vector machines", ECIR 2003, :doi:`10.1007/3-540-36618-0_28`, cluster within the margin;
    this is the plain form.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import KMeans
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), KMeans(), random_state=0)
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before there is any label
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    randomized = True

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose the medoids of `batch_size` clusters."""
        return kmeans_medoids(pool.embedding, batch_size, random_state=pool.random_state)


class KCenterGreedy(Strategy):
    r"""Choose rows that are farthest from all that are labelled or chosen (Core-Set).

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}} \lVert z(x) - z(s) \rVert

    Greedy farthest-first traversal: the largest distance from any row to the nearest chosen one is
    at most twice the best possible.

    **When:** large batches, embeddings that mean something (a trained net's features, sentence
    embeddings) and few outliers, which it visits first. Needs an embedding only.

    References
    ----------
    Sener and Savarese, "Active learning for convolutional neural networks: a core-set approach",
    ICLR 2018, :doi:`10.48550/arXiv.1708.00489`.

    Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical Computer
    Science 38, 1985, :doi:`10.1016/0304-3975(85)90224-5`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import KCenterGreedy
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), KCenterGreedy(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3)
    array([117, 134, 118])
    """

    needs = frozenset({"embedding"})

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the farthest from all before."""
        return k_center_greedy(
            pool.embedding,
            batch_size,
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )
