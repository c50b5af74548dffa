"""Base of the stopping criteria, their input and output, and their composition."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, TypeAlias

from sklearn.base import BaseEstimator, clone

from skactive._utils.array_types import Floats, Positions
from skactive._utils.text import pluralize

__all__ = [
    "Memory",
    "Monitor",
    "Round",
    "StoppingCriterion",
    "Verdict",
]

Memory: TypeAlias = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Round:
    """State of a campaign after the fit of a round, as stopping criteria see it.

    Parameters
    ----------
    n_labels : int
        Number of labels that the model has learned from.
    learner : estimator, default=None
        The fitted learner or model.
    X : rows in any container, default=None
        All rows of the campaign, labeled or not.
    pool : ndarray of int, default=None
        Positions in `X` of the unlabeled rows; None: all.
    seed : int, default=0
        Seed from which random stop sets are drawn; the same in all rounds of a campaign.
    audit : ndarray of shape (n_audited,), default=None
        Scores of the model of this round on rows that were drawn at random and not learned from;
        1 (right) or 0 (wrong) for a classifier. None: no audit.
    seconds : float, default=0.0
        Time since the campaign began.
    cost : float, default=None
        Cost of all labels so far; None: 1 each.
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
        """Number of labels paid for: those learned from and those of the audit."""
        return self.n_labels + (0 if self.audit is None else len(self.audit))


@dataclass(frozen=True)
class Verdict:
    """Verdict of a criterion on a round; true if it is to stop.

    Parameters
    ----------
    stop : bool
        Whether to stop.
    reason : str
        Why, or why not yet: a sentence without a capital letter or full stop.
    value : float, default=nan
        Value that was compared with the criterion's limit; NaN if there is none (yet).
    """

    stop: bool
    reason: str
    value: float = math.nan

    def __bool__(self) -> bool:
        return self.stop


class Monitor:
    """State of a stopping criterion in one campaign: its memory and its history.

    Made by :meth:`StoppingCriterion.start`. It can be pickled between rounds.

    Parameters
    ----------
    criterion : StoppingCriterion
        The criterion; a copy is kept.

    Attributes
    ----------
    criterion : StoppingCriterion
        The copy.
    history : list of (int, float)
        Number of labels and value, one pair per round; NaN while there is no value.
    stopped_at : int or None
        Number of labels of the first round whose verdict was to stop.
    verdict : Verdict or None
        The last verdict.
    parts : list of Monitor
        Monitors of the criteria that this one is composed of.
    """

    def __init__(self, criterion: StoppingCriterion) -> None:
        self.criterion = clone(criterion)
        self.parts = [part.start() for part in criterion.parts()]
        self.history: list[tuple[int, float]] = []
        self.stopped_at: int | None = None
        self.verdict: Verdict | None = None
        self._memory: Memory = {"parts": self.parts} if self.parts else {}

    def update(self, current: Round) -> Verdict:
        """Judge the next round.

        Parameters
        ----------
        current : Round
            The round.

        Returns
        -------
        Verdict
            Whether to stop, and why or why not.

        Raises
        ------
        CapabilityError
            If the model cannot provide what the criterion reads.
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
        """Yield the monitors of the criteria that have a value: this one, or those it composes."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def values(self) -> dict[str, float]:
        """Return the values of the last round, by criterion."""
        return {str(leaf.criterion): leaf.history[-1][1] for leaf in self.leaves()}

    @property
    def limit(self) -> float:
        """Value at which the criterion stops; NaN for a composition of criteria."""
        return self.criterion.limit()


class StoppingCriterion(BaseEstimator, ABC):
    """Base of all stopping criteria.

    A subclass assigns its hyper-parameters in ``__init__`` and implements :meth:`judge` and
    :meth:`limit`; `reading` names its value, for the axis of a display.
    """

    reading: ClassVar[str] = "value"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def start(self) -> Monitor:
        """Check the hyper-parameters and begin a campaign.

        Returns
        -------
        Monitor
            Keeps the state of the campaign; the criterion itself never changes.
        """
        self._validate_params()
        return Monitor(self)

    @abstractmethod
    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Judge a round.

        Parameters
        ----------
        current : Round
            The round.
        memory : dict
            Empty in the first round, later as the previous round left it. Keep it small. For a
            criterion with :meth:`parts` it holds their monitors, under ``"parts"``.

        Returns
        -------
        Verdict
        """

    @abstractmethod
    def limit(self) -> float:
        """Return the value at which the criterion stops."""

    def parts(self) -> list[Any]:
        """Return the criteria that this one is composed of."""
        return []

    def __and__(self, other: Any) -> AllOf:
        return _join(AllOf, self, other)

    def __or__(self, other: Any) -> AnyOf:
        return _join(AnyOf, self, other)

    def __bool__(self) -> NoReturn:
        # `and` and `or` would silently drop one of two criteria.
        raise TypeError(
            f"{type(self).__name__} is a stopping criterion, which is neither true nor false: "
            "combine criteria with & and |, not with `and` and `or`, and test for a missing one "
            "with `is None`."
        )


class _Composition(StoppingCriterion):
    """Composition of several criteria."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"criteria": [list, tuple]}

    def __init__(self, criteria: Any) -> None:
        self.criteria = criteria

    def parts(self) -> list[Any]:
        """Return the criteria."""
        return list(self.criteria)

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Judge by the verdicts of the parts."""
        # All of them in every round: windows count successive rounds.
        return self.combine([part.update(current) for part in memory["parts"]])

    @abstractmethod
    def combine(self, verdicts: list[Verdict]) -> Verdict:
        """Combine the verdicts of the parts."""

    def limit(self) -> float:
        """Return NaN: each part has a limit of its own."""
        return math.nan

    def _validate_params(self) -> None:
        super()._validate_params()
        if not self.criteria:
            raise ValueError(f"{type(self).__name__} needs at least one criterion, got none.")
        for part in self.criteria:
            if not _is_criterion(part):
                raise TypeError(
                    f"{type(self).__name__} combines stopping criteria, got {part!r}: pass "
                    "objects such as Budget(100)."
                )


class AllOf(_Composition):
    """Stop when all of several criteria stop in the same round; equivalent to ``&``.

    Parameters
    ----------
    criteria : list of StoppingCriterion
        At least one. Each judges every round, whatever the others do.

    Examples
    --------
    >>> from skactive.stopping import Budget, Round, TimeLimit
    >>> monitor = (Budget(100) & TimeLimit(60)).start()
    >>> monitor.update(Round(n_labels=100, seconds=20.0))
    Verdict(stop=False, reason='20 s have passed, of 60', value=nan)
    >>> monitor.update(Round(n_labels=120, seconds=61.0)).reason
    '120 labels were bought, of 100; 61 s have passed, of 60'
    """

    def combine(self, verdicts: list[Verdict]) -> Verdict:
        """Stop if all do; the reasons are those of all, or of the ones that do not stop."""
        stop = all(verdict.stop for verdict in verdicts)
        return Verdict(
            stop, _join_reasons(verdicts if stop else [v for v in verdicts if not v.stop])
        )


class AnyOf(_Composition):
    """Stop when any of several criteria stops; equivalent to ``|``.

    Parameters
    ----------
    criteria : list of StoppingCriterion
        At least one. Each judges every round, whatever the others do.

    Examples
    --------
    >>> from skactive.stopping import Budget, Round, TimeLimit
    >>> monitor = (Budget(100) | TimeLimit(60)).start()
    >>> monitor.update(Round(n_labels=80, seconds=20.0)).reason
    '80 labels were bought, of 100; 20 s have passed, of 60'
    >>> monitor.update(Round(n_labels=90, seconds=61.0))
    Verdict(stop=True, reason='61 s have passed, of 60', value=nan)
    """

    def combine(self, verdicts: list[Verdict]) -> Verdict:
        """Stop if any does; the reasons are those of the ones that stop, or of all."""
        stopping = [verdict for verdict in verdicts if verdict.stop]
        return Verdict(bool(stopping), _join_reasons(stopping or verdicts))


def _is_criterion(other: Any) -> bool:
    return callable(getattr(other, "start", None)) and not isinstance(other, type)


def _join(kind: type[_Composition], one: Any, other: Any) -> Any:
    """Join two criteria; the parts of compositions of the same kind are joined into one list."""
    if not _is_criterion(other):
        return NotImplemented
    parts = ([*side.criteria] if type(side) is kind else [side] for side in (one, other))
    return kind([criterion for criteria in parts for criterion in criteria])


def _join_reasons(verdicts: list[Verdict]) -> str:
    return "; ".join(verdict.reason for verdict in verdicts)


def wait_for(noun: str, n: int, n_needed: int) -> Verdict:
    """Return the verdict of a criterion that has too little to judge by yet."""
    return Verdict(False, f"needs {pluralize(n_needed, noun)}, has {n}")
