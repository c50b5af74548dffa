"""Random sampling: uniform, the baseline of all other strategies, or by distance to the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive.selectors import PowerTop
from skactive.selectors._engine.points import PointSet
from skactive.strategies._base import ScoringStrategy, Strategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["LightweightCoreset", "Random"]


class Random(Strategy):
    """Choose rows at random, each with the same probability.

    **When:** as the baseline of every comparison; to start without any label; for a share of each
    batch, as a hedge. It needs no model.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Random
    >>> from sklearn.linear_model import LogisticRegression
    >>> learner = ActiveLearner(LogisticRegression(), Random(), random_state=0)
    >>> learner.query(np.zeros((5, 2)), batch_size=2).shape
    (2,)
    """

    randomized = True

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows at random."""
        return pool.random_state.permutation(len(pool))[:batch_size]


class LightweightCoreset(ScoringStrategy):
    r"""Draw rows without replacement, rows far from the mean of the pool more often.

    .. math:: q(x) = \frac12 \cdot \frac1n + \frac12 \cdot
        \frac{\lVert z(x) - \bar z \rVert^2}{\sum_{x'} \lVert z(x') - \bar z \rVert^2}

    with z the embedding and :math:`\bar z` its mean over the n rows of the pool. The published
    draws are independent, so that they may repeat a row; here rows are drawn one by one, each in
    proportion to q among those left, until there are exactly as many as asked for.

    **When:** to start without any label, from pools of any size: it takes one pass. Every row has
    at least half the chance of a uniform draw; rows that k-means needs to see come more often, and
    outliers too. It ignores the labeled rows. Needs an embedding only.

    References
    ----------
    Bachem, Lucic and Krause, "Scalable k-means clustering via lightweight coresets", KDD 2018,
    :doi:`10.1145/3219819.3219973`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import LightweightCoreset
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), LightweightCoreset(), random_state=0)
    >>> learner.query(X, batch_size=5).shape  # before any row is labeled
    (5,)
    """

    needs = frozenset({"embedding"})
    randomized = True

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the probability of the first draw, shape (n_rows,)."""
        squared = PointSet(pool.embedding).squared_distances_to_mean()
        total = squared.sum()
        shares = squared / total if total > 0 else np.full(len(pool), 1 / len(pool))
        return (1 / len(pool) + shares) / 2

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Draw rows one by one, in proportion to their scores."""
        return PowerTop()(self.score(pool), batch_size, pool.random_state)
