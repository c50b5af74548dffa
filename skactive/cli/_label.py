"""``skactive label``, ``skactive export`` and ``skactive status``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from getpass import getuser
from pathlib import Path
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli._project import (
    LabelingProject,
    add_project_arguments,
    format_resume_command,
    read_project,
)
from skactive.cli._status import read_store
from skactive.labeling._export import EXPORT_KINDS, export

__all__ = [
    "add_export_arguments",
    "add_label_arguments",
    "add_status_arguments",
    "run_export",
    "run_label",
    "run_status",
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
    from threadpoolctl import threadpool_limits

    annotator = _check_name(options.get("annotator") or _get_account())
    _print_status(f"Reading {options.get('file') or options.get('resume') or 'the data'} ...")
    project = read_project(options)
    # Fits this small lose time to threads of BLAS, and nobody waits for them.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Those of fits would garble the screen
        signal_number = _label(project, annotator)
    summary = _summarize(project, options)
    _print_line("")
    if signal_number == signal.SIGINT:
        raise KeyboardInterrupt(summary)
    _print_line(summary)
    if signal_number:
        raise SystemExit(128 + signal_number)


def _label(project: LabelingProject, annotator: str) -> int:
    """Label until the person quits; return the number of the signal that ended it, or 0."""
    from skactive.labeling.terminal._console import HungUpError
    from skactive.labeling.terminal._labeler import Labeler
    from skactive.labeling.terminal._open import open_console
    from skactive.labeling.terminal._signals import Signals, StoppedError
    from skactive.labeling.terminal._viewer import make_viewer

    with project.open() as session:
        _print_status("Choosing the first rows ...")
        session.peek(1, annotator)  # may take a while; can be interrupted, as nothing is stored
        try:
            with Signals() as signals, open_console(signals) as console:
                has_files = project.source.kind in {"images", "audio"}
                Labeler(
                    session,
                    console,
                    annotator,
                    _make_content(project),
                    declared=project.settings["classes"],
                    viewer=make_viewer(project.path) if has_files else None,
                    title=f"{project.path.name} · {annotator}",
                ).run()
        except StoppedError as stopped:
            return stopped.number
        except HungUpError:
            return int(getattr(signal, "SIGHUP", 1))
    return 0


def _make_content(project: LabelingProject) -> Callable[[Any], Any]:
    """Return a function that returns the content of a row to show."""
    if project.source.kind == "text":
        return lambda row: row[0]
    if project.source.kind == "table":
        return lambda row: [(str(name), f"{value:.10g}") for name, value in row.iloc[0].items()]
    folder = project.path.resolve()
    return lambda row: str(folder / row[0])


def _get_account() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, in a container
        return "me"


def _check_name(name: str) -> str:
    if not name.isprintable() or not name.strip():
        raise CommandError(f"--annotator: {name!r} is empty or contains unprintable characters")
    return name.strip()


def _summarize(project: LabelingProject, options: dict[str, Any]) -> str:
    """Return how many labels there are, and the command that continues."""
    n_labels = read_store(project.store).progress().n_labeled
    annotator = options.get("annotator")
    arguments = ["--annotator", annotator] if annotator else []
    resume = format_resume_command("label", project.store, *arguments)
    labels = "1 label is" if n_labels == 1 else f"{n_labels:,} labels are"
    return f"{labels} in {project.store}. Continue with: {resume}"


def _print_status(text: str) -> None:
    """Print what is going on, to a person."""
    if sys.stdout.isatty():
        _print_line(text)


def _print_line(text: str) -> None:
    """Print a line; do nothing if standard output is closed."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # Otherwise Python writes it again when it exits, and complains
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# Export -----------------------------------------------------------------------------------------


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive export``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "store", type=Path, metavar="DB", help="file of the labels, such as labels.db"
    )
    parser.add_argument(
        "output", type=Path, metavar="OUT", help="file to write, such as labels.csv"
    )
    parser.add_argument(
        "--kind",
        choices=EXPORT_KINDS,
        help="format (default: by the suffix of OUT; .json: label-studio)",
    )


def run_export(options: dict[str, Any]) -> None:
    """Write the answers of a store to a file.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read, or the file cannot be written.
    """
    records = read_store(options["store"]).records()
    output = options["output"]
    if output.exists() and output.samefile(options["store"]):
        raise CommandError(f"{output} is the store itself: choose another file")
    try:
        export(records, output, options.get("kind"))
    except (ValueError, ImportError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}") from error
    _print_line(f"{len(records):,} answers: {output}")


# Status -----------------------------------------------------------------------------------------


def add_status_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive status``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "store", type=Path, metavar="DB", help="file of the labels, such as labels.db"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_status(options: dict[str, Any]) -> None:
    """Print the progress of a labeling project.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read.
    """
    summary = read_store(options["store"]).summary()
    if options.get("json"):
        _print_line(json.dumps(summary, indent=2))
        return
    for name, text in _format_status(options["store"], summary):
        _print_line(f"{name:<10} {text}")


def _format_status(store: Path, summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of ``skactive status``: pairs of name and text."""
    from skactive.labeling.terminal._text import sanitize

    yield "Labels", _pluralizes(summary)
    if summary["classes"]:
        counts = (f"{sanitize(name)} {n:,}" for name, n in summary["classes"].items())
        yield "Classes", ", ".join(counts)
    for index, (name, counts) in enumerate(summary["annotators"].items()):
        seconds = counts["seconds"]
        speed = "" if seconds is None else f", {seconds:.1f} s each (median)"
        person = sanitize(name) or "(no name)"
        yield "" if index else "People", f"{person}: {counts['answers']:,} answers{speed}"
    if summary["last_model"]:
        when = summary["last_model"].replace("T", " ").replace("+00:00", " UTC")
        yield "Model", f"last fitted to {summary['n_learned']:,} labels, {when}"
    if summary["accuracy"]:
        share, low, high = (f"{100 * value:.0f}" for value in summary["accuracy"])
        yield "Accuracy", f"{share} % on the audit (95 % interval {low} to {high} %)"
    if summary["stop_reason"]:
        yield "Stop?", f"You may stop now: {sanitize(summary['stop_reason'])}"
    if summary["made_with"]:
        yield "Data", sanitize(summary["made_with"]["path"])
        yield "Continue", format_resume_command("label", store)


def _pluralizes(summary: dict[str, Any]) -> str:
    parts = [f"{summary['n_labeled']:,} of {summary['n_rows']:,} rows"]
    for name, words in (
        ("unknown", "unknown"),
        ("skipped", "skipped"),
        ("in_flight", "being labeled"),
    ):
        if summary[f"n_{name}"]:
            parts.append(f"{summary[f'n_{name}']:,} {words}")
    return ", ".join(parts)
