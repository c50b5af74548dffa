"""The likely encoding of bytes that are not UTF-8."""

# ruff: noqa: RUF001 (letters of other scripts look like Latin ones)

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Guess", "guess_encoding"]


class Guess(NamedTuple):
    """An encoding, and a part of the text decoded by it."""

    name: str
    example: str


_WESTERN = "a-zA-ZàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœžšÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒŽŠ"
_CENTRAL = "a-zA-ZąćęłńóśźżáčďéěíňřšťúůýžöőüűäôľĺăâîșțşţđĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÖŐÜŰÄÔĽĂÂÎŞŢĐ"
_SIGNS = "€£©®°§«»„“”‘’–—…™½¼¾²³µ·¡¿º•¥"
_KANA_AND_HAN = "ぁ-ヿ一-龥々、。「」・ー！？（）：０-９Ａ-Ｚａ-ｚ"
_HAN = "一-龥，。！？、：；（）“”《》"

# Each encoding with the characters that its languages use. The order breaks ties.
_CANDIDATES = {
    "cp1252": _WESTERN + _SIGNS,
    "cp1250": _CENTRAL + _SIGNS,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp1251": "а-яА-ЯёЁіїєґІЇЄҐ" + _SIGNS + "№",
    "koi8_r": "а-яА-ЯёЁ",
    "cp1253": "α-ωΑ-Ωάέήίόύώϊϋ" + _SIGNS,
    "cp1255": "א-ת" + _SIGNS,
    "cp1256": "ء-ي،؛؟",
    "shift_jis": _KANA_AND_HAN,
    "euc_jp": _KANA_AND_HAN,
    "euc_kr": "가-힣",
    "gb18030": _HAN,
    "big5": _HAN,
}
_LATIN = {"cp1252", "cp1250", "mac_roman", "cp850"}
_CYRILLIC = {"cp1251", "koi8_r"}
# A capital within a word, or a word of two scripts
_ODD_CYRILLIC = "[а-яёА-ЯЁ][А-ЯЁ]|[a-zA-Z][А-яё]|[А-яё][a-zA-Z]"
# What texts of these encodings do not lack
_FREQUENT = {
    "cp1253": "[άέήίόύώ]",
    "shift_jis": "[ぁ-ん]",
    "euc_jp": "[ぁ-ん]",
    "gb18030": "[的一是不了在有我他这中大来上个国们为]",
    "big5": "[的一是不了在有我他這中大來上個國們為]",
}
_MAX_SAMPLE = 20_000  # bytes
_MIN_SHARE = 0.8  # of the characters beyond ASCII must be usual ones


def guess_encoding(data: bytes) -> Guess | None:
    """Return the likely encoding of bytes that are not UTF-8, or None.

    Parameters
    ----------
    data : bytes
        A text.
    """
    wide = _guess_wide(data[:_MAX_SAMPLE])
    if wide is not None:
        return wide
    lines = [line for line in re.split(rb"[\r\n]+", data) if not line.isascii()]
    sample = b"\n".join(lines)[:_MAX_SAMPLE]
    # A cut through a character leaves the last line without meaning
    sample = (
        sample if len(lines) < 2 or len(sample) < _MAX_SAMPLE else sample[: sample.rfind(b"\n")]
    )
    scores = {name: _score(sample, name) for name in _CANDIDATES}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < _MIN_SHARE:
        return None
    return Guess(best, _take_example(sample.decode(best)))


def _guess_wide(data: bytes) -> Guess | None:
    """Return UTF-16 without a mark, if every other byte is mostly zero."""
    for name, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if zeros and zeros.count(0) > 0.4 * len(zeros):
            return Guess(name, data[:80].decode(name, "ignore").splitlines()[0])
    return None


def _score(sample: bytes, name: str) -> float:
    """Return the share of characters beyond ASCII that are usual, below 0 if it cannot be."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return -1.0
    beyond = re.findall(r"[^\x00-\x7f]", text)
    n_beyond = max(len(beyond), 1)
    n_usual = len(re.findall(f"[{_CANDIDATES[name]}]", "".join(beyond)))
    score = n_usual / n_beyond - _measure_oddity(text, name)
    if name in _LATIN:
        score -= _count_odd_latin(text) / n_beyond
    elif name in _CYRILLIC:
        score -= len(re.findall(_ODD_CYRILLIC, text)) / n_beyond
        vowels = re.findall("[аеёиоуыэюяіїє]", text.lower())
        score -= 0.3 * (3 * len(vowels) < n_beyond)
    return score


def _measure_oddity(text: str, name: str) -> float:
    """Return how unlikely a text is that lacks what is frequent in the languages of an encoding."""
    frequent = _FREQUENT.get(name)
    return 0.0 if frequent is None or re.search(frequent, text) else 0.3


def _count_odd_latin(text: str) -> float:
    """Return the number of letters beyond ASCII that are not placed as in words."""
    # Letters with accents stand among others; many in a row are another script
    runs = re.findall(r"[^\W\d_\x00-\x7f]{3,}", text)
    signs = re.findall("[a-z][¹²³¼½¾¿§]", text)
    # Within a word a capital seldom follows a small letter
    after_small = re.findall(r"[a-z]([^\x00-\x7f])", text)
    n_capitals = sum(map(str.isupper, after_small))
    return sum(map(len, runs)) + len(signs) + n_capitals / 2


def _take_example(text: str) -> str:
    match = re.search(r".{0,20}[^\x00-\x7f].{0,20}", text)
    return match.group().strip() if match else ""
