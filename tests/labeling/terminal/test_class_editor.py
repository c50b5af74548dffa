"""Questions about classes, with answers of the test."""

import pytest

from skactive.exceptions import LabelError
from skactive.labeling._keys import Keys
from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._class_editor import ClassEditor


class FakeSession:
    """Remembers which classes it was asked to change."""

    def __init__(self):
        self.changes = []

    def progress(self):
        return Progress(9, 3, 0, 0, 0, 0, 0, classes={"goood": 1, "bad": 2})

    def add_class(self, name):
        self.changes.append(name)

    def rename_class(self, old, new, *, annotator=None, key=None):
        self.changes.append((old, new, annotator))


@pytest.fixture
def editor():
    """Return an editor that gets the answers of the attribute `answers`."""
    keys = Keys(["goood", "bad", "good", "s"])
    editor = ClassEditor(FakeSession(), keys, "ann", lambda question, hint=None, typed="": (
        editor.questions.append(f"{question} {hint(typed) if hint else ''}")
        or editor.answers.pop(0)
    ))  # fmt: skip
    editor.keys, editor.questions = keys, []
    return editor


def test_a_class_is_renamed_and_keeps_its_key(editor):
    editor.answers = ["bad", "worse"]
    assert editor.edit() == ("bad", "worse", "Class bad with its 2 labels is worse now.")
    assert editor._session.changes == [("bad", "worse", "ann")]
    assert editor.keys.names == ["goood", "worse", "good", "s"]
    assert editor.keys.classes["2"] == "worse"


def test_a_class_is_merged_after_a_question(editor):
    editor.answers = ["1", "good", "y"]  # by its key
    message = "Class goood with its 1 label was merged into good."
    assert editor.edit() == ("goood", "good", message)
    assert "Merge goood with its 1 label into good? y or n:" in editor.questions[2]
    assert editor._session.changes == [("goood", "good", "ann")]
    assert editor.keys.names == ["bad", "good", "s"]
    assert editor.keys.classes == {"2": "bad", "3": "good", "s": "s"}


@pytest.mark.parametrize(
    "answers", [[""], ["bad", ""], ["bad", "bad"], ["bad", "good", ""], ["bad", "good", "n"]]
)
def test_a_question_that_is_dismissed_changes_nothing(editor, answers):
    editor.answers = answers
    assert editor.edit() is None
    assert editor._session.changes == []
    assert editor.keys.names == ["goood", "bad", "good", "s"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (["none"], "No class matches 'none'"),
        (["goo"], "'goo' may be goood, good: type more of it"),
        (["bad", "a\x07"], "printable"),
        (["bad", "x" * 201], "1 to 200"),
    ],
)
def test_a_name_that_cannot_be_used_changes_nothing(editor, answers, message):
    editor.answers = answers
    with pytest.raises(LabelError, match=message):
        editor.edit()
    assert editor._session.changes == []


def test_a_session_that_refuses_leaves_the_keys(editor, monkeypatch):
    def refuse(*_, **__):
        raise LabelError("no")

    monkeypatch.setattr(editor._session, "rename_class", refuse)
    editor.answers = ["bad", "worse"]
    with pytest.raises(LabelError):
        editor.edit()
    assert editor.keys.classes["2"] == "bad"


def test_names_in_questions_are_short_and_harmless(editor):
    name = "\x1b[2J" + "x" * 100
    editor.keys.add(name)
    editor.answers = [name, "good", "n"]
    editor.edit()
    assert editor.questions[1].startswith("New name of ␛[2Jxxxxxxxxxxxxxxx…, or a class")
    assert all(question.isprintable() for question in editor.questions)


def test_a_class_is_found_by_any_part_of_its_name(editor):
    editor.answers = ["AD"]
    assert editor.find("Class:") == "bad"
    editor.answers = ["oo"]
    with pytest.raises(LabelError, match="'oo' may be goood, good"):
        editor.find("Class:")


def test_a_new_class(editor):
    editor.answers = ["yes, please", "bad", ""]
    assert editor.add() == "Class yes, please added."
    assert editor.keys.classes["4"] == "yes, please"
    with pytest.raises(LabelError, match="exists already"):
        editor.add()
    assert editor.add() == ""
    assert editor._session.changes == ["yes, please"]
