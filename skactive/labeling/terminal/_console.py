"""Consoles: the interface that a labeler writes to and reads from, and its plain version."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import Protocol

from skactive.labeling.terminal._signals import Signals

__all__ = [
    "BACKSPACE",
    "END",
    "ENTER",
    "ESCAPE",
    "LEFT",
    "OTHER_KEY",
    "PAGE_DOWN",
    "PAGE_UP",
    "PASTED",
    "REDRAW",
    "RIGHT",
    "Console",
    "HungUpError",
    "LineConsole",
]

# Keys without a character of their own. No class can have such a name.
BACKSPACE, END, ENTER, ESCAPE, REDRAW = "\x7f", "\x04", "\r", "\x1b", "\x0c"
LEFT, RIGHT, PASTED, OTHER_KEY = "\x1b[D", "\x1b[C", "\x1b[200~", "\x1b["
PAGE_UP, PAGE_DOWN = "\x1b[5~", "\x1b[6~"


class HungUpError(Exception):
    """The terminal is closed."""


class Console(Protocol):
    """Interface that shows rows and reads answers."""

    reads_keys: bool  # single keys; otherwise lines
    color: bool

    def size(self) -> tuple[int, int]:
        """Return the number of columns and lines."""

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text, on an empty screen if `clear`."""

    def read(self) -> str:
        """Return a key or a line; `END` at the end of the input."""

    def ask(
        self,
        question: str,
        hint: Callable[[str], str] | None = None,
        typed: str = "",
        redraw: Callable[[], None] | None = None,
    ) -> str:
        """Return what is typed after a question, stripped; empty if the question is dismissed.

        Parameters
        ----------
        question : str
            A sanitized text.
        hint : callable, default=None
            Takes what is typed so far, and returns a text to show beside it.
        typed : str, default=""
            The first characters of the answer.
        redraw : callable, default=None
            Shows the rest of the screen again, after a resize.
        """


class LineConsole:
    """Read lines, from a pipe or from a terminal without cursor movement.

    Parameters
    ----------
    signals : Signals
        May interrupt `read`.
    """

    reads_keys = color = False

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    def size(self) -> tuple[int, int]:
        """Return the number of columns and lines."""
        columns, lines = shutil.get_terminal_size()
        return max(columns, 20), max(lines, 10)

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text."""
        self._write(f"{text}\n")

    def read(self) -> str:
        """Return a line without its end; `END` at the end of the input."""
        with self._signals.listening():
            line = sys.stdin.readline()
        return line.strip() if line else END

    def ask(
        self,
        question: str,
        hint: Callable[[str], str] | None = None,
        typed: str = "",
        redraw: Callable[[], None] | None = None,
    ) -> str:
        """Return the next line."""
        self._write(question + "\n")
        line = self.read()
        return "" if line == END else line

    def _write(self, text: str) -> None:
        """Write to standard output; replace characters that its encoding lacks."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            raise HungUpError from error
