"""The labeler: what each key does, on a fake console."""

import re

import pytest
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.terminal._console import (
    BACKSPACE,
    END,
    ENTER,
    ESCAPE,
    LEFT,
    PASTED,
    REDRAW,
    UNKNOWN,
)
from skactive.labeling.terminal._labeler import Labeler
from skactive.strategies import Random

ROWS = [f"text {i}" for i in range(12)]


class FakeConsole:
    """Gives keys from a script, and keeps what was shown."""

    color = False

    def __init__(self, script, keys=True):
        self._script, self.reads_keys = list(script), keys
        self.shown = []

    def size(self):
        return 80, 24

    def show(self, text, *, clear=False):
        self.shown.append(text)

    def read(self):
        return self._script.pop(0) if self._script else END

    def ask(self, question, hint=None, typed=""):
        self.shown.append(f"{question} {hint(typed) if hint else ''}")
        return typed + self.read()


@pytest.fixture
def label():
    """Play a script; return the answers, what was shown, and the session."""
    sessions = []

    def play(*script, keys=True, classes=("good", "bad"), multilabel=False, session=None, **more):
        if session is None:
            session = LabelingSession(
                ActiveLearner(DummyClassifier(), Random(), random_state=0),
                ROWS,
                classes=classes,
                multilabel=multilabel,
                background=False,
                random_state=0,
            )
            sessions.append(session)
        console = FakeConsole(script, keys)
        Labeler(session, console, "ann", lambda row: row[0], **more).run()
        answers = [(r["kind"], r["label"]) for r in session.records()]
        return answers, console.shown, session

    yield play
    for session in sessions:
        session.close()


def row_of(shown):
    return re.search(r"^row r?(\d+)", shown, re.MULTILINE)[1]


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
    assert "Undone: good." in shown[2]
    assert row_of(shown[3]) == row_of(shown[1])


def test_undo_of_all_and_once_more(label):
    answers, shown, _ = label("1", "s", "u", "u", "u")
    assert answers == []
    assert "Undone: skipped." in shown[3]
    assert "You have no answer to undo." in shown[5]
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
    assert "No prediction yet: " in shown[1]
    assert [("Prediction:" in each) for each in shown] == [False, False, False, False, True]
    assert "good 50 %" in shown[-1]
    assert "bad 50 %" in shown[-1]


def test_a_new_class(label):
    answers, shown, session = label("n", "ugly", "3", "n", "good", "n", "", "n", "a,b")
    assert answers == [("label", "ugly")]
    assert session.classes == ["good", "bad", "ugly"]
    assert any("Class 'good' exists already." in each for each in shown)
    assert any("A class name must be printable and have no comma." in each for each in shown)


def test_search_by_the_beginning_of_a_name(label):
    answers, shown, _ = label("/", "ba", "g", "o", "/", "x", "/", "")
    assert answers == [("label", "bad"), ("label", "good")]
    assert any("Unknown class 'x'." in each for each in shown)


@pytest.mark.parametrize("key", ["9", "z", "x", UNKNOWN, PASTED, BACKSPACE, ENTER, REDRAW, "\t"])
def test_a_key_that_means_nothing_stores_nothing(label, key):
    answers, shown, _ = label(key, classes=("good", "bad"))
    assert answers == []
    assert row_of(shown[0]) == row_of(shown[1])


def test_names_of_keys_are_no_classes(label):
    """Else the arrow to the left, or pasted text, would answer."""
    classes = ("left", "enter", "unknown", "escape", "eof")
    answers, _, _ = label(LEFT, ENTER, UNKNOWN, ESCAPE, PASTED, classes=classes)
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
    assert "No rows are left to label." in shown[12]
    assert "No row is shown: undo, go back, or quit." in shown[13]
    assert "No rows are left to label." not in shown[15]


def test_what_others_have_is_told(label):
    _, _, session = label("1")
    session.next_batch(11, annotator="ben")
    _, shown, _ = label("1", session=session)
    assert "left except those that others are labeling now." in " ".join(shown[-1].split())


def test_several_classes(label):
    answers, shown, _ = label("1", "2", "1", "3", ENTER, ENTER, "-", "b", multilabel=True,
                              classes=("a1", "b2", "c3"))  # fmt: skip
    assert answers == [("label", ["b2", "c3"]), ("label", [])]
    assert "1 [x] a1   2 [ ] b2" in shown[1]
    assert "press the key of none" in shown[6]
    assert "answered: none of the classes" in shown[8]


def test_several_classes_by_lines(label):
    answers, shown, _ = label(
        "1, c3", "a x", "", keys=False, multilabel=True, classes=("aa", "bb", "c3")
    )
    assert answers == [("label", ["aa", "c3"])]
    assert any("'x' is not one class: nothing was stored." in each for each in shown)


def test_an_answer_that_cannot_be_stored_is_told_and_the_row_stays(label, monkeypatch):
    from skactive.exceptions import StoreError

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


def test_files_are_opened_elsewhere(label):
    opened = []

    def view(row):
        opened.append(row[0])
        return "Shown elsewhere."

    _, shown, _ = label("o", "1", "q", viewer=view)
    assert opened[0] == opened[1] != opened[2]
    assert "Shown elsewhere." in shown[2]
