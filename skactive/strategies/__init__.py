"""Strategies: which rows of a pool should be labelled next.

===========  ==========================================================================
family       strategies
===========  ==========================================================================
baseline     Random
uncertainty  LeastConfidence, Margin, MarginRatio, Entropy
information  BALD, EPIG, ExpectedErrorReduction, ExpectedModelChange
committee    VoteEntropy, ConsensusEntropy, KLDivergence
diversity    KMeans, KCenterGreedy
hybrid       BADGE, InformationDensity, RankedBatch
composition  Subsample, Prefilter, Mixture
===========  ==========================================================================

To write one, subclass :class:`ScoreStrategy` (a number a row) or :class:`Strategy` (a choice of
rows) and check it with :func:`skactive.testing.parametrize_with_strategy_checks`.
"""

from skactive.strategies._base import ScoreStrategy, Strategy
from skactive.strategies._bayesian import BALD, EPIG, ExpectedModelChange
from skactive.strategies._committee import ConsensusEntropy, KLDivergence, VoteEntropy
from skactive.strategies._compose import Mixture, Prefilter, Subsample
from skactive.strategies._diversity import KCenterGreedy, KMeans
from skactive.strategies._hybrid import BADGE, InformationDensity, RankedBatch
from skactive.strategies._lookahead import ExpectedErrorReduction
from skactive.strategies._random import Random
from skactive.strategies._uncertainty import Entropy, LeastConfidence, Margin, MarginRatio

__all__ = [
    "BADGE",
    "BALD",
    "EPIG",
    "ConsensusEntropy",
    "Entropy",
    "ExpectedErrorReduction",
    "ExpectedModelChange",
    "InformationDensity",
    "KCenterGreedy",
    "KLDivergence",
    "KMeans",
    "LeastConfidence",
    "Margin",
    "MarginRatio",
    "Mixture",
    "Prefilter",
    "Random",
    "RankedBatch",
    "ScoreStrategy",
    "Strategy",
    "Subsample",
    "VoteEntropy",
]
