"""Measures of learning curves, and of decisions whose errors have costs.

A curve is two sequences of equal length: the number of labels known in each round, including the
start (``SimulatedLearner.n_labels_``), and the score of each round (``staged_score``). If labels
differ in price, every function also accepts cumulative costs in place of the counts.

* Of one curve: :func:`area_under_learning_curve`, :func:`start_quality`, :func:`end_quality`,
  :func:`labels_to_reach`, and :func:`zhan_area` for comparison with a survey.
* Of a curve relative to that of a reference, usually random sampling: :func:`deficiency`,
  :func:`data_utilization_rate`.
* Of decisions: :func:`minimize_expected_cost` makes them from probabilities,
  :func:`mean_misclassification_cost` tells what they cost, and :func:`make_cost_scorer` is both,
  for everything that takes ``scoring=``.
"""

from skactive.metrics._curves import (
    area_under_learning_curve,
    data_utilization_rate,
    deficiency,
    end_quality,
    labels_to_reach,
    start_quality,
    zhan_area,
)
from skactive.metrics._curves import find_common_counts as find_common_counts
from skactive.metrics._decisions import (
    make_cost_scorer,
    mean_misclassification_cost,
    minimize_expected_cost,
)

__all__ = [
    "area_under_learning_curve",
    "data_utilization_rate",
    "deficiency",
    "end_quality",
    "labels_to_reach",
    "make_cost_scorer",
    "mean_misclassification_cost",
    "minimize_expected_cost",
    "start_quality",
    "zhan_area",
]
