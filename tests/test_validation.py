"""Checks of user input and of the output of strategies: valid values pass, messages help."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, _validation
from skactive._utils.seeding import draw_seed
from skactive._validation import (
    check_batch_size,
    check_classes,
    check_rows,
    check_same_features,
    check_selection,
    check_strategy,
)
from skactive.exceptions import PoolExhaustedError, SelectionError
from skactive.strategies import EPIG, Margin, Strategy

X, Y = load_iris(return_X_y=True)


class Fixed(Strategy):
    """Returns a fixed answer."""

    def __init__(self, answer=None):
        self.answer = answer

    def select(self, pool, batch_size):
        return self.answer


def ask(answer, batch_size=2):
    learner = ActiveLearner(GaussianNB(), Fixed(answer))
    return learner.fit(X[::10], Y[::10]).query(X, batch_size)


def test_all_is_sorted_and_importable():
    assert _validation.__all__ == sorted(_validation.__all__)
    assert all(callable(getattr(_validation, name)) for name in _validation.__all__)


# Rows -------------------------------------------------------------------------------------------


def test_rows_must_be_as_many_as_labels():
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[3, 2\]"):
        check_rows(X[:3], Y[:2])
    rows, labels = check_rows(X[:3], Y[:3].tolist())
    assert_array_equal(rows, X[:3])
    assert labels == [0, 0, 0]


def test_sparse_rows_become_csr():
    rows, _ = check_rows(sp.coo_array(X[:3]))
    assert rows.format == "csr"
    assert_array_equal(rows.toarray(), X[:3])


# Batch size -------------------------------------------------------------------------------------


@pytest.mark.parametrize("good", [1, 5, np.int64(3), np.uint8(2)])
def test_batch_size_is_a_whole_number_up_to_the_pool(good):
    checked = check_batch_size(good, 5)
    assert type(checked) is int
    assert checked == good


@pytest.mark.parametrize(
    ("bad", "kind"), [(True, "bool"), (2.0, "float"), ("2", "str"), (None, "NoneType")]
)
def test_batch_size_of_another_type_is_named(bad, kind):
    with pytest.raises(TypeError, match=f"integer, got {bad!r} of type {kind}"):
        check_batch_size(bad, 5)


@pytest.mark.parametrize("bad", [0, -3])
def test_batch_size_below_one_is_refused(bad):
    with pytest.raises(ValueError, match=f"at least 1, got {bad}"):
        check_batch_size(bad, 5)


@pytest.mark.parametrize("kind", [PoolExhaustedError, ValueError])
def test_batch_larger_than_the_pool_says_how_many_are_left(kind):
    with pytest.raises(kind, match=r"Asked for 6 rows .* 5 left: ask for at most 5"):
        check_batch_size(6, 5)


def test_query_checks_the_batch_size():
    learner = ActiveLearner(GaussianNB()).fit(X[::10], Y[::10])
    with pytest.raises(PoolExhaustedError, match="has 3 left"):
        learner.query(X[:3], 4)
    with pytest.raises(TypeError, match="an integer"):
        learner.query(X[:3], 1.0)


# A strategy's answer ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [[3, 0], (149, 7), np.array([1, 2], dtype=np.uint8)])
def test_distinct_positions_pass_in_their_order(answer):
    checked = ask(answer)
    assert checked.dtype == np.intp
    assert_array_equal(checked, answer)


def test_two_positions_are_two_positions_not_a_pair_of_results():
    assert ask([4, 9]).tolist() == [4, 9]
    with pytest.raises(SelectionError, match=r"must return 1 positions .* got shape \(2,\)"):
        ask([4, 9], batch_size=1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([5, 5], r"twice: \[5 5\]"),
        ([0, 150], r"in 0 \.\. 149, got 0 \.\. 150"),
        ([-1, 3], r"in 0 \.\. 149, got -1 \.\. 3"),
        ([1], r"return 2 positions .* got shape \(1,\)"),
        ([1, 2, 3], r"return 2 positions .* got shape \(3,\)"),
        ([], r"return 2 positions .* got shape \(0,\)"),
        (None, r"return 2 positions .* got shape \(\)"),
        ([[1], [2]], r"one dimension, got shape \(2, 1\)"),
        (([1, 2], [0.3, 0.2]), r"one dimension, got shape \(2, 2\)"),
        ([0.0, 1.0], "integers, got float64"),
        ([True, False], "integers, got bool"),
        (["a", "b"], "integers, got <U1"),
    ],
)
def test_answer_that_cannot_be_right_is_refused_with_what_was_got(answer, message):
    with pytest.raises(SelectionError, match=r"Fixed\.select .*" + message):
        ask(answer)
    with pytest.raises(ValueError):
        check_selection(answer, 2, 150, Fixed())


# The strategy itself ----------------------------------------------------------------------------


def test_strategy_class_instead_of_object_says_what_to_write():
    with pytest.raises(TypeError, match=r"the class Margin: write Margin\(\)"):
        check_strategy(Margin)


@pytest.mark.parametrize("bad", ["margin", 3, LogisticRegression()])
def test_what_cannot_select_is_no_strategy(bad):
    with pytest.raises(TypeError, match=r"select\(pool, batch_size\)"):
        check_strategy(bad)


def test_any_object_that_selects_is_a_strategy():
    check_strategy(type("Duck", (), {"select": lambda self, pool, batch_size: [0]})())


def test_hyper_parameters_are_checked():
    check_strategy(EPIG(n_targets=3))
    with pytest.raises(ValueError, match="'n_targets' parameter of EPIG"):
        check_strategy(EPIG(n_targets=0))


# Features ---------------------------------------------------------------------------------------


def same(known, X):
    check_same_features(known, X, "X_new")


@pytest.mark.parametrize(
    ("known", "X"),
    [
        (np.ones((3, 2)), np.zeros((1, 2))),
        (np.ones((3, 2)), sp.csr_array(np.ones((5, 2)))),
        (np.ones((3, 4, 4)), np.ones((1, 4, 4))),
        (np.array(["a"]), np.array(["b", "c"])),
        (["a"], ["b", "c"]),
        (["a"], np.array(["b", "c"])),
        (pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"a": [1.5], "b": ["x"]})),
        (pd.DataFrame({"a": [1], "b": [2]}), np.ones((1, 2))),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1, 2]})),
    ],
)
def test_same_features_pass(known, X):
    same(known, X)


@pytest.mark.parametrize(
    ("known", "X", "shapes"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), r"X_new .* \(4,\), but the labeled rows .* \(2,\)"),
        (np.ones((3, 2)), sp.csr_array((3, 4)), r"\(4,\).*\(2,\)"),
        (np.ones((3, 8, 8)), np.ones((3, 8, 9)), r"\(8, 9\).*\(8, 8\)"),
        (np.ones((3, 64)), np.ones((3, 8, 8)), r"\(8, 8\).*\(64,\)"),
        (np.ones((3, 2)), np.ones(3), r"\(\).*\(2,\)"),
        (pd.DataFrame({"a": [1], "b": [2]}), np.ones((1, 3)), r"\(3,\).*\(2,\)"),
    ],
)
def test_rows_of_another_shape_are_refused(known, X, shapes):
    with pytest.raises(ValueError, match=shapes + ".*same features"):
        same(known, X)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("columns", [["b", "a"], ["a", "c"], ["a"], ["a", "b", "c"]])
def test_other_or_reordered_columns_are_refused(frame, columns):
    new = frame({name: [1] for name in columns})
    with pytest.raises(ValueError) as caught:
        same(frame({"a": [1], "b": [2]}), new)
    message = str(caught.value)
    assert f"X_new has the columns {columns}, but the labeled rows have ['a', 'b']" in message
    assert "same columns in the same order" in message


def test_query_and_teach_check_features():
    learner = ActiveLearner(GaussianNB()).fit(X[::10], Y[::10])
    with pytest.raises(ValueError, match="X_pool has rows of shape"):
        learner.query(X[:, :3])
    with pytest.raises(ValueError, match="X has rows of shape"):
        learner.teach(X[:2, :3], Y[:2])
    assert len(learner.y_labeled_) == 15


# Classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "y", "expected"),
    [
        ([2, 0, 1], [1, 1], [0, 1, 2]),
        (("b", "a"), None, ["a", "b"]),
        (np.array([True, False]), [True], [False, True]),
        ([1, -1], np.array([-1, 1]), [-1, 1]),
        (pd.Series(["b", "aa"]), pd.Series(["aa"]), ["aa", "b"]),
    ],
)
def test_declared_classes_come_back_sorted(classes, y, expected):
    assert check_classes(classes, y).tolist() == expected


def test_classes_need_not_be_declared():
    assert check_classes(None, [1, 2]) is None


def test_class_declared_twice_is_refused():
    with pytest.raises(ValueError, match=r"distinct, got \[0, 1, 0\]"):
        check_classes([0, 1, 0], None)


@pytest.mark.parametrize(("classes", "y"), [([0, 1], [0, 5, 5]), (["a", "b"], ["a", "cc"])])
def test_undeclared_label_is_named_with_those_declared(classes, y):
    with pytest.raises(ValueError) as caught:
        check_classes(classes, y)
    assert f"does not declare: {[y[-1]]}; declared are {classes}" in str(caught.value)


def test_fit_and_teach_check_labels_before_anything_changes():
    learner = ActiveLearner(GaussianNB(), classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"does not declare: \[7\]"):
        learner.fit(X[:3], [0, 1, 7])
    learner.fit(X[::10], Y[::10])
    with pytest.raises(ValueError, match=r"does not declare: \[7\]"):
        learner.teach(X[:1], [7])
    assert len(learner.y_labeled_) == 15


# Seeds and parameters ---------------------------------------------------------------------------


def test_whole_number_is_the_seed_itself():
    assert draw_seed(17) == 17
    assert draw_seed(np.int64(17)) == 17
    assert type(draw_seed(np.int64(17))) is int


def test_none_draws_fresh_seeds_and_leaves_the_global_state_alone():
    before = np.random.get_state()
    seeds = {draw_seed(None) for _ in range(5)}
    after = np.random.get_state()
    assert len(seeds) == 5
    assert before[2] == after[2]
    assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_generator_is_drawn_from(make):
    generator = make(3)
    first, second = draw_seed(generator), draw_seed(generator)
    assert first != second
    assert (first, second) == tuple(map(draw_seed, [twin := make(3), twin]))
    assert 0 <= first < 2**32


@pytest.mark.parametrize("bad", ["0", 1.5, [1]])
def test_what_gives_no_seed_is_refused(bad):
    with pytest.raises(ValueError, match="integer >= 0 or a RandomState, got"):
        draw_seed(bad)
