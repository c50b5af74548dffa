"""The display of rows and of the keys, part by part if the terminal is small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from skactive._utils.sanitizing import sanitize
from skactive.labeling._keys import Keys
from skactive.labeling.terminal._console import PAGE_DOWN, PAGE_UP, Console
from skactive.labeling.terminal._content import format_content
from skactive.labeling.terminal._rows import Item
from skactive.labeling.terminal._screen import MAX_WIDTH, Screen, draw_screen
from skactive.labeling.terminal._text import get_width, wrap

__all__ = ["Display"]

_MAX_PRINTED_LINES = 200  # of a row, where lines are read; more on demand

Help = Sequence[tuple[str, str, str]]


class Display:
    """Draw screens on a console.

    Consoles that read keys show one screen, which is never taller than the terminal: long rows are
    shown page by page. On others each screen is printed after the one before.

    Parameters
    ----------
    console : Console
        The console.
    keys : Keys
        Keys of classes and commands.
    """

    def __init__(self, console: Console, keys: Keys) -> None:
        self._console, self._keys = console, keys
        self._help: Help = ()  # of the commands that the last screen offered
        self._help_multilabel = self._help_numbers = self._show_all = False
        self._row_first: int | None = None  # where the row was left for the list of the keys
        self._n_lines, self._first, self._n_shown = 0, 0, 0
        self._lines: tuple[Any, int, list[str]] = None, 0, []  # of which row, for which width

    @property
    def is_helping(self) -> bool:
        """Whether the list of the keys is shown instead of the row."""
        return self._row_first is not None

    def begin(self) -> None:
        """Begin with the first line of another row."""
        self._first, self._row_first, self._show_all = 0, None, False
        self._lines = None, 0, []

    def draw(self, screen: Screen, item: Item | None, commands: Help) -> None:
        """Show a screen.

        Parameters
        ----------
        screen : Screen
            Its contents, but for the lines of the row and the commands.
        item : Item or None
            The row.
        commands : sequence of (str, str, str)
            Keys, names and explanations of the commands; "more" is shown if it is needed.
        """
        width = min(self._console.size()[0], MAX_WIDTH)
        self._help = commands
        pairs = [(key, name) for key, name, _ in commands]
        if self.is_helping:
            pairs = [*(pair for pair in pairs if pair[1] == "more"), ("any other key", "close")]
            screen = replace(screen, name="Keys", answer="", has_classes=False)
            lines = self._list_keys(width)
        else:
            lines = [] if item is None else self._format(item, width)
        self._n_lines = len(lines)
        screen = replace(screen, lines=lines, first=self._first, commands=pairs)
        if self._console.reads_keys:
            self._draw_page(screen)
        else:
            self._print(screen)

    def turn_page(self, key: str, command: str | None) -> bool:
        """Show another part of a long row; return whether the key asks for this.

        After the last part comes the first one again, but not by PageDown.
        """
        if command != "more":
            return False
        if not self._console.reads_keys:
            is_longer = self._n_lines > _MAX_PRINTED_LINES and not self._show_all
            self._show_all = True
            return is_longer
        last = self._n_lines - self._n_shown
        if last <= 0:
            return False
        if key == PAGE_UP:
            self._first = max(0, self._first - self._n_shown)
        elif self._first < last:
            self._first = min(last, self._first + self._n_shown)
        elif key != PAGE_DOWN:
            self._first = 0
        return True

    def show_help(self, *, multilabel: bool, numbers: bool) -> None:
        """Show all keys.

        Parameters
        ----------
        multilabel : bool
            Whether a row may have several classes.
        numbers : bool
            Whether a label is a number.
        """
        self._help_multilabel, self._help_numbers = multilabel, numbers
        if self._console.reads_keys:
            self._row_first, self._first = self._first, 0
        else:
            lines = self._list_keys(min(self._console.size()[0], MAX_WIDTH))
            self._console.show("\n".join([*lines, ""]))

    def close_help(self) -> None:
        """Show the row again, where it was left."""
        self._first, self._row_first = self._row_first or 0, None

    def _draw_page(self, screen: Screen) -> None:
        width, lines = self._console.size()
        height = lines - 1  # the cursor waits in the last line
        color = self._console.color
        whole = draw_screen(_without_more(screen), width, height, color=color)
        drawing = (
            whole
            if whole.n_shown == self._n_lines
            else draw_screen(screen, width, height, color=color)
        )
        self._first, self._n_shown = drawing.first, drawing.n_shown
        self._console.show(drawing.text, clear=True)

    def _print(self, screen: Screen) -> None:
        n_hidden = 0 if self._show_all else max(0, self._n_lines - _MAX_PRINTED_LINES)
        if n_hidden:
            shown = [*screen.lines[:_MAX_PRINTED_LINES], f"… {n_hidden:,} more lines"]
            screen = replace(screen, lines=shown)
        else:
            screen = _without_more(screen)
        drawing = draw_screen(screen, self._console.size()[0], color=self._console.color)
        self._console.show(f"{drawing.text}\n", clear=True)

    def _format(self, item: Item, width: int) -> list[str]:
        if self._lines[:2] != (item, width):
            self._lines = item, width, format_content(item.content, width)
        return self._lines[2]

    def _list_keys(self, width: int) -> list[str]:
        """Return the lines that explain all keys."""
        key_of = {name: key for key, name in self._keys.classes.items()}
        classes = [(key_of.get(name, "·"), sanitize(name)) for name in self._keys.names]
        commands = [(key, f"{name}: {explanation}") for key, name, explanation in self._help]
        rows = [*classes, *commands, *self._list_named_keys()]
        key_width = max(get_width(key) for key, _ in rows)
        return [
            f"{key if first else '':<{key_width}}  {line}"
            for key, text in rows
            for first, line in _mark_first(wrap(text, max(2, width - key_width - 2)))
        ]

    def _list_named_keys(self) -> list[tuple[str, str]]:
        meaning = (
            "store the classes that are picked"
            if self._help_multilabel
            else "keep the answer of a row that is shown again"
        )
        if not self._console.reads_keys:
            before = "a number" if self._help_numbers else "the name of a class"
            return [("Enter", f"after a key, or after {before}; alone: {meaning}")]
        digits = [("0-9", "begin a number, which Enter stores and Esc drops")]
        return [
            *digits * self._help_numbers,
            ("Enter", meaning),
            ("PgDn", "the next part of a long row, as Space"),
            ("PgUp", "the part before"),
            ("←", "back"),
            ("→", "forward, from a row that is shown again"),
        ]


def _without_more(screen: Screen) -> Screen:
    return replace(screen, commands=[pair for pair in screen.commands if pair[1] != "more"])


def _mark_first(lines: Sequence[str]) -> list[tuple[bool, str]]:
    """Return lines, each with whether it is the first."""
    return [(position == 0, line) for position, line in enumerate(lines)]
