"""What goes into a stopping criterion and what comes out, and the base of all of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skactive._utils.compat import Interval

__all__ = [
    "POSITIVE_INT",
    "POSITIVE_REAL",
    "UNIT_INTERVAL",
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
POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]
UNIT_INTERVAL = [Interval(Real, 0, 1, closed="both")]
POSITIVE_REAL = [Interval(Real, 0, None, closed="neither")]


@dataclass(frozen=True, eq=False)
class Round:
    """What a criterion may look at after the fit of a round.

    Parameters
    ----------
    n_labels : int
        How many labels the model has learned from.
    learner : estimator, default=None
        The fitted learner or model.
    X : rows in any container, default=None
        All rows of the campaign, labeled or not.
    pool : ndarray of int, default=None
        Positions in `X` of the rows that are left to label; None: all.
    seed : int, default=0
        The same number in all rounds of a campaign, from which random stop sets are drawn.
    audit : ndarray of shape (n_audited,), default=None
        Scores, by the model of this round, of rows that were drawn at random and not learned from;
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
        """How many labels were paid for: those learned from and those of the audit."""
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
        return _join(AllOf, self, other)

    def __or__(self, other: Any) -> AnyOf:
        return _join(AnyOf, self, other)

    def __bool__(self) -> NoReturn:
        # `and` and `or` would take one of two criteria and drop the other without a word.
        raise TypeError(
            f"{type(self).__name__} is a stopping criterion, which is neither true nor false: join "
            "criteria by & and |, not by `and` and `or`, and ask whether there is one by `is None`."
        )


class _Composition(StoppingCriterion):
    """Several criteria as one."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"criteria": [list, tuple]}

    def __init__(self, criteria: Any) -> None:
        self.criteria = criteria

    def parts(self) -> list[Any]:
        """Return the criteria."""
        return list(self.criteria)

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Judge by the verdicts of the parts."""
        # All of them, every time: a window is of rounds in succession.
        return self.joined([part.update(current) for part in memory["parts"]])

    @abstractmethod
    def joined(self, verdicts: list[Verdict]) -> Verdict:
        """Make one verdict of those of the parts."""

    def limit(self) -> float:
        """Return NaN: each part has its own."""
        return math.nan

    def _validate_params(self) -> None:
        super()._validate_params()
        if not self.criteria:
            raise ValueError(f"{type(self).__name__} needs at least one criterion, got none.")
        for part in self.criteria:
            if not _is_criterion(part):
                raise TypeError(
                    f"{type(self).__name__} joins stopping criteria, got {part!r}: pass objects "
                    "such as Budget(100)."
                )


class AllOf(_Composition):
    """Stop in a round of which all of several criteria say so; the same as ``&``.

    Parameters
    ----------
    criteria : list of StoppingCriterion
        At least one. Each looks at every round, whatever the others say.

    Examples
    --------
    >>> from skactive.stopping import Budget, Round, TimeLimit
    >>> monitor = (Budget(100) & TimeLimit(60)).start()
    >>> monitor.update(Round(n_labels=100, seconds=20.0))
    Verdict(stop=False, reason='20 s have passed, of 60', value=nan)
    >>> monitor.update(Round(n_labels=120, seconds=61.0)).reason
    '120 labels were bought, of 100; 61 s have passed, of 60'
    """

    def joined(self, verdicts: list[Verdict]) -> Verdict:
        """Stop where all do; the reasons are those of all, or of the ones that do not."""
        stop = all(verdict.stop for verdict in verdicts)
        return Verdict(stop, _listed(verdicts if stop else [v for v in verdicts if not v.stop]))


class AnyOf(_Composition):
    """Stop in a round of which any of several criteria says so; the same as ``|``.

    Parameters
    ----------
    criteria : list of StoppingCriterion
        At least one. Each looks at every round, whatever the others say.

    Examples
    --------
    >>> from skactive.stopping import Budget, Round, TimeLimit
    >>> monitor = (Budget(100) | TimeLimit(60)).start()
    >>> monitor.update(Round(n_labels=80, seconds=20.0)).reason
    '80 labels were bought, of 100; 20 s have passed, of 60'
    >>> monitor.update(Round(n_labels=90, seconds=61.0))
    Verdict(stop=True, reason='61 s have passed, of 60', value=nan)
    """

    def joined(self, verdicts: list[Verdict]) -> Verdict:
        """Stop where any does; the reasons are those of the ones that do, or of all."""
        stopping = [verdict for verdict in verdicts if verdict.stop]
        return Verdict(bool(stopping), _listed(stopping or verdicts))


def _is_criterion(other: Any) -> bool:
    return callable(getattr(other, "start", None)) and not isinstance(other, type)


def _join(kind: type[_Composition], one: Any, other: Any) -> Any:
    """Join two criteria; parts of compositions of the same kind come to stand side by side."""
    if not _is_criterion(other):
        return NotImplemented
    both = ([*each.criteria] if type(each) is kind else [each] for each in (one, other))
    return kind([criterion for criteria in both for criterion in criteria])


def _listed(verdicts: list[Verdict]) -> str:
    return "; ".join(verdict.reason for verdict in verdicts)


def not_yet(what: str, n: int, window: int) -> Verdict:
    """Say that there is too little to judge by yet."""
    return Verdict(False, f"only {n} of the {window} {what} that it takes were made")


def counted(n: int, what: str) -> str:
    """Write a number of things."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def told_apart(value: float, limit: float) -> tuple[str, str]:
    """Write two numbers, with as many digits as it takes to tell which is larger."""
    whole = len(str(int(max(abs(value), abs(limit)))))
    for digits in range(max(3, min(whole, 17)), 18):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if texts[0] != texts[1] or value == limit:
            break
    return texts
