"""The console of single keys, on a pseudo-terminal; and when lines are read instead."""

import os
import re
import select
import signal
import struct
import sys
import threading
from contextlib import suppress

import pytest

from skactive.labeling.terminal import _key_console
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
    RIGHT,
    HungUpError,
    LineConsole,
)
from skactive.labeling.terminal._key_console import KeyConsole
from skactive.labeling.terminal._open import open_console
from skactive.labeling.terminal._signals import Signals, StoppedError
from skactive.labeling.terminal._text import get_width

pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")


class Terminal:
    """A pseudo-terminal, and what is typed on its other side."""

    def __init__(self, monkeypatch):
        self._monkeypatch = monkeypatch
        self._mine, self.descriptor = pty.openpty()
        self._stdin = os.fdopen(self.descriptor, closefd=False)
        self._stdout = os.fdopen(self.descriptor, "w")

    def open_console(self):
        # Here and not in a fixture: pytest has streams of its own for each phase of a test.
        self._monkeypatch.setattr(sys, "stdin", self._stdin)
        self._monkeypatch.setattr(sys, "stdout", self._stdout)
        return open_console(Signals())

    def type(self, keys):
        os.write(self._mine, keys if isinstance(keys, bytes) else keys.encode())

    def read_until(self, end):
        text = ""
        while end not in text:  # what is written comes piece by piece
            assert select.select([self._mine], [], [], 10)[0], f"no {end!r} in {text!r}"
            text += os.read(self._mine, 4096).decode()
        return text

    def modes(self):
        return termios.tcgetattr(self.descriptor)

    def hang_up(self):
        os.close(self._mine)
        self._mine = None

    def close(self):
        with suppress(OSError):  # what could not be written after a hang-up
            self._stdout.close()
        if self._mine is not None:
            os.close(self._mine)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(_key_console, "_POLL_SECONDS", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(monkeypatch)
    yield terminal
    terminal.close()


@pytest.fixture
def console(terminal):
    with terminal.open_console() as console:
        assert isinstance(console, KeyConsole)
        terminal.read_until("\x1b[?2004h")
        yield console


def test_keys_come_one_by_one(terminal, console):
    terminal.type("1é\r\n\x7f\x08\x0c\x1b[D\x1bOD\x1b[C\x1b[5~\x1b[6~\x04")
    keys = ["1", "é", ENTER, ENTER, BACKSPACE, BACKSPACE, REDRAW, LEFT, LEFT, RIGHT, PAGE_UP,
            PAGE_DOWN, END]  # fmt: skip
    assert [console.read() for _ in keys] == keys


def test_escape_is_a_key_where_nothing_follows(terminal, console):
    terminal.type("2\x1b")
    assert [console.read(), console.read()] == ["2", ESCAPE]
    terminal.type("1")
    assert console.read() == "1"


@pytest.mark.parametrize(
    "sequence",
    [
        *("\x1b[A", "\x1b[15~", "\x1bOP", "\t", "\x1b[1;3D", "\x1b[24;80R"),
        *("\x1b1", "\x1b[1111~", "\x1b[?1;2c", "\x1b[<0;1;1M", "\x1bO1"),  # not of prompt_toolkit
    ],
)
def test_no_part_of_a_sequence_is_a_key(terminal, console, sequence):
    terminal.type(sequence)
    assert console.read() == OTHER_KEY
    terminal.type("2")
    assert console.read() == "2"


def test_bytes_that_are_no_text_are_no_class(terminal, console):
    terminal.type(b"\xff1")
    first = console.read()
    assert not first.isprintable()
    assert console.read() == "1"


def test_pasted_text_is_one_key(terminal, console):
    terminal.type("\x1b[200~11\r1\x1b[D\x1b[201~2")
    assert [console.read(), console.read()] == [PASTED, "2"]


def test_a_window_that_changes_during_a_paste_makes_no_answer_of_it(terminal, console):
    console.size = lambda: (40, 12)
    terminal.type("\x1b[200~11")
    timer = threading.Timer(0.1, terminal.type, ("11\x1b[201~",))
    timer.start()
    assert console.read() == PASTED
    assert console.read() == REDRAW
    timer.join()


def test_a_terminal_that_hangs_up(terminal, console):
    terminal.hang_up()
    assert console.read() == END


def test_a_window_that_changes_is_drawn_again(console):
    console.show("x")
    console.size = lambda: (40, 12)
    assert console.read() == REDRAW


def test_modes_that_a_shell_changed_are_restored(terminal, console):
    raw, cooked = terminal.modes(), terminal.modes()
    cooked[3] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(terminal.descriptor, termios.TCSANOW, cooked)
    assert console.read() == REDRAW
    assert terminal.modes() == raw
    terminal.read_until("\x1b[?2004h")


def test_the_terminal_is_left_as_it_was(terminal):
    before = terminal.modes()
    with terminal.open_console():
        inside = terminal.modes()
        assert not inside[3] & (termios.ICANON | termios.ECHO)
        assert inside[3] & termios.ISIG
    assert terminal.modes() == before
    terminal.read_until("\x1b[?2004l")


def test_what_is_shown_on_an_empty_screen(terminal, console):
    console.show("one\ntwo", clear=True)
    assert terminal.read_until("two\r\n").endswith("\x1b[2Jone\r\ntwo\r\n")


def test_a_question(terminal, console):
    terminal.type("axy\x7f\x1b[A é\r")
    assert console.ask("Class:", lambda typed: f"hint of {typed}", "b") == "bax é"
    terminal.read_until("Class: ba   hint of ba\x1b[13D")
    terminal.type("abc\x1b")
    assert console.ask("Class:") == ""


def test_a_hint_is_cut_to_half_of_the_screen(terminal, console):
    terminal.type("\r")
    console.size = lambda: (40, 12)
    console.ask("Class:", lambda typed: "表" * 40)
    assert 0 < terminal.read_until("D\r\x1b[K").count("表") <= 10


def test_a_question_never_takes_two_lines(terminal, console):
    console.size = lambda: (20, 5)
    terminal.type("abcdefghijkl表示表示\r")
    answer = console.ask("Class:", lambda typed: "hint " * 9)
    assert answer == "abcdefghijkl表示表示"
    shown = terminal.read_until("表示表示\r\x1b[K").replace("\x1b[K", "").split("\r")
    widths = [get_width(re.sub("\x1b.*?[A-Z]", "", each)) for each in shown]
    assert max(widths) <= 19
    assert "表示表示" in shown[-2]  # what is being typed stays in view


def test_a_resize_during_a_question_draws_the_rest_again(terminal, console, monkeypatch):
    size, drawn, read = [80, 24], [], console.read
    console.size = lambda: tuple(size)

    def read_after_resize():
        size[:] = 40, 12
        return read()

    def redraw():
        drawn.append(console.size())
        console.show("the rest", clear=True)
        terminal.type("\r")

    monkeypatch.setattr(console, "read", read_after_resize)
    console.ask("Class:", redraw=redraw)
    assert drawn == [(40, 12)]


def test_the_size_is_that_of_the_terminal(terminal, console, monkeypatch):
    """Not that of the environment, which does not follow a window."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    for lines, columns in ((5, 20), (60, 200)):
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(terminal.descriptor, termios.TIOCSWINSZ, size)
        assert console.size() == (columns, lines)
    assert console.read() == REDRAW


def test_a_question_is_drawn_at_a_new_size(terminal, console):
    console.size = lambda: (50, 12)
    assert console._has_changed()
    terminal.type("\r")
    console.ask("Class:")
    assert not console._has_changed()


def test_the_key_of_an_interrupt_is_a_signal(terminal, console):
    """On Windows Ctrl+C comes as a key."""
    modes = terminal.modes()
    modes[3] &= ~termios.ISIG
    termios.tcsetattr(terminal.descriptor, termios.TCSANOW, modes)
    terminal.type("\x03")
    with Signals() as console._signals, pytest.raises(StoppedError) as stopped:
        console.read()
    assert stopped.value.number == signal.SIGINT


def test_a_terminal_that_takes_no_more(terminal, console, monkeypatch):
    def fail():
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(console._output, "flush", fail)
    with pytest.raises(HungUpError):
        console.show("x")


# Lines ------------------------------------------------------------------------------------------


def test_lines_on_a_dumb_terminal(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with terminal.open_console() as console:
        assert type(console) is LineConsole
        terminal.type("good\n")
        assert console.read() == "good"


def test_lines_where_prompt_toolkit_is_missing(terminal, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "prompt_toolkit.input", None)
    monkeypatch.delitem(sys.modules, "skactive.labeling.terminal._key_console")
    with terminal.open_console() as console:
        assert type(console) is LineConsole
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert 'pip install "skactive[terminal]"' in error
