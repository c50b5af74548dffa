"""Every strategy of the package, found by walking it, passes every check of `skactive.testing`."""

import importlib
import inspect
import operator
import pkgutil

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

import skactive.strategies
from skactive import ActiveLearner
from skactive._needs import reads_elements
from skactive.selectors import SoftmaxTop
from skactive.strategies import (
    BADGE,
    BAIT,
    EPIG,
    SEALS,
    AnchorAL,
    ClassBalanced,
    ColdStart,
    Entropy,
    EpsilonGreedy,
    ExpectedErrorReduction,
    FacilityLocationMutualInformation,
    InformationDensity,
    KCenterGreedy,
    LeastConfidence,
    Margin,
    MaxHerding,
    McPAL,
    Mixture,
    OpenSet,
    PerGroup,
    Prefilter,
    ProbCover,
    Product,
    Random,
    RankedBatch,
    RobustKCenterGreedy,
    ScoringStrategy,
    Strategy,
    Subsample,
    UHerding,
    WeightedSum,
    WithoutDuplicates,
)
from skactive.testing import parametrize_with_strategy_checks


def guess(X):
    """Return zero-shot probabilities of three classes; rows tie with every third one."""
    return np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.1, 0.0, 0.9]])[
        np.ravel(X).astype(int) % 3
    ]


# What strategies with required parameters are made of; all others are made without any.
COMPOSED = {
    Subsample: Subsample(Margin(), n_candidates=12),
    Prefilter: Prefilter(Margin(), KCenterGreedy(), factor=2),
    SEALS: SEALS(Margin(), n_neighbors=3),
    AnchorAL: AnchorAL(Margin(), n_anchors=1, n_neighbors=3, n_candidates=12),
    ClassBalanced: ClassBalanced(Margin()),
    EpsilonGreedy: EpsilonGreedy(Margin(), epsilon=0.4),
    FacilityLocationMutualInformation: FacilityLocationMutualInformation(np.array([[3], [5]])),
    ColdStart: ColdStart(guess, Margin()),
    OpenSet: OpenSet(Margin(), unknown=2),
    PerGroup: PerGroup(Margin(), groups=operator.methodcaller("__mod__", 7), max_per_group=2),
    WithoutDuplicates: WithoutDuplicates(Margin(), threshold=1.5),
    Mixture: Mixture([("margin", Margin()), ("random", Random())]),
    WeightedSum: WeightedSum([("margin", Margin()), ("badge", BADGE())], weights=[2, -1]),
    Product: Product([("confidence", LeastConfidence()), ("mcpal", McPAL())]),
}
VARIANTS = [
    ExpectedErrorReduction(loss="zero_one"),
    ExpectedErrorReduction(approximation="reweight"),
    ExpectedErrorReduction(approximation="reweight", loss="zero_one", n_targets=10),
    ExpectedErrorReduction(approximation="newton"),
    EPIG(targets=np.array([[3], [5]]), n_samples=4),
    InformationDensity(Margin(), beta=2.0),
    RankedBatch(Margin()),
    RobustKCenterGreedy(quantile=0.5),
    MaxHerding(bandwidth=0.5, max_reference=None),
    UHerding(uncertainty=LeastConfidence()),
    ProbCover(delta=0.3),
    ColdStart(guess, n_labels=6),
    Margin(selector=SoftmaxTop(beta=2.0)),
    Margin(n_samples=4),
    McPAL(max_labels=3, posterior="kernel", bandwidth=1.0),
    McPAL(density=False),
    BAIT(weight="batch_size", reference="pool"),
    WeightedSum([("margin", Margin()), ("epig", EPIG(n_targets=5))], scale="min_max"),
    WeightedSum([("margin", Margin()), ("entropy", Entropy())], scale=None),
    Product([("a", Margin()), ("b", Entropy())], scale="rank", selector=SoftmaxTop()),
    Mixture([("a", Margin()), ("b", KCenterGreedy()), ("c", Random())], shares=[3, 2, 1]),
]


def walk():
    """Find every concrete strategy in every module of `skactive.strategies`."""
    found = set()
    for info in pkgutil.iter_modules(skactive.strategies.__path__):
        module = importlib.import_module(f"skactive.strategies.{info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            public = not kind.__name__.startswith("_")
            if issubclass(kind, Strategy) and not inspect.isabstract(kind) and public:
                found.add(kind)
    return sorted(found, key=lambda kind: kind.__name__)


@parametrize_with_strategy_checks([COMPOSED.get(kind) or kind() for kind in walk()] + VARIANTS)
def test_strategy(strategy, check):
    check(strategy)


COSTS = [[0, 1, 2], [3, 0, 1], [5, 5, 0]]  # of three classes, as the pools of the checks have


@parametrize_with_strategy_checks([Margin(cost_matrix=COSTS), LeastConfidence(cost_matrix=COSTS)])
def test_strategy_with_costs(strategy, check):
    if check.__name__ in {"check_one_class", "check_two_classes"}:
        with pytest.raises(ValueError, match="cost_matrix must have a row and a column for each"):
            check(strategy)
    else:
        check(strategy)


OF_ROWS = [kind for kind in walk() if not reads_elements(COMPOSED.get(kind) or kind())]


@pytest.mark.parametrize("kind", OF_ROWS)
def test_choices_are_explained(kind):
    quick = {ExpectedErrorReduction: ExpectedErrorReduction(approximation="reweight")}
    strategy = (COMPOSED | quick).get(kind) or kind()
    X = np.random.RandomState(0).permutation(40)[:, np.newaxis] * 2.0
    y, model = (X[:, 0] // 4).astype(int) % 3, RandomForestClassifier(5, max_depth=3)
    if strategy.regressors_only or strategy.needs & {"prediction_samples", "std"}:
        y, model = X[:, 0], RandomForestRegressor(5)
    learner = ActiveLearner(model, strategy, random_state=0).fit(X[:15], y[:15])
    pool = X[15:]
    positions = learner.query(pool, batch_size=3)
    explanations = learner.explain(pool, positions)
    assert [explanation.position for explanation in explanations] == positions.tolist()
    distances = np.abs(pool - X[:15, 0])  # (n_pool, n_labeled)
    for position, explanation in zip(positions, explanations, strict=True):
        assert explanation.strategy == kind.__name__
        assert str(explanation)[-1] == "."
        nearest = explanation.nearest[0]
        assert nearest.distance == pytest.approx(distances[position].min())
        assert nearest.label == y[nearest.position]
        if isinstance(strategy, ScoringStrategy):
            score = learner.score_pool(pool)[position]
            assert list(explanation.parts.values())[-1] == pytest.approx(score)


@pytest.mark.parametrize("kind", walk())
def test_strategy_is_public_and_documented(kind):
    assert getattr(skactive.strategies, kind.__name__) is kind
    assert kind.__name__ in skactive.strategies.__all__
    for part in ("**When:**", "Examples\n", ">>> "):
        assert part in kind.__doc__, f"{kind.__name__}'s docstring lacks {part!r}"
    if kind.__module__.split(".")[-1] not in {"_random", "_mixture", "_candidates", "_rules"}:
        assert "References\n" in kind.__doc__
