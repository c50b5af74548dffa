"""Numbers that a file holds already as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skactive._utils.values import format_value
from skactive.cli._errors import CommandError
from skactive.cli.sources._cells import format_rows, list_first
from skactive.cli.sources._columns import is_without_value
from skactive.cli.sources._file_labels import FileLabels
from skactive.exceptions import LabelError
from skactive.labeling._numbers import ValueRange, parse_number

__all__ = ["read_numbers"]


def read_numbers(
    name: str, values: Mapping[int, Any], lines: Sequence[int], value_range: ValueRange
) -> FileLabels:
    """Read a column of numbers.

    Parameters
    ----------
    name : str
        Name of the column.
    values : mapping of int to object
        Its cells, by the position of their row; None, NaN, empty texts and "NA" are no label.
    lines : sequence of int
        Lines of all rows in the file.
    value_range : (float or None, float or None)
        The smallest and the largest number.

    Raises
    ------
    CommandError
        If a cell is no number, or out of the range.
    """
    numbers: dict[int, Any] = {}
    problems: dict[int, str] = {}
    for position, value in values.items():
        if is_without_value(value):
            continue
        try:
            numbers[position] = parse_number(format_value(value), value_range)
        except LabelError as error:
            problems[position] = str(error).removesuffix(" Nothing was stored.").rstrip(".")
    if problems:
        named = [f"{text} ({format_rows([i], lines)})" for i, text in problems.items()]
        raise CommandError(
            f"column {name!r} holds cells that cannot be labels: {list_first(named)}; correct or "
            "empty them"
        )
    return FileLabels(
        numbers, [], [f"{len(numbers):,} of {len(values):,} rows have a number (column {name!r})"]
    )
