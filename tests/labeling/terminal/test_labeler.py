"""The terminal: what each key does, what is shown, and a real one from the first key to kill -9."""

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

import pytest
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.cli import main
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.labeling._session import Progress
from skactive.labeling.terminal._console import (
    BACKSPACE,
    END,
    ENTER,
    ESCAPE,
    LEFT,
    PASTED,
    REDRAW,
    STRANGE,
    PosixConsole,
    Signals,
    StoppedError,
)
from skactive.labeling.terminal._keys import Keys
from skactive.labeling.terminal._labeler import Labeler
from skactive.labeling.terminal._screen import Screen, drawn, item_lines
from skactive.labeling.terminal._text import harmless, width_of, wrapped
from skactive.strategies import Random

ROWS = [f"text {i}" for i in range(12)]


# A fake terminal --------------------------------------------------------------------------------


class FakeConsole:
    """Gives keys from a script, and keeps what was shown."""

    color = False

    def __init__(self, script, keys=True):
        self._script, self.keys = list(script), keys
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
    answers, shown, _ = label("s", "?", "q", "1")
    assert answers == [("skip", None), ("unknown", None)]
    assert len({row_of(each) for each in shown}) == 3


def test_undo_shows_the_row_again_and_then_what_was_there(label):
    answers, shown, _ = label("1", "u", "2", "q")
    assert answers == [("label", "bad")]
    assert row_of(shown[2]) == row_of(shown[0])
    assert "Taken back: good." in shown[2]
    assert row_of(shown[3]) == row_of(shown[1])


def test_undo_of_all_and_once_more(label):
    answers, shown, _ = label("1", "s", "u", "u", "u")
    assert answers == []
    assert "Taken back: skipped." in shown[3]
    assert "There is nothing of yours to take back." in shown[5]
    assert row_of(shown[4]) == row_of(shown[0])


def test_undo_of_a_change_brings_back_what_was_said_first(label):
    answers, shown, _ = label("1", "b", "2", "u")
    assert answers == [("label", "good")]
    assert "again: it is good" in shown[-1]


def test_back_changes_what_was_said(label):
    answers, shown, session = label("1", "1", "b", "b", "2")
    assert sorted(answers) == [("label", "bad"), ("label", "good")]
    assert row_of(shown[4]) == row_of(shown[0])
    assert "again: it is good" in shown[4]
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
    assert "You have labeled nothing before this." in shown[-1]


def test_back_reaches_what_was_said_in_another_sitting(label):
    _, _, session = label("1", "q")
    _, shown, _ = label("b", "2", "q", session=session)
    assert "again: it is good" in shown[1]
    assert [r["label"] for r in session.records()] == ["bad"]


def test_a_prediction_is_shown_on_demand_only(label):
    _, shown, _ = label("p", "1", "2", "p")
    assert "No prediction yet: " in shown[1]
    assert [("Prediction:" in each) for each in shown] == [False, False, False, False, True]
    assert "good 50 %" in shown[-1]
    assert "bad 50 %" in shown[-1]


def test_a_new_class(label):
    answers, shown, session = label("n", "ugly", "3", "n", "good", "n", "", "n", "a,b")
    assert answers == [("label", "ugly")]
    assert session.classes == ["good", "bad", "ugly"]
    assert any("There is a class 'good' already." in each for each in shown)
    assert any("A name is letters without commas." in each for each in shown)


def test_search_by_the_beginning_of_a_name(label):
    answers, shown, _ = label("/", "ba", "g", "o", "/", "x", "/", "")
    assert answers == [("label", "bad"), ("label", "good")]
    assert any("No class is 'x'." in each for each in shown)


@pytest.mark.parametrize("key", ["9", "z", "x", STRANGE, PASTED, BACKSPACE, ENTER, REDRAW, "\t"])
def test_a_key_that_means_nothing_stores_nothing(label, key):
    answers, shown, _ = label(key, classes=("good", "bad"))
    assert answers == []
    assert row_of(shown[0]) == row_of(shown[1])


def test_names_of_keys_are_no_classes(label):
    """Else the arrow to the left, or pasted text, would answer."""
    classes = ("left", "enter", "unknown", "escape", "eof")
    answers, _, _ = label(LEFT, ENTER, STRANGE, ESCAPE, PASTED, classes=classes)
    assert answers == []
    answers, _, _ = label("left", "enter", "unknown", "eof", classes=classes, keys=False)
    assert [each for _, each in answers] == ["left", "enter", "unknown", "eof"]


def test_lines(label):
    answers, shown, _ = label("good", "ba", "BAD", "1", "", "x", "skip", "undo", "s", keys=False)
    assert answers == [
        *[("label", each) for each in ("good", "bad", "bad", "good")],
        ("skip", None),
    ]
    assert any("'x' is no key here" in each for each in shown)


def test_a_line_that_may_be_two_classes(label):
    answers, shown, _ = label("b", "ba", keys=False, classes=("bad", "banal"))
    assert answers == []
    assert "'ba' may be bad, banal: type more of it." in shown[-1]


def test_all_labeled(label):
    answers, shown, _ = label(*"1" * 12, "1", "s", "u", "2")
    assert [each for _, each in answers] == ["good"] * 11 + ["bad"]
    assert "Nothing is left to label." in shown[12]
    assert "Nothing is on the screen: undo, go back, or quit." in shown[13]
    assert "Nothing is left to label." not in shown[15]


def test_what_others_have_is_told(label):
    _, _, session = label("1")
    session.next_batch(11, annotator="ben")
    _, shown, _ = label("1", session=session)
    assert "left but what others are labeling now." in " ".join(shown[-1].split())


def test_several_classes(label):
    answers, shown, _ = label("1", "2", "1", "3", ENTER, ENTER, "-", "b", multilabel=True,
                              classes=("a1", "b2", "c3"))  # fmt: skip
    assert answers == [("label", ["b2", "c3"]), ("label", [])]
    assert "1 [x] a1   2 [ ] b2" in shown[1]
    assert "press the key of none" in shown[6]
    assert "again: it is none of the classes" in shown[8]


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


# Keys, text, screen -----------------------------------------------------------------------------


def test_a_digit_is_never_another_class():
    keys = Keys(["0", "1", "2", "other"])
    assert keys.classes == {"0": "0", "1": "1", "2": "2", "3": "other"}


def test_commands_give_way_to_classes_of_one_letter():
    keys = Keys(["p", "n", "q"])
    assert keys.commands["P"] == "prediction"
    assert keys.commands["Q"] == "quit"
    assert keys.classes == {"p": "p", "n": "n", "q": "q"}


def test_keys_stay_when_classes_are_added():
    keys = Keys(["a1", "b1"])
    before = dict(keys.classes)
    for name in ("s", "x", *(f"class {i}" for i in range(40))):
        keys.add(name)
    assert before.items() <= keys.classes.items()
    assert keys.commands["s"] == "skip"
    assert keys.classes["x"] == "x"
    assert not keys.classes.keys() & keys.commands.keys()
    again = Keys(["a1", "b1"], keys.names[2:])
    assert again.classes == keys.classes
    assert keys.key_of("class 39") is None
    assert keys.matches("class 39") == ["class 39"]


def test_a_name_is_found_by_its_beginning():
    keys = Keys(["Bad", "bad", "Banal", "bade"])
    assert keys.matches("bad") == ["bad"]
    assert keys.matches("BANAL") == ["Banal"]
    assert keys.matches("BAD") == ["Bad", "bad", "bade"]
    assert keys.matches("x") == []


def test_texts_of_strangers_do_nothing_to_the_terminal():
    text = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9b31me\x7f\u202ef\udc80\x00"
    safe = harmless(text)
    assert all(letter.isprintable() for letter in safe)
    assert harmless("a\tb\r\nc", lines=True) == "a   b\nc"
    assert "\n" not in harmless("a\nb")


def test_wrapped_lines_hold_all_letters_and_fit():
    text = "to be, or not to be " * 5 + "x" * 50 + "\n\n" + "表示 " * 20 + "e\u0301" * 30
    lines = wrapped(text, 20)
    assert max(map(width_of, lines)) <= 20
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert "" in lines


def test_very_long_items_are_cut_until_asked_for(label):
    lines, n_more = item_lines("line\n" * 1000, 80, whole=False)
    assert (len(lines), n_more) == (200, 801)
    assert len(item_lines("line\n" * 1000, 80, whole=True)[0]) == 1001


def test_a_row_of_a_table_is_names_and_values():
    lines, _ = item_lines([("length", "1.5"), ("b", "\x1b[2J")], 40, whole=False)
    assert lines == ["length  1.5", "b       ␛[2J"]


def test_the_screen_tells_accuracy_and_when_to_stop():
    progress = Progress(
        100, 50, 1, 0, 0, 40, 4, classes={"a\x1b": 2}, accuracy=(0.85, 0.62, 0.97),
        stop_reason="models agree", problem="ValueError: \x1b[2J",
    )  # fmt: skip
    screen = Screen("data\x1b", progress, Keys(["a\x1b"]), name="row 1", item=["x"])
    plain = drawn(screen, 60, color=False)
    assert "accuracy 85 % (62 to 97 %)" in plain
    assert "You may stop now: models agree" in plain
    assert "The last fit failed" in plain
    assert "\x1b" not in plain
    assert max(map(width_of, plain.split("\n"))) <= 60
    colored = drawn(screen, 60, color=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain != colored


def test_signals_wait_for_what_is_being_done():
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        done = True  # and nothing was raised here
        with pytest.raises(StoppedError), signals.listening():
            pytest.fail("what was asked to stop went on")
    assert done
    with Signals():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError):
            os.kill(os.getpid(), signal.SIGTERM)
    with Signals() as signals, pytest.raises(StoppedError), signals.listening():
        os.kill(os.getpid(), signal.SIGINT)


# The commands -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"r{i},some text of number {i}" for i in range(30)]
    (tmp_path / "data.csv").write_text("\n".join(["id,body", *lines, ""]))
    return tmp_path


LABEL = ["label", "data.csv", "--text", "body", "--id", "id", "--classes", "good,bad",
         "--store", "labels.db", "--annotator", "ann"]  # fmt: skip


def piped(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_label_from_a_pipe_then_status_and_export(folder, monkeypatch, capsys):
    piped(monkeypatch, "good\nbad\nskip\nn\nugly\nugly\n")
    assert main(LABEL) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    last = (
        "3 labels are in labels.db. Go on with: skactive label --resume labels.db --annotator ann"
    )
    assert out.splitlines()[-1] == last
    (folder / "data.csv").unlink()
    assert main(["status", "labels.db"]) == 0
    out = capsys.readouterr().out
    assert "Labels     3 of 30 rows, 1 skipped" in out
    assert "Classes    good 1, bad 1, ugly 1" in out
    assert "ann: 4 answers, 0.0 s each (median)" in out
    assert main(["export", "labels.db", "out.jsonl"]) == 0
    records = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [r["label"] for r in records] == ["good", "bad", None, "ugly"]
    assert all(r["id"].startswith("r") for r in records)


def test_export_and_status_are_those_of_the_session(folder, monkeypatch, capsys):
    from skactive.cli._project import open_campaign
    from skactive.cli._status import read_stored

    piped(monkeypatch, "good\nbad\nundo\ngood\n?\n" + "good\nbad\n" * 12)
    assert main([*LABEL, "--audit", "0.2"]) == 0
    capsys.readouterr()
    stored = read_stored(folder / "labels.db")
    with open_campaign({"resume": "labels.db"}, background=False) as session:
        assert session.records() == stored.records()
        one, other = session.progress(), stored.progress()
        for name in ("n_rows", "n_labeled", "n_unknown", "n_skipped", "n_in_flight", "n_learned",
                     "classes", "annotators", "accuracy", "n_rounds"):  # fmt: skip
            assert getattr(one, name) == getattr(other, name), name
        session.export("one.csv")
    assert main(["export", "labels.db", "two.csv"]) == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()
    assert main(["export", "labels.db", "x.out", "--kind", "label-studio"]) == 0
    assert len(json.loads((folder / "x.out").read_text())) == len(stored.records())
    capsys.readouterr()
    assert main(["status", "labels.db", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["n_labeled"] == one.n_labeled
    assert summary["accuracy"] == list(one.accuracy)
    assert summary["annotators"]["ann"]["answers"] == one.annotators["ann"]
    assert summary["last_model"] is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "none.db"], "there is no file none.db"),
        (["status", "data.csv"], "data.csv is not a store of labels"),
        (["export", "none.db", "out.csv"], "there is no file none.db"),
        (
            ["export", "labels.db", "out.odt"],
            "kind must be one of csv, jsonl, parquet, label",
        ),
        (["export", "labels.db", "none/out.csv"], "none/out.csv cannot be written: No such file"),
        (["export", "labels.db", "labels.db", "--kind", "csv"], "is the store itself"),
        (["label", "--resume", "none.db"], "there is no file none.db"),
        ([*LABEL, "--annotator", "a\x1b"], "--annotator: 'a\\x1b' cannot be shown"),
    ],
)
def test_mistakes_of_the_commands(folder, capsys, arguments, said):
    SQLiteLabelStore(folder / "labels.db").close()
    before = sorted(folder.iterdir())
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skactive: ")
    assert said in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_status_of_an_empty_store(folder, capsys):
    SQLiteLabelStore(folder / "labels.db").close()
    assert main(["status", "labels.db"]) == 0
    assert capsys.readouterr().out == "Labels     0 of 0 rows\n"


# A real terminal --------------------------------------------------------------------------------


class Terminal:
    """A program on a pseudo-terminal of 80 columns."""

    def __init__(self, arguments, folder):
        fcntl, pty, termios = (pytest.importorskip(m) for m in ("fcntl", "pty", "termios"))
        import struct

        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._modes = termios.tcgetattr(theirs)
        self._theirs = theirs

        def take_the_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-m", "skactive", *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, preexec_fn=take_the_terminal,
            env={**os.environ, "TERM": "xterm", "OMP_NUM_THREADS": "1", "NO_COLOR": "1",
                 "COLUMNS": "80", "LINES": "24"},
        )  # fmt: skip
        self.text = ""

    def until(self, sign, seconds=60):
        """Read until a sign is there; return what came up to it, without escape sequences."""
        end = time.monotonic() + seconds
        while not re.search(sign, self.text):
            ready = select.select([self._mine], [], [], 0.2)[0]
            if ready:
                try:
                    self.text += os.read(self._mine, 4096).decode(errors="replace")
                except OSError:
                    break
            assert time.monotonic() < end, f"no {sign!r} in {self.text!r}"
        found = re.search(sign, self.text)
        assert found, f"no {sign!r} in {self.text!r}"
        before, self.text = self.text[: found.end()], self.text[found.end() :]
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", before)

    def type(self, keys):
        os.write(self._mine, keys.encode())

    def modes_are_back(self):
        import termios

        return termios.tcgetattr(self._theirs) == self._modes

    def hang_up(self):
        os.close(self._theirs)
        os.close(self._mine)

    def wait(self):
        return self.process.wait(60)


@pytest.fixture
def terminal(folder):
    opened = []

    def start(*arguments):
        opened.append(Terminal(arguments, folder))
        return opened[-1]

    yield start
    for each in opened:
        each.process.kill()
        each.process.wait()


def labels_in(folder):
    from skactive.cli._status import read_stored

    return [(r["id"], r["label"]) for r in read_stored(folder / "labels.db").records()]


def test_label_undo_quit_resume(folder, terminal):
    first = terminal(*LABEL)
    shown = first.until("q quit")
    row = row_of(shown)
    first.type("1")
    first.until(f"Row r{row}: good\\.")
    first.type("u")
    first.until("Taken back: good.")
    first.type("2")
    second_row = row_of(first.until("q quit[^q]*bad\\."))
    first.type("\x1b[D")  # to the left: back
    assert "again: it is bad" in first.until("q quit")
    first.type("\x1b[A\x1b[200~1111\x1b[201~")  # an arrow, and pasted text, are no answers
    first.until("Pasted text is no answer")
    first.type("q")
    last = first.until("Go on with: [^\r]*\r\n")
    assert first.wait() == 0
    assert "1 label is in labels.db. Go on with: skactive label --resume labels.db" in last
    assert first.modes_are_back()
    assert labels_in(folder) == [(f"r{row}", "bad")]
    again = terminal("label", "--resume", "labels.db", "--annotator", "ann")
    assert second_row == row_of(again.until("q quit"))
    again.type("1q")
    assert again.wait() == 0
    assert [label for _, label in labels_in(folder)] == ["bad", "good"]


def test_a_window_that_changes_during_a_paste_makes_no_answer_of_it(monkeypatch):
    pty, tty = pytest.importorskip("pty"), pytest.importorskip("tty")
    mine, theirs = pty.openpty()
    tty.setcbreak(theirs)
    monkeypatch.setattr("skactive.labeling.terminal._console._TICK_SECONDS", 0.01)
    with os.fdopen(theirs) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        console = PosixConsole(Signals())
        console.size = lambda: (40, 12)
        os.write(mine, b"\x1b[200~11")
        threading.Timer(0.1, os.write, (mine, b"11\x1b[201~")).start()
        assert console.read() == PASTED
        assert console.read() == REDRAW
        os.close(mine)
        assert console.read() == END


def test_kill_in_the_middle_and_go_on(folder, terminal):
    arguments, told = LABEL, 0
    for _ in range(3):
        running = terminal(*arguments)
        running.until("q quit")
        for _ in range(3):
            running.type("1")
            running.until(r"Row r\d+: good\.")
            told += 1
        running.process.send_signal(signal.SIGKILL)
        running.wait()
        assert len(labels_in(folder)) == told
        arguments = ["label", "--resume", "labels.db", "--annotator", "ann"]
    assert len({ident for ident, _ in labels_in(folder)}) == told


@pytest.mark.parametrize(
    ("end", "code"),
    [("\x03", 130), ("\x04", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_ways_to_end(folder, terminal, end, code):
    running = terminal(*LABEL)
    running.until("q quit")
    running.type("1")
    running.until("good\\.")
    if isinstance(end, str):
        running.type(end)
    else:
        running.process.send_signal(end)
    running.until("1 label is in labels.db. Go on with: skactive label --resume")
    assert running.wait() == code
    assert running.modes_are_back()
    store = SQLiteLabelStore(folder / "labels.db")
    assert [event.kind for event in store.events()][-1] == "release"
    store.close()


def test_a_terminal_that_is_closed(folder, terminal):
    running = terminal(*LABEL)
    running.until("q quit")
    running.type("1")
    running.until("good\\.")
    running.hang_up()
    assert running.wait() in (0, 129)
    assert len(labels_in(folder)) == 1
    store = SQLiteLabelStore(folder / "labels.db")
    assert [event.kind for event in store.events()][-1] == "release"
    store.close()


def test_a_reader_that_goes_away(folder):
    shell = f"yes good | {sys.executable} -m skactive {' '.join(LABEL)} | head -n 3"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, cwd=folder)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
