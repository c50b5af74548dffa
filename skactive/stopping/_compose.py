"""Several criteria as one: all of them, or any."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

from skactive.stopping._base import Memory, Round, StoppingCriterion, Verdict

__all__ = ["AllOf", "AnyOf", "join"]


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


def join(kind: type[_Composition], one: Any, other: Any) -> Any:
    """Join two criteria; parts of compositions of the same kind come to stand side by side."""
    if not _is_criterion(other):
        return NotImplemented
    both = ([*each.criteria] if type(each) is kind else [each] for each in (one, other))
    return kind([criterion for criteria in both for criterion in criteria])


def _listed(verdicts: list[Verdict]) -> str:
    return "; ".join(verdict.reason for verdict in verdicts)
