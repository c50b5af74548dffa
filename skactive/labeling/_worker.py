"""BackgroundWorker: work in a thread of its own, one run at a time."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from threading import Condition, Thread

__all__ = ["BackgroundWorker"]


class BackgroundWorker:
    """A thread that runs the same work whenever it is woken; calls while it is busy count once.

    Parameters
    ----------
    work : callable
        Called without arguments; must not raise.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._condition = Condition()
        self._thread: Thread | None = None
        self._requested = self._working = self._stopped = False

    @property
    def busy(self) -> bool:
        """True while work is under way or requested."""
        return self._requested or self._working

    def wake(self) -> None:
        """Request a run that begins after this call."""
        with self._condition:
            if self._stopped:
                return
            self._requested = True
            if self._thread is None:
                # Daemons are killed when the program ends, which a fit in compiled code may not
                # survive: so the program waits for the run under way, and no other begins.
                self._thread = Thread(target=self._run, name="skactive-labeling", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
            self._condition.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no work is left, at most `timeout` seconds; return whether none is."""
        with self._condition:
            return self._condition.wait_for(lambda: self._stopped or not self.busy, timeout)

    def stop(self) -> None:
        """Begin no further run."""
        with self._condition:
            self._stopped, self._requested = True, False
            self._condition.notify_all()

    def _finish(self) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or self._requested)
                if self._stopped:
                    atexit.unregister(self._finish)
                    return
                self._requested, self._working = False, True
            try:
                self._work()
            finally:
                with self._condition:
                    self._working = False
                    self._condition.notify_all()
