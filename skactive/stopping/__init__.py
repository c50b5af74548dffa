"""Stopping criteria: they judge each round of a campaign and give the reason to stop.

A criterion consists of hyper-parameters only. :meth:`~StoppingCriterion.start` makes a
:class:`Monitor` for one campaign, which judges each :class:`Round` and returns a :class:`Verdict`:
whether to stop, and the reason in a sentence with numbers. Criteria are combined with ``&`` (stop
when all stop) and ``|`` (stop when any stops).

* By the models alone, without further labels: :class:`StabilizingPredictions`,
  :class:`ClassificationChange`, :class:`OverallUncertainty`, :class:`ExpectedGain`.
* By an audit sample or a validation set: :class:`TargetReached`, :class:`Plateau`.
* By cost: :class:`Budget`, :class:`CostBudget`, :class:`TimeLimit`.
* By cost and an audit together: :class:`ValueOfLabels`.
"""

from skactive.stopping._base import AllOf, AnyOf, Monitor, Round, StoppingCriterion, Verdict
from skactive.stopping._cost import Budget, CostBudget, TimeLimit
from skactive.stopping._gain import ExpectedGain
from skactive.stopping._stability import (
    ClassificationChange,
    OverallUncertainty,
    StabilizingPredictions,
)
from skactive.stopping._targets import Plateau, TargetReached
from skactive.stopping._value import ValueOfLabels

__all__ = [
    "AllOf",
    "AnyOf",
    "Budget",
    "ClassificationChange",
    "CostBudget",
    "ExpectedGain",
    "Monitor",
    "OverallUncertainty",
    "Plateau",
    "Round",
    "StabilizingPredictions",
    "StoppingCriterion",
    "TargetReached",
    "TimeLimit",
    "ValueOfLabels",
    "Verdict",
]
