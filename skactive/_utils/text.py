"""Numbers in sentences."""

from __future__ import annotations

__all__ = ["format_apart", "format_count"]


def format_count(n: int, noun: str) -> str:
    """Write a number of things: ``1 round``, ``3 rounds``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def format_apart(value: float, limit: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to show which is larger."""
    n_integer_digits = len(str(int(max(abs(value), abs(limit)))))
    for digits in range(max(3, min(n_integer_digits, 17)), 18):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if texts[0] != texts[1] or value == limit:
            break
    return texts
