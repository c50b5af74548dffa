"""Choose the console that suits standard input and output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from skactive.labeling.terminal._console import Console, LineConsole
from skactive.labeling.terminal._signals import Signals

__all__ = ["open_console"]


@contextmanager
def open_console(signals: Signals) -> Iterator[Console]:
    """Yield a console of keys on a terminal, else one of lines.

    Parameters
    ----------
    signals : Signals
        May interrupt reading.

    Yields
    ------
    Console
        One of lines on pipes and dumb terminals, and if prompt_toolkit is missing.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        yield LineConsole(signals)
        return
    try:
        from skactive.labeling.terminal._key_console import KeyConsole
    except ImportError:
        print(
            "prompt_toolkit is not installed, so keys need Enter after them: "
            'pip install "skactive[terminal]"',
            file=sys.stderr,
        )
        yield LineConsole(signals)
        return
    console = KeyConsole(signals)
    with console.open():
        yield console
