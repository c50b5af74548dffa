"""Untrusted text: made harmless, and wrapped to the width of the terminal."""

from skactive.labeling.terminal._text import get_width, sanitize, wrap


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
