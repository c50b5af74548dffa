"""Names of annotators: what looks alike is equal, and nothing is invisible."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skactive.exceptions import LabelError
from skactive.labeling._names import check_name

INVISIBLE = [
    "\u200b", "\u200c", "\u200d", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160",
    "\u17b4", "\u180b", "\u180e", "\u2028", "\u202e", "\u2060", "\u2063", "\u2800", "\u3164",
    "\ufe0f", "\uffa0", "\ufffc", "\ufffd", "\ue000", "\ud800", "\udfff", "\U000e0061",
    "\U000e0100", "\U0001d159", "\U00016fe4", "\x00", "\x07", "\x1b", "\x7f", "\x85", "\n", "\t",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ann", "ann"),
        ("Ann", "Ann"),  # two people, perhaps
        ("  Ann \u3000\u00a0 Lee\t\n", "Ann Lee"),
        ("\uff41\uff4e\uff4e", "ann"),
        ("\U0001d41a\U0001d427\U0001d427", "ann"),
        ("Rene\u0301", "Ren\u00e9"),
        ("O\u2019Brien", "O'Brien"),
        ("D\u00b4Angelo", "D'Angelo"),
        ("Ann\u2011Marie", "Ann-Marie"),
        ("x" * 64, "x" * 64),
        (np.str_("ann"), "ann"),
        ("\u0410\u043d\u043d\u0430", "\u0410\u043d\u043d\u0430"),
        ("Ann \u0418\u0432\u0430\u043d\u043e\u0432\u0430",) * 2,
        ("\u7530\u4e2d\u30bf\u30fc\u3042 Ken\u7530",) * 2,
        ("\uae40\ucca0\uc218",) * 2,
        ("Nguy\u1ec5n Th\u1ecb",) * 2,
        ("\u0645\u06cc\u200c\u0646\u0627",) * 2,  # Persian: the letters are not joined
        ("\u0634\u064e\u200c\u0646",) * 2,  # with a vowel mark between
        ("\u0d9a\u0dca\u200d\u0dc2",) * 2,  # Sinhala and Devanagari: the letters are joined
        ("\u0915\u094d\u200d\u0937",) * 2,
        ("\U0001f44d\U0001f3fd <img>",) * 2,
    ],
)
def test_what_looks_alike_has_one_spelling(typed, name):
    assert check_name(typed) == name
    assert type(check_name(typed)) is str


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
def test_what_cannot_be_seen_is_refused_and_named(character):
    for name in (f"an{character}n", f"ann {character} lee"):
        with pytest.raises(LabelError, match=f"U\\+{ord(character):04X}.*without it") as error:
            check_name(name)
        assert str(error.value).isascii()
        assert str(error.value).isprintable()
    with pytest.raises(LabelError):
        check_name(character)


@pytest.mark.parametrize(
    "name",
    [
        "ann\u200d",
        "\u200dann",
        "\u062f\u0627\u200c\u0646",  # alef never joins the letter after it
        "\u0645\u064a\u200d\u0646",  # these two are joined anyway
        "\u0d9a\u200d\u0dc2",
        "\u0645\u200cn",
    ],
)
def test_a_joiner_that_changes_nothing_is_refused(name):
    with pytest.raises(LabelError, match="cannot be seen"):
        check_name(name)


@pytest.mark.parametrize("name", ["\u0430nn", "\u0391nn", "an\u0578", "ann\ua4ee", "c\u13a0t"])
def test_a_word_in_two_alphabets_is_refused(name):
    with pytest.raises(LabelError, match=r"Latin.* alphabet"):
        check_name(name)


@pytest.mark.parametrize("name", ["\u0301ann", "ann \u0301", "\u00a8", "a" + "\u0316" * 5])
def test_marks_belong_to_letters(name):
    with pytest.raises(LabelError, match="mark"):
        check_name(name)


@pytest.mark.parametrize("name", ["", "  ", "\u3000\n", "x" * 65, "\ufdfa" * 4, "a" * 10**7])
def test_names_have_1_to_64_characters(name):
    with pytest.raises(LabelError, match=r"empty|at most 64"):
        check_name(name)


@pytest.mark.parametrize("name", [None, 7, True, b"ann", ["ann"], float("nan")])
def test_names_are_strings(name):
    with pytest.raises(LabelError, match="must be a string"):
        check_name(name)


@given(st.text(st.characters(codec=None), max_size=20))
def test_a_checked_name_stays_as_it_is_and_can_be_written(name):
    try:
        checked = check_name(name)
    except LabelError:
        return
    assert check_name(checked) == checked
    assert checked.encode()
    assert unicodedata.is_normalized("NFKC", checked)


def test_no_format_character_passes_alone_between_letters():
    codes = (c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Cf")
    for character in codes:
        with pytest.raises(LabelError):
            check_name(f"a{character}n")
