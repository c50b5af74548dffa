"""Counts with their nouns, and first lines."""

import pytest

from skactive._utils.text import pluralize, take_first_line


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [(1, "repeat", "1 repeat"), (0, "repeat", "0 repeats"), (2, "strategy", "2 strategies")],
)
def test_counts_with_their_nouns(n, noun, text):
    assert pluralize(n, noun) == text


def test_first_lines():
    assert take_first_line(ValueError("one\ntwo")) == "one"
    assert take_first_line("one") == "one"
    assert take_first_line(ValueError()) == "ValueError"
