"""Diversity: choose rows that represent the pool, whatever the model predicts for them."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import Interval
from skactive.selectors import kmeans_medoids
from skactive.selectors._distance import (
    select_far_inliers,
    select_farthest_first,
    select_in_largest_cluster,
)
from skactive.selectors._engine.nearest_centers import AllDistances
from skactive.strategies._base import ScoringStrategy, Strategy
from skactive.strategies._pool_rows import distances_to_labeled

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["LCMD", "KCenterGreedy", "KMeans", "RobustKCenterGreedy"]


class KMeans(Strategy):
    """Choose the rows nearest to the centers of k-means clusters, one row per cluster.

    **When:** to start without any label, with rows that represent the whole pool; large clusters
    come first. It ignores the labeled rows, so a later batch may choose rows close to them;
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
    >>> sorted(y[learner.query(X, batch_size=3)].tolist())  # before any row is labeled
    [0, 1, 2]
    """

    needs = frozenset({"embedding"})
    randomized = True

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose the medoids of `batch_size` clusters."""
        return kmeans_medoids(pool.embedding, batch_size, random_state=pool.random_state)


class KCenterGreedy(ScoringStrategy):
    r"""Choose the rows farthest from all labeled or chosen rows (Core-Set).

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}} \lVert z(x) - z(s) \rVert

    This is the greedy farthest-first traversal: the largest distance from any row to the nearest
    chosen one is at most twice the best possible.

    **When:** large batches, meaningful embeddings (features of a trained net, sentence embeddings)
    and few outliers, which it visits first. Needs an embedding only.

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

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the distance of each to its nearest labeled row, shape (n_rows,).

        Without labeled rows, it is minus the distance to the mean.
        """
        return distances_to_labeled(pool)

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the distance to the nearest labeled row; without one, the score."""
        return {"score" if pool.labeled is None else "distance": self.score(pool)}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the farthest from all labeled or chosen rows."""
        return select_farthest_first(pool.labeled_distances(), batch_size, pool.random_state)


class LCMD(Strategy):
    r"""Choose the row farthest from the center in the cluster that is covered worst.

    .. math:: x_{t+1} = \arg\max_{x :\, c(x) = c^*} \lVert z(x) - z(c^*) \rVert, \qquad
        c^* = \arg\max_c \sum_{x :\, c(x) = c} \lVert z(x) - z(c) \rVert^2

    with :math:`c(x)` the labeled or chosen row nearest to x (largest cluster maximum distance).

    **When:** batches for regression with nets, where it led a large benchmark on embeddings made
    of the net's gradients; and wherever :class:`KCenterGreedy` wastes labels on outliers, since an
    isolated row forms a small cluster. It does not use the labels, so it works for classifiers
    too. Needs an embedding only.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart, "A framework and benchmark for deep batch active
    learning for regression", Journal of Machine Learning Research 24, 2023,
    :doi:`10.48550/arXiv.2203.09410`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import LCMD
    >>> X, y = load_diabetes(return_X_y=True)
    >>> learner = ActiveLearner(Ridge(), LCMD(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding"})

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each from the cluster of the largest sum of squares."""
        return select_in_largest_cluster(
            pool.labeled_distances(AllDistances), batch_size, pool.random_state
        )


class RobustKCenterGreedy(Strategy):
    r"""Choose rows far from all labeled or chosen rows, skipping the very farthest as outliers.

    .. math:: x_{t+1} = Q_q \bigl\{ x : d(x) \bigr\}, \qquad
        d(x) = \min_{s \in L \cup \{x_1 .. x_t\}} \lVert z(x) - z(s) \rVert

    the row at the quantile q of the distances above zero: of m such rows the
    :math:`\lfloor (1 - q) m \rfloor` farthest are skipped. 1.0 is :class:`KCenterGreedy`.

    **When:** large batches where a few rows of the pool are garbage (broken images, wrong units)
    that farthest-first would visit before anything else. The share of garbage must be below
    1 - `quantile`, 1 % by default: with 10 % of it, set `quantile` below 0.9. Where the share is
    not known, :class:`TypiClust` passes over isolated rows. Needs an embedding only.

    Parameters
    ----------
    quantile : float, default=0.99
        Above 0 and at most 1; the lower, the more rows count as outliers.

    References
    ----------
    Sener and Savarese, "Active learning for convolutional neural networks: a core-set approach",
    ICLR 2018, :doi:`10.48550/arXiv.1708.00489`, leave a number of outliers uncovered and solve
    that by an integer program; this is the greedy traversal that skips outliers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import RobustKCenterGreedy
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = RobustKCenterGreedy(quantile=0.9)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantile": [Interval(Real, 0, 1, closed="right")]
    }

    def __init__(self, *, quantile: float = 0.99) -> None:
        self.quantile = quantile

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each at the quantile of the distances to the rows before it."""
        return select_far_inliers(
            pool.labeled_distances(AllDistances), batch_size, self.quantile, pool.random_state
        )
