"""Queue: which rows are handed out next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._state import SessionState

__all__ = ["Queue"]


class Queue:
    """The open rows, best first: those asked for, those of the plan, all others at random.

    Parameters
    ----------
    state : SessionState
        The state of the session.
    leases : LiveLeases
        Its live leases, whose rows are in flight.
    ids : sequence of str or int
        Ids of the rows of the pool.
    reserved : sequence of str or int
        Ids of the audit rows, in the order in which they are handed out.
    seed : int
        Seed of the random order.
    """

    def __init__(
        self,
        state: SessionState,
        leases: LiveLeases,
        ids: Sequence[Ident],
        reserved: Sequence[Ident],
        seed: int,
    ) -> None:
        self._state, self._leases, self._reserved = state, leases, _OpenRows(state, reserved)
        self._audit = frozenset(reserved)
        others = [ident for ident in ids if ident not in self._audit]
        order = np.random.RandomState(seed).permutation(len(others))
        self._others = _OpenRows(state, [others[position] for position in order])
        self._asked_ids: dict[Ident, None] = {}
        self._asked = _OpenRows(state, [])
        self._plan: Event | None = None
        self._planned, self._planned_ids = _OpenRows(state, []), frozenset[Ident]()
        self._audit_share = len(self._audit) / len(ids) if ids else 0.0

    def next(self, n: int, annotator: str | None, exclude: Sequence[Ident] = ()) -> list[Ident]:
        """Return up to `n` rows open to an annotator that are neither in flight nor excluded."""
        in_flight = self._leases.items() | set(exclude)
        asked = self._take_asked(n, annotator, in_flight)
        return [*asked, *self._choose(n - len(asked), annotator, in_flight | set(asked))]

    def _take_asked(self, n: int, annotator: str | None, in_flight: set[Ident]) -> list[Ident]:
        """Return up to `n` of the rows that people are asked for first."""
        if self._state.routing.asked is not self._asked_ids:
            self._asked_ids = self._state.routing.asked
            self._asked = _OpenRows(self._state, list(self._asked_ids))
        return list(islice(self._iter_open(self._asked, annotator, in_flight), n))

    def _choose(self, n: int, annotator: str | None, in_flight: set[Ident]) -> list[Ident]:
        """Return up to `n` rows of the audit and the plan."""
        audit = self._iter_open(self._reserved, annotator, in_flight)
        ranked = self._iter_open(self._iter_ranked(), annotator, in_flight)
        n_out, n_audit_out = self._count_handed_out(in_flight)
        rows: list[Ident] = []
        while len(rows) < n:
            # + 0.5: the count of audit rows is rounded, so it stays within 1 of its share
            is_due = n_audit_out + 0.5 < self._audit_share * (n_out + 1)
            audit_item = next(audit, None) if is_due else None
            item = next(ranked, None) if audit_item is None else audit_item
            if item is None:
                item = audit_item = next(audit, None)
            if item is None:
                break
            rows.append(item)
            n_out, n_audit_out = n_out + 1, n_audit_out + (audit_item is not None)
        return rows

    def _iter_ranked(self) -> Iterator[Ident]:
        """Yield the rows of the plan, then all others outside of the audit."""
        plan = self._state.plan
        if plan is not self._plan:
            items = [] if plan is None else plan.value["ids"]
            self._plan, self._planned = plan, _OpenRows(self._state, items)
            self._planned_ids = frozenset(items)
        yield from self._planned
        yield from (ident for ident in self._others if ident not in self._planned_ids)

    def _iter_open(
        self, items: Iterable[Ident], annotator: str | None, in_flight: set[Ident]
    ) -> Iterator[Ident]:
        is_open = self._state.is_open_to
        return (i for i in items if i not in in_flight and is_open(i, annotator))

    def _count_handed_out(self, in_flight: set[Ident]) -> tuple[int, int]:
        """Count the rows that have a label or are in flight, and the audit rows among them."""
        without_label = [item for item in in_flight if not self._state.is_labeled(item)]
        n_audit = sum(item in self._audit for item in without_label)
        return self._state.n_labels + len(without_label), self._state.n_audited + n_audit


class _OpenRows:
    """Rows in a fixed order; those at the beginning that are settled are not visited again."""

    def __init__(self, state: SessionState, items: Sequence[Ident]) -> None:
        self._state, self._items = state, items
        self._begin, self._n_lost = 0, 0

    def __iter__(self) -> Iterator[Ident]:
        if self._n_lost != self._state.n_labels_lost:
            self._begin, self._n_lost = 0, self._state.n_labels_lost
        while self._begin < len(self._items) and self._state.is_settled(self._items[self._begin]):
            self._begin += 1
        return islice(self._items, self._begin, None)
