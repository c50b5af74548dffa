"""Options of the commands for labeled tables: ``skactive demo`` and ``skactive compare``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from skactive.cli._arguments import (
    ESTIMATOR_NAMES,
    TABLE_FORMATS,
    parse_estimators,
    parse_n_jobs,
    parse_positive_int,
    parse_seed,
    parse_strategies,
)
from skactive.cli._errors import CommandError

__all__ = ["add_compare_arguments", "add_demo_arguments", "run_compare", "run_demo"]


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive demo``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.argument_default = argparse.SUPPRESS  # the settings have the defaults
    add, add_int = _make_adders(parser)
    _add_table_arguments(parser, is_required=False)
    add(
        "--application",
        metavar="NAME",
        help="play one of the applications instead: text_classification, object_detection, ...",
    )
    add(
        "--estimator",
        choices=ESTIMATOR_NAMES,
        help="model (default: mlp if torch is installed, else logistic)",
    )
    add_int("--budget", help="total number of labels (220)")
    add_int("--batch-size", help="labels per round (20)")
    add_int("--initial", dest="n_initial", help="labels at the start (20)")
    add_int("--seeds", dest="n_seeds", help="number of runs to average (3)")
    add(
        "--output",
        type=Path,
        metavar="PNG",
        help="picture of the learning curves to write (learning_curves.png)",
    )


# The parser stores options under the names that they have in the settings.
def run_demo(options: dict[str, Any]) -> None:
    """Compare strategies with random labeling, and print the result.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the options, the data or the model are unusable.
    """
    application = options.pop("application", None)
    if application is not None:
        from skactive.cli.commands import _application

        _application.play_application(application, options)
        return
    from skactive.cli.commands import _demo

    settings = _demo.DemoSettings(**options)
    if settings.target is not None and settings.data is None:
        raise CommandError("--target names a column of your own table: pass the table by --data")
    if settings.budget < settings.n_initial:
        raise CommandError(
            f"a budget of {settings.budget} labels does not cover the {settings.n_initial} "
            "initial ones: raise --budget or lower --initial"
        )
    _demo.play_demo(settings)


def add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive compare``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add, add_int = _make_adders(parser)
    _add_table_arguments(parser, is_required=True)
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


def run_compare(options: dict[str, Any]) -> None:
    """Compare strategies on a table, and write a report.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the options, the data or the model are unusable.
    """
    from skactive.cli.commands import _compare

    _compare.play_comparison(_compare.CompareSettings(**options))


def _add_table_arguments(parser: argparse.ArgumentParser, *, is_required: bool) -> None:
    """Add the options of the table, and of the strategies to compare on it."""
    default = "" if is_required else " (default: digits)"
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        required=is_required,
        help=f"npz, a table ({TABLE_FORMATS}) or a folder of parquet files{default}",
    )
    parser.add_argument("--target", metavar="NAME", help="column or array to predict (npz: y)")
    parser.add_argument(
        "--strategies",
        type=parse_strategies,
        metavar="A,B",
        help="query strategies (default: one of each family)",
    )


def _make_adders(parser: argparse.ArgumentParser) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return functions that add an option, and an option that is an integer >= 1."""
    add = parser.add_argument
    return add, partial(add, type=parse_positive_int, metavar="N")
