"""Queue: which rows are handed out next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from skactive.labeling.state._events import Ident
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._state import SessionState

__all__ = ["Queue"]


class Queue:
    """The rows that are open, best first: those of the plan, then all others in a random order.

    Parameters
    ----------
    ledger : SessionState
        What is known.
    leases : LiveLeases
        What is in flight.
    ids : sequence of str or int
        The pool.
    reserved : sequence of str or int
        The rows of the audit, in the order in which they are asked about.
    seed : int
        Of the random order.
    """

    def __init__(
        self,
        ledger: SessionState,
        leases: LiveLeases,
        ids: Sequence[Ident],
        reserved: Sequence[Ident],
        seed: int,
    ) -> None:
        self._ledger, self._leases, self._reserved = ledger, leases, list(reserved)
        audit = set(reserved)
        others = [ident for ident in ids if ident not in audit]
        self._others = [others[i] for i in np.random.RandomState(seed).permutation(len(others))]
        self._share = len(self._reserved) / len(ids) if ids else 0.0

    def next(self, n: int, annotator: str | None, besides: Sequence[Ident] = ()) -> list[Ident]:
        """Return rows open to an annotator that are not in flight, nor among some others."""
        in_flight = self._leases.items() | set(besides)
        audit = self._free(self._reserved, annotator, in_flight)
        planned = self._free(self._in_order(), annotator, in_flight)
        n_out, n_audit = self._out(in_flight)
        chosen: list[Ident] = []
        while len(chosen) < n:
            due = n_audit + 0.5 < self._share * (n_out + 1)
            from_audit = next(audit, None) if due else None
            item = next(planned, None) if from_audit is None else from_audit
            if item is None:
                item = from_audit = next(audit, None)
            if item is None:
                break
            chosen.append(item)
            n_out, n_audit = n_out + 1, n_audit + (from_audit is not None)
        return chosen

    def _in_order(self) -> Iterator[Ident]:
        plan = self._ledger.plan
        planned = [] if plan is None else plan.value["ids"]
        yield from planned
        before = set(planned)
        yield from (ident for ident in self._others if ident not in before)

    def _free(
        self, items: Iterable[Ident], annotator: str | None, in_flight: set[Ident]
    ) -> Iterator[Ident]:
        is_open = self._ledger.is_open_to
        return (i for i in items if i not in in_flight and is_open(i, annotator))

    def _out(self, in_flight: set[Ident]) -> tuple[int, int]:
        """Count the rows that have a label or are in flight, and those of the audit among them."""
        label_of = self._ledger.label_of
        n_out = self._ledger.n_labels + sum(label_of(i) is None for i in in_flight)
        n_audit = sum(i in in_flight or label_of(i) is not None for i in self._reserved)
        return n_out, n_audit
