"""What is on the screen: text, made from what is known; nothing is read or stored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._keys import Keys
from skactive.labeling.terminal._text import harmless, width_of, wrapped

__all__ = ["Screen", "accuracy_in_words", "described_label", "drawn", "item_lines"]

_WIDEST = 100  # longer lines are hard to read
_MOST_LINES = 200  # of one item; more on demand
_BOLD, _DIM, _KEY, _WARN, _GOOD = "1", "2", "1;36", "33", "32"


@dataclass(frozen=True)
class Screen:
    """What there is to show.

    Parameters
    ----------
    title : str
        What is labeled.
    progress : Progress
        How far it is.
    keys : Keys
        What can be pressed.
    name : str or None
        Of the item; None where there is none.
    item : list of str
        Its lines; see `item_lines`.
    said : str
        What was said of it before, and that it is looked at again.
    chosen : sequence of str
        Where there may be several classes: those chosen so far.
    several : bool
        Whether there may be.
    offered : sequence of str
        The commands that make sense now.
    message : str
        What happened last.
    warning : bool
        Whether that is something that went wrong.
    """

    title: str
    progress: Progress
    keys: Keys
    name: str | None = None
    item: list[str] = field(default_factory=list)
    said: str = ""
    chosen: Sequence[str] = ()
    several: bool = False
    offered: Sequence[str] = ()
    message: str = ""
    warning: bool = False


def item_lines(content: Any, width: int, *, whole: bool) -> tuple[list[str], int]:
    """Return the lines of an item, and how many were left out.

    Parameters
    ----------
    content : str or list of (str, str)
        A text; or names and values.
    width : int
        Of the screen.
    whole : bool
        Whether to show all of a very long one.
    """
    if isinstance(content, str):
        lines = wrapped(harmless(content, lines=True), width) if content.strip() else ["(empty)"]
    else:
        names = [harmless(name) for name, _ in content]
        widest = min(max(map(width_of, names), default=0), width // 2)
        lines = [
            line
            for name, (_, value) in zip(names, content, strict=True)
            for line in wrapped(f"{_padded(name, widest)}  {harmless(value)}", width)
        ]
    if whole or len(lines) <= _MOST_LINES:
        return lines, 0
    return lines[:_MOST_LINES], len(lines) - _MOST_LINES


def drawn(screen: Screen, width: int, *, color: bool) -> str:
    """Return what is shown, as lines no wider than the screen.

    Parameters
    ----------
    screen : Screen
        What there is to show.
    width : int
        Columns.
    color : bool
        Whether to use colors.
    """
    width = min(width, _WIDEST)
    pen = _Pen(color)
    rule = pen("─" * width, _DIM)
    lines = [*_header(screen, width, pen), rule]
    if screen.name is not None:
        lines += [pen(_cut(f"{screen.name}{screen.said}", width), _DIM), "", *screen.item, "", rule]
        lines += _class_lines(screen, width, pen)
    lines += _flowed([_option(key, what, pen) for key, what in _commands(screen)], width)
    if screen.message:
        code = _WARN if screen.warning else _BOLD
        lines += ["", *(pen(line, code) for line in wrapped(harmless(screen.message), width))]
    return "\n".join(lines)


def accuracy_in_words(progress: Progress) -> str:
    """Say how good the model is, with its 95 % interval, where it is known.

    Parameters
    ----------
    progress : Progress
        Of a session.
    """
    if progress.accuracy is None:
        return ""
    share, low, high = (f"{100 * each:.0f}" for each in progress.accuracy)
    return f"accuracy {share} % ({low} to {high} %)"


def described_label(label: Any) -> str:
    """Return a label in words.

    Parameters
    ----------
    label : str, int, float, bool or list
        As it is stored.
    """
    if isinstance(label, list | tuple):
        return ", ".join(harmless(str(each)) for each in label) or "none of the classes"
    return harmless(str(label))


class _Pen:
    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text


def _header(screen: Screen, width: int, pen: _Pen) -> list[str]:
    progress = screen.progress
    facts = [f"{progress.n_labeled:,} of {progress.n_rows:,} labeled"]
    if progress.n_unknown:
        facts.append(f"{progress.n_unknown:,} unknown")
    if progress.n_learned:
        facts.append(f"model of {progress.n_learned:,} labels")
    if words := accuracy_in_words(progress):
        facts.append(words)
    lines = [
        pen(_cut(harmless(screen.title), width), _BOLD),
        *_flowed([(width_of(fact), fact) for fact in facts], width),
    ]
    if progress.stop_reason:
        reason = wrapped(f"You may stop now: {progress.stop_reason}", width)
        lines += [pen(line, _GOOD) for line in reason]
    if progress.problem:
        problem = wrapped(f"The last fit failed: {harmless(progress.problem)}", width)
        lines += [pen(line, _WARN) for line in problem]
    return lines


def _class_lines(screen: Screen, width: int, pen: _Pen) -> list[str]:
    counts, key_of = screen.progress.classes, {n: k for k, n in screen.keys.classes.items()}
    options = []
    for name in screen.keys.names:
        shown = harmless(name)
        count = f" {counts[name]:,}" if name in counts else ""
        mark = ("[x] " if name in screen.chosen else "[ ] ") if screen.several else ""
        key = key_of.get(name, "·")
        text = f"{mark}{shown}{count}"
        plain = width_of(f"{key} {text}")
        options.append((plain, f"{pen(key, _KEY)} {mark}{pen(shown, _BOLD)}{pen(count, _DIM)}"))
    return [*_flowed(options, width), ""]


def _commands(screen: Screen) -> list[tuple[str, str]]:
    offered = [(key, what) for key, what in screen.keys.commands.items() if what in screen.offered]
    if screen.several and screen.name is not None:
        offered.insert(0, ("Enter", "done"))
    elif screen.said:
        offered.insert(0, ("Enter", "leave it"))
    return offered


def _option(key: str, what: str, pen: _Pen) -> tuple[int, str]:
    return width_of(f"{key} {what}"), f"{pen(key, _KEY)} {what}"


def _flowed(options: Sequence[tuple[int, str]], width: int) -> list[str]:
    """Put options, each with its width, in as few lines as they need."""
    lines, line, used = [], "", 0
    for length, option in options:
        if line and used + 3 + length > width:
            lines.append(line)
            line, used = "", 0
        line, used = (f"{line}   {option}", used + 3 + length) if line else (option, length)
    return [*lines, line] if line else lines


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - width_of(text))


def _cut(text: str, width: int) -> str:
    return text if width_of(text) <= width else wrapped(text, max(width - 1, 2))[0] + "…"
