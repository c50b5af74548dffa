"""Print lines."""

from __future__ import annotations

import os
import sys

__all__ = ["print_line"]


def print_line(text: str) -> None:
    """Print a line; do nothing if standard output is closed."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # Otherwise Python writes it again when it exits, and complains
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
