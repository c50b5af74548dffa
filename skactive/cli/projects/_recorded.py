"""Facts that a store keeps about a labeling project: its settings, and rows that were added."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skactive.cli._arguments import parse_encoding, parse_separator
from skactive.cli._errors import CommandError
from skactive.exceptions import StoreError
from skactive.labeling._facts import iter_parts, name_part
from skactive.labeling._pool import read_pools
from skactive.labeling._spending import Spending, record_spending
from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._shapes import IDENT, RENAME, check_shape, has_shape
from skactive.labeling.stores import LabelStore, SQLiteLabelStore

__all__ = [
    "Recorded",
    "add_part",
    "check_settings",
    "complete_settings",
    "read_copies",
    "read_parts",
    "read_recorded",
]

# Settings that stores of the first version lack
_FIRST_VERSION: dict[str, Any] = {
    "label": None,
    "columns": None,
    "kinds": None,
    "numbers": False,
    "min": None,
    "max": None,
    "encoding": None,
    "separator": None,
    "sheet": None,
    "group_duplicates": False,
    "reading": 1,
}
_CLASS, _TEXT, _LIMIT = str | int | float | bool, str | None, int | float | None
_SETTINGS: dict[str, Any] = {
    "kind": str, "text": _TEXT, "id": _TEXT, "label": _TEXT, "columns": (type(None), [str]),
    "kinds": dict | None, "classes": [str], "multilabel": bool,
    "numbers": bool, "min": _LIMIT, "max": _LIMIT, "batch": int, "model": str,
    "strategy": str, "audit": int | float, "encoding": _TEXT, "separator": _TEXT, "sheet": _TEXT,
    "group_duplicates": bool, "reading": int, "files": _TEXT, "path": str, "beside": str,
}  # fmt: skip
_PARTS: dict[str, Any] = {"rows": int, "files": int, "copies": IDENT | None}


@dataclass(frozen=True)
class Recorded:
    """Facts of a store about a labeling project.

    Parameters
    ----------
    settings : dict or None
        Settings of the project; None if the store was not created by a command, or is new.
    n_rows : int
        Number of rows when it was opened last.
    sizes : dict of str to int
        Of a folder: sizes of its files, by name.
    items : frozenset of str or int
        Ids of rows that had an answer, if the project reads labels from its file.
    classes : list of str
        Classes that were declared or added, if the project reads labels from its file.
    renamed : dict of str to str
        Present names of classes that were renamed or merged, by their old names.
    spending : Spending or None
        Prices and budget that were set last.
    """

    settings: dict[str, Any] | None = None
    n_rows: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    items: frozenset[Ident] = frozenset()
    classes: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    spending: Spending | None = None


def read_recorded(path: Path) -> Recorded:
    """Return the facts of an existing store.

    Raises
    ------
    CommandError
        If it cannot be read.
    """
    try:
        store = SQLiteLabelStore(path, read_only=True)
        try:
            return _read_facts(store)
        finally:
            store.close()
    except StoreError as error:
        raise CommandError(str(error)) from error


def _read_facts(store: LabelStore) -> Recorded:
    settings, pool = store.fact("campaign"), next(iter(read_pools(store)), None)
    settings = None if settings is None else complete_settings(check_settings(settings))
    n_rows = read_parts(store, "rows").get("n", pool["n_rows"] if pool else 0)
    sizes, spending = read_parts(store, "files"), record_spending(store, None)
    if settings is None or settings["label"] is None:
        return Recorded(settings, n_rows, sizes, spending=spending)
    events = store.events()
    items = frozenset(event.item for event in events if event.item is not None)
    classes, renamed = _list_classes(settings["classes"], events)
    return Recorded(settings, n_rows, sizes, items, classes, renamed, spending)


def _list_classes(
    declared: Iterable[str], events: Iterable[Event]
) -> tuple[list[str], dict[str, str]]:
    """Return all names that classes have or had, and the present names of the renamed ones."""
    classes, renamed = dict.fromkeys(declared), dict[str, str]()
    for event in events:
        if event.kind == "class":
            classes[check_shape(f"event {event.seq}", event.value, _CLASS)] = None
            renamed.pop(event.value, None)
        elif event.kind == "rename":
            value = check_shape(f"event {event.seq}", event.value, RENAME)
            old, new = value["old"], value["new"]
            classes[new] = None
            renamed = {name: new if now == old else now for name, now in renamed.items()}
            renamed = {**renamed, old: new}
            renamed.pop(new, None)
    return list(classes), renamed


def complete_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that a store records, with those that the first version lacks."""
    known = check_shape("fact campaign", settings, dict)
    optional = {f"{name}?": shape for name, shape in _SETTINGS.items()}
    completed = check_shape("fact campaign", {**_FIRST_VERSION, **known}, optional)
    is_share = 0 <= completed.get("audit", 0) < 1  # not NaN
    check_shape("fact campaign", completed.get("audit", 0), int | float if is_share else ())
    for name, parse in (("separator", parse_separator), ("encoding", parse_encoding)):
        if completed[name] is not None:
            _check_option(name, completed[name], parse)
    return dict(completed)


def _check_option(name: str, text: str, parse: Callable[[str], str]) -> None:
    try:
        parse(text)
    except ArgumentTypeError as error:
        raise StoreError(
            f"The setting {name} of the store cannot be used: {error}. Use a backup of the store, "
            "or another one."
        ) from error


def check_settings(settings: Any) -> Any:
    """Return the settings that a store records, or None; raise an error if some are missing."""
    if settings is not None:
        check_shape("fact campaign", complete_settings(settings), _SETTINGS)
    return settings


def read_parts(store: LabelStore, name: str) -> dict[Any, Any]:
    """Return a mapping that is kept in parts; the last value of a key counts."""
    values: dict[Any, Any] = {}
    for number, part in enumerate(iter_parts(store, name), 1):
        is_part = has_shape(part, [list]) and all(_is_entry(pair, _PARTS[name]) for pair in part)
        fact = f"fact {name_part(name, number)}"
        values |= dict(check_shape(fact, part, list if is_part else ()))
    return values


def _is_entry(pair: list[Any], value: Any) -> bool:
    return len(pair) == 2 and has_shape(pair[0], IDENT) and has_shape(pair[1], value)


def add_part(store: LabelStore, name: str, values: Mapping[Any, Any]) -> None:
    """Store those values of a mapping that are new or have changed."""
    known = read_parts(store, name)
    part = [[key, value] for key, value in values.items() if known.get(key) != value]
    number = 1
    while part and store.set_fact(name_part(name, number), part) != part:
        number += 1


def read_copies(store: LabelStore) -> dict[Ident, Ident]:
    """Return the copies that a store records: their ids, and the ids of the rows they repeat."""
    copies = read_parts(store, "copies")
    return {copy: original for copy, original in copies.items() if original is not None}
