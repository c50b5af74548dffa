"""Handing out the rows of a session."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skactive._utils.rows import take_rows
from skactive.labeling._session_parts import SessionParts
from skactive.labeling._validation import check_annotator, check_id, check_key
from skactive.labeling.state._events import Event, Ident, new_id

__all__ = ["Batch", "HandingOut"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows to label.

    Parameters
    ----------
    ticket : str
        Ticket to pass back with the answers.
    ids : list of str or int
        Ids of the rows.
    rows : rows in the container of the pool
        The rows themselves.
    """

    ticket: str
    ids: list[Ident]
    rows: Any

    def __len__(self) -> int:
        return len(self.ids)


class HandingOut(SessionParts):
    """The methods of a session that hand out rows, and take them back."""

    def next_batch(self, n: int = 1, annotator: str | None = None) -> Batch:
        """Hand out rows that nobody else has, best first.

        Rows that an earlier session handed to the same annotator, and that were not answered (the
        laptop was closed), come first. Before there is a model, the learner's query strategy
        chooses without one, or ``Auto()`` if it needs one. With ``background=True`` only the first
        call waits for the learner.

        Parameters
        ----------
        n : int, default=1
            Number of rows; fewer if fewer are left.
        annotator : str, default=None
            Name of the person who gets them. Rows that they skipped are not handed to them again.

        Returns
        -------
        Batch
            Empty if no row is left for this annotator.

        Raises
        ------
        StoreError
            If the lease cannot be stored.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}.")
        annotator = check_annotator(annotator)
        self._rounds.ensure_plan()
        with self._synced.exclusive():
            events, chosen = self._choose_next(n, annotator)
            lease = self._make_lease(chosen, annotator)
            self.store.append([*events, lease] if chosen else events)
        rows = take_rows(self.X, [self.positions[item] for item in chosen])
        return Batch(lease.id, chosen, rows)

    def peek(self, n: int = 1, annotator: str | None = None) -> list[Ident]:
        """Return the ids that :meth:`next_batch` would hand out now, without handing them out.

        Parameters
        ----------
        n : int, default=1
            Number of rows.
        annotator : str, default=None
            Name of the person who would get them.

        Returns
        -------
        list of str or int
        """
        self._rounds.ensure_plan()
        with self._synced.latest():
            return self._choose_next(n, annotator)[1]

    def release(
        self, ticket: str, ids: Iterable[Ident] | None = None, *, key: str | None = None
    ) -> None:
        """Give back rows that were handed out and will not be answered.

        Parameters
        ----------
        ticket : str
            Ticket of the batch.
        ids : iterable of str or int, default=None
            Rows of the batch; None means all.
        key : str, default=None
            A name for this call: another one of the same name changes nothing.
        """
        ticket, key = str(check_key(ticket, "ticket")), check_key(key)
        released = None if ids is None else [check_id(i, self.positions) for i in ids]
        event_id = new_id() if key is None else f"release:{key}:{ticket}"
        with self._synced.exclusive():
            self._recorder.check_ticket(ticket)
            self.store.append([Event("release", event_id, ticket=ticket, value=released)])

    def was_handed_out(self, ticket: str, ident: Ident, annotator: str | None) -> bool:
        """Return whether a row was handed to an annotator under a ticket.

        Parameters
        ----------
        ticket : str
            The ticket.
        ident : str or int
            Id of the row.
        annotator : str or None
            Name of the annotator.

        Returns
        -------
        bool
        """
        lease = self.store.find_event(ticket)
        if lease is None or lease.kind != "lease" or lease.annotator != annotator:
            return False
        return ident in lease.value["items"]

    def _choose_next(self, n: int, annotator: str | None) -> tuple[list[Event], list[Ident]]:
        """Return the next rows of an annotator, and the events that end their old leases."""
        events = self._take_over_leases(annotator)
        own = [item for event in events for item in event.value]
        n_more = max(n - len(own), 0)
        return events, [*own, *self._queue.next(n_more, annotator, exclude=own)][:n]

    def _take_over_leases(self, annotator: str | None) -> list[Event]:
        """Release pending rows that an earlier session handed to the annotator."""
        if annotator is None:
            return []
        return [
            Event("release", new_id(), ticket=lease.ticket, value=lease.waiting)
            for lease in self._leases
            if lease.annotator == annotator and lease.session != self._name
            if lease.waiting
        ]

    def _make_lease(self, items: list[Ident], annotator: str | None) -> Event:
        now = time.time()
        value = {"items": items, "session": self._name, "expires": now + self.lease_seconds}
        return Event("lease", new_id(), annotator=annotator, value=value, time=now)

    def _give_back(self) -> None:
        """Release the rows that this session handed out, and that were not answered."""
        leases = [lease for lease in self._leases if lease.session == self._name]
        events = [
            Event("release", new_id(), ticket=lease.ticket) for lease in leases if lease.waiting
        ]
        if events:
            self.store.append(events)
