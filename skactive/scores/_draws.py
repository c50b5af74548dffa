"""Scores from draws of class probabilities that come one after the other, by sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive.scores._arithmetic import FloatArray, Scores
from skactive.scores._committee import (
    consensus_entropy,
    kl_to_consensus,
    mean_standard_deviation,
    variation_ratio,
    vote_entropy,
)
from skactive.scores._information import mutual_information
from skactive.scores._uncertainty import entropy
from skactive.selectors._engine.points import slices

__all__ = ["average_in_one_pass", "score_one_by_one"]

Draws = Iterable[FloatArray]

_SLICE_ROWS = 2**12  # so that temporaries are small beside a draw


def score_one_by_one(score: Callable[[FloatArray], Scores], draws: Draws) -> Scores:
    """Score rows by draws, each (n_rows, n_classes), of which one is held at a time.

    Parameters
    ----------
    score : callable
        A score of samples (n_samples, n_rows, n_classes), one of `_ONE_BY_ONE`.
    draws : iterable of ndarray
        The samples.

    Returns
    -------
    ndarray of shape (n_rows,)
        As ``score(np.stack(list(draws)))``, past rounding.
    """
    return _ONE_BY_ONE[score](draws)


def average_one_by_one(
    draws: Draws, *functions: Callable[[FloatArray], NDArray[Any]]
) -> list[Scores]:
    """Average functions of a draw over all draws, in one pass."""
    totals, n_draws = list[Scores](), 0
    for draw in draws:
        if not n_draws:
            totals = [np.array(function(draw), dtype=np.float64) for function in functions]
        else:
            for total, function in zip(totals, functions, strict=True):
                total += function(draw)
        n_draws += 1
        del draw  # while the next one is made
    for total in totals:
        total /= n_draws
    return totals


def average_in_one_pass(draws: Draws) -> Scores:
    """Return the mean of the draws, (n_rows, n_classes)."""
    return average_one_by_one(draws, _get_itself)[0]


def _get_itself(draw: FloatArray) -> FloatArray:
    return draw


def _mark_votes(draw: FloatArray) -> NDArray[np.bool_]:
    """Return which class each row has as its most probable, (n_rows, n_classes)."""
    votes = np.zeros(draw.shape, dtype=bool)
    votes[np.arange(len(draw)), draw.argmax(axis=1)] = True
    return votes


def _measure_information(draws: Draws) -> Scores:
    mean, uncertainty = average_one_by_one(draws, _get_itself, entropy)
    return np.maximum(entropy(mean) - uncertainty, 0.0)


def _measure_consensus(draws: Draws) -> Scores:
    return entropy(average_in_one_pass(draws))


def _measure_vote_entropy(draws: Draws) -> Scores:
    return entropy(average_one_by_one(draws, _mark_votes)[0])


def _measure_dissent(draws: Draws) -> Scores:
    return 1.0 - average_one_by_one(draws, _mark_votes)[0].max(axis=1)


def _measure_deviation(draws: Draws) -> Scores:
    """Return the mean standard deviation, by updates of the mean and the squares around it."""
    mean: Any = None
    squares: Any = None
    n_draws = 0
    for draw in draws:
        n_draws += 1
        if mean is None:
            mean, squares = np.array(draw, dtype=np.float64), np.zeros(draw.shape)
        else:
            for rows in slices(len(draw), _SLICE_ROWS):
                gap = draw[rows] - mean[rows]
                mean[rows] += gap / n_draws
                squares[rows] += gap * (draw[rows] - mean[rows])
        del draw  # while the next one is made
    squares /= n_draws
    return np.asarray(np.sqrt(squares, out=squares).mean(axis=1))


_ONE_BY_ONE: dict[Callable[[FloatArray], Scores], Callable[[Draws], Scores]] = {
    consensus_entropy: _measure_consensus,
    kl_to_consensus: _measure_information,
    mean_standard_deviation: _measure_deviation,
    mutual_information: _measure_information,
    variation_ratio: _measure_dissent,
    vote_entropy: _measure_vote_entropy,
}
