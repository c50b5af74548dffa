"""Untrusted text made safe for the terminal."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

__all__ = ["sanitize"]

_TAB_WIDTH = 4
_MAX_MARKS_SHOWN = 8  # on one character; no script needs more
_LINE_ENDS = re.compile("\r\n|\x85|\u2028|\u2029")
# Control characters, with which escape sequences begin; marks that change the direction of the text
# around them; characters that hide others or cannot be seen; surrogates, which cannot be encoded.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\u180e\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def sanitize(text: str, *, keep_lines: bool = False) -> str:
    r"""Return a text without anything that a terminal would obey.

    Control characters become visible symbols (U+2400 to U+2421), and so do marks of direction and
    invisible characters (U+FFFD); tabs become spaces. Of more than eight marks on one character the
    rest becomes U+FFFD.

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
    return _limit_marks(_UNSAFE.sub(_make_visible, text).expandtabs(_TAB_WIDTH))


def _make_visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def _limit_marks(text: str) -> str:
    """Shorten floods of characters without width, which terminals draw over other lines."""
    if text.isascii():
        return text
    runs = ((has_width, "".join(run)) for has_width, run in groupby(text, _has_width))
    return "".join(
        run if has_width or len(run) <= _MAX_MARKS_SHOWN else f"{run[:_MAX_MARKS_SHOWN]}\ufffd"
        for has_width, run in runs
    )


def _has_width(letter: str) -> bool:
    """Return whether a character is more than a mark on the one before, or a part of it."""
    is_part = (
        "\u1160" <= letter <= "\u11ff" or "\ud7b0" <= letter <= "\ud7ff"
    )  # of a Hangul syllable
    return not is_part and unicodedata.category(letter) not in {"Mn", "Me", "Cf"}
