"""Auto: coverage of uncertain rows against plain loops, and choices without model or embedding."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skactive import ActiveLearner
from skactive.exceptions import SkactiveWarning
from skactive.strategies import Auto, Margin, Random
from skactive.testing import FakePool, parametrize_with_strategy_checks

X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300]


@parametrize_with_strategy_checks([Auto(), Auto(max_candidates=18), Auto(max_candidates=3)])
def test_strategy(strategy, check):
    if strategy.max_candidates < 30 and check.__name__ in {
        "check_permuted_pool",  # a pool of 30 rows is so large for these that a sample has to do
        "check_randomized",
    }:
        return
    check(strategy)


def naive_similarity(Z, at, n_chosen):
    """Similarity of each row of `at` to each row of the pool, with bandwidths by bisection."""
    squared = cdist(at, Z, "sqeuclidean")
    merit = np.empty_like(squared)
    for row, distances in enumerate(squared):
        others = distances[distances > 1e-12]
        low, high = 1e-9, 1e9  # of the squared length
        for _ in range(200):
            middle = np.sqrt(low * high)
            is_too_long = np.exp(-others / middle).mean() > 1 / max(n_chosen, 2)
            low, high = (low, middle) if is_too_long else (middle, high)
        merit[row] = np.exp(-distances / low)
    return merit


def assert_greedy(picks, Z, labeled, uncertainty, covers=2.0):
    """Each pick has the most uncertainty times added coverage, in columns of equal spread."""
    spread = np.where(Z.std(axis=0) > 0, Z.std(axis=0), 1.0)
    Z = Z / spread
    n_chosen = (len(picks) + (0 if labeled is None else len(labeled))) / covers
    merit, covered = naive_similarity(Z, Z, n_chosen), np.zeros(len(Z))
    if labeled is not None:
        covered = naive_similarity(Z, labeled / spread, n_chosen).max(axis=0)
    for row in picks:
        gains = uncertainty * (np.maximum(merit - covered, 0.0) @ uncertainty)
        assert_allclose(gains[row], gains.max(), rtol=2e-6)
        covered = np.maximum(covered, merit[row])


def margin_uncertainty(proba):
    ordered = np.sort(proba, axis=1)
    return 1.0 - (ordered[:, -1] - ordered[:, -2])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_classes", [2, 5])
def test_each_pick_is_uncertain_and_adds_most_coverage_of_uncertain_rows(seed, n_classes):
    pool = FakePool(80, n_classes=n_classes, n_dims=3, n_labeled=9, seed=seed)
    picks = Auto().select(pool, 6)
    assert_greedy(picks, pool.embedding, pool.labeled.embedding, margin_uncertainty(pool.proba))


def test_a_row_that_is_certain_is_not_worth_covering():
    """Two clumps: the model is sure of the larger one."""
    rng = np.random.RandomState(0)
    Z = np.r_[rng.normal(size=(60, 2)), rng.normal(size=(20, 2)) + 20]
    proba = np.r_[np.full((60, 2), [1.0, 0.0]), np.full((20, 2), [0.6, 0.4])]
    picks = Auto().select(FakePool(80, n_labeled=0, embedding=Z, proba=proba), 8)
    assert (picks >= 60).all()


def test_a_model_that_is_sure_of_everything_says_nothing():
    Z = np.random.RandomState(0).normal(size=(50, 3))
    certain = FakePool(50, embedding=Z, proba=np.eye(3)[np.arange(50) % 3])
    assert_greedy(Auto().select(certain, 5), Z, certain.labeled.embedding, np.ones(50))


def test_it_starts_cold_by_coverage_of_the_pool():
    learner = ActiveLearner(LogisticRegression(), random_state=0)
    picks = learner.query(X, 10)
    assert_greedy(picks, X, None, np.ones(len(X)))
    assert len(np.unique(Y[picks])) >= 7


def test_decision_functions_give_uncertainty_too():
    for y in (Y, Y % 2):
        model = RidgeClassifier().fit(X[:50], y[:50])
        learner = ActiveLearner(RidgeClassifier(), random_state=0).fit(X[:50], y[:50])
        decision = model.decision_function(X[50:])
        if decision.ndim == 1:
            decision = np.column_stack([-decision, decision])
        proba = np.exp(decision) / np.exp(decision).sum(axis=1, keepdims=True)
        assert_greedy(learner.query(X[50:], 5), X[50:], X[:50], margin_uncertainty(proba))


def test_probabilities_are_preferred_to_a_decision_function():
    learner = ActiveLearner(LogisticRegression(), random_state=0).fit(X[:50], Y[:50])
    assert_greedy(
        learner.query(X[50:], 5), X[50:], X[:50], margin_uncertainty(learner.predict_proba(X[50:]))
    )


def test_a_regressor_has_no_uncertainty_so_it_covers_the_pool():
    learner = ActiveLearner(LinearRegression(), random_state=0).fit(X[:50], Y[:50] * 1.5)
    assert_greedy(learner.query(X[50:], 5), X[50:], X[:50], np.ones(250))


def test_units_of_measurement_do_not_matter():
    iris, y = load_iris(return_X_y=True)
    model = GaussianNB(var_smoothing=0)  # which does not mind units either
    first = ActiveLearner(model, random_state=0).fit(iris[::5], y[::5])
    units = np.array([1.0, 1000.0, 0.001, 60.0])
    second = ActiveLearner(model, random_state=0).fit(iris[::5] * units, y[::5])
    assert_array_equal(first.query(iris, 9), second.query(iris * units, 9))


def test_a_column_that_only_labeled_rows_vary_in_keeps_its_unit():
    """A constant that no float holds exactly has a spread of some 1e-18, by rounding."""
    Z = np.random.RandomState(0).normal(size=(80, 3))
    Z[:, 2] = -0.0258
    assert 0 < Z.std(axis=0)[2] < 1e-16
    pool = FakePool(80, n_labeled=9, n_dims=3, embedding=Z)
    centered = [rows - [0.0, 0.0, -0.0258] for rows in (Z, pool.labeled.embedding)]
    assert np.ptp(centered[1][:, 2]) > 1
    assert_greedy(Auto().select(pool, 6), *centered, margin_uncertainty(pool.proba))


def test_rows_that_coincide_are_chosen_by_margin():
    proba = np.random.RandomState(3).dirichlet(np.ones(3), size=40)
    pool = FakePool(40, embedding=np.ones((40, 3)), proba=proba)
    assert_array_equal(Auto().select(pool, 6), Margin().select(pool, 6))
    pool = FakePool(40, embedding=np.zeros((40, 3)), proba=proba)
    assert_array_equal(Auto().select(pool, 6), Margin().select(pool, 6))


class OfTexts(GaussianNB):
    """A model of texts by their length, that no transformer tells apart."""

    def fit(self, texts, y):
        return super().fit([[len(text)] for text in texts], y)

    def predict_proba(self, texts):
        return super().predict_proba([[len(text)] for text in texts])


def test_rows_without_an_embedding_are_chosen_by_margin_with_a_warning():
    texts = ["x" * n for n in range(1, 60)]
    y = [int(len(text) > 30) for text in texts]
    picks = []
    for strategy in (Margin(), None):
        learner = ActiveLearner(OfTexts(), strategy, random_state=0).fit(texts[::7], y[::7])
        if strategy is None:
            with pytest.warns(SkactiveWarning, match="by margin alone.*Pass embedder="):
                picks.append(learner.query(texts, 5))
        else:
            picks.append(learner.query(texts, 5))
    assert_array_equal(*picks)


def test_texts_in_a_pipeline_are_covered_as_they_are_weighted():
    texts = [f"{one} {two}" for one in "abcdefgh" for two in ("good film", "bad film", "so so")]
    y = [text.split()[1] == "good" for text in texts]
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression())
    learner = ActiveLearner(model, random_state=0)
    assert len(set(learner.query(texts, 6))) == 6
    learner.fit(texts[:6], y[:6])
    assert sparse.issparse(learner.estimator_[:-1].transform(texts))
    assert len(set(learner.query(texts, 6))) == 6


class Counting(TransformerMixin, BaseEstimator):
    """An embedder that counts the rows that it is asked to embed."""

    n_rows = 0

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        self.n_rows += len(X)
        return X


def test_of_a_large_pool_only_some_rows_are_embedded():
    large = np.random.RandomState(0).normal(size=(30_000, 4))
    y = (large[:, 0] > 0).astype(int)
    embedder = Counting()
    learner = ActiveLearner(LogisticRegression(), Auto(max_candidates=600), embedder=embedder)
    learner.fit(large[:20], y[:20]).query(large, 5)
    assert 600 <= embedder.n_rows <= 600 + 200 + 20 + 200


def test_a_large_pool_is_chosen_from_about_as_well_by_a_sample():
    """Coverage of uncertain rows by picks from a sample, from the whole pool and by chance."""
    rng = np.random.RandomState(0)
    large = np.concatenate([rng.normal(size=(2000, 2)) + 3 * rng.normal(size=2) for _ in range(5)])
    y = (large[:, 0] + large[:, 1] > 0).astype(int)
    start = rng.permutation(len(large))[:10]

    def measure_coverage(strategy):
        learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
        learner.fit(large[start], y[start])
        picks = learner.query(large, 20)
        uncertainty = margin_uncertainty(learner.predict_proba(large))
        near = cdist(large, np.r_[large[picks], large[start]], "sqeuclidean").min(axis=1)
        return uncertainty @ np.exp(-near / 0.5)

    whole, sample, chance = map(
        measure_coverage, (Auto(max_candidates=10_000), Auto(max_candidates=900), Random())
    )
    assert sample > 0.95 * whole > 1.1 * chance


def test_a_batch_may_be_larger_than_the_candidates():
    learner = ActiveLearner(SVC(), Auto(max_candidates=9), random_state=0).fit(X[:50], Y[:50])
    assert len(set(learner.query(X[50:], 200))) == 200


def test_the_deviation_of_a_regressor_is_its_uncertainty():
    pool = FakePool(300, allowed={"embedding", "std"})
    deviations = pool.std
    certain = np.argsort(deviations)[:250]
    picked = Auto().select(pool, 10)
    assert len(set(picked) & set(certain.tolist())) < 7  # 8.3 without a deviation
    tables = {"std": 1e6 * deviations, "embedding": pool.embedding}
    scaled = FakePool(**tables, allowed=pool._allowed)
    assert_array_equal(Auto().select(scaled, 10), picked)


def test_a_regressor_that_is_certain_of_all_rows_covers_the_pool():
    embedding = FakePool(60).embedding
    certain = FakePool(std=np.zeros(60), embedding=embedding, allowed={"embedding", "std"})
    ignorant = FakePool(embedding=embedding, allowed={"embedding", "X"})
    assert_array_equal(Auto().select(certain, 8), Auto().select(ignorant, 8))
