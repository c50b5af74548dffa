"""``skactive label``."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING, Any

from skactive.cli._output import print_line
from skactive.cli._terminal import check_annotator, label_rows, make_content, raise_signal
from skactive.cli.projects._project_options import add_project_arguments, format_resume_command

if TYPE_CHECKING:
    from skactive.cli.projects._project import LabelingProject

__all__ = ["add_label_arguments", "run_label"]


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
