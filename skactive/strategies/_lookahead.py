"""Look-ahead: the rows after whose labeling the model is expected to err least."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.special import entr
from sklearn import get_config

from skactive._utils.compat import Interval, StrOptions
from skactive.exceptions import CapabilityError, PoolTooLargeError
from skactive.strategies._base import POSITIVE_INT, ScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["ExpectedErrorReduction"]

Floats = NDArray[np.float64]


def _log_loss(proba: Floats) -> Floats:
    """Log loss that a model expects of itself: its entropy, over the last axis."""
    return entr(proba).sum(axis=-1)


def _zero_one(proba: Floats) -> Floats:
    """Share of errors that a model expects of itself, over the last axis."""
    return 1.0 - proba.max(axis=-1)


_LOSSES: dict[str, Callable[[Floats], Floats]] = {"log_loss": _log_loss, "zero_one": _zero_one}

_NEEDS: dict[str | None, frozenset[str]] = {
    None: frozenset({"proba", "fantasize"}),
    "newton": frozenset({"proba", "gradient_factors"}),
    "reweight": frozenset({"joint_samples"}),
}

# Some minutes' work, each: probabilities that are imagined, one for each row, target, and pair of
# classes; refits; multiply-adds of Newton steps.
_MOST_FUTURES = 10_000_000_000
_MOST_REFITS = 100_000
_MOST_STEPS = 100_000_000_000
# The curvature of a softmax layer is a matrix of (n_classes * (n_features + 1)) squared.
_MOST_WEIGHTS = 6_000
# Biases are not penalized; without any penalty at all a common shift of them would be free.
_BIAS_PENALTY = 1e-6
_N_STEPS, _N_INNER_STEPS = 5, 3
_LENGTHS = (0.05, 3.0)
_NOTHING = 1e-9  # less loss than this is rounding, which must not choose between lengths
_TRIALS = np.array([1.0, 0.5, 0.2])[:, np.newaxis, np.newaxis]
_BLOCK_BYTES = 2**23


def _log_loss_of_logits(logits: Floats) -> Floats:
    """Entropy of softmax over the first axis; changes ``logits``."""
    logits -= logits.max(axis=0)
    powers = np.exp(logits)
    total = powers.sum(axis=0)
    powers *= logits
    return np.log(total) - powers.sum(axis=0) / total


def _zero_one_of_logits(logits: Floats) -> Floats:
    """One minus the largest of softmax over the first axis; changes ``logits``."""
    logits -= logits.max(axis=0)
    return 1.0 - 1.0 / np.exp(logits, out=logits).sum(axis=0)


_LOSSES_OF_LOGITS: dict[str, Callable[[Floats], Floats]] = {
    "log_loss": _log_loss_of_logits,
    "zero_one": _zero_one_of_logits,
}


class ExpectedErrorReduction(ScoreStrategy):
    r"""Choose rows after whose labeling the model is expected to err least on the pool.

    .. math:: u(x) = -\sum_y p(y \mid x)\, \frac{1}{|T|} \sum_{x_* \in T}
        \ell\big(p^{+(x, y)}(\cdot \mid x_*)\big)

    where :math:`p^{+(x, y)}` is the model taught one more label, T are rows of the pool (labeled
    rows do not count) and the loss :math:`\ell` is the entropy (log loss) or
    :math:`1 - \max_y p` (0/1 loss).

    **When:** small pools and models that are quickly fitted: it refits the model for each row and
    class, n_rows x n_classes times. Naive Bayes (``GaussianNB``, ``MultinomialNB``,
    ``BernoulliNB``) is spared the refits where it is taught rows and labels and nothing else: what
    they would predict is known in closed form, in time n_rows x n_targets. For other models wrap
    the strategy in :class:`Subsample` or :class:`Prefilter`; or set `approximation`, which
    imagines the new label without a refit, in time n_rows x n_targets:

    * ``"newton"``, for linear models with log loss (``LogisticRegression``, also behind
      transformers) and nets that end in softmax, of which it moves the last layer only. It solves

      .. math:: \theta^{+(x, y)} = \arg\min_\theta \; -\log p_\theta(y \mid x)
          - \sum_{x_l \in L} \log p_\theta(y_l \mid x_l) + \tfrac{\rho}{2} \lVert \theta \rVert^2

      by Newton steps that keep the curvature of the labeled rows at the fit, invert it once, and
      put the new row's own curvature in by rank-one updates; all rows and classes by matrix
      products. Five steps come near to the refit (rank correlations of 0.98 and more for
      ``LogisticRegression``). Needs probabilities and features. Tell it the model's penalty
      :math:`\rho` by `ridge`. The model must be at its optimum on its labels; weights of rows or
      classes are not known to it. It is not for models of other kinds (naive Bayes, trees).
    * ``"reweight"`` re-weights draws :math:`\theta_s` from the posterior with
      :math:`p(y \mid x, \theta_s)`, for any model that has joint posterior samples (an ensemble,
      dropout).

    Parameters
    ----------
    loss : {"log_loss", "zero_one"}, default="log_loss"
        What is to be small.
    approximation : {"newton", "reweight"}, default=None
        How to imagine a label without a refit; None refits, or gives what refits would.
    ridge : float, default=1.0
        For ``"newton"``, the penalty: half of `ridge` times the squared weights beside the sum of
        the log losses, as ``1 / C`` of ``LogisticRegression``.
    n_targets : int, default=None
        How many rows of the pool, drawn at random, to expect the loss on; None takes all.
    n_samples : int, default=None
        For ``"reweight"``, how many draws; None leaves it to the model.
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
        "approximation": [StrOptions({"newton", "reweight"}), None],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "n_targets": POSITIVE_INT,
        "n_samples": POSITIVE_INT,
    }

    def __init__(
        self,
        *,
        loss: str = "log_loss",
        approximation: str | None = None,
        ridge: float = 1.0,
        n_targets: int | None = None,
        n_samples: int | None = None,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.loss = loss
        self.approximation = approximation
        self.ridge = ridge
        self.n_targets = n_targets
        self.n_samples = n_samples

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Refits; or the parts of a linear model; or posterior samples to re-weight."""
        return _NEEDS.get(self.approximation, _NEEDS[None])

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
        ways = {None: self._refitted, "newton": self._stepped, "reweight": self._reweighted}
        return -ways[self.approximation](pool, targets)

    def _refitted(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by what a refit would give."""
        futures = pool.fantasized_logits(pool.take(targets))
        if futures is None:
            return self._one_by_one(pool, targets)
        _refuse_many(len(pool), len(targets), len(pool.classes))
        loss, proba, expected = _LOSSES_OF_LOGITS[self.loss], pool.proba, np.zeros(len(pool))
        for rows, column, logits in futures:
            expected[rows] += proba[rows, column] * loss(logits).sum(axis=1)
        return expected / len(targets)

    def _one_by_one(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by a refit a row and class."""
        n_refits = len(pool) * max(1, len(pool.classes))
        if n_refits > _MOST_REFITS:
            raise _too_large(f"refit the model {n_refits} times", "set approximation=")
        loss, expected = _LOSSES[self.loss], np.zeros(len(pool))
        for row, proba in enumerate(pool.proba):
            for column in np.flatnonzero(proba):  # a class that cannot be is not imagined
                future = pool.fantasize(row, pool.classes[column]).take(targets)
                expected[row] += proba[column] * loss(future.proba).mean()
        return expected

    def _stepped(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by Newton steps."""
        _refuse_many(len(pool), len(targets), len(pool.classes))
        layer = _SoftmaxLayer(pool, self.ridge)
        if len(pool) * layer.row_work > _MOST_STEPS:
            raise _too_large(f"take Newton steps for {len(pool)} rows", "set approximation=None")
        proba, features = pool.proba, pool.gradient_factors[1]
        logits, inputs = _logits(proba[targets]).T, layer.inputs(features[targets])
        expected = np.zeros(len(pool))
        for block in _blocks(len(pool), proba.shape[1] * max(layer.row_size, 3 * len(targets))):
            rows, of_rows = layer.inputs(features[block]), proba[block]
            for column, moves in enumerate(layer.moves(rows, of_rows)):
                # (n_classes, n_block, n_targets)
                futures = np.matmul(moves.transpose(1, 0, 2), inputs.T)
                futures += logits[:, np.newaxis]
                losses = _LOSSES_OF_LOGITS[self.loss](futures).mean(axis=1)
                expected[block] += of_rows[:, column] * losses
        return expected

    def _reweighted(self, pool: PoolView, targets: NDArray[np.intp]) -> Floats:
        """Loss to be expected after each row, shape (n_rows,), by re-weighted draws."""
        _refuse_many(len(pool), len(targets), len(pool.classes))
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


def _refuse_many(n_rows: int, n_targets: int, n_classes: int) -> None:
    """Raise where looking at each row with each target would take hours."""
    if n_rows * n_targets * n_classes**2 > _MOST_FUTURES:
        work = f"look at {n_rows} rows x {n_targets} targets x {n_classes} classes squared"
        raise _too_large(work, "set n_targets=")


def _too_large(work: str, way: str) -> PoolTooLargeError:
    return PoolTooLargeError(
        f"ExpectedErrorReduction would {work} for this pool. Wrap it in Subsample or Prefilter, "
        f"which choose fewer candidates, or {way}."
    )


class _SoftmaxLayer:
    """A softmax layer at its fit to the labeled rows, and where one more label would move it.

    Moves of the weights are of shape (n_rows, n_classes, n_inputs), one for each candidate.

    Parameters
    ----------
    pool : PoolView
        Gives the labeled rows, and the probabilities that the layer has for them.
    ridge : float
        Penalty of the weights.
    """

    def __init__(self, pool: PoolView, ridge: float) -> None:
        n_classes, n_inputs = pool.proba.shape[1], pool.gradient_factors[1].shape[1] + 1
        if n_classes * n_inputs > _MOST_WEIGHTS:
            raise CapabilityError(
                f"ExpectedErrorReduction(approximation='newton') inverts a matrix as wide as the "
                f"model's last layer has weights, here {n_classes} classes x {n_inputs} inputs; "
                f"its limit is {_MOST_WEIGHTS}. Reduce the features (PCA or TruncatedSVD as a step "
                "of the pipeline), or set approximation=None or 'reweight'."
            )
        # With two classes linear models penalize the difference of the two weights.
        self._penalty = np.full(n_inputs, 2 * ridge if n_classes == 2 else ridge)
        self._penalty[-1] *= _BIAS_PENALTY
        self._inputs, self._proba = np.empty((0, n_inputs)), np.empty((0, n_classes))
        if pool.labeled is not None:
            self._inputs = self.inputs(pool.labeled.gradient_factors[1])
            self._proba = np.asarray(pool.labeled.proba, dtype=np.float64)
        self._logits = _logits(self._proba).T  # (n_classes, n_labeled)
        curvature = _fisher(self._proba, self._inputs)
        curvature.flat[:: len(curvature) + 1] += np.tile(self._penalty, n_classes)
        self._inverse = linalg.inv(curvature, overwrite_a=True, check_finite=False)
        # Multiply-adds for a row: steps for each class, by the inverse and over the labeled rows.
        n_weights = n_classes * n_inputs
        self.row_work = n_classes * _N_STEPS * n_weights * (n_weights + 2 * len(self._inputs))
        # How many numbers the moves of a row take, at the most at one time.
        self.row_size = n_classes * max(n_classes * n_inputs, 6 * len(self._inputs))

    @staticmethod
    def inputs(features: Any) -> Floats:
        """Return what the layer multiplies: the features and a constant, in double precision."""
        dense = features.toarray() if sparse.issparse(features) else features
        return np.column_stack([dense, np.ones(dense.shape[0])])

    def moves(self, inputs: Floats, proba: Floats) -> Iterator[Floats]:
        """Yield for each class where its label on each row would move the weights."""
        reach = self._reach(inputs)
        kernel = np.einsum("nkci,ni->nck", reach, inputs, optimize=True)
        for column in range(proba.shape[1]):
            row = _Row(inputs, _logits(proba), kernel, column)
            moves = np.zeros((len(inputs), proba.shape[1], inputs.shape[1]))
            for _ in range(_N_STEPS):
                base = moves - self._solve(self._gradient(moves))
                pull = np.einsum("nk,nkci->nci", row.residuals(base), reach, optimize=True)
                moves = self._towards(base - pull, moves, row)
            yield moves

    def _reach(self, inputs: Floats) -> Floats:
        """Return how a residual of each class on each row would move all weights."""
        n_classes, n_inputs = self._proba.shape[1], self._inputs.shape[1]
        inverse = self._inverse.reshape(n_classes, n_inputs, -1).transpose(1, 0, 2)
        reach = inputs @ inverse.reshape(n_inputs, -1)
        return reach.reshape(-1, n_classes, n_classes, n_inputs)

    def _solve(self, gradients: Floats) -> Floats:
        flat = gradients.reshape(len(gradients), -1)
        return (flat @ self._inverse).reshape(gradients.shape)

    def _gradient(self, moves: Floats) -> Floats:
        """Gradient of what the layer was fitted to: none at the fit itself, whatever the labels."""
        return self._change(moves) @ self._inputs + moves * self._penalty

    def _change(self, moves: Floats) -> Floats:
        """Change of the labeled rows' probabilities, (n_rows, n_classes, n_labeled)."""
        logits = moves @ self._inputs.T
        logits += self._logits
        proba = _softmax(logits)
        proba -= self._proba.T
        return proba

    def _towards(self, goal: Floats, moves: Floats, row: _Row) -> Floats:
        """Go towards the goal as far as the loss on all labels and the imagined one falls.

        It is convex: where its slope would be nought if it were even between here and the goal.
        """
        way = goal - moves
        of_labels = way @ self._inputs.T
        here, there = (self._slope(at, way, of_labels, row) for at in (moves, goal))
        # Where both are rounding it is the whole way.
        length = (_NOTHING - here) / np.maximum(_NOTHING - here + there, _NOTHING)
        return moves + np.clip(length, *_LENGTHS)[:, np.newaxis, np.newaxis] * way

    def _slope(self, moves: Floats, way: Floats, of_labels: Floats, row: _Row) -> Floats:
        """Slope of the loss along a way, (n_rows,), at some moves."""
        slope = np.einsum("ncl,ncl->n", self._change(moves), of_labels)
        return slope + np.einsum("nci,i,nci->n", moves, self._penalty, way) + row.slope(moves, way)


class _Row:
    """Candidates, each with the same imagined label, and what a residual does to their logits.

    Parameters
    ----------
    inputs : ndarray of shape (n_rows, n_inputs)
        What the layer multiplies.
    logits : ndarray of shape (n_rows, n_classes)
        At the fit.
    kernel : ndarray of shape (n_rows, n_classes, n_classes)
        The row's own logits move by minus the kernel times its residual.
    column : int
        The class imagined.
    """

    def __init__(self, inputs: Floats, logits: Floats, kernel: Floats, column: int) -> None:
        self._inputs, self._logits, self._kernel, self._column = inputs, logits, kernel, column

    def _moved(self, moves: Floats) -> Floats:
        return self._logits + np.einsum("nci,ni->nc", moves, self._inputs)

    def slope(self, moves: Floats, way: Floats) -> Floats:
        """Slope of the log loss of the imagined label along a way, (n_rows,)."""
        residuals = _softmax(self._moved(moves))
        residuals[:, self._column] -= 1.0
        return np.einsum("nc,nci,ni->n", residuals, way, self._inputs, optimize=True)

    def residuals(self, base: Floats) -> Floats:
        """Return probabilities less label that agree with the move that they make from ``base``.

        The minimum of a convex function, by Newton steps of the best of several lengths.
        """
        logits = self._moved(base)
        identity, rows = np.eye(logits.shape[1]), np.arange(len(logits))
        residuals = np.zeros_like(logits)
        for _ in range(_N_INNER_STEPS):
            back = np.matmul(self._kernel, residuals[:, :, np.newaxis])[:, :, 0]
            proba = _softmax(logits - back)
            curve = proba[:, :, np.newaxis] * (identity - proba[:, np.newaxis])
            error = residuals + identity[self._column] - proba
            step = np.linalg.solve(identity + curve @ self._kernel, error[:, :, np.newaxis])[..., 0]
            trials = residuals - _TRIALS * step  # (n_trials, n_rows, n_classes)
            objectives = np.array([self._objective(logits, trial) for trial in trials])
            objectives[0] -= _NOTHING
            best = objectives.argmin(axis=0)
            residuals = trials[best, rows]
        return residuals

    def _objective(self, logits: Floats, residuals: Floats) -> Floats:
        back = np.matmul(self._kernel, residuals[:, :, np.newaxis])[:, :, 0]
        moved = logits - back
        top = moved.max(axis=1)
        loss = top + np.log(np.exp(moved - top[:, np.newaxis]).sum(axis=1)) - moved[:, self._column]
        return loss + (residuals * back).sum(axis=1) / 2


def _fisher(proba: Floats, inputs: Floats) -> Floats:
    """Return the curvature of the log loss in the weights, a square matrix, class by class."""
    n_classes, n_inputs = proba.shape[1], inputs.shape[1]
    fisher = np.empty((n_classes, n_inputs, n_classes, n_inputs))
    for one in range(n_classes):
        for other in range(n_classes):
            curve = proba[:, one] * ((one == other) - proba[:, other])
            fisher[one, :, other] = (inputs.T * curve) @ inputs
    return fisher.reshape(n_classes * n_inputs, -1)


def _softmax(logits: Floats) -> Floats:
    """Turn logits into probabilities, in place, over axis 1."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _logits(proba: Floats) -> Floats:
    """Return logarithms; what is impossible is as good as impossible."""
    return np.log(np.maximum(proba, 1e-300, dtype=np.float64))


def _blocks(n_rows: int, n_values: int) -> Iterator[slice]:
    """Cut the rows into slices of which a reading of ``n_values`` a row stays small."""
    size = max(1, _BLOCK_BYTES // (8 * n_values))
    return (slice(start, start + size) for start in range(0, n_rows, size))
