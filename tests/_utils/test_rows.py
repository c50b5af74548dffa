"""Rows of every container are counted, taken, joined and converted to a matrix."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from skactive._utils.matrices import to_matrix
from skactive._utils.rows import join_rows, n_rows, row_shape, take_rows

pl = pytest.importorskip("polars")
torch = pytest.importorskip("torch")

NUMBERS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
IMAGES = np.arange(24.0).reshape(3, 2, 2, 2)


def pandas_frame():
    return pd.DataFrame(
        {"a": [1, 2, 3], "kind": pd.Categorical(["x", "y", "x"], categories=["y", "x", "z"])},
        index=[10, 20, 30],
    )


def polars_frame():
    return pl.DataFrame({"a": [1, 2, 3], "kind": ["x", "y", "x"]})


# container, shape of a row, the rows as a plain list
CONTAINERS = {
    "texts": (np.array(["a", "bbb", "cc"]), (), ["a", "bbb", "cc"]),
    "objects": (np.array(["a", None, 3], dtype=object), (), ["a", None, 3]),
    "matrix": (NUMBERS, (2,), NUMBERS.tolist()),
    "images": (IMAGES, (2, 2, 2), IMAGES.tolist()),
    "list": (["a", "bbb", "cc"], None, ["a", "bbb", "cc"]),
    "tuple": (("a", "bbb", "cc"), None, ["a", "bbb", "cc"]),
    "csr_matrix": (sp.csr_matrix(NUMBERS), (2,), NUMBERS.tolist()),
    "csr_array": (sp.csr_array(NUMBERS), (2,), NUMBERS.tolist()),
    "pandas frame": (pandas_frame(), (2,), [[1, "x"], [2, "y"], [3, "x"]]),
    "pandas series": (pd.Series(["a", "b", "c"], index=[7, 8, 9]), (), ["a", "b", "c"]),
    "polars frame": (polars_frame(), (2,), [[1, "x"], [2, "y"], [3, "x"]]),
    "polars series": (pl.Series("v", [4, 5, 6]), (), [4, 5, 6]),
    "tensor": (torch.from_numpy(IMAGES), (2, 2, 2), IMAGES.tolist()),
}


def to_list(X):
    """Return rows as a plain list, by the container's own methods."""
    if sp.issparse(X):
        return X.toarray().tolist()
    if isinstance(X, pl.DataFrame):
        return [list(row) for row in X.rows()]
    if isinstance(X, pd.DataFrame):
        return [list(row) for row in X.itertuples(index=False)]
    return X.tolist() if hasattr(X, "tolist") else list(X)


@pytest.fixture(params=CONTAINERS)
def container(request):
    return CONTAINERS[request.param]


def test_rows_are_counted_and_have_a_shape(container):
    X, shape, _ = container
    assert n_rows(X) == 3
    assert row_shape(X) == shape


def test_rows_are_taken_by_position_in_the_order_asked(container):
    X, _, rows = container
    taken = take_rows(X, np.array([2, 0, 2]))
    assert to_list(taken) == [rows[2], rows[0], rows[2]]
    assert isinstance(taken, list if isinstance(X, tuple) else type(X))


def test_rows_are_taken_by_slice(container):
    X, _, rows = container
    assert to_list(take_rows(X, slice(1, 3))) == rows[1:]
    assert n_rows(take_rows(X, np.array([], dtype=np.intp))) == 0


def test_rows_are_joined_in_the_same_kind_of_container(container):
    X, _, rows = container
    joined = join_rows(X, take_rows(X, np.array([1])))
    assert to_list(joined) == [*rows, rows[1]]
    assert n_rows(joined) == 4
    assert isinstance(joined, list if isinstance(X, tuple) else type(X))


def test_joined_texts_are_not_cut_to_the_length_of_the_first():
    assert join_rows(np.array(["a"]), np.array(["bbb"])).tolist() == ["a", "bbb"]


def test_categorical_columns_keep_their_categories():
    frame = pandas_frame()
    joined = join_rows(take_rows(frame, np.array([0])), take_rows(frame, slice(1, 3)))
    pd.testing.assert_frame_equal(joined, frame)
    assert joined["kind"].cat.categories.tolist() == ["y", "x", "z"]


def test_joining_leaves_both_lots_alone():
    first, second = [1, 2], [3]
    assert join_rows(first, second) == [1, 2, 3]
    assert (first, second) == ([1, 2], [3])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["a"], np.array(["bb"])),
        (np.array(["a"]), ["bb"]),
        (np.array(["a"]), ("bb",)),
    ],
)
def test_lists_and_arrays_join_to_an_array(first, second):
    joined = join_rows(first, second)
    assert isinstance(joined, np.ndarray)
    assert joined.tolist() == ["a", "bb"]


def test_dense_rows_join_sparse_rows_as_csr():
    for first, second in ((sp.csr_array(NUMBERS), NUMBERS[:1]), (NUMBERS, sp.csc_array(NUMBERS))):
        joined = join_rows(first, second)
        assert joined.format == "csr"
        assert to_list(joined) == NUMBERS.tolist() + NUMBERS[: joined.shape[0] - 3].tolist()


def test_sparse_matrix_stays_a_matrix_when_dense_rows_join():
    assert isinstance(join_rows(sp.csr_matrix(NUMBERS), NUMBERS), sp.csr_matrix)


@pytest.mark.parametrize("frame", [pandas_frame(), polars_frame()], ids=["pandas", "polars"])
@pytest.mark.parametrize(
    ("other", "name"), [(np.ones((1, 2)), "ndarray"), ([[1, "x"]], "list")], ids=["array", "list"]
)
def test_frame_refuses_rows_without_columns(frame, other, name):
    with pytest.raises(TypeError, match=rf"\.{name} cannot join .*\.DataFrame: .*same kind"):
        join_rows(frame, other)
    with pytest.raises(TypeError, match=rf"\.DataFrame cannot join .*\.{name}: .*same kind"):
        join_rows(other, frame)


def test_frame_refuses_sparse_rows():
    with pytest.raises(TypeError, match="same kind of container"):
        join_rows(pandas_frame(), sp.csr_array(NUMBERS))


def test_frames_of_two_libraries_are_told_apart_in_the_error():
    with pytest.raises(TypeError, match=r"polars.*pandas"):
        join_rows(pandas_frame(), polars_frame())


# to_matrix ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.array, sp.csr_array, pd.DataFrame, pl.DataFrame])
def test_matrix_refuses_what_is_not_finite_and_names_it(bad, kind):
    X = kind(np.array([[1.0, bad], [2.0, 3.0]]))
    with pytest.raises(ValueError, match=r"embedding contains (NaN|infinity)"):
        to_matrix(X, "embedding")


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["array", "tensor"])
def test_images_are_flattened_row_by_row(kind):
    assert_array_equal(to_matrix(kind(IMAGES), "embedding"), IMAGES.reshape(3, 8))


def test_empty_lot_of_images_is_flattened_too():
    assert to_matrix(np.zeros((0, 2, 3)), "embedding").shape == (0, 6)


def test_one_number_a_row_is_one_column():
    for X in (np.arange(3), [0, 1, 2], pl.Series([0, 1, 2])):
        assert_array_equal(to_matrix(X, "embedding"), [[0.0], [1.0], [2.0]])


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array, sp.csc_array, sp.coo_array])
def test_sparse_comes_out_as_csr(kind):
    matrix = to_matrix(kind(NUMBERS), "embedding")
    assert matrix.format == "csr"
    assert_array_equal(matrix.toarray(), NUMBERS)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (bool, np.float64),
        (np.int8, np.float64),
        (np.int64, np.float64),
        (object, np.float64),
        (np.float16, np.float64),
        (np.float32, np.float32),
        (np.float64, np.float64),
    ],
)
def test_numbers_become_floats_and_single_precision_stays(dtype, expected):
    matrix = to_matrix(np.array([[1, 0], [0, 1]], dtype=dtype), "embedding")
    assert matrix.dtype == expected
    assert_array_equal(matrix, [[1.0, 0.0], [0.0, 1.0]])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_numeric_frame_becomes_its_values(frame):
    matrix = to_matrix(frame({"a": [1, 2], "b": [0.5, 1.5]}), "embedding")
    assert isinstance(matrix, np.ndarray)
    assert_array_equal(matrix, [[1.0, 0.5], [2.0, 1.5]])


@pytest.mark.parametrize(
    "X",
    [["one text", "two"], np.array(["a", "b"]), pandas_frame(), pd.Series(["a", "b"])],
    ids=["list", "array", "frame", "series"],
)
def test_text_is_no_matrix(X):
    with pytest.raises(ValueError):
        to_matrix(X, "embedding")


def test_tensor_with_a_gradient_becomes_an_array():
    tensor = torch.tensor([[1.0, 2.0]], requires_grad=True)
    matrix = to_matrix(tensor, "embedding")
    assert isinstance(matrix, np.ndarray)
    assert matrix.dtype == np.float32
    assert_array_equal(matrix, [[1.0, 2.0]])


@pytest.mark.parametrize("layout", ["to_sparse_coo", "to_sparse_csr", "to_sparse_csc"])
@pytest.mark.parametrize("rows", [[2, 0, 2], slice(1, None), [True, False, True]])
@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")  # of torch: the layout is in beta
def test_rows_of_sparse_tensors(layout, rows):
    X = getattr(torch.tensor(NUMBERS), layout)()
    taken = take_rows(X, rows)
    assert n_rows(taken) == len(NUMBERS[rows])
    assert_array_equal(to_matrix(taken, "embedding"), NUMBERS[rows])
    joined = join_rows(X, taken)
    assert_array_equal(to_matrix(joined, "embedding"), np.concatenate([NUMBERS, NUMBERS[rows]]))
