"""Look-ahead: choose the rows whose labels are expected to reduce the model's error most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import entr
from sklearn import get_config

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import (
    POSITIVE_INT_OR_NONE,
    POSITIVE_REAL,
    POSITIVE_REAL_OR_NONE,
)
from skactive.exceptions import PoolTooLargeError
from skactive.strategies._base import ScoreStrategy, Selector
from skactive.strategies._cost import limit_cost
from skactive.strategies._pool_rows import draw_rows
from skactive.strategies._softmax_layer import SoftmaxLayer, safe_log

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["ExpectedErrorReduction"]


def _expected_log_loss(proba: Floats) -> Floats:
    """Return the log loss expected under the probabilities, their entropy, over the last axis."""
    return entr(proba).sum(axis=-1)


def _expected_zero_one(proba: Floats) -> Floats:
    """Return the 0/1 loss expected under the probabilities, over the last axis."""
    return 1.0 - proba.max(axis=-1)


_LOSSES: dict[str, Callable[[Floats], Floats]] = {
    "log_loss": _expected_log_loss,
    "zero_one": _expected_zero_one,
}

# Readings of the pool per approximation.
_NEEDS: dict[str | None, frozenset[str]] = {
    None: frozenset({"proba", "fantasize"}),
    "newton": frozenset({"proba", "gradient_factors"}),
    "reweight": frozenset({"joint_samples"}),
}

# Each limit is some minutes of work: future probabilities, one per row, target and pair of classes;
# multiply-adds of Newton steps. Refits are measured.
_MAX_FUTURES = 10_000_000_000
_MAX_NEWTON_WORK = 100_000_000_000
# Size of the arrays of futures that Newton steps work on at a time.
_FUTURES_BLOCK_BYTES = 2**23


def _log_loss_of_logits(logits: Floats) -> Floats:
    """Return the entropy of the softmax over the first axis; overwrites ``logits``."""
    logits -= logits.max(axis=0)
    powers = np.exp(logits)
    total = powers.sum(axis=0)
    powers *= logits
    return np.log(total) - powers.sum(axis=0) / total


def _zero_one_of_logits(logits: Floats) -> Floats:
    """Return 1 minus the largest softmax value over the first axis; overwrites ``logits``."""
    logits -= logits.max(axis=0)
    # The largest logit is 0 now, so the largest value of the softmax is 1 / sum.
    return 1.0 - 1.0 / np.exp(logits, out=logits).sum(axis=0)


_LOSSES_OF_LOGITS: dict[str, Callable[[Floats], Floats]] = {
    "log_loss": _log_loss_of_logits,
    "zero_one": _zero_one_of_logits,
}


class ExpectedErrorReduction(ScoreStrategy):
    r"""Choose rows whose labels are expected to reduce the model's error on the pool most.

    .. math:: u(x) = -\sum_y p(y \mid x)\, \frac{1}{|T|} \sum_{x_* \in T}
        \ell\big(p^{+(x, y)}(\cdot \mid x_*)\big)

    where :math:`p^{+(x, y)}` is the model taught one more label, T are rows of the pool (labeled
    rows do not count) and the loss :math:`\ell` is the entropy (log loss) or
    :math:`1 - \max_y p` (0/1 loss).

    **When:** small pools and models that are fast to fit: it refits the model for each row and
    class, n_rows x n_classes times. The first refits are timed, and a pool for which all of them
    would take longer than `max_seconds` is refused. Naive Bayes (``GaussianNB``, ``MultinomialNB``,
    ``BernoulliNB``) needs no refits if it is taught only rows and labels: what it would predict is
    known in closed form, in time n_rows x n_targets. For other models wrap the strategy in
    :class:`Subsample` or :class:`Prefilter`; or set `approximation`, which predicts the effect of
    the new label without a refit, in time n_rows x n_targets:

    * ``"newton"``, for linear models with log loss (``LogisticRegression``, also after
      transformers) and nets with a softmax output, of which it updates the last layer only. It
      solves

      .. math:: \theta^{+(x, y)} = \arg\min_\theta \; -\log p_\theta(y \mid x)
          - \sum_{x_l \in L} \log p_\theta(y_l \mid x_l) + \tfrac{\rho}{2} \lVert \theta \rVert^2

      by Newton steps that keep the curvature of the labeled rows at the fit, invert it once, and
      add the curvature of the new row by rank-one updates; matrix products treat all rows and
      classes at once. Five steps come close to the refit (rank correlations of 0.98 and more for
      ``LogisticRegression``). Needs probabilities and features. Pass the model's penalty
      :math:`\rho` as `ridge`. The model must be at its optimum on its labels; weights of rows or
      classes are ignored. It does not support other kinds of models (naive Bayes, trees).
    * ``"reweight"`` reweights draws :math:`\theta_s` from the posterior by
      :math:`p(y \mid x, \theta_s)`, for any model that has joint posterior samples (an ensemble,
      dropout).

    Parameters
    ----------
    loss : {"log_loss", "zero_one"}, default="log_loss"
        The loss to reduce.
    approximation : {"newton", "reweight"}, default=None
        How to predict the effect of a label without a refit; None refits, or computes what refits
        would give.
    ridge : float, default=1.0
        For ``"newton"``, the penalty: half of `ridge` times the squared weights is added to the sum
        of the log losses, as ``1 / C`` of ``LogisticRegression``.
    n_targets : int, default=None
        Number of rows, drawn at random from the pool, on which to compute the expected loss; None
        uses all.
    n_samples : int, default=None
        For ``"reweight"``, the number of draws; None leaves it to the model.
    max_seconds : float, default=600.0
        For refits, the longest time that a query may take, in seconds, as estimated by the fastest
        of the first three refits. None goes on however long it takes, with a progress bar. The
        scores never depend on the time.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

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
        "approximation": [StrOptions({"newton", "reweight"}), None],
        "ridge": POSITIVE_REAL,
        "n_targets": POSITIVE_INT_OR_NONE,
        "n_samples": POSITIVE_INT_OR_NONE,
        "max_seconds": POSITIVE_REAL_OR_NONE,
    }

    def __init__(
        self,
        *,
        loss: str = "log_loss",
        approximation: str | None = None,
        ridge: float = 1.0,
        n_targets: int | None = None,
        n_samples: int | None = None,
        max_seconds: float | None = 600.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.loss = loss
        self.approximation = approximation
        self.ridge = ridge
        self.n_targets = n_targets
        self.n_samples = n_samples
        self.max_seconds = max_seconds

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Refits; or the parts of a linear model; or posterior samples to reweight."""
        return _NEEDS.get(self.approximation, _NEEDS[None])

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """True if targets are drawn from the pool."""
        return self.n_targets is not None

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by minus the expected loss, shape (n_rows,)."""
        n_targets = self.n_targets
        targets = np.arange(len(pool)) if n_targets is None else draw_rows(pool, n_targets)
        methods = {
            None: self._expect_by_refits,
            "newton": self._expect_by_newton_steps,
            "reweight": self._expect_by_reweighting,
        }
        return -methods[self.approximation](pool, targets)

    def _expect_by_refits(self, pool: PoolView, targets: Positions) -> Floats:
        """Return the expected loss after labeling each row, shape (n_rows,), as refits give it."""
        futures = pool.fantasized_logits(pool.take(targets))
        if futures is None:
            return self._refit_one_by_one(pool, targets)
        _check_n_futures(len(pool), len(targets), len(pool.classes))
        loss, proba, expected = _LOSSES_OF_LOGITS[self.loss], pool.proba, np.zeros(len(pool))
        # Blocks of rows and of targets, for each class: logits (n_classes, n_block, n_targets).
        for rows, column, logits in futures:
            expected[rows] += proba[rows, column] * loss(logits).sum(axis=1)
        return expected / len(targets)

    def _refit_one_by_one(self, pool: PoolView, targets: Positions) -> Floats:
        """Return the expected loss after labeling each row, shape (n_rows,), by real refits."""
        loss, expected, proba = _LOSSES[self.loss], np.zeros(len(pool)), pool.proba
        labels = np.argwhere(proba)  # (n_refits, 2); an impossible class adds nothing
        refits = limit_cost(
            labels,
            len(labels),
            name=type(self).__name__,
            per_row=proba.shape[1],
            max_seconds=self.max_seconds,
        )
        for row, column in refits:
            future = pool.fantasize(row, pool.classes[column]).take(targets)
            expected[row] += proba[row, column] * loss(future.proba).mean()
        return expected

    def _expect_by_newton_steps(self, pool: PoolView, targets: Positions) -> Floats:
        """Return the expected loss after labeling each row, shape (n_rows,), by Newton steps."""
        _check_n_futures(len(pool), len(targets), len(pool.classes))
        layer = SoftmaxLayer(pool, self.ridge)
        if len(pool) * layer.row_work > _MAX_NEWTON_WORK:
            raise _too_large(f"take Newton steps for {len(pool)} rows", "set approximation=None")
        proba, features = pool.proba, pool.gradient_factors[1]
        target_logits = safe_log(proba[targets]).T  # (n_classes, n_targets)
        target_inputs = layer.inputs(features[targets])  # (n_targets, n_inputs)
        expected = np.zeros(len(pool))
        for block in _blocks(len(pool), proba.shape[1] * max(layer.row_size, 3 * len(targets))):
            inputs, block_proba = layer.inputs(features[block]), proba[block]
            for column, moves in enumerate(layer.moves(inputs, block_proba)):
                # (n_classes, n_block, n_inputs) @ (n_inputs, n_targets)
                futures = np.matmul(moves.transpose(1, 0, 2), target_inputs.T)
                futures += target_logits[:, np.newaxis]
                losses = _LOSSES_OF_LOGITS[self.loss](futures).mean(axis=1)  # (n_block,)
                expected[block] += block_proba[:, column] * losses
        return expected

    def _expect_by_reweighting(self, pool: PoolView, targets: Positions) -> Floats:
        """Return the expected loss after labeling each row, shape (n_rows,), by weighted draws."""
        _check_n_futures(len(pool), len(targets), len(pool.classes))
        samples = pool.proba_samples(self.n_samples)  # (n_draws, n_rows, n_classes)
        futures = samples[:, targets].reshape(len(samples), -1)  # (n_draws, n_targets * n_classes)
        # Three arrays with one value per class of the label, target and class of the target.
        row_bytes = 8 * samples.shape[2] * futures.shape[1] * 3
        step = max(1, int(get_config()["working_memory"] * 2**20 / row_bytes))
        blocks = [samples[:, start : start + step] for start in range(0, len(pool), step)]
        return np.concatenate([self._reweight_block(block, futures) for block in blocks])

    def _reweight_block(self, samples: Floats, futures: Floats) -> Floats:
        """Return the expected loss after labeling each row of a block, shape (n_block,)."""
        n_draws, n_block, n_classes = samples.shape
        weights = samples.reshape(n_draws, -1)  # (n_draws, n_block * n_classes)
        total = weights.sum(axis=0)
        # A label that no draw allows has probability 0, so its weights do not matter.
        weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        # (n_block, n_classes of the label, n_targets, n_classes)
        proba = (weights.T @ futures).reshape(n_block, n_classes, -1, n_classes)
        losses = _LOSSES[self.loss](proba).mean(axis=2)  # (n_block, n_classes)
        return (losses * (total / n_draws).reshape(n_block, n_classes)).sum(axis=1)


def _check_n_futures(n_rows: int, n_targets: int, n_classes: int) -> None:
    """Raise if predicting every target after every possible label would take hours."""
    if n_rows * n_targets * n_classes**2 > _MAX_FUTURES:
        work = f"look at {n_rows} rows x {n_targets} targets x {n_classes} classes squared"
        raise _too_large(work, "set n_targets=")


def _too_large(work: str, remedy: str) -> PoolTooLargeError:
    return PoolTooLargeError(
        f"ExpectedErrorReduction would {work} for this pool. Wrap it in Subsample or Prefilter, "
        f"which choose fewer candidates, or {remedy}."
    )


def _blocks(n_rows: int, n_values: int) -> Iterator[slice]:
    """Yield slices of rows such that arrays of ``n_values`` per row stay small."""
    size = max(1, _FUTURES_BLOCK_BYTES // (8 * n_values))
    return (slice(start, start + size) for start in range(0, n_rows, size))
