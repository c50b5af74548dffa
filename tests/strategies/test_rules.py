"""PerGroup and WithoutDuplicates: batches that keep a rule, against plain loops over all rows."""

import operator
import warnings
from math import log2

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner, SimulatedLearner
from skactive.exceptions import RelaxedRuleWarning, TiedScoresWarning, WaitingClassesWarning
from skactive.strategies import (
    BADGE,
    Auto,
    ClassBalanced,
    KCenterGreedy,
    KMeans,
    Margin,
    MaxHerding,
    PerGroup,
    Random,
    WithoutDuplicates,
)
from skactive.testing import FakePool, parametrize_with_strategy_checks

MOD_7 = operator.methodcaller("__mod__", 7)  # of the number of a row in a FakePool


@parametrize_with_strategy_checks(
    [
        PerGroup(KCenterGreedy(), groups=MOD_7),
        PerGroup(BADGE(), groups=MOD_7, max_per_group=2),
        PerGroup(WithoutDuplicates(Margin(), threshold=1.0), groups=MOD_7),
        WithoutDuplicates(Auto(), threshold=1.5),
        WithoutDuplicates(KMeans()),
        WithoutDuplicates(Random(), threshold=100.0),
        WithoutDuplicates(PerGroup(Margin(), groups=MOD_7), threshold=1.0),
    ]
)
def test_strategy(strategy, check):
    check(strategy)


INNER = [Margin(), KCenterGreedy(), MaxHerding(), KMeans(), BADGE(), Random(), Auto()]
each_inner = pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)


def group_by(labels):
    """Return a function of the rows of a FakePool, which are their numbers."""
    return lambda X: np.asarray(labels)[X[:, 0]]


def choose_greedily(order, batch_size, may_join):
    """Take rows in order, each if it may join those taken before."""
    batch = []
    for row in order:
        if len(batch) < batch_size and may_join(row, batch):
            batch.append(row)
    return batch


def sort_by_margin(pool):
    proba = np.sort(pool.proba, axis=1)
    return np.argsort(proba[:, -1] - proba[:, -2])


# -- PerGroup ----------------------------------------------------------------------------------


@pytest.mark.parametrize("max_per_group", [1, 2, 5])
@pytest.mark.parametrize("n_groups", [8, 40])
def test_the_best_rows_are_taken_while_their_group_is_not_full(n_groups, max_per_group):
    for seed in range(5):
        pool = FakePool(200, seed=seed)
        groups = np.random.default_rng(seed).integers(0, n_groups, 200)
        expected = choose_greedily(
            sort_by_margin(pool),
            8,
            lambda row, batch: (groups[batch] == groups[row]).sum() < max_per_group,  # noqa: B023
        )
        strategy = PerGroup(Margin(), groups=group_by(groups), max_per_group=max_per_group)
        assert_array_equal(strategy.select(pool, 8), expected)


@each_inner
def test_a_batch_is_one_answer_of_the_strategy_in_its_order(inner, spy):
    notes, groups = [], np.arange(60) // 4
    strategy = PerGroup(spy(inner, notes), groups=group_by(groups), max_per_group=2)
    for batch_size in (1, 8, 20, 30):
        notes.clear()
        picks = strategy.select(FakePool(60), batch_size)
        assert np.bincount(groups[picks]).max() <= 2
        assert [row for row in notes[-1][2] if row in picks] == picks.tolist()


@each_inner
def test_a_batch_that_keeps_the_rule_is_that_of_the_strategy_asked_once(inner, spy):
    notes, pool = [], FakePool(60)
    for strategy in (
        PerGroup(spy(inner, notes), groups=0),  # each row is a group
        WithoutDuplicates(spy(inner, notes)),
    ):
        notes.clear()
        picks = strategy.select(pool.reordered(np.arange(60)), 12)
        assert_array_equal(picks, inner.select(pool.reordered(np.arange(60)), 12))
        assert len(notes) == 1


@pytest.mark.parametrize("batch_size", [1, 16, 64, 128])
def test_the_strategy_is_asked_few_times_even_if_it_prefers_one_group_after_another(
    batch_size, by_number, spy
):
    notes, groups = [], np.arange(1024) // 8
    strategy = PerGroup(spy(by_number, notes), groups=group_by(groups))
    picks = strategy.select(FakePool(1024), batch_size)
    assert_array_equal(picks, np.arange(1023, 0, -8)[:batch_size])
    assert len(notes) <= 3 + log2(1024 / batch_size)
    assert {asked for _, asked, _ in notes[:2]} == {batch_size}  # only then for more


def test_rows_that_may_not_join_are_offered_once(by_number, spy):
    notes, copies = [], np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 50, axis=0)
    pool = FakePool(embedding=copies)
    for strategy in (
        PerGroup(spy(by_number, notes), groups=group_by(np.arange(1000) // 50)),
        WithoutDuplicates(spy(by_number, notes)),
    ):
        notes.clear()
        assert_array_equal(strategy.select(pool, 2), [999, 949])
        assert [(len(rows), asked) for rows, asked, _ in notes] == [(1000, 2), (951, 2)]
        assert notes[1][0][-2:] == [949, 999]


@pytest.mark.parametrize(
    ("sizes", "batch_size", "limit"),
    [([10, 10, 10], 7, 3), ([1, 1, 28], 7, 5), ([2, 2, 2], 6, 2), ([30], 4, 4)],
)
def test_too_few_groups_raise_the_maximum_to_the_smallest_that_is_enough(sizes, batch_size, limit):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    strategy = PerGroup(Margin(), groups=group_by(groups))
    with pytest.warns(RelaxedRuleWarning, match=f"from {len(sizes)} groups.*up to {limit} of a"):
        picks = strategy.select(FakePool(len(groups)), batch_size)
    assert np.bincount(groups[picks]).max() == limit
    assert len(set(picks.tolist())) == batch_size


def test_rows_without_a_group_are_alone():
    labels = ["a"] * 10 + [None, None, np.nan, np.nan, pd.NA]
    strategy = PerGroup(Margin(), groups=lambda X: [labels[row] for row in X[:, 0]])
    assert sorted(strategy.select(FakePool(15), 6))[1:] == [10, 11, 12, 13, 14]


def test_groups_may_be_tuples_columns_or_series():
    numbers = np.arange(30) // 3
    forms = [
        lambda X: [("eye", row) for row in X[:, 0] // 3],
        lambda X: X // 3,  # (n_rows, 1)
        lambda X: pd.Series(X[:, 0] // 3, dtype="category"),
        lambda X: (X[:, 0] // 3).astype(str),
    ]
    pool = FakePool(30)
    picks = [PerGroup(Margin(), groups=form).select(pool, 10).tolist() for form in forms]
    assert sorted(numbers[picks[0]]) == list(range(10))
    assert picks == picks[:1] * 4


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (lambda X: np.arange(7), "one label for each of the 30 rows, got 7"),
        (lambda X: np.ones((30, 2)), r"can be a key.*got \[1.0, 1.0\]"),
        (1, "no column 1 in a numpy.ndarray, which has 1 columns"),
        ("speaker", "no column 'speaker'"),
    ],
    ids=["too few", "two columns", "position", "name"],
)
def test_groups_that_cannot_be_read_are_an_error(groups, message):
    with pytest.raises(ValueError, match=message):
        PerGroup(Margin(), groups=groups).select(FakePool(30), 3)


def test_groups_of_frames_and_records_need_not_be_features():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X["patient"] = [f"p{row % 11}" for row in range(150)]
    by_columns = make_column_transformer(("passthrough", [0, 1, 2, 3]))
    for rows, labeled, features in (
        (X, X[::10], by_columns),
        (X.to_dict("records"), X[::10].to_dict("records"), DictVectorizer()),
    ):
        strategy = PerGroup(Margin(), groups="patient", max_per_group=2)
        model = make_pipeline(features, LogisticRegression(max_iter=1000))
        learner = ActiveLearner(model, strategy, random_state=0)
        picks = learner.fit(labeled, y[::10]).query(rows, batch_size=22)
        assert X["patient"].iloc[picks].value_counts().tolist() == [2] * 11


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"groups": 1.5}, "groups"),
        ({"groups": 0, "max_per_group": 0}, "max_per_group"),
        ({"groups": None}, "groups"),
    ],
)
def test_parameters_are_checked(parameters, name):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=500), PerGroup(Margin(), **parameters))
    with pytest.raises(ValueError, match=name):
        learner.fit(X, y)


# -- WithoutDuplicates -------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.9, 1.2])
@pytest.mark.parametrize("n_labeled", [0, 6])
def test_the_best_rows_are_taken_while_none_is_near(threshold, n_labeled):
    for seed in range(5):
        pool = FakePool(200, seed=seed, n_labeled=n_labeled)
        Z = pool.embedding
        if n_labeled:
            Z = np.concatenate([Z, pool.labeled.embedding])
        near = cdist(Z, Z) <= threshold
        near_labeled = near[:, 200:].any(axis=1)
        expected = choose_greedily(
            sort_by_margin(pool),
            12,
            lambda row, batch: not (near[row, batch].any() or near_labeled[row]),  # noqa: B023
        )
        strategy = WithoutDuplicates(Margin(), threshold=threshold)
        assert len(expected) == 12
        assert_array_equal(strategy.select(pool, 12), expected)


@each_inner
@pytest.mark.parametrize("batch_size", [5, 40])
def test_no_row_is_near_another_or_a_labeled_one(inner, batch_size, spy):
    Z = np.random.default_rng(0).uniform(size=(400, 2))
    notes, pool = [], FakePool(embedding=Z, n_labeled=9)
    picks = WithoutDuplicates(spy(inner, notes), threshold=0.06).select(pool, batch_size)
    batch, labeled = Z[picks], pool.labeled.embedding
    assert (cdist(batch, batch) + np.eye(batch_size)).min() > 0.06
    assert cdist(batch, labeled).min() > 0.06
    assert [row for row in notes[-1][2] if row in picks] == picks.tolist()
    assert len(notes) <= 3 + log2(400 / batch_size)


def test_copies_are_chosen_once_and_never_if_they_are_labeled():
    X, y = load_digits(return_X_y=True)
    copies = np.tile(X[:300], (4, 1))
    learner = ActiveLearner(LogisticRegression(max_iter=1000), WithoutDuplicates(Margin()))
    picks = learner.fit(X[:50], y[:50]).query(copies, batch_size=200) % 300
    assert len(set(picks.tolist())) == 200
    assert picks.min() >= 50


@pytest.mark.parametrize("batch_size", [4, 12, 30])
def test_the_best_of_the_rest_fill_a_batch_that_no_row_may_join(batch_size):
    pool = FakePool(30).reordered(np.repeat([4, 9, 17], 10))
    with pytest.warns(RelaxedRuleWarning, match=f"3 of {batch_size} rows.*{batch_size - 3} nearer"):
        picks = WithoutDuplicates(Margin()).select(pool, batch_size)
    order = [row // 10 for row in sort_by_margin(pool)]
    best = list(dict.fromkeys(order))
    assert [row // 10 for row in picks[:3]] == best
    rest = [copy for copy in best for _ in range(9)]
    assert [row // 10 for row in picks[3:]] == rest[: batch_size - 3]


def test_a_pool_that_is_all_labeled_is_left_to_the_strategy():
    pool = FakePool(30)
    with pytest.warns(RelaxedRuleWarning, match="found 0 of 5"):
        picks = WithoutDuplicates(Margin(), threshold=100.0).select(pool, 5)
    assert_array_equal(picks, Margin().select(pool, 5))


def test_the_last_rows_of_a_campaign_are_near_and_no_earlier_ones():
    X = np.random.default_rng(0).normal(size=(120, 2))
    y = (X[:, 0] > 0).astype(int)
    strategy = WithoutDuplicates(Margin(), threshold=0.3)
    learner = ActiveLearner(LogisticRegression(), strategy)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RelaxedRuleWarning)
        simulated = SimulatedLearner(learner, budget=120, batch_size=3, n_initial=3, random_state=0)
        queried = simulated.fit(X, y).queried_
    n_apart = 120 - 3 * len(caught)  # full batches come before the first that was filled up
    gaps = [cdist(X[queried[n : n + 1]], X[queried[:n]]).min() for n in range(3, n_apart)]
    assert 20 < n_apart < 100
    assert min(gaps) > 0.3


def test_chunks_do_not_matter_and_ties_of_few_candidates_do_not_warn():
    pool = FakePool(proba=np.repeat([[0.6, 0.4], [0.9, 0.1]], 15, axis=0))
    strategy = PerGroup(Margin(), groups=lambda X: X[:, 0] // 15, max_per_group=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TiedScoresWarning)
        picks = strategy.select(pool, 10)
    assert_array_equal(picks // 15, [0] * 5 + [1] * 5)
    with config_context(working_memory=0.001):
        assert_array_equal(strategy.select(pool.reordered(np.arange(30)), 10), picks)


def test_rules_need_what_they_read():
    assert PerGroup(BADGE(), groups=0).needs == BADGE().needs | {"X"}
    assert WithoutDuplicates(BADGE()).needs == BADGE().needs | {"embedding"}
    assert PerGroup(Random(), groups=0).randomized
    assert not WithoutDuplicates(ClassBalanced(Margin())).randomized


def test_rules_can_start_cold():
    X = load_iris().data  # with 35 different lengths of sepals, in column 0
    learner = ActiveLearner(LogisticRegression(), PerGroup(KMeans(), groups=0), random_state=0)
    assert len(set(X[learner.query(X, batch_size=20), 0])) == 20
    learner.set_params(strategy=WithoutDuplicates(KMeans(), threshold=0.6))
    batch = X[learner.query(X, batch_size=9)]
    assert (cdist(batch, batch) + np.eye(9)).min() > 0.6


# Learners that wait ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy", [PerGroup(Margin(), 2), WithoutDuplicates(PerGroup(Margin(), 2))], ids=str
)
def test_the_rule_holds_while_a_learner_waits_for_a_second_class(strategy):
    rows = np.c_[np.random.RandomState(0).normal(size=(40, 2)), np.arange(40) % 10]
    with pytest.warns(WaitingClassesWarning):
        learner = ActiveLearner(LogisticRegression(), strategy).fit(rows[:3], ["a"] * 3)
    assert len(set(rows[learner.query(rows, 10), 2])) == 10


class TextClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of texts that shows no features of them."""

    def fit(self, X, y):
        self.model_ = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.mark.filterwarnings("ignore:Auto chooses at random here")
def test_the_rule_holds_while_rows_have_no_features():
    texts = [f"{word} {i}" for i in range(5) for word in ("red", "green", "blue")]
    strategy = PerGroup(Margin(), lambda rows: [row.split()[0] for row in rows])
    with pytest.warns(WaitingClassesWarning):
        learner = ActiveLearner(TextClassifier(), strategy, random_state=0).fit(
            texts[:2], ["a", "a"]
        )
    picks = learner.query(texts, 3)
    assert {texts[row].split()[0] for row in picks} == {"red", "green", "blue"}


@pytest.mark.parametrize(("labels", "got"), [(None, "None"), (3, "3")])
def test_a_function_that_returns_no_labels_is_an_error(labels, got):
    strategy = PerGroup(Margin(), groups=lambda X: labels)
    with pytest.raises(ValueError, match=rf"one label for each of the 8 rows, got {got}: return a"):
        strategy.select(FakePool(8), 2)


@pytest.mark.parametrize("contain", [iter, lambda labels: csr_array(labels).T], ids=["iter", "csr"])
def test_a_function_may_return_an_iterator_or_a_sparse_column(contain):
    plain = PerGroup(Margin(), groups=lambda X: np.arange(len(X)) % 3)
    other = PerGroup(Margin(), groups=lambda X: contain((np.arange(len(X)) % 3).tolist()))
    assert_array_equal(other.select(FakePool(30), 3), plain.select(FakePool(30), 3))
