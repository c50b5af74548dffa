"""OpenLeases: the rows that were handed out and still wait for an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from skactive.labeling.state._events import Ident

__all__ = ["Lease", "OpenLeases"]


@dataclass
class Lease:
    """Rows that were handed out.

    Parameters
    ----------
    ticket : str
        Id of the lease.
    items : tuple of str or int
        Ids of the rows.
    annotator : str or None
        Name of the person who got them.
    session : str
        Id of the session that handed them out.
    granted, expires : float
        Beginning and end of the lease, by the clock of the machine.
    released : set of str or int
        Rows that were given back.
    waiting : list of str or int
        Rows that still wait for an answer.
    """

    ticket: str
    items: tuple[Ident, ...]
    annotator: str | None
    session: str
    granted: float
    expires: float
    released: set[Ident] = field(default_factory=set)
    waiting: list[Ident] = field(default_factory=list)


class OpenLeases:
    """Leases with rows that still wait for an answer, by ticket and by row.

    Parameters
    ----------
    is_open_to : callable
        Returns whether a row may be answered by an annotator.
    """

    def __init__(self, is_open_to: Callable[[Ident, str | None], bool]) -> None:
        self._is_open_to = is_open_to
        self._by_ticket: dict[str, Lease] = {}
        self._by_row: dict[Ident, list[Lease]] = {}

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._by_ticket.values())

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._by_ticket

    def __len__(self) -> int:
        return len(self._by_ticket)

    def add(self, lease: Lease) -> None:
        """Add a lease."""
        self._by_ticket[lease.ticket] = lease
        for item in lease.items:
            self._by_row.setdefault(item, []).append(lease)
        self._update(lease)

    def release(self, ticket: str, items: Iterable[Ident] | None) -> None:
        """Give back rows of a lease; None means all."""
        lease = self._by_ticket.get(ticket)
        if lease is not None:
            lease.released.update(lease.items if items is None else items)
            self._update(lease)

    def update(self, item: Ident) -> None:
        """Update the leases of a row, about which answers have changed."""
        for lease in self._by_row.get(item, [])[:]:
            self._update(lease)

    def _update(self, lease: Lease) -> None:
        """Find the rows of a lease that still wait for an answer; close it if there is none."""
        lease.waiting = [
            item
            for item in lease.items
            if item not in lease.released and self._is_open_to(item, lease.annotator)
        ]
        if lease.waiting:
            return
        del self._by_ticket[lease.ticket]
        for item in dict.fromkeys(lease.items):
            others = [other for other in self._by_row.pop(item) if other is not lease]
            if others:
                self._by_row[item] = others
