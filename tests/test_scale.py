"""Memory-mapped pools are never copied whole; the benchmark of growth covers all strategies."""

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, strategies
from skactive.strategies import (
    BADGE,
    BALD,
    CLUE,
    DPP,
    IGS,
    LCMD,
    SEALS,
    AnchorAL,
    ClassBalanced,
    ContrastiveAL,
    DiscriminativeAL,
    DOptimal,
    Entropy,
    EpsilonGreedy,
    ExpectedModelChange,
    FacilityLocation,
    Falcun,
    GSy,
    KCenterGreedy,
    KLDivergence,
    KMeans,
    Margin,
    MaxDet,
    MaxHerding,
    Mixture,
    OpenSet,
    PerGroup,
    Prefilter,
    ProbCover,
    Random,
    RankedBatch,
    RobustKCenterGreedy,
    Subsample,
    TypiClust,
    UHerding,
    VOptimal,
    VoteEntropy,
    WithoutDuplicates,
)

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
N_ROWS, N_DIMS, N_CLASSES = 80_000, 256, 3
SHARE = 1 / 2  # of the file's size: the most that a query may hold in memory
WORKING_MIB = 4  # for readings of several numbers a draw and class

STRATEGIES = [
    AnchorAL(Margin()),
    BADGE(),
    BALD(),
    ClassBalanced(Margin()),
    CLUE(),
    ContrastiveAL(),
    DiscriminativeAL(n_sub_batches=2, n_unlabeled=500),
    DOptimal(),
    DPP(),
    Entropy(),
    EpsilonGreedy(Margin()),
    ExpectedModelChange(),
    FacilityLocation(max_reference=200),
    Falcun(),
    GSy(),
    IGS(),
    KCenterGreedy(),
    KLDivergence(),
    KMeans(),
    LCMD(),
    Margin(),
    MaxDet(),
    MaxHerding(max_reference=200),
    Mixture([("margin", Margin()), ("random", Random())]),
    OpenSet(Margin(), unknown=0),
    PerGroup(Margin(), groups=0),
    Prefilter(Margin(), KCenterGreedy()),
    ProbCover(delta=20.0, max_reference=200),
    RankedBatch(),
    RobustKCenterGreedy(),
    SEALS(Margin()),
    Subsample(KCenterGreedy()),
    TypiClust(),
    UHerding(max_reference=200),
    VOptimal(),
    VoteEntropy(),
    WithoutDuplicates(Margin(), threshold=20.0),
]


def rows(n, seed):
    """Overlapping blobs, one per class."""
    rng = np.random.default_rng(seed)
    centers = 0.2 * np.random.default_rng(0).standard_normal((N_CLASSES, N_DIMS), np.float32)
    y = rng.integers(N_CLASSES, size=n)
    return rng.standard_normal((n, N_DIMS), np.float32) + centers[y], y


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """A pool in a file that cannot be written to."""
    path = tmp_path_factory.mktemp("scale") / "pool.npy"
    written = np.lib.format.open_memmap(path, "w+", np.float32, (N_ROWS, N_DIMS))
    for start in range(0, N_ROWS, 10_000):
        written[start : start + 10_000] = rows(10_000, seed=start)[0]
    del written
    return np.load(path, mmap_mode="r")


def fit_learner(strategy):
    """Return a learner fitted in single precision, whose model provides what the strategy needs."""
    model = LogisticRegression(max_iter=200)
    if "proba_samples" in strategy.needs:
        model = RandomForestClassifier(5, max_depth=4)
    elif "prediction" in strategy.needs:
        model = Ridge()
    return ActiveLearner(model, strategy, random_state=0).fit(*rows(60, seed=1))


def peak_of(query):
    """Peak bytes of arrays and objects, without those that are mapped from a file."""
    tracemalloc.start()
    try:
        query()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


by_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)


@by_strategy
def test_a_mapped_pool_is_not_copied(pool, strategy):
    learner = fit_learner(strategy)
    with config_context(working_memory=WORKING_MIB):
        assert peak_of(lambda: learner.query(pool, 20)) < SHARE * pool.nbytes


@pytest.mark.no_cover
@by_strategy
def test_a_mapped_pool_gets_the_answer_of_one_in_memory(pool, strategy):
    learner, part = fit_learner(strategy), pool[:1500]
    np.testing.assert_array_equal(learner.query(part, 5), learner.query(np.array(part), 5))


@pytest.fixture(scope="module")
def growth():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import growth
    finally:
        sys.path.remove(str(BENCHMARKS))
    return growth


def test_the_benchmark_of_growth_knows_every_strategy(growth):
    made = {type(make()).__name__ for make in growth.make_strategies().values()}
    assert made == set(strategies.__all__) - {"Strategy", "ScoreStrategy"}


def test_the_benchmark_of_growth_says_what_was_refused(growth):
    fast = [growth.Result("A", n, seconds=n / 1e6, mib=3.0) for n in (10**4, 10**5, 10**6)]
    slow = [growth.Result("B", 10**4, 9.0, 1.0), growth.Result("B", 10**5, refusal="too large")]
    cells = ["A", "0.01", "0.1", "1", "3", "1.00", "1.00"]
    assert growth.make_row(fast, growth.SIZES) == cells
    assert growth.make_row(slow, growth.SIZES) == ["B", "9", "refused", "-", "-", "-", "-"]
    assert len(growth.make_header(growth.SIZES)) == len(cells)


@pytest.mark.parametrize(
    "strategy",
    [Margin(), BADGE(), Mixture([("random", Random()), ("margin", Margin())])],
    ids=lambda s: type(s).__name__,
)
def test_models_of_double_precision_meet_the_pool_in_chunks(pool, strategy):
    X, y = rows(60, seed=1)
    learner = ActiveLearner(LogisticRegression(max_iter=200), strategy, random_state=0)
    learner.fit(X.astype(np.float64), y)  # its products would be of a copy of the pool
    with config_context(working_memory=WORKING_MIB):
        assert peak_of(lambda: learner.query(pool, 20)) < SHARE * pool.nbytes


def test_a_pipeline_prepares_a_mapped_pool_in_chunks(pool):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    learner = ActiveLearner(model, Margin(), random_state=0).fit(*rows(60, seed=1))
    with config_context(working_memory=WORKING_MIB):
        assert peak_of(lambda: learner.query(pool, 20)) < SHARE * pool.nbytes
