"""Selectors that stand on the joint distribution of the labels of a batch.

Given the model's parameters labels are independent, so that the joint distribution is a mixture
over draws from the posterior: a configuration of labels of the rows chosen so far is known by its
probability and by the posterior of the draws that it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._top import Positions, fill_at_random

__all__ = ["Configurations", "batch_bald"]

Values: TypeAlias = NDArray[np.float64]

# Predictions of a block and their logarithms: within the last cache, and large enough for a matrix
# product to be worth the start of its threads.
_BLOCK_BYTES = 2**22
# How many stale rows are refreshed before it is asked again which of them can still win.
_ROUND = 256
# Gains in nats that rounding in double precision could tell apart. Below it nothing is left to
# learn, and rows that differ by less tie.
_TIE = 1e-11
# Draws that always agree have posteriors that cannot be told apart.
_RIDGE = 1e-6
_LEAST_FACTOR = 0.1


def batch_bald(
    samples: NDArray[np.floating[Any]],
    batch_size: int,
    *,
    n_configurations: int = 500,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows whose labels, taken together, tell most about the model's parameters.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw from the posterior, draw axis first; a draw is one
        function of all rows.
    batch_size : int
        Number of rows to select.
    n_configurations : int, default=500
        How many configurations of labels to keep. The gains are exact while all :math:`C^k` of
        :math:`k` picks fit: for the first 9 picks of two classes, the first 3 of ten.
    random_state : int, RandomState or None, default=None
        Breaks ties; where no row tells anything more, draws the rest.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Greedy: each pick is the row that adds most to the mutual information of the batch's labels
    and the parameters, which is its expected information given the labels of the picks before,

    .. math:: I(y_x; \theta \mid y_B) = \sum_{y_B} p(y_B) \Bigl( H\bigl[\textstyle\sum_s w_s(y_B)
        \, p_s(y_x)\bigr] - \textstyle\sum_s w_s(y_B) \, H[p_s(y_x)] \Bigr), \qquad
        w_s(y_B) \propto \prod_{b \in B} p_s(y_b)

    Where there are more configurations :math:`y_B` than fit, the most probable are kept and the
    rest is sampled systematically, branch by branch; the weights are then calibrated so that the
    posteriors :math:`w(y_B)` keep their mean, which is known. The same configurations serve all
    rows, and no term of the sum is negative, so the information grows with each pick. The sample
    does not depend on ``random_state``.

    The gain of a row cannot grow from pick to pick, so its last value is a bound: rows are visited
    in the order of their bounds until none can win. That is exact while the gains are; of a sample
    it holds for what the gains estimate. Gains are found in single precision and those that its
    rounding could confuse again in double. Time grows with ``n_samples * n_configurations`` for
    each row that is visited.

    References
    ----------
    Kirsch, van Amersfoort and Gal (2019), :doi:`10.48550/arXiv.1906.08158`; on keeping the
    likely and sampling the rest, Fearnhead and Clifford (2003), :doi:`10.1111/1467-9868.00421`.

    Examples
    --------
    Rows 0 and 1 tell the same about the draws, row 2 tells something else:

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
            pick, gain = _best(joint, bounds, rng)
            if gain <= _TIE:  # and no later gain is larger
                break
            picks.append(pick)
            bounds[pick] = -np.inf
            if len(picks) < batch_size:
                joint.add(pick)
    return fill_at_random(picks, batch_size, n_rows, rng)


class Configurations:
    """The labels that the rows chosen so far may have, and what each would say of the draws.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw from the posterior.
    n_configurations : int
        How many configurations to keep.

    Attributes
    ----------
    weights : ndarray of shape (n_kept,)
        Probabilities of the configurations; their sum is 1.
    posteriors : ndarray of shape (n_kept, n_samples)
        Probabilities of the draws, given each configuration.
    """

    def __init__(self, samples: NDArray[np.floating[Any]], n_configurations: int) -> None:
        self._samples, self._n_configurations = samples, n_configurations
        self._entropies = _entropies(samples)  # (n_samples, n_rows)
        self.weights = np.ones(1)
        self.posteriors = np.full((1, len(samples)), 1 / len(samples))

    def add(self, position: int) -> None:
        """Let the row at ``position`` be chosen: each configuration splits into its classes."""
        likelihood = self._samples[:, position].astype(np.float64)  # (n_samples, n_classes)
        marginal = self.weights @ self.posteriors
        weights = self.weights[:, np.newaxis] * (self.posteriors @ likelihood)
        kept, self.weights = _kept(weights.ravel(), self._n_configurations)
        parents, labels = np.divmod(kept, likelihood.shape[1])
        posteriors = self.posteriors[parents] * likelihood.T[labels]
        self.posteriors = posteriors / posteriors.sum(axis=1, keepdims=True)
        if len(kept) < np.count_nonzero(weights):
            self.weights = _calibrated(self.weights, self.posteriors, marginal)

    def gains(self, rows: Positions, dtype: Any = np.float64) -> Values:
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
        size = max(
            1, _BLOCK_BYTES // (np.dtype(dtype).itemsize * n_classes * max(posteriors.shape))
        )
        room = np.empty((2, len(weights) * min(size, len(rows)) * n_classes), dtype)
        entropies = np.empty(len(rows))
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            negative = weights @ self._log_products(posteriors, rows[block], room)
            entropies[block] = -negative.reshape(-1, n_classes).sum(axis=1, dtype=np.float64)
        return entropies - (self.weights @ self.posteriors) @ self._entropies[:, rows]

    def _log_products(
        self, posteriors: NDArray[Any], rows: Positions, room: NDArray[Any]
    ) -> NDArray[Any]:
        """Return p log p for the prediction p of each configuration, (n_kept, n * n_classes)."""
        # The floor leaves p log p at nothing where p is 0, and p at 0 nowhere.
        probabilities = np.maximum(self._samples[:, rows], 1e-30, dtype=posteriors.dtype)
        probabilities = probabilities.reshape(len(probabilities), -1)
        shape = len(posteriors), probabilities.shape[1]
        predictions, logarithms = room[:, : shape[0] * shape[1]].reshape(2, *shape)
        np.matmul(posteriors, probabilities, out=predictions)
        np.log(predictions, out=logarithms)
        logarithms *= predictions
        return logarithms

    def rounding(self, dtype: Any) -> float:
        """Bound the rounding of `gains` in a precision: that of sums in any order."""
        n_kept, n_samples = self.posteriors.shape
        n_classes = self._samples.shape[2]
        steps = n_kept + n_samples + n_classes + 10
        return float(np.finfo(dtype).eps * steps * (2 + 2 * np.log(n_classes)))


def _best(joint: Configurations, bounds: Values, rng: RandomState) -> tuple[int, float]:
    """Return the row of largest gain, ties broken at random, and its gain; refresh ``bounds``."""
    rounding = joint.rounding(np.float32)
    fresh, least = [], -np.inf  # rows refreshed, and what the winner gains at the least
    for rows in _in_order(bounds):
        rows = rows[bounds[rows] >= least]
        if len(rows) == 0:
            break
        gains = joint.gains(rows, np.float32)
        bounds[rows] = gains + rounding
        least = max(least, float(gains.max()) - rounding)
        fresh.append(rows)
    close = np.concatenate(fresh)
    close = close[bounds[close] >= least]
    gains = joint.gains(close)
    winners = np.flatnonzero(gains >= gains.max() - _TIE)
    winner = winners[rng.randint(len(winners))]
    return int(close[winner]), float(gains[winner])


def _in_order(bounds: Values) -> Iterator[Positions]:
    """Yield the rows that are left in rounds, of highest bound first."""
    left = np.flatnonzero(bounds > -np.inf)
    order = left[np.argsort(-bounds[left], kind="stable")]
    return (order[start : start + _ROUND] for start in range(0, len(order), _ROUND))


def _kept(weights: Values, n_kept: int) -> tuple[Positions, Values]:
    """Choose at most ``n_kept`` weights that stand for all: positions, and their new weights.

    Weights above a level are kept as they are. Of the rest those are kept on which the points of
    an even grid over their running sum fall, and each gets the level as its weight.
    """
    kept = np.flatnonzero(weights)
    if len(kept) <= n_kept:
        return kept, weights[kept]
    level = _level(weights, n_kept)
    large, small = np.flatnonzero(weights > level), np.flatnonzero(weights <= level)
    grid = np.arange(n_kept - len(large)) + 0.5
    drawn = np.searchsorted(np.cumsum(weights[small]), grid * level)
    # Rounding may leave the last point behind the end. Branches stay in their order, so that the
    # next grid too falls on each limb of the tree by its weight.
    kept = np.sort(np.concatenate([large, small[np.minimum(drawn, len(small) - 1)]]))
    return kept, np.maximum(weights[kept], level)


def _level(weights: Values, n_kept: int) -> float:
    """Find the level for which the weights above it, and the rest over it, count ``n_kept``."""
    ordered = np.sort(weights)[::-1][:n_kept]
    rest = weights.sum() - np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    levels = rest / (n_kept - np.arange(n_kept))  # if 0, 1, 2, ... weights lie above it
    return float(levels[np.argmax(ordered <= levels)])


def _calibrated(weights: Values, posteriors: Values, marginal: Values) -> Values:
    """Correct a sample's weights towards the known mean of the posteriors.

    Labels do not change that mean, however many there are. A regression on the posteriors, which
    takes away most of what the sample errs by; no weight may fall to nothing.
    """
    second = (posteriors.T * weights) @ posteriors  # (n_samples, n_samples)
    second.flat[:: len(second) + 1] += _RIDGE * np.trace(second) / len(second)
    slopes = np.linalg.solve(second, marginal - weights @ posteriors)
    corrected = weights * np.maximum(1.0 + posteriors @ slopes, _LEAST_FACTOR)
    return corrected / corrected.sum()


def _entropies(samples: NDArray[np.floating[Any]]) -> Values:
    """Return the entropy of each draw's prediction for each row, (n_samples, n_rows)."""
    entropies = np.empty(samples.shape[:2])
    size = max(1, _BLOCK_BYTES // (8 * samples.shape[2]))
    for draw, of_draw in zip(samples, entropies, strict=True):
        for start in range(0, len(draw), size):
            p = np.maximum(draw[start : start + size], 1e-300, dtype=np.float64)
            of_draw[start : start + size] = -np.einsum("ij,ij->i", p, np.log(p))
    return entropies
