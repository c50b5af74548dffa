"""The command ``skactive``: its parser, and the module of each command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from skactive import __version__
from skactive._utils.sanitizing import sanitize
from skactive.cli._output import print_own_text

__all__ = ["run_command"]


class _Command(NamedTuple):
    """A command, and the module that has its options and runs it."""

    module: str
    help: str
    description: str


_COMMANDS = {
    "demo": _Command(
        "_simulated",
        "see how many labels active learning saves, on digits or on your own table",
        "Compare query strategies with random labeling; known labels are the oracle.",
    ),
    "compare": _Command(
        "_simulated",
        "find the best query strategy for your own table; writes a report",
        "Compare query strategies on a labeled table, and write an HTML report.",
    ),
    "check": _Command(
        "_check",
        "find wrong labels, duplicates and confused classes in a table; writes a report",
        "Find the labels of a table that are likely wrong, with the reason, rows that repeat "
        "others, classes and annotators that disagree, and what it all costs in accuracy.",
    ),
    "route": _Command(
        "_route",
        "let a model label the rows of which it is sure, with a promise about its errors",
        "Fit a model to the labels of a table, and let it label the other rows as far as an audit "
        "allows: random rows whose true labels come from a column or from you. Writes the table "
        "with labels, their source and their confidence.",
    ),
    "label": _Command(
        "_label",
        "label a table, or a folder of images or sounds, in the terminal",
        "Label the most informative rows first. Nothing is lost: stop at any time, and continue "
        "with --resume.",
    ),
    "serve": _Command(
        "_serve",
        "label in a browser",
        "Serve a page for labeling, to one person or several.",
    ),
    "label-studio": _Command(
        "_label_studio",
        "label in Label Studio, the most informative rows first",
        "Order the tasks of a project by a model, which learns from the annotations.",
    ),
    "export": _Command(
        "_export",
        "write labels beside their data as csv, jsonl, parquet, xlsx or for Label Studio",
        "Write the labels of a store to a file, beside the data if they are still there.",
    ),
    "status": _Command(
        "_status",
        "show labeling progress",
        "Show how many labels a store has, by whom, and how good the model is; read what is left "
        "of a damaged one.",
    ),
    "backup": _Command(
        "_backup",
        "copy the labels of a store, while others label",
        "Copy everything that a store holds so far to a new file, and read the copy to check it.",
    ),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors may quote anything, and whose help may not be lost."""

    def error(self, message: str) -> NoReturn:
        super().error(sanitize(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            print_own_text(message)
        else:
            super()._print_message(message, file)


def run_command(argv: Sequence[str] | None) -> None:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments; None for those of the process.

    Raises
    ------
    CommandError
        If the command is mistaken.
    SystemExit
        If the arguments cannot be parsed, or ask for help.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = vars(_make_parser(arguments).parse_args(arguments))
    run = options.pop("run")
    run(options)


def _make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with the options of the command that the arguments name."""
    parser = _Parser(prog="skactive", description="Active learning: label less, learn the same.")
    parser.add_argument("--version", action="version", version=f"skactive {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    named = next((text for text in arguments if not text.startswith("-")), None)
    for name, command in _COMMANDS.items():
        subparser = commands.add_parser(name, help=command.help, description=command.description)
        if name == named:
            _add_options(subparser, name, command.module)
    return parser


def _add_options(parser: argparse.ArgumentParser, name: str, module: str) -> None:
    """Add the options of a command, whose module is imported only if it is named."""
    loaded: Any = import_module(f"skactive.cli.commands.{module}")
    stem = name.replace("-", "_")
    getattr(loaded, f"add_{stem}_arguments")(parser)
    parser.set_defaults(run=getattr(loaded, f"run_{stem}"))
