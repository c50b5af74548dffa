"""Mixture, EpsilonGreedy, ClassBalanced, ClusterBalanced: shares, and parts that choose alone."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from runs import parametrize_runs
from scipy.stats import binom, chisquare
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import CapabilityError
from skactive.selectors import PowerTop
from skactive.strategies import (
    BALD,
    ClassBalanced,
    ClusterBalanced,
    Entropy,
    EpsilonGreedy,
    KCenterGreedy,
    KMeans,
    Margin,
    Mixture,
    Prefilter,
    Random,
    Subsample,
)
from skactive.strategies._mixture import assign_columns
from skactive.testing import FakePool, parametrize_with_strategy_checks


@parametrize_with_strategy_checks(
    [
        ClassBalanced(Margin()),
        ClassBalanced(Random()),
        EpsilonGreedy(Margin(), epsilon=0.5),
        EpsilonGreedy(KMeans(), epsilon=0.0),
        EpsilonGreedy(KCenterGreedy(), epsilon=1.0),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


def test_what_composed_strategies_need_and_whether_they_draw():
    assert Subsample(BALD()).needs == BALD.needs
    assert Prefilter(Margin(), KMeans()).needs == Margin.needs | KMeans.needs
    assert not Prefilter(Margin(), KCenterGreedy()).randomized
    assert Prefilter(Margin(), KMeans()).randomized
    assert Prefilter(Margin(selector=PowerTop()), KCenterGreedy()).randomized
    mixture = Mixture([("a", BALD()), ("b", KMeans())])
    assert mixture.needs == {"proba_samples", "embedding"}
    learner = ActiveLearner(SVC(), Subsample(Entropy()))
    with pytest.raises(CapabilityError, match="needs proba"):
        learner.fit([[0.0], [1.0]], [0, 1])


def test_a_composition_of_cold_starters_starts_cold():
    strategy = Subsample(Mixture([("a", KMeans()), ("b", Random())]), n_candidates=10)
    learner = ActiveLearner(LogisticRegression(), strategy, random_state=0)
    assert len(set(learner.query(np.random.RandomState(0).normal(size=(30, 2)), 6))) == 6


# -- Mixture -----------------------------------------------------------------------------------

SHARES = [
    None,
    [1, 1, 1],
    [0.8, 0.15, 0.05],
    [3, 2, 1],
    [1, 0, 2],
    (5, 1, 1),
    np.array([0.1, 0.2, 0.7]),
]


@pytest.fixture
def spied_mixture(by_number, spy):
    """Makes a mixture of three parts whose notes are kept."""

    def make(shares, parts=None):
        notes = [[], [], []]
        parts = parts or [by_number, Margin(), Random()]
        spies = [(name, spy(*pair)) for name, *pair in zip("abc", parts, notes, strict=True)]
        return Mixture(spies, shares=shares), notes

    return make


def counts_asked(notes):
    return np.array([sum(asked for _, asked, _ in part_notes) for part_notes in notes])


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("batch_size", [1, 2, 7, 10, 30])
def test_counts_are_within_one_of_the_shares_and_no_row_comes_twice(
    vary_seed, spied_mixture, shares, batch_size
):
    proportions = np.ones(3) if shares is None else np.asarray(shares, dtype=float)
    exact = proportions / proportions.sum() * batch_size
    for pool in vary_seed(FakePool(30), 25):
        mixture, notes = spied_mixture(shares)
        picks = mixture.select(pool, batch_size)
        assert len(set(picks.tolist())) == batch_size
        counts = counts_asked(notes)
        assert counts.sum() == batch_size
        assert (np.abs(counts - exact) < 1 + 1e-9).all()


@pytest.mark.parametrize("shares", [None, [0.8, 0.15, 0.05], [1, 0, 2]], ids=str)
@pytest.mark.parametrize("batch_size", [1, 3])
@parametrize_runs("n_seeds", 300, 1500)
def test_counts_are_right_on_average(vary_seed, spied_mixture, shares, batch_size, n_seeds):
    mixture, notes = spied_mixture(shares)
    for pool in vary_seed(FakePool(6), n_seeds):
        mixture.select(pool, batch_size)
    proportions = np.ones(3) if shares is None else np.asarray(shares)
    expected = proportions / proportions.sum() * batch_size
    # The count of a part is one of two neighboring whole numbers: a Bernoulli draw.
    part = expected % 1
    error = np.sqrt(part * (1 - part) / n_seeds)
    assert (np.abs(counts_asked(notes) / n_seeds - expected) <= 4 * error + 1e-9).all()


def test_a_share_of_zero_never_chooses(vary_seed, spied_mixture):
    for part in range(3):
        shares = np.ones(3)
        shares[part] = 0
        mixture, notes = spied_mixture(shares)
        for pool in vary_seed(FakePool(12), 100):
            mixture.select(pool, 1)
            mixture.select(pool, 7)
        assert notes[part] == []


def test_parts_choose_what_they_would_from_what_is_left(spied_mixture):
    pool = FakePool(30)
    mixture, notes = spied_mixture([1, 1, 1], [Margin(), Entropy(), KCenterGreedy()])
    picks = mixture.select(pool, 9)
    remaining = np.arange(30)
    expected = []
    for part, part_notes in zip([Margin(), Entropy(), KCenterGreedy()], notes, strict=True):
        alone = remaining[part.select(pool.reordered(remaining), 3)]
        assert part_notes == [(remaining.tolist(), 3, alone.tolist())]
        expected.append(alone)
        remaining = np.setdiff1d(remaining, alone)
    # They take turns: the first of each, the second of each, the third of each.
    assert_array_equal(picks, np.stack(expected, axis=1).ravel())


def test_turns_are_in_proportion_to_the_counts(spied_mixture):
    mixture, notes = spied_mixture([4, 2, 0])
    picks = mixture.select(FakePool(30), 6)
    (_, _, first), (_, _, second) = notes[0][0], notes[1][0]
    owner = ["a" if row in first else "b" for row in picks]
    assert_array_equal([row for row in picks if row in first], first)
    assert_array_equal([row for row in picks if row in second], second)
    for stop in range(1, 7):  # at no point is either ahead of its share by a row or more
        assert abs(owner[:stop].count("a") - stop * 4 / 6) < 1


def test_a_lone_row_stands_in_the_middle_of_the_batch(spied_mixture):
    mixture, notes = spied_mixture([5, 1, 0])
    picks = mixture.select(FakePool(30), 6)
    assert picks[3] == notes[1][0][2][0]


def test_a_batch_of_the_whole_pool(spied_mixture):
    mixture, _ = spied_mixture(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sorted(mixture.select(FakePool(10), 10)) == list(range(10))


def test_a_mixture_of_one_is_that_one():
    pool = FakePool(30)
    picks = Mixture([("only", Margin())], shares=[0.3]).select(pool, 7)
    assert_array_equal(picks, Margin().select(pool, 7))


def test_nested_parameters():
    mixture = Mixture([("margin", Margin()), ("audit", Random())], shares=[0.8, 0.2])
    params = mixture.get_params()
    assert {"strategies", "shares", "margin", "audit", "margin__selector"} <= params.keys()
    assert set(mixture.get_params(deep=False)) == {"strategies", "shares"}
    mixture.set_params(margin__selector=PowerTop(beta=2), shares=[1, 1])
    assert mixture.strategies[0][1].selector.beta == 2
    mixture.set_params(margin__selector__beta=5)
    copy = clone(mixture)
    copy.set_params(margin=Entropy())
    assert isinstance(copy.strategies[0][1], Entropy)
    assert [name for name, _ in copy.strategies] == ["margin", "audit"]
    assert isinstance(mixture.strategies[0][1], Margin)
    assert mixture.get_params()["margin__selector__beta"] == 5
    with pytest.raises(ValueError, match="Invalid parameter"):
        mixture.set_params(nobody=Margin())


def test_nested_parameters_through_the_learner():
    mixture = Mixture([("margin", Margin()), ("audit", Random())])
    learner = clone(ActiveLearner(LogisticRegression(), Subsample(mixture), random_state=0))
    learner.set_params(strategy__strategy__margin=KCenterGreedy(), strategy__n_candidates=3)
    assert isinstance(learner.strategy.strategy.strategies[0][1], KCenterGreedy)
    assert isinstance(mixture.strategies[0][1], Margin)


# -- EpsilonGreedy -----------------------------------------------------------------------------


def test_epsilon_zero_is_the_strategy_and_one_is_random(vary_seed, spy):
    pool = FakePool(30)
    greedy = EpsilonGreedy(Margin(), epsilon=0)
    assert_array_equal(greedy.select(pool, 6), Margin().select(pool, 6))
    assert not greedy.randomized
    notes, counts = [], np.zeros(10)
    for other in vary_seed(FakePool(10), 1500):
        picks = EpsilonGreedy(spy(Margin(), notes), epsilon=1).select(other, 1)
        counts[picks] += 1
    assert not notes
    assert chisquare(counts).pvalue > 1e-3


def test_epsilon_is_the_share_of_random_rows_of_each_place(vary_seed, spy):
    n_seeds, n_asked, explored = 2000, [], np.zeros(4)
    best = Margin().select(FakePool(60), 4)
    for other in vary_seed(FakePool(60), n_seeds):
        notes = []
        picks = EpsilonGreedy(spy(Margin(), notes), epsilon=0.25).select(other, 4)
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


@pytest.mark.no_cover
def test_random_rows_are_drawn_evenly_from_those_left(vary_seed):
    pool, counts = FakePool(8), np.zeros(8)
    best = Margin().select(pool, 1)[0]
    for other in vary_seed(pool, 3000):
        picks = EpsilonGreedy(Margin(), epsilon=0.5).select(other, 2)
        if (picks == best).sum() == 1 and picks[0] == best:
            counts[picks[1]] += 1
    assert counts[best] == 0
    # In second place is the next best row, or one at random.
    second = Margin().select(pool, 2)[1]
    others = np.setdiff1d(np.arange(8), [best, second])
    assert chisquare(counts[others]).pvalue > 1e-3
    assert counts[second] > counts[others].max()


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
        n_labels, n_remaining = np.array(counts), np.array(n_left)
        columns = assign_columns(n_labels, n_remaining, 6, rng)
        results.add(tuple(np.bincount(columns, minlength=3)))
        for column in columns:  # each slot goes to the rarest class that has rows left
            assert n_labels[column] == n_labels[n_remaining > 0].min()
            n_labels[column] += 1
            n_remaining[column] -= 1
    assert tuple(shares) in results
    assert len(results) <= 3


def test_turns_break_ties_by_chance():
    counts = np.zeros(3)
    for seed in range(900):
        rng = np.random.RandomState(seed)
        counts[assign_columns(np.array([4, 4, 4]), np.array([1, 9, 9]), 1, rng)[0]] += 1
    assert chisquare(counts).pvalue > 1e-3


def test_class_balanced_lets_the_strategy_choose_within_classes(spy):
    columns = np.arange(30) % 3
    pool, notes = FakePool(proba=one_hot(columns), n_labeled=4), []  # labels 0, 1, 2, 0
    picks = ClassBalanced(spy(KCenterGreedy(), notes)).select(pool, 5)
    assert_array_equal(np.bincount(columns[picks]), [1, 2, 2])
    for rows, n_asked, _ in notes:
        assert len(set(columns[rows])) == 1
        assert len(rows) == 10
        column = columns[rows[0]]
        chosen = KCenterGreedy().select(pool.take(np.array(rows)), n_asked)
        assert_array_equal(picks[columns[picks] == column], np.array(rows)[chosen])


def test_class_balanced_labels_come_out_balanced():
    X, y = load_iris(return_X_y=True)
    labeled = np.r_[0:30, 50:52, 100:102]
    model = LogisticRegression(max_iter=1000)
    learner = ActiveLearner(model, ClassBalanced(Margin()), random_state=0)
    learner.fit(X[labeled], y[labeled])
    pool = np.setdiff1d(np.arange(150), labeled)
    picked = pool[learner.query(X[pool], 24)]
    expected = np.bincount(learner.predict(X[picked]), minlength=3)
    assert_array_equal(expected, [0, 12, 12])


def test_class_balanced_counts_labels_of_any_kind():
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    labeled = np.r_[0:9, 50:53, 100:103]
    learner = ActiveLearner(
        LogisticRegression(max_iter=1000), ClassBalanced(Margin()), classes=["a", "b", "c", "d"]
    ).fit(X[labeled], names[labeled])
    picked = learner.query(X, 6)
    assert sorted(learner.predict(X[picked])) == ["a"] * 3 + ["b"] * 3


def test_class_balanced_without_labeled_rows():
    columns = np.repeat([0, 1, 2], [20, 4, 2])
    pool = FakePool(proba=one_hot(columns), n_labeled=0)
    picks = ClassBalanced(Random()).select(pool, 12)
    assert_array_equal(np.bincount(columns[picks]), [6, 4, 2])
    first_rounds = columns[picks[:6]].reshape(2, 3)
    assert_array_equal(np.sort(first_rounds, axis=1), [[0, 1, 2], [0, 1, 2]])


# -- mistakes are said at fit ------------------------------------------------------------------

X4, Y4 = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
TWO = [("a", Margin()), ("b", Random())]


@pytest.mark.parametrize(
    "shares",
    [[1], [1, 1, 1], [], [-1, 2], [0, 0], [np.nan, 1], [np.inf, 1], "ab", 0.5],
    ids=str,
)
def test_wrong_shares_are_refused_at_fit(shares):
    learner = ActiveLearner(LogisticRegression(), Mixture(TWO, shares=shares))
    with pytest.raises(ValueError, match="shares"):
        learner.fit(X4, Y4)


@pytest.mark.parametrize(
    ("strategies", "match"),
    [
        ([("a", Margin()), ("a", Random())], "not unique"),
        ([("a__b", Margin())], "must not contain __"),
        ([("shares", Margin())], "conflict"),
        ([], "at least one"),
        ({"a": Margin()}, "must be an instance of 'list'"),
    ],
    ids=["duplicate", "underscores", "conflict", "none", "dict"],
)
def test_wrong_names_are_refused_at_fit(strategies, match):
    learner = ActiveLearner(LogisticRegression(), Mixture(strategies))
    with pytest.raises(ValueError, match=match):
        learner.fit(X4, Y4)


def test_wrong_parts_of_a_mixture_are_refused_at_fit():
    learner = ActiveLearner(LogisticRegression(), Mixture([("a", Margin()), ("b", "random")]))
    with pytest.raises((TypeError, ValueError), match="random"):
        learner.fit(X4, Y4)


@pytest.mark.parametrize(
    "strategy",
    [
        Subsample(Margin(), n_candidates=0),
        Subsample("margin"),
        Prefilter(Random(), KMeans()),
        Prefilter(Margin(), KMeans(), factor=0.5),
        Mixture([("deep", Subsample(Margin(), n_candidates=-1))]),
        Subsample(Mixture(TWO, shares=[1])),
    ],
    ids=["candidates", "text", "no scores", "factor", "in a mixture", "mixture within"],
)
def test_wrong_parameters_are_refused_at_fit_however_deep(strategy):
    with pytest.raises(ValueError, match="must be"):
        ActiveLearner(LogisticRegression(), strategy).fit(X4, Y4)


def test_nested_compositions_map_their_rows_back_at_each_level(by_number, spy):
    inner = Prefilter(Margin(), Subsample(by_number, n_candidates=4), factor=3)
    pool, notes = FakePool(40), []
    mixture = Mixture([("first", spy(inner, notes)), ("second", by_number)])
    picks = mixture.select(pool, 4)
    assert_array_equal(picks[::2], notes[0][2])
    best = np.argsort(-Margin().score(pool))[:6]
    assert set(picks[::2]) <= set(best.tolist())
    assert_allclose(picks[1::2], np.setdiff1d(np.arange(40), picks[::2])[:-3:-1])


def test_clusters_get_equal_shares_whatever_their_sizes(vary_seed):
    sizes = [60, 25, 5]
    clusters = np.repeat([0, 1, 2], sizes)
    Z = 100.0 * np.eye(3)[clusters] + np.random.RandomState(0).normal(size=(90, 3))
    drawn = np.zeros(90)
    for pool in vary_seed(FakePool(embedding=Z, n_labeled=0), 200):
        picks = ClusterBalanced(n_clusters=3).select(pool, 12)
        assert_array_equal(np.bincount(clusters[picks]), [4, 4, 4])
        drawn[picks] += 1
    for cluster in range(3):  # within each, rows are drawn uniformly
        assert chisquare(drawn[clusters == cluster]).pvalue > 1e-3
    rest = ClusterBalanced(n_clusters=3).select(pool, 30)
    assert_array_equal(sorted(np.bincount(clusters[rest])), [5, 12, 13])  # all of the smallest


def test_clusters_with_labeled_rows_wait():
    Z = np.repeat([[0.0], [50.0], [100.0]], 20, axis=0) + np.random.RandomState(0).rand(60, 1)
    learner = ActiveLearner(SVC(), ClusterBalanced(3), random_state=0)
    learner.fit(Z[[0, 1, 2, 20, 21]], [0, 0, 0, 1, 1])
    picks = learner.query(Z, 4)
    assert_array_equal(np.bincount(picks // 20), [0, 1, 3])
    assert len(ClusterBalanced(50).select(FakePool(9), 9)) == 9


def test_a_balanced_start_of_a_simulation_reads_no_labels():
    X, y = load_iris(return_X_y=True)
    simulation = SimulatedLearner(
        ActiveLearner(LogisticRegression(max_iter=500), Margin()),
        budget=12,
        n_initial=9,
        initial_strategy=ClusterBalanced(3),
        random_state=0,
    ).fit(X, y)
    assert np.bincount(y[simulation.queried_[:9]]).min() >= 2
