"""Ctrl+C at any time, with the least that Python needs for it."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time

TYPE_CHECKING = False  # without typing: until the handler is set, an interrupt may be printed
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

__all__ = ["Interrupts"]

_RETRY_SECONDS = 0.02
_MAX_WAIT_SECONDS = 0.5  # for an import; then the process ends at once, as no import writes labels


class Interrupts:
    """Let SIGINT raise KeyboardInterrupt, but never where others would print it.

    During an import it waits, but not for long: C code there prints exceptions, or turns them into
    others. Where an exception cannot be raised (in `__del__`, for instance), it is raised soon
    after.

    Parameters
    ----------
    owns_process : bool
        Whether nothing but the end of the process follows: then a later SIGINT just ends it.
    """

    def __init__(self, *, owns_process: bool) -> None:
        self._owns_process = owns_process
        self._waiting_since = 0.0
        self._main_thread = _thread.get_ident()
        self._former: Any = None
        self._former_hook: Any = None

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as nohup and & in scripts ask for
            return
        try:
            self._former = signal.signal(signal.SIGINT, self._raise_soon)
        except ValueError:  # not in the main thread, which alone gets signals
            return
        self._former_hook, sys.unraisablehook = sys.unraisablehook, self._take_unraisable

    def __exit__(self, *_: object) -> None:
        if self._former is not None:
            last = signal.SIG_DFL if self._owns_process else self._former
            signal.signal(signal.SIGINT, last)
            sys.unraisablehook = self._former_hook

    def _take_unraisable(self, unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._retry()
        else:
            self._former_hook(unraisable)

    def _raise_soon(self, number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            self._retry()
        else:
            self._waiting_since = 0.0
            raise KeyboardInterrupt

    def _retry(self) -> None:
        self._waiting_since = self._waiting_since or time.monotonic()
        _thread.start_new_thread(self._interrupt_again, ())

    def _interrupt_again(self) -> None:
        time.sleep(_RETRY_SECONDS)
        if self._waiting_since and time.monotonic() - self._waiting_since > _MAX_WAIT_SECONDS:
            try:
                os.write(2, b"skactive: interrupted\n")
            finally:
                os._exit(130)
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self._main_thread, signal.SIGINT)  # ends its waiting, too
        else:
            _thread.interrupt_main()


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
