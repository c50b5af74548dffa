"""The lines that commands print: safe for a terminal, whoever wrote what they quote."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from skactive._utils.sanitizing import sanitize
from skactive.cli._errors import OutputError

__all__ = [
    "check_written",
    "forgive_stderr",
    "open_missing_streams",
    "print_error",
    "print_line",
    "print_note",
    "print_own_text",
]


def print_line(text: str) -> None:
    """Print a line, or several, to standard output.

    Control characters become visible symbols, except ends of lines.

    Raises
    ------
    OutputError
        If standard output is closed or full, or its reader has gone away.
    """
    print_own_text(f"{sanitize(text, keep_lines=True)}\n")


def print_own_text(text: str) -> None:
    """Print a text that quotes nobody, as it is; raise the same error as `print_line`."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    writable = text.encode(encoding, "backslashreplace").decode(encoding)
    with _raising_output_error():
        print(writable, end="", flush=True)


def print_error(message: object) -> None:
    """Print a message to standard error, in one line, with the name of the program."""
    line = " ".join(str(message).split("\n"))
    print(f"skactive: {sanitize(line)}", file=sys.stderr, flush=True)


def print_note(text: str) -> None:
    """Print a line to standard error: a remark on what goes to standard output."""
    print(sanitize(text), file=sys.stderr, flush=True)


def check_written() -> None:
    """Write out what was printed by others than `print_line`; raise the same error."""
    with _raising_output_error():
        sys.stdout.flush()


@contextmanager
def _raising_output_error() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        _discard(sys.stdout)
        raise OutputError("") from error
    except (OSError, ValueError) as error:  # a ValueError if it is closed
        _discard(sys.stdout)
        reason = error.strerror if isinstance(error, OSError) else None
        raise OutputError(reason or "it is closed") from error


def _discard(stream: Any) -> None:
    """Discard what a stream holds; otherwise Python writes it again when it exits."""
    with suppress(OSError, ValueError):  # not a file, or closed
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


# Streams ----------------------------------------------------------------------------------------


def open_missing_streams() -> None:
    """Let the standard streams exist, however the process was started.

    Their numbers must be taken, so that no file gets them, into which others would then print.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    null = Path(os.devnull)
    sys.stdin = sys.stdin or null.open(encoding="utf-8")
    sys.stdout = sys.stdout or null.open(encoding="utf-8")  # for reading: writing to it fails
    sys.stderr = sys.stderr or null.open("w", encoding="utf-8")


@contextmanager
def forgive_stderr() -> Iterator[None]:
    """Let writing to standard error never fail: work goes on without its messages."""
    former = sys.stderr
    sys.stderr = _ForgivingStream(former)
    try:
        yield
    finally:
        sys.stderr = former


class _ForgivingStream:
    """A stream whose errors are ignored."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            _discard(self._stream)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            _discard(self._stream)
