"""The command ``skactive``: its parser, and the exit code of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from skactive import __version__
from skactive.cli._arguments import (
    ESTIMATOR_NAMES,
    parse_estimators,
    parse_n_jobs,
    parse_positive_int,
    parse_seed,
    parse_strategies,
)

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None for those of the process.

    Returns
    -------
    int
        0 on success, 2 for a mistake in the command, 130 if interrupted.
    """
    options = vars(_make_parser().parse_args(argv))
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


# The parser stores options under the names that they have in the settings.
def _run_demo(options: dict[str, Any]) -> None:
    from skactive.cli._demo import DemoSettings, run_demo
    from skactive.cli._errors import CommandError

    settings = DemoSettings(**options)
    if settings.target is not None and settings.data is None:
        raise CommandError("--target names a column of your own table: pass the table by --data")
    if settings.budget < settings.n_initial:
        raise CommandError(
            f"a budget of {settings.budget} labels does not cover the {settings.n_initial} "
            "initial ones: raise --budget or lower --initial"
        )
    run_demo(settings)


def _run_compare(options: dict[str, Any]) -> None:
    from skactive.cli._compare import CompareSettings, run_compare

    run_compare(CompareSettings(**options))


class _Command(NamedTuple):
    """A command whose module adds its options."""

    run: Callable[..., None]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    help: str
    description: str


def _list_labeling_commands() -> dict[str, _Command]:
    from skactive.cli import _export, _label, _label_studio, _serve, _status

    return {
        "label": _Command(
            _label.run_label,
            _label.add_label_arguments,
            "label a table, or a folder of images or sounds, in the terminal",
            "Label the most informative rows first. Nothing is lost: stop at any time, and "
            "continue with --resume.",
        ),
        "serve": _Command(
            _serve.run_serve,
            _serve.add_serve_arguments,
            "label in a browser",
            "Serve a page for labeling, to one person or several.",
        ),
        "label-studio": _Command(
            _label_studio.run_label_studio,
            _label_studio.add_label_studio_arguments,
            "label in Label Studio, the most informative rows first",
            "Order the tasks of a project by a model, which learns from the annotations.",
        ),
        "export": _Command(
            _export.run_export,
            _export.add_export_arguments,
            "write labels beside their data as csv, jsonl, parquet, xlsx or for Label Studio",
            "Write the labels of a store to a file, beside the data if they are still there.",
        ),
        "status": _Command(
            _status.run_status,
            _status.add_status_arguments,
            "show labeling progress",
            "Show how many labels a store has, by whom, and how good the model is.",
        ),
    }


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skactive", description="Active learning: label less, learn the same."
    )
    parser.add_argument("--version", action="version", version=f"skactive {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_compare(commands)
    for name, command in _list_labeling_commands().items():
        subparser = commands.add_parser(name, help=command.help, description=command.description)
        subparser.set_defaults(run=command.run)
        command.add_arguments(subparser)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="see how many labels active learning saves, on digits or on your own table",
        description="Compare query strategies with random labeling; known labels are the oracle.",
    )
    demo.set_defaults(run=_run_demo)
    add, add_int = _make_adders(demo)
    add("--data", type=Path, metavar="FILE", help="npz, csv or parquet (default: digits)")
    add("--target", metavar="NAME", help="column or array to predict (npz: y)")
    add(
        "--strategies",
        type=parse_strategies,
        metavar="A,B",
        help="query strategies (default: one of each family)",
    )
    add(
        "--estimator",
        choices=ESTIMATOR_NAMES,
        help="model (default: mlp if torch is installed, else logistic)",
    )
    add_int("--budget", default=220, help="total number of labels (%(default)s)")
    add_int("--batch-size", default=20, help="labels per round (%(default)s)")
    add_int("--initial", dest="n_initial", default=20, help="labels at the start (%(default)s)")
    add_int("--seeds", dest="n_seeds", default=3, help="number of runs to average (%(default)s)")
    add(
        "--output",
        type=Path,
        default=Path("learning_curves.png"),
        metavar="PNG",
        help="picture of the learning curves to write (%(default)s)",
    )


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="find the best query strategy for your own table; writes a report",
        description="Compare query strategies on a labeled table, and write an HTML report.",
    )
    compare.set_defaults(run=_run_compare)
    add, add_int = _make_adders(compare)
    add("--data", type=Path, metavar="FILE", required=True, help="npz, csv or parquet")
    add("--target", metavar="NAME", help="column or array to predict (npz: y)")
    add(
        "--strategies",
        type=parse_strategies,
        metavar="A,B",
        help="query strategies (default: one of each family)",
    )
    add(
        "--estimator",
        dest="estimators",
        type=parse_estimators,
        default=("logistic",),
        metavar="A,B",
        help=f"models: one or several of {', '.join(ESTIMATOR_NAMES)} (logistic)",
    )
    add_int("--budget", default=200, help="total number of labels (%(default)s)")
    add_int("--batch-size", default=10, help="labels per round (%(default)s)")
    add_int("--initial", dest="n_initial", default=20, help="labels at the start (%(default)s)")
    add_int("--repeats", dest="n_repeats", default=10, help="number of paired runs (%(default)s)")
    add_int(
        "--jobs",
        dest="n_jobs",
        type=parse_n_jobs,
        default=1,
        help="parallel runs, -1: all cores (1)",
    )
    add(
        "--scoring",
        default="accuracy",
        metavar="NAME",
        help="name of a scikit-learn scorer (%(default)s)",
    )
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="store finished runs here, and continue from them",
    )
    add(
        "--output",
        type=Path,
        default=Path("comparison.html"),
        metavar="HTML",
        help="report to write (%(default)s)",
    )
    add_int("--seed", type=parse_seed, default=0, help="random seed (%(default)s)")


def _make_adders(parser: argparse.ArgumentParser) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return functions that add an option, and an option that is an integer >= 1."""
    add = parser.add_argument
    return add, partial(add, type=parse_positive_int, metavar="N")
