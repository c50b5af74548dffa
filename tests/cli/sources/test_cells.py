"""Cells: as texts, and named in messages."""

import pytest

from skactive.cli.sources._cells import clean_text, format_rows


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
