"""Candidates: what SEALS, AnchorAL, ClassBalanced and EpsilonGreedy let a strategy choose from."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import binom, chisquare
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.selectors import kmeans_plusplus
from skactive.strategies import BADGE, KCenterGreedy, KMeans, Margin, Random, Strategy
from skactive.strategies._candidates import SEALS, AnchorAL
from skactive.strategies._mixture import ClassBalanced, EpsilonGreedy, _turns
from skactive.testing import FakePool, parametrize_with_strategy_checks


@parametrize_with_strategy_checks(
    [
        SEALS(Margin()),
        SEALS(Margin(), n_neighbors=2),
        SEALS(KMeans(), n_neighbors=2),
        AnchorAL(Margin(), n_anchors=1, n_candidates=8),
        AnchorAL(KCenterGreedy(), n_anchors=1, n_neighbors=3, n_candidates=8),
        ClassBalanced(Margin()),
        ClassBalanced(Random()),
        EpsilonGreedy(Margin(), epsilon=0.5),
        EpsilonGreedy(KMeans(), epsilon=0.0),
        EpsilonGreedy(KCenterGreedy(), epsilon=1.0),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


class Spy(Strategy):
    """Lets a strategy choose, and notes the rows offered and the number asked."""

    def __init__(self, strategy, notes):
        self.strategy = strategy
        self.notes = notes

    @property
    def needs(self):
        return self.strategy.needs

    @property
    def randomized(self):
        return self.strategy.randomized

    def select(self, pool, batch_size):
        self.notes.append((pool._raw()[:, 0].tolist(), batch_size))
        return self.strategy.select(pool, batch_size)


def seeds(pool, n_seeds):
    for seed in range(n_seeds):
        yield pool.reordered(np.arange(len(pool)), query_seed=seed)


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


# -- SEALS -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_neighbors", "batch_size"), [(1, 1), (3, 2), (3, 8), (60, 2)])
def test_seals_offers_the_neighbors_of_labeled_rows(n_neighbors, batch_size):
    pool, notes = FakePool(50), []
    known = pool.labeled.embedding
    distances = np.linalg.norm(pool.embedding[:, None] - known[None], axis=2)
    k = max(n_neighbors, batch_size)
    expected = np.unique(np.argsort(distances, axis=0)[:k])
    picks = SEALS(Spy(Margin(), notes), n_neighbors=n_neighbors).select(pool, batch_size)
    assert notes == [(expected.tolist(), batch_size)]
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
def test_seals_starts_with_rows_at_random(n_neighbors, n_offered):
    notes = []
    for pool in seeds(FakePool(20, n_labeled=0), 20):
        SEALS(Spy(KMeans(), notes), n_neighbors=n_neighbors).select(pool, 3)
    assert {len(rows) for rows, _ in notes} == {n_offered}
    assert len({tuple(rows) for rows, _ in notes}) == (1 if n_offered == 20 else 20)


def test_seals_with_more_labeled_rows_than_pool():
    picks = SEALS(Margin(), n_neighbors=1).select(FakePool(6, n_labeled=90), 6)
    assert sorted(picks) == list(range(6))


def test_seals_where_all_rows_are_alike_offers_them_all():
    notes, pool = [], FakePool(12, embedding=np.ones((12, 2)))
    SEALS(Spy(Margin(), notes), n_neighbors=2).select(pool, 1)
    assert len(notes[0][0]) == 12


# -- AnchorAL ----------------------------------------------------------------------------------


def plain_candidates(pool, anchors, n_neighbors, n_candidates):
    """Mean cosine to the anchors that retrieve a row, from all pairs."""
    unit = pool.embedding / np.linalg.norm(pool.embedding, axis=1, keepdims=True)
    known = pool.labeled.embedding[anchors]
    cosines = unit @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
    retrieved = [[] for _ in range(len(pool))]
    for column in cosines.T:
        for row in np.argsort(-column)[:n_neighbors]:
            retrieved[row].append(column[row])
    scores = {row: np.mean(found) for row, found in enumerate(retrieved) if found}
    return sorted(sorted(scores, key=scores.get, reverse=True)[:n_candidates])


@pytest.mark.parametrize(("n_neighbors", "n_candidates"), [(3, 99), (10, 7), (99, 20), (2, 1)])
def test_anchoral_offers_the_rows_most_alike_to_anchors(n_neighbors, n_candidates):
    pool, notes = FakePool(60, n_labeled=9), []
    strategy = AnchorAL(
        Spy(Margin(), notes), n_anchors=99, n_neighbors=n_neighbors, n_candidates=n_candidates
    )
    picks = strategy.select(pool, 2)
    ((rows, _),) = notes
    expected = plain_candidates(pool, np.arange(9), n_neighbors, max(2, n_candidates))
    assert rows == expected
    assert set(picks) <= set(rows)


def test_anchoral_draws_anchors_in_each_class():
    pool, notes = FakePool(60, n_labeled=20), []
    strategy = AnchorAL(Spy(Margin(), notes), n_anchors=2, n_neighbors=4, n_candidates=5)
    for seed, other in enumerate(seeds(pool, 5)):
        strategy.select(other, 1)
        rng, anchors, y = np.random.RandomState(seed), [], pool.labeled.y
        for label in range(3):
            members = np.flatnonzero(y == label)
            drawn = kmeans_plusplus(pool.labeled.embedding[members], 2, random_state=rng)
            anchors += members[drawn].tolist()
        assert notes[-1][0] == plain_candidates(pool, sorted(anchors), 4, 5)
    assert len({tuple(rows) for rows, _ in notes}) > 1


def test_anchoral_gives_a_rare_class_its_share():
    rng = np.random.RandomState(0)
    embedding = rng.normal([10, 0], 0.5, size=(200, 2))
    embedding[:10] = rng.normal([0, 10], 0.5, size=(10, 2))  # the rare class
    pool, notes = FakePool(embedding=embedding, n_labeled=40), []
    table = pool._source.adapter.tables["embedding"]
    table.flags.writeable = True
    y = np.arange(40) % 3
    table[200:] = np.where((y == 0)[:, None], [0, 10], [10, 0])
    strategy = AnchorAL(Spy(Margin(), notes), n_anchors=3, n_neighbors=10)
    strategy.select(pool, 2)
    assert set(range(10)) <= set(notes[0][0])
    assert len(notes[0][0]) < 60


@pytest.mark.parametrize(("n_candidates", "n_offered"), [(5, 5), (2, 3), (99, 20)])
def test_anchoral_starts_with_rows_at_random(n_candidates, n_offered):
    notes = []
    for pool in seeds(FakePool(20, n_labeled=0), 10):
        AnchorAL(Spy(KMeans(), notes), n_candidates=n_candidates).select(pool, 3)
    assert {len(rows) for rows, _ in notes} == {n_offered}
    assert len({tuple(rows) for rows, _ in notes}) == (1 if n_offered == 20 else 10)


def test_anchoral_with_labels_of_any_kind():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    strategy = AnchorAL(Margin(), n_anchors=2, n_candidates=30)
    learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    assert len(set(learner.fit(X[::10], names[::10]).query(X, 7).tolist())) == 7


# -- ClassBalanced -----------------------------------------------------------------------------


def one_hot(columns, n_classes=3):
    return np.eye(n_classes)[columns] * 0.8 + 0.2 / n_classes


@pytest.mark.parametrize(
    ("counts", "n_left", "shares"),
    [
        ([5, 5, 5], [9, 9, 9], [2, 2, 2]),
        ([5, 1, 5], [9, 9, 9], [1, 4, 1]),  # or one of these two more for class 1
        ([9, 1, 3], [9, 9, 9], [0, 4, 2]),
        ([9, 1, 3], [9, 0, 9], [0, 0, 6]),
        ([9, 1, 3], [9, 1, 1], [4, 1, 1]),
        ([0, 0, 0], [6, 0, 0], [6, 0, 0]),
    ],
)
def test_turns_fill_up_the_rarest_class(counts, n_left, shares):
    results = set()
    for seed in range(20):
        rng = np.random.RandomState(seed)
        counts_, left_ = np.array(counts), np.array(n_left)
        turns = _turns(counts_, left_, 6, rng)
        results.add(tuple(np.bincount(turns, minlength=3)))
        known = counts_.copy()
        for column in turns:  # each turn goes to the rarest class that has rows left
            assert known[column] == known[left_ > 0].min()
            known[column] += 1
            left_[column] -= 1
    assert tuple(shares) in results
    assert len(results) <= 3


def test_turns_break_ties_by_chance():
    counts = np.zeros(3)
    for seed in range(900):
        rng = np.random.RandomState(seed)
        counts[_turns(np.array([4, 4, 4]), np.array([1, 9, 9]), 1, rng)[0]] += 1
    assert chisquare(counts).pvalue > 1e-3


def test_class_balanced_lets_the_strategy_choose_within_classes():
    columns = np.arange(30) % 3
    pool, notes = FakePool(proba=one_hot(columns), n_labeled=4), []  # labels 0, 1, 2, 0
    picks = ClassBalanced(Spy(KCenterGreedy(), notes)).select(pool, 5)
    assert_array_equal(np.bincount(columns[picks]), [1, 2, 2])
    for rows, n_asked in notes:
        assert len(set(columns[rows])) == 1
        assert len(rows) == 10
        column = columns[rows[0]]
        chosen = KCenterGreedy().select(pool.take(np.array(rows)), n_asked)
        assert_array_equal(picks[columns[picks] == column], np.array(rows)[chosen])


def test_class_balanced_labels_come_out_balanced():
    X, y = load_iris(return_X_y=True)
    known = np.r_[0:30, 50:52, 100:102]
    model = LogisticRegression(max_iter=1000)
    learner = ActiveLearner(model, ClassBalanced(Margin()), random_state=0).fit(X[known], y[known])
    pool = np.setdiff1d(np.arange(150), known)
    picked = pool[learner.query(X[pool], 24)]
    expected = np.bincount(learner.predict(X[picked]), minlength=3)
    assert_array_equal(expected, [0, 12, 12])


def test_class_balanced_counts_labels_of_any_kind():
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    known = np.r_[0:9, 50:53, 100:103]
    learner = ActiveLearner(
        LogisticRegression(max_iter=1000), ClassBalanced(Margin()), classes=["a", "b", "c", "d"]
    ).fit(X[known], names[known])
    picked = learner.query(X, 6)
    assert sorted(learner.predict(X[picked])) == ["a"] * 3 + ["b"] * 3


def test_class_balanced_without_labeled_rows():
    columns = np.repeat([0, 1, 2], [20, 4, 2])
    pool = FakePool(proba=one_hot(columns), n_labeled=0)
    picks = ClassBalanced(Random()).select(pool, 12)
    assert_array_equal(np.bincount(columns[picks]), [6, 4, 2])
    first_rounds = columns[picks[:6]].reshape(2, 3)
    assert_array_equal(np.sort(first_rounds, axis=1), [[0, 1, 2], [0, 1, 2]])


# -- EpsilonGreedy -----------------------------------------------------------------------------


def test_epsilon_zero_is_the_strategy_and_one_is_random():
    pool = FakePool(30)
    greedy = EpsilonGreedy(Margin(), epsilon=0)
    assert_array_equal(greedy.select(pool, 6), Margin().select(pool, 6))
    assert not greedy.randomized
    notes, counts = [], np.zeros(10)
    for other in seeds(FakePool(10), 1500):
        picks = EpsilonGreedy(Spy(Margin(), notes), epsilon=1).select(other, 1)
        counts[picks] += 1
    assert not notes
    assert chisquare(counts).pvalue > 1e-3


def test_epsilon_is_the_share_of_random_rows_of_each_place():
    n_seeds, n_asked, explored = 2000, [], np.zeros(4)
    best = Margin().select(FakePool(60), 4)
    for other in seeds(FakePool(60), n_seeds):
        notes = []
        picks = EpsilonGreedy(Spy(Margin(), notes), epsilon=0.25).select(other, 4)
        count = notes[0][1] if notes else 0
        n_asked.append(count)
        greedy = np.isin(picks, best[:count])
        # The strategy's rows keep their order; the random ones lie between them.
        assert_array_equal(picks[greedy], best[:count])
        explored += ~greedy
        assert len(set(picks.tolist())) == 4
    expected = binom.pmf(np.arange(5), 4, 0.75) * n_seeds
    observed = np.bincount(n_asked, minlength=5)
    assert chisquare(observed, expected).pvalue > 1e-3
    assert np.abs(explored / n_seeds - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / n_seeds)


def test_random_rows_are_drawn_evenly_from_those_left():
    pool, counts = FakePool(8), np.zeros(8)
    best = Margin().select(pool, 1)[0]
    for other in seeds(pool, 3000):
        picks = EpsilonGreedy(Margin(), epsilon=0.5).select(other, 2)
        if (picks == best).sum() == 1 and picks[0] == best:
            counts[picks[1]] += 1
    assert counts[best] == 0
    # In second place is the next best row, or one at random.
    second = Margin().select(pool, 2)[1]
    others = np.setdiff1d(np.arange(8), [best, second])
    assert chisquare(counts[others]).pvalue > 1e-3
    assert counts[second] > counts[others].max()


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
