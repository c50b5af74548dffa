"""Strategies that cover the pool: against plain loops over FakePools, and through a learner."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skactive import ActiveLearner
from skactive.selectors import _coverage as selectors_coverage
from skactive.selectors._coverage import smallest_distance
from skactive.strategies import Entropy, Margin
from skactive.strategies._coverage import (
    FacilityLocation,
    FacilityLocationMutualInformation,
    MaxHerding,
    ProbCover,
    UHerding,
)
from skactive.testing import FakePool, parametrize_with_strategy_checks

TARGETS = np.array([[3], [5]])


@pytest.mark.no_cover
@parametrize_with_strategy_checks(
    [
        MaxHerding(),
        MaxHerding(bandwidth=0.5, max_reference=None),
        UHerding(),
        UHerding(Entropy(), bandwidth=2.0),
        UHerding(bandwidth="labeled"),
        FacilityLocation(),
        ProbCover(),
        ProbCover(delta=1.5),
        ProbCover(n_clusters=4, purity=0.5, max_reference=10),
        FacilityLocationMutualInformation(TARGETS),
        FacilityLocationMutualInformation(TARGETS, eta=0.1, bandwidth=3.0),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


def similarity(A, B, bandwidth):
    return np.exp(-cdist(A, B, "sqeuclidean") / bandwidth**2)


def spread(Z):
    return np.sqrt(np.square(Z - Z.mean(axis=0)).sum(axis=1).mean())


def assert_best_gains(picks, merit, weights, covered, bonus=0.0):
    """Each pick gains as much as any row; `merit` is (rows to cover, candidates)."""
    bonus = np.zeros(merit.shape[1]) + bonus
    for row in picks:
        gains = weights @ np.maximum(merit - covered[:, None], 0.0) + bonus
        assert_allclose(gains[row], gains.max(), rtol=1e-9)
        covered, bonus[row] = np.maximum(covered, merit[:, row]), 0.0


@pytest.mark.parametrize("n_labeled", [0, 6, 50])
@pytest.mark.parametrize("bandwidth", [None, 0.8])
def test_herding_takes_the_row_that_adds_most(n_labeled, bandwidth):
    pool = FakePool(40, n_labeled=n_labeled)
    Z, width = pool.embedding, bandwidth or spread(pool.embedding)
    covered = np.zeros(40)
    if n_labeled:
        covered = similarity(Z, pool.labeled.embedding, width).max(axis=1)
    picks = MaxHerding(bandwidth=bandwidth).select(pool, 15)
    assert_best_gains(picks, similarity(Z, Z, width), np.ones(40), covered)
    for uncertainty in (None, Entropy()):
        weights = (uncertainty or Margin()).score(pool)
        picks = UHerding(uncertainty, bandwidth=bandwidth).select(pool, 15)
        assert_best_gains(picks, similarity(Z, Z, width), weights, covered)


@pytest.mark.parametrize("n_labeled", [2, 6, 50])
def test_uherding_as_published_reaches_as_far_as_the_closest_labeled_rows(n_labeled):
    pool = FakePool(40, n_labeled=n_labeled)
    Z, labeled = pool.embedding, pool.labeled.embedding
    distances = cdist(labeled, labeled)
    width = distances[distances > 0].min()
    picks = UHerding(bandwidth="labeled").select(pool, 15)
    covered = similarity(Z, labeled, width).max(axis=1)
    assert_best_gains(picks, similarity(Z, Z, width), Margin().score(pool), covered)


@pytest.mark.parametrize("labeled", [None, [[1, 2]], [[1, 2], [1, 2]]])
@pytest.mark.parametrize("kind", [np.array, sparse.csr_array])
def test_without_two_labeled_rows_that_differ_there_is_no_smallest_distance(labeled, kind):
    if labeled is not None:
        assert smallest_distance(kind(labeled)) is None
        assert smallest_distance(kind([*labeled, [4, 6], [1, 2.5]])) == pytest.approx(0.5)
    else:
        pools = [FakePool(40, n_labeled=0) for _ in range(2)]
        picks = [
            UHerding(bandwidth=b).select(p, 9)
            for b, p in zip((None, "labeled"), pools, strict=True)
        ]
        assert_array_equal(*picks)


def test_a_large_batch_is_chosen_on_a_larger_sample(monkeypatch):
    sizes, draw = [], selectors_coverage.weighted_sample
    monkeypatch.setattr(
        selectors_coverage,
        "weighted_sample",
        lambda weights, size, rng: sizes.append(size) or draw(weights, size, rng),
    )
    for batch_size in (3, 30):
        MaxHerding(max_reference=100).select(FakePool(400), batch_size)
    assert sizes == [100, 300]


def test_uherding_weighs_by_uncertainty():
    Z = [[0, 0], [0, 0.1], [0.1, 0], [9, 9], [9, 9.1]]
    sure, unsure = [0.99, 0.01], [0.5, 0.5]
    pool = FakePool(n_labeled=0, proba=[sure, sure, sure, unsure, unsure], embedding=Z)
    assert MaxHerding(bandwidth=1.0).select(pool, 1)[0] in (0, 1, 2)
    assert UHerding(bandwidth=1.0).select(pool, 1)[0] in (3, 4)


def test_uherding_shifts_scores_below_zero():
    X, y = load_iris(return_X_y=True)
    X, y = X[50:], y[50:]
    learner = ActiveLearner(SVC(), UHerding(), random_state=0).fit(X[::6], y[::6])
    uncertainty = -np.abs(learner.decision_function(X))
    merit = similarity(X, X, spread(X))
    covered = similarity(X, X[::6], spread(X)).max(axis=1)
    assert_best_gains(learner.query(X, 8), merit, uncertainty - uncertainty.min(), covered)


def test_uherding_with_a_model_that_is_sure_of_everything_covers_the_pool():
    certain = np.eye(3)[np.arange(30) % 3]
    pool = FakePool(proba=certain)
    expected = MaxHerding().select(FakePool(proba=certain), 10)
    assert_array_equal(UHerding().select(pool, 10), expected)


@pytest.mark.parametrize("n_labeled", [0, 6, 50])
def test_facility_location_shortens_the_distances_most(n_labeled):
    pool = FakePool(40, n_labeled=n_labeled)
    Z, nearest = pool.embedding, np.full(40, 1e3)
    if n_labeled:
        nearest = cdist(Z, pool.labeled.embedding).min(axis=1)
    for row in FacilityLocation().select(pool, 40)[:30]:
        sums = np.minimum(nearest[:, None], cdist(Z, Z)).sum(axis=0)
        assert_allclose(sums[row], sums.min(), rtol=1e-9)
        nearest = np.minimum(nearest, cdist(Z, Z[[row]])[:, 0])


# -- ProbCover ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_labeled", [0, 6])
def test_prob_cover_takes_the_fullest_ball(n_labeled):
    pool = FakePool(60, n_labeled=n_labeled, n_dims=2)
    Z, free = pool.embedding, np.ones(60, dtype=bool)
    if n_labeled:
        free &= cdist(Z, pool.labeled.embedding).min(axis=1) > 0.7
    near = cdist(Z, Z) <= 0.7
    picks = ProbCover(delta=0.7).select(pool, 40)
    assert len(set(picks.tolist())) == 40
    for row in picks:
        counts = near[:, free].sum(axis=1)
        assert counts[row] == counts.max() or counts.max() == 0
        free &= ~near[row]
    assert not free.any()


def test_prob_cover_finds_the_radius_at_which_balls_are_pure():
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [10, 0], [0, 10]])
    Z = centers[rng.integers(3, size=90)] + rng.normal(size=(90, 2))
    pool = FakePool(embedding=Z, n_labeled=0)
    radius = ProbCover()._get_radius(pool)
    clusters = KMeans(3, n_init=5, random_state=0).fit(Z).labels_
    pure = [len(set(clusters[row])) == 1 for row in cdist(Z, Z) <= radius]
    assert np.mean(pure) >= 0.95
    pure = [len(set(clusters[row])) == 1 for row in cdist(Z, Z) <= radius * 1.001]
    assert np.mean(pure) < 0.95
    picks = ProbCover().select(pool, 3)
    assert len(set(clusters[picks])) == 3


def test_prob_cover_starts_cold_without_known_classes():
    X, _ = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(), ProbCover(), random_state=0)
    assert len(set(learner.query(X, 20).tolist())) == 20


# -- targets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_labeled", [0, 6])
@pytest.mark.parametrize("eta", [0.1, 1.0])
def test_mutual_information_is_its_formula(n_labeled, eta):
    pool = FakePool(40, n_labeled=n_labeled)
    Z, rows = pool.embedding, np.array([[3], [5], [30]])
    merit = similarity(Z[rows[:, 0]], Z, 2.0)
    covered = np.zeros(3)
    if n_labeled:
        covered = similarity(Z[rows[:, 0]], pool.labeled.embedding, 2.0).max(axis=1)
    strategy = FacilityLocationMutualInformation(rows, eta=eta, bandwidth=2.0)
    picks = strategy.select(pool, 20)
    assert_best_gains(picks, merit, np.ones(3), covered, eta * merit.max(axis=0))


def test_targets_call_for_their_like():
    X, y = load_digits(return_X_y=True)
    strategy = FacilityLocationMutualInformation(X[y == 3][:4])
    learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
    assert np.mean(y[200:][learner.query(X[200:], 20)] == 3) > 0.9


# -- through a learner -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy",
    [MaxHerding(), UHerding(), FacilityLocation(), ProbCover(delta=40.0), "targets"],
    ids=lambda strategy: type(strategy).__name__,
)
def test_sparse_rows_are_chosen_like_dense_ones(strategy):
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    model = LogisticRegression(max_iter=3000).fit(X[:40], y[:40])

    def query(rows):
        made = FacilityLocationMutualInformation(rows[:5]) if strategy == "targets" else strategy
        learner = ActiveLearner(model, made, prefit=True, random_state=0)
        return learner.fit(rows[:40], y[:40]).query(rows, 20)

    picks = query(X)
    if isinstance(strategy, ProbCover):  # counts tie, and rounding breaks no ties
        picks, sparse_picks = picks[:1], query(sparse.csr_array(X))[:1]
    else:
        sparse_picks = query(sparse.csr_array(X))
    assert_array_equal(sparse_picks, picks)


def test_bad_parameters_are_named():
    X, y = load_iris(return_X_y=True)
    for strategy in (MaxHerding(bandwidth=0.0), ProbCover(purity=1.0), UHerding(max_reference=0)):
        with pytest.raises(ValueError, match="parameter of"):
            ActiveLearner(LogisticRegression(max_iter=500), strategy).fit(X, y).query(X, 1)
