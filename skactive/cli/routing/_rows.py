"""A table some of whose rows have a label: what to learn from, and what to route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skactive._utils.rows import take_rows
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.reading import Table
from skactive.cli.sources._cells import format_rows
from skactive.cli.sources._contents import RowContents
from skactive.cli.sources._data_source import DataSource
from skactive.cli.sources._file_labels import MAX_CLASSES
from skactive.cli.sources._labeled_tables import (
    LabeledTableSettings,
    Task,
    name_cells,
    read_labeled_table,
)

__all__ = ["RouteSettings", "RoutedTable", "read_routed_table"]


_TASK = Task("route", "a router")


@dataclass(frozen=True, kw_only=True)
class RouteSettings(LabeledTableSettings):
    """Settings from the command line."""

    max_error: float = 0.05
    confidence: float = 0.9
    guarantee: str = "set"
    audit: int = 300
    annotator: str | None = None
    store: Path | None = None
    output: Path = Path("routed.csv")


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
    table, content = read_labeled_table(settings, _TASK)
    positions = list(content.keys)

    def name(column: str) -> dict[int, str]:
        cells = table.columns[column]
        return name_cells(column, {i: cells[i] for i in positions}, table, _TASK)

    labels = name(settings.target)
    source = DataSource(
        content.kind,
        take_rows(content.rows, positions),
        None,
        notes=[*table.notes, *_note_empty(content, table), *content.notes],
        classes=sorted(set(labels.values())),
        kinds=content.kinds,
    )
    audited = {} if settings.audited is None else name(settings.audited)
    routed = RoutedTable(table, source, positions, labels, audited)
    _check_counts(routed, settings)
    return routed


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
