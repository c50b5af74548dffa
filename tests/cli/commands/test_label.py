"""``skactive label``, ``export``, ``status``: from pipes, and on a real terminal to kill -9."""

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from skactive.cli import main
from skactive.labeling import SQLiteLabelStore

# From a pipe ------------------------------------------------------------------------------------


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
    resume = "skactive label --resume labels.db --annotator ann"
    assert out.splitlines()[-1] == f"3 labels are in labels.db. Continue with: {resume}"
    (folder / "data.csv").unlink()
    assert main(["status", "labels.db"]) == 0
    out = capsys.readouterr().out
    assert "Labels     3 of 30 rows, 1 skipped" in out
    assert "Classes    good 1, bad 1, ugly 1" in out
    assert "ann: 3 labels and 1 without, 0.0 s each (median)" in out
    assert main(["export", "labels.db", "out.jsonl"]) == 0
    records = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [r["label"] for r in records] == ["good", "bad", None, "ugly"]
    assert all(r["id"].startswith("r") for r in records)


def test_export_and_status_are_those_of_the_session(folder, monkeypatch, capsys):
    from skactive.cli.projects._project import read_project
    from skactive.cli.projects._stored_project import read_store

    piped(monkeypatch, "good\nbad\nundo\ngood\n?\n" + "good\nbad\n" * 12)
    assert main([*LABEL, "--audit", "0.2"]) == 0
    capsys.readouterr()
    with (
        read_store(folder / "labels.db") as stored,
        read_project({"resume": "labels.db"}).open(background=False) as session,
    ):
        assert session.records() == list(stored.iter_records())
        one, other = session.progress(), stored.progress()
        for name in ("n_rows", "n_labeled", "n_unknown", "n_skipped", "n_in_flight", "n_learned",
                     "classes", "annotators", "accuracy", "n_rounds"):  # fmt: skip
            assert getattr(one, name) == getattr(other, name), name
        session.export("one.csv", data={"body": session.X})
        n_answers = len(session.records())
    assert main(["export", "labels.db", "two.csv"]) == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()
    assert main(["export", "labels.db", "x.out", "--kind", "label-studio"]) == 0
    assert len(json.loads((folder / "x.out").read_text())) == n_answers
    capsys.readouterr()
    assert main(["status", "labels.db", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["n_labeled"] == one.n_labeled
    assert summary["accuracy"] == list(one.accuracy)
    assert summary["annotators"]["ann"]["answers"] >= one.annotators["ann"]
    assert summary["last_model"] is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "none.db"], "file not found: none.db"),
        (["status", "data.csv"], "data.csv is not a store of labels"),
        (["export", "none.db", "out.csv"], "file not found: none.db"),
        (
            ["export", "labels.db", "out.odt"],
            "pass a kind, one of csv, jsonl, parquet, label-studio",
        ),
        (
            ["export", "labels.db", "none/out.csv"],
            "folder not found: none; create it first, for out.csv",
        ),
        (["export", "labels.db", "labels.db", "--kind", "csv"], "is the store itself"),
        (["label", "--resume", "none.db"], "file not found: none.db"),
        (
            [*LABEL, "--annotator", "a\x1b"],
            "--annotator: 'a\\x1b' is empty or contains unprintable",
        ),
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


def row_of(shown):
    return re.search(r"^row r?(\d+)", shown, re.MULTILINE)[1]


def labels_in(folder):
    from skactive.cli.projects._stored_project import read_store

    with read_store(folder / "labels.db") as stored:
        return [(record["id"], record["label"]) for record in stored.iter_records()]


def test_label_undo_quit_resume(folder, terminal):
    first = terminal(*LABEL)
    shown = first.until("q quit")
    row = row_of(shown)
    first.type("1")
    first.until(f"Row r{row}: good\\.")
    first.type("u")
    first.until("Undone: labeled good.")
    first.type("2")
    second_row = row_of(first.until("q quit[^q]*bad\\."))
    first.type("\x1b[D")  # to the left: back
    assert "answered: bad" in first.until("q quit")
    first.type("\x1b[A\x1b[200~1111\x1b[201~")  # an arrow, and pasted text, are no answers
    first.until("Pasted text is not an answer")
    first.type("q")
    last = first.until("Continue with: [^\r]*\r\n")
    assert first.wait() == 0
    assert "1 label is in labels.db. Continue with: skactive label --resume labels.db" in last
    assert first.modes_are_back()
    assert labels_in(folder) == [(f"r{row}", "bad")]
    again = terminal("label", "--resume", "labels.db", "--annotator", "ann")
    assert second_row == row_of(again.until("q quit"))
    again.type("1q")
    assert again.wait() == 0
    assert [label for _, label in labels_in(folder)] == ["bad", "good"]


def test_kill_in_the_middle_and_go_on(folder, terminal):
    arguments, told = LABEL, 0
    for _ in range(3):
        running = terminal(*arguments)
        running.until("q quit")
        for key, name in ("1", "good"), ("2", "bad"), ("1", "good"):
            running.type(key)  # the same key at once would count as one that bounces
            running.until(rf"Row r\d+: {name}\.")
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
    running.until("1 label is in labels.db. Continue with: skactive label --resume")
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
