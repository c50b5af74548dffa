"""Tables with a column of labels: their cells, the content of their rows, and their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.values import is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading import Table, check_regular_file, check_uses, read_columns
from skactive.cli.sources._cells import clean_text, format_rows
from skactive.cli.sources._contents import (
    RowContents,
    read_features,
    read_texts,
    split_text_columns,
)
from skactive.cli.sources._data_source import ReadingOptions
from skactive.cli.sources._file_labels import fold_number, name_class

__all__ = ["LabeledTableSettings", "Task", "name_cell", "name_cells", "read_labeled_table"]


@dataclass(frozen=True, kw_only=True)
class LabeledTableSettings:
    """Settings of all commands that read a table with labels."""

    file: Path
    target: str
    text: str | None = None
    columns: list[str] | None = None
    id: str | None = None
    model: str = "logistic"
    audited: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """What a command does with the rows, for its errors: "check", and "a check"."""

    verb: str
    noun: str


def read_labeled_table(
    settings: LabeledTableSettings, task: Task, annotators: Sequence[str] = ()
) -> tuple[Table, RowContents]:
    """Read all cells of a table, and texts or features from the columns that are for nothing else.

    Parameters
    ----------
    settings : LabeledTableSettings
        The file and its columns.
    task : Task
        What the rows are for.
    annotators : sequence of str, default=()
        Columns of the answers of annotators.

    Raises
    ------
    CommandError
        If a column is missing or is named twice, or there are no rows with content.
    """
    path = settings.file
    if path.is_dir():
        raise CommandError(f"{path} is a folder: {task.noun} needs a table with a column of labels")
    check_regular_file(path)
    table = read_columns(
        path, encoding=settings.encoding, separator=settings.separator, sheet=settings.sheet
    )
    _check_uses(settings, task, annotators, table)
    return table, _read_content(settings, annotators, table)


def _check_uses(
    settings: LabeledTableSettings, task: Task, annotators: Sequence[str], table: Table
) -> None:
    """Raise an error if a column is missing, or would be used for two things."""
    if settings.text is not None and settings.columns is not None:
        raise CommandError(
            f"--text and --columns cannot be combined: {task.verb} texts, or rows of cells"
        )
    uses = {
        "--target": [settings.target],
        "--text": split_text_columns(settings.text or "", table.columns) if settings.text else [],
        "--columns": settings.columns or [],
        "--id": [settings.id] if settings.id else [],
        "--annotators": list(annotators),
        "--audited": [settings.audited] if settings.audited else [],
    }
    check_uses(uses, table.columns, settings.file)


def _read_content(
    settings: LabeledTableSettings, annotators: Sequence[str], table: Table
) -> RowContents:
    """Read texts or features; columns that are used for something else are no features."""
    options = ReadingOptions(
        text=settings.text,
        label=settings.target,
        id=settings.id,
        columns=settings.columns,
        is_new=False,
    )
    others = {settings.id, settings.target, settings.audited, *annotators}
    columns = {name: cells for name, cells in table.columns.items() if name not in others}
    if not columns:
        raise CommandError(f"{settings.file.name} has no column besides {settings.target!r}")
    read = read_features if settings.text is None else read_texts
    content = read(Table(columns, table.lines, []), settings.file, options)
    if not content.keys:
        raise CommandError(f"{settings.file.name} has no rows with content")
    return content


def name_cells(column: str, cells: Mapping[int, Any], table: Table, task: Task) -> dict[int, str]:
    """Return the names of classes in cells, by the position of the row; not those of empty cells.

    Raises
    ------
    CommandError
        If cells hold lists.
    """
    given = {i: cell for i, cell in cells.items() if not is_blank(cell)}
    several = [i for i, cell in given.items() if isinstance(cell, list | tuple | set | np.ndarray)]
    if several:
        raise CommandError(
            f"column {column!r} holds lists ({format_rows(several, table.lines)}): {task.noun} is "
            "for one class per row"
        )
    return {i: name_cell(cell) for i, cell in given.items()}


def name_cell(cell: Any) -> str:
    """Return the class that a cell holds: 1 for 1.0, as columns with gaps have it."""
    return clean_text(fold_number(name_class(cell), None))
