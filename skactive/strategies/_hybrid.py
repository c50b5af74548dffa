"""Hybrid strategies: choose rows that are both uncertain and diverse, or typical of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import (
    NONNEGATIVE_REAL,
    POSITIVE_INT_OR_NONE,
    SCORE_STRATEGY_OR_NONE,
)
from skactive.selectors import kmeans_plusplus, top
from skactive.selectors._distance import select_by_rank
from skactive.strategies._base import ScoreStrategy, ScoringStrategy, Selector, Strategy
from skactive.strategies._pool_rows import distances_to_labeled
from skactive.strategies._uncertainty import Entropy, LeastConfidence

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["BADGE", "HybridStrategy", "InformationDensity", "RankedBatch", "shift_to_nonnegative"]


class HybridStrategy(Strategy):
    """Base of the strategies that combine the embedding with the scores of another strategy.

    Attributes
    ----------
    uncertainty : ScoreStrategy or None
        A parameter of the subclasses: scores the rows; None uses the default of the subclass.
    """

    uncertainty: ScoreStrategy | None
    _default_uncertainty: ClassVar[type[ScoreStrategy]]

    def _get_scorer(self) -> ScoreStrategy:
        return self._default_uncertainty() if self.uncertainty is None else self.uncertainty

    def _name_parts(self) -> dict[str, Any]:
        return {"uncertainty": self._get_scorer()}

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The embedding, and the readings of the uncertainty."""
        return self._get_scorer().needs | {"embedding"}

    def score_uncertainty(self, pool: PoolView) -> Floats:
        """Score the rows by the uncertainty alone, shape (n_rows,)."""
        return self._get_scorer().score_in_chunks(pool)


def shift_to_nonnegative(scores: Floats) -> Floats:
    """Return scores shifted to start at 0 if any is negative, as decision margins are."""
    return scores - min(0.0, float(scores.min(initial=0.0)))


class BADGE(ScoringStrategy):
    r"""Choose rows whose gradients are long and point in different directions.

    Runs k-means++ seeding on the gradients of the log loss at the most probable label,

    .. math:: g(x) = (p(x) - e_{\hat y(x)}) \otimes h(x), \qquad \hat y(x) = \arg\max_y p(y \mid x)

    with :math:`h` the input features of the last layer. The first row has the longest gradient;
    each further row is drawn with probability proportional to the squared distance to the nearest
    row chosen. Gradients are kept as outer products of their factors: no array of size
    n x (classes x dims) is built.

    **When:** batches of ten and more, especially with nets: it balances uncertainty and diversity
    without a hyper-parameter. Needs probabilities and features.

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
    rowwise = True
    score_name = "gradient length"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the lengths of their gradients, shape (n_rows,)."""
        residual, features = pool.gradient_factors
        return np.sqrt(_squared_norms(residual) * _squared_norms(features))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows by k-means++ seeding on their gradients."""
        longest = int(top(self.score(pool), 1, pool.random_state)[0])
        return kmeans_plusplus(
            pool.gradient_factors, batch_size, first=longest, random_state=pool.random_state
        )


def _squared_norms(X: Any) -> NDArray[np.float64]:
    """Return the squared length of each row of a dense or sparse matrix, shape (n_rows,)."""
    squares = X.multiply(X).sum(axis=1) if hasattr(X, "multiply") else np.einsum("ij,ij->i", X, X)
    return np.asarray(squares, dtype=np.float64).ravel()


class InformationDensity(HybridStrategy, ScoreStrategy):
    r"""Choose uncertain rows in dense regions of the pool.

    .. math:: u(x) = \phi(x) \Big( \frac{1}{n} \sum_{x'} \frac{1}{1 + \lVert z(x) - z(x') \rVert}
        \Big)^{\beta}

    with :math:`\phi` an uncertainty and :math:`z` the embedding.

    **When:** uncertainty alone keeps choosing outliers. Up to 20,000 rows the density is exact, in
    time that grows with n squared; beyond that, with n x `max_reference`. Needs an embedding
    and the readings of the uncertainty.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows; None uses :class:`Entropy`. Negative scores are shifted to start at 0.
    beta : float, default=1.0
        Weight of the density; 0 ignores it.
    max_reference : int, default=1_000
        In pools of more than 20,000 rows, the density is estimated from the similarity to a sample
        of this size m, with a standard error of at most :math:`0.5 / \sqrt{m - 1}` (0.016; see
        :func:`skactive.scores.information_density`). None uses all rows, which takes n squared
        distances.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

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
        "uncertainty": SCORE_STRATEGY_OR_NONE,
        "beta": NONNEGATIVE_REAL,
        "max_reference": POSITIVE_INT_OR_NONE,
    }
    _default_uncertainty = Entropy

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

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by uncertainty times density, shape (n_rows,)."""
        return self.explain(pool)["score"]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the uncertainty, the density to the power of `beta`, and their product."""
        # A negative score times the density would prefer outliers.
        uncertainty = shift_to_nonnegative(self.score_uncertainty(pool))
        density = scores.information_density(
            pool.embedding, max_reference=self.max_reference, random_state=pool.random_state
        )
        weighted = density**self.beta
        return {"uncertainty": uncertainty, "density": weighted, "score": uncertainty * weighted}


class RankedBatch(HybridStrategy, ScoringStrategy):
    r"""Choose uncertain rows that are far from all labeled or chosen rows, ranked one by one.

    .. math:: u(x) = \alpha \Big( 1 - \frac{1}{1 + d(x)} \Big) + (1 - \alpha)\, \phi(x), \qquad
        \alpha = \frac{|U|}{|U| + |L|}

    with :math:`d(x)` the distance to the nearest row labeled or chosen, :math:`\phi` an
    uncertainty in [0, 1], U the rows not chosen and L those labeled or chosen. So diversity counts
    most while there are few labels, and uncertainty later. Without labeled rows, the first row is
    the most uncertain one.

    **When:** batches for people, ranked so that labeling may stop anywhere. Scale the features:
    the balance assumes distances around 1. Needs an embedding and the readings of the uncertainty.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows, within [0, 1]; None uses :class:`LeastConfidence`.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"uncertainty": SCORE_STRATEGY_OR_NONE}
    _default_uncertainty = LeastConfidence

    def __init__(self, uncertainty: ScoreStrategy | None = None) -> None:
        self.uncertainty = uncertainty

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the balance for the first row of a batch, shape (n_rows,)."""
        return self.explain(pool)["score"]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the weighted distance to the labeled rows and uncertainty, and their sum."""
        uncertainty, labeled = self.score_uncertainty(pool), pool.labeled
        if labeled is None:
            return {"uncertainty": uncertainty, "score": uncertainty}
        alpha = len(pool) / (len(pool) + len(labeled))
        distance = alpha * (1 - 1 / (1 + distances_to_labeled(pool)))
        weighted = (1 - alpha) * uncertainty
        return {"distance": distance, "uncertainty": weighted, "score": distance + weighted}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the best balance of distance and uncertainty."""
        uncertainty = self.score_uncertainty(pool)
        return select_by_rank(pool.labeled_distances(), uncertainty, batch_size, pool.random_state)
