"""SyncedState: a session's state, kept up to date with its store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import RLock

from skactive.labeling.state._events import Event
from skactive.labeling.state._snapshot import load_state, save_state
from skactive.labeling.state._state import SessionState
from skactive.labeling.stores import LabelStore

__all__ = ["SyncedState"]

_CHUNK = 1_000  # events in memory at a time: with more, garbage collection takes longer
_SAVE_EVERY = 10_000  # events, which are read again in a fraction of a second
_SNAPSHOT = "state"


class SyncedState:
    """The state of a session, its store, and the lock under which its threads use both.

    Parameters
    ----------
    store : LabelStore
        The store, which other sessions may write to.
    state : SessionState
        The state, derived from its events.
    made_for : str, default=""
        Digest of all that the state depends on besides the events: it is saved for these.

    Attributes
    ----------
    lock : RLock
        Held while the state is read or changed.
    closed : bool
        Whether the session has closed the store.
    """

    def __init__(self, store: LabelStore, state: SessionState, made_for: str = "") -> None:
        self.store, self.state, self._made_for = store, state, made_for
        self.lock, self.closed = RLock(), False
        self._saved_position = 0

    def load(self) -> None:
        """Load the state that was saved last, and apply the events after it."""
        saved = self.store.read_snapshot(_SNAPSHOT)
        if saved is not None:
            position, content = saved
            if load_state(self.state, content, self._made_for, self._get_event):
                self._saved_position = position
        self.sync()
        self.save()

    def save(self) -> None:
        """Save the state, if many events have been applied since it was saved last."""
        saved = self._saved_position
        if self.state.position - saved >= max(_SAVE_EVERY, saved // 10):
            content = save_state(self.state, self._made_for)
            self.store.save_snapshot(_SNAPSHOT, self.state.position, content)
            self._saved_position = self.state.position

    def sync(self) -> None:
        """Apply the events that this session or others have stored since."""
        while True:
            events = self.store.events(self.state.position, _CHUNK)
            self.state.apply(events)
            if len(events) < _CHUNK:
                return

    def _get_event(self, position: int) -> Event:
        return self.store.get_events([position])[0]

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
            self.save()

    def append(self, events: Iterable[Event]) -> None:
        """Store events, and apply them."""
        self.store.append(events)
        self.sync()

    def close(self) -> None:
        """Close the store."""
        self.closed = True
        self.store.close()
