"""Sanitize and wrap untrusted text for the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

__all__ = ["get_width", "sanitize", "wrap"]

_TAB_WIDTH = 4
_LINE_ENDS = re.compile("\r\n|\x85|\u2028|\u2029")
# Control characters, with which escape sequences begin; marks that change the direction of the text
# after them; surrogates, which cannot be encoded.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def sanitize(text: str, *, keep_lines: bool = False) -> str:
    r"""Return a text without anything that a terminal would obey.

    Control characters become visible symbols (U+2400 to U+2421), tabs become spaces.

    Parameters
    ----------
    text : str
        Any text.
    keep_lines : bool, default=False
        Whether to keep the ends of lines; otherwise they become symbols too.

    Examples
    --------
    >>> print(sanitize("plain \x1b[31mred"))
    plain ␛[31mred
    """
    text = _LINE_ENDS.sub("\n", text)
    if not keep_lines:
        text = text.replace("\n", "\u240a")
    return _UNSAFE.sub(_make_visible, text).expandtabs(_TAB_WIDTH)


def _make_visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def get_width(text: str) -> int:
    """Return how many columns a text takes: East Asian characters take two, accents none.

    Without prompt_toolkit, whose tables these are, each character counts as one column.

    Parameters
    ----------
    text : str
        Sanitized, on one line.
    """
    return len(text) if text.isascii() else _width_function()(text)


@cache
def _width_function() -> Callable[[str], int]:
    try:
        from prompt_toolkit.utils import get_cwidth  # late: an extra
    except ImportError:
        return len
    return get_cwidth


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken between words if possible.

    Parameters
    ----------
    text : str
        May hold ends of lines.
    width : int
        Columns that no line exceeds, 2 or more.

    Examples
    --------
    >>> wrap("to be or not to be", 9)
    ['to be or', 'not to be']
    """
    return [line for paragraph in text.split("\n") for line in _wrap_paragraph(paragraph, width)]


def _wrap_paragraph(paragraph: str, width: int) -> list[str]:
    lines, line, used = [], "", 0
    for word in re.findall(r"\s+|\S+", paragraph):
        length = get_width(word)
        if used + length <= width:
            line, used = line + word, used + length
            continue
        if line.strip():
            lines.append(line.rstrip())
        if word.isspace():
            line, used = "", 0
            continue
        *full, line = _split_word(word, width)
        lines += full
        used = get_width(line)
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _split_word(word: str, width: int) -> list[str]:
    """Return a word in pieces that are no wider than a line."""
    if get_width(word) <= width:
        return [word]
    pieces, piece, used = [], "", 0
    for letter in word:
        if used + get_width(letter) > width:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + letter, used + get_width(letter)
    return [*pieces, piece]
