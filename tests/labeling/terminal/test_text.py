"""Untrusted text: made harmless, and wrapped to the width of the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skactive.labeling.terminal._text import get_width, sanitize, truncate, wrap


def test_texts_of_strangers_do_nothing_to_the_terminal():
    text = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9b31me\x7f\u202ef\udc80\x00"
    safe = sanitize(text)
    assert all(letter.isprintable() for letter in safe)
    assert sanitize("a\tb\r\nc", keep_lines=True) == "a   b\nc"
    assert "\n" not in sanitize("a\nb")


def test_wrapped_lines_hold_all_letters_and_fit():
    text = "to be, or not to be " * 5 + "x" * 50 + "\n\n" + "表示 " * 20 + "e\u0301" * 30
    lines = wrap(text, 20)
    assert max(map(get_width, lines)) <= 20
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert "" in lines


@pytest.mark.parametrize(
    "mark", ["\u200e", "\u200f", "\u061c", "\u202e", "\u2066", "\u2069", "\ufeff", "\U000e0041"]
)
def test_marks_of_direction_and_hidden_characters_are_visible(mark):
    assert sanitize(f"a{mark}b") == "a\ufffdb"


@pytest.mark.parametrize("mark", ["\u0301", "\u200d", "\u200b", "\u1160", "\ufe0f", "\u0488"])
def test_floods_of_characters_without_width_are_cut(mark):
    assert sanitize("a" + mark * 8 + "b") == "a" + mark * 8 + "b"
    assert sanitize("a" + mark * 9999 + "b") == "a" + mark * 8 + "\ufffdb"


@pytest.mark.parametrize(
    "text",
    ["café", "e\u0302\u0301", "बिक्री", "بِسْمِ", "שָׁלוֹם", "👨\u200d👩\u200d👧", "❤\ufe0f", "ที่", "བསྒྲུབས"],
)
def test_scripts_of_people_stay_as_they_are(text):
    assert sanitize(text) == text


def test_a_character_shown_as_emoji_takes_two_columns():
    assert get_width("❤\ufe0f") == 2


@given(st.text(), st.integers(2, 30))
def test_what_is_cut_fits(text, width):
    safe = sanitize(text)
    assert get_width(truncate(safe, width)) <= width
    assert all(get_width(line) <= width for line in wrap(safe, width))
    assert truncate("abc", 3) == "abc"
