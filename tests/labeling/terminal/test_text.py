"""Text wrapped to the width of the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from skactive._utils.sanitizing import sanitize
from skactive.labeling.terminal._text import get_width, truncate, wrap


def test_wrapped_lines_hold_all_letters_and_fit():
    text = "to be, or not to be " * 5 + "x" * 50 + "\n\n" + "表示 " * 20 + "e\u0301" * 30
    lines = wrap(text, 20)
    assert max(map(get_width, lines)) <= 20
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert "" in lines


def test_a_character_shown_as_emoji_takes_two_columns():
    assert get_width("❤\ufe0f") == 2


@given(st.text(), st.integers(2, 30))
def test_what_is_cut_fits(text, width):
    safe = sanitize(text)
    assert get_width(truncate(safe, width)) <= width
    assert all(get_width(line) <= width for line in wrap(safe, width))
    assert truncate("abc", 3) == "abc"
