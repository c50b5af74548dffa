"""Labels that a file of rows holds already."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skactive._utils.values import format_value, is_blank
from skactive.cli._arguments import join_names, normalize_name
from skactive.cli._errors import CommandError
from skactive.cli.sources._cells import format_rows, list_first
from skactive.cli.sources._columns import Column

__all__ = ["MAX_CLASSES", "FileLabels", "fold_number", "name_class", "read_labels"]

MAX_CLASSES = 50  # that a column may define
_MAX_NUMBERED = 10  # classes that are whole numbers, of which most may be there only once
_MAX_ADVISED = 5  # values that are advised as classes
_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")
_MAY_BE_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?", "-"})


class FileLabels(NamedTuple):
    """Labels that a file holds.

    Parameters
    ----------
    labels : dict of int to str or list of str
        Labels by the position of their row.
    classes : list of str
        Declared classes, or those of the column, sorted.
    notes : list of str
        Lines to print about how they were read.
    """

    labels: dict[int, Any]
    classes: list[str]
    notes: list[str]


def read_labels(
    name: str,
    values: Mapping[int, Any],
    lines: Sequence[int],
    classes: Sequence[str] | None,
    multilabel: bool,
) -> FileLabels:
    """Read a column of labels.

    Parameters
    ----------
    name : str
        Name of the column.
    values : mapping of int to object
        Its cells, by the position of their row; None, NaN and empty texts are no label.
    lines : sequence of int
        Lines of all rows in the file.
    classes : sequence of str or None
        Declared classes; None takes those of the column.
    multilabel : bool
        Whether a row may have several classes: a list, or a text such as "a; b" or "a, b".

    Raises
    ------
    CommandError
        If a value is not among the classes, or the column does not hold classes.
    """
    cells = {position: value for position, value in values.items() if not is_blank(value)}
    separator = _find_separator(cells.values(), classes or ()) if multilabel else None
    named = {i: _split_cell(value, separator, classes or ()) for i, value in cells.items()}
    if not multilabel:
        _check_single(name, named, lines)
    folded = {i: [fold_number(c, classes) for c in names] for i, names in named.items()}
    rows_of = _group_by_class(folded)
    if classes is None:
        if not multilabel:
            _check_no_numbers(Column(name, list(cells.values())), rows_of)
        _check_new_classes(name, rows_of, lines, multilabel)
    else:
        _check_declared(name, rows_of, lines, classes)
    labels = {i: names if multilabel else names[0] for i, names in folded.items()}
    notes = _describe_labels(
        name, len(labels), len(values), separator, None if classes else rows_of
    )
    return FileLabels(labels, list(classes or sorted(rows_of)), notes)


# Cells ------------------------------------------------------------------------------------------


def _find_separator(cells: Collection[Any], classes: Collection[str]) -> str | None:
    """Return what separates several classes in a cell; None if no text needs it."""
    texts = [cell for cell in cells if isinstance(cell, str) and not _is_json_list(cell)]
    texts = [text for text in texts if normalize_name(text) not in classes]
    return next((mark for mark in (";", ",") if any(mark in text for text in texts)), None)


def _split_cell(cell: Any, separator: str | None, classes: Collection[str]) -> list[str]:
    """Return the names of classes in a cell."""
    if isinstance(cell, str) and normalize_name(cell) in classes:
        return [normalize_name(cell)]
    if isinstance(cell, str) and _is_json_list(cell):
        cell = json.loads(cell)
    elif isinstance(cell, str) and separator:
        cell = [part for part in cell.split(separator) if part.strip()]
    parts = list(cell) if isinstance(cell, list | tuple | set | np.ndarray) else [cell]
    return [name_class(part) for part in parts]


def _is_json_list(text: str) -> bool:
    if not text.lstrip().startswith("["):
        return False
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def name_class(value: Any) -> str:
    """Return the name of a class as it is stored, of the cell that holds it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalize_name(format_value(value))


def fold_number(name: str, classes: Collection[str] | None) -> str:
    """Return 1 for 1.0, as tables with gaps have it, unless 1.0 is a class."""
    match = _WHOLE_NUMBER.fullmatch(name)
    if match is None or (classes is not None and name in classes):
        return name
    return match[1]


def _group_by_class(named: Mapping[int, Sequence[str]]) -> dict[str, list[int]]:
    """Return the positions of the rows of each class."""
    rows_of: dict[str, list[int]] = {}
    for position, names in named.items():
        for name in names:
            rows_of.setdefault(name, []).append(position)
    return rows_of


# Checks -----------------------------------------------------------------------------------------


def _check_single(name: str, named: Mapping[int, Sequence[str]], lines: Sequence[int]) -> None:
    several = [position for position, names in named.items() if len(names) != 1]
    if several:
        raise CommandError(
            f"column {name!r} holds lists of classes ({format_rows(several, lines)}): pass "
            "--multilabel, which allows several classes per row"
        )


def _check_declared(
    name: str, rows_of: Mapping[str, Sequence[int]], lines: Sequence[int], classes: Sequence[str]
) -> None:
    unknown = {value: rows for value, rows in rows_of.items() if value not in classes}
    if not unknown:
        return
    advice = "correct or empty these cells"
    if all(value and value.isprintable() for value in unknown) and len(unknown) <= _MAX_ADVISED:
        all_classes = shlex.quote(join_names([*classes, *unknown]))
        advice += f", or declare them in a new store by --classes {all_classes}"
    raise CommandError(
        f"column {name!r} holds values that are not among the classes {list_first(classes)}: "
        f"{_name_values(unknown, lines)}; {advice}"
    )


def _check_no_numbers(column: Column, rows_of: Mapping[str, Sequence[int]]) -> None:
    """Raise an error if numbers may be for a regressor; whole ones that repeat are classes."""
    many = len(column.distinct) > _MAX_NUMBERED and 2 * len(column.distinct) > len(column.values)
    if column.kind != "number" or not (many or column.is_unrepeated or not column.is_whole):
        return
    names = sorted(rows_of, key=float)
    classes = shlex.quote(join_names(names)) if len(names) <= _MAX_ADVISED else "A,B"
    raise CommandError(
        f"column {column.name!r} holds numbers, such as {names[-1]}: pass --numbers to label with "
        f"numbers, or declare them as classes by --classes {classes}"
    )


def _check_new_classes(
    name: str, rows_of: Mapping[str, Sequence[int]], lines: Sequence[int], multilabel: bool
) -> None:
    """Check that the values of a column can be classes, which nobody declared."""
    odd = {value: rows for value, rows in rows_of.items() if not value.isprintable()}
    if odd:
        raise CommandError(
            f"column {name!r} holds values with unprintable characters: {_name_values(odd, lines)};"
            " correct or empty these cells"
        )
    missing = {v: rows for v, rows in rows_of.items() if v.lower() in _MAY_BE_MISSING}
    if missing:
        classes = shlex.quote(join_names(sorted(rows_of)))
        raise CommandError(
            f"column {name!r} holds {_name_values(missing, lines)}: if this is no class, empty "
            f"these cells; otherwise declare all classes by --classes {classes}"
        )
    if len(rows_of) > MAX_CLASSES:
        raise CommandError(
            f"column {name!r} holds {len(rows_of):,} different values, more than the "
            f"{MAX_CLASSES} classes that a column may define: name the column of labels, or "
            "declare the classes by --classes-file"
        )
    if len(rows_of) < (1 if multilabel else 2):
        held = "only one class, " + repr(*rows_of) if rows_of else "no label"
        raise CommandError(f"column {name!r} holds {held}: declare all classes by --classes A,B")


def _name_values(rows_of: Mapping[str, Sequence[int]], lines: Sequence[int]) -> str:
    """Name values with their rows, the first few of them."""
    named = [f"{value!r} ({format_rows(rows, lines)})" for value, rows in rows_of.items()]
    return list_first(named)


def _describe_labels(
    name: str, n_labels: int, n_rows: int, separator: str | None, classes: Collection[str] | None
) -> list[str]:
    """Return lines about the labels that were read."""
    notes = [f"{n_labels:,} of {n_rows:,} rows have a label (column {name!r})"]
    if separator is not None:
        notes.append(f"Several classes in {name!r} are separated by {separator!r}")
    if classes is not None:
        notes.append(f"Classes of column {name!r}: {', '.join(sorted(classes))}")
    return notes
