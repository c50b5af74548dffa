"""The cache of a campaign saves work between rounds and changes no result."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skactive import ActiveLearner, SimulatedLearner
from skactive.pool._state import CampaignCache, PoolIndex
from skactive.selectors._engine.nearest_centers import AllDistances, NearestCenters
from skactive.selectors._engine.points import PointSet
from skactive.strategies import (
    LCMD,
    FacilityLocation,
    KCenterGreedy,
    Margin,
    Prefilter,
    RankedBatch,
    RobustKCenterGreedy,
)

X, Y = make_blobs(160, n_features=3, centers=4, cluster_std=3.0, random_state=0)
WORDS = np.array(
    ["red", "green", "blue", "cat", "dog", "bird", "runs", "sleeps", "eats", "the", "a"]
)
TEXTS = [" ".join(np.random.RandomState(i).choice(WORDS, 60)) for i in range(160)]

STRATEGIES = [
    KCenterGreedy(),
    RobustKCenterGreedy(quantile=0.9),
    LCMD(),
    RankedBatch(),
    Prefilter(Margin(), KCenterGreedy(), factor=3),
    FacilityLocation(),
]
each_strategy = pytest.mark.parametrize(
    "strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__
)


def logistic(*steps):
    return (
        make_pipeline(*steps, LogisticRegression(max_iter=500)) if steps else LogisticRegression()
    )


def simulate(learner, rows=X, **params):
    params = {"budget": 19, "batch_size": 3, "n_initial": 10, "random_state": 0, **params}
    return SimulatedLearner(learner, **params).fit(rows, Y)


@pytest.fixture
def forgetful(monkeypatch):
    """Return a simulation without the cache."""

    def simulate_forgetfully(learner, rows=X, **params):
        query = ActiveLearner._query
        with monkeypatch.context() as context:
            context.setattr(
                ActiveLearner, "_query", lambda self, X, size, pool_index: query(self, X, size)
            )
            return simulate(learner, rows, **params)

    return simulate_forgetfully


CASES = {
    "rows as they are": (LogisticRegression(), X, None),
    "single precision": (logistic(), X.astype(np.float32), None),
    "a scaler refitted each round": (logistic(StandardScaler()), X, None),
    "a transformer that never changes": (logistic(FunctionTransformer(np.tanh)), X, None),
    "sparse rows": (logistic(), sparse.csr_array(np.maximum(X, 0)), None),
    "a frame": (logistic(), pd.DataFrame(X, columns=list("abc")), None),
    "texts": (logistic(HashingVectorizer(n_features=32)), TEXTS, None),
    "texts and an embedder": (logistic(TfidfVectorizer()), TEXTS, TfidfVectorizer()),
    "an embedder": (logistic(), X, PCA(2)),
    "a fitted embedder": (logistic(), X, PCA(2).fit(X[:50])),
}


@pytest.mark.no_cover
@each_strategy
@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_that_of_queries_by_themselves(strategy, case, forgetful):
    model, rows, embedder = CASES[case]
    learner = ActiveLearner(model, strategy, embedder=embedder)
    kept, plain = simulate(learner, rows), forgetful(learner, rows)
    np.testing.assert_array_equal(kept.queried_, plain.queried_)


@each_strategy
def test_the_answer_is_the_same_for_a_learner_that_learns_batch_by_batch(strategy, forgetful):
    learner = ActiveLearner(GaussianNB(), strategy, classes=range(4), incremental=True)
    np.testing.assert_array_equal(
        simulate(learner, budget=29, n_initial=20).queried_,
        forgetful(learner, budget=29, n_initial=20).queried_,
    )


@pytest.mark.no_cover
def test_a_round_costs_the_distances_to_the_new_labels_only(monkeypatch, forgetful):
    pairs, upper_bounds = [], PointSet.upper_bounds

    def count(self, block, rows, centers, which):
        pairs[-1] += (rows.stop - rows.start) * (which.stop - which.start)
        return upper_bounds(self, block, rows, centers, which)

    monkeypatch.setattr(PointSet, "upper_bounds", count)
    learner = ActiveLearner(logistic(), KCenterGreedy())
    for run in (simulate, forgetful):
        pairs.append(0)
        run(learner, budget=90, batch_size=1)
    assert pairs[0] == 160 * 89  # each label meets each row once; the last is not asked about
    assert pairs[1] > 20 * pairs[0]


def test_the_embedder_is_fitted_and_asked_once(forgetful):
    class Counting(TransformerMixin, BaseEstimator):
        calls = []  # noqa: RUF012

        def fit(self, X, y=None):
            Counting.calls.append("fit")
            self.fitted_ = True
            return self

        def transform(self, X):
            Counting.calls.append("transform")
            return np.asarray(X)

    simulate(ActiveLearner(logistic(), KCenterGreedy(), embedder=Counting()), budget=40)
    assert Counting.calls == ["fit", "transform"]
    forgetful(ActiveLearner(logistic(), KCenterGreedy(), embedder=Counting()), budget=40)
    assert len(Counting.calls) > 20


# The cache by itself ----------------------------------------------------------------------------


def index_pool(cache, labeled):
    labeled = np.asarray(labeled)
    return PoolIndex(cache, np.setdiff1d(np.arange(len(X)), labeled), labeled)


def nearest(labeled):
    rows = np.setdiff1d(np.arange(len(X)), labeled)
    return np.square(X[rows, None] - X[np.asarray(labeled)]).sum(axis=2).min(axis=1)


@pytest.mark.parametrize("kind", [NearestCenters, AllDistances])
def test_distances_follow_the_labels_also_where_some_are_taken_back(kind):
    cache = CampaignCache(X)
    cache.get_embedding(lambda: X)
    for labeled in ([3, 1], [3, 1, 9, 20], [1, 9], list(range(150))):
        pool_index = index_pool(cache, labeled)
        distances = cache.get_distances(kind, pool_index, X[pool_index.rows])
        squared = distances.refresh(np.arange(len(pool_index.rows)))
        np.testing.assert_allclose(squared, nearest(labeled), rtol=1e-9)


@pytest.mark.parametrize("kind", [NearestCenters, AllDistances])
def test_what_is_done_with_the_distances_does_not_last(kind):
    cache = CampaignCache(X)
    cache.get_embedding(lambda: X)
    pool_index = index_pool(cache, [3, 1])
    for _ in range(2):
        distances = cache.get_distances(kind, pool_index, X[pool_index.rows])
        np.testing.assert_allclose(
            distances.refresh(np.arange(len(pool_index.rows))), nearest([3, 1]), rtol=1e-9
        )
        distances.add_all(list(range(40)))
        distances.farthest_first(20, np.random.RandomState(0))


def test_distances_are_forgotten_when_the_embedding_changes():
    cache = CampaignCache(X)
    for scale in (1.0, 1.0, 2.0):
        pool_index = index_pool(cache, [3, 1])
        parts = [
            (pool_index.rows, scale * X[pool_index.rows]),
            (pool_index.labeled, scale * X[pool_index.labeled]),
        ]
        whole = cache.assemble_embedding(parts)
        np.testing.assert_array_equal(whole, scale * X)
        distances = cache.get_distances(NearestCenters, pool_index, parts[0][1])
        squared = distances.refresh(np.arange(len(pool_index.rows)))
        np.testing.assert_allclose(squared, scale**2 * nearest([3, 1]), rtol=1e-9)


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_an_embedding_that_is_what_it_was_is_the_same_object(as_rows):
    cache, rows = CampaignCache(X), as_rows(X)
    first = cache.assemble_embedding(
        [(np.arange(2, 160), rows[2:]), (np.array([1, 0]), rows[[1, 0]])]
    )
    second = cache.assemble_embedding(
        [(np.arange(3, 160), rows[3:]), (np.array([0, 1, 2]), rows[:3])]
    )
    assert second is first
    changed = X.copy()
    changed[0, 0] += 1e-9
    rows = as_rows(changed)
    third = cache.assemble_embedding(
        [(np.arange(3, 160), rows[3:]), (np.array([0, 1, 2]), rows[:3])]
    )
    assert third is not first
