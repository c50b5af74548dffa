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

    Events are only added. Several sessions, in several processes, may have a store open.
    """

    def append(self, events: Iterable[Event]) -> None:
        """Store all of these events or none; they are on disk when the call returns.

        Events whose id is stored already are ignored.
        """

    def events(self, after: int = 0) -> list[Event]:
        """Return the events whose position is greater than `after`, in order."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep all other writers out; on an error, nothing inside is stored."""

    def fact(self, name: str) -> Any:
        """Return the value of a fact, or None."""

    def set_fact(self, name: str, value: Any) -> Any:
        """Set a fact unless it is set already, and return its value."""

    def backup(self, path: Any) -> None:
        """Copy everything stored so far into a new file."""

    def close(self) -> None:
        """Close the store."""
