"""Options of labeling projects: on the command line, and as a store records them."""

from __future__ import annotations

import argparse
import shlex
from argparse import ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skactive.cli._arguments import (
    TABLE_FORMATS,
    parse_class_names,
    parse_columns,
    parse_encoding,
    parse_finite,
    parse_positive_int,
    parse_separator,
    parse_share,
    read_class_names,
)
from skactive.cli._errors import CommandError
from skactive.cli.projects._spending_options import add_spending_arguments

__all__ = [
    "DEFAULTS",
    "add_project_arguments",
    "check_resumed_options",
    "format_resume_command",
    "resolve_settings",
]

CLASS_MODELS, NUMBER_MODELS = ("forest", "logistic", "svm"), ("forest", "ridge")
MODELS = tuple(sorted({*CLASS_MODELS, *NUMBER_MODELS}))
DEFAULTS: dict[str, Any] = {
    "multilabel": False,
    "numbers": False,
    "batch": 10,
    "model": "logistic",
    "strategy": "Auto",
    "audit": 0.1,
}
# None if they are not given
_OPTIONAL = ("text", "id", "label", "columns", "min", "max", "encoding", "separator", "sheet")
_OPTIONS_FROM_STORE = (
    *_OPTIONAL, "images", "audio", "classes", "classes_file", *DEFAULTS, "group_duplicates",
    "store",
)  # fmt: skip


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of data and settings, which `read_project` takes.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of a command.
    """
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=f"table ({TABLE_FORMATS}), or folder of images or sounds",
    )
    _add_content_arguments(parser)
    _add_reading_arguments(parser)
    _add_store_arguments(parser)
    _add_model_arguments(parser)
    add_spending_arguments(parser)


def _add_content_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--text", metavar="COLUMN", help="column of texts to label (default: label rows of cells)")
    add(
        "--columns",
        type=parse_columns,
        metavar="A,B",
        help="columns to show and learn from (default: all that do not look like ids or labels)",
    )
    add("--id", metavar="COLUMN", help="column of row ids (default: row numbers)")
    add("--label", metavar="COLUMN", help="column of labels that are known already")
    add("--images", action="store_true", help="label the images of a folder that also holds sounds")
    add(
        "--audio",
        action="store_true",
        help="label the sounds of a folder that also holds images",
    )
    add(
        "--classes",
        type=parse_class_names,
        metavar="A,B",
        help="classes; more can be added later (default: those of the column of labels)",
    )
    add("--classes-file", type=Path, metavar="FILE", help="file with a class on each line")
    add("--multilabel", action="store_true", help="allow several classes per row, or none")
    add("--numbers", action="store_true", help="label with numbers instead of classes")
    for name, limit in (("--min", "smallest"), ("--max", "largest")):
        add(name, type=parse_finite, metavar="X", help=f"with --numbers: the {limit} number")


def _add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--encoding",
        type=parse_encoding,
        metavar="NAME",
        help="encoding of the file, such as cp1252 (default: UTF-8)",
    )
    add(
        "--separator",
        type=parse_separator,
        metavar="CHARACTER",
        help='character between the cells of the file, such as ";" or tab',
    )
    add("--sheet", metavar="NAME", help="sheet of a workbook (default: the first)")
    add(
        "--group-duplicates",
        action="store_true",
        help="ask once about rows with equal content; the export has them all",
    )


def _add_store_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--store", type=Path, metavar="DB", help="file for the labels, such as labels.db")
    add(
        "--resume",
        type=Path,
        metavar="DB",
        help="continue with such a file; all options but prices and budgets come from it",
    )
    add(
        "--accept-changes",
        action="store_true",
        help="continue although the content of rows has changed; their labels are kept",
    )


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--batch",
        type=parse_positive_int,
        metavar="N",
        help=f"number of labels between two fits ({DEFAULTS['batch']})",
    )
    add(
        "--model",
        choices=MODELS,
        help=f"model ({DEFAULTS['model']}; of numbers: forest, for texts ridge)",
    )
    add("--strategy", metavar="NAME", help=f"query strategy ({DEFAULTS['strategy']})")
    add(
        "--audit",
        type=parse_share,
        metavar="SHARE",
        help="share of the labels used to measure accuracy: random rows that the model does not "
        f"learn from ({DEFAULTS['audit']}; 0: none)",
    )


def format_resume_command(command: str, store: Path, *arguments: str) -> str:
    """Return the shell command that continues with a store."""
    return shlex.join(["skactive", command, "--resume", str(store), *arguments])


def check_resumed_options(options: Mapping[str, Any]) -> None:
    """Raise an error if an option was given that comes from the store."""
    for name in _OPTIONS_FROM_STORE:
        if name in options:
            raise CommandError(f"--{name.replace('_', '-')} cannot be combined with --resume")


def resolve_settings(options: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a project that the command line describes.

    Parameters
    ----------
    options : mapping
        Options that were given.
    known : mapping
        Settings of the same project that its store records; empty if it is new.

    Raises
    ------
    CommandError
        If an option is missing or wrong.
    """
    if "images" in options and "audio" in options:
        raise CommandError("--images and --audio cannot be combined")
    kind = next((name for name in ("images", "audio") if name in options), None)
    check = _check_options_of_numbers if "numbers" in options else _check_options_of_classes
    check(options)
    settings = {name: options.get(name, default) for name, default in DEFAULTS.items()}
    if "numbers" in options and "model" not in options:
        settings["model"] = "ridge" if "text" in options else "forest"
    settings |= {name: options.get(name) for name in _OPTIONAL}
    settings |= {"kind": kind, "group_duplicates": "group_duplicates" in options}
    settings |= {"kinds": known.get("kinds"), "classes": _resolve_classes(options, known)}
    return settings


def _check_options_of_numbers(options: Mapping[str, Any]) -> None:
    """Raise an error if an option makes no sense with numbers."""
    for name in ("classes", "classes_file", "multilabel"):
        if name in options:
            option = name.replace("_", "-")
            raise CommandError(
                f"--{option} is for classes, and --numbers labels with numbers: leave one out"
            )
    model = options.get("model")
    if model is not None and model not in NUMBER_MODELS:
        raise CommandError(
            f"--model {model} predicts classes: with --numbers use {' or '.join(NUMBER_MODELS)}"
        )
    low, high = options.get("min"), options.get("max")
    if low is not None and high is not None and not low < high:
        raise CommandError(f"--min must be below --max, got {low} and {high}")


def _check_options_of_classes(options: Mapping[str, Any]) -> None:
    """Raise an error if an option makes sense with numbers only."""
    for name in ("min", "max"):
        if name in options:
            raise CommandError(f"--{name} limits numbers: add --numbers, or leave it out")
    if options.get("model") not in {None, *CLASS_MODELS}:
        raise CommandError(
            f"--model {options['model']} predicts numbers: add --numbers, or use "
            f"{' or '.join(CLASS_MODELS)}"
        )


def _resolve_classes(options: Mapping[str, Any], known: Mapping[str, Any]) -> list[str] | None:
    """Return the declared classes; None if they are those of the column of labels."""
    if "numbers" in options:
        return []
    if "classes" in options and "classes_file" in options:
        raise CommandError("--classes and --classes-file cannot be combined")
    classes = options.get("classes")
    if "classes_file" in options:
        try:
            classes = read_class_names(options["classes_file"])
        except ArgumentTypeError as error:
            raise CommandError(f"--classes-file: {error}") from error
    if classes is None and "label" in options:
        return known.get("classes")
    if classes is None:
        raise CommandError(
            "name the classes: --classes a,b,c, or the column that holds them: --label COLUMN; or "
            "label with numbers: --numbers"
        )
    if len(classes) < 2 and not options.get("multilabel"):
        raise CommandError("one class leaves nothing to learn: name two or more by --classes")
    return list(classes)
