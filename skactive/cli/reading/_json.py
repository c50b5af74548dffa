"""Read JSON and JSON Lines: objects with names and values."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from skactive._utils.text import pluralize
from skactive._utils.values import is_blank
from skactive.cli._errors import CommandError
from skactive.cli.reading._columns import restore_integers
from skactive.cli.reading._encoding import choose_encoding, explain_read_errors, open_text
from skactive.cli.reading._header import check_names
from skactive.cli.reading._records import find_records
from skactive.cli.reading._table import Table, count_lines, format_lines, shorten

__all__ = ["read_json", "read_jsonl"]

_MAX_KEYS = 5  # whose absence is reported


class _DuplicateKeyError(ValueError):
    """A key occurs twice in one object."""


def read_jsonl(path: Path, suffix: str, encoding: str | None = None) -> Table:
    """Read a file with one JSON object per line.

    Parameters
    ----------
    path : Path
        The file, or one compressed by gzip.
    suffix : str
        Its format, from `find_table_format`.
    encoding : str, default=None
        Its encoding; None for UTF-8, or what a byte order mark says.

    Raises
    ------
    CommandError
        If it cannot be read, or a line holds something else.
    """
    chosen, notes = choose_encoding(path, suffix, encoding)
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    empty: list[int] = []
    constants: list[int] = []  # lines that hold them
    number = 0
    with explain_read_errors(path, chosen), open_text(path, chosen) as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                empty.append(number)
                continue
            record, n_constants = _parse_line(line, number, path)
            constants += [number] * (n_constants > 0)
            if _is_empty(record):
                empty.append(number)
                continue
            records.append(record)
            lines.append(number)
    if not records:
        raise CommandError(f"{path.name} has no rows")
    columns = _make_columns(records, path)
    notes = [count_lines(len(records), number), *notes, *_describe_empty(empty, "line")]
    if constants:
        notes.append(f"NaN or Infinity read as missing ({format_lines(constants)})")
    return Table(columns, lines, notes + _describe_keys(records, columns, lines))


def read_json(path: Path, suffix: str, encoding: str | None = None) -> Table:
    """Read a JSON document that holds rows: a list of objects, or an object of lists.

    Parameters
    ----------
    path : Path
        The file, or one compressed by gzip.
    suffix : str
        Its format, from `find_table_format`.
    encoding : str, default=None
        Its encoding; None for UTF-8, or what a byte order mark says.

    Raises
    ------
    CommandError
        If it cannot be read, or holds no rows.
    """
    chosen, notes = choose_encoding(path, suffix, encoding)
    with explain_read_errors(path, chosen), open_text(path, chosen) as file:
        text = file.read()
    constants: list[str] = []
    try:
        document = _parse(text, constants.append)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            table = read_jsonl(path, suffix, encoding)
            return Table(table.columns, table.lines, [*table.notes, "read as one object per line"])
        raise CommandError(
            f"{path.name} is not valid JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path.name} cannot be read: {_explain_json_error(error)}") from error
    records, more = find_records(document, path)
    empty = [number for number, record in enumerate(records, 1) if _is_empty(record)]
    records = [record for record in records if not _is_empty(record)]
    if not records:
        raise CommandError(f"{path.name} has no rows")
    columns = _make_columns(records, path)
    notes = [pluralize(len(records), "row"), *notes, *more, *_describe_empty(empty, "object")]
    if constants:
        notes.append(f"NaN or Infinity read as missing, in {pluralize(len(constants), 'value')}")
    return Table(columns, [], notes + _describe_keys(records, columns, []))


def _parse(text: str, note_constant: Callable[[str], None]) -> Any:
    """Parse JSON; NaN, Infinity and -Infinity, which JSON has not, become None."""
    return json.loads(text, object_pairs_hook=_merge_pairs, parse_constant=note_constant)


def _merge_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _DuplicateKeyError(f"the key {shorten(twice, 30)!r} occurs twice in one object")
    return made


def _parse_line(line: str, number: int, path: Path) -> tuple[dict[str, Any], int]:
    """Return the object in a line, and the number of NaN and Infinity in it."""
    constants: list[str] = []
    where = f"line {number} of {path.name}"
    try:
        record = _parse(line, constants.append)
    except _DuplicateKeyError as error:
        raise CommandError(f"{where}: {error}") from error
    except (ValueError, RecursionError) as error:
        advice = ""
        if number == 1 and line.strip() in {"[", "{"}:
            advice = "; if the file is one JSON document, rename it to .json"
        raise CommandError(
            f"{where} is not a JSON object: {_explain_json_error(error)}{advice}"
        ) from error
    if not isinstance(record, dict):
        raise CommandError(
            f"{where} is not a JSON object: {shorten(line)!r}; write one object per line, such as "
            '{"text": "..."}, or name a file with one list .json'
        )
    return record, len(constants)


def _explain_json_error(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    if isinstance(error, _DuplicateKeyError):
        return str(error)
    return (
        "it is nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
    )


def _is_empty(record: dict[str, Any]) -> bool:
    return all(map(is_blank, record.values()))


def _make_columns(records: Sequence[dict[str, Any]], path: Path) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for record in records for name in record)
    check_names(list(names), path)
    return {name: restore_integers([record.get(name) for record in records]) for name in names}


def _describe_empty(places: list[int], noun: str) -> list[str]:
    if not places:
        return []
    return [f"{pluralize(len(places), f'empty {noun}')} left out ({format_lines(places, noun)})"]


def _describe_keys(
    records: Sequence[dict[str, Any]], names: dict[str, Any], lines: Sequence[int]
) -> list[str]:
    """Return notes about keys that some objects do not have."""
    notes = []
    places, noun = (lines, "line") if lines else (range(1, len(records) + 1), "object")
    for name in names:
        absent = [
            place for place, record in zip(places, records, strict=True) if name not in record
        ]
        if absent:
            where = format_lines(absent, noun)
            notes.append(
                f"{shorten(name, 30)!r} is not in {pluralize(len(absent), 'row')} ({where})"
            )
    if len(notes) > _MAX_KEYS:
        notes[_MAX_KEYS:] = [f"{len(notes) - _MAX_KEYS} other keys are not in all rows either"]
    return notes
