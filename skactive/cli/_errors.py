"""The error of the command line."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """Something about the command that its user can mend: one line, exit code 2."""
