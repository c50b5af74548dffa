"""``skactive label``."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skactive.cli._errors import CommandError, OutputError
from skactive.cli._output import print_line
from skactive.cli.projects._project_options import add_project_arguments, format_resume_command

if TYPE_CHECKING:
    from skactive.cli.projects._project import LabelingProject
    from skactive.labeling._session import LabelingSession

__all__ = [
    "add_label_arguments",
    "check_annotator",
    "label_rows",
    "make_content",
    "raise_signal",
    "run_label",
]


# Label ------------------------------------------------------------------------------------------


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive label``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add_project_arguments(parser)
    parser.add_argument(
        "--annotator", metavar="NAME", help="your name (default: the name of your account)"
    )


def run_label(options: dict[str, Any]) -> None:
    """Label in the terminal.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or the data cannot be read.
    KeyboardInterrupt
        If interrupted; the message names the store, and how to continue.
    SystemExit
        If stopped by another signal.
    """
    from threadpoolctl import threadpool_limits  # late, like all others: the parser must be fast

    from skactive.cli.projects._project import read_project

    annotator = check_annotator(options.get("annotator"))
    _print_status(f"Reading {options.get('file') or options.get('resume') or 'the data'} ...")
    project = read_project(options)
    # Fits this small lose time to threads of BLAS, and nobody waits for them.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Those of fits would garble the screen
        signal_number = _label(project, annotator)
    raise_signal(signal_number, _summarize_project(project, options))


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


def _label(project: LabelingProject, annotator: str) -> int:
    """Label until the person quits; return the number of the signal that ended it, or 0."""
    from skactive._utils.sanitizing import sanitize
    from skactive.labeling.terminal._viewer import make_viewer

    notes: list[str] = []
    with project.open(report=notes.append) as session:
        for note in notes:
            print_line(sanitize(note))
        _print_status("Choosing the first rows ...")
        has_files = project.source.kind in {"images", "audio"}
        return label_rows(
            session,
            annotator,
            make_content(project.source.kind, project.path),
            declared=project.settings["classes"],
            viewer=make_viewer(project.path) if has_files else None,
            title=f"{project.path.name} · {annotator}",
            notes=notes,
        )


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


def _get_account() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, in a container
        return "me"


def check_annotator(given: str | None) -> str:
    """Return the name of the person who labels: the given one, or that of the account."""
    name = given or _get_account()
    if not name.isprintable() or not name.strip():
        raise CommandError(f"--annotator: {name!r} is empty or contains unprintable characters")
    return name.strip()


def _summarize_project(project: LabelingProject, options: dict[str, Any]) -> str:
    """Return how many labels there are, and the command that continues."""
    from skactive.cli.projects._stored_project import read_store

    with read_store(project.store) as stored:
        n_labels = stored.progress().n_labeled
    annotator = options.get("annotator")
    arguments = ["--annotator", annotator] if annotator else []
    resume = format_resume_command("label", project.store, *arguments)
    labels = "1 label is" if n_labels == 1 else f"{n_labels:,} labels are"
    return f"{labels} in {project.store}. Continue with: {resume}"


def _print_status(text: str) -> None:
    """Print what is going on, to a person."""
    if sys.stdout.isatty():
        print_line(text)
