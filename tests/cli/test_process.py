"""Exit codes, and one line on standard error, whatever happens in a command."""

import errno
import sys
import threading
import warnings

import pytest

from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli._process import run_guarded
from skactive.exceptions import StoreError


def run(error):
    def work():
        raise error

    return run_guarded(work, owns_process=False)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandError("name a file"), 2, "name a file"),
        (CommandError("first\nsecond"), 2, "first second"),
        (StoreError("a.db: the disk is full."), 1, "a.db: the disk is full."),
        (OSError(errno.ENOSPC, "No space left on device", "a.csv"), 1,
         "a.csv: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", b"a\xff.csv"), 1,
         "a\ufffd.csv: Permission denied"),
        (OSError(errno.EIO, "Input/output error"), 1, "Input/output error"),
        (MemoryError(), 1, "not enough memory: close other programs, or use fewer rows"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("3 labels are stored"), 130, "interrupted: 3 labels are stored"),
        (CommandError("\x1b[31mred\u202e\x07"), 2, "␛[31mred\ufffd␇"),
        (KeyError("a\x1bb"), 1,
         "unexpected KeyError: 'a\\x1bb'. Please report it, with what SKACTIVE_TRACEBACK=1 prints "
         "before the command"),
        (RecursionError("too deep"), 1,
         "unexpected RecursionError: too deep. Please report it, with what SKACTIVE_TRACEBACK=1 "
         "prints before the command"),
    ],
)  # fmt: skip
def test_each_error_is_a_code_and_a_line(capsys, error, code, line):
    assert run(error) == code
    assert capsys.readouterr() == ("", f"skactive: {line}\n")


def test_a_traceback_is_shown_to_who_asks_for_it(capsys, monkeypatch):
    monkeypatch.setenv("SKACTIVE_TRACEBACK", "1")
    assert run(KeyError("a")) == 1
    assert "in work" in capsys.readouterr().err
    assert run(CommandError("name a file")) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_end_by_the_parser_passes():
    with pytest.raises(SystemExit) as end:
        run(SystemExit(2))
    assert end.value.code == 2


def test_warnings_are_one_line(capsys):
    def work():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("odd \x1b[31m\nrows", stacklevel=1)

    former = warnings.showwarning
    assert run_guarded(work, owns_process=False) == 0
    assert capsys.readouterr().err == "skactive: warning: odd ␛[31m rows\n"
    assert warnings.showwarning is former


def test_errors_that_end_nothing_are_one_line(capsys):
    class Closing:
        def __del__(self):
            raise ValueError("odd \x1b\nend")

    def work():
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        closing = Closing()
        del closing

    former = sys.unraisablehook, threading.excepthook
    assert run_guarded(work, owns_process=False) == 0
    assert capsys.readouterr().err.splitlines() == [
        "skactive: warning: ignored ZeroDivisionError: division by zero",
        "skactive: warning: ignored ValueError: odd ␛ end",
    ]
    assert (sys.unraisablehook, threading.excepthook) == former


def test_an_argument_that_is_quoted_is_harmless(capsys):
    with pytest.raises(SystemExit):
        main(["status", "labels.db", "\x1b[31m\u202e"])
    assert capsys.readouterr().err.endswith("unrecognized arguments: ␛[31m\ufffd\n")
