"""``skactive check``: labels of a table that are likely wrong, with a report in HTML."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from skactive.cli._arguments import (
    TABLE_FORMATS,
    parse_columns,
    parse_positive_int,
)
from skactive.cli._errors import CommandError
from skactive.cli._table_options import LABEL_MODELS, add_content_options, add_form_options

__all__ = ["add_check_arguments", "run_check"]


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive check``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help=f"table: {TABLE_FORMATS}")
    add("--target", required=True, metavar="COLUMN", help="column of the labels to check")
    add_content_options(parser)
    add(
        "--annotators",
        type=parse_columns,
        default=[],
        metavar="A,B",
        help="column with the name of the person who gave each label; or several columns, each "
        "with the labels of one person",
    )
    add(
        "--audited",
        metavar="COLUMN",
        help="column with the true classes of the rows that people checked, else empty: the share "
        "of wrong labels then comes from these, with an interval",
    )
    add("--model", choices=LABEL_MODELS, default="logistic", help="model (%(default)s)")
    add(
        "--folds",
        type=parse_positive_int,
        default=5,
        metavar="N",
        help="folds of the cross-validation (%(default)s)",
    )
    add(
        "--html",
        type=Path,
        default=Path("check.html"),
        metavar="HTML",
        help="report to write (%(default)s)",
    )
    add_form_options(parser)


def run_check(options: dict[str, Any]) -> None:
    """Check the labels of a table, print what was found, and write the report.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the options or the data are unusable: before the model learns; or the report cannot be
        written.
    """
    import warnings  # late, like all others: the parser must be fast

    from threadpoolctl import threadpool_limits

    from skactive._utils.files import write_atomically
    from skactive.cli._output import print_line
    from skactive.cli._paths import check_output
    from skactive.cli.checking._accuracy import measure_accuracy_cost
    from skactive.cli.checking._findings import find_problems
    from skactive.cli.checking._people import measure_people
    from skactive.cli.checking._report import Check, render_check, summarize_check
    from skactive.cli.checking._rows import CheckSettings, read_checked_rows

    options = {**options, "annotators": tuple(options["annotators"])}
    settings = CheckSettings(**options)
    if settings.folds < 2:
        raise CommandError("--folds 1 leaves nothing to learn from: 2 or more")
    output = check_output(settings.html, (".html", ".htm"), "report")
    rows = read_checked_rows(settings)
    # Small fits lose time to threads of BLAS; warnings of fits are of no use to the reader.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        findings = find_problems(rows, settings)
        people = measure_people(rows, findings, settings)
        costs = measure_accuracy_cost(rows.labels, findings, settings.seed)
    check = Check(settings, rows, findings, people, costs)
    page = render_check(check).encode("utf-8", "replace")
    try:
        write_atomically(output, lambda file: file.write(page))
    except OSError as error:
        raise CommandError(f"the report cannot be written: {error.strerror}") from error
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in summarize_check(check)]
    print_line("\n".join([*lines, f"Report: {output}"]))
