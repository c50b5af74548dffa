"""Log messages that are repeated are logged once, and counted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["LOGGER", "RepeatFilter", "filter_repeats"]

LOGGER = logging.getLogger("skactive.labeling.server")
_LIBRARIES = ("asyncio", "uvicorn.error")
_MAX_MESSAGES = 100  # between two summaries
_SUMMARY = "skactive_is_summary"


class RepeatFilter(logging.Filter):
    """A filter that lets a message pass once, and counts its repetitions until the next summary.

    Strangers can cause messages as often as they like. Those with a traceback are equal if they
    come from the same line. Above a number of different messages all others are only counted.
    """

    def __init__(self) -> None:
        super().__init__()
        self._n_repeats: dict[tuple[str, int, str], int] = {}
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is new."""
        if hasattr(record, _SUMMARY):
            return True
        key = record.name, record.levelno, _summarize(record)
        with self._lock:
            is_new = key not in self._n_repeats
            if is_new and len(self._n_repeats) >= _MAX_MESSAGES:
                key, is_new = (LOGGER.name, logging.WARNING, "Other messages were left out"), False
            self._n_repeats[key] = 0 if is_new else self._n_repeats.get(key, 0) + 1
            return is_new

    def summarize(self) -> None:
        """Log how often each message was repeated, and reset the counts."""
        with self._lock:
            n_repeats, self._n_repeats = self._n_repeats, {}
        for (name, level, text), n in n_repeats.items():
            if n:
                times = "once more" if n == 1 else f"{n:,} times more"
                logging.getLogger(name).log(level, "%s (%s)", text, times, extra={_SUMMARY: True})


@contextmanager
def filter_repeats() -> Iterator[RepeatFilter]:
    """Filter the messages of the server and its libraries, and summarize them at the end."""
    repeats = RepeatFilter()
    loggers = [LOGGER, *map(logging.getLogger, _LIBRARIES)]
    for logger in loggers:
        logger.addFilter(repeats)
    try:
        yield repeats
    finally:
        repeats.summarize()
        for logger in loggers:
            logger.removeFilter(repeats)


def _summarize(record: logging.LogRecord) -> str:
    """Return what equal messages have in common: their text, or the line of the traceback."""
    error, trace = (record.exc_info or (None, None, None))[1:]
    if error is None or trace is None:
        return record.getMessage()
    while trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return f"{record.msg}".strip() + f" {type(error).__name__} at {place}"
