"""Policies that buy at random, wholly or in part."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from skactive._utils.constraints import UNIT_INTERVAL
from skactive.streams._base import Candidate, Memory, PurchasePolicy
from skactive.streams._thresholds import VariableUncertainty

__all__ = ["RandomPurchase", "Split"]


class RandomPurchase(PurchasePolicy):
    """Buy rows at random, whatever their utility.

    **When:** the baseline. A policy that buys no better than this one is not worth its scores.

    Notes
    -----
    The probability is the budget times the number of labels that the budget has room for. With the
    budget alone, purchases that come close together by chance would find no room, and the share
    would stay below it.

    Examples
    --------
    >>> from skactive.streams import RandomPurchase
    >>> buyer = RandomPurchase().start(budget=0.1, random_state=0)
    >>> 85 < sum(buyer.update(0.0).buy for _ in range(1000)) <= 100
    True
    """

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Return minus infinity (buy) or infinity (pass)."""
        draw = candidate.random_state.uniform()
        return -math.inf if draw < candidate.budget * candidate.room else math.inf


class Split(PurchasePolicy):
    """Buy a share of the rows at random, the others by a policy.

    **When:** a drift may happen far from the decision boundary, and the labels are also used to
    watch the error of the model: the random ones are not biased to what is uncertain.

    Parameters
    ----------
    policy : PurchasePolicy, default=None
        Decides on the rows that are not left to chance; None is :class:`VariableUncertainty`, as
        published.
    random_share : float, default=0.1
        Share of the offers that :class:`RandomPurchase` decides on.

    References
    ----------
    Zliobaite, Bifet, Pfahringer and Holmes, "Active learning with drifting streaming data", IEEE
    Transactions on Neural Networks and Learning Systems 25, 2014,
    :doi:`10.1109/TNNLS.2012.2236570`.

    Examples
    --------
    >>> from skactive.streams import QuantileFilter, Split
    >>> buyer = Split(QuantileFilter(), random_share=0.2).start(budget=0.1, random_state=0)
    >>> sum(buyer.update(utility / 1000).buy for utility in range(1000)) <= 100
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "random_share": UNIT_INTERVAL,
    }

    def __init__(self, policy: PurchasePolicy | None = None, *, random_share: float = 0.1) -> None:
        self.policy = policy
        self.random_share = random_share

    def parts(self) -> list[Any]:
        """Return the policy for the rows that are not left to chance."""
        return [VariableUncertainty() if self.policy is None else self.policy]

    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Judge by chance or by the policy."""
        if candidate.random_state.uniform() < self.random_share:
            return RandomPurchase().judge(candidate, {})
        threshold: float = self.parts()[0].judge(candidate, memory)
        return threshold
