"""SessionState: what the events of a store come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from skactive.labeling.state._events import ANSWERS, Event, Ident, Label

__all__ = ["Due", "Lease", "SessionState"]


@dataclass
class Lease:
    """Rows that were handed out.

    Parameters
    ----------
    ticket : str
        Its name.
    items : tuple of str or int
        The rows.
    annotator : str or None
        To whom.
    session : str
        By which session.
    granted, expires : float
        From when until when, by the clock of the machine.
    released : set of str or int
        Rows that were given back.
    """

    ticket: str
    items: tuple[Ident, ...]
    annotator: str | None
    session: str
    granted: float
    expires: float
    released: set[Ident] = field(default_factory=set)


@dataclass(frozen=True)
class Due:
    """What a plan is made of: the answers as they were when it became due.

    Parameters
    ----------
    upto : int
        The place of the event by which it became due.
    labels : dict
        The labels to learn from, by row.
    refused : frozenset
        Rows that got answers, but no label.
    """

    upto: int
    labels: dict[Ident, Label]
    refused: frozenset[Ident]


class SessionState:
    """The state of a labeling campaign, event by event; a function of the events alone.

    Parameters
    ----------
    plans : str
        Plans that are made under another name are left aside.
    learned : collection of str or int, default=None
        The rows from which the model may learn; None: all.
    every : int, default=10
        After so many changes of what can be learned a new plan is due.

    Attributes
    ----------
    seq : int
        The place of the last event.
    leases : dict of str to Lease
        By ticket.
    open_leases : dict of str to Lease
        Those with rows that still wait for an answer.
    plan : Event or None
        The plan that knows most labels.
    rounds : list of Event
        All plans, in order.
    tally : Counter
        How many rows have each label, ("class", label); how many have none and were skipped,
        ("skip", None), or given up, ("unknown", None); how many each answered, ("annotator", name).
    scores : dict
        Of the rows of the plan, where they were scored.
    classes : list
        Classes that were added.
    """

    def __init__(
        self, plans: str, *, learned: Collection[Ident] | None = None, every: int = 10
    ) -> None:
        self._plans, self._learned, self._every = plans, learned, every
        self.seq = 0
        self.leases: dict[str, Lease] = {}
        self.open_leases: dict[str, Lease] = {}
        self.plan: Event | None = None
        self.rounds: list[Event] = []
        self.scores: dict[Ident, float] = {}
        self.tally: Counter[tuple[str, Any]] = Counter()
        self.classes: list[Label] = []
        self._log: list[tuple[Ident, Label | None, bool]] = []  # row, its label, whether refused
        self._due = (0, 0)  # place of the event, length of the log
        self._answers: dict[str, Event] = {}  # that hold, by id, in the order of the store
        self._by_item: dict[Ident, dict[str, Event]] = {}  # the same
        self._last: dict[Ident, dict[str | None, Event]] = {}  # of each annotator, by row
        self._by_annotator: dict[str | None, dict[str, Event]] = {}  # the same
        self._labels: dict[Ident, Event] = {}  # the one that counts, by row
        self._leased: dict[Ident, Lease] = {}  # the last one, by row
        self._undone: dict[str, Ident] = {}  # by the id of the undo
        self._ids: set[str] = set()  # of answers, undone ones too
        self._given: set[tuple[Any, ...]] = set()  # what they said
        self._n_changes = 0

    # Events in ------------------------------------------------------------------------------------

    def apply(self, events: Iterable[Event]) -> None:
        """Take in events, in the order of the store."""
        for event in events:
            self.seq = event.seq
            if event.kind in ANSWERS:
                self._answer(event)
            else:
                getattr(self, f"_{event.kind}", _ignore)(event)

    def _answer(self, event: Event) -> None:
        assert event.item is not None
        self._answers[event.id] = event
        self._ids.add(event.id)
        self._given.add(_said(event))
        self._by_item.setdefault(event.item, {})[event.id] = event
        self._by_annotator.setdefault(event.annotator, {})[event.id] = event
        self._settle(event.item, event.seq)

    def _undo(self, event: Event) -> None:
        undone = self._answers.pop(event.target or "", None)
        if undone is None or undone.item is None:
            return
        self._undone[event.id] = undone.item
        del self._by_item[undone.item][undone.id]
        del self._by_annotator[undone.annotator][undone.id]
        self._settle(undone.item, event.seq)

    def _settle(self, item: Ident, seq: int) -> None:
        """Find the label of a row that counts: the last answer of the last who labeled it."""
        self.tally.subtract(self._standing(item))
        last = {event.annotator: event for event in self._by_item[item].values()}
        self._last[item] = last
        labels = [event for event in last.values() if event.kind == "label"]
        before = self._labels.pop(item, None)
        after = max(labels, key=lambda event: event.seq) if labels else None
        if after is not None:
            self._labels[item] = after
        self.tally.update(self._standing(item))
        if item in self._leased:
            self._reconsider(self._leased[item])
        if self._learned is not None and item not in self._learned:
            return
        label = None if after is None else after.value
        self._log.append((item, label, bool(last) and after is None))
        if (None if before is None else before.value) != label:
            self._n_changes += 1
            if self._n_changes % self._every == 0:
                self._due = seq, len(self._log)

    def _standing(self, item: Ident) -> list[tuple[str, Any]]:
        """Return what a row counts for, in the tally."""
        last = self._last.get(item, {})
        counts: list[tuple[str, Any]] = [("annotator", annotator) for annotator in last]
        label = self._labels.get(item)
        if label is not None:
            several = label.value if isinstance(label.value, list) else [label.value]
            return [*counts, *(("class", each) for each in several)]
        return [*counts, *{(event.kind, None) for event in last.values()}]

    def _lease(self, event: Event) -> None:
        items, session = tuple(event.value["items"]), event.value["session"]
        lease = Lease(event.id, items, event.annotator, session, event.time, event.value["expires"])
        self.leases[lease.ticket] = lease
        self._leased.update(dict.fromkeys(items, lease))
        self._reconsider(lease)

    def _release(self, event: Event) -> None:
        lease = self.leases.get(event.ticket or "")
        if lease is not None:
            lease.released.update(lease.items if event.value is None else event.value)
            self._reconsider(lease)

    def _reconsider(self, lease: Lease) -> None:
        """See whether a lease is open: an undo opens it anew."""
        if self.pending(lease):
            self.open_leases[lease.ticket] = lease
        else:
            self.open_leases.pop(lease.ticket, None)

    def _class(self, event: Event) -> None:
        if event.value not in self.classes:
            self.classes.append(event.value)

    def _plan(self, event: Event) -> None:
        if event.value["by"] != self._plans:
            return
        if self.plan is None or event.value["upto"] > self.plan.value["upto"]:
            self.plan = event
            self.rounds.append(event)
            self.scores = dict(zip(event.value["ids"], event.value["scores"] or (), strict=False))

    # Questions ------------------------------------------------------------------------------------

    @property
    def due(self) -> int:
        """The place of the event by which a plan became due; 0 is the first plan of all."""
        return self._due[0]

    def at_due(self) -> Due:
        """Return what the plan that is due now is made of."""
        return self._after(*self._due)

    def now(self) -> Due:
        """Return what a plan of now would be made of."""
        return self._after(self.seq, len(self._log))

    def _after(self, seq: int, n_entries: int) -> Due:
        labels: dict[Ident, Label] = {}
        refused: set[Ident] = set()
        for item, label, is_refused in self._log[:n_entries]:
            labels.pop(item, None)
            refused.discard(item)
            if label is not None:
                labels[item] = label
            elif is_refused:
                refused.add(item)
        return Due(seq, labels, frozenset(refused))

    @property
    def n_labels(self) -> int:
        """How many rows have a label."""
        return len(self._labels)

    def counts(self, what: str) -> dict[Any, int]:
        """Return a part of the tally: "class" or "annotator"."""
        return {name: n for (kind, name), n in self.tally.items() if kind == what and n > 0}

    def labels(self) -> Iterable[Event]:
        """Return the answers that label rows, one a row."""
        return self._labels.values()

    def label_of(self, item: Ident) -> Event | None:
        """Return the answer that labels a row."""
        return self._labels.get(item)

    def answers(self) -> Iterator[Event]:
        """Yield, for each row and annotator, the last answer, in the order of the store."""
        standing = {event.id for last in self._last.values() for event in last.values()}
        return (event for event in self._answers.values() if event.id in standing)

    def get_answer(self, item: Ident, annotator: str | None) -> Event | None:
        """Return what an annotator last said of a row."""
        return self._last.get(item, {}).get(annotator)

    def last_of(self, annotator: str | None) -> Event | None:
        """Return the last answer of an annotator, which an undo takes back."""
        mine = self._by_annotator.get(annotator)
        return next(reversed(mine.values())) if mine else None

    def knows(self, event_id: str) -> bool:
        """Tell whether an answer was ever stored."""
        return event_id in self._ids

    def undone_by(self, event_id: str) -> Ident | None:
        """Return the row whose answer an undo took back, if there was this undo."""
        return self._undone.get(event_id)

    def was_given(
        self, kind: str, item: Ident, label: Label | None, ticket: str, annotator: str | None
    ) -> bool:
        """Tell whether an annotator gave this very answer under this ticket, undone or not."""
        return (kind, item, _frozen(label), ticket, annotator) in self._given

    def is_settled(self, item: Ident) -> bool:
        """Tell whether a row needs no further answer: it has a label, or cannot have one."""
        if item in self._labels:
            return True
        return any(event.kind == "unknown" for event in self._last.get(item, {}).values())

    def is_open_to(self, item: Ident, annotator: str | None) -> bool:
        """Tell whether a row may be handed to an annotator, leases aside."""
        if self.is_settled(item):
            return False
        return self.get_answer(item, annotator) is None

    def pending(self, lease: Lease) -> list[Ident]:
        """Return the rows of a lease that still wait for an answer."""
        return [
            item
            for item in lease.items
            if item not in lease.released and self.is_open_to(item, lease.annotator)
        ]


def _said(event: Event) -> tuple[Any, ...]:
    return event.kind, event.item, _frozen(event.value), event.ticket, event.annotator


def _frozen(label: Any) -> Any:
    return tuple(label) if isinstance(label, list) else label


def _ignore(event: Event) -> None:
    """Skip kinds of events that this version has no use for."""
