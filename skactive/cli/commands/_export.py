"""``skactive export``."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skactive._utils.files import is_standard_output
from skactive._utils.text import pluralize, take_first_line
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line, print_note
from skactive.cli._paths import check_parent

if TYPE_CHECKING:
    from skactive.cli.projects._stored_project import StoredProject
    from skactive.labeling.exporting._content import Answers, ExportContent

__all__ = ["add_export_arguments", "run_export"]

_KINDS = ("csv", "jsonl", "parquet", "label-studio", "xlsx")


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive export``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add = parser.add_argument
    add("store", type=Path, metavar="DB", help="file of the labels, such as labels.db")
    add("output", type=Path, metavar="OUT", help="file to write, such as labels.csv")
    add(
        "--kind",
        choices=_KINDS,
        help="format (default: by the suffix of OUT; .json: label-studio)",
    )
    add(
        "--data",
        type=Path,
        metavar="FILE",
        help="the labeled data, if they were moved (default: where they were)",
    )
    add(
        "--answers",
        action="store_true",
        help="write one row per answer instead of one per item, without the data",
    )
    add("--all", action="store_true", help="write rows that nobody has answered, too")
    add(
        "--predictions",
        action="store_true",
        help="write all rows, those without a label with the prediction of a model",
    )
    add(
        "--no-spreadsheet-safe",
        dest="unsafe",
        action="store_true",
        help="csv: put no apostrophe before texts that a spreadsheet would run as formulas",
    )


def run_export(options: dict[str, Any]) -> None:
    """Write the labels of a store to a file.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read, or the file cannot be written.
    """
    from skactive.cli.projects._stored_project import read_store  # late: the parser must be fast
    from skactive.labeling._export import find_kind, write_content

    store, output, kind = options["store"], options["output"], options.get("kind")
    _check_options(options)
    check_parent(output)
    try:
        find_kind(output, kind)
        with read_store(store) as stored:
            _check_output(output, stored, options)
            content, notes = _collect_content(stored, options)
        safe = not options.get("unsafe")
        notes = [*notes, *write_content(content, output, kind, spreadsheet_safe=safe)]
    except (ValueError, ImportError) as error:
        raise CommandError(take_first_line(error)) from error
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}") from error
    n_rows, noun = len(content.columns["id"]), "answer" if options.get("answers") else "row"
    for line in [*notes, f"{pluralize(n_rows, noun)}: {output}"]:
        if is_standard_output(output):
            print_note(line)
        else:
            print_line(line)


def _check_options(options: dict[str, Any]) -> None:
    for name in ("data", "all", "predictions"):
        if options.get("answers") and options.get(name):
            raise CommandError(
                f"--{name} cannot be combined with --answers, which writes no data: leave one out"
            )


def _check_output(output: Path, stored: StoredProject, options: dict[str, Any]) -> None:
    """Raise an error if the store or the data would be replaced."""
    inputs = {options["store"]: "the store itself"}
    settings = stored.settings or {}
    if "path" in settings:
        inputs[Path(settings["path"])] = "the labeled data"
        inputs[options["store"].resolve().parent / settings["beside"]] = "the labeled data"
    if options.get("data"):
        inputs[options["data"]] = "the labeled data"
    for path, name in inputs.items():
        if output.exists() and path.exists() and output.samefile(path):
            raise CommandError(f"{output} is {name}: choose another file")


def _collect_content(
    stored: StoredProject, options: dict[str, Any]
) -> tuple[ExportContent, list[str]]:
    """Return the content to write, and remarks for the user."""
    from skactive.cli.projects._project_data import read_project_data
    from skactive.labeling.exporting._content import Answers, make_answers, make_items

    answers = Answers(list(stored.iter_records()), stored.are_numbers)
    if options.get("answers"):
        return make_answers(answers), []
    if options.get("predictions"):
        return _make_predicted_content(answers, options), []
    data, notes = None, []
    try:
        data = read_project_data(stored, options["store"], options.get("data"))
    except CommandError as error:
        if options.get("data"):
            raise
        advice = "" if stored.settings is None else ". If the data were moved: --data FILE"
        rows = " and without rows that nobody has answered" if options.get("all") else ""
        reason = str(error).partition(";")[0]
        notes.append(f"Without the columns of the data{rows}: {reason}{advice}.")
    if data is None:
        return make_items(answers), notes
    items = make_items(
        answers, data.ids, data.columns, text=data.text, unlabeled=bool(options.get("all"))
    )
    return items, notes


def _make_predicted_content(answers: Answers, options: dict[str, Any]) -> ExportContent:
    """Fit the model of a project, and return the content with its predictions."""
    from threadpoolctl import threadpool_limits

    from skactive.cli.projects._project import read_project
    from skactive.cli.projects._project_data import get_columns
    from skactive.labeling._export import make_session_content

    project = read_project({"resume": options["store"], "file": options.get("data")})
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits
        with project.open(background=False) as session:
            return make_session_content(
                session,
                answers,
                rows="items",
                data=get_columns(project),
                text=project.settings["text"],
                predictions=True,
            )
