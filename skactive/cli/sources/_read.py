"""Read the rows to label, from a table or a folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import format_value, is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading import (
    Table,
    check_column,
    check_finite,
    check_regular_file,
    read_columns,
    read_frame,
    to_numbers,
)
from skactive.cli.sources._cells import INVALID_CHARACTER, format_rows
from skactive.cli.sources._columns import Column
from skactive.cli.sources._contents import (
    RowContents,
    read_features,
    read_texts,
    split_text_columns,
)
from skactive.cli.sources._data_source import DataSource, ReadingOptions
from skactive.cli.sources._duplicates import find_copies, merge_labels
from skactive.cli.sources._file_labels import FileLabels, read_labels
from skactive.cli.sources._file_numbers import read_numbers
from skactive.cli.sources._folders import read_folder
from skactive.cli.sources._suspects import find_unused_labels
from skactive.labeling.page._formats import find_format
from skactive.labeling.state._events import Ident

__all__ = ["read_source"]

_SQLITE = b"SQLite format 3\0"  # the first bytes of such files


def read_source(path: Path, options: ReadingOptions) -> DataSource:
    """Read the rows to label.

    Parameters
    ----------
    path : Path
        A table, or a folder of images or sounds.
    options : ReadingOptions
        How to read it.

    Raises
    ------
    CommandError
        If the rows cannot be read, or would be misread.
    """
    folder_kind = options.kind if options.kind in {"images", "audio"} else None
    if path.is_dir():
        return _read_folder(path, folder_kind, options)
    check_regular_file(path)
    if folder_kind is not None:
        raise CommandError(f"--{folder_kind} needs a folder of files, but {path.name} is a file")
    _check_no_other_file(path)
    return _read_first_version(path, options) if options.reading == 1 else _read_rows(path, options)


def _check_no_other_file(path: Path) -> None:
    """Raise an error that gives the right command if a file is labeled or read otherwise."""
    known = find_format(path)
    if known is not None and known.media in {"image", "audio"}:
        noun = "an image" if known.media == "image" else "a sound"
        raise CommandError(
            f"{path.name} is {noun}: to label it and the others beside it, name their folder, "
            f"{shlex.quote(str(path.parent))}"
        )
    with suppress(OSError), path.open("rb") as file:
        if file.read(len(_SQLITE)) == _SQLITE:
            raise CommandError(
                f"{path.name} holds labels or another database, and no rows to label: continue "
                f"with labels by --resume {shlex.quote(str(path))}"
            )


def _read_folder(path: Path, kind: str | None, options: ReadingOptions) -> DataSource:
    for name in ("label", "columns", "encoding", "separator", "sheet", "group_duplicates"):
        if getattr(options, name):
            option = name.replace("_", "-")
            raise CommandError(f"--{option} is for tables, but {path} is a folder")
    source = read_folder(path, kind, options.text or options.id)
    return replace(source, classes=list(options.classes or ()))


# Tables -----------------------------------------------------------------------------------------


def _read_table(path: Path, options: ReadingOptions) -> Table:
    return read_columns(
        path, encoding=options.encoding, separator=options.separator, sheet=options.sheet
    )


def _read_rows(path: Path, options: ReadingOptions) -> DataSource:
    """Read the rows of a table that have content."""
    table = _read_table(path, options)
    _check_names(path, table, options)
    read = read_features if options.text is None else read_texts
    content = read(table, path, options)
    if not content.keys:
        raise CommandError(f"{path.name} has no rows" + (" with content" if _count(table) else ""))
    copies = find_copies(content.keys)
    labels = _read_labels(table, content, options)
    notes = [
        *table.notes,
        *_note_rows(table, content, copies, options),
        *content.notes,
        *labels.notes,
        *_note_unused_labels(table, options),
    ]
    grouped = copies if options.group_duplicates else {}
    return _make_source(path, table, content, labels, grouped, notes, options)


def _check_names(path: Path, table: Table, options: ReadingOptions) -> None:
    """Raise an error if names of columns are invalid, missing, or given twice."""
    if options.text is not None and options.columns is not None:
        raise CommandError("--text and --columns cannot be combined: label texts, or rows of cells")
    for name in table.columns:
        if INVALID_CHARACTER.search(name):
            raise CommandError(f"{path.name}: {name!r} is no name of a column: rename it")
    for named in (options.id, options.label):
        if named is not None:
            check_column(named, table.columns, path)
    texts = split_text_columns(options.text or "", table.columns)
    if options.label is not None and options.label in {options.id, *texts}:
        raise CommandError(f"--label names {options.label!r}, which is the column of ids or texts")


def _make_source(
    path: Path,
    table: Table,
    content: RowContents,
    labels: FileLabels,
    copies: Mapping[int, int],
    notes: list[str],
    options: ReadingOptions,
) -> DataSource:
    """Return the source of the rows that have content and are no copies."""
    ids = _read_ids(path, table, content, options)
    kept = [position for position in content.keys if position not in copies]
    numbered = options.id is None and kept == list(range(len(kept)))
    return DataSource(
        content.kind,
        _take(content.rows, kept),
        None if numbered else [ids[position] for position in kept],
        columns=_take_columns(table, kept),
        notes=notes,
        labels={
            ids[position]: label
            for position, label in merge_labels(labels.labels, copies, table.lines).items()
        },
        classes=labels.classes,
        kinds=content.kinds,
        copies={ids[copy]: ids[original] for copy, original in copies.items()},
        copy_columns=_take_columns(table, list(copies)),
    )


def _count(table: Table) -> int:
    return len(next(iter(table.columns.values())))


def _take(rows: Any, positions: Sequence[int]) -> Any:
    if isinstance(rows, list):
        return [rows[position] for position in positions]
    return rows.iloc[list(positions)].reset_index(drop=True)


def _take_columns(table: Table, positions: Sequence[int]) -> dict[str, list[Any]]:
    return {name: _take(cells, positions) for name, cells in table.columns.items()}


# Ids and labels ---------------------------------------------------------------------------------


def _read_ids(
    path: Path, table: Table, content: RowContents, options: ReadingOptions
) -> dict[int, Ident]:
    """Return the id of each row that has content, by its position."""
    if options.id is None:
        return {position: position for position in content.keys}
    ids = {position: table.columns[options.id][position] for position in content.keys}
    _check_ids(ids, path, table.lines)
    return ids


_INVALID_IN_ID = re.compile(f"{INVALID_CHARACTER.pattern}|[\t\n\r\u2028\u2029]")


def _check_ids(ids: Mapping[int, Any], path: Path, lines: Sequence[int]) -> None:
    missing = [position for position, ident in ids.items() if is_blank(ident)]
    if missing:
        raise CommandError(f"{path.name} has rows without an id: {format_rows(missing, lines)}")
    for position, ident in ids.items():
        if isinstance(ident, str) and _INVALID_IN_ID.search(ident):
            raise CommandError(
                f"the id {ident!r} in {format_rows([position], lines)} of {path.name} contains "
                "unprintable characters: remove them, or leave out --id to number the rows"
            )
        if isinstance(ident, bool) or not isinstance(ident, str | int):
            raise CommandError(
                f"{path.name}: ids must be strings or integers, got {ident!r} in "
                f"{format_rows([position], lines)}; leave out --id to number the rows"
            )
    rows_of: dict[str, list[int]] = {}
    for position, ident in ids.items():
        rows_of.setdefault(repr(ident), []).append(position)
    for ident, rows in rows_of.items():
        if len(rows) > 1:
            raise CommandError(
                f"{path.name}: ids must be unique, but {ident} occurs more than once "
                f"({format_rows(rows, lines)}); leave out --id to number the rows"
            )


def _read_labels(table: Table, content: RowContents, options: ReadingOptions) -> FileLabels:
    if options.label is None:
        return FileLabels({}, list(options.classes or ()), [])
    values = {position: table.columns[options.label][position] for position in content.keys}
    if options.numbers:
        return read_numbers(options.label, values, table.lines, (options.min, options.max))
    return read_labels(options.label, values, table.lines, options.classes, options.multilabel)


# Notes ------------------------------------------------------------------------------------------


def _note_rows(
    table: Table, content: RowContents, copies: Mapping[int, int], options: ReadingOptions
) -> list[str]:
    """Return lines about rows that are left out, or that repeat others."""
    notes = []
    empty = [position for position in range(_count(table)) if position not in content.keys]
    if empty:
        what = "text" if content.kind == "text" else "values"
        left_out = pluralize(len(empty), "row")
        notes.append(f"{left_out} without {what} left out ({format_rows(empty, table.lines)})")
    if copies:
        what = "text" if content.kind == "text" else "values"
        repeats = f"{len(copies):,} rows repeat" if len(copies) > 1 else "1 row repeats"
        note = f"{repeats} another row's {what} ({format_rows(copies, table.lines)})"
        if options.group_duplicates:
            note += ": asked about once"
        elif options.is_new:
            note += ": --group-duplicates asks about them once"
        notes.append(note)
    return notes


def _note_unused_labels(table: Table, options: ReadingOptions) -> list[str]:
    """Return a line about a column that could be used as labels."""
    if options.label is not None or not options.is_new:
        return []
    taken = set(split_text_columns(options.text or "", table.columns))
    taken |= {options.id or "", *(options.columns or ())}
    columns = [Column(n, cells) for n, cells in table.columns.items() if n not in taken]
    name = find_unused_labels(columns, options.classes, numbers=options.numbers)
    if name is None:
        return []
    return [f"Column {name!r} is not used: --label {shlex.quote(name)} takes its values as labels"]


# Stores of the first version --------------------------------------------------------------------


def _read_first_version(path: Path, options: ReadingOptions) -> DataSource:
    """Read rows as the first version did: all of them, and all other columns as features."""
    columns, classes = read_columns(path).columns, list(options.classes or ())
    for name in (options.text, options.id):
        if name is not None:
            check_column(name, columns, path)
    if options.text is None:
        ids, rows = _read_numbers(path, options.id)
        return DataSource("table", rows, ids, columns=columns, classes=classes)
    texts = [format_value(value) for value in columns[options.text]]
    ids = None if options.id is None else columns[options.id]
    return DataSource("text", texts, ids, columns=columns, classes=classes)


def _read_numbers(path: Path, id_column: str | None) -> tuple[list[Ident] | None, Any]:
    """Return the ids and the numbers of a table."""
    frame = read_frame(path)
    ids = None if id_column is None else frame.pop(id_column).tolist()
    X = to_numbers(frame, path, "restore the file with which the labels were begun")
    check_finite(X, path)
    return ids, type(frame)(X, columns=list(frame.columns))
