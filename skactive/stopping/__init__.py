"""When to stop labeling: criteria that look at each round of a campaign and say why it may end.

A criterion is hyper-parameters and nothing else. :meth:`~StoppingCriterion.start` makes a
:class:`Monitor` of one campaign, which is shown each :class:`Round` and answers with a
:class:`Verdict`: whether to stop, and the reason in a sentence with numbers. Criteria are composed
with ``&`` (stop when all stop) and ``|`` (stop when any stops).

* By what the models say, no further labels needed: :class:`StabilizingPredictions`,
  :class:`ClassificationChange`, :class:`OverallUncertainty`, :class:`ExpectedGain`.
* By an audit sample or a validation set: :class:`TargetReached`, :class:`Plateau`.
* By what it has cost: :class:`Budget`, :class:`CostBudget`, :class:`TimeLimit`.
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
    "Verdict",
]
