"""A softmax layer with one more label, by Newton steps: for look-ahead without refits.

The layer is at the optimum of its penalized log loss on the labeled rows. One more label of a row
adds a term that depends on the weights through the logits of that row alone, so its part of each
Newton step is a small system of n_classes equations per row, and the inverse of the curvature on
the labeled rows is computed once. Everything is done for many candidate rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg, sparse

from skactive._utils.array_types import Floats
from skactive.exceptions import CapabilityError

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["SoftmaxLayer", "safe_log"]

# The curvature of a softmax layer is a matrix of (n_classes * (n_features + 1)) squared.
_MAX_WEIGHTS = 6_000
# Biases are not penalized, but without any penalty a common shift of them would be undetermined.
_BIAS_PENALTY = 1e-6
_N_STEPS, _N_INNER_STEPS = 5, 3
_STEP_LENGTHS = (0.05, 3.0)  # shortest and longest, as multiples of the Newton step
_MIN_DECREASE = 1e-9  # smaller decreases of the loss are rounding, and must not decide on a length
_TRIAL_LENGTHS = np.array([1.0, 0.5, 0.2])[:, np.newaxis, np.newaxis]  # (n_trials, 1, 1)


class SoftmaxLayer:
    """A softmax layer fitted to the labeled rows, and how one more label moves its weights.

    Moves have shape (n_rows, n_classes, n_inputs), one per candidate.

    Parameters
    ----------
    pool : PoolView
        Provides the labeled rows and the layer's probabilities for them.
    ridge : float
        Penalty of the weights.

    Attributes
    ----------
    row_work : int
        Multiply-adds per candidate: steps for each class, by the inverse and over labeled rows.
    row_size : int
        Largest number of values that the moves of a candidate take at a time.
    """

    def __init__(self, pool: PoolView, ridge: float) -> None:
        n_classes, n_inputs = pool.proba.shape[1], pool.gradient_factors[1].shape[1] + 1
        if n_classes * n_inputs > _MAX_WEIGHTS:
            raise CapabilityError(
                f"ExpectedErrorReduction(approximation='newton') inverts a matrix as wide as the "
                f"model's last layer has weights, here {n_classes} classes x {n_inputs} inputs; "
                f"its limit is {_MAX_WEIGHTS}. Reduce the features (PCA or TruncatedSVD as a step "
                "of the pipeline), or set approximation=None (or 'reweight' with an ensemble)."
            )
        # With two classes linear models penalize the difference of the two weights.
        self._penalty = np.full(n_inputs, 2 * ridge if n_classes == 2 else ridge)
        self._penalty[-1] *= _BIAS_PENALTY
        self._inputs, self._proba = np.empty((0, n_inputs)), np.empty((0, n_classes))
        if pool.labeled is not None:
            self._inputs = self.inputs(pool.labeled.gradient_factors[1])
            self._proba = np.asarray(pool.labeled.proba, dtype=np.float64)
        # Logits are determined up to a constant per row, so logarithms of probabilities will do.
        self._logits = safe_log(self._proba).T  # (n_classes, n_labeled)
        curvature = _fisher_information(self._proba, self._inputs)
        curvature.flat[:: len(curvature) + 1] += np.tile(self._penalty, n_classes)
        self._inverse = linalg.inv(curvature, overwrite_a=True, check_finite=False)
        n_weights = n_classes * n_inputs
        self.row_work = n_classes * _N_STEPS * n_weights * (n_weights + 2 * len(self._inputs))
        self.row_size = n_classes * max(n_classes * n_inputs, 6 * len(self._inputs))

    @staticmethod
    def inputs(features: Any) -> Floats:
        """Return the inputs of the layer: the features and a constant, in double precision."""
        dense = features.toarray() if sparse.issparse(features) else features
        return np.column_stack([dense, np.ones(dense.shape[0])])

    def moves(self, inputs: Floats, proba: Floats) -> Iterator[Floats]:
        """Yield, per class, the moves of the weights after labeling each row with that class."""
        responses = self._compute_responses(inputs)
        # The response of the row's own logits: (n_rows, n_classes, n_classes)
        kernel = np.einsum("nkci,ni->nck", responses, inputs, optimize=True)
        for column in range(proba.shape[1]):
            candidates = _LabeledCandidates(inputs, safe_log(proba), kernel, column)
            moves = np.zeros((len(inputs), proba.shape[1], inputs.shape[1]))
            for _ in range(_N_STEPS):
                # A Newton step on the old labels, then the exact effect of the new one.
                base = moves - self._solve(self._gradient(moves))
                residuals = candidates.solve_residuals(base)
                pull = np.einsum("nk,nkci->nci", residuals, responses, optimize=True)
                moves = self._search_line(base - pull, moves, candidates)
            yield moves

    def _compute_responses(self, inputs: Floats) -> Floats:
        """Return the move of all weights per residual of each class on each row.

        The shape is (n_rows, n_classes of the residual, n_classes, n_inputs).
        """
        n_classes, n_inputs = self._proba.shape[1], self._inputs.shape[1]
        # (n_inputs, n_classes, n_weights), so that one product contracts the inputs.
        inverse = self._inverse.reshape(n_classes, n_inputs, -1).transpose(1, 0, 2)
        responses = inputs @ inverse.reshape(n_inputs, -1)
        return responses.reshape(-1, n_classes, n_classes, n_inputs)

    def _solve(self, gradients: Floats) -> Floats:
        flat = gradients.reshape(len(gradients), -1)
        return (flat @ self._inverse).reshape(gradients.shape)

    def _gradient(self, moves: Floats) -> Floats:
        """Return the gradient of the loss that the layer was fitted to, in the shape of the moves.

        It is 0 at the fit, so only changes since then count, and the labels need not be known.
        """
        return self._change_of_proba(moves) @ self._inputs + moves * self._penalty

    def _change_of_proba(self, moves: Floats) -> Floats:
        """Return the change of the labeled rows' probabilities, (n_rows, n_classes, n_labeled)."""
        logits = moves @ self._inputs.T
        logits += self._logits
        change = _softmax_in_place(logits)
        change -= self._proba.T
        return change

    def _search_line(self, goal: Floats, moves: Floats, candidates: _LabeledCandidates) -> Floats:
        """Go from the moves towards the goal, to where the loss is smallest.

        The loss on all labels, the new one included, is convex. Its slope is interpolated linearly
        between the two ends, and the zero of the interpolation is the length of the step.
        """
        direction = goal - moves
        logit_change = direction @ self._inputs.T  # (n_rows, n_classes, n_labeled)
        start, end = (self._slope(at, direction, logit_change, candidates) for at in (moves, goal))
        # If both slopes are no more than rounding, the length is 1: the full step.
        length = (_MIN_DECREASE - start) / np.maximum(_MIN_DECREASE - start + end, _MIN_DECREASE)
        return moves + np.clip(length, *_STEP_LENGTHS)[:, np.newaxis, np.newaxis] * direction

    def _slope(
        self,
        moves: Floats,
        direction: Floats,
        logit_change: Floats,
        candidates: _LabeledCandidates,
    ) -> Floats:
        """Return the slope of the loss on all labels at the moves along a direction, (n_rows,)."""
        slope = np.einsum("ncl,ncl->n", self._change_of_proba(moves), logit_change)
        slope = slope + np.einsum("nci,i,nci->n", moves, self._penalty, direction)
        return slope + candidates.slope(moves, direction)


class _LabeledCandidates:
    """Candidates with one hypothetical label for all, and how their logits respond to residuals.

    A residual is a probability minus the label, which is 1 for the class and 0 for the others.

    Parameters
    ----------
    inputs : ndarray of shape (n_rows, n_inputs)
        Inputs of the layer.
    logits : ndarray of shape (n_rows, n_classes)
        Logits at the fit.
    kernel : ndarray of shape (n_rows, n_classes, n_classes)
        The logits of a row change by minus its kernel times its residual.
    column : int
        The class of the hypothetical label.
    """

    def __init__(self, inputs: Floats, logits: Floats, kernel: Floats, column: int) -> None:
        self._inputs, self._logits, self._kernel, self._column = inputs, logits, kernel, column

    def _move_logits(self, moves: Floats) -> Floats:
        return self._logits + np.einsum("nci,ni->nc", moves, self._inputs)

    def slope(self, moves: Floats, direction: Floats) -> Floats:
        """Return the slope of the log loss of the new label along a direction, (n_rows,)."""
        residuals = _softmax_in_place(self._move_logits(moves))
        residuals[:, self._column] -= 1.0
        return np.einsum("nc,nci,ni->n", residuals, direction, self._inputs, optimize=True)

    def solve_residuals(self, base: Floats) -> Floats:
        """Return the residuals that are consistent with the move from ``base`` that they cause.

        They minimize a convex function, by Newton steps of the best of several lengths. The shape
        is (n_rows, n_classes).
        """
        logits = self._move_logits(base)  # (n_rows, n_classes)
        identity, rows = np.eye(logits.shape[1]), np.arange(len(logits))
        residuals = np.zeros_like(logits)
        for _ in range(_N_INNER_STEPS):
            # Consistent are residuals = softmax(logits - kernel @ residuals) - label.
            response = np.matmul(self._kernel, residuals[:, :, np.newaxis])[:, :, 0]
            proba = _softmax_in_place(logits - response)
            curvature = proba[:, :, np.newaxis] * (identity - proba[:, np.newaxis])
            error = residuals + identity[self._column] - proba
            system = identity + curvature @ self._kernel  # (n_rows, n_classes, n_classes)
            step = np.linalg.solve(system, error[:, :, np.newaxis])[..., 0]
            trials = residuals - _TRIAL_LENGTHS * step  # (n_trials, n_rows, n_classes)
            objectives = np.array([self._objective(logits, trial) for trial in trials])
            objectives[0] -= _MIN_DECREASE  # of equally good lengths the full step is best
            residuals = trials[objectives.argmin(axis=0), rows]
        return residuals

    def _objective(self, logits: Floats, residuals: Floats) -> Floats:
        """Return the convex function whose minimum has consistent residuals, shape (n_rows,)."""
        response = np.matmul(self._kernel, residuals[:, :, np.newaxis])[:, :, 0]
        moved = logits - response
        top = moved.max(axis=1)
        log_sum = top + np.log(np.exp(moved - top[:, np.newaxis]).sum(axis=1))
        return log_sum - moved[:, self._column] + (residuals * response).sum(axis=1) / 2


def _fisher_information(proba: Floats, inputs: Floats) -> Floats:
    """Return the curvature of the log loss in the weights, summed over the rows.

    It is a square matrix of n_classes * n_inputs rows, class by class.
    """
    n_classes, n_inputs = proba.shape[1], inputs.shape[1]
    fisher = np.empty((n_classes, n_inputs, n_classes, n_inputs))
    for first in range(n_classes):
        for second in range(n_classes):
            curvature = proba[:, first] * ((first == second) - proba[:, second])  # (n_rows,)
            fisher[first, :, second] = (inputs.T * curvature) @ inputs
    return fisher.reshape(n_classes * n_inputs, -1)


def _softmax_in_place(logits: Floats) -> Floats:
    """Turn logits into probabilities, in place, over axis 1."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def safe_log(proba: Floats) -> Floats:
    """Return finite logarithms: probabilities of 0 are replaced by a tiny one."""
    return np.log(np.maximum(proba, 1e-300, dtype=np.float64))
