"""Labeling in the terminal, for the commands in which a person labels."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skactive.cli._errors import CommandError, OutputError
from skactive.cli._output import print_line

if TYPE_CHECKING:
    from skactive.labeling._session import LabelingSession

__all__ = ["check_annotator", "label_rows", "make_content", "raise_signal"]


def check_annotator(given: str | None) -> str:
    """Return the name of the person who labels: the given one, or that of the account."""
    name = given or _get_account()
    if not name.isprintable() or not name.strip():
        raise CommandError(f"--annotator: {name!r} is empty or contains unprintable characters")
    return name.strip()


def _get_account() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, in a container
        return "me"


def label_rows(
    session: LabelingSession,
    annotator: str,
    content: Callable[[Any], Any],
    *,
    declared: Sequence[str] | None,
    viewer: Any = None,
    title: str,
    notes: Sequence[str],
) -> int:
    """Label the rows of a session in the terminal, until the person quits.

    Parameters
    ----------
    session : LabelingSession
        The session.
    annotator : str
        Name of the person.
    content, declared, viewer, title
        As of a `Labeler`.
    notes : sequence of str
        What was printed before; the first screen covers it, and shows it again.

    Returns
    -------
    int
        Number of the signal that ended it, or 0.
    """
    from skactive._utils.sanitizing import sanitize
    from skactive.labeling.terminal._console import HungUpError
    from skactive.labeling.terminal._labeler import Labeler
    from skactive.labeling.terminal._open import open_console
    from skactive.labeling.terminal._signals import Signals, StoppedError

    session.peek(1, annotator)  # may take a while; can be interrupted, as nothing is stored
    try:
        with Signals() as signals, open_console(signals) as console:
            message = sanitize(". ".join(notes)) if console.reads_keys else ""
            options = {"declared": declared, "viewer": viewer, "title": title, "message": message}
            Labeler(session, console, annotator, content, **options).run()
    except StoppedError as stopped:
        return stopped.number
    except HungUpError:
        return int(getattr(signal, "SIGHUP", 1))
    return 0


def make_content(kind: str, path: Path) -> Callable[[Any], Any]:
    """Return a function that returns the content of a row to show."""
    if kind == "text":
        return lambda row: row[0]
    if kind == "table":
        return lambda row: [(str(name), _write_cell(cell)) for name, cell in row.iloc[0].items()]
    folder = path.resolve()
    return lambda row: str(folder / row[0])


def _write_cell(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell != cell else f"{cell:.10g}"


def raise_signal(signal_number: int, summary: str) -> None:
    """Print how to continue; if a signal ended the labeling, end the command as it asked.

    Parameters
    ----------
    signal_number : int
        Number of the signal; 0 if the person quit.
    summary : str
        The line to print.

    Raises
    ------
    KeyboardInterrupt
        If interrupted, with the summary.
    SystemExit
        If stopped by another signal.
    """
    try:
        print_line("")
        if signal_number == signal.SIGINT:
            raise KeyboardInterrupt(summary)
        print_line(summary)
    except OutputError:  # likely the terminal was closed, which the signal says already
        if not signal_number:
            raise
    if signal_number:
        raise SystemExit(128 + signal_number)
