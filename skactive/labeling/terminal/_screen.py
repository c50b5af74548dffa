"""The screen as text: progress, a row, its keys; never taller than the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from skactive._utils.sanitizing import sanitize
from skactive.labeling._keys import Keys
from skactive.labeling._messages import describe_accuracy, describe_counts, describe_labeled
from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._flow import BOLD, CYAN, DIM, GREEN, YELLOW, Option, Pen, flow
from skactive.labeling.terminal._text import get_width, truncate, wrap

__all__ = ["MAX_WIDTH", "Drawing", "Screen", "draw_screen"]

MAX_WIDTH = 100  # longer lines are hard to read
# Where there is little room, those of the lowest rank stay; the classes have one of their own.
_RANKS = {
    "help": 0,
    "close": 0,
    "submit": 1,
    "0-9": 1,
    "keep the answer": 1,
    "more": 4,
    "quit": 5,
    "undo": 6,
}
_CHOSEN_RANK, _CLASS_RANK, _LAST_RANK = 2, 3, 7
_MIN_TITLE_WIDTH = 40  # of a terminal with room for words


@dataclass(frozen=True)
class Screen:
    """Contents of the screen.

    Parameters
    ----------
    title : str
        Name of the data.
    progress : Progress
        Progress of the session.
    keys : Keys
        Keys of classes and commands.
    annotator : str or None
        The person at the terminal.
    n_audit_rows : int
        Number of rows that are reserved for the audit.
    name : str or None
        Name of the row, or of what else is shown; None if nothing is.
    lines : list of str
        Lines of the row, sanitized and wrapped.
    first : int
        Position of the line to begin with, if the terminal is too small for all.
    answer : str
        The row's present answer, if it is shown again; else empty.
    chosen : sequence of str
        With several classes per row: those chosen so far.
    multilabel : bool
        Whether a row may have several classes.
    numbers : str
        If a label is a number: which numbers may be typed.
    has_classes : bool
        Whether the classes are shown.
    commands : sequence of (str, str)
        Keys and names of the commands that are available.
    message : str
        What happened last.
    warning : bool
        Whether the message is about something that went wrong.
    """

    title: str
    progress: Progress
    keys: Keys
    annotator: str | None = None
    n_audit_rows: int = 0
    name: str | None = None
    lines: list[str] = field(default_factory=list)
    first: int = 0
    answer: str = ""
    chosen: Sequence[str] = ()
    multilabel: bool = False
    numbers: str = ""
    has_classes: bool = True
    commands: Sequence[tuple[str, str]] = ()
    message: str = ""
    warning: bool = False


class Drawing(NamedTuple):
    """A drawn screen.

    Parameters
    ----------
    text : str
        Its lines.
    first : int
        Position of the first line of the row that is in view.
    n_shown : int
        Number of lines of the row that are in view.
    """

    text: str
    first: int
    n_shown: int


class _Style(NamedTuple):
    """Parts that give way to the row on small terminals."""

    blanks: bool
    rules: bool
    details: bool  # the title and the state of the model, in lines of their own
    message_below: bool  # else it takes the place of the title


_STYLES = (
    _Style(True, True, True, True),
    _Style(False, True, True, True),
    _Style(False, False, True, True),
    _Style(False, False, False, True),
    _Style(False, False, False, False),
)


def draw_screen(screen: Screen, width: int, height: int | None = None, *, color: bool) -> Drawing:
    """Draw a screen in lines no wider than `width`.

    Parameters
    ----------
    screen : Screen
        Its contents.
    width : int
        Columns.
    height : int or None
        Lines; a long row is then shown in part. None shows everything.
    color : bool
        Whether to use colors.
    """
    frame = _Frame(screen, min(width, MAX_WIDTH), height, color)
    if height is None:
        above, below = frame.draw(_STYLES[0])
        return _assemble(screen, frame, above, below, len(screen.lines), _STYLES[0])
    n_lines = len(screen.lines)
    for style in _STYLES:
        # Blank lines give way to any line of the row, other parts to a third of the screen
        n_wanted = n_lines if style.blanks else min(n_lines, max(1, height // 3))
        above, below = frame.draw(style)
        room = height - len(above) - len(below) - _count_framing(screen, style)
        if room >= n_wanted:
            break
    drawing = _assemble(screen, frame, above, below, max(room, 1), style)
    lines = drawing.text.split("\n")
    return drawing._replace(text="\n".join(lines[:height]))


def _count_framing(screen: Screen, style: _Style) -> int:
    """Return the number of lines around a row: its name and blanks."""
    return 0 if screen.name is None else 1 + 2 * style.blanks


def _assemble(
    screen: Screen, frame: _Frame, above: list[str], below: list[str], room: int, style: _Style
) -> Drawing:
    n_lines = len(screen.lines)
    n_shown = min(room, n_lines)
    first = max(0, min(screen.first, n_lines - n_shown))
    blank = [""] * style.blanks
    shown = screen.lines[first : first + n_shown]
    if screen.name is not None:
        above = [*above, frame.draw_name(first, n_shown), *blank]
        below = [*blank, *below]
    return Drawing("\n".join([*above, *shown, *below]), first, n_shown)


class _Frame:
    """The parts of a screen around a row."""

    def __init__(self, screen: Screen, width: int, height: int | None, color: bool) -> None:
        self._screen, self._width, self._height = screen, width, height
        self._pen = Pen(color)

    def draw(self, style: _Style) -> tuple[list[str], list[str]]:
        """Return the lines above a row and its name, and those below it."""
        screen, blank = self._screen, [""] * style.blanks
        rule = [self._pen("─" * self._width, DIM)] * style.rules
        message = self._draw_message()
        header = self._draw_header() if style.details else self._draw_short_header()
        if message and not style.message_below:
            header, message = message[:1], []
        above = [*header, *rule]
        below = [*rule * (screen.name is not None), *self._draw_keys(style)]
        return above, [*below, *blank, *message] if message else below

    def draw_name(self, first: int, n_shown: int) -> str:
        """Return the name of the row, which lines of it are in view, and its answer."""
        screen, tail = self._screen, ""
        if n_shown < len(screen.lines):
            part = f"{first + 1:,}-{first + n_shown:,} of {len(screen.lines):,}"
            tail = f" · lines {part}" if self._width >= _MIN_TITLE_WIDTH else f" {part}"
        if screen.answer:
            tail += f" · answered: {screen.answer}"
        tail = truncate(tail, max(2, self._width - 8))
        name = truncate(sanitize(screen.name or ""), max(2, self._width - get_width(tail)))
        return self._pen(name + tail, DIM)

    def _limit(self, share: int) -> int | None:
        """Return the number of lines that a part may take: a share of the terminal."""
        return None if self._height is None else max(1, self._height // share)

    def _wrap(self, text: str, code: str, share: int) -> list[str]:
        lines, limit = wrap(sanitize(text), self._width), self._limit(share)
        if limit is not None and len(lines) > limit:
            lines = [*lines[: limit - 1], truncate(" ".join(lines[limit - 1 :]), self._width)]
        return [self._pen(line, code) for line in lines]

    def _draw_message(self) -> list[str]:
        screen = self._screen
        code = YELLOW if screen.warning else BOLD
        return self._wrap(screen.message, code, 4) if screen.message else []

    def _draw_short_header(self) -> list[str]:
        screen = self._screen
        labeled = describe_labeled(screen.progress)
        text = f"{labeled} · {sanitize(screen.title)}" if screen.title else labeled
        return [self._pen(truncate(text, self._width), BOLD)]

    def _draw_header(self) -> list[str]:
        screen, progress = self._screen, self._screen.progress
        facts = [describe_counts(progress, screen.annotator)]
        if progress.n_learned:
            facts.append(f"model of {progress.n_learned:,} labels")
        if accuracy := describe_accuracy(progress, screen.n_audit_rows):
            facts.append(accuracy)
        lines = [
            self._pen(truncate(sanitize(screen.title), self._width), BOLD),
            *flow([self._make_fact(fact) for fact in facts], self._width),
        ]
        if progress.stop_reason:
            lines += self._wrap(f"You may stop now: {progress.stop_reason}", GREEN, 8)
        if progress.problem:
            lines += self._wrap(f"Problem with the model: {progress.problem}", YELLOW, 8)
        return lines

    def _make_fact(self, fact: str) -> Option:
        text = truncate(fact, self._width)
        return Option(text, text)

    def _draw_keys(self, style: _Style) -> list[str]:
        """Return the keys of classes and commands, together if there is little room."""
        screen = self._screen
        classes = self._list_classes() if screen.has_classes and screen.name is not None else []
        commands = [self._make_command(key, name) for key, name in self._list_commands()]
        if not style.details:
            return flow([*classes, *commands], self._width, self._limit(3))
        lines = flow(commands, self._width, self._limit(6))
        if not classes:
            return lines
        shown = flow(classes, self._width, self._limit(4), self._describe_rest)
        return [*shown, *[""] * style.blanks, *lines]

    def _describe_rest(self, n: int) -> str:
        find = self._screen.keys.find_command_key
        keys = [f"{find('search')} to search", find("help")]
        return truncate(f"… {n:,} more: {' or '.join(filter(None, keys))}", self._width)

    def _list_classes(self) -> list[Option]:
        key_of = {name: key for key, name in self._screen.keys.classes.items()}
        return [self._make_class(key_of.get(name, "·"), name) for name in self._screen.keys.names]

    def _make_class(self, key: str, name: str) -> Option:
        screen, pen = self._screen, self._pen
        n_rows = screen.progress.classes.get(name, 0)
        count = f" {n_rows:,}" if n_rows else ""
        chosen = name in screen.chosen
        mark = ("[x] " if chosen else "[ ] ") if screen.multilabel else ""
        title = truncate(sanitize(name), max(2, self._width - len(f"{key} {mark}{count}")))
        colored = f"{pen(key, CYAN)} {mark}{pen(title, BOLD)}{pen(count, DIM)}"
        return Option(
            f"{key} {mark}{title}{count}", colored, _CHOSEN_RANK if chosen else _CLASS_RANK
        )

    def _list_commands(self) -> list[tuple[str, str]]:
        screen = self._screen
        if screen.name is None or not screen.has_classes:
            return list(screen.commands)
        if screen.multilabel:
            return [("Enter", "submit"), *screen.commands]
        digits = [("0-9", screen.numbers)] if screen.numbers else []
        if screen.answer:
            return [*digits, ("Enter", "keep the answer"), *screen.commands]
        return [*digits, *screen.commands]

    def _make_command(self, key: str, name: str) -> Option:
        rank = _RANKS.get(name, _RANKS.get(key, _LAST_RANK))
        name = truncate(name, max(2, self._width - get_width(key) - 1))
        return Option(f"{key} {name}", f"{self._pen(key, CYAN)} {name}", rank)
