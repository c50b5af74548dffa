"""Candidates: the rows that Subsample, Prefilter, SEALS and AnchorAL let a strategy choose from."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import chisquare
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.selectors import kmeans_plusplus
from skactive.strategies import (
    BADGE,
    SEALS,
    AnchorAL,
    ClassBalanced,
    Entropy,
    EpsilonGreedy,
    KCenterGreedy,
    KMeans,
    Margin,
    Prefilter,
    Random,
    Subsample,
)
from skactive.testing import FakePool, parametrize_with_strategy_checks


@parametrize_with_strategy_checks(
    [
        SEALS(Margin()),
        SEALS(Margin(), n_neighbors=2),
        SEALS(KMeans(), n_neighbors=2),
        AnchorAL(Margin(), n_anchors=1, n_candidates=8),
        AnchorAL(KCenterGreedy(), n_anchors=1, n_neighbors=3, n_candidates=8),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


COMPOSED = [
    lambda inner: SEALS(inner, n_neighbors=2),
    lambda inner: AnchorAL(inner, n_anchors=1, n_candidates=7),
    ClassBalanced,
    lambda inner: EpsilonGreedy(inner, epsilon=0.3),
]


@pytest.mark.parametrize("compose", COMPOSED)
def test_needs_parts_and_parameters_of_the_inner_strategy(compose):
    strategy = compose(BADGE())
    assert strategy.needs >= BADGE().needs
    assert strategy.parts() == [strategy.strategy]
    assert compose(Random()).randomized
    assert strategy.set_params(strategy=Margin()).strategy.needs == Margin().needs


@pytest.mark.parametrize("compose", COMPOSED)
def test_wrong_parameters_of_the_inner_strategy_are_found(compose):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=500), compose(Margin(selector=3)))
    with pytest.raises(ValueError, match="selector"):
        learner.fit(X, y)
    with pytest.raises(ValueError, match="strategy"):
        learner.set_params(strategy=compose(7)).fit(X, y)


# -- Subsample ---------------------------------------------------------------------------------


def test_subsample_answers_in_positions_of_the_full_pool(by_number, vary_seed, spy):
    for pool in vary_seed(FakePool(50), 20):
        notes = []
        picks = Subsample(spy(by_number, notes), n_candidates=8).select(pool, 3)
        ((drawn, batch_size, chosen),) = notes
        assert len(set(drawn)) == 8
        assert batch_size == 3
        assert_array_equal(picks, sorted(drawn)[:-4:-1])  # the three highest numbers drawn
        assert_array_equal(picks, chosen)


def test_subsample_draws_every_row_equally_often(by_number, vary_seed, spy):
    counts, notes = np.zeros(12), []
    for pool in vary_seed(FakePool(12), 1500):
        Subsample(spy(by_number, notes), n_candidates=5).select(pool, 1)
    for drawn, _, _ in notes:
        counts[drawn] += 1
    # Drawn without replacement, counts vary less than chi-square allows for: not too far off.
    assert chisquare(counts).pvalue > 1e-3
    assert len({tuple(drawn) for drawn, _, _ in notes}) > 500


@pytest.mark.parametrize(
    ("n_candidates", "batch_size", "n_drawn"), [(3, 7, 7), (9, 4, 9), (99, 4, 20)]
)
def test_subsample_draws_never_fewer_rows_than_the_batch(spy, n_candidates, batch_size, n_drawn):
    notes = []
    strategy = Subsample(spy(Margin(), notes), n_candidates=n_candidates)
    assert len(set(strategy.select(FakePool(20), batch_size))) == batch_size
    assert len(notes[0][0]) == n_drawn


def test_subsample_of_the_whole_pool_changes_nothing():
    pool = FakePool(30)
    for strategy in (Margin(), KCenterGreedy()):
        picks = Subsample(strategy).select(pool, 6)
        assert_array_equal(picks, strategy.select(pool, 6))


def test_subsample_of_a_shuffled_part_of_a_pool(by_number, spy):
    pool = FakePool(50).take(np.random.RandomState(3).permutation(50)[:20])
    notes = []
    picks = Subsample(spy(by_number, notes), n_candidates=6).select(pool, 2)
    assert_array_equal(pool._raw()[picks, 0], sorted(notes[0][0])[:-3:-1])


def test_subsample_asks_the_model_about_the_rows_drawn_only():
    class Counting(LogisticRegression):
        asked = 0

        def predict_proba(self, X):
            type(self).asked += len(X)
            return super().predict_proba(X)

    X, y = load_iris(return_X_y=True)
    strategy = Subsample(Margin(), n_candidates=10)
    learner = ActiveLearner(Counting(max_iter=1000), strategy, random_state=0).fit(X[::5], y[::5])
    Counting.asked = 0  # at `fit`, a few rows are predicted to see that it works
    picks = learner.query(X, 4)
    assert Counting.asked == 10
    assert len(set(picks)) == 4


# -- Prefilter ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "batch_size", "n_passed"), [(2, 4, 8), (1, 4, 4), (2.5, 3, 7), (10, 4, 30)]
)
def test_prefilter_offers_the_top_rows_only(spy, factor, batch_size, n_passed):
    pool, notes = FakePool(30), []
    picks = Prefilter(Margin(), spy(KCenterGreedy(), notes), factor=factor).select(pool, batch_size)
    ((offered, asked, chosen),) = notes
    best = np.argsort(-Margin().score(pool))[:n_passed]
    assert sorted(offered) == sorted(best)
    assert asked == batch_size
    assert_array_equal(picks, chosen)


def test_prefilter_maps_the_rows_back(by_number):
    pool = FakePool(30)
    best = np.argsort(-Margin().score(pool))[:8]
    picks = Prefilter(Margin(), by_number, factor=2).select(pool, 4)
    assert_array_equal(picks, np.sort(best)[:-5:-1])


def test_prefilter_with_factor_one_is_the_prefilter():
    pool = FakePool(30)
    picks = Prefilter(Entropy(), KMeans(), factor=1).select(pool, 5)
    assert sorted(picks) == sorted(Entropy().select(pool, 5))


def test_prefilter_scores_in_chunks_what_may_be(by_number):
    lengths = []

    class Spying(Margin):
        def score(self, pool):
            lengths.append(len(pool))
            return super().score(pool)

    with config_context(working_memory=0.002):
        Prefilter(Spying(), by_number).select(FakePool(100), 3)
    assert len(lengths) > 1
    assert sum(lengths) == 100


# -- SEALS -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_neighbors", "batch_size"), [(1, 1), (3, 2), (3, 8), (60, 2)])
def test_seals_offers_the_neighbors_of_labeled_rows(spy, n_neighbors, batch_size):
    pool, notes = FakePool(50), []
    labeled = pool.labeled.embedding
    distances = np.linalg.norm(pool.embedding[:, None] - labeled[None], axis=2)
    k = max(n_neighbors, batch_size)
    expected = np.unique(np.argsort(distances, axis=0)[:k])
    picks = SEALS(spy(Margin(), notes), n_neighbors=n_neighbors).select(pool, batch_size)
    assert [note[:2] for note in notes] == [(expected.tolist(), batch_size)]
    best = expected[Margin().select(pool.take(expected), batch_size)]
    assert_array_equal(picks, best)


def test_seals_asks_the_model_about_candidates_only():
    class Counting(LogisticRegression):
        asked = 0

        def predict_proba(self, X):
            type(self).asked += len(X)
            return super().predict_proba(X)

    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(Counting(max_iter=500), SEALS(Margin(), n_neighbors=4))
    learner.fit(X[::50], y[::50])
    X = X + np.random.RandomState(0).normal(scale=1e-3, size=X.shape)  # no ties
    Counting.asked = 0
    assert len(learner.query(X, 3)) == 3
    assert 4 <= Counting.asked <= 12


@pytest.mark.parametrize(("n_neighbors", "n_offered"), [(5, 5), (2, 3), (99, 20)])
def test_seals_starts_with_rows_at_random(vary_seed, spy, n_neighbors, n_offered):
    notes = []
    for pool in vary_seed(FakePool(20, n_labeled=0), 20):
        SEALS(spy(KMeans(), notes), n_neighbors=n_neighbors).select(pool, 3)
    assert {len(rows) for rows, _, _ in notes} == {n_offered}
    assert len({tuple(rows) for rows, _, _ in notes}) == (1 if n_offered == 20 else 20)


def test_seals_with_more_labeled_rows_than_pool():
    picks = SEALS(Margin(), n_neighbors=1).select(FakePool(6, n_labeled=90), 6)
    assert sorted(picks) == list(range(6))


def test_seals_where_all_rows_are_alike_offers_them_all(spy):
    notes, pool = [], FakePool(12, embedding=np.ones((12, 2)))
    SEALS(spy(Margin(), notes), n_neighbors=2).select(pool, 1)
    assert len(notes[0][0]) == 12


# -- AnchorAL ----------------------------------------------------------------------------------


def plain_candidates(pool, anchors, n_neighbors, n_candidates):
    """Mean cosine to the anchors that retrieve a row, from all pairs."""
    unit = pool.embedding / np.linalg.norm(pool.embedding, axis=1, keepdims=True)
    labeled = pool.labeled.embedding[anchors]
    cosines = unit @ (labeled / np.linalg.norm(labeled, axis=1, keepdims=True)).T
    retrieved = [[] for _ in range(len(pool))]
    for column in cosines.T:
        for row in np.argsort(-column)[:n_neighbors]:
            retrieved[row].append(column[row])
    scores = {
        row: np.mean(similarities) for row, similarities in enumerate(retrieved) if similarities
    }
    return sorted(sorted(scores, key=scores.get, reverse=True)[:n_candidates])


@pytest.mark.parametrize(("n_neighbors", "n_candidates"), [(3, 99), (10, 7), (99, 20), (2, 1)])
def test_anchoral_offers_the_rows_most_alike_to_anchors(spy, n_neighbors, n_candidates):
    pool, notes = FakePool(60, n_labeled=9), []
    strategy = AnchorAL(
        spy(Margin(), notes), n_anchors=99, n_neighbors=n_neighbors, n_candidates=n_candidates
    )
    picks = strategy.select(pool, 2)
    ((rows, _, _),) = notes
    expected = plain_candidates(pool, np.arange(9), n_neighbors, max(2, n_candidates))
    assert rows == expected
    assert set(picks) <= set(rows)


def test_anchoral_draws_anchors_in_each_class(vary_seed, spy):
    pool, notes = FakePool(60, n_labeled=20), []
    strategy = AnchorAL(spy(Margin(), notes), n_anchors=2, n_neighbors=4, n_candidates=5)
    for seed, other in enumerate(vary_seed(pool, 5)):
        strategy.select(other, 1)
        rng, anchors, y = np.random.RandomState(seed), [], pool.labeled.y
        for label in range(3):
            members = np.flatnonzero(y == label)
            drawn = kmeans_plusplus(pool.labeled.embedding[members], 2, random_state=rng)
            anchors += members[drawn].tolist()
        assert notes[-1][0] == plain_candidates(pool, sorted(anchors), 4, 5)
    assert len({tuple(rows) for rows, _, _ in notes}) > 1


def test_anchoral_gives_a_rare_class_its_share(spy):
    rng = np.random.RandomState(0)
    embedding = rng.normal([10, 0], 0.5, size=(200, 2))
    embedding[:10] = rng.normal([0, 10], 0.5, size=(10, 2))  # the rare class
    pool, notes = FakePool(embedding=embedding, n_labeled=40), []
    table = pool._source.adapter.tables["embedding"]
    table.flags.writeable = True
    y = np.arange(40) % 3
    table[200:] = np.where((y == 0)[:, None], [0, 10], [10, 0])
    strategy = AnchorAL(spy(Margin(), notes), n_anchors=3, n_neighbors=10)
    strategy.select(pool, 2)
    assert set(range(10)) <= set(notes[0][0])
    assert len(notes[0][0]) < 60


@pytest.mark.parametrize(("n_candidates", "n_offered"), [(5, 5), (2, 3), (99, 20)])
def test_anchoral_starts_with_rows_at_random(vary_seed, spy, n_candidates, n_offered):
    notes = []
    for pool in vary_seed(FakePool(20, n_labeled=0), 10):
        AnchorAL(spy(KMeans(), notes), n_candidates=n_candidates).select(pool, 3)
    assert {len(rows) for rows, _, _ in notes} == {n_offered}
    assert len({tuple(rows) for rows, _, _ in notes}) == (1 if n_offered == 20 else 10)


def test_anchoral_with_labels_of_any_kind():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    strategy = AnchorAL(Margin(), n_anchors=2, n_candidates=30)
    learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    assert len(set(learner.fit(X[::10], names[::10]).query(X, 7).tolist())) == 7


@pytest.mark.parametrize(
    ("strategy", "name"),
    [
        (SEALS(Margin(), n_neighbors=0), "n_neighbors"),
        (AnchorAL(Margin(), n_anchors=0), "n_anchors"),
        (AnchorAL(Margin(), n_neighbors=0), "n_neighbors"),
        (AnchorAL(Margin(), n_candidates=0), "n_candidates"),
        (EpsilonGreedy(Margin(), epsilon=1.5), "epsilon"),
    ],
)
def test_invalid_parameters_are_told_by_the_learner(strategy, name):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=name):
        ActiveLearner(LogisticRegression(max_iter=500), strategy).fit(X, y)
