"""Messages between the page and its backend: their fields, and values to and from JavaScript."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from skactive.exceptions import LabelError

__all__ = [
    "Message",
    "check_message",
    "is_unicode",
    "parse_count",
    "parse_cursor",
    "parse_differ",
    "parse_key",
    "parse_large_integer",
    "parse_seconds",
    "parse_ticket",
    "quote",
    "to_json",
]

Message = Mapping[str, Any]

_MAX_SAFE_INTEGER = 2**53 - 1  # of JavaScript; larger integers are sent as strings of digits
_MAX_ITEMS = 20  # per message
_KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

# The required and the optional fields of each message, besides "do".
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "next": (set(), {"n", "key"}),
    "label": ({"id", "label"}, {"ticket", "seconds", "key"}),
    "relabel": ({"id", "label"}, {"ticket", "seconds", "key"}),
    "skip": ({"id"}, {"ticket", "key"}),
    "dont_know": ({"id"}, {"ticket", "key"}),
    "undo": (set(), {"key"}),
    "history": (set(), {"n", "before", "differ"}),
    "show": ({"id"}, set()),
    "full": ({"id"}, set()),
    "suggest": ({"id"}, set()),
    "add_class": ({"label"}, {"key"}),
    "rename_class": ({"old", "new"}, {"key"}),
    "release": ({"tickets"}, {"key"}),
    "state": (set(), set()),
}


def check_message(message: Any) -> str:
    """Return what a message asks for, or raise if it is none or has other fields."""
    if not isinstance(message, Mapping):
        raise LabelError(f"A message must be an object with 'do', got {quote(message)}.")
    do = message.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise LabelError(f"'do' must be one of {', '.join(_FIELDS)}, got {quote(do)}.")
    needed, allowed = _FIELDS[do]
    missing = needed - message.keys()
    if missing:
        raise LabelError(f"The message {do!r} is missing {', '.join(sorted(missing))}.")
    unknown = message.keys() - needed - allowed - {"do"}
    if unknown:
        name = quote(next(iter(unknown)))
        raise LabelError(f"The message {do!r} has an unexpected field {name}.")
    return do


def parse_count(message: Message, default: int) -> int:
    """Return the number of rows that a message asks for."""
    n = message.get("n", default)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MAX_ITEMS:
        raise LabelError(f"n must be an integer from 1 to {_MAX_ITEMS}, got {quote(n)}.")
    return n


def parse_cursor(message: Message) -> int | None:
    """Return the position in the store before which a history goes on."""
    before = message.get("before")
    if before is None:
        return None
    if isinstance(before, bool) or not isinstance(before, int) or not 0 <= before < 2**53:
        raise LabelError(f"before must be the one of an earlier reply, got {quote(before)}.")
    return before


def parse_differ(message: Message) -> bool:
    """Return whether a history is only of rows with different labels."""
    differ = message.get("differ", False)
    if not isinstance(differ, bool):
        raise LabelError(f"differ must be true or false, got {quote(differ)}.")
    return differ


def parse_key(message: Message, annotator: str | None) -> str | None:
    """Return the key as it is stored: distinct from those of other annotators and of plans."""
    key = message.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not _KEY_PATTERN.fullmatch(key):
        raise LabelError(f"key must be 1 to 64 letters, digits, '-' or '_', got {quote(key)}.")
    return f"page:{annotator or ''}:{key}"


def parse_large_integer(sent: str) -> int | None:
    """Return the integer that is too large for JavaScript, and so came as digits."""
    number = int(sent) if re.fullmatch(r"-?[0-9]{16,40}", sent) else 0
    return number if abs(number) > _MAX_SAFE_INTEGER else None


def parse_ticket(message: Message) -> str | None:
    """Return the ticket of a message."""
    ticket = message.get("ticket")
    if ticket is not None and not isinstance(ticket, str):
        raise LabelError(f"ticket must be a string, got {quote(ticket)}. Nothing was stored.")
    return ticket


def parse_seconds(message: Message) -> float | None:
    """Return the time that an answer took: finite, 0 or more, and never -0.0."""
    seconds = message.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise LabelError(f"seconds must be a number, got {quote(seconds)}. Nothing was stored.")
    if not 0 <= seconds <= 1e9 or not math.isfinite(seconds):
        raise LabelError(f"seconds must be 0 or more, got {quote(seconds)}. Nothing was stored.")
    return abs(float(seconds))


def is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8: it has no lone surrogate."""
    return not re.search("[\ud800-\udfff]", text)


def to_json(value: Any) -> Any:
    """Return an id or class as a JSON value that JavaScript reads exactly."""
    too_large = isinstance(value, int) and abs(value) > _MAX_SAFE_INTEGER
    return str(value) if too_large else value


def quote(value: Any) -> str:
    """Return a value as Python writes it, cut if it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
