"""What goes into a stopping criterion and what comes out, and the base of all of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skactive._compat import Interval

if TYPE_CHECKING:
    from skactive.stopping._compose import AllOf, AnyOf

__all__ = [
    "AN_AMOUNT",
    "A_COUNT",
    "A_SHARE",
    "Floats",
    "Memory",
    "Monitor",
    "Positions",
    "Round",
    "StoppingCriterion",
    "Verdict",
]

Positions: TypeAlias = NDArray[np.intp]
Floats: TypeAlias = NDArray[np.float64]
Memory: TypeAlias = dict[str, Any]

# Kinds of hyper-parameters.
A_COUNT = [Interval(Integral, 1, None, closed="left")]
A_SHARE = [Interval(Real, 0, 1, closed="both")]
AN_AMOUNT = [Interval(Real, 0, None, closed="neither")]


@dataclass(frozen=True, eq=False)
class Round:
    """What a criterion may look at after the fit of a round.

    Parameters
    ----------
    n_labels : int
        How many labels the model has learnt from.
    learner : estimator, default=None
        The fitted learner or model.
    X : rows in any container, default=None
        All rows of the campaign, labelled or not.
    pool : ndarray of int, default=None
        Positions in `X` of the rows that are left to label; None: all.
    seed : int, default=0
        The same number in all rounds of a campaign, from which random stop sets are drawn.
    audit : ndarray of shape (n_audited,), default=None
        Scores, by the model of this round, of rows that were drawn at random and not learnt from;
        1 (right) or 0 (wrong) of a classifier. None: there is no audit.
    seconds : float, default=0.0
        Time since the campaign began.
    cost : float, default=None
        What all labels have cost so far; None: 1 each.
    """

    n_labels: int
    learner: Any = None
    X: Any = None
    pool: Positions | None = None
    seed: int = 0
    audit: Floats | None = None
    seconds: float = 0.0
    cost: float | None = None

    @property
    def n_bought(self) -> int:
        """How many labels were paid for: those learnt from and those of the audit."""
        return self.n_labels + (0 if self.audit is None else len(self.audit))


@dataclass(frozen=True)
class Verdict:
    """What a criterion says of a round; true where it says stop.

    Parameters
    ----------
    stop : bool
        Whether to stop.
    reason : str
        Why, or why not yet: a sentence without capital or full stop.
    value : float, default=nan
        What was compared with the criterion's limit; NaN where there is no one number (yet).
    """

    stop: bool
    reason: str
    value: float = math.nan

    def __bool__(self) -> bool:
        return self.stop


class Monitor:
    """A criterion at work in one campaign: what it remembers, and what it has read.

    Made by :meth:`StoppingCriterion.start`. It can be pickled between rounds.

    Parameters
    ----------
    criterion : StoppingCriterion
        What to go by; a copy is kept.

    Attributes
    ----------
    criterion : StoppingCriterion
        The copy.
    history : list of (int, float)
        Labels and the value read, a pair a round; NaN where there was nothing to read yet.
    stopped_at : int or None
        Labels of the first round whose verdict was to stop.
    verdict : Verdict or None
        The last.
    parts : list of Monitor
        Of the criteria that this one is made of.
    """

    def __init__(self, criterion: StoppingCriterion) -> None:
        self.criterion = clone(criterion)
        self.parts = [part.start() for part in criterion.parts()]
        self.history: list[tuple[int, float]] = []
        self.stopped_at: int | None = None
        self.verdict: Verdict | None = None
        self._memory: Memory = {"parts": self.parts} if self.parts else {}

    def update(self, current: Round) -> Verdict:
        """Look at the next round.

        Parameters
        ----------
        current : Round
            What there is to see.

        Returns
        -------
        Verdict
            Whether to stop, and why or why not.

        Raises
        ------
        CapabilityError
            If the model cannot give what the criterion reads.
        ValueError
            If the round lacks what the criterion reads.
        """
        verdict = self.criterion.judge(current, self._memory)
        self.history.append((current.n_labels, verdict.value))
        if verdict.stop and self.stopped_at is None:
            self.stopped_at = current.n_labels
        self.verdict = verdict
        return verdict

    def leaves(self) -> Iterator[Monitor]:
        """Yield the monitors of the criteria that read a value: this, or those that it joins."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def values(self) -> dict[str, float]:
        """Return what was read in the last round, by criterion."""
        return {str(leaf.criterion): leaf.history[-1][1] for leaf in self.leaves()}

    @property
    def limit(self) -> float:
        """The value at which the criterion says stop; NaN of criteria that join others."""
        return self.criterion.limit()


class StoppingCriterion(BaseEstimator, ABC):
    """Base of all stopping criteria.

    A subclass assigns its hyper-parameters in ``__init__`` and implements :meth:`judge` and
    :meth:`limit`; `reading` names what it reads, for the axis of a display.
    """

    reading: ClassVar[str] = "value"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def start(self) -> Monitor:
        """Check the hyper-parameters and begin a campaign.

        Returns
        -------
        Monitor
            Remembers what is needed of the rounds; the criterion itself never changes.
        """
        self._validate_params()
        return Monitor(self)

    @abstractmethod
    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Judge a round.

        Parameters
        ----------
        current : Round
            What there is to see.
        memory : dict
            Empty in the first round, and afterwards as the round before left it. Keep little. Of a
            criterion with :meth:`parts` it holds their monitors, under ``"parts"``.

        Returns
        -------
        Verdict
        """

    @abstractmethod
    def limit(self) -> float:
        """Return the value at which the criterion says stop."""

    def parts(self) -> list[Any]:
        """Return the criteria that this one is made of."""
        return []

    def __and__(self, other: Any) -> AllOf:
        from skactive.stopping import _compose  # late: compositions derive from this class

        return _compose.join(_compose.AllOf, self, other)

    def __or__(self, other: Any) -> AnyOf:
        from skactive.stopping import _compose  # late: as above

        return _compose.join(_compose.AnyOf, self, other)

    def __bool__(self) -> NoReturn:
        # `and` and `or` would take one of two criteria and drop the other without a word.
        raise TypeError(
            f"{type(self).__name__} is a stopping criterion, which is neither true nor false: join "
            "criteria by & and |, not by `and` and `or`, and ask whether there is one by `is None`."
        )
