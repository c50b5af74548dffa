"""Types of columns, inferred by one rule from what the reader read."""

from pathlib import Path

import numpy as np
import pytest

from skactive.cli._errors import CommandError
from skactive.cli.reading import (
    Table,
    check_finite,
    make_frame,
    read_columns,
    read_frame,
    to_numbers,
)

pd = pytest.importorskip("pandas")
PATH = Path("data.csv")


def infer(*values):
    return make_frame(Table({"x": list(values)}, [], []), PATH)["x"]


@pytest.mark.parametrize(
    ("values", "kind", "numbers"),
    [
        (["1", " 2 ", "-3"], "i", [1, 2, -3]),
        (["1", "2.5", "1e3"], "f", [1, 2.5, 1000]),
        (["1", "", "NA"], "f", [1, np.nan, np.nan]),
        (["0", "0.5", "-0"], "f", [0, 0.5, 0]),
        (["", "NaN", "null"], "f", [np.nan] * 3),
        (["99999999999999999999"], "f", [1e20]),
        (["inf", "1"], "f", [np.inf, 1]),
        (["True", "false"], "b", [1, 0]),
        ([True, False], "b", [1, 0]),
        ([True, None], "f", [1, np.nan]),
        ([1, None, 2.5], "f", [1, np.nan, 2.5]),
        ([1, "2"], "i", [1, 2]),
    ],
)
def test_numbers(values, kind, numbers):
    column = infer(*values)
    assert column.dtype.kind == kind
    np.testing.assert_array_equal(column.to_numpy(dtype=float), numbers)


@pytest.mark.parametrize(
    "values",
    [
        ["007", "8"],
        ["1_000"],
        ["1,5"],
        ["x", "1"],
        ["\u0661"],
        ["2024-05-01"],
        ["0x1"],
        ["nano"],
        [[1]],
    ],
)
def test_others_stay_as_they_are(values):
    assert infer(*values).tolist() == values


def test_in_texts_only_empty_cells_are_missing():
    assert infer("a", "NA", "", None, " ").isna().tolist() == [False, False, True, True, True]


def test_both_readings_have_the_same_rows(tmp_path):
    (tmp_path / "data.csv").write_text('id,x\n\n1,"NA"\n ,\n2,3\nid,x\n3,"4"\n')
    columns = read_columns(tmp_path / "data.csv").columns
    frame = read_frame(tmp_path / "data.csv")
    assert frame["id"].tolist() == [int(text) for text in columns["id"]] == [1, 2, 3]
    np.testing.assert_array_equal(frame["x"], [np.nan, 3, 4])


def test_a_column_of_texts_is_named_with_its_first_one():
    frame = make_frame(Table({"x": ["1", "", "n/k", "z"], "y": ["1"] * 4}, [], []), PATH)
    with pytest.raises(CommandError, match=r"text or dates: x; drop it \(x has 'n/k'\)"):
        to_numbers(frame, PATH, "drop it")
    np.testing.assert_array_equal(to_numbers(frame[["y"]], PATH, ""), [[1]] * 4)


def test_infinite_values_are_refused():
    check_finite(np.array([[np.nan]]), PATH)
    with pytest.raises(CommandError, match="infinite"):
        check_finite(np.array([[-np.inf]]), PATH)
