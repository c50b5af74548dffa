"""Signals that ask to stop, held back while an answer is being stored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Signals", "StoppedError"]


class StoppedError(BaseException):
    """A signal asks to stop.

    Parameters
    ----------
    number : int
        Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Handle signals that ask to stop: the first waits for what is being stored, a second does not.

    Within the context, SIGINT, SIGTERM and SIGHUP raise `StoppedError`, at once inside `listening`,
    else at the next entry of it. Outside of the main thread, signals are left alone.
    """

    def __init__(self) -> None:
        self._listening, self._pending = False, 0
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None:
                    self._previous_handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let signals interrupt the code within."""
        self._listening = True
        try:
            if self._pending:
                raise StoppedError(self._pending)
            yield
        finally:
            self._listening = False

    def _receive(self, number: int, _: object) -> None:
        if self._listening or self._pending:
            raise StoppedError(number)
        self._pending = number
