"""``skactive label``, ``skactive export`` and ``skactive status``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli._project import Campaign, add_campaign_arguments, read_campaign
from skactive.labeling._export import KINDS, export

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
        Of the command.
    """
    add_campaign_arguments(parser)
    parser.add_argument(
        "--annotator", metavar="NAME", help="who labels (default: the name of your account)"
    )


def run_label(options: dict[str, Any]) -> None:
    """Label in the terminal.

    Parameters
    ----------
    options : dict
        As parsed.

    Raises
    ------
    CommandError
        If something about the command is wrong.
    KeyboardInterrupt
        If interrupted; its message says where the labels are.
    SystemExit
        If ended by another signal.
    """
    from threadpoolctl import threadpool_limits

    annotator = _checked_name(options.get("annotator") or _account())
    _tell(f"Reading {options.get('file') or options.get('resume') or 'nothing'} ...")
    campaign = read_campaign(options)
    # Fits this small lose time to threads of BLAS, and the person waits for none of them.
    with threadpool_limits(limits=1), _quiet():
        stopped = _label(campaign, annotator)
    said = _last_words(campaign, options)
    _say("")
    if stopped == signal.SIGINT:
        raise KeyboardInterrupt(said)
    _say(said)
    if stopped:
        raise SystemExit(128 + stopped)


def _label(campaign: Campaign, annotator: str) -> int:
    """Label until it is enough; return the signal that ended it, or 0."""
    from skactive.labeling.terminal._console import HungUpError
    from skactive.labeling.terminal._labeler import Labeler
    from skactive.labeling.terminal._open import open_console
    from skactive.labeling.terminal._signals import Signals, StoppedError

    with campaign.open() as session:
        _tell("Choosing the first rows ...")
        session.peek(1, annotator)  # may take a while: it can be interrupted, nothing is stored
        try:
            with Signals() as signals, open_console(signals) as console:
                media = campaign.source.kind in {"images", "audio"}
                Labeler(
                    session,
                    console,
                    annotator,
                    _contents(campaign),
                    declared=campaign.settings["classes"],
                    viewer=_viewer(campaign) if media else None,
                    title=f"{campaign.path.name} · {annotator}",
                ).run()
        except StoppedError as stopped:
            return stopped.number
        except HungUpError:
            return int(getattr(signal, "SIGHUP", 1))
    return 0


def _contents(campaign: Campaign) -> Callable[[Any], Any]:
    """Return what makes of a row what is shown of it."""
    if campaign.source.kind == "text":
        return lambda row: row[0]
    if campaign.source.kind == "table":
        return lambda row: [(str(name), f"{value:.10g}") for name, value in row.iloc[0].items()]
    folder = campaign.path.resolve()
    return lambda row: str(folder / row[0])


def _viewer(campaign: Campaign) -> Callable[[Any], str]:
    from skactive.labeling.terminal._viewer import make_viewer  # late: few campaigns need it

    return make_viewer(campaign.path)


def _account() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, in a container
        return "me"


def _checked_name(name: str) -> str:
    if not name.isprintable() or not name.strip():
        raise CommandError(f"--annotator: {name!r} cannot be shown")
    return name.strip()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of fits, which are made meanwhile, from the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _last_words(campaign: Campaign, options: dict[str, Any]) -> str:
    from skactive.cli._status import read_stored  # late: the session is closed now

    progress = read_stored(campaign.store).progress()
    again = ["skactive", "label", "--resume", str(campaign.store)]
    if options.get("annotator"):
        again += ["--annotator", options["annotator"]]
    n = progress.n_labeled
    labels = "1 label is" if n == 1 else f"{n:,} labels are"
    return f"{labels} in {campaign.store}. Go on with: {shlex.join(again)}"


def _tell(text: str) -> None:
    """Say what takes a moment, to a person."""
    if sys.stdout.isatty():
        _say(text)


def _say(text: str) -> None:
    """Print a line, if anybody is there to read it."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        # Else Python would try to write it once more, at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# Export -----------------------------------------------------------------------------------------


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive export``.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    parser.add_argument("store", type=Path, metavar="DB", help="the file with the labels")
    parser.add_argument("output", type=Path, metavar="OUT", help="what to write, such as OUT.csv")
    parser.add_argument(
        "--kind", choices=KINDS, help="default: by the ending (.json: label-studio)"
    )


def run_export(options: dict[str, Any]) -> None:
    """Write the answers of a store into a file.

    Parameters
    ----------
    options : dict
        As parsed.

    Raises
    ------
    CommandError
        If the store cannot be read, or the file cannot be written.
    """
    from skactive.cli._status import read_stored

    records = read_stored(options["store"]).records()
    output = options["output"]
    if output.exists() and output.samefile(options["store"]):
        raise CommandError(f"{output} is the store itself: name another file")
    try:
        export(records, output, options.get("kind"))
    except (ValueError, ImportError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}") from error
    _say(f"{len(records):,} answers: {output}")


# Status -----------------------------------------------------------------------------------------


def add_status_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive status``.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    parser.add_argument("store", type=Path, metavar="DB", help="the file with the labels")
    parser.add_argument("--json", action="store_true", help="for programs")


def run_status(options: dict[str, Any]) -> None:
    """Say how far a campaign is.

    Parameters
    ----------
    options : dict
        As parsed.

    Raises
    ------
    CommandError
        If the store cannot be read.
    """
    from skactive.cli._status import read_stored

    stored = read_stored(options["store"])
    summary = stored.summary()
    if options.get("json"):
        _say(json.dumps(summary, indent=2))
        return
    for name, said in _status_lines(options["store"], summary):
        _say(f"{name:<10} {said}")


def _status_lines(store: Path, summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from skactive.labeling.terminal._text import sanitize

    yield "Labels", _counts(summary)
    if summary["classes"]:
        counts = (f"{sanitize(name)} {n:,}" for name, n in summary["classes"].items())
        yield "Classes", ", ".join(counts)
    for number, (name, theirs) in enumerate(summary["annotators"].items()):
        speed = "" if theirs["seconds"] is None else f", {theirs['seconds']:.1f} s each (median)"
        who = sanitize(name) or "(no name)"
        yield "" if number else "People", f"{who}: {theirs['answers']:,} answers{speed}"
    if summary["last_model"]:
        when = summary["last_model"].replace("T", " ").replace("+00:00", " UTC")
        yield "Model", f"the last of {summary['n_learned']:,} labels, {when}"
    if summary["accuracy"]:
        share, low, high = (f"{100 * each:.0f}" for each in summary["accuracy"])
        yield "Accuracy", f"{share} % on the audit (95 % interval {low} to {high} %)"
    if summary["stop_reason"]:
        yield "Stop?", f"You may stop now: {sanitize(summary['stop_reason'])}"
    made_with = summary["made_with"]
    if made_with:
        yield "Data", sanitize(made_with["path"])
        yield "Go on", shlex.join(["skactive", "label", "--resume", str(store)])


def _counts(summary: dict[str, Any]) -> str:
    parts = [f"{summary['n_labeled']:,} of {summary['n_rows']:,} rows"]
    for name, words in (("unknown", "unknown"), ("skipped", "skipped"), ("in_flight", "in work")):
        if summary[f"n_{name}"]:
            parts.append(f"{summary[f'n_{name}']:,} {words}")
    return ", ".join(parts)
