"""Refusals of what is not rows, with advice that works."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skactive._utils.inputs import InputList
from skactive._utils.row_checks import check_rows, check_same_features
from skactive._utils.rows import n_rows
from skactive._utils.stored_rows import StoredRows

X = np.arange(24.0).reshape(6, 4)
Y = np.arange(6)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("some text", r"single text.*\[X\]"),
        (b"bytes", r"single text.*\[X\]"),
        ({1, 2}, r"no order: pass sorted\(X\)"),
        ((i for i in range(3)), r"no positions: pass list\(X\)"),
        (map(str, [1]), r"no positions: pass list\(X\)"),
        ({}.values(), r"no positions: pass list\(X\)"),
        (3, "single value, 3"),
        (np.array(3.0), "single value"),
        (None, "None"),
        (len, "no container of rows"),
        (int, "no container of rows"),
        (object(), "no container of rows"),
    ],
)
def test_what_is_no_container_is_refused(rows, message):
    with pytest.raises(TypeError, match=message):
        check_rows(rows)


def test_a_lazy_frame_is_not_collected_by_its_check():
    lazy = pytest.importorskip("polars").DataFrame(X).lazy()
    checked, y = check_rows(lazy, range(6))
    assert isinstance(checked, StoredRows)
    assert n_rows(checked) == n_rows(y) == 6
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[6, 5\]"):
        check_rows(lazy, range(5))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "no inputs"),
        ({"u": X, "v": X[:2]}, "equally many rows, got 6 in 'u', 2 in 'v'"),
        ({"u": 1, "v": 2.5}, "Input 'u' of X is 1, not rows"),
        ({"u": X, "v": None}, "Input 'v' of X is None, not rows"),
        ({"text": "abc"}, "not rows"),
    ],
)
def test_inputs_have_equally_many_rows(inputs, message):
    with pytest.raises(ValueError, match=message):
        check_rows(inputs)


def test_a_set_among_inputs_is_refused_by_name():
    with pytest.raises(TypeError, match=r"X\['v'\] is a set"):
        check_rows({"u": X, "v": {1, 2}})


def test_sparse_inputs_become_csr():
    checked, _ = check_rows({"u": sp.coo_array(X), "v": X})
    assert checked["u"].format == "csr"
    assert checked["v"] is X


def test_lists_of_unequal_inputs_are_refused_with_both_counts():
    with pytest.raises(ValueError, match=r"\[2, 6\].*dict of arrays"):
        check_rows([X, X[:5]], Y)


def test_a_list_that_may_be_inputs_is_refused_and_both_remedies_work():
    u = np.zeros((300, 8))
    with pytest.raises(ValueError, match=r"2 arrays of 300 rows each.*dict of arrays.*numpy.stack"):
        check_rows([u, u])
    assert n_rows(check_rows({"u": u, "v": u})[0]) == 300
    assert n_rows(check_rows(np.stack([u, u]))[0]) == 2
    assert isinstance(check_rows([u, u], np.zeros(300))[0], InputList)


# One row -----------------------------------------------------------------------------------------

ONE_ROW = {  # one row, how to pass it, and it in that way
    "array": (X[1], r"X\[\[i\]\]", X[[1]]),
    "list": (X[1].tolist(), r"\[X\[i\]\]", [X[1].tolist()]),
    "frame": (pd.DataFrame(X).iloc[1], r"X\.iloc\[\[i\]\]", pd.DataFrame(X).iloc[[1]]),
    "inputs": ({"u": X[1], "v": X[2]}, r"values\[\[i\]\]", {"u": X[[1]], "v": X[[2]]}),
}


@pytest.mark.parametrize("kind", ONE_ROW)
@pytest.mark.parametrize("label", [1, "a", np.int64(1), [1], np.array([1])], ids=repr)
def test_one_row_with_one_label_is_refused_with_advice_that_works(kind, label):
    row, advice, rows = ONE_ROW[kind]
    with pytest.raises(ValueError, match=advice):
        check_rows(row, label)
    check_rows(rows, [label] if np.ndim(label) == 0 else label)


def test_one_row_as_a_pool_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"rows of shape \(\).*pass X_pool\[\[i\]\]"):
        check_same_features(X, X[1], "X_pool")
    with pytest.raises(ValueError, match=r"X_pool\.iloc\[\[i\]\]"):
        check_same_features(pd.DataFrame(X), pd.DataFrame(X).iloc[1], "X_pool")
    images = np.zeros((5, 3, 2, 2))
    with pytest.raises(ValueError, match=r"to pass one row, pass X_pool\[\[i\]\]"):
        check_same_features(images, images[0], "X_pool")


# The same features -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"u": X}, r"inputs \['u'\].*\['u', 'v'\]"),
        ({"u": X, "w": X}, r"inputs \['u', 'w'\].*\['u', 'v'\]"),
        ({"u": X, "v": X[:, :3]}, r"X_pool\['v'\] has rows of shape \(3,\)"),
        (X, "rows in a numpy.ndarray, but the labeled rows are a dict of 2 inputs"),
        (InputList([X, X]), "a list of 2 inputs, but the labeled rows are a dict of 2 inputs"),
    ],
)
def test_other_inputs_than_the_labeled_rows_have_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        check_same_features({"u": X, "v": X}, rows, "X_pool")


def test_inputs_in_another_order_are_the_same():
    check_same_features({"u": X, "v": X[:, :2]}, {"v": X[:, :2], "u": X}, "X_pool")


def test_columns_of_tables_and_of_structured_arrays_are_compared_by_name():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": X[:, 0], "b": X[:, 1]})
    check_same_features(table.slice(0, 2), table, "X_pool")
    with pytest.raises(ValueError, match=r"columns \['b', 'a'\].*have \['a', 'b'\]"):
        check_same_features(table, table.select(["b", "a"]), "X_pool")
    with pytest.raises(ValueError, match=r"columns \['b'\].*have \['a'\]"):
        check_same_features(np.zeros(2, [("a", int)]), np.zeros(2, [("b", int)]), "X_pool")
