"""Hybrids: rows that are uncertain and unlike each other."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.compat import Interval
from skactive.selectors import kmeans_plusplus, top
from skactive.selectors._distance import select_by_rank
from skactive.strategies._base import (
    A_SCORE,
    POSITIVE_INT,
    Positions,
    ScoreStrategy,
    Selector,
    Strategy,
)
from skactive.strategies._uncertainty import Entropy, LeastConfidence

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["BADGE", "InformationDensity", "RankedBatch"]


class BADGE(Strategy):
    r"""Choose rows whose gradients are long and point in different directions.

    k-means++ seeding on the gradient of the log loss at the most probable label,

    .. math:: g(x) = (p(x) - e_{\hat y(x)}) \otimes h(x), \qquad \hat y(x) = \arg\max_y p(y \mid x)

    with :math:`h` the features that the last layer sees. The first row has the longest gradient;
    each further one is drawn with probability proportional to the squared distance to the nearest
    row chosen. Gradients stay outer products of their factors: nothing of size
    n x (classes x dims) is built.

    **When:** batches of ten and more, with nets above all: it balances doubt and variety without
    a knob. Needs probabilities and features.

    References
    ----------
    Ash, Zhang, Krishnamurthy, Langford and Agarwal, "Deep batch active learning by diverse,
    uncertain gradient lower bounds", ICLR 2020, :doi:`10.48550/arXiv.1906.03671`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BADGE
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), BADGE(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"gradient_factors"})
    randomized = True

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows by k-means++ seeding on their gradients."""
        residual, features = pool.gradient_factors
        lengths = _squared_norms(residual) * _squared_norms(features)
        longest = int(top(lengths, 1, pool.random_state)[0])
        return kmeans_plusplus(
            (residual, features), batch_size, first=longest, random_state=pool.random_state
        )


def _squared_norms(X: Any) -> NDArray[np.float64]:
    """Squared length of each row of a dense or sparse matrix, shape (n_rows,)."""
    squares = X.multiply(X).sum(axis=1) if hasattr(X, "multiply") else np.einsum("ij,ij->i", X, X)
    return np.asarray(squares, dtype=np.float64).ravel()


class InformationDensity(ScoreStrategy):
    r"""Choose rows that are uncertain and lie where the pool is dense.

    .. math:: u(x) = \phi(x) \Big( \frac{1}{n} \sum_{x'} \frac{1}{1 + \lVert z(x) - z(x') \rVert}
        \Big)^{\beta}

    with :math:`\phi` an uncertainty and :math:`z` the embedding.

    **When:** uncertainty alone keeps choosing outliers. Up to 20,000 rows the density is exact, in
    time that grows with n squared; beyond, with n x `max_reference`. Needs an embedding and what
    the uncertainty needs.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows; None is :class:`Entropy`. Scores below 0 are shifted to start at 0.
    beta : float, default=1.0
        Weight of the density; 0 ignores it.
    max_reference : int, default=1_000
        In pools of more than 20,000 rows, the density is estimated from the similarity to a sample
        of this many, with a standard error of at most :math:`0.5 / \sqrt{m - 1}` (0.016; see
        :func:`skactive.scores.information_density`). None takes all rows, and so n squared
        distances.
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.

    References
    ----------
    Settles and Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008, :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import InformationDensity
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500)
    >>> learner = ActiveLearner(model, InformationDensity(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "uncertainty": A_SCORE,
        "beta": [Interval(Real, 0, None, closed="left")],
        "max_reference": POSITIVE_INT,
    }

    def __init__(
        self,
        uncertainty: ScoreStrategy | None = None,
        *,
        beta: float = 1.0,
        max_reference: int | None = 1_000,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.uncertainty = uncertainty
        self.beta = beta
        self.max_reference = max_reference

    def _uncertainty(self) -> ScoreStrategy:
        return Entropy() if self.uncertainty is None else self.uncertainty

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """An embedding, and what the uncertainty reads."""
        return self._uncertainty().needs | {"embedding"}

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by uncertainty times density, shape (n_rows,)."""
        doubt = self._uncertainty().score_in_chunks(pool)
        # A negative doubt (a decision margin) times density would prefer outliers.
        doubt = doubt - min(0.0, float(doubt.min()))
        density = scores.information_density(
            pool.embedding, max_reference=self.max_reference, random_state=pool.random_state
        )
        return doubt * density**self.beta


class RankedBatch(Strategy):
    r"""Choose rows one by one that are uncertain and unlike all rows labeled or chosen.

    .. math:: u(x) = \alpha \Big( 1 - \frac{1}{1 + d(x)} \Big) + (1 - \alpha)\, \phi(x), \qquad
        \alpha = \frac{|U|}{|U| + |L|}

    with :math:`d(x)` the distance to the nearest row labeled or chosen, :math:`\phi` an
    uncertainty in [0, 1], U the rows not chosen and L those labeled or chosen. So variety counts
    most while there are few labels, and uncertainty later. Where nothing is labeled, the first
    row is the most uncertain one.

    **When:** batches for people, ranked so that one may stop anywhere. Scale the features: the
    balance rests on distances around 1. Needs an embedding and what the uncertainty needs.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows, within [0, 1]; None is :class:`LeastConfidence`.

    References
    ----------
    Cardoso, Silva, Canuto, Moro and Gonçalves, "Ranked batch-mode active learning", Information
    Sciences 379, 2017, :doi:`10.1016/j.ins.2016.10.037`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import RankedBatch
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), RankedBatch(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"uncertainty": A_SCORE}

    def __init__(self, uncertainty: ScoreStrategy | None = None) -> None:
        self.uncertainty = uncertainty

    def _uncertainty(self) -> ScoreStrategy:
        return LeastConfidence() if self.uncertainty is None else self.uncertainty

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """An embedding, and what the uncertainty reads."""
        return self._uncertainty().needs | {"embedding"}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one."""
        doubt = self._uncertainty().score_in_chunks(pool)
        return select_by_rank(pool.labeled_distances(), doubt, batch_size, pool.random_state)
