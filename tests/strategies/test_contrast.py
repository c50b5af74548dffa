"""Contrast: CAL, DAL and FALCUN against their definitions in plain loops."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import chisquare
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.exceptions import TiedScoresWarning
from skactive.scores import margin
from skactive.selectors import PowerTop
from skactive.selectors._falcun import falcun
from skactive.strategies._contrast import (
    ContrastiveAL,
    DiscriminativeAL,
    Falcun,
    _quantize,
    _split_batch,
)
from skactive.testing import FakePool, parametrize_with_strategy_checks


@pytest.mark.no_cover
@parametrize_with_strategy_checks(
    [
        Falcun(),
        Falcun(gamma=1),
        ContrastiveAL(),
        ContrastiveAL(n_neighbors=2, normalize=False),
        ContrastiveAL(selector=PowerTop()),
        DiscriminativeAL(),
        DiscriminativeAL(n_sub_batches=2),
        DiscriminativeAL(DecisionTreeClassifier(max_depth=2), n_sub_batches=3, n_unlabeled=None),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


# -- FALCUN ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0, 1, 10])
def test_falcun_draws_by_relevance_from_margins(vary_seed, gamma):
    for pool in vary_seed(FakePool(40), 5):
        rng = np.random.RandomState(pool._source.seed)
        expected = falcun(pool.proba, margin(pool.proba), 9, gamma=gamma, random_state=rng)
        assert_array_equal(Falcun(gamma=gamma).select(pool, 9), expected)


def test_falcun_spreads_a_batch_over_the_predictions(vary_seed):
    # Ten copies of each of two uncertain predictions, and many sure ones.
    proba = [[0.5, 0.5, 0]] * 10 + [[0, 0.5, 0.5]] * 10 + [[1, 0, 0]] * 30
    kinds = np.repeat([0, 1, 2], [10, 10, 30])
    for pool in vary_seed(FakePool(proba=proba), 20):
        assert sorted(kinds[Falcun().select(pool, 2)]) == [0, 1]


# -- CAL ---------------------------------------------------------------------------------------


def plain_divergence(pool, k, normalize):
    """Mean divergence of the k nearest labeled rows from each row, pair by pair."""
    labeled, scores = pool.labeled, []
    length = np.linalg.norm if normalize else (lambda z: 1.0)
    for z, p in zip(pool.embedding, pool.proba, strict=True):
        gaps = [np.linalg.norm(v / length(v) - z / length(z)) for v in labeled.embedding]
        nearest = np.argsort(gaps)[:k]
        q = labeled.proba[nearest]
        scores.append((q * np.log(q / p)).sum() / len(nearest))
    return np.array(scores)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("k", [1, 2, 5, 6, 10])
@pytest.mark.parametrize("n_labeled", [1, 6, 80])
def test_cal_is_the_mean_divergence_from_labeled_neighbors(k, n_labeled, normalize):
    pool = FakePool(25, n_classes=4, n_labeled=n_labeled)
    expected = plain_divergence(pool, k, normalize)
    strategy = ContrastiveAL(n_neighbors=k, normalize=normalize)
    assert_allclose(strategy.score(pool), expected, rtol=1e-9, atol=1e-12)
    assert_array_equal(strategy.select(pool, 4), np.argsort(-expected)[:4])


def test_cal_by_default_ignores_the_lengths_of_rows_and_takes_rows_of_zeros():
    Z = np.random.RandomState(0).normal(size=(30, 4))
    Z[3] = 0.0
    lengths = np.random.RandomState(1).uniform(0.01, 100, 30)[:, np.newaxis]
    scores = [ContrastiveAL().score(FakePool(embedding=rows)) for rows in (Z, lengths * Z)]
    assert np.isfinite(scores[0]).all()
    assert_allclose(scores[1], scores[0], rtol=1e-9, atol=1e-12)


def test_cal_in_chunks_is_cal_at_once_where_distances_tie():
    # Whole numbers: many labeled rows are just as near.
    embedding = np.random.RandomState(0).randint(0, 3, size=(60, 2)).astype(float)
    pool = FakePool(n_labeled=0, embedding=embedding)
    pool = FakePool(n_labeled=20, embedding=np.tile(embedding, (5, 1)))
    pool._source.adapter.tables["embedding"].flags.writeable = True
    pool._source.adapter.tables["embedding"][300:] = embedding[:20]
    expected = ContrastiveAL(n_neighbors=3).score(pool)
    with config_context(working_memory=0.002):
        chunks = ContrastiveAL(n_neighbors=3).score_in_chunks(pool)
    assert_allclose(chunks, expected, rtol=1e-12)


def test_cal_with_classes_ruled_out_is_finite_and_large():
    proba = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    pool = FakePool(proba=proba, n_labeled=1)
    table = pool._source.adapter.tables["proba"]
    table.flags.writeable = True
    table[3:] = [0.5, 0.5]
    scores = ContrastiveAL().score(pool)
    eps = np.finfo(float).eps
    assert scores[1] == 0
    assert_allclose(scores[[0, 2]], 0.5 * np.log(0.5) + 0.5 * np.log(0.5 / eps))


def test_cal_takes_rows_that_differ_from_their_neighbors():
    # Near the labeled row of class 0 lies one row that is predicted to be of class 1.
    pool = FakePool(
        proba=[[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8]],
        embedding=[[0.1, 0], [0, 0.1], [5, 5.1], [5.1, 5]],
        n_labeled=2,
    )
    tables = pool._source.adapter.tables
    for name, rows in {"proba": [[0.9, 0.1], [0.1, 0.9]], "embedding": [[0, 0], [5, 5]]}.items():
        tables[name].flags.writeable = True
        tables[name][4:] = rows
    strategy = ContrastiveAL(n_neighbors=1, normalize=False)
    assert_array_equal(strategy.select(pool, 1), [1])


def test_cal_without_labeled_rows_says_that_all_scores_tie():
    with pytest.warns(TiedScoresWarning):
        ContrastiveAL().select(FakePool(n_labeled=0), 3)


@pytest.mark.parametrize("strategy", [ContrastiveAL(n_neighbors=3), DiscriminativeAL()])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_as_dense_ones(strategy, kind):
    X, y = load_iris(return_X_y=True)
    X = np.where(X > 2, X, 0) + np.random.RandomState(0).uniform(0.1, 0.2, X.shape)  # no ties
    model = LogisticRegression(max_iter=1000)
    picks = [
        ActiveLearner(model, strategy, random_state=0)
        .fit(as_rows(X)[::10], y[::10])
        .query(as_rows(X), 10)
        for as_rows in (np.asarray, kind)
    ]
    assert_array_equal(*picks)


# -- DAL ---------------------------------------------------------------------------------------


def plain_dal(pool, batch_size, n_parts):
    """Retrain for each part, from the definition."""
    X, labeled, chosen = pool.embedding, pool.labeled.embedding, []
    for part in np.array_split(np.arange(batch_size), n_parts):
        remaining = [i for i in range(len(X)) if i not in chosen]
        rows = np.concatenate([labeled, X[chosen], X[remaining]])
        target = np.repeat([0, 1], [len(labeled) + len(chosen), len(remaining)])
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        unlabeled = model.fit(rows, target).predict_proba(X[remaining])[:, 1]
        chosen += [remaining[i] for i in np.argsort(-unlabeled)[: len(part)]]
    return chosen


@pytest.mark.parametrize("n_parts", [1, 3, 7])
def test_dal_retrains_between_parts(n_parts):
    pool = FakePool(60)
    picks = DiscriminativeAL(n_sub_batches=n_parts).select(pool, 7)
    assert_array_equal(picks, plain_dal(pool, 7, n_parts))


def test_dal_parts_matter():
    pool = FakePool(60)
    at_once, one_by_one = (DiscriminativeAL(n_sub_batches=n).select(pool, 8) for n in (1, 8))
    assert set(at_once) != set(one_by_one)


@pytest.mark.parametrize(
    ("batch_size", "n_parts", "sizes"),
    [(0, 3, []), (1, 10, [1]), (7, 3, [3, 2, 2]), (10, 10, [1] * 10), (4, 1, [4])],
)
def test_split_batch(batch_size, n_parts, sizes):
    assert _split_batch(batch_size, n_parts) == sizes


def test_dal_does_not_depend_on_the_unit_of_a_feature():
    pool = FakePool(60)
    scaled = FakePool(60)
    scaled._source.adapter.tables["embedding"] = pool._source.adapter.tables["embedding"] * [
        1e4,
        1e-4,
        1,
        1,
    ]
    strategy = DiscriminativeAL()
    assert_array_equal(strategy.select(scaled, 5), strategy.select(pool, 5))


def test_dal_leaves_the_labeled_corner():
    embedding = np.concatenate([np.zeros((20, 2)), np.full((20, 2), 9.0)])
    embedding += np.random.RandomState(0).normal(size=embedding.shape)
    pool = FakePool(embedding=embedding)  # the labeled rows lie around 0
    assert (DiscriminativeAL().select(pool, 3) >= 20).all()


def test_dal_starts_at_random(vary_seed):
    counts = np.zeros(8)
    for pool in vary_seed(FakePool(8, n_labeled=0), 800):
        counts[DiscriminativeAL().select(pool, 1)] += 1
    assert chisquare(counts).pvalue > 1e-3


def test_dal_goes_on_from_a_random_start(vary_seed):
    # Two far clusters: whichever the first row is of, the second row is of the other.
    embedding = np.concatenate([np.zeros((15, 2)), np.full((15, 2), 9.0)])
    embedding += np.random.RandomState(0).normal(size=embedding.shape)
    for pool in vary_seed(FakePool(embedding=embedding, n_labeled=0), 8):
        first, second = DiscriminativeAL().select(pool, 2) // 15
        assert first != second


def test_dal_trains_on_a_sample_and_scores_all():
    class Spy(ClassifierMixin, BaseEstimator):
        sizes, scored = [], []

        def fit(self, X, y):
            self.sizes.append((int((~y).sum()), int(y.sum())))
            return self

        def predict(self, X):
            raise AssertionError("labels are not asked for")

        def predict_proba(self, X):
            self.scored.append(len(X))
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    pool = FakePool(50)
    picks = DiscriminativeAL(Spy(), n_sub_batches=2, n_unlabeled=20).select(pool, 6)
    assert Spy.sizes == [(6, 20), (9, 20)]
    assert Spy.scored == [50, 47]
    assert_array_equal(picks, np.argsort(-pool.embedding[:, 0])[:6])


def test_dal_seeds_its_classifier(vary_seed):
    strategy = DiscriminativeAL(
        DecisionTreeClassifier(splitter="random", max_depth=3), n_sub_batches=1
    )
    pools = list(vary_seed(FakePool(60), 6))
    picks = [strategy.select(pool, 4).tolist() for pool in pools]
    again = [strategy.select(pool, 4).tolist() for pool in vary_seed(FakePool(60), 6)]
    assert picks == again
    assert len({tuple(p) for p in picks}) > 1


def test_dal_breaks_ties_between_equal_rows_by_the_seed(vary_seed):
    pool = FakePool(40).reordered(np.repeat([3, 7], 20))
    firsts = {int(DiscriminativeAL().select(p, 1)[0]) for p in vary_seed(pool, 30)}
    assert len(firsts) > 8
    assert len({first // 20 for first in firsts}) == 1


@pytest.mark.parametrize("level", [0.0, 5.0, -3e8])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_dal_scores_that_differ_by_rounding_tie(level, spread):
    values = level + spread * np.array([1.0, 1.0, 2.0, 3.0])
    values[1] = np.nextafter(np.nextafter(values[1], np.inf), np.inf)
    leveled = _quantize(values)
    assert leveled[0] == leveled[1] or level == spread == 0
    if spread:
        assert leveled[1] < leveled[2] < leveled[3]


def test_invalid_parameters_are_told_by_the_learner():
    X, y = load_iris(return_X_y=True)
    for strategy, name in [
        (Falcun(gamma=-1), "gamma"),
        (ContrastiveAL(n_neighbors=0), "n_neighbors"),
        (DiscriminativeAL(n_sub_batches=0), "n_sub_batches"),
        (DiscriminativeAL(classifier=3), "classifier"),
        (DiscriminativeAL(n_unlabeled=0), "n_unlabeled"),
    ]:
        with pytest.raises(ValueError, match=name):
            ActiveLearner(LogisticRegression(), strategy).fit(X, y)


def test_columns_that_no_row_uses_cost_no_memory():
    # A vector over all columns has 32 MiB, and the solver would keep some twenty.
    narrow = sparse.random_array((200, 50), density=0.2, rng=np.random.default_rng(0), format="csr")
    parts = (narrow.data, narrow.indices * 80_000, narrow.indptr)
    answers = []
    for X in (narrow, sparse.csr_array(parts, shape=(200, 2**22))):
        learner = ActiveLearner(DummyClassifier(), DiscriminativeAL(), random_state=0)
        learner.fit(X[:20], np.arange(20) % 2)
        tracemalloc.start()
        answers.append(learner.query(X[20:], batch_size=5))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2**22 * 8
    assert_array_equal(*answers)


def test_sparse_rows_without_any_entry_are_told_apart_by_chance():
    X = sparse.csr_array((30, 8))
    learner = ActiveLearner(DummyClassifier(), DiscriminativeAL(), random_state=0)
    learner.fit(X[:6], np.arange(6) % 2)
    assert len(set(learner.query(X[6:], batch_size=4).tolist())) == 4
