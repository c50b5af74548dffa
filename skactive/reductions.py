"""Reductions: from one score per element to one score per row.

A reduction is called with the scores of all elements and the offsets of the rows: the elements of
row i are those in ``offsets[i]:offsets[i + 1]``. A row without elements gets 0.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import to_numbers
from skactive._utils.ragged import check_offsets, reduce_rows

__all__ = [
    "LengthNormalized",
    "Quantile",
    "SoftMin",
    "TopMean",
    "maximum",
    "mean",
    "minimum",
    "total",
]

Reduction = Callable[[Floats, Positions], Floats]

# So many scores are sorted at a time: the copies of more would leave the cache.
_BLOCK_ELEMENTS = 2**18


def total(scores: Any, offsets: Any) -> Floats:
    """Add up the scores of the elements of each row.

    Rows of many elements, such as long sentences, get high scores by their length alone.

    Parameters
    ----------
    scores : array-like of shape (n_elements,)
        Scores of the elements.
    offsets : array-like of shape (n_rows + 1,)
        The elements of row i are those in ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for rows without elements.

    Examples
    --------
    >>> from skactive import reductions
    >>> reductions.total([0.1, 0.4, 0.3], [0, 2, 2, 3])
    array([0.5, 0. , 0.3])
    """
    return reduce_rows(np.add, *_check(scores, offsets))


def mean(scores: Any, offsets: Any) -> Floats:
    """Average the scores of the elements of each row.

    Parameters
    ----------
    scores : array-like of shape (n_elements,)
        Scores of the elements.
    offsets : array-like of shape (n_rows + 1,)
        The elements of row i are those in ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for rows without elements.

    Examples
    --------
    >>> from skactive import reductions
    >>> reductions.mean([0.1, 0.4, 0.3], [0, 2, 2, 3])
    array([0.25, 0.  , 0.3 ])
    """
    return total(scores, offsets) / np.maximum(np.diff(offsets), 1)


def maximum(scores: Any, offsets: Any) -> Floats:
    """Return the highest score among the elements of each row.

    Parameters
    ----------
    scores : array-like of shape (n_elements,)
        Scores of the elements.
    offsets : array-like of shape (n_rows + 1,)
        The elements of row i are those in ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for rows without elements.

    Examples
    --------
    >>> from skactive import reductions
    >>> reductions.maximum([0.1, 0.4, 0.3], [0, 2, 2, 3])
    array([0.4, 0. , 0.3])
    """
    return reduce_rows(np.maximum, *_check(scores, offsets))


def minimum(scores: Any, offsets: Any) -> Floats:
    """Return the lowest score among the elements of each row.

    Parameters
    ----------
    scores : array-like of shape (n_elements,)
        Scores of the elements.
    offsets : array-like of shape (n_rows + 1,)
        The elements of row i are those in ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for rows without elements.

    Examples
    --------
    >>> from skactive import reductions
    >>> reductions.minimum([0.1, 0.4, 0.3], [0, 2, 2, 3])
    array([0.1, 0. , 0.3])
    """
    return reduce_rows(np.minimum, *_check(scores, offsets))


class SoftMin(BaseEstimator):
    r"""Average the scores of each row, with most of the weight on the lowest.

    .. math:: \sum_j s_j \frac{\exp(-s_j / T)}{\sum_k \exp(-s_k / T)}

    Parameters
    ----------
    temperature : float, default=0.1
        T, above 0: the lower, the nearer is the result to the lowest score, otherwise to the mean.

    Examples
    --------
    >>> from skactive.reductions import SoftMin
    >>> SoftMin(0.1)([0.1, 0.4, 0.3], [0, 2, 2, 3]).round(4)
    array([0.1142, 0.    , 0.3   ])
    """

    def __init__(self, temperature: float = 0.1) -> None:
        self.temperature = temperature

    def __call__(self, scores: Any, offsets: Any) -> Floats:
        """Return the reduced scores, shape (n_rows,)."""
        temperature = self.temperature
        if not isinstance(temperature, Real) or not 0 < temperature < np.inf:
            raise ValueError(f"temperature must be a number above 0, got {temperature!r}.")
        scores, offsets = _check(scores, offsets)
        lowest = reduce_rows(np.minimum, scores, offsets)
        above = scores - np.repeat(lowest, np.diff(offsets))  # (n_elements,)
        weights = np.exp(-above / temperature)  # 1 for the lowest: their sum is never 0
        sums = reduce_rows(np.add, weights, offsets)
        weighted = reduce_rows(np.add, weights * above, offsets)
        return lowest + np.divide(weighted, sums, out=np.zeros_like(sums), where=sums > 0)


class TopMean(BaseEstimator):
    """Average the highest scores of each row.

    Parameters
    ----------
    k : int or float, default=50
        How many of the elements of a row to average: a number, or as a float below 1 a share of
        them, at least one. All of a row that has fewer.

    Examples
    --------
    >>> from skactive.reductions import TopMean
    >>> TopMean(2)([0.1, 0.4, 0.2, 0.3], [0, 3, 3, 4])
    array([0.3, 0. , 0.3])
    """

    def __init__(self, k: float = 50) -> None:
        self.k = k

    def __call__(self, scores: Any, offsets: Any) -> Floats:
        """Return the reduced scores, shape (n_rows,)."""
        k = self.k
        is_number = isinstance(k, Real) and not isinstance(k, bool)
        if not is_number or not k > 0 or (k >= 1 and not isinstance(k, Integral)):
            raise ValueError(f"k must be a positive integer or a share below 1, got {k!r}.")

        def average_top(rows: Floats) -> Floats:
            length = rows.shape[1]
            n_top = min(length, int(k)) if k >= 1 else max(1, round(float(k) * length))
            rows.partition(length - n_top, axis=1)
            top: Floats = rows[:, length - n_top :].mean(axis=1)
            return top

        return _reduce_by_length(average_top, scores, offsets)


class Quantile(BaseEstimator):
    """Return a quantile of the scores of each row.

    Parameters
    ----------
    q : float, default=0.9
        The quantile, between 0 and 1.

    Examples
    --------
    >>> from skactive.reductions import Quantile
    >>> Quantile(0.5)([0.1, 0.4, 0.2, 0.3], [0, 3, 3, 4])
    array([0.2, 0. , 0.3])
    """

    def __init__(self, q: float = 0.9) -> None:
        self.q = q

    def __call__(self, scores: Any, offsets: Any) -> Floats:
        """Return the reduced scores, shape (n_rows,)."""
        if not isinstance(self.q, Real) or not 0 <= self.q <= 1:
            raise ValueError(f"q must be between 0 and 1, got {self.q!r}.")
        return _reduce_by_length(
            lambda rows: np.quantile(rows, self.q, axis=1, overwrite_input=True), scores, offsets
        )


class LengthNormalized(BaseEstimator):
    r"""Divide the total of each row by a power of its number of elements.

    .. math:: \frac{1}{n^\alpha} \sum_{j=1}^{n} s_j

    Parameters
    ----------
    alpha : float, default=1.0
        The power: 0 is the total, 1 the mean.

    Examples
    --------
    >>> from skactive.reductions import LengthNormalized
    >>> LengthNormalized(0.5)([0.1, 0.2, 0.3, 0.4], [0, 4])
    array([0.5])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, scores: Any, offsets: Any) -> Floats:
        """Return the reduced scores, shape (n_rows,)."""
        if not isinstance(self.alpha, Real) or not np.isfinite(self.alpha):
            raise ValueError(f"alpha must be a finite number, got {self.alpha!r}.")
        return total(scores, offsets) / np.maximum(np.diff(offsets), 1.0) ** self.alpha


def _reduce_by_length(reduce: Callable[[Floats], Floats], scores: Any, offsets: Any) -> Floats:
    """Reduce the scores of each row, shape (n_rows,); rows of equal length make one matrix.

    `reduce` takes a matrix of its own, (n_some_rows, length), and returns one number per row.
    """
    scores, offsets = _check(scores, offsets)
    reduced, lengths = np.zeros(len(offsets) - 1), np.diff(offsets)
    by_length = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[by_length])) + 1
    for rows in np.split(by_length, ends) if len(by_length) else []:
        length = int(lengths[rows[0]])
        size = max(1, _BLOCK_ELEMENTS // max(1, length))
        for block in np.split(rows, range(size, len(rows), size)) if length else []:
            reduced[block] = reduce(scores[offsets[block, np.newaxis] + np.arange(length)])
    return reduced


def _check(scores: Any, offsets: Any) -> tuple[Floats, Positions]:
    """Return scores, (n_elements,), and offsets, (n_rows + 1,), as arrays that fit each other."""
    scores = to_numbers("scores", scores).astype(np.float64, copy=False)
    if scores.ndim != 1:
        raise ValueError(f"scores must have one entry per element, got shape {scores.shape}.")
    offsets = check_offsets(offsets, len(scores))
    if len(bad := np.flatnonzero(np.isnan(scores))):
        row = int(np.searchsorted(offsets, bad[0], side="right")) - 1
        raise ValueError(
            f"{len(bad)} of {len(scores)} scores are NaN, the first of them of element "
            f"{bad[0] - offsets[row]} of row {row}: leave such elements out, or give them a number."
        )
    return scores, offsets
