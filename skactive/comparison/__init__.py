"""Comparison of query strategies on one's own labeled data.

:func:`compare_strategies` plays the same campaigns with every strategy. In each repeat all of them
get the same split, the same initial labels and the same seeds, so they differ only in the rows that
they choose. :class:`StrategyComparison` holds the learning curves, and provides
intervals, tests, tables, a report, and a sentence to quote.
"""

from skactive.comparison._compare import compare_strategies
from skactive.comparison._critical_difference import CriticalDifference
from skactive.comparison._result import PenaltyMatrix, StrategyComparison
from skactive.comparison._runs import Failure, Run
from skactive.comparison._savings import LabelsSaved

__all__ = [
    "CriticalDifference",
    "Failure",
    "LabelsSaved",
    "PenaltyMatrix",
    "Run",
    "StrategyComparison",
    "compare_strategies",
]
