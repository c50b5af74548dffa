"""Leases that are still live, whatever happens to the clock of the machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

from skactive.labeling.state._events import Ident
from skactive.labeling.state._open_leases import Lease
from skactive.labeling.state._state import SessionState

__all__ = ["LiveLeases"]

_CLOCK_TOLERANCE = 1.0  # seconds by which the clocks of processes on one machine may differ


class LiveLeases:
    """The open leases of a session that have not expired.

    A lease expires at a time of the machine's clock. If that clock was put back, a lease seems to
    be granted in the future and might never expire: then the time for which this process has known
    the lease counts.
    """

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._first_seen: dict[str, float] = {}  # by ticket, in seconds of the monotonic clock
        self._expired: set[str] = set()  # tickets

    def __iter__(self) -> Iterator[Lease]:
        for lease in self._state.open_leases:
            if lease.ticket in self._expired:
                continue
            if self._is_live(lease):
                yield lease
            else:
                self._expired.add(lease.ticket)

    def items(self) -> set[Ident]:
        """Return the rows in flight: handed out, and not answered yet."""
        return {item for lease in self for item in lease.waiting}

    def _is_live(self, lease: Lease) -> bool:
        now, seconds_known = time.time(), self._seconds_known(lease.ticket)
        if lease.granted > now + _CLOCK_TOLERANCE:
            return seconds_known < lease.expires - lease.granted
        return now < lease.expires

    def _seconds_known(self, ticket: str) -> float:
        now = time.monotonic()
        return now - self._first_seen.setdefault(ticket, now)
