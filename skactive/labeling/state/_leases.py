"""Which leases still hold, whatever the clock of the machine does."""

from __future__ import annotations

import time
from collections.abc import Iterator

from skactive.labeling.state._events import Ident
from skactive.labeling.state._state import Lease, SessionState

__all__ = ["LiveLeases"]

_TOLERANCE = 1.0  # seconds between clocks of one machine


class LiveLeases:
    """The open leases of a ledger that have not run out.

    A lease ends at a time of the machine's clock. If that clock was put back, a lease comes from
    the future, and might never end: then what counts is how long this process has known it.
    """

    def __init__(self, ledger: SessionState) -> None:
        self._ledger = ledger
        self._seen: dict[
            str, float
        ] = {}  # when a ticket was first seen, by a clock that only rises
        self._over: set[str] = set()

    def __iter__(self) -> Iterator[Lease]:
        for ticket, lease in self._ledger.open_leases.items():
            if ticket in self._over:
                continue
            if self._holds(lease):
                yield lease
            else:
                self._over.add(ticket)

    def items(self) -> set[Ident]:
        """Return the rows in flight: handed out, and not answered yet."""
        return {item for lease in self for item in self._ledger.pending(lease)}

    def _holds(self, lease: Lease) -> bool:
        now, known_for = time.time(), self._known_for(lease.ticket)
        if lease.granted > now + _TOLERANCE:
            return known_for < lease.expires - lease.granted
        return now < lease.expires

    def _known_for(self, ticket: str) -> float:
        now = time.monotonic()
        return now - self._seen.setdefault(ticket, now)
