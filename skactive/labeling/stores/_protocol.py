"""What a session needs of a store of labels."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from skactive.labeling.state._events import Event

__all__ = ["LabelStore"]


@runtime_checkable
class LabelStore(Protocol):
    """Events in the order in which they were stored, and a few facts that are set once.

    Events are only ever added. Several sessions, in several processes, may have one store open.
    """

    def append(self, events: Iterable[Event]) -> None:
        """Store all of these events or none; they are on disk when the call returns.

        An event whose id is stored already is left as it is.
        """

    def events(self, after: int = 0) -> list[Event]:
        """Return the events whose place is greater than `after`, in order."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep all other writers out; on an error, nothing within was stored."""

    def fact(self, name: str) -> Any:
        """Return what was set under a name, or None."""

    def set_fact(self, name: str, value: Any) -> Any:
        """Set what is not set yet, and return what holds now."""

    def backup(self, path: Any) -> None:
        """Copy everything stored so far into a new file."""

    def close(self) -> None:
        """Let go of the file."""
