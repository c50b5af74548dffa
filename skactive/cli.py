"""The command ``skactive``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from skactive import __version__

__all__ = ["main"]


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
    arguments = _parser().parse_args(argv)
    from skactive._demo import DemoSettings, run_demo  # they bring scikit-learn's models: late
    from skactive._tables import CommandError

    settings = DemoSettings(
        data=arguments.data,
        target=arguments.target,
        strategies=arguments.strategies,
        estimator=arguments.estimator,
        budget=arguments.budget,
        batch_size=arguments.batch_size,
        n_initial=arguments.initial,
        n_seeds=arguments.seeds,
        output=arguments.output,
    )
    try:
        if settings.target is not None and settings.data is None:
            raise CommandError("--target names a column of your own table: pass it by --data")
        if settings.budget < settings.n_initial:
            raise CommandError(
                f"a budget of {settings.budget} labels does not cover the {settings.n_initial} to "
                "start with: raise --budget or lower --initial"
            )
        run_demo(settings)
    except CommandError as error:
        print(f"skactive: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("skactive: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="skactive", description="Active learning: label less.")
    parser.add_argument("--version", action="version", version=f"skactive {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="watch what active learning saves, on digits or on your own table",
        description="Play strategies against random labelling, with known labels as the oracle.",
    )
    add = demo.add_argument
    add("--data", type=Path, metavar="FILE", help="npz, csv or parquet (default: digits)")
    add("--target", metavar="NAME", help="column or array to predict (npz: y)")
    add("--strategies", type=_names, metavar="A,B", help="default: one of each family")
    add("--estimator", choices=("forest", "logistic", "mlp", "svm"), help="default: mlp with torch")
    add("--budget", type=_count, default=220, metavar="N", help="labels in all (%(default)s)")
    add("--batch-size", type=_count, default=20, metavar="N", help="labels a round (%(default)s)")
    add("--initial", type=_count, default=20, metavar="N", help="labels at the start (%(default)s)")
    add("--seeds", type=_count, default=3, metavar="N", help="runs to average (%(default)s)")
    add(
        "--output",
        type=Path,
        default=Path("learning_curves.png"),
        metavar="PNG",
        help="where to draw the curves (%(default)s)",
    )
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("name at least one strategy")
    return names


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, got {text!r}")
    return number
