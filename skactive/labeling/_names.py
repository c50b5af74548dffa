"""Names of annotators: one spelling each, with nothing in them that cannot be seen."""

from __future__ import annotations

import unicodedata
from typing import Any

from skactive.exceptions import LabelError

__all__ = ["check_name"]

_MAX_LENGTH = 64  # characters
_MAX_MARKS = 4  # combining marks in a row; no script needs more
_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner
_VIRAMA = 9  # canonical combining class

# Which of these a keyboard types is chance: the apostrophe of O'Brien, the hyphen of Ann-Marie.
_SAME_SIGNS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02b9\u02bb\u02bc\u02bd\u00b4`\u2032", "'")
    | dict.fromkeys("\u2010\u2011\u2212", "-")
)
# Letters, marks and symbols without a shape; those of the categories below come on top. Mostly the
# default ignorable code points of Unicode 16.
_BLANK = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800),
        (0x303F, 0x303F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFFC, 0xFFFD),
        (0x13441, 0x13446), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
# Control and format characters, unassigned and private ones, surrogates, separators of lines.
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
# Arabic letters that never join the letter after them, so that a non-joiner there changes nothing.
_NOT_JOINING = frozenset(
    chr(code)
    for first, last in (
        (0x0621, 0x0625), (0x0627, 0x0627), (0x0629, 0x0629), (0x062F, 0x0632), (0x0648, 0x0648),
        (0x0671, 0x0677), (0x0688, 0x0699), (0x06C0, 0x06C0), (0x06C3, 0x06CB), (0x06CD, 0x06CD),
        (0x06CF, 0x06CF), (0x06D2, 0x06D3), (0x06D5, 0x06D5), (0x06EE, 0x06EF), (0x0759, 0x075B),
        (0x076B, 0x076C), (0x0771, 0x0771), (0x0773, 0x0774), (0x0778, 0x0779), (0x0870, 0x0882),
        (0x0887, 0x0887), (0x088E, 0x088E), (0x08AA, 0x08AE), (0x08B1, 0x08B2), (0x08B9, 0x08B9),
    )
    for code in range(first, last + 1)
)  # fmt: skip
# Scripts that are written together within one word, and have no letters that look alike.
_EAST_ASIAN = {"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"}


def check_name(name: Any) -> str:
    """Check the name of an annotator, and return its one spelling.

    Names that look alike become equal: widths, ligatures, composed letters, apostrophes and spaces
    have one form (NFKC). What cannot be seen or read is refused. Case is kept, and distinguishes:
    ``Ann`` and ``ann`` are two annotators, since both can be seen, and either may be somebody.

    Parameters
    ----------
    name : object
        The name, as it was typed or sent.

    Returns
    -------
    str
        1 to 64 characters.

    Raises
    ------
    LabelError
        If it is not a string, empty, too long, has characters that cannot be seen, or mixes
        alphabets within a word.

    Examples
    --------
    >>> from skactive.labeling._names import check_name
    >>> check_name("  \uff21nn   Lee ")
    'Ann Lee'
    """
    if not isinstance(name, str):
        raise LabelError(f"A name must be a string, got {_quote(name)}.")
    typed = str(name).strip()
    _check_length(typed, 4 * _MAX_LENGTH)  # a letter may be typed as several characters
    _check_visible(typed)
    folded = unicodedata.normalize("NFKC", typed.translate(_SAME_SIGNS)).translate(_SAME_SIGNS)
    folded = " ".join(folded.split())
    _check_visible(folded)
    if not folded:
        raise LabelError("The name is empty: type one that others will know you by.")
    _check_length(folded, _MAX_LENGTH)
    for word in folded.split(" "):
        _check_marks(word)
        _check_scripts(word)
    return folded


def _check_length(name: str, limit: int) -> None:
    if len(name) > limit:
        raise LabelError(
            f"A name has at most {_MAX_LENGTH} characters, this one has {len(name)}: shorten it."
        )


def _check_visible(name: str) -> None:
    """Refuse characters that have no shape of their own, or change that of others."""
    for position, character in enumerate(name):
        is_blank = character in _BLANK
        if not is_blank and unicodedata.category(character) not in _INVISIBLE_CATEGORIES:
            continue
        if character in _JOINERS and _is_joiner_needed(name, position):
            continue
        raise LabelError(
            f"The name {_quote(name)} has a character that cannot be seen, {_describe(character)}: "
            "type the name without it."
        )


def _is_joiner_needed(name: str, position: int) -> bool:
    """Return whether a joiner changes how the letters around it look, as in Persian or Sinhala."""
    before, after = name[:position], name[position + 1 : position + 2]
    if not before or not after.isalpha():
        return False
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    letters = [character for character in before if not unicodedata.combining(character)]
    if name[position] != "\u200c" or not letters or letters[-1] in _NOT_JOINING:
        return False
    return _get_script(letters[-1]) == _get_script(after) == "ARABIC" and after != "\u0621"


def _check_marks(word: str) -> None:
    """Refuse marks that stand on nothing, or are piled up."""
    n_marks = _MAX_MARKS  # none at the beginning of a word
    for character in word:
        n_marks = n_marks + 1 if unicodedata.category(character).startswith("M") else 0
        if n_marks > _MAX_MARKS:
            raise LabelError(
                f"The name has a mark without a letter, or more than {_MAX_MARKS} on one, "
                f"{_describe(character)}: type the name without it."
            )


def _check_scripts(word: str) -> None:
    """Refuse a word whose letters come from several alphabets.

    A Cyrillic letter in a Latin name looks like the Latin one, so that the labels of one person
    would be counted under two names that nobody can distinguish, for ever. It is refused and not
    only warned of, since whoever is called so can type the word in one alphabet. A whole word of
    such letters is a word of that alphabet, and is accepted.
    """
    scripts = dict.fromkeys(_get_script(c) for c in word if _is_letter(c))
    if len(scripts) > 1 and not scripts.keys() <= _EAST_ASIAN:
        first, second = [script.capitalize() for script in scripts][:2]
        raise LabelError(
            f"The name {_quote(word)} mixes {first} and {second} letters, which may look alike: "
            "type it in one alphabet."
        )


def _is_letter(character: str) -> bool:
    # Modifiers (Lm), such as the sign for a long vowel, belong to several scripts.
    return unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo"}


def _get_script(character: str) -> str:
    """Return the script of a letter, with which its Unicode name begins."""
    return unicodedata.name(character, "").partition(" ")[0]


def _describe(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


def _quote(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
