"""The rows of a labeled table, with their labels and where they stand in the file."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.rows import take_rows
from skactive._utils.text import pluralize
from skactive._utils.values import format_value, is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading import Table
from skactive.cli.sources._cells import clean_text, format_rows, list_first
from skactive.cli.sources._contents import RowContents
from skactive.cli.sources._file_labels import MAX_CLASSES
from skactive.cli.sources._labeled_tables import (
    LabeledTableSettings,
    Task,
    name_cell,
    name_cells,
    read_labeled_table,
)

__all__ = ["CheckSettings", "CheckedRows", "describe_row", "read_checked_rows"]

_MAY_BE_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?", "-"})


_TASK = Task("check", "a check")


@dataclass(frozen=True, kw_only=True)
class CheckSettings(LabeledTableSettings):
    """Settings from the command line."""

    folds: int = 5
    annotators: tuple[str, ...] = ()
    html: Path = Path("check.html")


@dataclass(frozen=True, eq=False)
class CheckedRows:
    """Rows that have content and a label.

    Parameters
    ----------
    contents : RowContents
        Their kind and content.
    rows : list of str or DataFrame of length n_rows
        Their content.
    keys : list of hashable of length n_rows
        Equal for rows of equal content.
    labels : ndarray of str of shape (n_rows,)
        Names of their classes.
    places : list of str of length n_rows
        Where they stand: "line 7", or "row 6" in files without lines.
    columns : dict of str to list
        All cells of the file, in the order of the rows.
    notes : list of str
        What was read and left out, and what looks odd.
    """

    contents: RowContents
    rows: Any
    keys: list[Hashable]
    labels: NDArray[np.str_]
    places: list[str]
    columns: dict[str, list[Any]]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def name_cells(self, column: str) -> list[str]:
        """Return the classes that a column holds, "" where a cell is empty."""
        return ["" if is_blank(cell) else name_cell(cell) for cell in self.columns[column]]

    def number_items(self, id_column: str | None) -> list[int]:
        """Return, for each row, the position of the first of the same id, or of equal content."""
        keys: list[Hashable] = list(self.keys)
        if id_column is not None:
            ids = self.name_cells(id_column)
            keys = [ident or position for position, ident in enumerate(ids)]
        first: dict[Hashable, int] = {}
        return [first.setdefault(key, position) for position, key in enumerate(keys)]


def read_checked_rows(settings: CheckSettings) -> CheckedRows:
    """Read the rows that have content and a label.

    Parameters
    ----------
    settings : CheckSettings
        The file and its columns.

    Raises
    ------
    CommandError
        If a column is missing or is named twice, or the labels cannot be checked.
    """
    table, content = read_labeled_table(settings, _TASK, settings.annotators)
    cells = table.columns[settings.target]
    labels = name_cells(settings.target, {i: cells[i] for i in content.keys}, table, _TASK)
    _check_classes(settings, labels, table)
    kept = sorted(labels)
    return CheckedRows(
        content,
        take_rows(content.rows, kept),
        [content.keys[i] for i in kept],
        np.array([labels[i] for i in kept]),
        [table.name_place(i) for i in kept],
        {name: [column[i] for i in kept] for name, column in table.columns.items()},
        [*table.notes, *_note_left_out(content, labels, table, settings), *content.notes],
    )


def _check_classes(settings: CheckSettings, labels: Mapping[int, str], table: Table) -> None:
    """Raise an error if labels are no classes, or there are too few rows of one."""
    name = settings.target
    rows_of: dict[str, list[int]] = {}
    for position, label in labels.items():
        rows_of.setdefault(label, []).append(position)
    if len(rows_of) < 2:
        held = "only one class, " + repr(*rows_of) if rows_of else "no label"
        raise CommandError(f"column {name!r} holds {held}: a check needs two classes or more")
    if len(rows_of) > MAX_CLASSES:
        raise CommandError(
            f"column {name!r} holds {len(rows_of):,} different values, more than {MAX_CLASSES}: a "
            "check is for classes; name another column by --target"
        )
    rare = {label: rows for label, rows in rows_of.items() if len(rows) < settings.folds}
    if rare:
        named = [
            f"{label!r} with {len(rows)} ({format_rows(rows, table.lines)})"
            for label, rows in sorted(rare.items())
        ]
        fewest = min(map(len, rare.values()))
        advice = "correct, merge or empty these labels"
        if fewest > 1:
            advice += f", or pass --folds {fewest}"
        raise CommandError(
            f"column {name!r} has classes of fewer rows than the {settings.folds} folds of the "
            f"cross-validation: {list_first(named)}; {advice}"
        )


def _note_left_out(
    content: RowContents, labels: Mapping[int, str], table: Table, settings: CheckSettings
) -> list[str]:
    """Return lines about rows that are not checked, and about odd names of classes."""
    notes = []
    what = "text" if content.kind == "text" else "values"
    empty = [i for i in range(table.n_rows) if i not in content.keys]
    unlabeled = [i for i in content.keys if i not in labels]
    for rows, lack in ((empty, what), (unlabeled, f"a label in {settings.target!r}")):
        if rows:
            places = format_rows(rows, table.lines)
            notes.append(f"{pluralize(len(rows), 'row')} without {lack} left out ({places})")
    odd = sorted({label for label in labels.values() if label.lower() in _MAY_BE_MISSING})
    if odd:
        notes.append(
            f"Counted as classes: {list_first([repr(name) for name in odd])}; if they mean that a "
            "label is missing, empty these cells"
        )
    return notes


def describe_row(rows: CheckedRows, position: int, hidden: Sequence[str], length: int) -> str:
    """Return the beginning of a text, or the cells of a row: "size=3, color=red"."""
    if rows.contents.kind == "text":
        text = " ".join(rows.rows[position].split())
    else:
        cells = {name: column[position] for name, column in rows.columns.items()}
        shown = {name: cell for name, cell in cells.items() if name not in hidden}
        text = ", ".join(
            f"{name}={clean_text(format_value(cell))}"
            for name, cell in shown.items()
            if not is_blank(cell)
        )
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."
