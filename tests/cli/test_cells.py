"""Cells: missing or not, as texts, and named in messages."""

import numpy as np
import pytest

from skactive.cli._cells import clean_text, format_rows, is_missing, to_text


@pytest.mark.parametrize("value", [None, float("nan"), np.float64("nan"), "", " \t\n"])
def test_missing(value):
    assert is_missing(value)
    assert to_text(value).strip() == ""


@pytest.mark.parametrize("value", [0, False, "0", [], {}, b"", np.array([]), np.array([np.nan])])
def test_not_missing(value):
    assert not is_missing(value)


def test_objects_are_written_as_json():
    assert to_text({"x": ["é", None, 1.5]}) == '{"x": ["é", null, 1.5]}'
    assert to_text(True) == "true"


def test_control_characters_and_surrogates_are_replaced():
    assert clean_text("a\x00\x1b\x7f\x85\ud800b\t\r\nc") == "a" + "\ufffd" * 5 + "b\t\r\nc"


@pytest.mark.parametrize(
    ("positions", "lines", "named"),
    [
        ([0], [7, 8], "line 7"),
        ([0, 1], [7, 31], "lines 7, 31"),
        ([0, 2], [], "rows 1, 3"),
        (range(8), [], "rows 1, 2, 3, 4, 5 and 3 more"),
    ],
)
def test_names_of_rows(positions, lines, named):
    assert format_rows(positions, lines) == named
