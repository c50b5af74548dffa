"""Rows that repeat another row: they may be asked about once, and get its answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli.sources._cells import format_rows
from skactive.labeling.state._events import Ident

__all__ = ["find_copies", "merge_labels", "repeat_for_copies"]


def find_copies(contents: Mapping[int, Hashable]) -> dict[int, int]:
    """Find the rows that repeat an earlier one.

    Parameters
    ----------
    contents : mapping of int to hashable
        Content of each row, by its position.

    Returns
    -------
    dict of int to int
        Positions of rows that repeat an earlier row, and the position of the first such row.
    """
    first: dict[Hashable, int] = {}
    originals = {position: first.setdefault(key, position) for position, key in contents.items()}
    return {position: original for position, original in originals.items() if position != original}


def merge_labels(
    labels: Mapping[int, Any], copies: Mapping[int, int], lines: Sequence[int]
) -> dict[int, Any]:
    """Return labels of the rows that are no copies; those of copies go to the first row.

    Parameters
    ----------
    labels : mapping of int to label
        Labels by the position of their row.
    copies : mapping of int to int
        As `find_copies` returns them.
    lines : sequence of int
        Lines of all rows in the file.

    Raises
    ------
    CommandError
        If copies of a row have different labels.
    """
    merged: dict[int, Any] = {}
    for position, label in labels.items():
        original = copies.get(position, position)
        if merged.setdefault(original, label) != label:
            raise CommandError(
                f"rows with equal content have different labels ({merged[original]!r} and "
                f"{label!r}, {format_rows([original, position], lines)}): correct them, or leave "
                "out --group-duplicates"
            )
    return merged


def repeat_for_copies(
    records: Iterable[Mapping[str, Any]], copies: Mapping[Ident, Ident]
) -> list[dict[str, Any]]:
    """Return records with those of copies, each after the record of the row that it repeats.

    Parameters
    ----------
    records : iterable of mapping
        Records with the key "id".
    copies : mapping of id to id
        Ids of copies, and of the rows that they repeat.
    """
    copies_of: dict[Ident, list[Ident]] = {}
    for copy, original in copies.items():
        copies_of.setdefault(original, []).append(copy)
    return [
        {**record, "id": ident}
        for record in records
        for ident in (record["id"], *copies_of.get(record["id"], ()))
    ]
