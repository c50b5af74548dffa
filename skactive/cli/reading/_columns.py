"""Columns of Python objects: integers that became floats, and rows without values."""

from __future__ import annotations

from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import is_blank
from skactive.cli.reading._table import format_lines

__all__ = ["leave_out_empty", "restore_integers"]


def restore_integers(values: list[Any]) -> list[Any]:
    """Return a column with integers if it has only whole floats, and missing values.

    Programs that have no missing integers turn such columns into floats.
    """
    present = [value for value in values if value is not None]
    if len(present) == len(values) or not all(
        isinstance(value, float) and value.is_integer() for value in present
    ):
        return values
    return [None if value is None else int(value) for value in values]


def leave_out_empty(
    columns: list[list[Any]], places: list[int], noun: str
) -> tuple[list[list[Any]], list[int], list[str]]:
    """Leave out rows without any value.

    Parameters
    ----------
    columns : list of list
        Values by column.
    places : list of int
        Number of each row in the file.
    noun : str
        Word for such a number.

    Returns
    -------
    columns : list of list
    places : list of int
    notes : list of str
    """
    rows = zip(*columns, strict=True)
    filled = [not all(map(is_blank, row)) for row in rows]
    if all(filled):
        return columns, places, []
    empty = [place for place, keep in zip(places, filled, strict=True) if not keep]
    note = f"{pluralize(len(empty), 'empty row')} left out ({format_lines(empty, noun)})"
    kept = [[v for v, keep in zip(column, filled, strict=True) if keep] for column in columns]
    return kept, [place for place, keep in zip(places, filled, strict=True) if keep], [note]
