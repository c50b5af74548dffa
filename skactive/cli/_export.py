"""``skactive export``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from skactive.cli._duplicates import read_copies, repeat_for_copies
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli._stored_project import read_store
from skactive.labeling._export import EXPORT_KINDS, export

__all__ = ["add_export_arguments", "run_export"]


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive export``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "store", type=Path, metavar="DB", help="file of the labels, such as labels.db"
    )
    parser.add_argument(
        "output", type=Path, metavar="OUT", help="file to write, such as labels.csv"
    )
    parser.add_argument(
        "--kind",
        choices=EXPORT_KINDS,
        help="format (default: by the suffix of OUT; .json: label-studio)",
    )


def run_export(options: dict[str, Any]) -> None:
    """Write the answers of a store to a file.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read, or the file cannot be written.
    """
    records = repeat_for_copies(
        read_store(options["store"]).records(), read_copies(options["store"])
    )
    output = options["output"]
    if output.exists() and output.samefile(options["store"]):
        raise CommandError(f"{output} is the store itself: choose another file")
    try:
        export(records, output, options.get("kind"))
    except (ValueError, ImportError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror or error}") from error
    print_line(f"{len(records):,} answers: {output}")
