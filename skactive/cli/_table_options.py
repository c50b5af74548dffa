"""Options of the commands that learn from a column of labels of a table."""

from __future__ import annotations

from argparse import ArgumentParser

from skactive.cli._arguments import (
    parse_columns,
    parse_encoding,
    parse_seed,
    parse_separator,
)

__all__ = ["LABEL_MODELS", "add_content_options", "add_form_options"]

LABEL_MODELS = ("forest", "logistic")  # those that give probabilities


def add_content_options(parser: ArgumentParser) -> None:
    """Add the options that say which columns are the content of the rows."""
    add = parser.add_argument
    add("--text", metavar="COLUMN", help="column of texts (default: rows of cells)")
    add(
        "--columns",
        type=parse_columns,
        metavar="A,B",
        help="columns to learn from (default: all that do not look like ids or labels)",
    )
    add("--id", metavar="COLUMN", help="column of row ids, which is not learned from")


def add_form_options(parser: ArgumentParser) -> None:
    """Add the options that say how the file is written, and the seed."""
    add = parser.add_argument
    add("--encoding", type=parse_encoding, metavar="NAME", help="encoding (default: UTF-8)")
    add("--separator", type=parse_separator, metavar="CHARACTER", help="between the cells, as ;")
    add("--sheet", metavar="NAME", help="sheet of a workbook (default: the first)")
    add("--seed", type=parse_seed, default=0, metavar="N", help="random seed (%(default)s)")
