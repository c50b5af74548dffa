"""The audit of a campaign: which rows it draws, when their labels are due, and how rows score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive._utils.seeding import derived_seed
from skactive.simulation._audit_sample import Audit, draw_audit_rows, row_scores

equal = np.testing.assert_array_equal


def make_audit(share, budget, n, taken, seed):
    """Return an audit of n rows whose labels have no costs."""
    return Audit(share, budget, np.ones(n, dtype=int), taken, seed)


# The draw ---------------------------------------------------------------------------------------


@given(
    share=st.floats(0.0, 0.999),
    n=st.integers(1, 300),
    whole=st.floats(0.0, 1.0),
    reserved=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_distinct_rows_are_drawn_from_those_not_taken(share, n, whole, reserved, seed):
    budget = max(1, round(whole * n))
    taken = np.random.RandomState(seed).permutation(n)[: round(reserved * n)]
    audit = make_audit(share, budget, n, taken, seed)
    assert len(set(audit.rows.tolist())) == len(audit.rows)
    assert set(audit.rows) <= set(range(n)) - set(taken)
    assert len(audit.rows) == min(round(share * budget), n - len(taken))
    assert audit.n_known == len(audit.scores) == 0


def test_where_no_rows_are_taken_all_may_be_drawn():
    drawn = [set(make_audit(0.5, 20, 20, None, seed).rows) for seed in range(20)]
    assert set.union(*drawn) == set(range(20))
    equal(make_audit(0.5, 20, 20, None, 3).rows, make_audit(0.5, 20, 20, np.array([], int), 3).rows)


def test_the_draw_follows_from_the_seed_and_from_nothing_else():
    before = np.random.get_state()
    one, again = (make_audit(0.3, 100, 500, None, 7).rows for _ in range(2))
    after = np.random.get_state()
    equal(one, again)
    equal(after[1], before[1])  # of NumPy's global generator
    assert after[2] == before[2]
    assert len({tuple(make_audit(0.3, 100, 500, None, seed).rows) for seed in range(50)}) == 50


def test_stored_sessions_rely_on_this_very_draw():
    """A session that is opened again must draw the rows that it drew before."""
    drawn = np.random.RandomState(derived_seed(7, 0xA0D1)).permutation(500)[:100]
    equal(draw_audit_rows(np.arange(500), 100, 7), drawn)
    equal(make_audit(0.2, 500, 500, None, 7).rows, drawn)


def test_a_larger_share_goes_on_with_the_same_draw():
    few, many = (make_audit(share, 100, 500, None, 7).rows for share in (0.1, 0.6))
    equal(many[:10], few)


def test_the_draw_tells_nothing_of_what_the_campaign_draws():
    """The start is the head of a permutation by the seed itself: they share rows by chance only."""
    n, k, n_seeds = 200, 50, 300
    shared = [
        len(np.intersect1d(make_audit(0.5, 100, n, None, seed).rows, start))
        for seed in range(n_seeds)
        for start in [np.random.RandomState(seed).permutation(n)[:k]]
    ]
    mean, variance = k * k / n, k * (k / n) * (1 - k / n) * (n - k) / (n - 1)  # hypergeometric
    assert abs(np.mean(shared) - mean) < 4 * np.sqrt(variance / n_seeds)
    assert 0.7 < np.var(shared) / variance < 1.4


def test_the_rows_come_in_random_order():
    firsts = [make_audit(0.5, 8, 8, None, seed).rows[0] for seed in range(800)]
    # Chi squared of 7 degrees: one in a thousand exceeds 24.3.
    assert np.sum((np.bincount(firsts, minlength=8) - 100.0) ** 2) / 100 < 24.3


# What is bought ---------------------------------------------------------------------------------

SHARES = st.floats(0.0, 0.999) | st.sampled_from([1e-9, 0.001, 0.5, 0.99, 0.9999])


@given(share=SHARES, budget=st.integers(1, 2000), steps=st.lists(st.integers(1, 50), max_size=20))
def test_the_share_is_kept_within_half_a_row_at_any_time(share, budget, steps):
    audit = make_audit(share, budget, budget, None, 0)
    n_to_learn, known = budget - len(audit.rows), 0
    for n_learned in np.cumsum(steps)[np.cumsum(steps) <= n_to_learn].tolist():
        audit.buy(n_learned, last=False)
        assert audit.n_known >= known
        known = audit.n_known
        assert known <= len(audit.rows)
        assert abs(known - share * (known + n_learned)) <= 0.5 + 1e-6
    audit.buy(n_to_learn, last=True)
    assert audit.n_known == len(audit.rows)
    assert abs(audit.n_known - share * budget) <= 0.5


@given(share=SHARES, n_learned=st.integers(0, 100), n=st.integers(1, 100))
def test_the_last_round_buys_all(share, n_learned, n):
    audit = make_audit(share, n, n, None, 0)
    audit.buy(n_learned, last=True)
    assert audit.n_known == len(audit.rows)


def test_no_share_buys_nothing():
    audit = make_audit(0.0, 100, 100, None, 0)
    for last in (False, True):
        audit.buy(100, last=last)
        assert (len(audit.rows), audit.n_known) == (0, 0)


def test_a_share_near_0_waits_for_a_row_to_be_due():
    audit = make_audit(0.01, 400, 400, None, 0)
    bought = []
    for n_learned in range(397):
        audit.buy(n_learned, last=False)
        bought.append(audit.n_known)
    assert [bought.index(n) for n in (1, 2, 3, 4)] == [50, 149, 248, 347]  # 99 apart
    audit.buy(0, last=False)
    assert audit.n_known == 0


def test_a_share_near_1_is_bought_in_large_lots():
    audit = make_audit(0.99, 1000, 1000, None, 0)
    for n_learned in range(10):
        audit.buy(n_learned, last=False)
        assert audit.n_known == 99 * n_learned
    audit.buy(10, last=False)
    assert audit.n_known == len(audit.rows) == 990


def test_no_more_is_bought_than_was_reserved():
    audit = make_audit(0.9, 100, 100, np.arange(95), 0)
    assert set(audit.rows) == {95, 96, 97, 98, 99}
    audit.buy(50, last=False)
    assert audit.n_known == 5


# Scores of rows ---------------------------------------------------------------------------------


class Says(BaseEstimator):
    """Predicts what it was told to."""

    def __init__(self, predicted):
        self.predicted = np.asarray(predicted)

    def predict(self, X):
        return self.predicted


class SaysClasses(ClassifierMixin, Says):
    pass


class SaysNumbers(RegressorMixin, Says):
    pass


ROWS = np.zeros((4, 1))


def floats(got, expected):
    assert got.dtype == np.float64
    equal(got, expected)


@pytest.mark.parametrize(
    ("predicted", "truth"),
    [
        ([0, 1, 2, 1], [0, 1, 1, 2]),
        (["u", "v", "w", "v"], ["u", "v", "v", "w"]),
        ([0, 1, 2, 1], np.array([[0], [1], [1], [2]])),
        ([0, 1, 2, 1], [0.0, 1.0, 1.0, 2.0]),
        ([True, False, True, False], [True, False, False, True]),
    ],
    ids=["numbers", "text", "a column", "whole floats", "booleans"],
)
def test_a_classifiers_rows_are_right_or_wrong(predicted, truth):
    floats(row_scores(SaysClasses(predicted), ROWS, truth), [1, 1, 0, 0])


def test_a_row_of_several_labels_is_right_where_all_of_them_are():
    predicted = [[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]]
    truth = [[0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]]
    floats(row_scores(SaysClasses(predicted), ROWS, truth), [1, 0, 1, 0])


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("predicted_column", [False, True])
def test_a_regressors_rows_score_minus_the_squared_error(column, predicted_column):
    predicted, truth = np.array([0.0, 1.0, 2.0, -1.0]), np.array([0.0, 3.0, 1.5, 1.0])
    model = SaysNumbers(predicted[:, None] if predicted_column else predicted)
    truth = truth[:, None] if column else truth
    floats(row_scores(model, ROWS, truth), [0.0, -4.0, -0.25, -4.0])


def test_two_targets_score_the_mean_over_them():
    predicted = [[0.0, 1.0], [2.0, 2.0], [0.0, 0.0], [1.0, -1.0]]
    truth = [[0.0, 1.0], [0.0, 2.0], [3.0, 1.0], [2.0, 1.0]]
    floats(row_scores(SaysNumbers(predicted), ROWS, truth), [0.0, -2.0, -5.0, -2.5])


def test_one_row_scores_too():
    floats(row_scores(SaysClasses(["u"]), ROWS[:1], ["v"]), [0])
    floats(row_scores(SaysNumbers([[1.0, 2.0]]), ROWS[:1], [[0.0, 0.0]]), [-2.5])


def test_a_learner_scores_as_its_model_does():
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(GaussianNB()).fit(X[::5], y[::5])
    scores = row_scores(learner, X, y)
    floats(scores, GaussianNB().fit(X[::5], y[::5]).predict(X) == y)
    assert scores.mean() == learner.score(X, y) < 1
    floats(row_scores(learner, X, y.tolist()), scores)
    model = LinearRegression().fit(X, X[:, :2] ** 2)
    learner = ActiveLearner(LinearRegression()).fit(X, X[:, :2] ** 2)
    errors = (model.predict(X) - X[:, :2] ** 2) ** 2
    np.testing.assert_allclose(row_scores(learner, X, X[:, :2] ** 2), -errors.mean(axis=1))
