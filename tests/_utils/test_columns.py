"""A column of rows in any container, by name or position."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from skactive._utils.columns import find_column
from skactive._utils.inputs import InputList

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
torch = pytest.importorskip("torch")

TABLE = {"a": [1, 2, 3], "b": [4, 5, 4]}
MATRIX = np.array([[1, 4], [2, 5], [3, 4]])
STRUCTURED = np.array([(1, 4), (2, 5), (3, 4)], dtype=[("a", int), ("b", int)])
RECORDS = [{"a": 1, "b": 4}, {"a": 2, "b": 5}, {"a": 3, "b": 4}]
CASES = {
    "pandas": (pd.DataFrame(TABLE, index=[7, 8, 9]), ["b", 1, -1]),
    "pandas, numbered": (pd.DataFrame(MATRIX, columns=[1, 0]), [0]),  # a name before a position
    "polars": (pl.DataFrame(TABLE), ["b", 1]),
    "pyarrow": (pa.table(TABLE), ["b", 1]),
    "structured": (STRUCTURED, ["b", 1]),
    "array": (MATRIX, [1, -1, np.int64(1)]),
    "sparse": (sp.csr_array(MATRIX), [1, -1]),
    "sparse matrix": (sp.csr_matrix(MATRIX), [1]),
    "tensor": (torch.tensor(MATRIX), [1]),
    "records": (RECORDS, ["b"]),
    "lists": (MATRIX.tolist(), [1, -1]),
    "inputs": ({"a": np.ones((3, 5)), "b": TABLE["b"]}, ["b"]),
    "input list": (InputList([np.ones((3, 5)), TABLE["b"]]), [1]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_column_is_found_by_its_name_or_position(name):
    X, columns = CASES[name]
    for column in columns:
        assert np.asarray(find_column(X, column)).tolist() == [4, 5, 4]


ABSENT = {
    "name": (pd.DataFrame(TABLE), "c", r"'c' in a pandas.DataFrame, which has \['a', 'b'\]"),
    "position in a frame": (pd.DataFrame(TABLE), 2, "2 in a pandas.DataFrame, which has"),
    "position in a matrix": (MATRIX, 2, "which has 2 columns"),
    "negative position": (MATRIX, -3, "which has 2 columns"),
    "name in a matrix": (MATRIX, "b", "no columns of this kind"),
    "images": (np.ones((3, 2, 2)), 1, "no columns of this kind"),
    "texts": (["text", "another"], 0, "no columns of this kind"),
    "key": (RECORDS, "c", r"a row has none \(KeyError"),
    "input": ({"a": [1]}, "b", r"which has \['a'\]"),
}


@pytest.mark.parametrize("name", ABSENT)
def test_a_column_that_is_not_there_is_an_error_with_advice(name):
    X, column, reason = ABSENT[name]
    with pytest.raises(ValueError, match=rf"{reason}.*pass a function of the rows"):
        find_column(X, column)
