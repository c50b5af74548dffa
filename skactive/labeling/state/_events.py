"""What happens in a labeling session: one record each, never changed and never taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

__all__ = ["ANSWERS", "Event", "Ident", "Label", "keyed_id", "new_id"]

Ident: TypeAlias = str | int  # of a row
Label: TypeAlias = str | int | float | bool | Sequence[str | int]  # the last: several at once

ANSWERS = ("label", "skip", "unknown")


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    kind : str
        "label", "skip" or "unknown" (an answer about a row), "undo" (takes back the answer
        `target`), "lease" (rows handed out), "release" (rows given back), "class" (one that was
        added), or "plan" (the rows that a model asks for).
    id : str
        Unique: an event that is stored again is the same event, and changes nothing.
    item : str or int, default=None
        The row that an answer is about.
    annotator : str, default=None
        Who did it.
    value : object, default=None
        Anything that JSON can hold: the label; of a lease its rows and when it ends; the plan.
    ticket : str, default=None
        Of the lease that it belongs to.
    target : str, default=None
        The event that is undone.
    seconds : float, default=None
        How long the answer took.
    round : int, default=None
        How many labels the model had learned from that asked about the row.
    score : float, default=None
        What its strategy gave the row then.
    time : float, default=0.0
        Seconds since 1970, UTC, by the clock of the machine.
    seq : int, default=0
        Its place in the store, from 1; 0 until it is stored.
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
    """Return an id that no other event has."""
    return uuid4().hex


def keyed_id(key: str, item: Ident) -> str:
    """Return the id of the answer about a row in a submission of this name."""
    return f"key:{key}:{item!r}"
