"""A table some of whose rows have a label: what to learn from, and what to route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.rows import take_rows
from skactive._utils.text import pluralize
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
from skactive.cli.sources._data_source import DataSource, ReadingOptions
from skactive.cli.sources._file_labels import MAX_CLASSES, fold_number, name_class

__all__ = ["RouteSettings", "RoutedTable", "read_routed_table"]


@dataclass(frozen=True)
class RouteSettings:
    """Settings from the command line."""

    file: Path
    target: str
    text: str | None = None
    columns: list[str] | None = None
    id: str | None = None
    audited: str | None = None
    model: str = "logistic"
    max_error: float = 0.05
    confidence: float = 0.9
    guarantee: str = "set"
    audit: int = 300
    annotator: str | None = None
    store: Path | None = None
    output: Path = Path("routed.csv")
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class RoutedTable:
    """A table, and what its rows are.

    Parameters
    ----------
    table : Table
        All cells of the file.
    source : DataSource
        The rows with content, of length n_rows.
    positions : list of int of length n_rows
        Where these rows are in the table.
    labels : dict of int to str
        The labels that the file has, by the position of the row in the table.
    audited : dict of int to str
        The labels of the column of audited rows, likewise.
    """

    table: Table
    source: DataSource
    positions: list[int]
    labels: dict[int, str]
    audited: dict[int, str]

    def list_labeled(self) -> list[int]:
        """Return the rows with content that have a label, as positions in `source`."""
        return [i for i, position in enumerate(self.positions) if position in self.labels]

    def list_pool(self) -> list[int]:
        """Return the other rows with content, which are routed."""
        return [i for i, position in enumerate(self.positions) if position not in self.labels]

    def take(self, rows: Sequence[int]) -> Any:
        """Return the content of rows, by their positions in `source`."""
        return take_rows(self.source.rows, rows)


def read_routed_table(settings: RouteSettings) -> RoutedTable:
    """Read a table some of whose rows have a label.

    Parameters
    ----------
    settings : RouteSettings
        The file and its columns.

    Raises
    ------
    CommandError
        If a column is missing or is named twice, there is nothing to learn from or to route.
    """
    path = settings.file
    if path.is_dir():
        raise CommandError(f"{path} is a folder: a router needs a table with a column of labels")
    check_regular_file(path)
    table = read_columns(
        path, encoding=settings.encoding, separator=settings.separator, sheet=settings.sheet
    )
    _check_uses(settings, table)
    content = _read_content(settings, table)
    positions = list(content.keys)
    labels = _name_cells(table, settings.target, positions)
    source = DataSource(
        content.kind,
        take_rows(content.rows, positions),
        None,
        notes=[*table.notes, *_note_empty(content, table), *content.notes],
        classes=sorted(set(labels.values())),
        kinds=content.kinds,
    )
    audited = {} if settings.audited is None else _name_cells(table, settings.audited, positions)
    routed = RoutedTable(table, source, positions, labels, audited)
    _check_counts(routed, settings)
    return routed


def _check_uses(settings: RouteSettings, table: Table) -> None:
    """Raise an error if a column is missing, or would be used for two things."""
    if settings.text is not None and settings.columns is not None:
        raise CommandError("--text and --columns cannot be combined: route texts, or rows of cells")
    uses = {
        "--target": [settings.target],
        "--text": split_text_columns(settings.text or "", table.columns) if settings.text else [],
        "--columns": settings.columns or [],
        "--id": [settings.id] if settings.id else [],
        "--audited": [settings.audited] if settings.audited else [],
    }
    check_uses(uses, table.columns, settings.file)


def _read_content(settings: RouteSettings, table: Table) -> RowContents:
    """Read texts or features; columns that are used for something else are no features."""
    options = ReadingOptions(
        text=settings.text,
        label=settings.target,
        id=settings.id,
        columns=settings.columns,
        is_new=False,
    )
    others = {settings.id, settings.target, settings.audited}
    columns = {name: cells for name, cells in table.columns.items() if name not in others}
    if not columns:
        raise CommandError(f"{settings.file.name} has no column besides {settings.target!r}")
    read = read_features if settings.text is None else read_texts
    content = read(Table(columns, table.lines, []), settings.file, options)
    if not content.keys:
        raise CommandError(f"{settings.file.name} has no rows with content")
    return content


def _name_cells(table: Table, column: str, positions: Sequence[int]) -> dict[int, str]:
    """Return the classes that a column holds, by row; not those of empty cells."""
    cells = {i: table.columns[column][i] for i in positions}
    given = {i: cell for i, cell in cells.items() if not is_blank(cell)}
    several = [i for i, cell in given.items() if isinstance(cell, list | tuple | set | np.ndarray)]
    if several:
        raise CommandError(
            f"column {column!r} holds lists ({format_rows(several, table.lines)}): a router is for "
            "one class per row"
        )
    return {i: clean_text(fold_number(name_class(cell), None)) for i, cell in given.items()}


def _note_empty(content: RowContents, table: Table) -> list[str]:
    empty = [i for i in range(table.n_rows) if i not in content.keys]
    if not empty:
        return []
    what = "text" if content.kind == "text" else "values"
    places = format_rows(empty, table.lines)
    return [f"{pluralize(len(empty), 'row')} without {what} left without a label ({places})"]


def _check_counts(routed: RoutedTable, settings: RouteSettings) -> None:
    classes = routed.source.classes
    if len(classes) > MAX_CLASSES:
        raise CommandError(
            f"column {settings.target!r} holds {len(classes):,} different values, more than "
            f"{MAX_CLASSES}: a router is for classes; name another column by --target"
        )
    if len(classes) < 2:
        held = f"only the class {classes[0]!r}" if classes else "no label"
        raise CommandError(
            f"column {settings.target!r} holds {held}: a model learns from labels of two classes "
            "or more; label some rows first, by skactive label"
        )
    if not routed.list_pool():
        raise CommandError(
            f"every row of {settings.file.name} has a label in {settings.target!r}: there is "
            "nothing to route"
        )
