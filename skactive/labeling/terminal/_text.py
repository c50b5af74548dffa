"""Measure and wrap sanitized text for the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

__all__ = ["get_width", "truncate", "wrap"]


def get_width(text: str) -> int:
    """Return how many columns a text takes: East Asian characters take two, accents none.

    Without prompt_toolkit, whose tables these are, each character counts as one column.

    Parameters
    ----------
    text : str
        Sanitized, on one line.
    """
    if text.isascii():
        return len(text)
    # U+FE0F asks for the emoji of the character before it, which takes a column more
    return _width_function()(text) + text.count("\ufe0f")


@cache
def _width_function() -> Callable[[str], int]:
    try:
        from prompt_toolkit.utils import get_cwidth  # late: an extra
    except ImportError:
        return len
    return get_cwidth


def truncate(text: str, width: int) -> str:
    """Return a text on one line, cut to a width.

    Parameters
    ----------
    text : str
        Sanitized, on one line.
    width : int
        Columns, 2 or more; of these an ellipsis takes one where the text is cut.
    """
    if get_width(text) <= width:
        return text
    return _split_word(text, width - 1)[0].rstrip() + "…"


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
