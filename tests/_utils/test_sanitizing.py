"""Untrusted text: made harmless."""

import pytest

from skactive._utils.sanitizing import sanitize


def test_texts_of_strangers_do_nothing_to_the_terminal():
    text = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9b31me\x7f\u202ef\udc80\x00"
    safe = sanitize(text)
    assert all(letter.isprintable() for letter in safe)
    assert sanitize("a\tb\r\nc", keep_lines=True) == "a   b\nc"
    assert "\n" not in sanitize("a\nb")


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
