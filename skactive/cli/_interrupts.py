"""Ctrl+C at any time, with the least that Python needs for it."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupts"]

_RETRY_SECONDS = 0.02


class Interrupts:
    """Let SIGINT raise KeyboardInterrupt, but never where others would print it.

    An import is finished first: its C code prints exceptions, or turns them into others. Where an
    exception cannot be raised (in `__del__`, for instance), it is raised soon after.

    Parameters
    ----------
    owns_process : bool
        Whether nothing but the end of the process follows: then a later SIGINT just ends it.
    """

    def __init__(self, *, owns_process: bool) -> None:
        self._owns_process = owns_process
        self._former: Any = None
        self._former_hook: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as nohup and & in scripts ask for
            return
        self._former = signal.signal(signal.SIGINT, _raise_soon)
        self._former_hook, sys.unraisablehook = sys.unraisablehook, self._take_unraisable

    def __exit__(self, *_: object) -> None:
        if self._former is not None:
            last = signal.SIG_DFL if self._owns_process else self._former
            signal.signal(signal.SIGINT, last)
            sys.unraisablehook = self._former_hook

    def _take_unraisable(self, unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            _retry()
        else:
            self._former_hook(unraisable)


def _raise_soon(number: int, frame: FrameType | None) -> None:
    if _is_importing(frame):
        _retry()
    else:
        raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _retry() -> None:
    timer = threading.Timer(_RETRY_SECONDS, _thread.interrupt_main)
    timer.daemon = True
    timer.start()
