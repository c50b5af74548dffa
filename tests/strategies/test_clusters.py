"""Strategies by clusters: what each hands to its selector, on known blobs and through models."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import entropy
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.selectors import kmeans_medoids
from skactive.selectors._clusters import cluster_margin, typiclust
from skactive.strategies import Margin
from skactive.strategies._clusters import CLUE, ClusterMargin, DropQuery, TypiClust, _drop_out
from skactive.testing import FakePool, parametrize_with_strategy_checks

STRATEGIES = [
    TypiClust(),
    TypiClust(max_clusters=2, n_neighbors=1),
    CLUE(),
    CLUE(temperature=0.1),
    ClusterMargin(),
    ClusterMargin(factor=2, epsilon=0.5),
    DropQuery(),
    DropQuery(n_samples=3),
]


@pytest.mark.no_cover
@parametrize_with_strategy_checks(STRATEGIES)
def test_strategy(strategy, check):
    check(strategy)


@pytest.mark.parametrize(
    "strategy",
    [
        TypiClust(max_clusters=0),
        TypiClust(n_neighbors=0),
        CLUE(temperature=0),
        ClusterMargin(factor=0.5),
        ClusterMargin(epsilon=0),
        DropQuery(n_samples=0),
    ],
)
def test_hyper_parameters_are_checked(strategy):
    learner = ActiveLearner(RandomForestClassifier(n_estimators=5), strategy)
    with pytest.raises(ValueError, match="must be"):
        learner.fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("as_rows", [np.asarray, np.float32, sparse.csr_array])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_through_a_learner(strategy, as_rows):
    X, y = load_iris(return_X_y=True)
    X = as_rows(X)
    model = RandomForestClassifier(n_estimators=10, random_state=0)
    learner = ActiveLearner(model, strategy, random_state=0).fit(X[::10], y[::10])
    assert len(np.unique(learner.query(X, 20))) == 20


# -- TypiClust ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_labeled", [0, 6, 90])
def test_typiclust_is_the_selector_on_pool_and_labeled_rows(n_labeled):
    pool = FakePool(40, n_labeled=n_labeled)
    labeled = pool.labeled.embedding if n_labeled else None
    options = {"max_clusters": 12, "n_neighbors": 3}
    expected = typiclust(pool.embedding, 9, labeled=labeled, random_state=0, **options)
    assert_array_equal(TypiClust(**options).select(pool, 9), expected)


def test_typiclust_finds_the_classes_from_nothing_and_then_those_without_a_label():
    X, y = load_digits(return_X_y=True)
    cold = ActiveLearner(LogisticRegression(), TypiClust(), random_state=0)
    assert len(np.unique(y[cold.query(X, 20)])) >= 9
    labeled = np.flatnonzero(y < 5)[:200]
    rest = np.setdiff1d(np.arange(len(X)), labeled)
    learner = ActiveLearner(LogisticRegression(max_iter=2000), TypiClust(), random_state=0)
    picked = y[rest[learner.fit(X[labeled], y[labeled]).query(X[rest], 20)]]
    assert np.mean(picked >= 5) > 0.7 > np.mean(y[rest] >= 5) + 0.1


def label_digits(strategy, n_rows, n_rubbish, seed, n_batches=6):
    """Label digits in batches of ten; return the rubbish rows labeled and the mean accuracy."""
    X, y = load_digits(return_X_y=True)
    X, rng = PCA(20, random_state=0).fit_transform(X / 16.0), np.random.RandomState(seed)
    order = rng.permutation(len(X))
    pool, test = order[:n_rows], order[n_rows:]
    rows = X[pool].copy()
    rubbish = rng.choice(n_rows, n_rubbish, replace=False)
    rows[rubbish] = rng.normal(size=(n_rubbish, 20)) * 2.5
    learner = ActiveLearner(LogisticRegression(max_iter=200), strategy, random_state=seed)
    known, scores = [], []
    for _ in range(n_batches):
        left = np.setdiff1d(np.arange(n_rows), known)
        known += left[learner.query(rows[left], 10)].tolist()
        scores.append(learner.fit(rows[known], y[pool[known]]).score(X[test], y[test]))
    return len(set(known) & set(rubbish)), np.mean(scores)


@pytest.mark.no_cover
@pytest.mark.parametrize(("n_rubbish", "limit", "gain"), [(12, 2, 0.03), (60, 15, 0.1)])
def test_typiclust_leaves_rubbish_until_last(n_rubbish, limit, gain):
    runs = [[], []]
    for seed in range(2):
        runs[0].append(label_digits(TypiClust(), 600, n_rubbish, seed))
        runs[1].append(label_digits(TypiClust(min_cluster_size=0), 600, n_rubbish, seed))
    (few, high), (many, low) = (np.mean(run, axis=0) for run in runs)
    assert few < limit < many
    assert high > low + gain


@pytest.mark.no_cover
def test_typiclust_visits_the_small_clusters_of_a_small_clean_pool():
    scores = [
        np.mean([label_digits(strategy, 300, 0, seed)[1] for seed in range(2)])
        for strategy in (TypiClust(), TypiClust(min_cluster_size=0))
    ]
    assert scores[0] > scores[1] - 0.01


# -- CLUE --------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.003, 4.0])
def test_clue_weighs_rows_by_the_entropy_of_tempered_probabilities(temperature):
    pool = FakePool(40, n_classes=4)
    powers = np.exp(np.log(pool.proba) / temperature)
    weights = entropy(powers / powers.sum(axis=1, keepdims=True), axis=1)
    strategy = CLUE(temperature=temperature)
    assert_allclose(strategy._compute_entropy(pool.proba), weights, atol=1e-12)
    expected = kmeans_medoids(pool.embedding, 7, weights=weights, random_state=0)
    assert_array_equal(strategy.select(pool, 7), expected)


def test_clue_prefers_the_uncertain_rows():
    rng = np.random.RandomState(0)
    proba = np.where(rng.rand(300, 1) < 0.2, 0.5, [[0.001, 0.999]])
    pool = FakePool(proba=proba, embedding=rng.normal(size=(300, 2)))
    uncertain = proba[:, 0] == 0.5
    assert uncertain[CLUE().select(pool, 20)].mean() > 0.5 > 2 * uncertain.mean()
    assert uncertain[CLUE(temperature=1e6).select(pool, 20)].mean() < 0.45


def test_clue_of_a_model_that_is_certain_everywhere_is_k_means():
    pool = FakePool(proba=np.eye(3)[np.arange(40) % 3])
    expected = kmeans_medoids(pool.embedding, 7, random_state=0)
    assert_array_equal(CLUE().select(pool, 7), expected)


# -- cluster margin ----------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "epsilon"), [(10, None), (2, 1.5)])
def test_cluster_margin_is_the_selector_on_margins(factor, epsilon):
    pool = FakePool(40)
    options = {"factor": factor, "epsilon": epsilon}
    margins = Margin().score(pool)
    expected = cluster_margin(pool.embedding, margins, 7, random_state=0, **options)
    picks = ClusterMargin(**options).select(pool, 7)
    assert_array_equal(picks, expected)
    ahead = [(margins > margins[pick]).sum() for pick in picks]
    assert max(ahead) < factor * 7


def test_cluster_margin_through_a_decision_function():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(SVC(), ClusterMargin(factor=2), random_state=0).fit(X[::6], y[::6])
    nearest = np.sort(learner.decision_function(X), axis=1)
    uncertainty = nearest[:, -2] - nearest[:, -1]
    ranks = np.argsort(np.argsort(-uncertainty, kind="stable"))
    assert (ranks[learner.query(X, 5)] < 10).all()


def test_cluster_margin_of_duplicates_takes_one_of_each():
    rng = np.random.RandomState(0)
    Z = np.repeat(rng.normal(size=(10, 3)), 10, axis=0)
    pool = FakePool(proba=np.full((100, 2), 0.5), embedding=Z)
    assert len(np.unique(Z[ClusterMargin().select(pool, 10)], axis=0)) == 10


# -- DropQuery ---------------------------------------------------------------------------------


def unstable_pool(n_unstable, n_rows=40):
    """A pool in which three of four draws contradict the prediction on the first rows."""
    proba = np.tile([0.6, 0.3, 0.1], (n_rows, 1))
    samples = np.stack([proba] * 4)
    samples[1:, :n_unstable] = [0.1, 0.2, 0.7]
    samples[3, n_unstable : 2 * n_unstable] = [0.1, 0.2, 0.7]  # one of four is not enough
    return FakePool(proba=proba, proba_samples=samples)


def test_drop_query_takes_the_medoids_of_the_rows_that_do_not_stand_up():
    pool = unstable_pool(15)
    expected = kmeans_medoids(pool.embedding[:15], 6, random_state=0)
    assert_array_equal(DropQuery().select(pool, 6), expected)


def test_half_of_the_draws_is_not_enough():
    pool = unstable_pool(15)
    picks = DropQuery(n_samples=2).select(pool, 6)  # no row has a majority: those of one half come
    assert set(picks) <= set(range(15))
    draws = pool.proba_samples().copy()
    draws[1, :15] = pool.proba[:15]
    half = FakePool(proba=pool.proba, proba_samples=draws, embedding=pool.embedding)
    more = DropQuery().select(half, 6)  # two of four on 15 rows, one of four on 15 others
    assert set(more) <= set(range(15))
    expected = kmeans_medoids(pool.embedding[:15], 6, random_state=0)
    assert not np.array_equal(more, expected)


@pytest.mark.parametrize("n_draws", [1, 2, 3, 4, 10])
def test_candidates_contradict_in_more_than_half_of_the_draws(n_draws):
    rng = np.random.RandomState(0)
    proba, draws = rng.dirichlet(np.ones(4), 250), rng.dirichlet(np.ones(4), size=(n_draws, 250))
    mismatch = (draws.argmax(axis=2) != proba.argmax(axis=1)).sum(axis=0)
    pool = FakePool(proba=proba, proba_samples=draws, embedding=rng.normal(size=(250, 4)))
    candidates = np.flatnonzero(mismatch > n_draws // 2)
    expected = candidates[kmeans_medoids(pool.embedding[candidates], 8, random_state=0)]
    assert_array_equal(DropQuery().select(pool, 8), expected)


def test_drop_query_fills_with_the_rows_of_the_least_consensus():
    picks = DropQuery().select(unstable_pool(5), 8)
    assert set(picks[:5]) == set(range(5))
    assert set(picks[5:]) <= set(range(5, 10))
    seeds = range(10)
    pools = [unstable_pool(5).reordered(np.arange(40), query_seed=seed) for seed in seeds]
    assert len({tuple(DropQuery().select(pool, 8)[5:]) for pool in pools}) > 5


def test_drop_query_of_a_forest():
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=20, random_state=0).fit(X[::10], y[::10])
    votes = np.array([tree.predict(X) for tree in forest.estimators_]).astype(int)
    against = (votes != forest.predict(X)).mean(axis=0)
    learner = ActiveLearner(forest, DropQuery(), prefit=True, random_state=0)
    n_candidates = int((against > 0.5).sum())
    picks = learner.fit(X[::10], y[::10]).query(X, n_candidates + 3)
    assert_allclose(np.sort(against[picks]), np.sort(against)[-len(picks) :])


def probe(kind, X):
    """A fitted linear probe, and the features that its last step takes."""
    y = load_digits().target[: X.shape[0]]
    if kind == "pipeline":
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(X, y)
        return model, model[:-1].transform(X), model[-1], y
    model = LogisticRegression(max_iter=300).fit(X, y)
    return model, X, model, y


@pytest.mark.parametrize("kind", ["rows", "pipeline"])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_drop_query_of_a_linear_probe_drops_features(kind, as_rows):
    if kind == "pipeline" and as_rows is not np.asarray:
        pytest.skip("a scaler that centers takes no sparse rows")
    X = as_rows(load_digits().data[:300])
    model, features, last, y = probe(kind, X)
    learner = ActiveLearner(model, DropQuery(n_samples=41), prefit=True, random_state=0)
    learner.fit(X[:100], y[:100])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picks = learner.query(X, 10)
    # Rows whose class stands up to most dropouts are not chosen.
    rng, n_trials = np.random.RandomState(1), 200
    dense = features.toarray() if sparse.issparse(features) else features
    predicted = last.predict(dense)
    against = np.mean(
        [
            last.predict(4 * dense * (rng.random_sample(dense.shape) < 0.25)) != predicted
            for _ in range(n_trials)
        ],
        axis=0,
    )
    assert against[picks].min() > 0.3
    assert against.mean() < (0.35 if kind == "pipeline" else 0.7)


def test_dropout_of_features_does_not_depend_on_chunks():
    X, y = load_digits(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=300), DropQuery(), random_state=0)
    learner.fit(X[:200], y[:200])
    for as_rows in (np.asarray, sparse.csr_array, pd.DataFrame):
        rows = as_rows(X[200:700])
        whole = learner.query(rows, 8)
        with config_context(working_memory=0.05):
            assert_array_equal(learner.query(rows, 8), whole)


def test_a_quarter_of_the_features_is_kept_four_times_as_large():
    rng = np.random.RandomState(0)
    X = rng.uniform(1, 2, size=(200, 300))
    for rows in (X, sparse.csr_array(X)):
        dropped = _drop_out(rows, np.random.RandomState(3))
        dropped = dropped.toarray() if sparse.issparse(dropped) else dropped
        kept = dropped != 0
        assert_allclose(dropped[kept], 4 * X[kept])
        assert 0.245 < kept.mean() < 0.255
        assert kept.any(axis=1).all()
        assert kept.any(axis=0).all()


def test_rows_that_are_no_table_are_refused_with_a_remedy_that_helps():
    texts, y = np.array(["a b", "b c", "c d", "d a"] * 5, dtype=object), np.arange(20) % 2

    class ByLength(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    embedder = CountVectorizer(token_pattern=".")
    learner = ActiveLearner(ByLength(), DropQuery(), embedder=embedder).fit(texts, y)
    with pytest.raises(CapabilityError, match="Pipeline whose first steps turn the rows"):
        learner.query(texts, 3)
    model = make_pipeline(embedder, LogisticRegression())
    assert len(ActiveLearner(model, DropQuery()).fit(texts, y).query(texts, 3)) == 3


class ByNumber(ClassifierMixin, BaseEstimator):
    """Takes rows of any kind, and predicts by the number of rows alone."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        n_rows = len(X["a"] if isinstance(X, dict) else X)
        return np.random.default_rng(0).dirichlet(np.ones(len(self.classes_)), n_rows)


ODD_ROWS = {
    "dates": np.arange(12).astype("datetime64[D]"),
    "periods": pd.DataFrame({"a": pd.period_range("2020", periods=12, freq="D")}),
    "records": [{"a": number} for number in range(12)],
    "ragged": [list(range(number % 3 + 1)) for number in range(12)],
    "images": np.zeros((12, 2, 2)),
    "inputs": {"a": np.zeros((12, 2)), "b": np.ones((12, 3))},
}


@pytest.mark.parametrize("rows", ODD_ROWS.values(), ids=ODD_ROWS)
def test_features_that_cannot_be_dropped_are_refused_with_what_to_do(rows):
    learner = ActiveLearner(ByNumber(), DropQuery(), random_state=0)
    learner.fit(rows, np.arange(12) % 2)
    with pytest.raises(CapabilityError, match="features of this model cannot be changed"):
        learner.query(rows, batch_size=3)
