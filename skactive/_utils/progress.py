"""A progress bar on standard error: tqdm's where it is installed, else a line a step."""

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
        How many steps there are.
    label : str
        What is being done.
    shown : bool
        Whether to show anything at all.
    """
    if not shown:
        yield _silent
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield _lines(total, label)
        return
    with tqdm(total=total, desc=label, file=sys.stderr) as bar:

        def advance(text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update()

        yield advance


def _silent(text: str) -> None:
    """Show nothing."""


def _lines(total: int, label: str) -> Callable[[str], None]:
    steps = iter(range(1, total + 1))

    def advance(text: str) -> None:
        print(f"{label}: {next(steps, total)}/{total} {text}", file=sys.stderr)

    return advance
