"""Events of a labeling session: records that are never changed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import uuid4

__all__ = ["ANSWERS", "Event", "Ident", "Label", "keyed_id", "new_id"]

Ident: TypeAlias = str | int  # the id of a row
Label: TypeAlias = str | int | float | bool | Sequence[str | int]  # a sequence: multilabel

ANSWERS = ("label", "skip", "unknown")


class Event(NamedTuple):
    """An event in a labeling session.

    Parameters
    ----------
    kind : str
        "label", "skip" or "unknown" (an answer about a row), "undo" (retracts the answer
        `target`), "lease" (rows handed out), "release" (rows given back), "class" (a class that
        was added), or "plan" (the rows that a model asks for).
    id : str
        Unique id; storing an event whose id is stored already changes nothing.
    item : str or int, default=None
        Id of the row that an answer is about.
    annotator : str, default=None
        Name of the person who caused the event.
    value : object, default=None
        The content, serializable as JSON: a label; the rows and the expiry of a lease; a plan.
    ticket : str, default=None
        Ticket of the lease that the event belongs to.
    target : str, default=None
        Id of the event that an "undo" retracts.
    seconds : float, default=None
        Time that the answer took.
    round : int, default=None
        Number of labels that the model had learned from when it asked about the row.
    score : float, default=None
        Score of the row under that model's query strategy.
    time : float, default=0.0
        Seconds since 1970, UTC, by the clock of the machine.
    seq : int, default=0
        Position in the store, from 1; 0 until the event is stored.
    """

    kind: str
    id: str
    item: Ident | None = None
    annotator: str | None = None
    value: Any = None
    ticket: str | None = None
    target: str | None = None
    seconds: float | None = None
    round: int | None = None
    score: float | None = None
    time: float = 0.0
    seq: int = 0


def new_id() -> str:
    """Return a new unique id."""
    return uuid4().hex


def keyed_id(key: str, item: Ident) -> str:
    """Return the id of the answer about a row in the submission named `key`."""
    return f"key:{key}:{item!r}"
