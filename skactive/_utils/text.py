"""Pieces of text that several rooms write."""

from __future__ import annotations

__all__ = ["pluralize", "take_first_line"]


def pluralize(n: int, noun: str) -> str:
    """Return a count with its noun: "1 strategy", "2 strategies"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{n} {noun if n == 1 else plural}"


def take_first_line(message: object) -> str:
    """Return the first line of an error, a warning or a text; of an empty one, its type."""
    return (str(message).splitlines() or [type(message).__name__])[0]
