"""A background worker: work in a thread of its own, one piece at a time."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from threading import Condition, Thread

__all__ = ["BackgroundWorker"]


class BackgroundWorker:
    """Does the same work again each time it is woken; wakes in the meantime count once.

    Parameters
    ----------
    work : callable
        Called without arguments; it must not raise.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._condition = Condition()
        self._thread: Thread | None = None
        self._wanted = self._working = self._stopped = False

    @property
    def busy(self) -> bool:
        """Whether there is work, done or waiting."""
        return self._wanted or self._working

    def wake(self) -> None:
        """See to it that the work is done from its beginning after now."""
        with self._condition:
            if self._stopped:
                return
            self._wanted = True
            if self._thread is None:
                # Daemons are cut off when the program ends, which a fit in compiled code may not
                # survive: so the end waits for the fit that is under way, and begins no more.
                self._thread = Thread(target=self._run, name="skactive-labeling", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
            self._condition.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all is done, and tell whether it is."""
        with self._condition:
            return self._condition.wait_for(lambda: self._stopped or not self.busy, timeout)

    def stop(self) -> None:
        """Begin no more work."""
        with self._condition:
            self._stopped, self._wanted = True, False
            self._condition.notify_all()

    def _finish(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or self._wanted)
                if self._stopped:
                    atexit.unregister(self._finish)
                    return
                self._wanted, self._working = False, True
            try:
                self._work()
            finally:
                with self._condition:
                    self._working = False
                    self._condition.notify_all()
