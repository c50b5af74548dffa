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

__all__ = ["LengthNormalized", "Quantile", "TopMean", "maximum", "mean", "total"]

Reduction = Callable[[Floats, Positions], Floats]


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
    return _reduce(np.add, scores, offsets)


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
    return _reduce(np.maximum, scores, offsets)


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
        if not isinstance(k, Real) or k <= 0 or (k >= 1 and not isinstance(k, Integral)):
            raise ValueError(f"k must be a positive integer or a share below 1, got {k!r}.")

        def average_top(row: Floats) -> float:
            n_top = min(len(row), int(k)) if k >= 1 else max(1, round(float(k) * len(row)))
            return float(np.partition(row, len(row) - n_top)[len(row) - n_top :].mean())

        return _reduce_rows(average_top, scores, offsets)


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
        return _reduce_rows(lambda row: float(np.quantile(row, self.q)), scores, offsets)


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
        if not isinstance(self.alpha, Real):
            raise ValueError(f"alpha must be a number, got {self.alpha!r}.")
        return total(scores, offsets) / np.maximum(np.diff(offsets), 1) ** self.alpha


def _reduce(operation: np.ufunc, scores: Any, offsets: Any) -> Floats:
    """Reduce the scores of each row by a ufunc, shape (n_rows,)."""
    scores, offsets = _check(scores, offsets)
    reduced = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):  # an empty row would take the score of the next one
        reduced[filled] = operation.reduceat(scores, offsets[filled])
    return reduced


def _reduce_rows(reduce: Callable[[Floats], float], scores: Any, offsets: Any) -> Floats:
    """Reduce the scores of each row by a function of them, shape (n_rows,)."""
    scores, offsets = _check(scores, offsets)
    reduced = np.zeros(len(offsets) - 1)
    for i in np.flatnonzero(np.diff(offsets)):
        reduced[i] = reduce(scores[offsets[i] : offsets[i + 1]])
    return reduced


def _check(scores: Any, offsets: Any) -> tuple[Floats, Positions]:
    scores = np.asarray(scores, dtype=np.float64)
    offsets = np.asarray(offsets, dtype=np.intp)
    if scores.ndim != 1 or offsets.ndim != 1 or not len(offsets) or offsets[-1] != len(scores):
        raise ValueError(
            f"Expected one score per element and offsets that end at their number; got scores of "
            f"shape {scores.shape} and offsets {offsets}."
        )
    return scores, offsets
