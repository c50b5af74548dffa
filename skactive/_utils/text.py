"""Text helpers that several packages use."""

from __future__ import annotations

__all__ = ["format_apart", "join_lines", "pluralize", "take_first_line"]


def pluralize(n: int, noun: str) -> str:
    """Return a count with its noun: "1 strategy", "2,000 strategies"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{n:,} {noun if n == 1 else plural}"


def format_apart(value: float, limit: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to show which is larger."""
    n_integer_digits = len(str(int(max(abs(value), abs(limit)))))
    for digits in range(max(3, min(n_integer_digits, 17)), 18):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if texts[0] != texts[1] or value == limit:
            break
    return texts


def join_lines(text: object) -> str:
    """Return a text, such as the repr of an estimator, on one line."""
    return " ".join(str(text).split())


def take_first_line(message: object) -> str:
    """Return the first line of an error, a warning or a text; of an empty one, its type."""
    return (str(message).splitlines() or [type(message).__name__])[0]
