"""Experimental design: batches by the determinant or the trace of an information matrix."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.compat import Interval
from skactive.selectors._design import bait, d_optimal, dpp_map, v_optimal
from skactive.strategies._base import A_SCORE, Positions, ScoreStrategy, Strategy
from skactive.strategies._diversity import labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["BAIT", "DPP", "DOptimal", "MaxDet", "VOptimal"]

A_RIDGE: list[Any] = [Interval(Real, 0, None, closed="neither")]


class DPP(Strategy):
    r"""Choose the batch that a determinantal point process of quality and diversity likes best.

    .. math:: \max_S \det L_{SS}, \qquad L_{xx'} = \phi(x)^{\beta} \, \phi(x')^{\beta}
        \Big( \frac{z(x)^\top z(x')}{\lVert z(x) \rVert \lVert z(x') \rVert}
        + \lambda [x = x'] \Big)

    row by row (greedy MAP), with :math:`\phi` an uncertainty and z the embedding. The determinant
    is the squared volume that the rows span: long vectors (doubt) at right angles (variety).

    **When:** uncertain and varied batches with one knob for the balance, whatever the model. It
    looks at no labeled row: variety is that within the batch. Linear in the pool. Needs an
    embedding and what the uncertainty needs.

    Parameters
    ----------
    uncertainty : ScoreStrategy, default=None
        Scores the rows; None is :class:`Margin`. Scores below 0 are shifted to start at 0.
    beta : float, default=1.0
        Weight of the uncertainty, above 0.
    ridge : float, default=0.001
        Lambda. The larger, the less near-duplicates are avoided.

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
        "uncertainty": A_SCORE,
        "beta": [Interval(Real, 0, None, closed="neither")],
        "ridge": A_RIDGE,
    }

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

    def _uncertainty(self) -> ScoreStrategy:
        return Margin() if self.uncertainty is None else self.uncertainty

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """An embedding, and what the uncertainty reads."""
        return self._uncertainty().needs | {"embedding"}

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each for the volume it adds."""
        doubt = self._uncertainty().score_in_chunks(pool)
        doubt = doubt - min(0.0, float(doubt.min(initial=0.0)))
        return dpp_map(
            (_reciprocal_lengths(pool.embedding), pool.embedding),
            batch_size,
            quality=doubt**self.beta,
            ridge=self.ridge,
            random_state=pool.random_state,
        )


class DOptimal(Strategy):
    r"""Choose rows from which all weights of a linear model are learned best together.

    .. math:: \max_S \log\det\Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} z(x) z(x)^\top \Big)

    row by row, with L the labeled rows, z the embedding and :math:`\bar\ell^2` the mean squared
    length of the pool's rows. The volume of the confidence ellipsoid of the weights becomes
    smallest.

    **When:** linear models on few good features, and before there are labels. It goes to the rim
    of the pool, as :class:`KCenterGreedy` does; :class:`VOptimal` goes where the pool is. Linear
    in the pool. Needs an embedding only.

    Parameters
    ----------
    ridge : float, default=0.001
        Lambda. The larger, the more long rows count and the less their directions.

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
    >>> learner.query(X, batch_size=3).shape  # before there is any label
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": A_RIDGE}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest leverage."""
        return d_optimal(
            pool.embedding,
            batch_size,
            ridge=_in_squared_lengths(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )


class VOptimal(Strategy):
    r"""Choose rows from which a linear model's predictions on the pool are learned best.

    .. math:: \min_S \frac1n \sum_{x'} z(x')^\top \Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} z(x) z(x)^\top \Big)^{-1} z(x')

    row by row, with L the labeled rows, z the embedding and :math:`\bar\ell^2` the mean squared
    length of the pool's rows: the mean variance of the predictions becomes smallest (transductive
    experimental design).

    **When:** as :class:`DOptimal`, but rows that stand for many others are wanted rather than
    extremes. Linear in the pool, for embeddings of up to 5120 dimensions. Needs an embedding only.

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
    >>> learner.query(X, batch_size=3).shape  # before there is any label
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": A_RIDGE}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each lowering the mean variance most."""
        return v_optimal(
            pool.embedding,
            batch_size,
            ridge=_in_squared_lengths(self.ridge, pool.embedding),
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )


class MaxDet(Strategy):
    r"""Choose rows whose gradients, with those of the labeled rows, span the largest volume.

    .. math:: \max_S \log\det\Big( \lambda \bar\ell^2 I
        + \sum_{x \in L \cup S} g(x) g(x)^\top \Big), \qquad
        g(x) = (p(x) - e_{\hat y(x)}) \otimes h(x)

    row by row, with L the labeled rows, h the features that the last layer sees,
    :math:`\hat y` the most probable class and :math:`\bar\ell^2` the mean squared length of the
    pool's gradients. Gradients stay outer products of their factors: nothing of size
    n x (classes x dims) is built.

    **When:** as :class:`BADGE`, which draws rows by their distances: it is repeatable, and counts
    directions rather than distances, so of rows between others that are chosen none is taken. A
    gradient is short where the model is sure. Linear in the pool. Needs probabilities and
    features.

    Parameters
    ----------
    ridge : float, default=0.001
        Lambda. The larger, the more long gradients (doubt) count and the less their directions.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart, "A framework and benchmark for deep batch active
    learning for regression", JMLR 24, 2023, :doi:`10.48550/arXiv.2203.09410`, for the selection;
    the gradients, Ash, Zhang, Krishnamurthy, Langford and Agarwal, ICLR 2020,
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
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"ridge": A_RIDGE}

    def __init__(self, *, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest leverage among the gradients."""
        return d_optimal(
            pool.gradient_factors,
            batch_size,
            ridge=_in_squared_lengths(self.ridge, *pool.gradient_factors),
            labeled=None if pool.labeled is None else pool.labeled.gradient_factors,
            random_state=pool.random_state,
        )


class BAIT(Strategy):
    r"""Choose rows whose Fisher information leaves the least error on the whole pool.

    .. math:: \min_S \operatorname{tr}\Big[ \Big( \lambda I + \sum_{x \in L \cup S} I(x)
        \Big)^{-1} \sum_{x'} I(x') \Big], \qquad
        I(x) = \big( \operatorname{diag}(p(x)) - p(x) p(x)^\top \big) \otimes h(x) h(x)^\top

    with L the labeled rows, h the features that the last layer sees and I the Fisher information
    of its weights. Rows are added one by one up to `oversample` times the batch, then taken back
    one by one.

    **When:** linear models and nets whose features can be trusted; it asks what the model will
    gain on the whole pool, where :class:`BADGE` and :class:`MaxDet` ask for variety. It takes at
    most 5120 = (classes - 1) x features, and pools of at most 2**27 / (classes - 1)**2 rows (1.6
    million for ten classes): put PCA before the model, or wrap it in :class:`Subsample`. Linear in
    the pool, but with ten classes some microseconds for each row and step, so minutes at a million
    rows. Needs probabilities and features.

    Parameters
    ----------
    ridge : float, default=1.0
        Lambda: the precision of the weights' prior, which is 1 / C of a
        :class:`~sklearn.linear_model.LogisticRegression`.
    oversample : float, default=2.0
        How many rows are added before some are taken back, as a multiple of the batch; 1 is plain
        greedy.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade, "Gone fishing: neural active learning with Fisher
    embeddings", NeurIPS 2021, :doi:`10.48550/arXiv.2106.09675`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BAIT
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), BAIT(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"gradient_factors", "proba"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ridge": A_RIDGE,
        "oversample": [Interval(Real, 1, None, closed="left")],
    }

    def __init__(self, *, ridge: float = 1.0, oversample: float = 2.0) -> None:
        self.ridge = ridge
        self.oversample = oversample

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows forward, then backward."""
        labeled = pool.labeled
        return bait(
            pool.proba,
            pool.gradient_factors[1],
            batch_size,
            ridge=self.ridge,
            oversample=self.oversample,
            labeled=None if labeled is None else (labeled.proba, labeled.gradient_factors[1]),
            random_state=pool.random_state,
        )


def _in_squared_lengths(share: float, *factors: Any) -> float:
    """Return a share of the mean squared length of rows, or of outer products of their factors."""
    squared = np.prod([_squared_lengths(factor) for factor in factors], axis=0)
    mean = float(squared.mean())
    return share * mean if mean > 0 else share


def _reciprocal_lengths(X: Any) -> NDArray[np.float64]:
    """Return 1 / length of each row, shape (n_rows, 1), and 0 for rows without a direction."""
    lengths = np.sqrt(_squared_lengths(X))
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, np.newaxis]


def _squared_lengths(X: Any) -> NDArray[np.float64]:
    """Return the squared length of each row of a dense or sparse matrix, shape (n_rows,)."""
    if isinstance(X, np.ndarray):
        return np.einsum("ij,ij->i", X, X, dtype=np.float64)
    return np.asarray(X.astype(np.float64).power(2).sum(axis=1)).ravel()
