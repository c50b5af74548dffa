"""Numbers in the terminal: a line is a number; a digit begins a line on consoles of keys."""

import re

import numpy as np
import pytest
from number_cases import READ, REFUSED
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.terminal._console import END, ENTER, LEFT, PASTED
from skactive.labeling.terminal._labeler import Labeler
from skactive.labeling.terminal._suggestion import describe_suggestion
from skactive.strategies import Random

X = np.arange(24.0).reshape(12, 2)


class FakeConsole:
    """Gives lines or keys from a script, and keeps what was shown."""

    color = False

    def __init__(self, script, keys):
        self._script, self.reads_keys, self.shown, self.asked, self.now = (
            [*script],
            keys,
            [],
            [],
            0.0,
        )

    def size(self):
        return 80, 24

    def show(self, text, *, clear=False):
        self.shown.append(text)

    def read(self):
        """Return the next key a second after the last; a number is another pause before it."""
        pause = self._script.pop(0) if self._script and isinstance(self._script[0], float) else 1.0
        self.now += pause
        return self._script.pop(0) if self._script else END

    def ask(self, question, hint=None, typed="", redraw=None):
        self.asked.append(f"{question} {typed}")
        line = self.read()
        return "" if line == "drop" else typed + line


@pytest.fixture
def open_session():
    """Return a function that opens a session of numbers on a store of its own."""
    sessions = []

    def make(model=None, **options):
        learner = ActiveLearner(LinearRegression() if model is None else model, Random())
        options = {"background": False, "random_state": 0, **options}
        sessions.append(LabelingSession(learner, X, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def label(open_session):
    """Play a script; return the labels in order, and what was shown."""

    def play(*script, keys=False, session=None, **options):
        session = open_session(**options) if session is None else session
        console = FakeConsole(script, keys)
        Labeler(session, console, "ann", str, clock=lambda: console.now).run()
        return [r["label"] for r in session.records() if r["kind"] == "label"], console

    return play


@pytest.mark.parametrize(("text", "number"), READ.items())
def test_a_line_is_a_number(label, text, number):
    labels, _ = label(text.strip())
    assert labels == [number]
    assert str(labels[0]) == str(number)


@pytest.mark.parametrize("text", [t for t in REFUSED if t.strip() and t != "-"])
def test_a_line_that_is_no_number_is_refused(label, text):
    labels, console = label(text)
    assert labels == []
    words = REFUSED[text].split(":")[0]
    assert words in " ".join(console.shown[-1].split())


def test_minus_alone_is_no_command(label):
    labels, console = label("-", "-1")
    assert labels == [-1]
    assert "'-' is not a number" in console.shown[1]


def test_words_and_keys_of_commands_stay(label):
    labels, console = label("5", "undo", "6", "skip", "s", "d", "7", "back", "8", "quit", "9")
    assert labels == [6, 8]
    assert "Undone: labeled 5." in console.shown[2]
    assert "answered: 7" in console.shown[8]


@pytest.mark.parametrize("line", ["n", "e", "new class", "edit classes", "none", "search", "/"])
def test_commands_of_classes_are_not_there(label, line):
    labels, console = label(line)
    assert labels == []
    assert "is not a number" in " ".join(console.shown[-1].split())
    assert not re.search("class", console.shown[0])


def test_an_empty_line_asks_for_a_number_or_keeps_one(label):
    labels, console = label("", "4", "b", "", "5")
    assert "Type a number." in console.shown[1]
    assert labels == [4, 5]
    assert "Enter keep the answer" in console.shown[3]


def test_the_range_is_shown_and_kept(label):
    labels, console = label("101", "100", value_range=(0, 100))
    assert labels == [100]
    assert "0-9 number from 0 to 100" in console.shown[0]
    assert "out of range" in console.shown[1]


def test_a_digit_begins_a_line_on_a_console_of_keys(label):
    labels, console = label("4", "2", "-", "1.5", ".", "5", "3", "drop", "8", "x", keys=True)
    assert console.asked == ["Number: 4", "Number: -", "Number: .", "Number: 3", "Number: 8"]
    assert labels == [42, -1.5, 0.5]
    assert "'8x' is not a number" in console.shown[-1]


def test_keys_remain_commands_on_a_console_of_keys(label):
    labels, console = label("s", "1", "0", LEFT, ENTER, "q", keys=True)
    assert labels == [10]
    assert len(console.asked) == 1
    assert "answered: 10" in console.shown[3]


def test_keys_that_begin_no_number_and_pasted_text_are_refused(label):
    labels, console = label("x", PASTED, ENTER, keys=True)
    assert labels == []
    assert "'x' is not a key here. Type a number." in console.shown[1]
    assert "nothing was stored" in console.shown[2]
    assert "Type a number." in console.shown[3]


def test_an_enter_that_bounces_is_ignored_and_equal_digits_are_not(label):
    labels, console = label("1", "0", 0.05, ENTER, 0.05, "1", 0.05, "1", keys=True)
    assert labels == [10, 11]
    assert not any("Type a number." in shown for shown in console.shown)


def test_help_explains_numbers(label):
    _, console = label("h", keys=True)
    text = " ".join(console.shown[1].split())
    assert "0-9 begin a number, which Enter stores and Esc drops" in text
    assert "class" not in text
    _, console = label("help")
    assert "after a key, or after a number" in " ".join(console.shown[1].split())


def test_a_session_is_continued_by_another(label, open_session, tmp_path):
    store = str(tmp_path / "labels.db")
    with open_session(store=store) as session:
        label("1", "2", session=session)
    with open_session(store=store) as session:
        labels, console = label("back", "2.5", "u", "3", session=session)
        assert "answered: 2" in console.shown[1]
        assert labels == [1, 3]


def test_suggestions_have_the_deviation_of_the_model(open_session):
    known = {i: 10.0 * i for i in range(10)}
    session = open_session(RandomForestRegressor(20, random_state=0), labels=known)
    session.wait()
    members = [tree.predict(X[5:6])[0] for tree in session.learner.estimator_.estimators_]
    said = describe_suggestion(session, 5)
    number, deviation = re.fullmatch(
        r"The model predicts ([\d.]+) \(standard deviation ([\d.]+)\)\.", said
    ).groups()
    assert abs(float(number) - np.mean(members)) < 0.1
    assert abs(float(deviation) - np.std(members)) < 0.1


def test_suggestions_without_a_deviation_and_without_a_model(open_session):
    session = open_session(labels={0: 0.0, 1: 2.0, 2: 4.0})
    assert describe_suggestion(session, 3) == "The model predicts 6."
    assert describe_suggestion(open_session(), 3) == "There is no model yet to predict a number."
