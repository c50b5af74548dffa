"""A progress bar on standard error: tqdm's if it is installed, else one line per step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress(total: int, label: str, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that advances the bar by one step and shows a text beside it.

    Parameters
    ----------
    total : int
        Number of steps.
    label : str
        Description of the work, shown before the bar.
    shown : bool
        Whether to show anything.
    """
    if not shown:
        yield _show_nothing
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield _print_steps(total, label)
        return
    with tqdm(total=total, desc=label, file=sys.stderr) as bar:

        def advance(text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update()

        yield advance


def _show_nothing(text: str) -> None:
    """Ignore the text."""


def _print_steps(total: int, label: str) -> Callable[[str], None]:
    """Return a function that prints one line per step."""
    steps = iter(range(1, total + 1))

    def advance(text: str) -> None:
        print(f"{label}: {next(steps, total)}/{total} {text}", file=sys.stderr)

    return advance
