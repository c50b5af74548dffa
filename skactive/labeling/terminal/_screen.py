"""Draw the screen of the terminal, as text: pure functions of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from skactive.labeling._keys import Keys
from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._text import get_width, sanitize, wrap

__all__ = [
    "MAX_WIDTH",
    "Screen",
    "describe_accuracy",
    "describe_label",
    "draw_screen",
    "format_item",
]

MAX_WIDTH = 100  # longer lines are hard to read
_MAX_ITEM_LINES = 200  # more on demand
_BOLD, _DIM, _CYAN, _YELLOW, _GREEN = "1", "2", "1;36", "33", "32"


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
    name : str or None
        Name of the row; None if no row is shown.
    item : list of str
        Lines of the row, from `format_item`.
    answer : str
        The row's present answer, if it is shown again; else empty.
    chosen : sequence of str
        With several classes per row: those chosen so far.
    multilabel : bool
        Whether a row may have several classes.
    commands : sequence of str
        Commands that are available.
    message : str
        What happened last.
    warning : bool
        Whether the message is about something that went wrong.
    """

    title: str
    progress: Progress
    keys: Keys
    name: str | None = None
    item: list[str] = field(default_factory=list)
    answer: str = ""
    chosen: Sequence[str] = ()
    multilabel: bool = False
    commands: Sequence[str] = ()
    message: str = ""
    warning: bool = False


def format_item(content: Any, width: int, *, show_all: bool) -> tuple[list[str], int]:
    """Return the lines of a row, and how many of them were left out.

    Parameters
    ----------
    content : str or list of (str, str)
        A text, or pairs of name and value.
    width : int
        Columns of the screen.
    show_all : bool
        Whether to leave out no line, however many there are.

    Returns
    -------
    lines : list of str
        At most 200 unless `show_all`.
    n_hidden : int
        Number of lines left out.
    """
    if isinstance(content, str):
        lines = wrap(sanitize(content, keep_lines=True), width) if content.strip() else ["(empty)"]
    else:
        names = [sanitize(name) for name, _ in content]
        name_width = min(max(map(get_width, names), default=0), width // 2)
        lines = [
            line
            for name, (_, value) in zip(names, content, strict=True)
            for line in wrap(f"{_pad(name, name_width)}  {sanitize(value)}", width)
        ]
    if show_all or len(lines) <= _MAX_ITEM_LINES:
        return lines, 0
    return lines[:_MAX_ITEM_LINES], len(lines) - _MAX_ITEM_LINES


def draw_screen(screen: Screen, width: int, *, color: bool) -> str:
    """Return the text of a screen, in lines no wider than `width`.

    Parameters
    ----------
    screen : Screen
        Its contents.
    width : int
        Columns.
    color : bool
        Whether to use colors.
    """
    width = min(width, MAX_WIDTH)
    pen = _Pen(color)
    rule = pen("─" * width, _DIM)
    lines = [*_format_header(screen, width, pen), rule]
    if screen.name is not None:
        lines += [pen(_truncate(_format_title(screen), width), _DIM), "", *screen.item, "", rule]
        lines += _format_classes(screen, width, pen)
    lines += _flow([_format_option(key, name, pen) for key, name in _list_commands(screen)], width)
    if screen.message:
        code = _YELLOW if screen.warning else _BOLD
        lines += ["", *(pen(line, code) for line in wrap(sanitize(screen.message), width))]
    return "\n".join(lines)


def describe_accuracy(progress: Progress) -> str:
    """Return the accuracy of the model with its 95 % interval; empty if unknown.

    Parameters
    ----------
    progress : Progress
        Progress of a session.
    """
    if progress.accuracy is None:
        return ""
    share, low, high = (f"{100 * value:.0f}" for value in progress.accuracy)
    return f"accuracy {share} % ({low} to {high} %)"


def describe_label(label: Any) -> str:
    """Return the text of a label.

    Parameters
    ----------
    label : str, int, float, bool or list
        A label as it is stored.
    """
    if isinstance(label, list | tuple):
        return ", ".join(sanitize(str(name)) for name in label) or "none of the classes"
    return sanitize(str(label))


class _Pen:
    """Color text, or not."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text


def _format_title(screen: Screen) -> str:
    return f"{screen.name} · answered: {screen.answer}" if screen.answer else str(screen.name)


def _format_header(screen: Screen, width: int, pen: _Pen) -> list[str]:
    progress = screen.progress
    facts = [f"{progress.n_labeled:,} of {progress.n_rows:,} labeled"]
    if progress.n_unknown:
        facts.append(f"{progress.n_unknown:,} unknown")
    if progress.n_learned:
        facts.append(f"model of {progress.n_learned:,} labels")
    if accuracy := describe_accuracy(progress):
        facts.append(accuracy)
    lines = [
        pen(_truncate(sanitize(screen.title), width), _BOLD),
        *_flow([(get_width(fact), fact) for fact in facts], width),
    ]
    if progress.stop_reason:
        reason = wrap(f"You may stop now: {progress.stop_reason}", width)
        lines += [pen(line, _GREEN) for line in reason]
    if progress.problem:
        problem = wrap(f"The last fit failed: {sanitize(progress.problem)}", width)
        lines += [pen(line, _YELLOW) for line in problem]
    return lines


def _format_classes(screen: Screen, width: int, pen: _Pen) -> list[str]:
    counts, key_of = screen.progress.classes, {n: k for k, n in screen.keys.classes.items()}
    options = []
    for name in screen.keys.names:
        title = sanitize(name)
        count = f" {counts[name]:,}" if name in counts else ""
        mark = ("[x] " if name in screen.chosen else "[ ] ") if screen.multilabel else ""
        key = key_of.get(name, "·")
        option = f"{pen(key, _CYAN)} {mark}{pen(title, _BOLD)}{pen(count, _DIM)}"
        options.append((get_width(f"{key} {mark}{title}{count}"), option))
    return [*_flow(options, width), ""]


def _list_commands(screen: Screen) -> list[tuple[str, str]]:
    items = screen.keys.commands.items()
    commands = [(key, name) for key, name in items if name in screen.commands]
    if screen.multilabel and screen.name is not None:
        commands.insert(0, ("Enter", "done"))
    elif screen.answer:
        commands.insert(0, ("Enter", "keep the answer"))
    return commands


def _format_option(key: str, name: str, pen: _Pen) -> tuple[int, str]:
    """Return a key with its meaning, and the columns that they take."""
    return get_width(f"{key} {name}"), f"{pen(key, _CYAN)} {name}"


def _flow(options: Sequence[tuple[int, str]], width: int) -> list[str]:
    """Return options, pairs of width and text, in as few lines as they need."""
    lines, line, used = [], "", 0
    for length, option in options:
        if line and used + 3 + length > width:
            lines.append(line)
            line, used = "", 0
        line, used = (f"{line}   {option}", used + 3 + length) if line else (option, length)
    return [*lines, line] if line else lines


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - get_width(text))


def _truncate(text: str, width: int) -> str:
    return text if get_width(text) <= width else wrap(text, max(width - 1, 2))[0] + "…"
