"""Keys that repeat because they are held down, or because they bounce."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["KeyRepeats"]

_SECONDS = 0.15


class KeyRepeats:
    """Recognize a key that was meant for the screen before.

    The key that changed the screen counts as repeated if it comes again sooner than somebody could
    have read the new screen. Each repetition prolongs this time, since a key that is held down
    comes again and again.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = ""
        self._changed_at = 0.0

    def note_change(self, key: str) -> None:
        """Remember that a key has just changed the screen."""
        self._key, self._changed_at = key, self._clock()

    def is_repeated(self, key: str) -> bool:
        """Return whether a key that has just come repeats the one that changed the screen."""
        if not self._key or key != self._key or self._clock() - self._changed_at >= _SECONDS:
            self._key = ""
            return False
        self._changed_at = self._clock()
        return True
