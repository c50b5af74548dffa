"""SyncedState: a session's state, kept up to date with its store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock

from skactive.labeling.state._events import Event
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import LabelStore

__all__ = ["SyncedState"]


class SyncedState:
    """The state of a session, its store, and the lock under which its threads use both.

    Parameters
    ----------
    store : LabelStore
        The store, which other sessions may write to.
    state : SessionState
        The state, derived from its events.

    Attributes
    ----------
    lock : RLock
        Held while the state is read or changed.
    closed : bool
        Whether the session has closed the store.
    """

    def __init__(self, store: LabelStore, state: SessionState) -> None:
        self.store, self.state = store, state
        self.lock, self.closed = RLock(), False

    def sync(self) -> None:
        """Apply the events that this session or others have stored since."""
        self.state.apply(self.store.events(self.state.seq))

    @contextmanager
    def latest(self) -> Iterator[SessionState]:
        """Hold the lock, and yield the state as it is now."""
        with self.lock:
            self.sync()
            yield self.state

    @contextmanager
    def exclusive(self) -> Iterator[SessionState]:
        """Hold the lock and keep other writers out, to decide what to store.

        What was stored is applied only after the commit: the state never holds what is not on disk.
        """
        with self.lock:
            with self.store.exclusive():
                self.sync()
                yield self.state
            self.sync()

    def append(self, events: Iterable[Event]) -> None:
        """Store events, and apply them."""
        self.store.append(events)
        self.sync()

    def close(self) -> None:
        """Close the store."""
        self.closed = True
        self.store.close()
