"""Names of columns: each must have one, and only one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading._table import format_names, shorten

__all__ = ["check_names", "leave_out_unnamed", "warn_of_data_in_header"]

_NUMERIC_NAME = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_LONG_NAME = 80  # characters
_INDEX = "__index_level_0__"  # pandas' name for row numbers


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise an error if a column has no name, one over several lines, or that of another."""
    unnamed = [position for position, name in enumerate(names, 1) if not name]
    if unnamed:
        places = ", ".join(map(str, unnamed[:5])) + (", ..." if len(unnamed) > 5 else "")
        noun = "column" if len(unnamed) == 1 else "columns"
        raise CommandError(
            f"{path.name} has no name for {noun} {places} of {len(names)}: name each column in "
            "the first line"
        )
    for position, name in enumerate(names, 1):
        if "\n" in name or "\r" in name:
            raise CommandError(
                f"the name of column {position} of {path.name} spans several lines "
                f"({shorten(name)!r}): write it on one line, or close its quote"
            )
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        positions = [str(i) for i, name in enumerate(names, 1) if name == duplicates[0]]
        more = f" (and so do others: {format_names(duplicates[1:])})" if duplicates[1:] else ""
        raise CommandError(
            f"columns {' and '.join(positions)} of {path.name} have the same name, "
            f"{shorten(duplicates[0])!r}{more}: rename them"
        )


def leave_out_unnamed(
    names: list[str], columns: list[list[Any]]
) -> tuple[list[str], list[list[Any]], list[str]]:
    """Leave out what programs write without being asked: empty columns, and row numbers.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    columns : list of list
        Their values.

    Returns
    -------
    names : list of str
    columns : list of list
    notes : list of str
    """
    notes = []
    kept = list(range(len(names)))
    while len(kept) > 1 and not names[kept[-1]] and all(map(is_blank, columns[kept[-1]])):
        kept.pop()
    n_empty = len(names) - len(kept)
    if n_empty:
        what = pluralize(n_empty, "empty column")
        notes.append(f"{what} without a name at the end of the rows left out")
    for position in (0, kept[-1]):
        if len(kept) > 1 and names[position] in {"", _INDEX} and _numbers_rows(columns[position]):
            kept.remove(position)
            notes.append(f"column {position + 1}, which only numbers the rows, left out")
    return [names[i] for i in kept], [columns[i] for i in kept], notes


def _numbers_rows(column: Sequence[Any]) -> bool:
    """Return whether a column holds 0, 1, 2 ... or 1, 2, 3 ..., as numbers or texts."""
    return bool(column) and any(
        all(str(value) == str(number) for number, value in enumerate(column, first))
        for first in (0, 1)
    )


def warn_of_data_in_header(columns: dict[str, list[Any]]) -> list[str]:
    """Return a note if the names of the columns look like the values of a row.

    Parameters
    ----------
    columns : dict of str to list
        Values by column.
    """
    reason = next(_find_reasons(columns), None)
    if reason is None:
        return []
    names = format_names(columns)
    return [f"the first line was read as the names of the columns ({names}), but {reason}"]


def _find_reasons(columns: dict[str, list[Any]]) -> Iterator[str]:
    if len(columns) == 1 and re.search(r"[,;\t|]", next(iter(columns))):
        yield "that may be several: is each line in quotes as a whole?"
    if all(values and re.fullmatch("-{2,}", str(values[0])) for values in columns.values()):
        yield "the line after it consists of dashes, and was read as a row"
    if all(map(_NUMERIC_NAME.fullmatch, columns)):
        yield "they are only numbers" if len(columns) > 1 else "it is a number"
    for name, values in columns.items():
        if name in values:
            yield f"{shorten(name, 30)!r} is also a value of its column"
        if len(name) > _LONG_NAME:
            yield f"a name has {len(name)} characters"
