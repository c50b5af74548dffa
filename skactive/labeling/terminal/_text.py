"""Texts of strangers on a terminal: harmless, and as wide as it is."""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width

__all__ = ["harmless", "width_of", "wrapped"]

_TAB = 4
_LINE_ENDS = re.compile("\r\n|\x85|\u2028|\u2029")
# Escape sequences begin with control characters; the rest would turn the direction of what follows,
# or cannot be encoded.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str, *, lines: bool = False) -> str:
    r"""Return a text that a terminal shows and does not obey.

    Control characters are shown as signs (U+2400 and on).

    Parameters
    ----------
    text : str
        Any text.
    lines : bool, default=False
        Whether ends of lines stay; else they are shown too.

    Examples
    --------
    >>> print(harmless("plain \x1b[31mred"))
    plain ␛[31mred
    """
    text = _LINE_ENDS.sub("\n", text)
    if not lines:
        text = text.replace("\n", "\u240a")
    return _HARMFUL.sub(_sign, text).expandtabs(_TAB)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def width_of(text: str) -> int:
    """Return how many columns a text takes: some letters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> int:
    if combining(letter) or letter in "\u200b\u200c\u200d\u200e\u200f\ufe0f":
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, none wider than a terminal; broken between words where it goes.

    Parameters
    ----------
    text : str
        May hold ends of lines.
    width : int
        Columns, 2 or more.

    Examples
    --------
    >>> wrapped("to be or not to be", 9)
    ['to be or', 'not to be']
    """
    return [line for paragraph in text.split("\n") for line in _filled(paragraph, width)]


def _filled(paragraph: str, width: int) -> list[str]:
    lines, line, used = [], "", 0
    for word in re.findall(r"\s+|\S+", paragraph):
        length = width_of(word)
        if used + length <= width:
            line, used = line + word, used + length
            continue
        if line.strip():
            lines.append(line.rstrip())
        if word.isspace():
            line, used = "", 0
            continue
        *full, line = _cut(word, width)
        lines += full
        used = width_of(line)
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _cut(word: str, width: int) -> list[str]:
    """Cut a word that may be wider than a line."""
    if width_of(word) <= width:
        return [word]
    pieces, piece, used = [], "", 0
    for letter in word:
        if used + _width(letter) > width:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + letter, used + _width(letter)
    return [*pieces, piece]
