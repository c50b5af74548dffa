"""The command ``skactive``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from skactive import __version__

__all__ = ["main"]

ESTIMATORS = ("forest", "logistic", "mlp", "svm")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    int
        0 if all went well, 2 for a mistake in the command, 130 if interrupted.
    """
    options = vars(_parser().parse_args(argv))
    run = options.pop("run")
    from skactive.cli._errors import CommandError

    try:
        run(options)
    except CommandError as error:
        print(f"skactive: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        advice = f": {interrupt}" if interrupt.args else ""
        print(f"skactive: interrupted{advice}", file=sys.stderr)
        return 130
    return 0


# The parser keeps options by the names that they have in the settings.
def _demo(options: dict[str, Any]) -> None:
    from skactive.cli._demo import DemoSettings, run_demo
    from skactive.cli._errors import CommandError

    settings = DemoSettings(**options)
    if settings.target is not None and settings.data is None:
        raise CommandError("--target names a column of your own table: pass it by --data")
    if settings.budget < settings.n_initial:
        raise CommandError(
            f"a budget of {settings.budget} labels does not cover the {settings.n_initial} to "
            "start with: raise --budget or lower --initial"
        )
    run_demo(settings)


def _compare(options: dict[str, Any]) -> None:
    from skactive.cli._compare import CompareSettings, run_compare

    run_compare(CompareSettings(**options))


# The commands for labels bring their own options: what runs, what adds these, and words of help.
def _labeling() -> dict[str, tuple[Callable[..., None], Callable[..., None], str, str]]:
    from skactive.cli import _label as terminal
    from skactive.cli import _label_studio as bridges
    from skactive.cli import _serve as server

    return {
        "label": (
            terminal.run_label,
            terminal.add_label_arguments,
            "label a table, or a folder of images or sounds, here in the terminal",
            "Label rows, those first from which a model learns most. Nothing is lost: stop at any "
            "time, and go on with --resume.",
        ),
        "serve": (
            server.run_serve,
            server.add_serve_arguments,
            "label in a browser",
            "Serve a page to label on, for one person or several.",
        ),
        "label-studio": (
            bridges.run_label_studio,
            bridges.add_label_studio_arguments,
            "label in Label Studio, in the order in which a model learns most",
            "Let a Label Studio ask in the order of a model, and learn from its answers.",
        ),
        "export": (
            terminal.run_export,
            terminal.add_export_arguments,
            "write the labels of a store as csv, jsonl, parquet or for Label Studio",
            "Write the answers of a store into a file; what was labeled need not be there.",
        ),
        "status": (
            terminal.run_status,
            terminal.add_status_arguments,
            "say how far a labeling campaign is",
            "Say how many labels a store has, of whom, and how good the model is.",
        ),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skactive", description="Active learning: label less.")
    parser.add_argument("--version", action="version", version=f"skactive {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_compare(commands)
    for name, (run, add_arguments, summary, description) in _labeling().items():
        command = commands.add_parser(name, help=summary, description=description)
        command.set_defaults(run=run)
        add_arguments(command)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="watch what active learning saves, on digits or on your own table",
        description="Play strategies against random labeling, with known labels as the oracle.",
    )
    demo.set_defaults(run=_demo)
    add, count = _adders(demo)
    add("--data", type=Path, metavar="FILE", help="npz, csv or parquet (default: digits)")
    add("--target", metavar="NAME", help="column or array to predict (npz: y)")
    add("--strategies", type=_names, metavar="A,B", help="default: one of each family")
    add("--estimator", choices=ESTIMATORS, help="default: mlp with torch")
    count("--budget", default=220, help="labels in all (%(default)s)")
    count("--batch-size", default=20, help="labels a round (%(default)s)")
    count("--initial", dest="n_initial", default=20, help="labels at the start (%(default)s)")
    count("--seeds", dest="n_seeds", default=3, help="runs to average (%(default)s)")
    add(
        "--output",
        type=Path,
        default=Path("learning_curves.png"),
        metavar="PNG",
        help="where to draw the curves (%(default)s)",
    )


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="find out which strategy is best on your own table; writes a report",
        description="Play strategies on a labeled table, in paired repeats, and report in HTML.",
    )
    compare.set_defaults(run=_compare)
    add, count = _adders(compare)
    add("--data", type=Path, metavar="FILE", required=True, help="npz, csv or parquet")
    add("--target", metavar="NAME", help="column or array to predict (npz: y)")
    add("--strategies", type=_names, metavar="A,B", help="default: one of each family")
    add(
        "--estimator",
        dest="estimators",
        type=_estimators,
        default=("logistic",),
        metavar="A,B",
        help=f"one or several of {', '.join(ESTIMATORS)} (logistic)",
    )
    count("--budget", default=200, help="labels in all (%(default)s)")
    count("--batch-size", default=10, help="labels a round (%(default)s)")
    count("--initial", dest="n_initial", default=20, help="labels at the start (%(default)s)")
    count("--repeats", dest="n_repeats", default=10, help="paired runs (%(default)s)")
    count("--jobs", dest="n_jobs", type=_jobs, default=1, help="runs at once, -1: all cores (1)")
    add("--scoring", default="accuracy", metavar="NAME", help="scikit-learn's (%(default)s)")
    add("--folder", type=Path, metavar="DIR", help="keep finished runs here, and go on from them")
    add(
        "--output",
        type=Path,
        default=Path("comparison.html"),
        metavar="HTML",
        help="where to write the report (%(default)s)",
    )
    count("--seed", type=_seed, default=0, help="seed of all that is drawn (%(default)s)")


def _adders(parser: argparse.ArgumentParser) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what adds an option, and what adds one that is a whole number."""
    add = parser.add_argument
    return add, partial(add, type=_count, metavar="N")


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("name at least one strategy")
    return names


def _estimators(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in ESTIMATORS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"invalid choice: {', '.join(map(repr, unknown)) or repr(text)} (choose from "
            f"{', '.join(ESTIMATORS)})"
        )
    return names


def _count(text: str) -> int:
    if (number := _whole(text)) is None or number < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, got {text!r}")
    return number


def _jobs(text: str) -> int:
    if not (number := _whole(text)):
        raise argparse.ArgumentTypeError(f"a whole number other than 0 is needed, got {text!r}")
    return number


def _seed(text: str) -> int:
    if (number := _whole(text)) is None or not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"a whole number from 0 is needed, got {text!r}")
    return number


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
