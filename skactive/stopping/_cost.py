"""Stopping by cost: labels, money or time."""

from __future__ import annotations

from typing import Any, ClassVar

from skactive._utils.constraints import POSITIVE_INT, POSITIVE_REAL
from skactive._utils.text import format_apart
from skactive.stopping._base import (
    Memory,
    Round,
    StoppingCriterion,
    Verdict,
)

__all__ = ["Budget", "CostBudget", "TimeLimit"]


class Budget(StoppingCriterion):
    """Stop when a number of labels were bought, including those of an audit.

    **When:** together with another criterion: ``StabilizingPredictions() | Budget(500)``.

    Parameters
    ----------
    n_labels : int
        Number of labels.

    Examples
    --------
    >>> from skactive.stopping import Budget, Round
    >>> Budget(100).start().update(Round(n_labels=100)).reason
    '100 labels were bought, of 100'
    """

    reading = "labels bought"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_labels": POSITIVE_INT}

    def __init__(self, n_labels: int) -> None:
        self.n_labels = n_labels

    def limit(self) -> float:
        """Return the number of labels."""
        return float(self.n_labels)

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Count the labels."""
        n = current.n_bought
        reason = f"{n} labels were bought, of {self.n_labels}"
        return Verdict(n >= self.n_labels, reason, float(n))


class CostBudget(StoppingCriterion):
    """Stop when the labels have cost a given amount.

    **When:** labels differ in price: a simulation counts what the labels have cost, those of an
    audit included (``SimulatedLearner.fit(X, y, costs=costs)``), and so does a session that has
    prices (``LabelingSession(spending=)``). In other sessions each label counts as 1, and
    :class:`Budget` says the same more plainly.

    Parameters
    ----------
    cost : float
        Amount, in the unit of the `cost` of the rounds; in labels, if these have none. The last
        round may exceed it.

    Examples
    --------
    >>> from skactive.stopping import CostBudget, Round
    >>> CostBudget(50).start().update(Round(n_labels=12, cost=52.5)).reason
    'the labels cost 52.5, of 50'
    """

    reading = "cost"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"cost": POSITIVE_REAL}

    def __init__(self, cost: float) -> None:
        self.cost = cost

    def limit(self) -> float:
        """Return the cost."""
        return self.cost

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the cost with the limit."""
        spent = float(current.n_bought if current.cost is None else current.cost)
        value, limit = format_apart(spent, self.cost)
        return Verdict(spent >= self.cost, f"the labels cost {value}, of {limit}", spent)


class TimeLimit(StoppingCriterion):
    """Stop when a given time has passed.

    **When:** the time of a session is limited. In a simulation the outcome then depends on the
    machine.

    Parameters
    ----------
    seconds : float
        Time since the campaign began. The round that reaches it is finished.

    Examples
    --------
    >>> from skactive.stopping import Round, TimeLimit
    >>> TimeLimit(3600).start().update(Round(n_labels=80, seconds=1800.0)).reason
    '1800 s have passed, of 3600'
    """

    reading = "seconds"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"seconds": POSITIVE_REAL}

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def limit(self) -> float:
        """Return the seconds."""
        return self.seconds

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the time with the limit."""
        value, limit = format_apart(current.seconds, self.seconds)
        stop = current.seconds >= self.seconds
        return Verdict(stop, f"{value} s have passed, of {limit}", float(current.seconds))
