"""Bets that new values are unlike the first ones; their gains bound the chance of false alarms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

import numpy as np

from skactive._utils.array_types import Floats

__all__ = ["Jumper", "Ranks"]

_BETS = np.array([-1.0, 0.0, 1.0])  # on small p-values, on nothing, on large ones
_JUMP = 0.01


class Ranks:
    r"""Ranks of values among all those before, as p-values.

    Parameters
    ----------
    values : iterable of float
        The first values.

    Notes
    -----
    With u uniform in 0 .. 1, the p-value of the n-th value is

    .. math:: p_n = \frac{\#\{i \le n : x_i > x_n\} + u\, \#\{i \le n : x_i = x_n\}}{n}

    If all values are exchangeable, the p-values are independent and uniform.
    """

    def __init__(self, values: Iterable[float]) -> None:
        self._sorted = sorted(values)

    def add(self, value: float, u: float) -> float:
        """Add a value and return its p-value."""
        insort(self._sorted, value)
        n_upto = bisect_right(self._sorted, value)
        n_equal = n_upto - bisect_left(self._sorted, value)
        return float((len(self._sorted) - n_upto + u * n_equal) / len(self._sorted))


class Jumper:
    r"""Wealth of a gambler who bets that p-values are not uniform.

    Notes
    -----
    The wealth is spread over bets :math:`\epsilon \in \{-1, 0, 1\}`. With each p-value a hundredth
    of it is spread anew, and each part is multiplied by :math:`1 + \epsilon (p - 1/2)`. While
    p-values are uniform the wealth is a martingale that begins at 1, so by Ville's inequality the
    chance that it ever reaches :math:`1 / \alpha` is at most :math:`\alpha`.
    """

    def __init__(self) -> None:
        self._parts: Floats = np.full(3, 1.0 / 3.0)

    @property
    def wealth(self) -> float:
        return float(self._parts.sum())

    def bet(self, p_value: float) -> None:
        """Take the next p-value."""
        parts = (1.0 - _JUMP) * self._parts + _JUMP / 3.0 * self._parts.sum()
        self._parts = parts * (1.0 + _BETS * (p_value - 0.5))
