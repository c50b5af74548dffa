"""Options side by side in lines, and their colors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skactive.labeling.terminal._text import get_width

__all__ = ["BOLD", "CYAN", "DIM", "GREEN", "YELLOW", "Option", "Pen", "flow"]

BOLD, DIM, CYAN, YELLOW, GREEN = "1", "2", "1;36", "33", "32"
_OPTION_GAP = "   "


class Pen:
    """Color text, or not."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text


@dataclass(frozen=True)
class Option:
    """A piece of text that is not broken.

    Parameters
    ----------
    text : str
        The text, without colors.
    colored : str
        The same with colors.
    rank : int
        Those of a high rank are left out first.
    """

    text: str
    colored: str
    rank: int = 0


def flow(
    options: Sequence[Option],
    width: int,
    max_lines: int | None = None,
    describe_rest: Callable[[int], str] = lambda _: "",
) -> list[str]:
    """Return options in as few lines as they need.

    Parameters
    ----------
    options : sequence of Option
        Each is no wider than a line.
    width : int
        Columns.
    max_lines : int or None
        Lines at most; None for any number.
    describe_rest : callable
        Takes the number of options that are left out because there are too many, and returns the
        text that comes after the others instead of them.
    """
    lines = _flow_all(options, width)
    if max_lines is None or len(lines) <= max_lines:
        return lines
    order = sorted(range(len(options)), key=lambda position: options[position].rank)
    # An option takes four columns or more, with the gap
    for n in range(min(len(options) - 1, max_lines * width // 4 + 1), 0, -1):
        kept = [options[position] for position in sorted(order[:n])]
        rest = describe_rest(len(options) - n)
        lines = _flow_all([*kept, Option(rest, rest)] if rest else kept, width)
        if len(lines) <= max_lines:
            return lines
    return lines[:max_lines]


def _flow_all(options: Sequence[Option], width: int) -> list[str]:
    lines: list[str] = []
    used = width
    for option in options:
        length = get_width(option.text)
        if used + len(_OPTION_GAP) + length > width:
            lines.append(option.colored)
            used = length
        else:
            lines[-1] += _OPTION_GAP + option.colored
            used += len(_OPTION_GAP) + length
    return lines
