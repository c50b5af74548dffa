"""A console that reads single keys, on prompt_toolkit (the extra ``terminal``)."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import create_output

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
from skactive.labeling.terminal._signals import Signals
from skactive.labeling.terminal._text import get_width, truncate

if sys.platform == "win32":
    from prompt_toolkit.eventloop.win32 import wait_for_handles
else:
    import termios
    import tty

__all__ = ["KeyConsole"]

_MIN_COLUMNS, _MIN_LINES = 10, 4  # less cannot be used
_POLL_SECONDS = 0.1  # an Escape without anything after it in this time is the key itself

_INTERRUPT = "\x03"
_KEYS: dict[str, str] = {
    Keys.ControlC: _INTERRUPT,  # on Windows; elsewhere it sends SIGINT
    Keys.ControlM: ENTER,
    Keys.ControlJ: ENTER,
    Keys.ControlH: BACKSPACE,
    Keys.ControlD: END,
    Keys.ControlZ: END,  # on Windows; elsewhere it suspends the process
    Keys.ControlL: REDRAW,
    Keys.Escape: ESCAPE,
    Keys.Left: LEFT,
    Keys.Right: RIGHT,
    Keys.PageUp: PAGE_UP,
    Keys.PageDown: PAGE_DOWN,
    Keys.BracketedPaste: PASTED,
}


class KeyConsole(LineConsole):
    """Read single keys from a terminal.

    Keys that are typed ahead wait for the next `read`. Pasted text is one key, `PASTED`.

    Parameters
    ----------
    signals : Signals
        May interrupt `read`.
    """

    reads_keys = True

    def __init__(self, signals: Signals) -> None:
        super().__init__(signals)
        self.color = not os.environ.get("NO_COLOR")
        self._input, self._output = create_input(), create_output()
        self._keys: deque[str] = deque()
        self._shown_size = self.size()
        self._raw_modes: list[Any] | None = None  # of termios

    def size(self) -> tuple[int, int]:
        """Return the number of columns and lines of the terminal, whatever the environment says."""
        size = self._output.get_size()
        return max(size.columns, _MIN_COLUMNS), max(size.rows, _MIN_LINES)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Read keys without Enter inside the context; restore the terminal after it."""
        with self._input.raw_mode():
            self._keep_signals()
            self._output.enable_bracketed_paste()
            self._flush()
            try:
                yield
            finally:
                with suppress(HungUpError):
                    self._output.disable_bracketed_paste()
                    self._flush()

    def show(self, text: str, *, clear: bool = False) -> None:
        """Show lines of text, on an empty screen if `clear`."""
        self._shown_size = self.size()
        if clear:
            self._output.cursor_goto(0, 0)
            self._output.erase_screen()
        self._write(f"{text}\n")

    def ask(
        self,
        question: str,
        hint: Callable[[str], str] | None = None,
        typed: str = "",
        redraw: Callable[[], None] | None = None,
    ) -> str:
        """Return what is typed up to Enter; Escape dismisses the question."""
        while True:
            self._show_question(f"{question} {typed}", hint(typed) if hint is not None else "")
            key = self.read()
            if key == REDRAW and redraw is not None:
                redraw()
            if key in {ENTER, ESCAPE, END}:
                self._show_question("", "")
                return typed.strip() if key == ENTER else ""
            if key == BACKSPACE:
                typed = typed[:-1]
            elif len(key) == 1 and key.isprintable():
                typed += key

    def _show_question(self, text: str, hint: str) -> None:
        """Write on the line of the cursor, and leave the cursor between text and hint."""
        self._shown_size = self.size()
        width = self.size()[0] - 1  # a cursor after the last column would begin another line
        while get_width(text) > width:
            text = f"…{text[2:]}"  # the end is what is being typed
        beside = truncate(f"   {hint}", max(2, min(width // 2, width - get_width(text))))
        if not hint or get_width(text) + get_width(beside) > width:
            beside = ""
        self._output.write_raw("\r")
        self._output.erase_end_of_line()
        self._output.write_raw(text + beside)
        self._output.cursor_backward(get_width(beside))
        self._flush()

    def read(self) -> str:
        """Return a key: a character, or one of the named keys."""
        with self._signals.listening():
            try:
                return self._read_key()
            except OSError:  # the terminal is closed
                return END

    def _read_key(self) -> str:
        in_sequence = False  # whether the beginning of a paste or an escape sequence has come
        while not self._keys:
            if self._wait_for_input():
                in_sequence = True
                self._keys.extend(_name_keys(self._input.read_keys()))
            else:
                self._keys.extend(_name_keys(self._input.flush_keys()))
            if self._keys:
                break
            if self._is_closed():
                return END
            if not in_sequence and self._has_changed():
                return REDRAW
        key = self._keys.popleft()
        if key == _INTERRUPT:
            signal.raise_signal(signal.SIGINT)
        return key

    def _has_changed(self) -> bool:
        """Return whether the screen must be drawn again: resized, or back from the background."""
        return self._restore_raw_mode() or self.size() != self._shown_size

    def _write(self, text: str) -> None:
        self._output.write_raw(text)
        self._flush()

    def _flush(self) -> None:
        try:
            self._output.flush()
        except (OSError, ValueError) as error:
            raise HungUpError from error

    # Platforms ------------------------------------------------------------------------------------

    if sys.platform == "win32":

        def _wait_for_input(self) -> bool:
            milliseconds = int(1000 * _POLL_SECONDS)
            return wait_for_handles([self._input.handle], milliseconds) is not None

        def _is_closed(self) -> bool:
            return self._input.closed

        def _keep_signals(self) -> None:
            pass  # Ctrl+C comes as a key

        def _restore_raw_mode(self) -> bool:
            return False

    else:

        def _wait_for_input(self) -> bool:
            return bool(select.select([self._input.fileno()], [], [], _POLL_SECONDS)[0])

        def _is_closed(self) -> bool:
            # After a hang-up prompt_toolkit reads nothing, and raises nothing
            return self._input.closed or self._get_modes() is None

        def _keep_signals(self) -> None:
            """Let Ctrl+C and Ctrl+Z send signals, which also reach a process that is busy."""
            self._raw_modes = self._get_modes()
            if self._raw_modes is not None:
                self._raw_modes[tty.LFLAG] |= termios.ISIG
                self._set_modes()

        def _restore_raw_mode(self) -> bool:
            """Return whether a shell has changed the terminal, as it does after Ctrl+Z."""
            modes = self._get_modes()
            if modes is None or not modes[tty.LFLAG] & termios.ICANON:
                return False
            self._set_modes()
            self._output.enable_bracketed_paste()
            self._flush()
            return True

        def _get_modes(self) -> list[Any] | None:
            try:
                return termios.tcgetattr(self._input.fileno())
            except termios.error:  # the terminal is closed
                return None

        def _set_modes(self) -> None:
            if self._raw_modes is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self._input.fileno(), termios.TCSANOW, self._raw_modes)


def _name_keys(presses: Iterable[KeyPress]) -> list[str]:
    """Return characters, and the names of the other keys.

    An Escape that comes together with other keys begins a sequence that prompt_toolkit does not
    know, such as that of Alt and a digit: none of its characters is an answer.
    """
    keys = [
        _KEYS.get(press.key, press.key if len(press.key) == 1 else OTHER_KEY) for press in presses
    ]
    if ESCAPE in keys[:-1]:
        keys[keys.index(ESCAPE) :] = [OTHER_KEY]
    return keys
