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
from skactive.cli.reading import Table, check_regular_file, check_uses, read_columns
from skactive.cli.sources._cells import clean_text, format_rows, list_first
from skactive.cli.sources._contents import (
    RowContents,
    read_features,
    read_texts,
    split_text_columns,
)
from skactive.cli.sources._data_source import ReadingOptions
from skactive.cli.sources._file_labels import MAX_CLASSES, fold_number, name_class

__all__ = ["CheckSettings", "CheckedRows", "describe_row", "read_checked_rows"]

_MAY_BE_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?", "-"})


@dataclass(frozen=True)
class CheckSettings:
    """Settings from the command line."""

    file: Path
    target: str
    text: str | None = None
    columns: list[str] | None = None
    id: str | None = None
    model: str = "logistic"
    folds: int = 5
    annotators: tuple[str, ...] = ()
    audited: str | None = None
    html: Path = Path("check.html")
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    seed: int = 0


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
        return ["" if is_blank(cell) else _name_cell(cell) for cell in self.columns[column]]

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
    path = settings.file
    if path.is_dir():
        raise CommandError(f"{path} is a folder: a check needs a table with a column of labels")
    check_regular_file(path)
    table = read_columns(
        path, encoding=settings.encoding, separator=settings.separator, sheet=settings.sheet
    )
    _check_uses(settings, table)
    content = _read_content(settings, table)
    cells = table.columns[settings.target]
    labels = _name_labels(settings.target, {i: cells[i] for i in content.keys}, table)
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


def _check_uses(settings: CheckSettings, table: Table) -> None:
    """Raise an error if a column is missing, or would be used for two things."""
    texts = split_text_columns(settings.text or "", table.columns) if settings.text else []
    uses = {
        "--target": [settings.target],
        "--text": texts,
        "--columns": settings.columns or [],
        "--id": [settings.id] if settings.id else [],
        "--annotators": list(settings.annotators),
        "--audited": [settings.audited] if settings.audited else [],
    }
    if settings.text is not None and settings.columns is not None:
        raise CommandError("--text and --columns cannot be combined: check texts, or rows of cells")
    check_uses(uses, table.columns, settings.file)


def _read_content(settings: CheckSettings, table: Table) -> RowContents:
    """Read texts or features; columns that are used for something else are no features."""
    options = ReadingOptions(
        text=settings.text,
        label=settings.target,
        id=settings.id,
        columns=settings.columns,
        is_new=False,
    )
    others = {settings.id, settings.target, settings.audited, *settings.annotators}
    columns = {name: cells for name, cells in table.columns.items() if name not in others}
    if not columns:
        raise CommandError(f"{settings.file.name} has no column besides {settings.target!r}")
    read = read_features if settings.text is None else read_texts
    content = read(Table(columns, table.lines, []), settings.file, options)
    if not content.keys:
        raise CommandError(f"{settings.file.name} has no rows with content")
    return content


def _name_labels(target: str, cells: Mapping[int, Any], table: Table) -> dict[int, str]:
    """Return the name of each row's class, by the position of the row."""
    given = {i: cell for i, cell in cells.items() if not is_blank(cell)}
    several = [i for i, cell in given.items() if isinstance(cell, list | tuple | set | np.ndarray)]
    if several:
        raise CommandError(
            f"column {target!r} holds lists ({format_rows(several, table.lines)}): a check is for "
            "one class per row"
        )
    return {i: _name_cell(cell) for i, cell in given.items()}


def _name_cell(cell: Any) -> str:
    """Return the class that a cell holds: 1 for 1.0, as columns with gaps have it."""
    return clean_text(fold_number(name_class(cell), None))


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
