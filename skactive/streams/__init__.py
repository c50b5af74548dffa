"""Streams: each row is bought or passed when it arrives, under a budget of labels.

:class:`StreamLearner` is offered rows one after the other. It scores each by the strategy of an
active learner, and a policy decides at once whether to buy its label:

* by a threshold on the score: :class:`FixedUncertainty`, :class:`VariableUncertainty`,
  :class:`RandomVariableUncertainty`, :class:`QuantileFilter`;
* at random, wholly or in part: :class:`RandomPurchase`, :class:`Split`;
* in dense regions only: :class:`DensityFilter`, around any other policy.

A policy consists of hyper-parameters only. :meth:`~PurchasePolicy.start` makes a :class:`Buyer` for
one stream, which keeps the budget by one rule for all policies (:class:`Spending`). Tests for drift
are :class:`PageHinkley` and :class:`DDM`; the detectors of river work too.
"""

from skactive.streams._base import Buyer, Candidate, Offer, PurchasePolicy
from skactive.streams._density import DensityFilter
from skactive.streams._drift import DDM, Drift, PageHinkley
from skactive.streams._learner import StreamLearner
from skactive.streams._random import RandomPurchase, Split
from skactive.streams._spending import Spending
from skactive.streams._thresholds import (
    FixedUncertainty,
    QuantileFilter,
    RandomVariableUncertainty,
    VariableUncertainty,
)

__all__ = [
    "DDM",
    "Buyer",
    "Candidate",
    "DensityFilter",
    "Drift",
    "FixedUncertainty",
    "Offer",
    "PageHinkley",
    "PurchasePolicy",
    "QuantileFilter",
    "RandomPurchase",
    "RandomVariableUncertainty",
    "Spending",
    "Split",
    "StreamLearner",
    "VariableUncertainty",
]
