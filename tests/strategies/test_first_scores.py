"""Scores of the strategies that choose batches: the row of the highest score is chosen first."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge

import skactive.strategies
from skactive import ActiveLearner, scores
from skactive._needs import check_scores_rows
from skactive._utils.delegation import available_where
from skactive.selectors import effective_bandwidth
from skactive.strategies import (
    BADGE,
    BAIT,
    BALD,
    DPP,
    IGS,
    Auto,
    BatchBALD,
    DiscriminativeAL,
    DOptimal,
    Entropy,
    FacilityLocation,
    FacilityLocationMutualInformation,
    GSy,
    KCenterGreedy,
    KMeans,
    LightweightCoreset,
    Margin,
    MaxDet,
    MaxHerding,
    ProbCover,
    Product,
    RankedBatch,
    ScoreStrategy,
    UHerding,
    VOptimal,
    WeightedSum,
)
from skactive.testing import FakePool

PARTS = [("margin", Margin()), ("design", DOptimal())]
MADE = {kind: kind(PARTS) for kind in (WeightedSum, Product)}
TARGETS = np.array([[2], [12]])
MADE[FacilityLocationMutualInformation] = FacilityLocationMutualInformation(TARGETS)
COVERAGE = [MaxHerding(), UHerding(), FacilityLocation(), ProbCover(), Auto()]
# Those that draw rows in proportion to their scores.
DRAWN = {LightweightCoreset}


def find_scorers():
    kinds = [getattr(skactive.strategies, name) for name in skactive.strategies.__all__]
    kinds = [k for k in kinds if hasattr(k, "score_in_chunks") and not inspect.isabstract(k)]
    return [MADE.get(kind) or kind() for kind in kinds if kind not in DRAWN]


@pytest.mark.parametrize("strategy", find_scorers(), ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("n_labeled", [0, 1, 6, 40])
@pytest.mark.filterwarnings("ignore::skactive.exceptions.TiedScoresWarning")
def test_the_highest_score_is_chosen_first(strategy, n_labeled):
    for seed in range(3):
        pool = FakePool(seed=seed, query_seed=seed, n_labeled=n_labeled)
        scores = strategy.score_in_chunks(pool)
        assert scores.shape == (30,)
        same_draws = FakePool(seed=seed, query_seed=seed, n_labeled=n_labeled)
        first = strategy.select(same_draws, 1)[0]
        assert_allclose(scores[first], scores.max(), rtol=1e-9)


@pytest.mark.parametrize("n_labeled", [0, 6])
@pytest.mark.parametrize("strategy", COVERAGE, ids=lambda s: type(s).__name__)
def test_a_sample_that_measures_coverage_is_the_same_for_scores_and_choices(strategy, n_labeled):
    size = {"max_candidates": 60} if isinstance(strategy, Auto) else {"max_reference": 20}
    strategy = clone(strategy).set_params(**size)
    for seed in range(5):
        scored, asked, drawn = (
            FakePool(200, query_seed=seed, n_labeled=n_labeled) for _ in range(3)
        )
        scores, first = strategy.score(scored), strategy.select(asked, 1)[0]
        assert scores.shape == (200,)
        candidates = slice(None)
        if isinstance(strategy, Auto):  # other rows than its candidates are scored, too
            candidates = strategy._embed(drawn, Margin().score(drawn), 1).positions
            assert len(candidates) <= 60 < (scores > 0).sum()
        assert_allclose(scores[first], scores[candidates].max(), rtol=1e-6)


@pytest.mark.parametrize("n_labeled", [0, 5])
def test_gains_of_coverage(n_labeled):
    pool = FakePool(25, n_labeled=n_labeled)
    Z = pool.embedding
    squared = np.square(Z[:, np.newaxis] - Z).sum(axis=2)
    covered = np.zeros(25)
    if n_labeled:
        to_labeled = np.square(Z[:, np.newaxis] - pool.labeled.embedding).sum(axis=2)
        covered = np.exp(-to_labeled / 4).max(axis=1)
        nearest = np.sqrt(to_labeled.min(axis=1))
        gains = np.maximum(nearest[:, np.newaxis] - np.sqrt(squared), 0).sum(axis=0)
        assert_allclose(FacilityLocation().score(pool), gains, rtol=1e-6, atol=1e-6)
        assert_allclose(KCenterGreedy().score(pool), nearest)
        inside = (squared <= 4) & (nearest > 2)[:, np.newaxis]
        assert_array_equal(ProbCover(delta=2.0).score(pool), inside.sum(axis=0))
    else:
        falls = -np.sqrt(squared).sum(axis=0)
        assert_allclose(np.diff(FacilityLocation().score(pool)), np.diff(falls), atol=1e-6)
        assert_array_equal(ProbCover(delta=2.0).score(pool), (squared <= 4).sum(axis=0))
    gains = np.maximum(np.exp(-squared / 4) - covered[:, np.newaxis], 0)
    assert_allclose(MaxHerding(bandwidth=2.0).score(pool), gains.sum(axis=0), rtol=1e-6)
    weighted = Margin().score(pool) @ gains
    assert_allclose(UHerding(bandwidth=2.0).score(pool), weighted, rtol=1e-6)
    strategy = FacilityLocationMutualInformation(pool.X[:3], eta=0.5, bandwidth=2.0)
    expected = gains[:3].sum(axis=0) + 0.5 * np.exp(-squared / 4)[:3].max(axis=0)
    assert_allclose(strategy.score(pool), expected, rtol=1e-6)


def test_scores_of_auto_are_uncertainty_times_gain():
    pool = FakePool(25)
    Z, labeled = (view.embedding / pool.embedding.std(axis=0) for view in (pool, pool.labeled))
    widths, labeled_widths = (effective_bandwidth(Z, 3.5, at=rows) for rows in (Z, labeled))
    similarity, cover = (
        np.exp(-np.square((Z[:, np.newaxis] - rows) / w[:, np.newaxis]).sum(axis=2))
        for rows, w in ((Z, widths), (labeled, labeled_widths))
    )
    gains = np.maximum(similarity - cover.max(axis=1, keepdims=True), 0)
    uncertainty = scores.margin(pool.proba)
    assert_allclose(Auto().score(pool), uncertainty * (uncertainty @ gains), rtol=1e-4)


def test_gradients_of_badge_and_information_of_batch_bald():
    pool = FakePool(20)
    a, h = pool.gradient_factors
    lengths = [np.linalg.norm(np.outer(*pair)) for pair in zip(a, h, strict=True)]
    assert_allclose(BADGE().score(pool), lengths)
    assert_allclose(BatchBALD(n_samples=3).score(pool), BALD(n_samples=3).score(pool))


@pytest.mark.parametrize("n_labeled", [0, 3, 40])
def test_gains_of_designs(n_labeled):
    pool = FakePool(15, n_labeled=n_labeled, n_dims=3)
    a, h = pool.gradient_factors
    G = np.einsum("ic,id->icd", a, h).reshape(len(a), -1)
    a, h = pool.labeled.gradient_factors if n_labeled else (np.empty((0, 3)), np.empty((0, 3)))
    labeled_G = np.einsum("ic,id->icd", a, h).reshape(len(a), 9)
    Z, labeled_Z = pool.embedding, h
    for strategy, X, labeled in ((DOptimal(), Z, labeled_Z), (MaxDet(), G, labeled_G)):
        A = 1e-3 * np.square(X).sum(axis=1).mean() * np.eye(X.shape[1]) + labeled.T @ labeled
        after = [np.linalg.slogdet(A + np.outer(x, x))[1] for x in X]
        assert_allclose(strategy.score(pool), after - np.linalg.slogdet(A)[1], rtol=1e-6)
    A = 1e-3 * np.square(Z).sum(axis=1).mean() * np.eye(3) + labeled_Z.T @ labeled_Z
    variance = [np.trace(Z @ np.linalg.inv(A + np.outer(z, z)) @ Z.T) / 15 for z in Z]
    before = np.trace(Z @ np.linalg.inv(A) @ Z.T) / 15
    assert_allclose(VOptimal().score(pool), before - variance, rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_gains_of_bait_are_exact_for_all_rows(n_classes):
    pool = FakePool(400, n_classes=n_classes, n_dims=2)
    rows = [
        np.kron(np.diag(p) - np.outer(p, p), np.outer(h, h))
        for view in (pool, pool.labeled)
        for p, h in zip(view.proba, view.embedding, strict=True)
    ]
    mean, A = sum(rows) / len(rows), np.eye(len(rows[0])) + sum(rows[400:])
    before = np.trace(np.linalg.solve(A, mean))
    expected = [before - np.trace(np.linalg.solve(A + row, mean)) for row in rows[:400]]
    assert_allclose(BAIT().score(pool), expected, rtol=1e-6, atol=1e-12)


def test_distances_of_greedy_sampling():
    pool = FakePool(20, n_labeled=5)
    Z, f = pool.embedding, pool.prediction
    gaps = np.abs(f[:, np.newaxis] - pool.labeled.y)
    distances = np.linalg.norm(Z[:, np.newaxis] - pool.labeled.embedding, axis=2)
    assert_allclose(GSy().score(pool), gaps.min(axis=1))
    assert_allclose(IGS().score(pool), (gaps * distances).min(axis=1))
    same = FakePool(prediction=np.zeros(20), n_labeled=5)  # every prediction is a known target
    distances = np.linalg.norm(same.embedding[:, np.newaxis] - same.labeled.embedding, axis=2).min(
        axis=1
    )
    assert_allclose(GSy().score(same), distances)


def test_the_volume_of_one_row_counts_its_uncertainty():
    pool = FakePool(embedding=[[3.0, 0.0], [0.0, 0.1], [0.0, 0.0]])
    expected = Entropy().score(pool) ** 2 * np.sqrt([1.001, 1.001, 0.001])
    assert_allclose(DPP(Entropy(), beta=2).score(pool), expected)


def test_discrimination_and_ranks_have_scores_without_labels():
    pool = FakePool(n_labeled=0)
    assert_array_equal(DiscriminativeAL().score(pool), np.zeros(30))
    assert_array_equal(RankedBatch(Entropy()).score(pool), Entropy().score(pool))


@pytest.mark.parametrize("strategy", [BADGE(), DOptimal(), RankedBatch(), BAIT()])
def test_a_learner_scores_a_pool_with_them(strategy):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    learner.fit(X[::10], y[::10])
    pool = np.unique(X, axis=0)
    scores = learner.score_pool(pool)
    assert_allclose(scores[learner.query(pool)[0]], scores.max(), rtol=1e-9)


def test_a_regressor_scores_a_pool():
    X = np.random.default_rng(0).normal(size=(60, 3))
    learner = ActiveLearner(Ridge(), IGS()).fit(X[:20], X[:20, 0])
    assert learner.score_pool(X[20:]).argmax() == learner.query(X[20:])[0]


def test_other_strategies_have_no_scores_and_the_error_names_those_that_do():
    assert check_scores_rows(Margin())
    with pytest.raises(AttributeError, match="which KMeans does not") as error:
        check_scores_rows(KMeans())
    names = str(error.value).split(": ")[-1].rstrip(".").split(", ")
    assert {"Margin", "BADGE", "McPAL", "WeightedSum"} <= set(names)
    assert not {"KMeans", "Random", ScoreStrategy.__name__} & set(names)
    for name in names:
        assert hasattr(getattr(skactive.strategies, name), "score_in_chunks")


def test_a_method_that_is_not_available_says_why_in_the_words_of_its_check():
    class Scorer:
        def __init__(self, strategy):
            self.strategy = strategy

        @available_where(lambda scorer: check_scores_rows(scorer.strategy))
        def score_pool(self, pool):
            """Score a pool."""
            return self.strategy.score(pool)

    assert_array_equal(Scorer(Margin()).score_pool(FakePool()), Margin().score(FakePool()))
    assert not hasattr(Scorer(KMeans()), "score_pool")
    with pytest.raises(AttributeError, match="which KMeans does not"):
        Scorer(KMeans()).score_pool(FakePool())
    assert Scorer.score_pool.__doc__ == "Score a pool."
