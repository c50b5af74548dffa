"""The command line that the ``run.py`` of all applications share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from skactive._utils.files import write_atomically
from skactive.applications._application import Application, Sizes
from skactive.applications._play import explain_batch, play
from skactive.applications._record import make_record
from skactive.applications._report import (
    describe_batch,
    describe_record,
    draw_curves,
    tabulate_curves,
)

__all__ = ["main"]


def main(application: Application, arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Play an application, and print what it showed.

    Parameters
    ----------
    application : Application
        The application.
    arguments : sequence of str, default=None
        Options; None takes those of the command line, and ``--help`` lists them.

    Returns
    -------
    dict
        The record that :func:`make_record` makes.
    """
    options = _make_parser(application).parse_args(arguments)
    task = application.read(options.data)
    sizes = _choose_sizes(application, options)
    print(f"{application.title}: {task.source}", flush=True)
    comparison = play(
        application,
        task,
        sizes,
        n_repeats=options.seeds,
        n_jobs=options.jobs,
        folder=options.folder,
        verbose=True,
    )
    record = make_record(application, task, sizes, comparison)
    print(f"\n{application.score_name}")
    print("\n".join(tabulate_curves(comparison, task.unit)), end="\n\n")
    print("\n".join(describe_record(record)), flush=True)
    if options.json is not None:
        text = json.dumps(record, indent=1).encode()
        write_atomically(options.json, lambda file: file.write(text))
    if options.picture is not None:
        draw_curves(comparison, application.title, task.unit, options.picture)
    if options.explain:
        batch = explain_batch(application, task, sizes)
        print(f"\n{application.chosen} asks for:")
        print("\n".join(describe_batch(batch, task)))
    return record


def _choose_sizes(application: Application, options: argparse.Namespace) -> Sizes:
    sizes = application.sizes if options.data is None else application.full_sizes
    names = ("n_initial", "batch_size", "budget", "n_pool")
    given = {name: getattr(options, name) for name in names}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


def _make_parser(application: Application) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{application.title}: what labels are saved.")
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the full data (default: a miniature)")
    add("--seeds", type=_parse_count, default=5, metavar="N", help="paired seeds (%(default)s)")
    add("--jobs", type=_parse_count, default=1, metavar="N", help="parallel campaigns (1)")
    add("--initial", dest="n_initial", type=_parse_count, metavar="N", help="rows at the start")
    add("--batch-size", type=_parse_count, metavar="N", help="rows per round")
    add("--budget", type=_parse_budget, metavar="COST", help="cost of all labels")
    add("--pool", dest="n_pool", type=_parse_count, metavar="N", help="rows of the pool")
    add("--folder", type=Path, metavar="DIR", help="store campaigns here, and continue from them")
    add("--json", type=Path, metavar="FILE", help="write the results as JSON")
    add("--picture", type=Path, metavar="PNG", help="draw the learning curves")
    add(
        "--explain",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="explain the first rows that are asked for (default: yes)",
    )
    return parser


def _parse_count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer >= 1, got {text}")
    return value


def _parse_budget(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value  # a number of labels, if they have no costs
