"""Selectors based on the joint distribution of the labels of a batch.

Given the parameters of the model, labels are independent, so their joint distribution is a mixture
over draws from the posterior. A configuration of the labels of the rows selected so far is
described by its probability and by the posterior probabilities of the draws given these labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._top import fill_at_random

__all__ = ["Configurations", "batch_bald"]

# Predictions of a block and their logarithms fit the last cache, and are large enough for a
# threaded matrix product to pay.
_PREDICTION_BLOCK_BYTES = 2**22
# Rows whose gains are computed at once, before the bounds of the others are compared again.
_VISIT_ROWS = 256
# Rounding of gains in double precision, in nats: rows of lower gain carry no information, and
# gains that differ by less tie.
_GAIN_ATOL = 1e-11
# Ridge of the calibration, relative: draws that always agree make its matrix singular.
_CALIBRATION_RIDGE = 1e-6
# Smallest factor by which calibration may multiply a weight.
_MIN_CORRECTION = 0.1


@check_input()
def batch_bald(
    samples: NDArray[np.floating[Any]],
    batch_size: int,
    *,
    n_configurations: int = 500,
    random_state: Seed = None,
) -> Positions:
    r"""Select the batch whose labels carry the most information about the model's parameters.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw from the posterior, draw axis first; each draw is one
        function of all rows.
    batch_size : int
        Number of rows to select.
    n_configurations : int, default=500
        Maximum number of label configurations to keep. The gains are exact while all :math:`C^k`
        of :math:`k` picks fit: for the first 9 picks with two classes, the first 3 with ten.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties and, if no row carries further information, for drawing the rest.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Greedy: each pick maximizes the mutual information between the labels of the batch and the
    parameters. A row adds its expected information given the labels of the previous picks,

    .. math:: I(y_x; \theta \mid y_B) = \sum_{y_B} p(y_B) \Bigl( H\bigl[\textstyle\sum_s w_s(y_B)
        \, p_s(y_x)\bigr] - \textstyle\sum_s w_s(y_B) \, H[p_s(y_x)] \Bigr), \qquad
        w_s(y_B) \propto \prod_{b \in B} p_s(y_b)

    If there are more configurations :math:`y_B` than ``n_configurations``, the most probable are
    kept and the rest is sampled systematically, branch by branch. The weights are then calibrated
    so that the posteriors :math:`w(y_B)` keep their mean, which is known. The same configurations
    are used for all rows, and no term of the sum is negative, so the information grows with each
    pick. The sample does not depend on ``random_state``.

    The gain of a row cannot grow from pick to pick, so its last value is an upper bound: rows are
    visited in the order of their bounds until no other can be the best. This is exact while the
    gains are; with a sample it holds for what the gains estimate. Gains are computed in single
    precision and, where its rounding could change the pick, again in double. Time grows with
    ``n_samples * n_configurations`` per visited row.

    References
    ----------
    Kirsch, van Amersfoort and Gal (2019), :doi:`10.48550/arXiv.1906.08158`; on
    resampling, Fearnhead and Clifford (2003), :doi:`10.1111/1467-9868.00421`.

    Examples
    --------
    Rows 0 and 1 carry the same information about the draws, row 2 different information:

    >>> import numpy as np
    >>> first = np.array([[1.0, 1.0, 0.9], [1.0, 1.0, 0.1], [0.0, 0.0, 0.9], [0.0, 0.0, 0.1]])
    >>> samples = np.stack([first, 1 - first], axis=2)
    >>> picks = batch_bald(samples, batch_size=2, random_state=0)
    >>> sorted(np.where(picks == 1, 0, picks).tolist())
    [0, 2]
    """
    rng = make_random_state(random_state)
    n_rows = samples.shape[1]
    batch_size = min(batch_size, n_rows)
    picks: list[int] = []
    if batch_size > 0:
        joint, bounds = Configurations(samples, n_configurations), np.full(n_rows, np.inf)
        while len(picks) < batch_size:
            pick, gain = _find_best(joint, bounds, rng)
            if gain <= _GAIN_ATOL:  # and no later gain is larger
                break
            picks.append(pick)
            bounds[pick] = -np.inf
            if len(picks) < batch_size:
                joint.add(pick)
    return fill_at_random(picks, batch_size, n_rows, rng)


class Configurations:
    """Possible labels of the rows selected so far, and the posterior that each implies.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw from the posterior.
    n_configurations : int
        Maximum number of configurations to keep.

    Attributes
    ----------
    weights : ndarray of shape (n_kept,)
        Probabilities of the configurations; they sum to 1.
    posteriors : ndarray of shape (n_kept, n_samples)
        Probabilities of the draws given each configuration.
    """

    def __init__(self, samples: NDArray[np.floating[Any]], n_configurations: int) -> None:
        self._samples, self._n_configurations = samples, n_configurations
        self._entropies = _compute_entropies(samples)  # H[p_s(y_x)], (n_samples, n_rows)
        self.weights = np.ones(1)
        self.posteriors = np.full((1, len(samples)), 1 / len(samples))

    def add(self, position: int) -> None:
        """Add the row at ``position`` to the batch: each configuration splits into its classes."""
        likelihood = self._samples[:, position].astype(np.float64)  # (n_samples, n_classes)
        marginal = self.weights @ self.posteriors  # known mean of the posteriors, (n_samples,)
        # (n_configurations, n_classes)
        weights = self.weights[:, np.newaxis] * (self.posteriors @ likelihood)
        branches, self.weights = _resample(weights.ravel(), self._n_configurations)
        parents, labels = np.divmod(branches, likelihood.shape[1])
        posteriors = self.posteriors[parents] * likelihood.T[labels]
        self.posteriors = posteriors / posteriors.sum(axis=1, keepdims=True)
        if len(branches) < np.count_nonzero(weights):
            self.weights = _calibrate_weights(self.weights, self.posteriors, marginal)

    def gains(self, rows: Positions, dtype: Any = np.float64) -> Floats:
        """Return the expected information of the labels of ``rows``, (n,), in nats.

        Parameters
        ----------
        rows : ndarray of shape (n,)
            Positions.
        dtype : {float32, float64}, default=float64
            Precision of the predictions; see `rounding`.
        """
        weights, posteriors = self.weights.astype(dtype), self.posteriors.astype(dtype)
        n_classes = self._samples.shape[2]
        row_bytes = np.dtype(dtype).itemsize * n_classes * max(posteriors.shape)
        size = max(1, _PREDICTION_BLOCK_BYTES // row_bytes)
        buffer = np.empty((2, len(weights) * min(size, len(rows)) * n_classes), dtype)
        entropies = np.empty(len(rows))
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            negative = weights @ self._log_products(posteriors, rows[block], buffer)
            entropies[block] = -negative.reshape(-1, n_classes).sum(axis=1, dtype=np.float64)
        return entropies - (self.weights @ self.posteriors) @ self._entropies[:, rows]

    def _log_products(
        self, posteriors: NDArray[Any], rows: Positions, buffer: NDArray[Any]
    ) -> NDArray[Any]:
        """Return p log p for the prediction p of each configuration, (n_kept, n * n_classes)."""
        # With this floor p log p is negligible where p is 0, and log p is finite.
        probabilities = np.maximum(self._samples[:, rows], 1e-30, dtype=posteriors.dtype)
        probabilities = probabilities.reshape(len(probabilities), -1)  # (n_samples, n * n_classes)
        shape = len(posteriors), probabilities.shape[1]
        predictions, logarithms = buffer[:, : shape[0] * shape[1]].reshape(2, *shape)
        np.matmul(posteriors, probabilities, out=predictions)
        np.log(predictions, out=logarithms)
        logarithms *= predictions
        return logarithms

    def rounding(self, dtype: Any) -> float:
        """Return a bound on the rounding of `gains` in a precision, for sums in any order."""
        n_kept, n_samples = self.posteriors.shape
        n_classes = self._samples.shape[2]
        n_terms = n_kept + n_samples + n_classes + 10
        return float(np.finfo(dtype).eps * n_terms * (2 + 2 * np.log(n_classes)))


def _find_best(joint: Configurations, bounds: Floats, rng: RandomState) -> tuple[int, float]:
    """Return the row of largest gain, ties broken at random, and its gain; update ``bounds``."""
    rounding = joint.rounding(np.float32)
    visited, lower_bound = [], -np.inf  # of the largest gain
    for rows in _sort_by_bound(bounds):
        rows = rows[bounds[rows] >= lower_bound]
        if len(rows) == 0:
            break
        gains = joint.gains(rows, np.float32)
        bounds[rows] = gains + rounding
        lower_bound = max(lower_bound, float(gains.max()) - rounding)
        visited.append(rows)
    contenders = np.concatenate(visited)
    contenders = contenders[bounds[contenders] >= lower_bound]
    # Rounding in single precision may confuse these: compute their gains again, in double.
    gains = joint.gains(contenders)
    winners = np.flatnonzero(gains >= gains.max() - _GAIN_ATOL)
    winner = winners[rng.randint(len(winners))]
    return int(contenders[winner]), float(gains[winner])


def _sort_by_bound(bounds: Floats) -> Iterator[Positions]:
    """Yield the rows not yet picked, those of highest bound first, in groups of bounded size."""
    candidates = np.flatnonzero(bounds > -np.inf)
    order = candidates[np.argsort(-bounds[candidates], kind="stable")]
    return (order[start : start + _VISIT_ROWS] for start in range(0, len(order), _VISIT_ROWS))


def _resample(weights: Floats, n_kept: int) -> tuple[Positions, Floats]:
    """Return positions of at most ``n_kept`` weights that represent all, and their new weights.

    Weights above a threshold are kept unchanged. Of the rest, those are kept in whose share of the
    cumulative sum a point of a regular grid falls, and each gets the threshold as its weight.
    """
    kept = np.flatnonzero(weights)
    if len(kept) <= n_kept:
        return kept, weights[kept]
    threshold = _find_threshold(weights, n_kept)
    large, small = np.flatnonzero(weights > threshold), np.flatnonzero(weights <= threshold)
    grid = np.arange(n_kept - len(large)) + 0.5
    sampled = np.searchsorted(np.cumsum(weights[small]), grid * threshold)
    # Rounding may put the last point behind the end. The branches stay in order, so that the next
    # grid is again spread over each subtree in proportion to its weight.
    kept = np.sort(np.concatenate([large, small[np.minimum(sampled, len(small) - 1)]]))
    return kept, np.maximum(weights[kept], threshold)


def _find_threshold(weights: Floats, n_kept: int) -> float:
    """Return the t for which the weights above t, and the sum of the rest over t, count n_kept."""
    ordered = np.sort(weights)[::-1][:n_kept]
    rest = weights.sum() - np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    thresholds = rest / (n_kept - np.arange(n_kept))  # if 0, 1, 2, ... weights lie above it
    return float(thresholds[np.argmax(ordered <= thresholds)])


def _calibrate_weights(weights: Floats, posteriors: Floats, marginal: Floats) -> Floats:
    """Correct the weights of a sample towards the known mean of the posteriors.

    Labels do not change that mean, however many there are. A regression on the posteriors removes
    most of the sampling error; no weight may fall to 0.
    """
    second = (posteriors.T * weights) @ posteriors  # second moment, (n_samples, n_samples)
    second.flat[:: len(second) + 1] += _CALIBRATION_RIDGE * np.trace(second) / len(second)
    slopes = np.linalg.solve(second, marginal - weights @ posteriors)
    corrected = weights * np.maximum(1.0 + posteriors @ slopes, _MIN_CORRECTION)
    return corrected / corrected.sum()


def _compute_entropies(samples: NDArray[np.floating[Any]]) -> Floats:
    """Return the entropy of the prediction of each draw for each row, (n_samples, n_rows)."""
    entropies = np.empty(samples.shape[:2])
    size = max(1, _PREDICTION_BLOCK_BYTES // (8 * samples.shape[2]))
    for draw, of_draw in zip(samples, entropies, strict=True):
        for start in range(0, len(draw), size):
            p = np.maximum(draw[start : start + size], 1e-300, dtype=np.float64)
            of_draw[start : start + size] = -np.einsum("ij,ij->i", p, np.log(p))
    return entropies
