"""The base classes choose the best by score, in chunks, and warn if all rows tie."""

import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearner
from skactive.adapters import ModelAdapter
from skactive.exceptions import SelectionError, TiedScoresWarning
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.selectors import PowerTop, SoftmaxTop
from skactive.strategies import BALD, Margin, ScoreStrategy, Strategy
from skactive.testing import FakePool

LEVEL = FakePool(proba=np.full((6, 3), 1 / 3))


class FirstColumn(ScoreStrategy):
    """Scores rows by the first probability and remembers which rows it was asked about."""

    needs = frozenset({"proba"})
    rowwise = True

    def __init__(self, *, asked, selector=None):
        super().__init__(selector=selector)
        self.asked = asked

    def score(self, pool):
        self.asked.append(pool._raw()[:, 0].tolist())
        return pool.proba[:, 0]


class FirstColumnWhole(FirstColumn):
    rowwise = False


class OnlySelects(Strategy):
    def select(self, pool, batch_size):
        return np.arange(batch_size)


def test_the_bases_are_abstract():
    for base in (Strategy, ScoreStrategy):
        with pytest.raises(TypeError, match="abstract"):
            base()


def test_a_strategy_needs_nothing_but_select():
    strategy = OnlySelects()
    assert strategy.needs == frozenset()
    assert not strategy.randomized
    learner = ActiveLearner(LogisticRegression(), strategy)
    assert_array_equal(learner.query(np.zeros((4, 1)), 2), [0, 1])


def test_highest_scores_are_taken_best_first():
    proba = np.array([0.3, 0.9, 0.1, 0.8, 0.5])
    pool = FakePool(proba=np.column_stack([proba, 1 - proba]))
    assert_array_equal(FirstColumn(asked=[]).select(pool, 3), [1, 3, 4])


# -- ties --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 5])
def test_all_scores_equal_is_said_in_a_warning(batch_size):
    with pytest.warns(TiedScoresWarning, match="Margin scores all 6 rows of the pool the same"):
        positions = Margin().select(LEVEL, batch_size)
    assert len(set(positions.tolist())) == batch_size


def test_a_batch_of_the_whole_pool_has_no_choice_to_warn_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sorted(Margin().select(LEVEL, 6)) == list(range(6))


def test_one_row_that_differs_is_no_tie():
    proba = np.full((6, 2), 0.5)
    proba[4] = [0.4, 0.6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 4 not in Margin().select(FakePool(proba=proba), 5)


def test_a_single_tree_is_found_out_by_the_learner():
    X = np.arange(20.0)[:, None]
    learner = ActiveLearner(DecisionTreeClassifier(), Margin(), random_state=0)
    learner.fit(X, X[:, 0] > 9)
    with pytest.warns(TiedScoresWarning):
        assert len(learner.query(X, 3)) == 3


# -- the selector ------------------------------------------------------------------------------


def test_the_selector_gets_scores_batch_size_and_the_random_numbers_of_the_query():
    seen = []

    def lowest(scores, batch_size, random_state=None):
        seen.append((scores, random_state))
        return np.argsort(scores)[:batch_size]

    pool = FakePool()
    strategy = FirstColumn(asked=[], selector=lowest)
    assert strategy.randomized
    assert_array_equal(strategy.select(pool, 4), np.argsort(pool.proba[:, 0])[:4])
    ((scores, random_state),) = seen
    assert_array_equal(scores, pool.proba[:, 0])
    assert random_state is pool.random_state


def test_a_selector_is_set_by_its_name_as_a_search_would():
    learner = ActiveLearner(LogisticRegression(), Margin(selector=PowerTop()))
    learner.set_params(strategy__selector__beta=3)
    assert learner.strategy.selector.beta == 3
    copy = clone(learner).set_params(strategy__selector=SoftmaxTop(beta=7.0))
    assert copy.get_params()["strategy__selector__beta"] == 7.0
    assert learner.strategy.selector.beta == 3


def test_power_selector_draws_in_proportion_to_the_power_of_the_score():
    table = np.array([[0.75, 0.25], [0.9, 0.1]])  # margin scores 0.5 and 0.2
    pool = FakePool(proba=table)
    strategy = Margin(selector=PowerTop())
    strategy.set_params(selector__beta=2)
    n_seeds = 2000
    first = sum(
        strategy.select(pool.reordered(np.arange(2), query_seed=seed), 1)[0] == 0
        for seed in range(n_seeds)
    )
    share = 0.5**2 / (0.5**2 + 0.2**2)
    assert abs(first / n_seeds - share) < 4 * np.sqrt(share * (1 - share) / n_seeds)


def test_a_selector_that_cannot_be_called_is_refused_at_fit():
    learner = ActiveLearner(LogisticRegression(), Margin(selector="power"))
    with pytest.raises(ValueError, match="selector"):
        learner.fit(np.arange(4.0)[:, None], [0, 0, 1, 1])


# -- chunks ------------------------------------------------------------------------------------


def test_rowwise_scores_are_made_in_chunks_that_fit_the_working_memory():
    expected, asked = FakePool(100).proba[:, 0], []
    strategy = FirstColumn(asked=asked)
    with config_context(working_memory=0.002):  # 2 KiB: 21 rows of 4 x 3 float64
        assert_array_equal(strategy.score_in_chunks(FakePool(100)), expected)
    assert len(asked) == 5
    assert [row for rows in asked for row in rows] == list(range(100))
    assert max(map(len, asked)) * 4 * 3 * 8 <= 0.002 * 2**20


def test_scores_of_the_pool_as_a_whole_are_never_made_in_chunks():
    asked = []
    with config_context(working_memory=0.002):
        FirstColumnWhole(asked=asked).score_in_chunks(FakePool(100))
    assert asked == [list(range(100))]


def test_draws_count_in_the_size_of_the_chunks():
    sizes = []

    class Spy(BALD):
        def score(self, pool):
            sizes.append(pool.proba_samples().nbytes)
            return super().score(pool)

    expected = BALD().score(FakePool(100, n_draws=20))
    with config_context(working_memory=0.02):
        scores = Spy().score_in_chunks(FakePool(100, n_draws=20))
    assert_allclose(scores, expected, rtol=1e-12)
    assert len(sizes) > 1
    assert max(sizes) <= 0.02 * 2**20


class Lookup(ModelAdapter):
    """Reads a table of probabilities by the row's number."""

    classes = np.arange(10)

    def __init__(self, table):
        super().__init__(model=None)
        self.table = table

    def provides(self, reading):
        return reading == "proba"

    def proba(self, Z):
        return self.table[Z[:, 0]]


def test_margin_of_a_million_rows_takes_little_memory_over_its_table():
    n_rows = 10**6
    table = np.random.default_rng(0).random((n_rows, 10))
    table /= table.sum(axis=1, keepdims=True)
    two = np.sort(table, axis=1)[:, -2:]
    best = np.argsort(two[:, 1] - two[:, 0])[:100]
    pool = PoolView(np.arange(n_rows)[:, None], ReadingSource(Lookup(table)))
    tracemalloc.start()
    try:
        positions = Margin().select(pool, 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300e6
    assert_array_equal(np.sort(positions), np.sort(best))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(29), r"must return 30 numbers, got \(29,\)"),
        (np.zeros((30, 1)), r"got \(30, 1\)"),
        (np.r_[np.zeros(28), np.nan, np.inf], "finite numbers; 2 are not"),
    ],
)
def test_scores_that_cannot_be_right_are_refused(bad, message):
    class Fixed(ScoreStrategy):
        def score(self, pool):
            return bad

    with pytest.raises(SelectionError, match=message):
        Fixed().select(FakePool(30), 2)
