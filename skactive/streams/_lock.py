"""A lock that is copied and pickled as a new one, with the stream learner that it guards."""

from __future__ import annotations

from threading import RLock
from typing import Any

__all__ = ["CopiedLock"]


class CopiedLock:
    """A reentrant lock: hooks, which are called within a lesson, may offer rows and teach."""

    def __init__(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return CopiedLock, ()
