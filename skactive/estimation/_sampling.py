"""Samples without replacement of a fixed size, in which rows have given probabilities."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from skactive._utils.array_types import Floats, Positions

__all__ = ["draw_rows", "inclusion_scale"]


def inclusion_scale(sizes: Floats, n_draws: int) -> float:
    """Return the factor c for which the sum of min(1, c * size) over the rows is `n_draws`.

    Parameters
    ----------
    sizes : ndarray of shape (n_rows,)
        To what the probabilities are to be proportional, above 0.
    n_draws : int
        Number of rows to draw, at most n_rows; for all of them the factor is infinite.
    """
    if n_draws >= len(sizes):
        return np.inf
    descending = np.sort(sizes)[::-1]
    rest = np.cumsum(descending[::-1])[::-1]  # (n_rows,): sum of this size and all smaller ones
    n_sure = np.arange(n_draws)  # rows of probability 1, the largest
    scales = (n_draws - n_sure) / rest[:n_draws]
    return float(scales[np.argmax(scales * descending[:n_draws] <= 1.0 + 1e-12)])


def draw_rows(probabilities: Floats, n_draws: int, rng: RandomState) -> Positions:
    """Draw rows with these probabilities, systematically in random order.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        Probability of each row, whose sum is `n_draws`.
    n_draws : int
        Number of rows to draw.
    rng : RandomState
        Source of the order and of the start.

    Returns
    -------
    ndarray of shape (n_draws,)
        Distinct positions: each row is among them with exactly its probability.
    """
    order = rng.permutation(len(probabilities))
    ends = np.cumsum(probabilities[order])
    ends *= n_draws / ends[-1]  # the sum, to the last digit
    places = np.searchsorted(ends, rng.rand() + np.arange(n_draws), side="right")
    return order[np.minimum(places, len(order) - 1)].astype(np.intp)
