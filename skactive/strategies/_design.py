"""Optimal design: choose batches by the determinant or trace of an information matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.constraints import POSITIVE_REAL, SCORE_STRATEGY_OR_NONE
from skactive.selectors._design import d_optimal, dpp_map, v_optimal
from skactive.selectors._design_gains import determinant_gains, variance_gains
from skactive.strategies._base import ScoreStrategy, ScoringStrategy
from skactive.strategies._hybrid import HybridStrategy, shift_to_nonnegative
from skactive.strategies._pool_rows import labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["DPP", "DOptimal", "MaxDet", "VOptimal"]


class DPP(HybridStrategy, ScoringStrategy):
    r"""Choose the most probable batch under a determinantal point process (greedy MAP).

    .. math:: \max_S \det L_{SS}, \qquad L_{xx'} = \phi(x)^{\beta} \, \phi(x')^{\beta}
        \Big( \frac{z(x)^\top z(x')}{\lVert z(x) \rVert \lVert z(x') \rVert}
        + \lambda [x = x'] \Big)

    greedily, one row at a time, with :math:`\phi` an uncertainty and z the embedding. The
    determinant is the squared volume that the rows span: it is large for long vectors
    (uncertainty) at right angles to each other (diversity).

    **When:** uncertain and diverse batches from any model, with one hyper-parameter for the
    balance. It ignores the labeled rows: diversity is that within the batch. Linear in the pool.
    Needs an embedding and the readings of the uncertainty.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows; None uses :class:`Margin`. Negative scores are shifted to start at 0.
    beta : float, default=1.0
        Weight of the uncertainty, above 0.
    ridge : float, default=0.001
        Lambda. The larger, the less the strategy avoids near-duplicates.

    References
    ----------
    Biyik, Wang, Anari and Sadigh, "Batch active learning using determinantal point processes",
    2019, :doi:`10.48550/arXiv.1906.07975`.

    Chen, Zhang and Zhou, "Fast greedy MAP inference for determinantal point process", NeurIPS
    2018, :doi:`10.48550/arXiv.1709.05135`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import DPP
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), DPP(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "uncertainty": SCORE_STRATEGY_OR_NONE,
        "beta": POSITIVE_REAL,
        "ridge": POSITIVE_REAL,
    }
    _default_uncertainty = Margin

    def __init__(
        self,
        uncertainty: ScoreStrategy | None = None,
        *,
        beta: float = 1.0,
        ridge: float = 1e-3,
    ) -> None:
        self.uncertainty = uncertainty
        self.beta = beta
        self.ridge = ridge

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the volume of each alone, shape (n_rows,)."""
        has_direction = _squared_lengths(pool.embedding) > 0
        return self._score_quality(pool) * np.sqrt(has_direction + self.ridge)

    def _score_quality(self, pool: PoolView) -> NDArray[np.float64]:
        return shift_to_nonnegative(self.score_uncertainty(pool)) ** self.beta

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that adds the most volume."""
        return dpp_map(
            (_reciprocal_lengths(pool.embedding), pool.embedding),
            batch_size,
            quality=self._score_quality(pool),
            ridge=self.ridge,
            random_state=pool.random_state,
        )


class DOptimal(ScoringStrategy):
    r"""Choose rows from which the weights of a linear model are estimated best (D-optimal design).

    .. math:: \max_S \log\det\Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} z(x) z(x)^\top \Big)

    greedily, one row at a time, with L the labeled rows, z the embedding and
    :math:`\bar\ell^2` the mean squared length of the rows of the pool. This minimizes the volume
    of the confidence ellipsoid of the weights.

    **When:** linear models on few good features, and before any row is labeled. It favors the rim
    of the pool, as :class:`KCenterGreedy` does; :class:`VOptimal` follows the density of the pool.
    Linear in the pool. Needs an embedding only.

    Parameters
    ----------
    ridge : float, default=0.001
        Lambda. The larger, the more the lengths of the rows count and the less their directions.

    References
    ----------
    Atkinson, Donev and Tobias, *Optimum Experimental Designs, with SAS*, Oxford University Press,
    2007, chapter 11.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import DOptimal
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), DOptimal(), random_state=0)
    >>> learner.query(X, batch_size=3).shape  # before any row is labeled
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": POSITIVE_REAL}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the gain of the log-determinant, shape (n_rows,)."""
        return determinant_gains(
            pool.embedding,
            ridge=_scale_by_squared_length(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
        )

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest leverage."""
        return d_optimal(
            pool.embedding,
            batch_size,
            ridge=_scale_by_squared_length(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )


class VOptimal(ScoringStrategy):
    r"""Choose rows that minimize a linear model's mean predictive variance on the pool.

    .. math:: \min_S \frac1n \sum_{x'} z(x')^\top \Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} z(x) z(x)^\top \Big)^{-1} z(x')

    greedily, one row at a time, with L the labeled rows, z the embedding and
    :math:`\bar\ell^2` the mean squared length of the rows of the pool (transductive experimental
    design).

    **When:** as :class:`DOptimal`, but for representative rows rather than extremes. Linear in the
    pool, for embeddings of up to 5120 dimensions. Needs an embedding only.

    Parameters
    ----------
    ridge : float, default=0.001
        Lambda. The larger, the fewer directions count: those along which the pool varies most.

    References
    ----------
    Yu, Bi and Tresp, "Active learning via transductive experimental design", ICML 2006,
    :doi:`10.1145/1143844.1143980`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import VOptimal
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(), VOptimal(), random_state=0)
    >>> learner.query(X, batch_size=3).shape  # before any row is labeled
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": POSITIVE_REAL}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the reduction of the mean variance, shape (n_rows,)."""
        return variance_gains(
            pool.embedding,
            ridge=_scale_by_squared_length(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
        )

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one that reduces the mean variance most."""
        return v_optimal(
            pool.embedding,
            batch_size,
            ridge=_scale_by_squared_length(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )


class MaxDet(ScoringStrategy):
    r"""Choose rows whose gradients, with those of the labeled rows, span the largest volume.

    .. math:: \max_S \log\det\Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} g(x) g(x)^\top \Big), \qquad
        g(x) = (p(x) - e_{\hat y(x)}) \otimes h(x)

    greedily, one row at a time, with L the labeled rows, h the input features of the last layer,
    :math:`\hat y` the most probable class and :math:`\bar\ell^2` the mean squared length of the
    gradients in the pool. Gradients are kept as outer products of their factors: no array of size
    n x (classes x dims) is built.

    **When:** as :class:`BADGE`, which draws rows by their distances: this one draws
    nothing and counts directions rather than distances, so it skips rows between chosen ones.
    A gradient is short where the model is certain. Linear in the pool. Needs probabilities and
    features.

    Parameters
    ----------
    ridge : float, default=0.001
        Lambda. The larger, the more the lengths of the gradients (uncertainty) count and the less
        their directions.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart, "A framework and benchmark for deep batch active
    learning for regression", JMLR 24, 2023, :doi:`10.48550/arXiv.2203.09410`, for the selection;
    for the gradients, Ash, Zhang, Krishnamurthy, Langford and Agarwal, ICLR 2020,
    :doi:`10.48550/arXiv.1906.03671`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import MaxDet
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), MaxDet(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"gradient_factors"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": POSITIVE_REAL}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the gain of the log-determinant, shape (n_rows,)."""
        return determinant_gains(
            pool.gradient_factors,
            ridge=_scale_by_squared_length(self.ridge, *pool.gradient_factors),
            labeled=None if pool.labeled is None else pool.labeled.gradient_factors,
        )

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest leverage among the gradients."""
        return d_optimal(
            pool.gradient_factors,
            batch_size,
            ridge=_scale_by_squared_length(self.ridge, *pool.gradient_factors),
            labeled=None if pool.labeled is None else pool.labeled.gradient_factors,
            random_state=pool.random_state,
        )


def _scale_by_squared_length(ridge: float, *factors: Any) -> float:
    """Multiply a ridge by the mean squared length of rows, or of outer products of their factors.

    Rows that are all 0 leave it as it is.
    """
    squared = np.prod([_squared_lengths(factor) for factor in factors], axis=0)  # (n_rows,)
    mean = float(squared.mean())
    return ridge * mean if mean > 0 else ridge


def _reciprocal_lengths(X: Any) -> NDArray[np.float64]:
    """Return 1 / length of each row, shape (n_rows, 1), and 0 for rows of length 0."""
    lengths = np.sqrt(_squared_lengths(X))
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, np.newaxis]


def _squared_lengths(X: Any) -> NDArray[np.float64]:
    """Return the squared length of each row of a dense or sparse matrix, shape (n_rows,)."""
    if isinstance(X, np.ndarray):
        return np.einsum("ij,ij->i", X, X, dtype=np.float64)
    return np.asarray(X.astype(np.float64).power(2).sum(axis=1)).ravel()
