"""Events as rows of a table: their columns, and the checksums by which damage is noticed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, TypeAlias
from zlib import crc32

from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event

__all__ = [
    "COLUMNS",
    "Row",
    "chain",
    "chain_rows",
    "check_old_rows",
    "check_rows",
    "to_event",
    "to_json",
    "to_values",
]

COLUMNS = (
    "id", "kind", "item", "annotator", "value", "ticket", "target",
    "seconds", "round", "score", "time",
)  # fmt: skip
_scan_json = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_JSON_COLUMNS = {"item", "value"}
_TEXT_COLUMNS = {"id", "kind", "annotator", "ticket", "target"}

Row: TypeAlias = tuple[Any, ...]  # position, checksum, and the values of COLUMNS


def chain(values: tuple[Any, ...], previous: int) -> int:
    """Return the checksum of the values of a row, which continues that of the row before."""
    return crc32(repr(values).encode(), previous)


# Writing ----------------------------------------------------------------------------------------


def to_values(event: Event) -> tuple[Any, ...]:
    """Return the values of COLUMNS, exactly as SQLite returns them after they were stored.

    Raises
    ------
    StoreError
        If a value is of a type that would come back as another one.
    """
    timed = event if event.time else event._replace(time=time.time())
    return tuple(_to_value(name, getattr(timed, name)) for name in COLUMNS)


def _to_value(name: str, value: Any) -> Any:
    if value is None and name not in {"id", "kind", "time"}:
        return None
    if name in _JSON_COLUMNS:
        return to_json(name, value)
    if name in _TEXT_COLUMNS:
        return _to_text(name, value)
    return _to_number(name, value)


def to_json(name: str, value: Any) -> str:
    try:
        text = json.dumps(value, allow_nan=False)
        json.dumps(value, ensure_ascii=False).encode()
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(
            f"The {name} {_abbreviate(value)} of an event cannot be stored as JSON in UTF-8 "
            f"({error}): pass strings, finite numbers, booleans, None, and lists and dicts of "
            "them. Nothing was stored."
        ) from error


def _to_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        text = str.__str__(value)  # numpy.str_ and the like are stored as plain strings
        with suppress(UnicodeEncodeError):  # half of a surrogate pair
            text.encode()
            return text
    raise StoreError(
        f"The {name} of an event must be a string that UTF-8 can encode, got "
        f"{_abbreviate(value)}. Nothing was stored."
    )


def _to_number(name: str, value: Any) -> float | int:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or not math.isfinite(number):
        raise StoreError(
            f"The {name} of an event must be a finite number, got {_abbreviate(value)}. Nothing "
            "was stored."
        )
    if name == "round":
        return int(number)
    return float(number) + 0.0  # SQLite does not keep the sign of -0.0


def _abbreviate(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def chain_rows(rows: Iterable[Sequence[Any]], checksum: int) -> Iterator[Row]:
    """Yield rows to store: position, checksum and values.

    Parameters
    ----------
    rows : iterable of (int, *values)
        Their positions and values.
    checksum : int
        Checksum of the row before the first one; 0 without one.
    """
    for row in rows:
        checksum = chain(tuple(row[1:]), checksum)
        yield (row[0], checksum, *row[1:])


# Reading ----------------------------------------------------------------------------------------


def check_rows(rows: Iterable[Row], checksum: int) -> Iterator[str]:
    """Yield a description of each damage among rows; a missing row damages the one after it.

    Parameters
    ----------
    rows : iterable of Row
        Consecutive rows.
    checksum : int
        Checksum of the row before the first one; 0 without one.
    """
    for row in rows:
        if row[1] != chain(row[2:], checksum):
            yield f"the checksum of event {row[0]} differs from the stored one"
        checksum = row[1]


def check_old_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a description of each damage among rows of version 1, which has no chain."""
    for number, stored, *values in rows:
        if stored not in _old_checksums(tuple(values)):
            yield f"the checksum of event {number} differs from the stored one"


def _old_checksums(values: tuple[Any, ...]) -> Iterator[int]:
    """Yield the checksums that version 1 may have stored with these values.

    It computed them before SQLite converted the values, so that a name such as
    ``numpy.str_("ann")`` or the number -0.0 had another one than the stored value.
    """
    yield _old_checksum([float(v) if isinstance(v, int) else v for v in values])
    sources = [_list_sources(name, value) for name, value in zip(COLUMNS, values, strict=True)]
    for candidate in product(*sources):
        yield _old_checksum(candidate)


def _old_checksum(values: Iterable[Any]) -> int:
    return crc32(f"({', '.join(v if isinstance(v, _Repr) else repr(v) for v in values)})".encode())


class _Repr(str):
    """The representation of a value in the checksum, where it is not that of the value."""

    __slots__ = ()


def _list_sources(name: str, value: Any) -> list[Any]:
    """Return the values that version 1 may have been given for a stored one."""
    if isinstance(value, int):
        return [float(value)]
    if name in {"annotator", "ticket"} and isinstance(value, str):
        return [value, _Repr(f"np.str_({value!r})"), *_list_numbers(value)]
    if name in {"seconds", "score"} and value == 0:
        return [value, -0.0]
    if name in {"annotator", "ticket", "seconds", "score"} and value is None:
        return [value, float("nan")]
    return [value]


def _list_numbers(text: str) -> list[float]:
    """Return the number that was stored as this text, if it may have been one."""
    try:
        return [float(text)]
    except ValueError:
        return []


def to_event(row: Row) -> Event:
    """Return the event of a row.

    Raises
    ------
    ValueError
        If its id or kind is not a string, or its item or value is not JSON.
    """
    position, _, event_id, kind, item, annotator, value, ticket, target, *numbers = row
    if not isinstance(event_id, str) or not isinstance(kind, str):
        raise ValueError("its id or kind is not a string")
    item = None if item is None else _from_json(item)
    value = None if value is None else _from_json(value)
    seconds, round_number, score, when = numbers
    return Event(
        kind, event_id, item, annotator, value, ticket, target, seconds, round_number, score, when,
        position,
    )  # fmt: skip


def _from_json(text: str) -> Any:
    try:
        value, end = _scan_json(text, 0)  # json.loads takes several times as long
    except (TypeError, ValueError, StopIteration, RecursionError) as error:
        raise ValueError("its item or value is not JSON") from error
    if end != len(text):
        raise ValueError("its item or value is not JSON")
    return value
