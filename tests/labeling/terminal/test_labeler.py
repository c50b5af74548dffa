"""The labeler: what each key does, on a fake console."""

import re

import pytest
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.exceptions import StoreError
from skactive.labeling import LabelingSession
from skactive.labeling.terminal._console import (
    BACKSPACE,
    END,
    ENTER,
    ESCAPE,
    LEFT,
    OTHER_KEY,
    PAGE_DOWN,
    PAGE_UP,
    PASTED,
    REDRAW,
)
from skactive.labeling.terminal._labeler import Labeler
from skactive.labeling.terminal._viewer import UnopenedFileError
from skactive.strategies import Random

ROWS = [f"text {i}" for i in range(12)]


class FakeConsole:
    """Gives keys from a script, and keeps what was shown."""

    color = False

    def __init__(self, script, keys=True, size=(80, 24)):
        self._script, self.reads_keys, self._size = list(script), keys, size
        self.shown = []
        self.now = 0.0

    def size(self):
        return self._size

    def clock(self):
        return self.now

    def show(self, text, *, clear=False):
        self.shown.append(text)

    def read(self):
        """Return the next key a second after the last; a number is another pause before it."""
        pause = self._script.pop(0) if self._script and isinstance(self._script[0], float) else 1.0
        self.now += pause
        return self._script.pop(0) if self._script else END

    def ask(self, question, hint=None, typed="", redraw=None):
        self.shown.append(f"{question} {hint(typed) if hint else ''}")
        return typed + self.read()


@pytest.fixture
def label():
    """Play a script; return the answers, what was shown, and the session."""
    sessions = []

    def play(
        *script,
        keys=True,
        classes=("good", "bad"),
        multilabel=False,
        session=None,
        size=(80, 24),
        content=lambda row: row[0],
        audit_share=0.0,
        **more,
    ):
        if session is None:
            session = LabelingSession(
                ActiveLearner(DummyClassifier(), Random(), random_state=0),
                ROWS,
                classes=classes,
                multilabel=multilabel,
                audit_share=audit_share,
                background=False,
                random_state=0,
            )
            sessions.append(session)
        console = FakeConsole(script, keys, size)
        Labeler(session, console, "ann", content, clock=console.clock, **more).run()
        answers = [(r["kind"], r["label"]) for r in session.records()]
        return answers, console.shown, session

    yield play
    for session in sessions:
        session.close()


def row_of(shown):
    return re.search(r"^row r?(\d+)", shown, re.MULTILINE)[1]


def flat(shown):
    """Return a screen as one line."""
    return " ".join(shown.split())


def test_a_key_labels_and_the_next_item_comes(label):
    answers, shown, session = label("1", "2", "1")
    assert answers == [("label", "good"), ("label", "bad"), ("label", "good")]
    assert len({row_of(each) for each in shown}) == 4
    assert f"text {row_of(shown[0])}" in shown[0]
    assert "3 of 12 labeled" in shown[3]
    assert "1 good 2   2 bad 1" in shown[3]
    assert f"Row {row_of(shown[2])}: good." in shown[3]
    record = session.records()[0]
    assert record["annotator"] == "ann"
    assert record["seconds"] >= 0
    assert record["ticket"] is not None


def test_skip_and_dont_know(label):
    answers, shown, _ = label("s", "d", "q", "1")
    assert answers == [("skip", None), ("unknown", None)]
    assert len({row_of(each) for each in shown}) == 3


def test_undo_shows_the_row_again_and_then_what_was_there(label):
    answers, shown, _ = label("1", "u", "2", "q")
    assert answers == [("label", "bad")]
    assert row_of(shown[2]) == row_of(shown[0])
    assert "Undone: labeled good." in shown[2]
    assert row_of(shown[3]) == row_of(shown[1])


def test_undo_of_all_and_once_more(label):
    answers, shown, _ = label("1", "s", "u", "u", "u")
    assert answers == []
    assert "Undone: skipped." in shown[3]
    assert "There is nothing to undo." in shown[5]
    assert row_of(shown[4]) == row_of(shown[0])


def test_undo_of_a_change_brings_back_what_was_said_first(label):
    answers, shown, _ = label("1", "b", "2", "u")
    assert answers == [("label", "good")]
    assert "answered: good" in shown[-1]


def test_back_changes_what_was_said(label):
    answers, shown, session = label("1", "1", "b", "b", "2")
    assert sorted(answers) == [("label", "bad"), ("label", "good")]
    assert row_of(shown[4]) == row_of(shown[0])
    assert "answered: good" in shown[4]
    assert row_of(shown[5]) == row_of(shown[2])  # what was on the screen before comes again
    assert session.progress().n_labeled == 2


@pytest.mark.parametrize("key", [ENTER, ESCAPE, "\x1b[C"])
def test_back_and_away_changes_nothing(label, key):
    answers, shown, session = label("1", LEFT, key)
    assert answers == [("label", "good")]
    assert row_of(shown[3]) == row_of(shown[1])
    assert len([e for e in session.store.events() if e.kind == "label"]) == 1


def test_back_at_the_beginning(label):
    _, shown, _ = label("b")
    assert "You have no earlier answer." in shown[-1]


def test_back_reaches_what_was_said_in_another_sitting(label):
    _, _, session = label("1", "q")
    _, shown, _ = label("b", "2", "q", session=session)
    assert "answered: good" in shown[1]
    assert [r["label"] for r in session.records()] == ["bad"]


def test_a_prediction_is_shown_on_demand_only(label):
    _, shown, _ = label("?", "1", "2", "?")
    assert "There is no model yet to suggest a class." in shown[1]
    assert [("The model suggests" in each) for each in shown] == [False, False, False, False, True]
    assert "good 50 %" in shown[-1]
    assert "bad 50 %" in shown[-1]


def test_a_new_class(label):
    answers, shown, session = label("n", "ugly", "3", "n", "good", "n", "", "n", "a\x07b")
    assert answers == [("label", "ugly")]
    assert session.classes == ["good", "bad", "ugly"]
    assert any("Class 'good' exists already." in each for each in shown)
    assert "must be one line of 1 to 200 printable characters" in flat(shown[-1])


def test_search_by_the_beginning_of_a_name(label):
    answers, shown, _ = label("/", "ba", "g", "o", "/", "x", "/", "")
    assert answers == [("label", "bad"), ("label", "good")]
    assert any("No class matches 'x'." in each for each in shown)


@pytest.mark.parametrize("key", ["9", "z", "x", OTHER_KEY, PASTED, BACKSPACE, ENTER, REDRAW, "\t"])
def test_a_key_that_means_nothing_stores_nothing(label, key):
    answers, shown, _ = label(key, classes=("good", "bad"))
    assert answers == []
    assert row_of(shown[0]) == row_of(shown[1])


def test_names_of_keys_are_no_classes(label):
    """Else the arrow to the left, or pasted text, would answer."""
    classes = ("left", "enter", "unknown", "escape", "eof")
    answers, _, _ = label(LEFT, ENTER, OTHER_KEY, ESCAPE, PASTED, classes=classes)
    assert answers == []
    answers, _, _ = label("left", "enter", "unknown", "eof", classes=classes, keys=False)
    assert [each for _, each in answers] == ["left", "enter", "unknown", "eof"]


def test_lines(label):
    answers, shown, _ = label("good", "ba", "BAD", "1", "", "x", "skip", "undo", "s", keys=False)
    assert answers == [
        *[("label", each) for each in ("good", "bad", "bad", "good")],
        ("skip", None),
    ]
    assert any("'x' is not a key here" in each for each in shown)


def test_a_line_that_may_be_two_classes(label):
    answers, shown, _ = label("b", "ba", keys=False, classes=("bad", "banal"))
    assert answers == []
    assert "'ba' may be bad, banal: type more of it." in shown[-1]


def test_all_labeled(label):
    answers, shown, _ = label(*"1" * 12, "1", "s", "u", "2")
    assert [each for _, each in answers] == ["good"] * 11 + ["bad"]
    assert "There is nothing left to label. Thank you!" in shown[12]
    assert "No row is shown: undo, go back, or quit." in shown[13]
    assert "There is nothing left to label. Thank you!" not in shown[15]


def test_what_others_have_is_told(label):
    _, _, session = label("1")
    session.next_batch(11, annotator="ben")
    _, shown, _ = label("1", session=session)
    assert "left except those that others are labeling now." in flat(shown[-1])


def test_several_classes(label):
    answers, shown, _ = label("1", "2", "1", "3", ENTER, ENTER, "-", "b", multilabel=True,
                              classes=("a1", "b2", "c3"))  # fmt: skip
    assert answers == [("label", ["b2", "c3"]), ("label", [])]
    assert "1 [x] a1   2 [ ] b2" in shown[1]
    assert "Pick classes first, or press None (-)." in shown[6]
    assert "answered: none" in shown[8]


def test_several_classes_by_lines(label):
    answers, shown, _ = label(
        "1, c3", "a x", "", keys=False, multilabel=True, classes=("aa", "bb", "c3")
    )
    assert answers == [("label", ["aa", "c3"])]
    assert any("'x' is not one class: nothing was stored." in each for each in shown)


def test_an_answer_that_cannot_be_stored_is_told_and_the_row_stays(label, monkeypatch):
    _, _, session = label()
    real, calls = session.submit, []

    def full(*args, **kwargs):
        calls.append(args)
        if len(calls) == 1:
            raise StoreError("the disk is full")
        return real(*args, **kwargs)

    monkeypatch.setattr(session, "submit", full)
    answers, shown, _ = label("1", "2", session=session)
    assert "the disk is full" in shown[1]
    assert row_of(shown[0]) == row_of(shown[1])
    assert answers == [("label", "bad")]


def test_an_answer_stays_in_view_if_no_next_row_can_be_had(label, monkeypatch):
    _, _, session = label()
    real, calls = session.next_batch, []

    def fail_once(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise StoreError("the disk is full")
        return real(*args, **kwargs)

    monkeypatch.setattr(session, "next_batch", fail_once)
    answers, shown, _ = label("1", ENTER, session=session)
    assert "the disk is full" in shown[1]
    assert "answered: good" in shown[1]
    assert row_of(shown[2]) != row_of(shown[1])
    assert answers == [("label", "good")]


# Several classes per row ------------------------------------------------------------------------


def test_enter_with_nothing_picked_stores_nothing(label):
    classes = ("a1", "b2", "-")  # the key of "none" moves
    answers, shown, _ = label(ENTER, "s", "1", ENTER, "b", "1", ENTER, multilabel=True,
                              classes=classes)  # fmt: skip
    assert answers == [("skip", None), ("label", ["a1"])]
    assert "Pick classes first, or press None (!)." in shown[1]
    assert "Pick classes first, or press None (!)." in shown[7]  # a picked one was put off again
    assert "answered: a1" in shown[7]


def test_enter_keeps_an_answer_of_none(label):
    answers, shown, _ = label("-", "b", ENTER, multilabel=True)
    assert answers == [("label", [])]
    assert row_of(shown[3]) == row_of(shown[1])


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("not sure", ["not sure"]),
        ("not", ["not sure"]),
        ("not sure, bad", ["not sure", "bad"]),
        ('"yes, please", bad', ["yes, please", "bad"]),
        ("yes, please", ["yes, please"]),
        ("1 3 3", ["not sure", "bad"]),
    ],
)
def test_names_with_spaces_and_commas_by_lines(label, line, labels):
    classes = ("not sure", "yes, please", "bad")
    answers, _, _ = label(line, keys=False, multilabel=True, classes=classes)
    assert answers == [("label", sorted(labels))]


def test_words_of_commands_are_no_beginnings_of_classes(label):
    answers, _, _ = label("skip", "Undone", "undo", "Skip", keys=False,
                          classes=("undone", "skipper"))  # fmt: skip
    assert [kind for kind, _ in answers] == ["skip", "skip"]
    answers, _, _ = label("skip", keys=False, classes=("skip", "other"))
    assert answers == [("label", "skip")]


# Keys that repeat -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["1", "s", "d"])
def test_a_key_that_bounces_answers_once(label, key):
    answers, shown, _ = label(key, 0.05, key, 0.14, key, 0.14, key, "2")
    assert len(answers) == 2
    assert len(shown) == 3  # what bounced changes nothing on the screen


def test_undo_that_bounces_takes_one_answer_back(label):
    answers, _, _ = label("1", "2", "u", 0.05, "u")
    assert answers == [("label", "good")]


def test_keys_typed_ahead_answer(label):
    answers, _, _ = label("1", 0.0, "2", 0.0, "1", 0.0, "s", 0.0, "d", 0.0, "1")
    assert len(answers) == 6


def test_the_same_key_after_a_pause_answers(label):
    answers, _, _ = label("1", 0.2, "1", 0.2, "1")
    assert len(answers) == 3


def test_lines_never_bounce(label):
    answers, _, _ = label("good", 0.0, "good", 0.0, "good", keys=False)
    assert len(answers) == 3


# Screens ----------------------------------------------------------------------------------------

LONG = "\n".join(f"line {i}" for i in range(1, 61))


def lines_in(shown):
    return [int(number) for number in re.findall(r"^line (\d+)$", shown, re.MULTILINE)]


def test_a_long_row_comes_page_by_page(label):
    _, shown, _ = label("m", " ", PAGE_UP, PAGE_UP, *[PAGE_DOWN] * 9, "m", "1",
                        content=lambda row: LONG)  # fmt: skip
    assert max(each.count("\n") + 1 for each in shown) <= 23
    first, second, third = map(lines_in, shown[:3])
    assert first[0] == 1
    assert second[0] == first[-1] + 1
    assert third[0] == second[-1] + 1
    assert lines_in(shown[3]) == second
    assert lines_in(shown[4]) == first
    assert lines_in(shown[13])[-1] == 60
    assert lines_in(shown[14])[0] == 1  # after the end comes the beginning
    assert f"lines {second[0]}-{second[-1]} of 60" in shown[1]
    assert lines_in(shown[15])[0] == 1


def test_a_row_that_fits_has_no_pages(label):
    _, shown, _ = label("m", PAGE_DOWN, PAGE_UP, " ", content=lambda row: "short")
    assert "m more" not in shown[0]
    assert all("Everything is on the screen." in each for each in shown[1:])
    assert "lines 1" not in shown[0]


def test_long_rows_are_printed_where_lines_are_read(label):
    _, shown, _ = label("m", keys=False, content=lambda row: "x\n" * 500)
    assert "… 301 more lines" in shown[0]
    assert shown[1].count("\nx") >= 500
    _, shown, _ = label(keys=False, content=lambda row: LONG)
    assert lines_in(shown[0]) == list(range(1, 61))


def test_help_lists_all_keys_and_any_key_closes_it(label):
    answers, shown, _ = label("m", "h", "m", "1", "2", content=lambda row: LONG, size=(80, 16))
    assert "Keys · lines 1-" in shown[2]
    listed = shown[2] + shown[3]
    for text in ("1      good", "2      bad", "undo: take back your last answer", "merge it into"):
        assert text in listed
    assert lines_in(shown[4]) == lines_in(shown[1])  # where the row was left
    assert answers == [("label", "bad")]
    _, shown, _ = label("h", "q", "1", classes=("h", "q"))
    assert "H" in shown[0]
    _, shown, _ = label("h", keys=False)
    assert "undo: take back" in shown[1]
    assert row_of(shown[2]) == row_of(shown[0])


def test_classes_that_others_add_and_remove_follow(label, monkeypatch):
    _, _, session = label()
    names = iter([["good", "bad"], ["good", "bad", "new"], ["good", "new"]])
    monkeypatch.setattr(type(session), "classes", property(lambda _: next(names)))
    _, shown, _ = label("x", "x", session=session, declared=["good", "bad"])
    assert "1 good   2 bad\n" in shown[0]
    assert "1 good   2 bad   3 new\n" in shown[1]
    assert "1 good   3 new\n" in shown[2]


def test_keys_that_move_are_told(label):
    answers, shown, _ = label("n", "1", "1", "2", "3")
    added = next(screen for screen in shown if "Class 1 added." in screen)
    assert "3 good   2 bad   1 1\n" in added
    assert "Class 1 added. The key 1 now means 1; good has the key 3." in flat(added)
    assert sum("now means" in screen for screen in shown) == 1
    assert answers == [("label", "1"), ("label", "bad"), ("label", "good")]


def test_counts_include_the_answer_just_given(label):
    _, _, session = label()
    batch = session.next_batch(1, annotator="ben")
    session.submit({batch.ids[0]: "bad"}, ticket=batch.ticket, annotator="ben")
    _, shown, _ = label("1", "u", "2", session=session)
    assert "1 of 12 labeled\n" in shown[0]
    assert "2 of 12 labeled · 1 by you\n" in shown[1]
    assert "1 of 12 labeled\n" in shown[2]
    assert "2 of 12 labeled · 1 by you\n" in shown[3]


# Classes that change ----------------------------------------------------------------------------


def test_a_class_is_renamed_and_merged(label):
    answers, shown, session = label("1", "b", "e", "goood", "good", ENTER, "e", "good", "bad", "y",
                                    classes=("goood", "bad"))  # fmt: skip
    renamed = next(each for each in shown if "Class goood with its 1 label is good now." in each)
    assert "answered: good\n" in renamed
    assert "Class good with its 1 label was merged into bad." in shown[-1]
    assert answers == [("label", "bad")]
    assert session.classes == ["bad"]


def test_commands_that_need_no_row(label):
    _, shown, _ = label(*"1" * 12, "h", "x", "e", "", "s")
    assert "Keys" in shown[13]
    assert "There is nothing left to label" in shown[14]
    assert "No row is shown" in shown[-1]


# Files ------------------------------------------------------------------------------------------


class FakeViewer:
    """Opens all files but those that are broken; the program of some fails later."""

    def __init__(self, broken=(), failing=False):
        self.opened, self._broken, self._failing = [], broken, failing

    def open(self, row):
        self.opened.append(row[0])
        if len(self.opened) - 1 in self._broken:
            raise UnopenedFileError("The file could not be opened: it is empty.")
        return "Shown elsewhere."

    def check(self):
        if self._failing:
            raise UnopenedFileError("its program failed")


@pytest.mark.parametrize("key", ["o", "p"])
def test_files_are_opened_elsewhere(label, key):
    viewer = FakeViewer()
    answers, shown, _ = label(key, "1", "q", viewer=viewer)
    assert viewer.opened[0] == viewer.opened[1] != viewer.opened[2]
    assert "Shown elsewhere." in shown[2]
    assert "o, p open" in shown[0]
    assert answers == [("label", "good")]


def test_a_file_that_was_not_opened_needs_the_key_twice(label):
    answers, shown, _ = label("1", 0.05, "1", "1", "2", viewer=FakeViewer({0}))
    assert "The file could not be opened: it is empty." in shown[0]
    assert "Press again to label it anyway." in shown[1]
    assert row_of(shown[1]) == row_of(shown[0])
    assert len(shown) == 4  # a key that bounces does not confirm
    assert answers == [("label", "good"), ("label", "bad")]


def test_a_file_that_was_not_opened_may_be_skipped_or_opened_again(label):
    answers, _, _ = label("s", "2", viewer=FakeViewer({0}))
    assert answers == [("skip", None), ("label", "bad")]
    answers, _, _ = label("o", "2", viewer=FakeViewer({0}))
    assert answers == [("label", "bad")]


def test_a_program_that_fails_needs_the_key_twice(label):
    answers, shown, _ = label("1", "2", "2", viewer=FakeViewer(failing=True))
    assert "The file could not be opened. Press again to label it anyway." in shown[1]
    assert answers == [("label", "bad")]


# Texts of strangers -----------------------------------------------------------------------------

HOSTILE = "a\x1b[2J\u202eb\u200f\x9bc" + "\u0301" * 500


@pytest.mark.parametrize("keys", [True, False])
def test_nothing_that_people_type_reaches_the_terminal_raw(label, keys):
    session = LabelingSession(
        ActiveLearner(DummyClassifier(), Random(), random_state=0),
        [HOSTILE] * 4,
        ids=[f"{i}{HOSTILE}" for i in range(4)],
        classes=[HOSTILE, "other"],
        background=False,
        random_state=0,
    )
    script = ["1", "b", "u", "2", "1", "?", "h", "x", "/" + HOSTILE, HOSTILE, "e", HOSTILE, ""]
    with session:
        _, shown, _ = label(*script, keys=keys, session=session, title=HOSTILE,
                            content=lambda row: [(HOSTILE, HOSTILE)])  # fmt: skip
    text = "".join(shown)
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "\u0301" * 9 not in text
    assert "a␛[2J" in text
