"""Contents of the rows of a file: texts, or the features of a table."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.text import pluralize
from skactive._utils.values import format_value, is_blank
from skactive.cli._arguments import split_names
from skactive.cli._errors import CommandError
from skactive.cli.reading import Table, check_column, check_finite, import_library
from skactive.cli.sources._cells import INVALID_CHARACTER, clean_text, format_rows
from skactive.cli.sources._columns import Column
from skactive.cli.sources._data_source import ReadingOptions
from skactive.cli.sources._suspects import check_features, check_named_features

__all__ = ["RowContents", "read_features", "read_texts", "split_text_columns"]


@dataclass(frozen=True, eq=False)
class RowContents:
    """RowContents of all rows of a file.

    Parameters
    ----------
    kind : {"text", "table"}
        Kind of the rows.
    rows : list of str or DataFrame
        The content.
    keys : dict of int to hashable
        RowContents of each row that is not empty, by its position.
    kinds : dict of str to str
        Of a table: kinds of its features.
    notes : list of str
        Lines to print about how it was read.
    """

    kind: str
    rows: Any
    keys: dict[int, Hashable]
    kinds: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


# Texts ------------------------------------------------------------------------------------------


def read_texts(table: Table, path: Path, options: ReadingOptions) -> RowContents:
    """Read the texts of a table.

    Raises
    ------
    CommandError
        If a column is missing.
    """
    names = split_text_columns(options.text or "", table.columns)
    for name in names:
        check_column(name, table.columns, path)
    cells = zip(*(table.columns[name] for name in names), strict=True)
    written = [_join_texts(row) for row in cells]
    texts = [clean_text(text) for text in written]
    return RowContents(
        "text",
        texts,
        {position: text for position, text in enumerate(texts) if text.strip()},
        notes=_note_cleaned(written, table.lines),
    )


def split_text_columns(names: str, columns: Collection[str]) -> list[str]:
    """Return the columns that an option names: one, or several separated by commas."""
    if names in columns:
        return [names]
    try:
        return list(split_names(names)) or [names]
    except ArgumentTypeError:  # a quote that is not closed
        return [names]


def _join_texts(cells: Sequence[Any]) -> str:
    if len(cells) == 1:
        return format_value(cells[0])
    return "\n\n".join(format_value(cell) for cell in cells if not is_blank(cell))


def _note_cleaned(texts: Sequence[str], lines: Sequence[int]) -> list[str]:
    cleaned = [i for i, text in enumerate(texts) if INVALID_CHARACTER.search(text)]
    if not cleaned:
        return []
    return [
        f"Control characters and surrogates replaced by \ufffd in {format_rows(cleaned, lines)}"
    ]


# Tables -----------------------------------------------------------------------------------------


def read_features(table: Table, path: Path, options: ReadingOptions) -> RowContents:
    """Read the features of a table.

    Raises
    ------
    CommandError
        If a column is missing, or looks like ids, labels or texts and was not named.
    """
    pandas = import_library("pandas", "data", path)
    columns = _choose_columns(table, path, options)
    kinds = options.kinds or {column.name: column.kind for column in columns}
    for column in columns:
        _check_kind(column, kinds[column.name], path, table.lines)
    cells = {column.name: column.parse(kinds[column.name]) for column in columns}
    keys = {i: _make_key(row) for i, row in enumerate(zip(*cells.values(), strict=True))}
    rows = pandas.DataFrame(
        {
            name: pandas.Series(values, dtype=float if kinds[name] == "number" else object)
            for name, values in cells.items()
        }
    )
    numbers = [name for name in cells if kinds[name] == "number"]
    check_finite(rows[numbers].to_numpy(dtype=np.float64), path)
    return RowContents(
        "table",
        rows,
        {position: key for position, key in keys.items() if any(cell is not None for cell in key)},
        kinds,
        _note_features(table, columns, rows, kinds, options),
    )


def _choose_columns(table: Table, path: Path, options: ReadingOptions) -> list[Column]:
    """Return the columns of features: those of an earlier run, the named ones, or all others."""
    taken = [name for name in (options.id, options.label) if name is not None]
    names = list(options.kinds or options.columns or ())
    for name in names:
        check_column(name, table.columns, path)
        if name in taken:
            raise CommandError(f"--columns names {name!r}, which holds the ids or labels: omit it")
    if names:
        columns = [Column(name, table.columns[name]) for name in names]
        if not options.kinds:
            check_named_features(columns, path, table.lines)
        return columns
    columns = [Column(n, cells) for n, cells in table.columns.items() if n not in taken]
    columns = [column for column in columns if column.kind != "empty"]
    if not columns:
        other = f" besides {' and '.join(map(repr, taken))}" if taken else ""
        raise CommandError(f"{path.name} has no column{other} with values")
    given = {name for name in ("id", "label") if getattr(options, name) is not None}
    check_features(
        columns,
        path,
        table.lines,
        classes=options.classes,
        given=given,
        numbers=options.numbers,
    )
    return columns


def _check_kind(column: Column, kind: str, path: Path, lines: Sequence[int]) -> None:
    """Raise an error if a column no longer holds what it did when its kind was recorded."""
    others = column.find_others(kind)
    if others:
        raise CommandError(
            f"{path.name}: column {column.name!r} was read as a {kind}, but "
            f"{column.values[others[0]]!r} in {format_rows(others[:1], lines)} is none: correct or "
            "empty this cell"
        )


def _make_key(cells: Sequence[Any]) -> tuple[Any, ...]:
    """Return the cells of a row, None where they are missing."""
    return tuple(None if is_blank(cell) else cell for cell in cells)


def _note_features(
    table: Table, columns: Sequence[Column], rows: Any, kinds: dict[str, str], options: Any
) -> list[str]:
    notes = [_describe_features(rows, kinds)]
    if options.columns is None and not options.kinds:
        taken = {options.id, options.label, *(column.name for column in columns)}
        empty = [repr(name) for name in table.columns if name not in taken]
        notes += [f"Empty columns left out: {', '.join(empty)}"] if empty else []
    return notes


def _describe_features(rows: Any, kinds: Mapping[str, str]) -> str:
    """Describe the features of a table: "3 numbers (imputed, scaled), 1 date (as a number)"."""
    names: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        names.setdefault(kind, []).append(name)
    n_values = sum(rows[name].nunique() for name in names.get("category", ()))
    treatments = {
        "number": "imputed, scaled",
        "boolean": "0 or 1",
        "date": "as numbers",
        "category": f"one-hot, {n_values:,} values",
    }
    parts = [
        f"{pluralize(len(names[kind]), _KIND_NOUNS[kind])} ({treatment})"
        for kind, treatment in treatments.items()
        if kind in names
    ]
    return f"Features: {', '.join(parts)}"


_KIND_NOUNS = {
    "number": "number",
    "boolean": "true/false column",
    "date": "date",
    "category": "category",
}
