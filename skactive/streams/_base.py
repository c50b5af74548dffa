"""Base of the policies of a stream, their input and output, and the state of a stream."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skactive._utils.array_types import Floats
from skactive._utils.seeding import Seed, make_random_state
from skactive.streams._spending import Spending

__all__ = ["Buyer", "Candidate", "Memory", "Offer", "PurchasePolicy", "check_policy", "join_offers"]

Memory: TypeAlias = dict[str, Any]

_ROUNDING = 1e-6  # of probabilities in single precision


@dataclass(frozen=True, slots=True)
class Offer:
    """Answer to one or several offered rows; for one row it is true if the row is bought.

    Parameters
    ----------
    buy : bool or ndarray of bool, shape (n_rows,)
        Whether to buy the label.
    utility : float or ndarray of shape (n_rows,)
        Score of the row by the strategy; NaN while there is no model.
    threshold : float or ndarray of shape (n_rows,)
        Utility from which the policy wanted to buy; infinity if it wanted no such row, minus
        infinity if any. A row above it is passed if the budget has no room.
    """

    buy: bool | NDArray[np.bool_]
    utility: float | Floats
    threshold: float | Floats

    def __bool__(self) -> bool:
        if isinstance(self.buy, np.ndarray):
            raise TypeError(
                f"An offer of {len(self.buy)} rows is neither true nor false: its `buy` has a "
                "truth value for each row."
            )
        return self.buy


def join_offers(offers: list[Offer]) -> Offer:
    """Join offers of one row each into one with arrays."""
    return Offer(
        np.array([offer.buy for offer in offers], dtype=bool),
        np.array([offer.utility for offer in offers]),
        np.array([offer.threshold for offer in offers]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Offered row, as policies see it.

    Parameters
    ----------
    utility : float
        Score of the row by the strategy; higher is more informative.
    budget : float
        Share of the offers to buy.
    room : float
        Number of labels that the budget has room for now.
    affordable : bool
        Whether the budget has room for this one.
    random_state : RandomState
        Random numbers of the stream.
    row : ndarray of shape (n_dims,), default=None
        Embedding of the row, for policies with `reads_rows`.
    """

    utility: float
    budget: float
    room: float
    affordable: bool
    random_state: np.random.RandomState
    row: Floats | None = None


class Buyer:
    """State of a policy in one stream: its budget, its memory and its random numbers.

    Made by :meth:`PurchasePolicy.start`. It can be pickled between offers.

    Parameters
    ----------
    policy : PurchasePolicy
        The policy; a copy is kept.
    spending : Spending
        Account of the purchases, with the budget.
    random_state : int, RandomState or None, default=None
        Seed of the policy's draws.

    Attributes
    ----------
    policy : PurchasePolicy
        The copy.
    spending : Spending
        The account.
    """

    def __init__(
        self, policy: PurchasePolicy, spending: Spending, random_state: Seed = None
    ) -> None:
        self.policy, self.spending = clone(policy), spending
        self._random_state = make_random_state(random_state)
        self._memory: Memory = {}

    def update(self, utility: float, row: Floats | None = None) -> Offer:
        """Decide on the next offer, and count it.

        Parameters
        ----------
        utility : float
            Score of the offered row.
        row : ndarray of shape (n_dims,), default=None
            Its embedding, if the policy reads it.

        Returns
        -------
        Offer

        Raises
        ------
        ValueError
            If the policy cannot compare such a score; the state is as it was before.
        """
        utility = float(utility)
        self.check(utility, row)
        spending = self.spending
        candidate = Candidate(
            utility, spending.budget, spending.room, spending.can_buy, self._random_state, row
        )
        threshold = float(self.policy.judge(candidate, self._memory))
        buy = candidate.affordable and utility >= threshold
        spending.record(buy)
        return Offer(buy, utility, threshold)

    def update_unscored(self) -> Offer:
        """Decide on an offer while there is no model: buy it if the budget has room."""
        buy = self.spending.can_buy
        self.spending.record(buy)
        return Offer(buy, math.nan, -math.inf)

    def check(self, utility: float, row: Floats | None = None) -> None:
        """Check the score and the embedding of an offer before anything is counted."""
        name = type(self.policy).__name__
        if self.policy.reads_rows and row is None:
            raise ValueError(f"{name} reads the embedding of each row: pass it as row=.")
        if not math.isfinite(utility):
            raise ValueError(f"The utility must be a finite number, got {utility!r}.")
        if self.policy.unit_utilities and not -_ROUNDING <= utility <= 1.0 + _ROUNDING:
            raise ValueError(
                f"{name} compares the confidence 1 - utility, so utilities must lie in 0 .. 1, got "
                f"{utility:.6g}: score by LeastConfidence() or Margin() of a model with "
                "probabilities, or take QuantileFilter(), which compares scores of any scale."
            )


class PurchasePolicy(BaseEstimator, ABC):
    """Base of all policies: they decide which offers of a stream are worth a label.

    A subclass assigns its hyper-parameters in ``__init__`` and implements :meth:`judge`. It holds
    no state, and keeps no budget: that is done by the :class:`Buyer`, for all policies alike.

    Attributes
    ----------
    reads_rows : bool
        Whether it reads the embedding of the rows.
    unit_utilities : bool
        Whether it takes utilities in 0 .. 1 only.

    Examples
    --------
    A policy that buys what is more useful than the last row that was offered:

    >>> import math
    >>> from skactive.streams import PurchasePolicy
    >>> class Rising(PurchasePolicy):
    ...     def judge(self, candidate, memory):
    ...         last = memory.get("last", -math.inf)
    ...         memory["last"] = candidate.utility
    ...         return last
    >>> buyer = Rising().start(budget=1.0)
    >>> [buyer.update(utility).buy for utility in (0.1, 0.3, 0.2)]
    [True, True, False]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def start(
        self, budget: float, *, window: float | None = None, random_state: Seed = None
    ) -> Buyer:
        """Check the hyper-parameters and begin a stream.

        Parameters
        ----------
        budget : float
            Largest share of the offers to buy.
        window : float, default=None
            Length of the forgetting window; see :class:`Spending`.
        random_state : int, RandomState or None, default=None
            Seed of the draws.

        Returns
        -------
        Buyer
            Keeps the state of the stream; the policy itself never changes.
        """
        for policy in self._iter_policies():
            policy._validate_params()
        return Buyer(self, Spending(budget, window), random_state)

    @abstractmethod
    def judge(self, candidate: Candidate, memory: Memory) -> float:
        """Judge an offer.

        Parameters
        ----------
        candidate : Candidate
            The offered row.
        memory : dict
            Empty at the first offer, later as the previous one left it. Keep it small.

        Returns
        -------
        float
            The utility from which to buy. The offer is bought if its utility is at least this, and
            the budget has room.
        """

    def parts(self) -> list[Any]:
        """Return the policies that this one is composed of."""
        return []

    @property
    def reads_rows(self) -> bool:
        """Whether the policy, or a part of it, reads the embedding of the rows."""
        return any(part.reads_rows for part in self.parts())

    @property
    def unit_utilities(self) -> bool:
        """Whether the policy, or a part of it, takes utilities in 0 .. 1 only."""
        return any(part.unit_utilities for part in self.parts())

    def _iter_policies(self) -> Iterator[Any]:
        """Yield this policy and, recursively, its parts."""
        yield self
        for part in self.parts():
            check_policy(part)
            yield from part._iter_policies()


def check_policy(policy: Any) -> None:
    """Check that a policy is an object of a subclass of `PurchasePolicy`."""
    if isinstance(policy, type):
        raise TypeError(
            f"policy must be an object, got the class {policy.__name__}: write {policy.__name__}()."
        )
    if not isinstance(policy, PurchasePolicy):
        raise TypeError(
            f"policy must be a PurchasePolicy, such as QuantileFilter(), got {policy!r}."
        )
