"""Salvage what can be read of a damaged store, into a new one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event
from skactive.labeling.stores._pages import iter_records
from skactive.labeling.stores._rows import COLUMNS, Row, chain, check_old_rows, to_event
from skactive.labeling.stores._sqlite import SQLiteLabelStore

__all__ = ["Salvage", "salvage_store"]

_FLOATS = [COLUMNS.index(name) for name in ("seconds", "score", "time")]


@dataclass(frozen=True)
class Salvage:
    """The outcome of :func:`salvage_store`.

    Parameters
    ----------
    output : Path
        The new store.
    n_events : int
        Number of events that it has.
    problems : list of str
        What was left out, or could not be verified.
    """

    output: Path
    n_events: int
    problems: list[str]


def salvage_store(path: Any, output: Any = None) -> Salvage:
    """Copy what can be read of a store to a new one; the old file is not changed.

    Each row is read from its own page, so that damage elsewhere in the file does not matter, and
    verified by its checksum. The rows that models asked for are left out: the next session chooses
    others.

    Parameters
    ----------
    path : str or Path
        The damaged store. What SQLite keeps beside it (``-wal``) is read, too.
    output : str or Path, default=None
        The new store. None appends ``-salvaged`` to the name.

    Returns
    -------
    Salvage

    Raises
    ------
    StoreError
        If the file cannot be read or has no event that is intact, or the new file exists already.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skactive.labeling import SQLiteLabelStore
    >>> from skactive.labeling.stores import salvage_store
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels.db"
    >>> store = SQLiteLabelStore(path)
    >>> store.set_fact("seed", 1)
    1
    >>> store.close()
    >>> salvage_store(path).output.name
    'labels-salvaged.db'
    """
    path = Path(path)
    output = path.with_name(f"{path.stem}-salvaged{path.suffix}") if output is None else output
    output = Path(output)
    if output.exists():
        raise StoreError(f"{output} exists already: name a new file by output (--output).")
    try:
        records = list(iter_records(path))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    problems: list[str] = []
    events = list(_find_events(records, problems))
    facts = dict(_find_facts(records, problems))
    problems += _find_missing(records, events, facts)
    if not events and not facts:
        raise StoreError(f"{path} has no event that is intact: it may not be a store of labels.")
    store = SQLiteLabelStore(output)
    try:
        for name, value in facts.items():
            store.set_fact(name, value)
        store.append(events)
    finally:
        store.close()
    return Salvage(output, len(events), problems)


def _find_events(records: Iterable[tuple[int, list[Any]]], problems: list[str]) -> Iterator[Event]:
    """Yield intact events in order, without the plans of models."""
    versions, old = [], []
    for position, values in records:
        if len(values) == len(COLUMNS) + 2 and isinstance(values[1], int):
            versions.append((position, values[1], *_convert(values[2:])))
        elif len(values) == len(COLUMNS) + 2 and isinstance(values[-1], int):
            old.append((position, values[-1], *_convert(values[1:-1])))
    rows = _choose_old(old, problems) if old and not versions else _choose(versions, problems)
    from skactive.labeling.state._state import SessionState  # late: it imports NumPy

    state = SessionState(None)
    for row in rows:
        try:
            event = to_event(row)
            state.apply([event])  # sessions would refuse the new store, too
        except (ValueError, StoreError) as error:
            problems.append(f"event {row[0]} was left out: {str(error).partition('. ')[0]}")
            continue
        if event.kind != "plan":
            yield event


def _find_missing(
    records: Iterable[tuple[int, list[Any]]], events: Iterable[Event], facts: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what the store had, and cannot be read in it any more."""
    last = max((position for position, values in records if len(values) > 4), default=0)
    if (end := _find_end(records, "event")) > last:
        yield f"events {last + 1} to {end} cannot be read"
    is_pool_lost = "pool" not in facts and any(event.kind == "pool" for event in events)
    if is_pool_lost or _find_end(records, "fact") > len(facts):
        yield (
            "some facts (settings, seed, rows) cannot be read: the next session records those that "
            "are missing, and without the seed it draws another audit sample"
        )


def _find_end(records: Iterable[tuple[int, list[Any]]], table: str) -> int:
    """Return the last position that was given in a table, as SQLite records it."""
    ends = (values[1] for _, values in records if len(values) == 2 and values[0] == table)
    return max((end for end in ends if isinstance(end, int)), default=0)


def _convert(values: list[Any]) -> list[Any]:
    """Return values as SQLite does: a whole number in a column of floats is a float."""
    for index in _FLOATS:
        if isinstance(values[index], int):
            values[index] = float(values[index])
    return values


def _choose(rows: list[Row], problems: list[str]) -> Iterator[Row]:
    """Yield the intact rows in order: those that continue the checksum of the row before."""
    by_position: dict[int, list[Row]] = {}
    for row in rows:
        copies = by_position.setdefault(row[0], [])
        if row not in copies:
            copies.append(row)
    before = {0}  # the checksums that the next row may continue
    missing: list[int] = []
    for position in range(1, max(by_position, default=0) + 1):
        copies = by_position.get(position, [])
        if not copies:
            missing.append(position)
            continue
        intact = [row for row in copies if _continues(row, before)]
        intact = intact or _find_followed(copies, by_position.get(position + 1, []), before)
        if intact:
            yield intact[0]
        elif missing:
            problems.append(f"{missing[0]} to {position - 1} cannot be read")
            problems.append(f"{position} was kept without being verified")
            yield copies[0]
        else:
            problems.append(f"{position} is damaged: {_describe(copies[0])}")
        missing = []
        recomputed = {chain(row[2:], checksum) for row in copies for checksum in before}
        before = {row[1] for row in copies} | recomputed


def _continues(row: Row, before: set[int]) -> bool:
    return any(row[1] == chain(row[2:], checksum) for checksum in before)


def _find_followed(copies: list[Row], following: list[Row], before: set[int]) -> list[Row]:
    """Return rows of which only the checksum is damaged: the next row continues the right one."""
    return [
        row
        for row in copies
        if any(_continues(other, {chain(row[2:], c) for c in before}) for other in following)
    ]


def _choose_old(rows: list[Row], problems: list[str]) -> Iterator[Row]:
    """Yield the intact rows of version 1, which has no chain."""
    found: dict[int, Row] = {}
    for row in rows:
        if not any(check_old_rows([row])):
            found[row[0]] = row
    damaged = {row[0]: row for row in rows if row[0] not in found}
    problems += [f"{position} is damaged: {_describe(damaged[position])}" for position in damaged]
    yield from (found[position] for position in sorted(found))


def _describe(row: Row) -> str:
    """Return what a damaged event or fact seems to be."""
    columns = COLUMNS if len(row) == len(COLUMNS) + 2 else ("name", "value")
    values = dict(zip(columns, row[2:], strict=True))
    shown = [n for n in ("kind", "item", "name", "value", "annotator") if n in values]
    return ", ".join(f"{name} {values[name]!r}" for name in shown)


def _find_facts(
    records: Iterable[tuple[int, list[Any]]], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    rows: list[Row] = []
    old: dict[str, str] = {}
    for position, values in records:
        if len(values) == 4 and isinstance(values[1], int) and isinstance(values[2], str):
            rows.append((position, *values[1:]))
        elif len(values) == 2 and all(isinstance(value, str) for value in values):
            old[values[0]] = values[1]
    fact_problems: list[str] = []
    chosen = list(_choose(rows, fact_problems))
    problems += [f"fact {problem}" for problem in fact_problems]
    for name, value in [row[2:] for row in chosen] if rows else old.items():
        try:
            yield name, json.loads(value)
        except (TypeError, ValueError, RecursionError):
            problems.append(f"the fact {name!r} was left out: it is not JSON")
