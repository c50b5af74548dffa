"""``skactive route``: let a model label the rows of which it is sure, with a promise."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from skactive.cli._arguments import (
    TABLE_FORMATS,
    parse_positive_int,
    parse_share,
)
from skactive.cli._errors import CommandError
from skactive.cli._table_options import LABEL_MODELS, add_content_options, add_form_options

__all__ = ["add_route_arguments", "run_route"]

_GUARANTEES = ("set", "accepted", "per_class")
_SUFFIXES = (".csv", ".jsonl", ".parquet", ".xlsx")


def add_route_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive route``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help=f"table: {TABLE_FORMATS}")
    add(
        "--target",
        required=True,
        metavar="COLUMN",
        help="column of labels, filled in some rows: the model learns from these, and the rows "
        "whose cell is empty are routed",
    )
    add_content_options(parser)
    add("--model", choices=LABEL_MODELS, default="logistic", help="model (%(default)s)")
    add(
        "--max-error",
        type=parse_share,
        default=0.05,
        metavar="SHARE",
        help="largest share of wrong labels (%(default)s)",
    )
    add(
        "--confidence",
        type=parse_share,
        default=0.9,
        metavar="SHARE",
        help="how often, at least, the promise is kept (%(default)s)",
    )
    add(
        "--guarantee",
        choices=_GUARANTEES,
        default="set",
        help="what --max-error is a share of: all labels of the routed rows, those of people "
        "included; the labels of the model; or these, class by class (%(default)s)",
    )
    add(
        "--audit",
        type=parse_positive_int,
        default=300,
        metavar="N",
        help="number of random rows whose true labels decide (%(default)s)",
    )
    add(
        "--audited",
        metavar="COLUMN",
        help="column of true labels, filled at least in the rows of the audit (default: you label "
        "these in the terminal)",
    )
    add("--annotator", metavar="NAME", help="your name (default: the name of your account)")
    add(
        "--store",
        type=Path,
        metavar="DB",
        help="file that keeps your labels of the audit (default: OUT with -audit.db)",
    )
    add(
        "--output",
        type=Path,
        metavar="OUT",
        help="file to write: csv, jsonl, parquet, xlsx (default: FILE with -routed.csv)",
    )
    add_form_options(parser)


def run_route(options: dict[str, Any]) -> None:
    """Route the rows of a table, write them, and print the promise.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the options or the data are unusable: before anybody labels; or the file cannot be
        written.
    KeyboardInterrupt, SystemExit
        If a signal ended the labeling of the audit.
    """
    import warnings  # late, like all others: the parser must be fast

    from threadpoolctl import threadpool_limits

    from skactive.cli._output import print_line
    from skactive.cli._paths import check_output
    from skactive.cli.routing._rows import RouteSettings, read_routed_table

    file: Path = options["file"]
    output = options.get("output") or file.with_name(f"{file.name.partition('.')[0]}-routed.csv")
    settings = RouteSettings(**{**options, "output": check_output(output, _SUFFIXES, "table")})
    for name in ("max_error", "confidence"):
        if not getattr(settings, name):
            raise CommandError(f"--{name.replace('_', '-')} must be above 0")
    if settings.output.exists() and file.exists() and settings.output.samefile(file):
        raise CommandError(f"{settings.output} is the table itself: choose another --output")
    rows = read_routed_table(settings)
    for note in rows.source.notes:
        print_line(note)
    # Small fits lose time to threads of BLAS; warnings of fits are of no use to the reader.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = _route(rows, settings)
    if lines:
        print_line("\n".join(lines))


def _route(rows: Any, settings: Any) -> list[str]:
    """Return the lines to print at the end; none if the audit is not complete."""
    from skactive._utils.seeding import seeded_clone
    from skactive._utils.text import pluralize
    from skactive.annotators import ModelAnnotator, Router
    from skactive.cli.learners._learners import make_learner
    from skactive.cli.routing._audit import ask_for_audit, read_audit
    from skactive.cli.routing._writing import count_sources, make_content, write_table

    classes, labeled, pool = rows.source.classes, rows.list_labeled(), rows.list_pool()
    learner = make_learner(
        rows.source, settings.file, settings.model, "Random", classes, multilabel=False
    )
    labels = [rows.labels[rows.positions[row]] for row in labeled]
    model = seeded_clone(learner.estimator, settings.seed).fit(rows.take(labeled), labels)
    router = Router(
        [ModelAnnotator(model)],
        max_error=settings.max_error,
        confidence=settings.confidence,
        guarantee=settings.guarantee,
        audit=settings.audit,
        random_state=settings.seed,
    )
    audited = [pool[place] for place in router.draw_audit(len(pool)).tolist()]
    truth = (
        ask_for_audit(rows, audited, learner.estimator, settings)
        if settings.audited is None
        else read_audit(rows, audited, settings.audited)
    )
    if truth is None:
        return []
    router.fit(rows.take(pool), oracle=lambda places: _list_truth(truth, pool, places))
    content = make_content(rows, router.annotate(rows.take(pool)))
    notes = write_table(content, settings.output)
    n_model, n_people, n_left = count_sources(content)
    return [
        *notes,
        f"The model learned from {pluralize(len(labeled), 'label')} of {len(classes)} classes.",
        str(router.certificate_),
        f"{pluralize(n_model, 'row')} labeled by the model, {n_people:,} by people, {n_left:,} "
        f"without a label: {settings.output}",
    ]


def _list_truth(truth: dict[int, str | None], pool: list[int], places: Any) -> Any:
    """Return the true labels of rows of the pool, None where they are unknown, (n_places,)."""
    import numpy as np

    labels = np.empty(len(places), dtype=object)
    labels[:] = [truth[pool[place]] for place in places]
    return labels
