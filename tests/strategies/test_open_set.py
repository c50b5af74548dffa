"""OpenSet: rows like those called unknown come last, and the strategy chooses among the others."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.labels import read_labels
from skactive.exceptions import CapabilityError
from skactive.strategies import BADGE, KCenterGreedy, KMeans, Margin, OpenSet, Random
from skactive.strategies._open_set import _find_label, _measure_purity
from skactive.testing import FakePool, parametrize_with_strategy_checks


@parametrize_with_strategy_checks(
    [
        OpenSet(KMeans(), unknown=1),
        OpenSet(Random(), unknown=0, strictness=0.4),
        OpenSet(KCenterGreedy(), unknown=7),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


def measure_purity_plainly(X, labeled, is_unknown):
    distances = cdist(X, labeled)
    to_unknown, to_known = (distances[:, m].min(axis=1) for m in (is_unknown, ~is_unknown))
    return to_unknown / (to_unknown + to_known)


@pytest.mark.parametrize("convert", [np.asarray, np.float32, sparse.csr_array])
def test_purity_compares_the_nearest_unknown_with_the_nearest_known_row(convert):
    rng = np.random.default_rng(0)
    X, labeled = rng.normal(size=(200, 3)), rng.normal(size=(30, 3))
    is_unknown = rng.random(30) < 0.4
    purity = _measure_purity(convert(X), convert(labeled), is_unknown)
    assert_allclose(purity, measure_purity_plainly(X, labeled, is_unknown), rtol=1e-5)


def test_purity_is_0_at_an_unknown_row_1_at_a_known_one_and_half_at_both():
    labeled = np.array([[0.0, 1.0], [2.0, 3.0], [5.0, 5.0], [5.0, 5.0]])
    purity = _measure_purity(labeled, labeled, np.array([True, False, True, False]))
    assert_array_equal(purity, [0.0, 1.0, 0.5, 0.5])


@pytest.mark.parametrize("strictness", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("batch_size", [7, 95])
def test_the_least_pure_of_the_rows_nearer_to_an_unknown_one_come_last(strictness, batch_size, spy):
    for seed in range(5):
        notes, pool = [], FakePool(101, seed=seed)
        purity = measure_purity_plainly(
            pool.embedding, pool.labeled.embedding, np.asarray(pool.labeled.y) == 2
        )
        strategy = OpenSet(spy(Margin(), notes), unknown=2, strictness=strictness)
        picks = strategy.select(pool, batch_size)
        n_last = min(int(strictness * (purity < 0.5).sum()), 101 - batch_size)
        candidates = np.sort(np.argsort(purity)[n_last:])
        assert notes == [(candidates.tolist(), batch_size, picks.tolist())]


@pytest.mark.parametrize(
    ("options", "pool"),
    [
        ({"unknown": 7}, {}),
        ({"unknown": 2}, {"n_labeled": 0}),
        ({"unknown": 0}, {"n_classes": 1}),
        ({"unknown": 2, "strictness": 0.0}, {}),
    ],
    ids=["no unknown row", "no labeled row", "no known row", "not strict"],
)
def test_all_rows_are_candidates_until_rows_of_both_kinds_are_labeled(options, pool):
    picks = OpenSet(KCenterGreedy(), **options).select(FakePool(**pool), 7)
    assert_array_equal(picks, KCenterGreedy().select(FakePool(**pool), 7))


@pytest.mark.parametrize(
    ("unknown", "y", "message"),
    [
        ("none", [0, 1, 2], r"unknown='none'\) can be none of the labels, which are like 0"),
        (9, ["a", "b", "c"], r"unknown=9\) can be none of the labels, which are like 'a'"),
    ],
)
def test_a_label_of_another_kind_is_an_error(unknown, y, message):
    X = np.random.default_rng(0).normal(size=(30, 2))
    learner = ActiveLearner(LogisticRegression(), OpenSet(Random(), unknown=unknown))
    learner.fit(X[:3], y)
    with pytest.raises(ValueError, match=message):
        learner.query(X)


def test_several_labels_per_row_are_an_error():
    X = np.random.default_rng(0).normal(size=(30, 2))
    learner = ActiveLearner(KNeighborsClassifier(1), OpenSet(Random(), unknown=1))
    with pytest.raises(CapabilityError, match=r"one label per row.*\(3, 2\)"):
        learner.fit(X[:3], [[0, 1], [1, 0], [1, 1]])
    learner = ActiveLearner(KNeighborsRegressor(1), OpenSet(Random(), unknown=1.0))
    learner.fit(X[:3], X[:3])
    with pytest.raises(ValueError, match=r"one label per row.*\(3, 2\)"):
        learner.query(X)


def test_needs_and_randomness_are_those_of_the_inner_strategy():
    assert OpenSet(BADGE(), unknown=0).needs == BADGE().needs | {"embedding"}
    assert OpenSet(Random(), unknown=0).randomized
    assert not OpenSet(Margin(), unknown=0).randomized


def test_more_known_rows_are_bought_and_the_known_classes_are_learned_better():
    X, y = load_digits(return_X_y=True)
    y = np.where(y > 4, 9, y)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    results = []
    for strategy in (Random(), OpenSet(Random(), unknown=9)):
        learner = ActiveLearner(model, strategy)
        simulated = SimulatedLearner(
            learner, budget=120, batch_size=20, n_initial=20, random_state=0
        ).fit(X[:1000], y[:1000])
        known = y[1000:] != 9
        results.append(
            [np.sum(y[simulated.queried_] != 9), simulated.score(X[1000:][known], y[1000:][known])]
        )
    (n_plain, score_plain), (n_open, score_open) = results
    assert n_open > 1.25 * n_plain
    assert score_open > score_plain + 0.01


@pytest.mark.parametrize("unit", ["D", "ns"])
def test_a_date_is_found_whatever_its_unit(unit):
    y = np.array(["2024-01-01", "9999-01-01" if unit == "D" else "2099-01-01"] * 3)
    y = y.astype(f"datetime64[{unit}]")
    assert_array_equal(_find_label(y, y[1]), [False, True] * 3)
    assert_array_equal(_find_label(y, y[1].astype("datetime64[D]").item()), [False, True] * 3)
    with pytest.raises(ValueError, match="can be none of the labels, which are dates"):
        _find_label(y, "none")


@pytest.mark.parametrize("unknown", [None, np.nan, [0, 1], {0}, np.arange(2)], ids=str)
def test_unknown_is_one_label(unknown):
    with pytest.raises(ValueError, match="must be one label, as it appears in y"):
        _find_label(np.array([0, 1]), unknown)


def test_structured_labels_are_refused():
    with pytest.raises(ValueError, match="needs one label per row, got several in each row"):
        _find_label(read_labels([["N"], ["V", "N"]]), "N")
