"""Composition: rows mapped back to the pool, shares held, and parts that choose as if alone."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skactive import ActiveLearner
from skactive.exceptions import CapabilityError
from skactive.selectors import PowerTop
from skactive.strategies import (
    BALD,
    Entropy,
    KCenterGreedy,
    KMeans,
    Margin,
    Mixture,
    Prefilter,
    Random,
    ScoreStrategy,
    Strategy,
    Subsample,
)
from skactive.testing import FakePool


class ByNumber(ScoreStrategy):
    """Scores a row by its number in the whole pool: the last rows first."""

    needs = frozenset({"X"})

    def score(self, pool):
        return pool.X[:, 0].astype(float)


class Spy(Strategy):
    """Lets a strategy choose, and notes the rows offered, the number asked and the rows chosen."""

    def __init__(self, strategy, notes):
        self.strategy = strategy
        self.notes = notes

    @property
    def needs(self):
        return self.strategy.needs

    def select(self, pool, batch_size):
        picks = self.strategy.select(pool, batch_size)
        rows = pool._raw()[:, 0]
        self.notes.append((rows.tolist(), batch_size, rows[picks].tolist()))
        return picks


def seeds(pool, n_seeds):
    for seed in range(n_seeds):
        yield pool.reordered(np.arange(len(pool)), query_seed=seed)


# -- Subsample ---------------------------------------------------------------------------------


def test_subsample_answers_in_positions_of_the_full_pool():
    for pool in seeds(FakePool(50), 20):
        notes = []
        picks = Subsample(Spy(ByNumber(), notes), n_candidates=8).select(pool, 3)
        ((drawn, batch_size, chosen),) = notes
        assert len(set(drawn)) == 8
        assert batch_size == 3
        assert_array_equal(picks, sorted(drawn)[:-4:-1])  # the three highest numbers drawn
        assert_array_equal(picks, chosen)


def test_subsample_draws_every_row_equally_often():
    counts, notes = np.zeros(12), []
    for pool in seeds(FakePool(12), 1500):
        Subsample(Spy(ByNumber(), notes), n_candidates=5).select(pool, 1)
    for drawn, _, _ in notes:
        counts[drawn] += 1
    # Drawn without replacement, counts vary less than chi-square allows for: not too far off.
    assert chisquare(counts).pvalue > 1e-3
    assert len({tuple(drawn) for drawn, _, _ in notes}) > 500


@pytest.mark.parametrize(
    ("n_candidates", "batch_size", "n_drawn"), [(3, 7, 7), (9, 4, 9), (99, 4, 20)]
)
def test_subsample_draws_never_fewer_rows_than_the_batch(n_candidates, batch_size, n_drawn):
    notes = []
    strategy = Subsample(Spy(Margin(), notes), n_candidates=n_candidates)
    assert len(set(strategy.select(FakePool(20), batch_size))) == batch_size
    assert len(notes[0][0]) == n_drawn


def test_subsample_of_the_whole_pool_changes_nothing():
    pool = FakePool(30)
    for strategy in (Margin(), KCenterGreedy()):
        picks = Subsample(strategy).select(pool, 6)
        assert_array_equal(picks, strategy.select(pool, 6))


def test_subsample_of_a_shuffled_part_of_a_pool():
    pool = FakePool(50).take(np.random.RandomState(3).permutation(50)[:20])
    notes = []
    picks = Subsample(Spy(ByNumber(), notes), n_candidates=6).select(pool, 2)
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
    picks = learner.query(X, 4)
    assert Counting.asked == 10
    assert len(set(picks)) == 4


# -- Prefilter ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "batch_size", "n_passed"), [(2, 4, 8), (1, 4, 4), (2.5, 3, 7), (10, 4, 30)]
)
def test_prefilter_offers_the_top_rows_only(factor, batch_size, n_passed):
    pool, notes = FakePool(30), []
    picks = Prefilter(Margin(), Spy(KCenterGreedy(), notes), factor=factor).select(pool, batch_size)
    ((offered, asked, chosen),) = notes
    best = np.argsort(-Margin().score(pool))[:n_passed]
    assert sorted(offered) == sorted(best)
    assert asked == batch_size
    assert_array_equal(picks, chosen)


def test_prefilter_maps_the_rows_back():
    pool = FakePool(30)
    best = np.argsort(-Margin().score(pool))[:8]
    picks = Prefilter(Margin(), ByNumber(), factor=2).select(pool, 4)
    assert_array_equal(picks, np.sort(best)[:-5:-1])


def test_prefilter_with_factor_one_is_the_prefilter():
    pool = FakePool(30)
    picks = Prefilter(Entropy(), KMeans(), factor=1).select(pool, 5)
    assert sorted(picks) == sorted(Entropy().select(pool, 5))


def test_prefilter_scores_in_chunks_what_may_be():
    lengths = []

    class Spying(Margin):
        def score(self, pool):
            lengths.append(len(pool))
            return super().score(pool)

    with config_context(working_memory=0.002):
        Prefilter(Spying(), ByNumber()).select(FakePool(100), 3)
    assert len(lengths) > 1
    assert sum(lengths) == 100


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


def spied_mixture(shares, parts=None):
    """A mixture of three parts whose notes are kept."""
    notes = [[], [], []]
    parts = parts or [ByNumber(), Margin(), Random()]
    spies = [(name, Spy(part, kept)) for name, part, kept in zip("abc", parts, notes, strict=True)]
    return Mixture(spies, shares=shares), notes


def counts_asked(notes):
    return np.array([sum(asked for _, asked, _ in kept) for kept in notes])


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("batch_size", [1, 2, 7, 10, 30])
def test_counts_are_within_one_of_the_shares_and_no_row_comes_twice(shares, batch_size):
    proportions = np.ones(3) if shares is None else np.asarray(shares, dtype=float)
    exact = proportions / proportions.sum() * batch_size
    for pool in seeds(FakePool(30), 25):
        mixture, notes = spied_mixture(shares)
        picks = mixture.select(pool, batch_size)
        assert len(set(picks.tolist())) == batch_size
        counts = counts_asked(notes)
        assert counts.sum() == batch_size
        assert (np.abs(counts - exact) < 1 + 1e-9).all()


@pytest.mark.parametrize("shares", [None, [0.8, 0.15, 0.05], [1, 0, 2]], ids=str)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_counts_are_right_on_average(shares, batch_size):
    n_seeds = 1500
    mixture, notes = spied_mixture(shares)
    for pool in seeds(FakePool(6), n_seeds):
        mixture.select(pool, batch_size)
    proportions = np.ones(3) if shares is None else np.asarray(shares)
    expected = proportions / proportions.sum() * batch_size
    # The count of a part is one of two neighboring whole numbers: a Bernoulli draw.
    part = expected % 1
    error = np.sqrt(part * (1 - part) / n_seeds)
    assert (np.abs(counts_asked(notes) / n_seeds - expected) <= 4 * error + 1e-9).all()


def test_a_share_of_zero_never_chooses():
    for place in range(3):
        shares = np.ones(3)
        shares[place] = 0
        mixture, notes = spied_mixture(shares)
        for pool in seeds(FakePool(12), 100):
            mixture.select(pool, 1)
            mixture.select(pool, 7)
        assert notes[place] == []


def test_parts_choose_what_they_would_from_what_is_left():
    pool = FakePool(30)
    mixture, notes = spied_mixture([1, 1, 1], [Margin(), Entropy(), KCenterGreedy()])
    picks = mixture.select(pool, 9)
    left = np.arange(30)
    expected = []
    for part, kept in zip([Margin(), Entropy(), KCenterGreedy()], notes, strict=True):
        alone = left[part.select(pool.reordered(left), 3)]
        assert kept == [(left.tolist(), 3, alone.tolist())]
        expected.append(alone)
        left = np.setdiff1d(left, alone)
    # They take turns: the first of each, the second of each, the third of each.
    assert_array_equal(picks, np.stack(expected, axis=1).ravel())


def test_turns_are_in_proportion_to_the_counts():
    mixture, notes = spied_mixture([4, 2, 0])
    picks = mixture.select(FakePool(30), 6)
    (_, _, first), (_, _, second) = notes[0][0], notes[1][0]
    owner = ["a" if row in first else "b" for row in picks]
    assert_array_equal([row for row in picks if row in first], first)
    assert_array_equal([row for row in picks if row in second], second)
    for stop in range(1, 7):  # at no point is either ahead of its share by a row or more
        assert abs(owner[:stop].count("a") - stop * 4 / 6) < 1


def test_a_lone_row_stands_in_the_middle_of_the_batch():
    mixture, notes = spied_mixture([5, 1, 0])
    picks = mixture.select(FakePool(30), 6)
    assert picks[3] == notes[1][0][2][0]


def test_a_batch_of_the_whole_pool():
    mixture, _ = spied_mixture(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sorted(mixture.select(FakePool(10), 10)) == list(range(10))


def test_a_mixture_of_one_is_that_one():
    pool = FakePool(30)
    picks = Mixture([("only", Margin())], shares=[0.3]).select(pool, 7)
    assert_array_equal(picks, Margin().select(pool, 7))


def test_nested_parameters():
    mixture = Mixture([("doubt", Margin()), ("audit", Random())], shares=[0.8, 0.2])
    params = mixture.get_params()
    assert {"strategies", "shares", "doubt", "audit", "doubt__selector"} <= params.keys()
    assert set(mixture.get_params(deep=False)) == {"strategies", "shares"}
    mixture.set_params(doubt__selector=PowerTop(beta=2), shares=[1, 1])
    assert mixture.strategies[0][1].selector.beta == 2
    mixture.set_params(doubt__selector__beta=5)
    twin = clone(mixture)
    twin.set_params(doubt=Entropy())
    assert isinstance(twin.strategies[0][1], Entropy)
    assert [name for name, _ in twin.strategies] == ["doubt", "audit"]
    assert isinstance(mixture.strategies[0][1], Margin)
    assert mixture.get_params()["doubt__selector__beta"] == 5
    with pytest.raises(ValueError, match="Invalid parameter"):
        mixture.set_params(nobody=Margin())


def test_nested_parameters_through_the_learner():
    mixture = Mixture([("doubt", Margin()), ("audit", Random())])
    learner = clone(ActiveLearner(LogisticRegression(), Subsample(mixture), random_state=0))
    learner.set_params(strategy__strategy__doubt=KCenterGreedy(), strategy__n_candidates=3)
    assert isinstance(learner.strategy.strategy.strategies[0][1], KCenterGreedy)
    assert isinstance(mixture.strategies[0][1], Margin)


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


def test_nested_compositions_map_their_rows_back_at_each_level():
    inner = Prefilter(Margin(), Subsample(ByNumber(), n_candidates=4), factor=3)
    pool, notes = FakePool(40), []
    mixture = Mixture([("first", Spy(inner, notes)), ("second", ByNumber())])
    picks = mixture.select(pool, 4)
    assert_array_equal(picks[::2], notes[0][2])
    best = np.argsort(-Margin().score(pool))[:6]
    assert set(picks[::2]) <= set(best.tolist())
    assert_allclose(picks[1::2], np.setdiff1d(np.arange(40), picks[::2])[:-3:-1])
