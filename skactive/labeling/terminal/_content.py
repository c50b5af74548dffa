"""Lines of a row: a text, or names and values."""

from __future__ import annotations

from typing import Any

from skactive._utils.sanitizing import sanitize
from skactive.labeling.terminal._text import get_width, wrap

__all__ = ["format_content"]


def format_content(content: Any, width: int) -> list[str]:
    """Return the lines of a row.

    Parameters
    ----------
    content : str or list of (str, str)
        A text, or pairs of name and value.
    width : int
        Columns that no line exceeds.
    """
    if isinstance(content, str):
        return wrap(sanitize(content, keep_lines=True), width) if content.strip() else ["(empty)"]
    names = [sanitize(name) for name, _ in content]
    name_width = min(max(map(get_width, names), default=0), width // 2)
    return [
        line
        for name, (_, value) in zip(names, content, strict=True)
        for line in wrap(f"{_pad(name, name_width)}  {sanitize(value)}", width)
    ]


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - get_width(text))
