"""Consoles: keys one by one from a terminal, or lines from a pipe."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

__all__ = [
    "BACKSPACE",
    "END",
    "ENTER",
    "ESCAPE",
    "LEFT",
    "PASTED",
    "REDRAW",
    "RIGHT",
    "STRANGE",
    "Console",
    "HungUpError",
    "LineConsole",
    "Signals",
    "StoppedError",
    "open_console",
]

# Keys without a character of their own. No class can have such a name.
BACKSPACE, END, ENTER, ESCAPE, REDRAW = "\x7f", "\x04", "\r", "\x1b", "\x0c"
LEFT, RIGHT, PASTED, STRANGE = "\x1b[D", "\x1b[C", "\x1b[200~", "\x1b["

_ESCAPE_SECONDS = 0.05  # what follows an Escape within this time belongs to it
_TICK_SECONDS = 0.5  # how often to look whether the terminal is still as it was
_PASTE = "\x1b[?2004h", "\x1b[?2004l"  # makes terminals tell pasted text from keys


class HungUpError(Exception):
    """Nobody is there any more: the terminal is closed."""


class StoppedError(BaseException):
    """A signal asks to stop.

    Parameters
    ----------
    number : int
        Which.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Signals that ask to stop wait until nothing is being stored; a second one does not wait."""

    def __init__(self) -> None:
        self._listening, self._pending = False, 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None:
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let signals stop what is within."""
        self._listening = True
        try:
            if self._pending:
                raise StoppedError(self._pending)
            yield
        finally:
            self._listening = False

    def _receive(self, number: int, _: object) -> None:
        if self._listening or self._pending:
            raise StoppedError(number)
        self._pending = number


class Console(Protocol):
    """Where items are shown, and from where answers come."""

    keys: bool  # whether single keys are read; else lines
    color: bool

    def size(self) -> tuple[int, int]:
        """Return columns and lines."""

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text, on an empty screen if asked to."""

    def read(self) -> str:
        """Return a key or a line; `END` where nothing comes any more."""

    def ask(self, question: str, hint: Callable[[str], str] | None = None, typed: str = "") -> str:
        """Return what is typed after a question, stripped; empty if it was dropped."""


class LineConsole:
    """Lines, from a pipe or a terminal that can no more."""

    keys = color = False

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def size(self) -> tuple[int, int]:
        """Return columns and lines."""
        columns, lines = shutil.get_terminal_size()
        return max(columns, 20), max(lines, 10)

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text."""
        _write(f"{text}\n")

    def read(self) -> str:
        """Return a line without its end; `END` at the end of all."""
        with self._signals.listening():
            line = sys.stdin.readline()
        return line.strip() if line else END

    def ask(self, question: str, hint: Callable[[str], str] | None = None, typed: str = "") -> str:
        """Return the next line."""
        _write(question + "\n")
        line = self.read()
        return "" if line == END else line


class KeyConsole(LineConsole, ABC):
    """Keys, from a terminal that shows what it is told."""

    keys = True

    def __init__(self, signals: Signals) -> None:
        super().__init__(signals)
        self.color = not os.environ.get("NO_COLOR")

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text, on an empty screen if asked to."""
        _write("\x1b[H\x1b[2J" + text + "\n" if clear else text + "\n")

    def ask(self, question: str, hint: Callable[[str], str] | None = None, typed: str = "") -> str:
        """Return what is typed, up to Enter; Escape drops it."""
        while True:
            beside = f"   {hint(typed)}" if hint is not None else ""
            # Beside what is typed, then back to its end.
            _write(f"\r\x1b[K{question} {typed}\x1b7{beside[: self.size()[0] // 2]}\x1b8")
            key = self.read()
            if key in {ENTER, ESCAPE, END}:
                _write("\r\x1b[K")
                return typed.strip() if key == ENTER else ""
            if key == BACKSPACE:
                typed = typed[:-1]
            elif len(key) == 1 and key.isprintable():
                typed += key

    @abstractmethod
    def _key(self) -> str:
        """Wait for a key."""

    def read(self) -> str:
        """Return a key: a character, or one of the names above."""
        with self._signals.listening():
            return self._key()


class PosixConsole(KeyConsole):
    """Keys, by termios."""

    def __init__(self, signals: Signals) -> None:
        super().__init__(signals)
        self._input, self._buffer = sys.stdin.fileno(), b""
        self._drawn = self.size()

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text, on an empty screen if asked to."""
        self._drawn = self.size()
        super().show(text, clear=clear)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Read keys without Enter within, and leave the terminal as it was."""
        import termios

        before = termios.tcgetattr(self._input)
        self._begin()
        try:
            yield
        finally:
            with suppress(HungUpError):
                _write(_PASTE[1])
            with suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSADRAIN, before)

    def _begin(self) -> None:
        import termios
        import tty

        tty.setcbreak(self._input, termios.TCSANOW)
        _write(_PASTE[0])

    def _has_changed(self) -> bool:
        """See whether somebody changed the terminal: a shell, after Ctrl+Z and fg; its size."""
        import termios

        if termios.tcgetattr(self._input)[3] & termios.ICANON:
            self._begin()
            return True
        return self.size() != self._drawn

    def _key(self) -> str:
        import termios

        try:
            while (first := self._byte(_TICK_SECONDS)) is None:
                if self._has_changed():
                    return REDRAW
        except termios.error:  # the terminal is closed
            return END
        if first == b"":
            return END
        if first == b"\x1b":
            return self._escape()
        if first in _NAMED:
            return _NAMED[first]
        n_more = (first[0] >= 0xC0) + (first[0] >= 0xE0) + (first[0] >= 0xF0)
        more = b"".join(self._byte() or b"" for _ in range(n_more))
        return (first + more).decode(errors="replace")

    def _escape(self) -> str:
        """Read what belongs to an Escape: arrows, function keys, pasted text."""
        sequence = self._byte(_ESCAPE_SECONDS) or b""
        if sequence in {b"[", b"O"}:
            while byte := self._byte(_ESCAPE_SECONDS):
                sequence += byte
                if 0x40 <= byte[0] <= 0x7E:
                    break
        if sequence == b"[200~":
            while not sequence.endswith(b"\x1b[201~") and (byte := self._byte()):
                sequence += byte
            return PASTED
        return _SEQUENCES.get(sequence, STRANGE if sequence else ESCAPE)

    def _byte(self, seconds: float | None = None) -> bytes | None:
        """Return the next byte; an empty one at the end, None when the time is over."""
        import select

        if not self._buffer:
            try:
                if not select.select([self._input], [], [], seconds)[0]:
                    return None
                self._buffer = os.read(self._input, 1024)
            except OSError:  # the terminal is closed
                return b""
        byte, self._buffer = self._buffer[:1], self._buffer[1:]
        return byte


class WindowsConsole(KeyConsole):
    """Keys, by msvcrt."""

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the console understand escape sequences."""
        os.system("")  # documented nowhere, relied on everywhere
        yield

    def _key(self) -> str:
        import msvcrt

        key: str = msvcrt.getwch()  # type: ignore[attr-defined, unused-ignore]
        if key == "\x03":
            raise StoppedError(signal.SIGINT)
        if key in {"\x00", "\xe0"}:  # a key without a character
            following: str = msvcrt.getwch()  # type: ignore[attr-defined, unused-ignore]
            return {"K": LEFT, "M": RIGHT}.get(following, STRANGE)
        return _NAMED.get(key.encode(errors="replace"), key)


_NAMED = {
    b"\r": ENTER,
    b"\n": ENTER,
    b"\x7f": BACKSPACE,
    b"\x08": BACKSPACE,
    b"\x04": END,
    b"\x1a": END,
    b"\x1b": ESCAPE,
}
_SEQUENCES = {b"[D": LEFT, b"OD": LEFT, b"[C": RIGHT, b"OC": RIGHT}


@contextmanager
def open_console(signals: Signals) -> Iterator[Console]:
    """Yield what suits standard input and output: keys of a terminal, or lines."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        yield LineConsole(signals)
        return
    console = WindowsConsole(signals) if os.name == "nt" else PosixConsole(signals)
    with console.opened():
        yield console


def _write(text: str) -> None:
    """Write to standard output, whatever letters it knows."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        raise HungUpError from error
