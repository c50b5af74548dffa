"""Look-ahead: the rows after whose labelling the model is expected to err least."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr
from sklearn import get_config

from skactive._compat import StrOptions
from skactive.strategies._base import A_COUNT, ScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["ExpectedErrorReduction"]

Floats = NDArray[np.float64]


def _log_loss(proba: Floats) -> Floats:
    """Log loss that a model expects of itself: its entropy, over the last axis."""
    return entr(proba).sum(axis=-1)


def _zero_one(proba: Floats) -> Floats:
    """Share of errors that a model expects of itself, over the last axis."""
    return 1.0 - proba.max(axis=-1)


_LOSSES: dict[str, Callable[[Floats], Floats]] = {"log_loss": _log_loss, "zero_one": _zero_one}


class ExpectedErrorReduction(ScoreStrategy):
    r"""Choose rows after whose labelling the model is expected to err least on the pool.

    .. math:: u(x) = -\sum_y p(y \mid x)\, \frac{1}{|T|} \sum_{x_* \in T}
        \ell\big(p^{+(x, y)}(\cdot \mid x_*)\big)

    where :math:`p^{+(x, y)}` is the model taught one more label, T are rows of the pool (labelled
    rows do not count) and the loss :math:`\ell` is the entropy (log loss) or
    :math:`1 - \max_y p` (0/1 loss).

    **When:** small pools and models that are quickly fitted: it refits the model for each row and
    class, n_rows x n_classes times. Wrap it in :class:`Subsample` or :class:`Prefilter`; or set
    ``refit=False``, which imagines the new label by re-weighting draws from the posterior
    :math:`\theta_s` with :math:`p(y \mid x, \theta_s)` and costs a matrix product.

    Parameters
    ----------
    loss : {"log_loss", "zero_one"}, default="log_loss"
        What is to be small.
    refit : bool, default=True
        Whether to refit the model for each imagined label (needs probabilities), or to re-weight
        posterior samples (needs samples that are functions of all rows: an ensemble, dropout).
    n_targets : int, default=None
        How many rows of the pool, drawn at random, to expect the loss on; None takes all.
    n_samples : int, default=None
        How many draws to re-weight; None leaves it to the model.
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.

    References
    ----------
    Roy and McCallum, "Toward optimal active learning through sampling estimation of error
    reduction", ICML 2001.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ExpectedErrorReduction
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(GaussianNB(), ExpectedErrorReduction(n_targets=30), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X[::3], batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "loss": [StrOptions(set(_LOSSES))],
        "refit": ["boolean"],
        "n_targets": A_COUNT,
        "n_samples": A_COUNT,
    }

    def __init__(
        self,
        *,
        loss: str = "log_loss",
        refit: bool = True,
        n_targets: int | None = None,
        n_samples: int | None = None,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.loss = loss
        self.refit = refit
        self.n_targets = n_targets
        self.n_samples = n_samples

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Refits, or posterior samples to re-weight."""
        return frozenset({"proba", "fantasize"} if self.refit else {"joint_samples"})

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether targets are drawn from the pool, or rows by the selector."""
        return self.n_targets is not None or self.selector is not None

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by minus the loss to be expected, shape (n_rows,)."""
        if self.n_targets is None:
            targets = np.arange(len(pool))
        else:
            targets = np.sort(pool.random_state.permutation(len(pool))[: self.n_targets])
        return -(self._refitted(pool, targets) if self.refit else self._reweighted(pool, targets))

    def _refitted(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by a refit a row and class."""
        loss, expected = _LOSSES[self.loss], np.zeros(len(pool))
        for row, proba in enumerate(pool.proba):
            for column in np.flatnonzero(proba):  # a class that cannot be is not imagined
                future = pool.fantasize(row, pool.classes[column]).take(targets)
                expected[row] += proba[column] * loss(future.proba).mean()
        return expected

    def _reweighted(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by re-weighted draws."""
        samples = pool.proba_samples(self.n_samples)  # (n_draws, n_rows, n_classes)
        futures = samples[:, targets].reshape(len(samples), -1)
        row_bytes = 8 * samples.shape[2] * futures.shape[1] * 3
        step = max(1, int(get_config()["working_memory"] * 2**20 / row_bytes))
        blocks = [samples[:, start : start + step] for start in range(0, len(pool), step)]
        return np.concatenate([self._block(block, futures) for block in blocks])

    def _block(self, block: Floats, futures: Floats) -> Floats:
        """Loss to be expected after each row of a block, shape (n_block,)."""
        n_draws, n_block, n_classes = block.shape
        weights = block.reshape(n_draws, -1)  # (n_draws, n_block * n_classes)
        total = weights.sum(axis=0)
        weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        proba = (weights.T @ futures).reshape(n_block, n_classes, -1, n_classes)
        losses = _LOSSES[self.loss](proba).mean(axis=2)  # (n_block, n_classes)
        return (losses * (total / n_draws).reshape(n_block, n_classes)).sum(axis=1)
