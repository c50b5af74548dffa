"""The error of the command line."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """An error that the user of the command can fix: one line, exit code 2."""
