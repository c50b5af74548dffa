"""A run of the command: whatever happens, an exit code and at most one line on standard error."""

from __future__ import annotations

import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skactive.cli._errors import CommandError, OutputError
from skactive.cli._output import check_written, forgive_stderr, open_missing_streams, print_error
from skactive.exceptions import SkactiveError

__all__ = ["run_guarded"]

_TRACEBACK = "SKACTIVE_TRACEBACK"


def run_guarded(work: Callable[[], None], *, owns_process: bool) -> int:
    """Return the exit code of some work; print its error in one line.

    Parameters
    ----------
    work : callable
        The work.
    owns_process : bool
        Whether the process ends afterwards.

    Raises
    ------
    SystemExit
        If the work raises it, as the parser does.
    """
    if owns_process:
        open_missing_streams()
    with forgive_stderr(), _report_in_one_line():
        try:
            return _get_exit_code(work) or _get_exit_code(check_written)
        except SystemExit:
            if failure := _get_exit_code(check_written):
                return failure
            raise


def _get_exit_code(work: Callable[[], None]) -> int:
    try:
        work()
    except KeyboardInterrupt as interrupt:
        advice = f": {interrupt}" if interrupt.args else ""
        print_error(f"interrupted{advice}")
        return 130
    except OutputError as error:
        if error.code == 1:
            print_error(error)
        return error.code
    except CommandError as error:
        print_error(error)
        return 2
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            traceback.print_exc(file=sys.stderr)
        print_error(_describe_error(error))
        return 1
    return 0


def _describe_error(error: Exception) -> str:
    """Return a line about an error that no command expects."""
    if isinstance(error, SkactiveError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory: close other programs, or use fewer rows"
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(filter(None, [_name_file(error), error.strerror]))
    return (
        f"unexpected {type(error).__name__}: {str(error).rstrip('.')}. Please report it, with what "
        f"{_TRACEBACK}=1 prints before the command"
    )


def _name_file(error: OSError) -> str:
    return "" if error.filename is None else os.fsdecode(error.filename)


@contextmanager
def _report_in_one_line() -> Iterator[None]:
    """Print in one line what Python would print in several: warnings, errors that end nothing."""
    former = sys.unraisablehook, threading.excepthook

    def print_ignored(ignored: Any) -> None:
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            former[0](ignored)
        else:
            print_error(f"warning: ignored {ignored.exc_type.__name__}: {ignored.exc_value}")

    with warnings.catch_warnings():
        warnings.showwarning = _print_warning
        sys.unraisablehook = threading.excepthook = print_ignored
        try:
            yield
        finally:
            sys.unraisablehook, threading.excepthook = former


def _print_warning(message: Warning | str, *_: object, **__: object) -> None:
    print_error(f"warning: {message}")
