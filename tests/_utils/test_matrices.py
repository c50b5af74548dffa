"""Rows become finite matrices; what makes none is refused."""

import datetime

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from skactive._utils.inputs import InputList
from skactive._utils.matrices import match_rows, to_matrix

pa = pytest.importorskip("pyarrow")
torch = pytest.importorskip("torch")

NUMBERS = np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 6.0]])


def test_several_inputs_are_put_side_by_side():
    images = np.arange(12.0).reshape(3, 2, 2)
    for X in ({"a": NUMBERS, "b": images}, InputList([NUMBERS, images])):
        assert_array_equal(to_matrix(X, "embedding"), np.c_[NUMBERS, images.reshape(3, 4)])


def test_inputs_are_sparse_if_any_is():
    matrix = to_matrix({"a": NUMBERS, "b": sp.coo_matrix(NUMBERS)}, "embedding")
    assert matrix.format == "csr"
    assert_array_equal(matrix.toarray(), np.c_[NUMBERS, NUMBERS])


@pytest.mark.parametrize("make", [np.asarray, lambda X: X.view(np.recarray)], ids=["plain", "rec"])
def test_fields_of_a_structured_array_are_columns(make):
    rows = np.zeros(3, [("a", "f8"), ("b", "i4", (2,))])
    rows["a"], rows["b"] = [0.5, 1.5, 2.5], [[1, 2], [3, 4], [5, 6]]
    assert_array_equal(to_matrix(make(rows), "embedding"), np.c_[rows["a"], rows["b"]])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int8])
def test_tensors_of_any_precision_are_numbers(dtype):
    assert_array_equal(to_matrix(torch.tensor(NUMBERS).to(dtype), "embedding"), NUMBERS)


def test_sparse_tensors_are_matrices():
    assert_array_equal(to_matrix(torch.tensor(NUMBERS).to_sparse(), "embedding"), NUMBERS)


def test_tables_are_matrices():
    table = pa.table({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1]})
    for X in (table, table.to_batches()[0]):
        assert_array_equal(to_matrix(X, "embedding"), NUMBERS)


def test_names_of_columns_may_repeat():
    assert_array_equal(to_matrix(pd.DataFrame(NUMBERS, columns=["a", "a"]), "embedding"), NUMBERS)


DAYS = pd.date_range("2020", periods=3)


@pytest.mark.parametrize(
    "X",
    [
        DAYS.to_numpy(),
        (DAYS - DAYS[0]).to_numpy()[:, np.newaxis],
        pd.DataFrame({"t": DAYS, "x": [1, 2, 3]}),
        pd.DataFrame({"t": DAYS.tz_localize("UTC")}),
        pd.DataFrame({"t": DAYS - DAYS[0]}),
        pd.DataFrame({"t": DAYS.to_period("D")}),
        pd.DataFrame({"t": pd.interval_range(0, 3)}),
        pd.DataFrame({"c": pd.Categorical(["a", "b", "a"])}),
        [datetime.date(2020, 1, day) for day in (1, 2, 3)],
        pa.table({"t": DAYS}),
        NUMBERS + 1j,
        torch.tensor(NUMBERS + 1j),
        [[1.0], [1.0, 2.0], [3.0]],
        [{"a": 1}, {"a": 2}],
        [object(), object()],
        [10**400, 1],
        np.ma.array(NUMBERS, mask=NUMBERS > 5),
        np.zeros((3, 0)),
        {"a": NUMBERS, "text": ["x", "y", "z"]},
    ],
    ids=lambda X: type(X).__name__,
)
def test_what_makes_no_matrix_is_refused(X):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        to_matrix(X, "embedding")


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(("dtype", "power"), [(np.float64, 200), (np.float32, 30)])
def test_values_whose_squares_overflow_are_refused_and_scaling_helps(make, dtype, power):
    from sklearn.preprocessing import MaxAbsScaler

    X = make((NUMBERS * (10.0**power / 6.0)).astype(dtype))
    with pytest.raises(ValueError, match=rf"as large as 1e\+{power}.*MaxAbsScaler"):
        to_matrix(X, "embedding")
    assert to_matrix(MaxAbsScaler().fit_transform(X), "embedding").shape == (3, 2)


def test_the_largest_values_that_are_allowed_have_finite_distances():
    limit = np.sqrt(np.finfo(float).max / 2) / 2
    X = to_matrix(np.array([[limit, limit], [-limit, -limit]]) * (1 - 1e-12), "embedding")
    assert np.isfinite(((X[0] - X[1]) ** 2).sum())
    with pytest.raises(ValueError, match="overflow"):
        to_matrix(np.array([[limit, limit]]) * (1 + 1e-12), "embedding")


def test_duplicates_and_stored_zeros_of_a_sparse_matrix_are_tidied_in_a_copy():
    data, columns = np.array([4.0, 1.0, 2.0, 0.0]), np.array([1, 0, 0, 2])
    X = sp.csr_matrix((data, columns, [0, 4]), shape=(1, 3))
    matrix = to_matrix(X, "embedding")
    assert_array_equal(matrix.indices, [0, 1])
    assert_array_equal(matrix.data, [3.0, 4.0])
    assert_array_equal(X.data, data)
    assert_array_equal(X.indices, columns)


# One kind of matrix ------------------------------------------------------------------------------

FORMS = {
    "dense": NUMBERS,
    "single": NUMBERS.astype(np.float32),
    "csr matrix": sp.csr_matrix(NUMBERS),
    "csr array, single": sp.csr_array(NUMBERS.astype(np.float32)),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_take_the_form_of_other_rows(form):
    like = FORMS[form]
    others = [*FORMS.values(), sp.coo_array(NUMBERS), sp.csc_matrix(NUMBERS), NUMBERS.astype(int)]
    for X in others:
        matched = match_rows(X, like)
        assert type(matched) is type(like)
        assert (matched.dtype == np.float32) == (like.dtype == np.float32)
        assert_array_equal(matched.toarray() if sp.issparse(matched) else matched, NUMBERS)


def test_rows_of_the_same_form_are_not_copied():
    for like in FORMS.values():
        assert match_rows(like, like) is like


def test_each_input_takes_the_form_of_its_own():
    matched = match_rows({"a": NUMBERS, "b": NUMBERS}, {"b": NUMBERS, "a": sp.csr_array(NUMBERS)})
    assert sp.issparse(matched["a"])
    assert matched["b"] is NUMBERS


def test_what_are_no_numbers_stays_as_it_is():
    texts = ["a", "b"]
    assert match_rows(texts, sp.csr_array(NUMBERS)) is texts
    assert match_rows(texts, NUMBERS) is texts


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array])
def test_wide_indices_become_narrow_where_they_fit(kind):
    X = kind(NUMBERS)
    for name in ("indices", "indptr", "row", "col"):
        if hasattr(X, name) and X.format != "coo":
            setattr(X, name, getattr(X, name).astype(np.int64))
    if X.format == "coo":
        X.coords = tuple(part.astype(np.int64) for part in X.coords)
    matrix = to_matrix(X, "embedding")
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    assert_array_equal(matrix.toarray(), NUMBERS)
    assert all(part.dtype == np.int64 for part in getattr(X, "coords", ()) or [X.indices])


@pytest.mark.filterwarnings("error")
def test_large_numbers_of_both_signs_are_refused_without_another_warning():
    X = np.full((2, 40), 3e38, dtype=np.float32)
    X[1] *= -1
    with pytest.raises(ValueError, match="squared distances overflow float32"):
        to_matrix(X, "embedding")
