"""The errors of the command line."""

from __future__ import annotations

__all__ = ["CommandError", "OutputError"]


class CommandError(Exception):
    """An error that the user of the command can fix: one line, exit code 2."""


class OutputError(Exception):
    """Standard output cannot be written.

    Parameters
    ----------
    reason : str
        Why; empty if its reader has gone away, which needs no message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"standard output cannot be written: {reason}")
        self.code = 1 if reason else 141  # 128 + SIGPIPE
