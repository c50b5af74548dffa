"""LabelStore: the interface between a session and its store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from skactive.labeling.state._events import Event

__all__ = ["LabelStore"]


@runtime_checkable
class LabelStore(Protocol):
    """Events in the order in which they were stored, and a few facts that are set once.

    Events are only added, and their positions are 1, 2, 3 and so on. Several sessions, in several
    processes, may have a store open.
    """

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Store all of these events or none; they are on disk when the call returns.

        Events whose id is stored already are ignored. Return those that are new, as stored.
        """

    def events(self, after: int = 0, limit: int | None = None) -> list[Event]:
        """Return up to `limit` events whose position is greater than `after`, in order."""

    def get_events(self, positions: Iterable[int]) -> list[Event]:
        """Return the events at these positions, in the order of `positions`."""

    def find_event(self, event_id: str) -> Event | None:
        """Return the event with this id, or None."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep all other writers out; on an error, nothing inside is stored."""

    def fact(self, name: str) -> Any:
        """Return the value of a fact, or None."""

    def set_fact(self, name: str, value: Any) -> Any:
        """Set a fact unless it is set already, and return its value."""

    def read_snapshot(self, name: str) -> tuple[int, bytes] | None:
        """Return what was saved last under this name, and its position; None without it."""

    def save_snapshot(self, name: str, position: int, content: bytes) -> None:
        """Save what was derived from the events up to a position, in place of an earlier one."""

    def backup(self, path: Any) -> None:
        """Copy everything stored so far into a new file."""

    def close(self) -> None:
        """Close the store."""
