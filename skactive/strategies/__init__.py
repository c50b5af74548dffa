"""Query strategies: which rows of a pool to label next.

===========  ==========================================================================
family       strategies
===========  ==========================================================================
baseline     Random, LightweightCoreset, ClusterBalanced
uncertainty  LeastConfidence, Margin, MarginRatio, Entropy
information  BALD, BatchBALD, EPIG, MeanStd, VariationRatio, ExpectedErrorReduction,
             ExpectedModelChange, McPAL
committee    VoteEntropy, ConsensusEntropy, KLDivergence
diversity    KMeans, KCenterGreedy, RobustKCenterGreedy, LCMD, DOptimal, VOptimal,
             TypiClust, ProbCover, MaxHerding, FacilityLocation,
             FacilityLocationMutualInformation, DiscriminativeAL
hybrid       BADGE, BAIT, MaxDet, DPP, UHerding, CLUE, ClusterMargin, DropQuery, Falcun,
             ContrastiveAL, GALAXY, InformationDensity, RankedBatch
regression   PredictiveStd, ExpectedModelChangeRegression, GSx, GSy, IGS (and LCMD)
optimization ExpectedImprovement, ProbabilityOfImprovement, UpperConfidenceBound,
             ThompsonSampling
labels       MMC, LCI, SeparationMargin, CVIRS: of several labels per row
composition  Subsample, Prefilter, SEALS, AnchorAL, Mixture, EpsilonGreedy, ClassBalanced,
             WeightedSum, Product, Aggregate, PerCost, ColdStart
elements     BoxMargin, BoxEntropy, LocalizationStability, RegionImpurity, MNLP,
             HypothesisConfidence, HypothesisEntropy, HypothesisMargin, SampleDisagreement,
             EnergyWeightedVariance (and any score in Aggregate)
rules        PerGroup, WithoutDuplicates, OpenSet
===========  ==========================================================================

To write one, subclass :class:`ScoreStrategy` (one number per row, the highest are chosen),
:class:`ScoringStrategy` (one number per row, and a choice of its own) or :class:`Strategy` (a
choice of rows) and check it with :func:`skactive.testing.parametrize_with_strategy_checks`.
"""

from skactive.strategies._aggregate import Aggregate, PerCost
from skactive.strategies._auto import Auto
from skactive.strategies._bait import BAIT
from skactive.strategies._base import ScoreStrategy, Strategy

# Not in __all__: programs that try all strategies by it know the two bases above only.
from skactive.strategies._base import ScoringStrategy as ScoringStrategy
from skactive.strategies._candidates import SEALS, AnchorAL, Prefilter, Subsample
from skactive.strategies._clusters import CLUE, ClusterMargin, DropQuery, TypiClust
from skactive.strategies._cold_start import ColdStart
from skactive.strategies._combination import Product, WeightedSum
from skactive.strategies._committee import ConsensusEntropy, KLDivergence, VoteEntropy
from skactive.strategies._contrast import ContrastiveAL, DiscriminativeAL, Falcun
from skactive.strategies._coverage import (
    FacilityLocation,
    FacilityLocationMutualInformation,
    MaxHerding,
    ProbCover,
    UHerding,
)
from skactive.strategies._design import DPP, DOptimal, MaxDet, VOptimal
from skactive.strategies._detection import BoxEntropy, BoxMargin, LocalizationStability
from skactive.strategies._diversity import LCMD, KCenterGreedy, KMeans, RobustKCenterGreedy
from skactive.strategies._galaxy import GALAXY
from skactive.strategies._hybrid import BADGE, InformationDensity, RankedBatch
from skactive.strategies._information import (
    BALD,
    EPIG,
    BatchBALD,
    ExpectedModelChange,
    MeanStd,
    VariationRatio,
)
from skactive.strategies._lookahead import ExpectedErrorReduction
from skactive.strategies._mixture import ClassBalanced, ClusterBalanced, EpsilonGreedy, Mixture
from skactive.strategies._multilabel import CVIRS, LCI, MMC, SeparationMargin
from skactive.strategies._open_set import OpenSet
from skactive.strategies._optimization import (
    ExpectedImprovement,
    ProbabilityOfImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
)
from skactive.strategies._probabilistic import McPAL
from skactive.strategies._random import LightweightCoreset, Random
from skactive.strategies._regression import (
    IGS,
    ExpectedModelChangeRegression,
    GSx,
    GSy,
    PredictiveStd,
)
from skactive.strategies._rules import PerGroup, WithoutDuplicates
from skactive.strategies._sequences import (
    MNLP,
    HypothesisConfidence,
    HypothesisEntropy,
    HypothesisMargin,
    SampleDisagreement,
)
from skactive.strategies._structured import EnergyWeightedVariance, RegionImpurity
from skactive.strategies._uncertainty import Entropy, LeastConfidence, Margin, MarginRatio

__all__ = [
    "BADGE",
    "BAIT",
    "BALD",
    "CLUE",
    "CVIRS",
    "DPP",
    "EPIG",
    "GALAXY",
    "IGS",
    "LCI",
    "LCMD",
    "MMC",
    "MNLP",
    "SEALS",
    "Aggregate",
    "AnchorAL",
    "Auto",
    "BatchBALD",
    "BoxEntropy",
    "BoxMargin",
    "ClassBalanced",
    "ClusterBalanced",
    "ClusterMargin",
    "ColdStart",
    "ConsensusEntropy",
    "ContrastiveAL",
    "DOptimal",
    "DiscriminativeAL",
    "DropQuery",
    "EnergyWeightedVariance",
    "Entropy",
    "EpsilonGreedy",
    "ExpectedErrorReduction",
    "ExpectedImprovement",
    "ExpectedModelChange",
    "ExpectedModelChangeRegression",
    "FacilityLocation",
    "FacilityLocationMutualInformation",
    "Falcun",
    "GSx",
    "GSy",
    "HypothesisConfidence",
    "HypothesisEntropy",
    "HypothesisMargin",
    "InformationDensity",
    "KCenterGreedy",
    "KLDivergence",
    "KMeans",
    "LeastConfidence",
    "LightweightCoreset",
    "LocalizationStability",
    "Margin",
    "MarginRatio",
    "MaxDet",
    "MaxHerding",
    "McPAL",
    "MeanStd",
    "Mixture",
    "OpenSet",
    "PerCost",
    "PerGroup",
    "PredictiveStd",
    "Prefilter",
    "ProbCover",
    "ProbabilityOfImprovement",
    "Product",
    "Random",
    "RankedBatch",
    "RegionImpurity",
    "RobustKCenterGreedy",
    "SampleDisagreement",
    "ScoreStrategy",
    "SeparationMargin",
    "Strategy",
    "Subsample",
    "ThompsonSampling",
    "TypiClust",
    "UHerding",
    "UpperConfidenceBound",
    "VOptimal",
    "VariationRatio",
    "VoteEntropy",
    "WeightedSum",
    "WithoutDuplicates",
]
