"""Rows in a JSON document, in the forms that programs write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli.reading._table import format_names, shorten

__all__ = ["find_records"]

_FORMS = 'expected a list of objects, [{"text": "..."}, ...], or an object of lists'


def find_records(document: Any, path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the objects in a JSON document, and notes about where they were found.

    Parameters
    ----------
    document : object
        A list of objects; an object of lists of one length, or of objects with the same row
        numbers; a table of the form {"columns": ..., "data": ...}; or an object that holds one
        list of objects.
    path : Path
        For messages.

    Raises
    ------
    CommandError
        If it has another form.
    """
    if isinstance(document, list):
        return _check_objects(document, path), []
    if not isinstance(document, dict):
        raise CommandError(f"{path.name} holds {shorten(repr(document))}: {_FORMS}")
    values = list(document.values())
    if isinstance(document.get("columns"), list) and _are_lists(document.get("data")):
        return _zip_rows(document["columns"], document["data"], path), ["rows are in 'data'"]
    lists = {name: value for name, value in document.items() if _has_objects(value)}
    if len(lists) < len(values) and len(values) > 1 and _have_one_length(values):
        return _zip_columns(document, path), ["read as an object of lists, one per column"]
    if len(lists) == 1:
        name, records = next(iter(lists.items()))
        others = [other for other in document if other != name]
        left_out = f"; {format_names(others)} left out" if others else ""
        return _check_objects(records, path), [f"rows are in {shorten(name, 30)!r}{left_out}"]
    if not lists and values and all(isinstance(value, list) for value in values):
        return _zip_columns(document, path), ["read as an object of lists, one per column"]
    if values and all(isinstance(value, dict) for value in values):
        return _align_objects(document, path)
    if lists:
        raise CommandError(
            f"{path.name} holds several lists of objects ({format_names(lists)}): save one of "
            "them as a file"
        )
    raise CommandError(f"{path.name} holds one object, with {format_names(document)}: {_FORMS}")


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _have_one_length(values: list[Any]) -> bool:
    return all(isinstance(value, list) for value in values) and len(set(map(len, values))) == 1


def _are_lists(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


def _check_objects(values: list[Any], path: Path) -> list[dict[str, Any]]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, dict):
            raise CommandError(
                f"element {number} of the list in {path.name} is not an object but "
                f'{shorten(repr(value), 40)}: write {{"text": "..."}} for each row'
            )
    return values


def _zip_rows(names: list[Any], rows: list[list[Any]], path: Path) -> list[dict[str, Any]]:
    names = [str(name) for name in names]
    if len(set(names)) < len(names):
        raise CommandError(f"{path.name} names a column twice: {format_names(names)}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise CommandError(
                f"row {number} of {path.name} has {len(row)} values for {len(names)} columns "
                f"({format_names(names)})"
            )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _zip_columns(columns: dict[str, list[Any]], path: Path) -> list[dict[str, Any]]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{shorten(name, 30)} {length}" for name, length in lengths.items())
        raise CommandError(f"the lists in {path.name} have different lengths: {said}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _align_objects(
    document: dict[str, dict[str, Any]], path: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a data frame as pandas writes it: by column, or by row."""
    if all(key.isdigit() for key in document):
        return list(document.values()), ["read as an object of rows"]
    keys = {tuple(values) for values in document.values()}
    if len(keys) == 1 and all(key.isdigit() for key in next(iter(keys))):
        columns = {name: list(values.values()) for name, values in document.items()}
        return _zip_columns(columns, path), ["read as an object of columns"]
    raise CommandError(f"{path.name} holds an object of objects: {_FORMS}")
