"""Words and numbers of the reasons that criteria give."""

from __future__ import annotations

from skactive.stopping._base import Verdict

__all__ = ["counted", "not_yet", "told_apart"]


def not_yet(what: str, n: int, window: int) -> Verdict:
    """Say that there is too little to judge by yet."""
    return Verdict(False, f"only {n} of the {window} {what} that it takes were made")


def counted(n: int, what: str) -> str:
    """Write a number of things."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def told_apart(value: float, limit: float) -> tuple[str, str]:
    """Write two numbers, with as many digits as it takes to tell which is larger."""
    whole = len(str(int(max(abs(value), abs(limit)))))
    for digits in range(max(3, min(whole, 17)), 18):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if texts[0] != texts[1] or value == limit:
            break
    return texts
