"""Policies that compare the utility of each row with a threshold."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from numbers import Real
from typing import Any, ClassVar

from skactive._utils.compat import Interval
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT, POSITIVE_REAL
from skactive.streams._base import Candidate, Memory, PurchasePolicy

__all__ = [
    "FixedUncertainty",
    "QuantileFilter",
    "RandomVariableUncertainty",
    "VariableUncertainty",
]

_STEP: list[Any] = [Interval(Real, 0, 1, closed="neither")]


class FixedUncertainty(PurchasePolicy):
    """Buy rows whose utility reaches a fixed threshold.

    **When:** the scale of the scores is known and stays the same. If the model becomes surer it
    soon buys nothing, even after a drift; :class:`VariableUncertainty` then lowers its threshold.

    Parameters
    ----------
    threshold : float, default=0.5
        Utility from which to buy, in the scale of the strategy.

    References
    ----------
    Zliobaite, Bifet, Pfahringer and Holmes, "Active learning with drifting streaming data", IEEE
    Transactions on Neural Networks and Learning Systems 25, 2014,
    :doi:`10.1109/TNNLS.2012.2236570`.

    Examples
    --------
    >>> from skactive.streams import FixedUncertainty
    >>> buyer = FixedUncertainty(0.4).start(budget=1.0)
    >>> [buyer.update(utility).buy for utility in (0.1, 0.5, 0.4)]
    [False, True, True]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"threshold": [Real]}

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Return the threshold."""
        return self.threshold


class VariableUncertainty(PurchasePolicy):
    r"""Buy uncertain rows by a threshold that follows the stream.

    **When:** the scores change as the model learns or the stream drifts. It takes utilities in
    0 .. 1 (least confidence, margin).

    Parameters
    ----------
    step : float, default=0.01
        Share by which the threshold on the confidence changes with each offer.

    Notes
    -----
    A row is bought if its confidence :math:`1 - u` is at most :math:`\theta`, which starts at 1.
    While the budget has room, each purchase lowers it, :math:`\theta \leftarrow \theta (1 - s)`,
    and each pass raises it, :math:`\theta \leftarrow \theta (1 + s)`: so about half of the rows for
    which there is room are bought, the more uncertain ones.

    References
    ----------
    Zliobaite, Bifet, Pfahringer and Holmes, "Active learning with drifting streaming data", IEEE
    Transactions on Neural Networks and Learning Systems 25, 2014,
    :doi:`10.1109/TNNLS.2012.2236570`.

    Examples
    --------
    >>> from skactive.streams import VariableUncertainty
    >>> buyer = VariableUncertainty(step=0.5).start(budget=1.0)
    >>> [buyer.update(utility).buy for utility in (0.1, 0.4, 0.3)]
    [True, False, True]
    """

    unit_utilities = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"step": _STEP}

    def __init__(self, step: float = 0.01) -> None:
        self.step = step

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Return the threshold, and move it for the next offer."""
        confidence: float = memory.setdefault("confidence", 1.0)
        threshold = 1.0 - self._vary(confidence, candidate)
        if candidate.affordable:
            bought = candidate.utility >= threshold
            memory["confidence"] = confidence * (1.0 - self.step if bought else 1.0 + self.step)
        return threshold

    def _vary(self, confidence: float, candidate: Candidate) -> float:
        """Return the threshold on the confidence for one offer."""
        return confidence


class RandomVariableUncertainty(VariableUncertainty):
    r"""Buy uncertain rows, by a threshold that follows the stream and varies at random.

    **When:** a drift may happen far from the decision boundary: now and then it buys a row of which
    the model is sure. It takes utilities in 0 .. 1 (least confidence, margin).

    Parameters
    ----------
    step : float, default=0.01
        Share by which the threshold on the confidence changes with each offer.
    spread : float, default=1.0
        Standard deviation :math:`\delta` of the factor.

    Notes
    -----
    As :class:`VariableUncertainty`, with the threshold of each offer multiplied by a random number
    :math:`\eta \sim N(1, \delta^2)`.

    References
    ----------
    Zliobaite, Bifet, Pfahringer and Holmes, "Active learning with drifting streaming data", IEEE
    Transactions on Neural Networks and Learning Systems 25, 2014,
    :doi:`10.1109/TNNLS.2012.2236570`.

    Examples
    --------
    >>> from skactive.streams import RandomVariableUncertainty
    >>> buyer = RandomVariableUncertainty().start(budget=0.1, random_state=0)
    >>> sum(buyer.update(0.0).buy for _ in range(1000)) > 0  # though the model is always sure
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VariableUncertainty._parameter_constraints,
        "spread": NONNEGATIVE_REAL,
    }

    def __init__(self, step: float = 0.01, *, spread: float = 1.0) -> None:
        super().__init__(step)
        self.spread = spread

    def _vary(self, confidence: float, candidate: Candidate) -> float:
        return confidence * candidate.random_state.normal(1.0, self.spread)


class QuantileFilter(PurchasePolicy):
    r"""Buy rows whose utility is among the highest of the last offers.

    The balanced incremental quantile filter (BIQF).

    **When:** by default. It takes scores of any scale and of any strategy, and spends the budget
    evenly.

    Parameters
    ----------
    window : int, default=100
        Number of last offers among which the utility is ranked.
    tolerance : float, default=50.0
        Number of unspent labels at which the threshold falls to the lowest utility of the window.

    Notes
    -----
    With :math:`q` the quantile :math:`1 - B` of the utilities in the window, the new one included,
    and :math:`r` their range, the threshold is

    .. math:: \theta = q - r \, \frac{a - 1}{w_{tol}}

    where :math:`a` is the number of labels that the budget has room for. In the paper
    :math:`a - 1` is the number of labels unspent since the beginning of the stream.

    References
    ----------
    Kottke, Krempl and Spiliopoulou, "Probabilistic active learning in datastreams", IDA 2015,
    :doi:`10.1007/978-3-319-24465-5_13`.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.streams import QuantileFilter
    >>> buyer = QuantileFilter().start(budget=0.2)
    >>> utilities = np.random.RandomState(0).exponential(size=1000)
    >>> bought = [utility for utility in utilities if buyer.update(utility)]
    >>> 150 < len(bought) <= 200
    True
    >>> bool(np.mean(bought) > 2 * np.mean(utilities))
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "window": POSITIVE_INT,
        "tolerance": POSITIVE_REAL,
    }

    def __init__(self, window: int = 100, *, tolerance: float = 50.0) -> None:
        self.window = window
        self.tolerance = tolerance

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Rank the utility among those of the last offers, and return the threshold."""
        recent: deque[float] = memory.setdefault("recent", deque())
        ranked: list[float] = memory.setdefault("ranked", [])
        if len(recent) == self.window:
            del ranked[bisect_left(ranked, recent.popleft())]
        recent.append(candidate.utility)
        insort(ranked, candidate.utility)
        unspent = candidate.room - 1.0
        spread = ranked[-1] - ranked[0]
        return _quantile(ranked, 1.0 - candidate.budget) - spread * unspent / self.tolerance


def _quantile(ranked: list[float], share: float) -> float:
    """Return a quantile of ascending numbers, by linear interpolation."""
    position = share * (len(ranked) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (position - low) * (ranked[high] - ranked[low])
