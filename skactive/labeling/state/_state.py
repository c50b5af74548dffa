"""SessionState: the state of a session, derived from the events of its store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from skactive.labeling.state._events import ANSWERS, Event, Ident, Label

__all__ = ["LabelSnapshot", "Lease", "SessionState"]


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
    """

    ticket: str
    items: tuple[Ident, ...]
    annotator: str | None
    session: str
    granted: float
    expires: float
    released: set[Ident] = field(default_factory=set)


@dataclass(frozen=True)
class LabelSnapshot:
    """The answers at one position in the store, from which a plan is made.

    Parameters
    ----------
    upto : int
        Position of the last event that counts.
    labels : dict
        The labels to learn from, by row.
    refused : frozenset
        Rows with answers but without a label.
    """

    upto: int
    labels: dict[Ident, Label]
    refused: frozenset[Ident]


class SessionState:
    """The state of a labeling session: a function of its events alone.

    Parameters
    ----------
    settings : str
        Digest of the session's settings; plans made under other settings are ignored.
    learnable : collection of str or int, default=None
        Rows whose labels the model may learn from; None means all.
    refit_every : int, default=10
        Number of changed labels after which a new plan is due.

    Attributes
    ----------
    seq : int
        Position of the last event.
    leases : dict of str to Lease
        All leases, by ticket.
    open_leases : dict of str to Lease
        Leases with rows that still wait for an answer.
    plan : Event or None
        The plan of the model that learned from most events.
    rounds : list of Event
        All plans, in order.
    tally : Counter
        Number of rows per label, ("class", label); number without a label that were skipped,
        ("skip", None), or given up, ("unknown", None); number that each annotator answered,
        ("annotator", name).
    scores : dict
        Scores of the rows of the plan, if its strategy scores rows.
    classes : list
        Classes that were added.
    """

    def __init__(
        self,
        settings: str,
        *,
        learnable: Collection[Ident] | None = None,
        refit_every: int = 10,
    ) -> None:
        self.settings, self._learnable, self._refit_every = settings, learnable, refit_every
        self.seq = 0
        self.leases: dict[str, Lease] = {}
        self.open_leases: dict[str, Lease] = {}
        self.plan: Event | None = None
        self.rounds: list[Event] = []
        self.scores: dict[Ident, float] = {}
        self.tally: Counter[tuple[str, Any]] = Counter()
        self.classes: list[Label] = []
        self._log: list[tuple[Ident, Label | None, bool]] = []  # row, its label, whether refused
        self._due = (0, 0)  # position of the event, length of the log
        self._answers: dict[str, Event] = {}  # not undone; by id, in the order of the store
        self._by_item: dict[Ident, dict[str, Event]] = {}  # the same, by row and id
        self._last: dict[Ident, dict[str | None, Event]] = {}  # by row and annotator
        self._by_annotator: dict[str | None, dict[str, Event]] = {}  # by annotator and id
        self._labels: dict[Ident, Event] = {}  # the label that counts, by row
        self._leased: dict[Ident, Lease] = {}  # the last lease, by row
        self._undone: dict[str, Ident] = {}  # row of the answer, by the id of the undo
        self._ids: set[str] = set()  # of all answers, undone ones too
        self._answer_keys: set[tuple[Any, ...]] = set()  # of all answers, undone ones too
        self._n_changes = 0

    # Applying events ------------------------------------------------------------------------------

    def apply(self, events: Iterable[Event]) -> None:
        """Apply events, in the order of the store; unknown kinds are ignored."""
        for event in events:
            self.seq = event.seq
            if event.kind in ANSWERS:
                self._apply_answer(event)
            else:
                getattr(self, f"_apply_{event.kind}", _ignore)(event)

    def _apply_answer(self, event: Event) -> None:
        assert event.item is not None
        self._answers[event.id] = event
        self._ids.add(event.id)
        self._answer_keys.add(
            _answer_key(event.kind, event.item, event.value, event.ticket, event.annotator)
        )
        self._by_item.setdefault(event.item, {})[event.id] = event
        self._by_annotator.setdefault(event.annotator, {})[event.id] = event
        self._update_label(event.item, event.seq)

    def _apply_undo(self, event: Event) -> None:
        undone = self._answers.pop(event.target or "", None)
        if undone is None or undone.item is None:
            return
        self._undone[event.id] = undone.item
        del self._by_item[undone.item][undone.id]
        del self._by_annotator[undone.annotator][undone.id]
        self._update_label(undone.item, event.seq)

    def _update_label(self, item: Ident, seq: int) -> None:
        """Find the label of a row that counts: the last answer of the last who labeled it."""
        self.tally.subtract(self._tally_keys(item))
        last = {event.annotator: event for event in self._by_item[item].values()}
        self._last[item] = last
        labels = [event for event in last.values() if event.kind == "label"]
        before = self._labels.pop(item, None)
        after = max(labels, key=lambda event: event.seq) if labels else None
        if after is not None:
            self._labels[item] = after
        self.tally.update(self._tally_keys(item))
        if item in self._leased:
            self._update_lease(self._leased[item])
        if self._learnable is not None and item not in self._learnable:
            return
        label = None if after is None else after.value
        self._log.append((item, label, bool(last) and after is None))
        if (None if before is None else before.value) != label:
            self._n_changes += 1
            if self._n_changes % self._refit_every == 0:
                self._due = seq, len(self._log)

    def _tally_keys(self, item: Ident) -> list[tuple[str, Any]]:
        """Return the entries of the tally to which a row contributes."""
        last = self._last.get(item, {})
        annotators: list[tuple[str, Any]] = [("annotator", annotator) for annotator in last]
        label = self._labels.get(item)
        if label is not None:
            classes = label.value if isinstance(label.value, list) else [label.value]
            return [*annotators, *(("class", c) for c in classes)]
        return [*annotators, *{(event.kind, None) for event in last.values()}]

    def _apply_lease(self, event: Event) -> None:
        items, session = tuple(event.value["items"]), event.value["session"]
        lease = Lease(event.id, items, event.annotator, session, event.time, event.value["expires"])
        self.leases[lease.ticket] = lease
        self._leased.update(dict.fromkeys(items, lease))
        self._update_lease(lease)

    def _apply_release(self, event: Event) -> None:
        lease = self.leases.get(event.ticket or "")
        if lease is not None:
            lease.released.update(lease.items if event.value is None else event.value)
            self._update_lease(lease)

    def _update_lease(self, lease: Lease) -> None:
        """Record whether a lease is open; an undo may open it again."""
        if self.pending(lease):
            self.open_leases[lease.ticket] = lease
        else:
            self.open_leases.pop(lease.ticket, None)

    def _apply_class(self, event: Event) -> None:
        if event.value not in self.classes:
            self.classes.append(event.value)

    def _apply_plan(self, event: Event) -> None:
        if event.value["by"] != self.settings:
            return
        if self.plan is None or event.value["upto"] > self.plan.value["upto"]:
            self.plan = event
            self.rounds.append(event)
            self.scores = dict(zip(event.value["ids"], event.value["scores"] or (), strict=False))

    # Labels to learn from -------------------------------------------------------------------------

    @property
    def due(self) -> int:
        """Position of the event at which the current plan became due; 0 for the first plan."""
        return self._due[0]

    def snapshot_due(self) -> LabelSnapshot:
        """Return the answers from which the plan that is due is made."""
        return self._make_snapshot(*self._due)

    def snapshot_now(self) -> LabelSnapshot:
        """Return the answers as they are now."""
        return self._make_snapshot(self.seq, len(self._log))

    def _make_snapshot(self, seq: int, n_entries: int) -> LabelSnapshot:
        labels: dict[Ident, Label] = {}
        refused: set[Ident] = set()
        for item, label, is_refused in self._log[:n_entries]:
            labels.pop(item, None)
            refused.discard(item)
            if label is not None:
                labels[item] = label
            elif is_refused:
                refused.add(item)
        return LabelSnapshot(seq, labels, frozenset(refused))

    # Answers and leases ---------------------------------------------------------------------------

    @property
    def n_labels(self) -> int:
        """Number of rows that have a label."""
        return len(self._labels)

    def counts(self, what: str) -> dict[Any, int]:
        """Return a part of the tally: "class" or "annotator"."""
        return {name: n for (kind, name), n in self.tally.items() if kind == what and n > 0}

    def labels(self) -> Iterable[Event]:
        """Return the answers that label rows, one per row."""
        return self._labels.values()

    def get_label(self, item: Ident) -> Event | None:
        """Return the answer that labels a row."""
        return self._labels.get(item)

    def answers(self) -> Iterator[Event]:
        """Yield the last answer per row and annotator, in the order of the store."""
        last_ids = {event.id for last in self._last.values() for event in last.values()}
        return (event for event in self._answers.values() if event.id in last_ids)

    def get_answer(self, item: Ident, annotator: str | None) -> Event | None:
        """Return the last answer of an annotator about a row."""
        return self._last.get(item, {}).get(annotator)

    def last_answer(self, annotator: str | None) -> Event | None:
        """Return the last answer of an annotator, which an undo retracts."""
        answers = self._by_annotator.get(annotator)
        return next(reversed(answers.values())) if answers else None

    def get_undone(self, undo_id: str) -> Ident | None:
        """Return the row whose answer the undo `undo_id` retracted; None for an unknown id."""
        return self._undone.get(undo_id)

    def was_stored(self, event_id: str) -> bool:
        """Return whether an answer was ever stored under this id, undone or not."""
        return event_id in self._ids

    def was_given(
        self, kind: str, item: Ident, label: Label | None, ticket: str, annotator: str | None
    ) -> bool:
        """Return whether an annotator gave exactly this answer under this ticket, undone or not."""
        return _answer_key(kind, item, label, ticket, annotator) in self._answer_keys

    def is_settled(self, item: Ident) -> bool:
        """Return whether a row needs no further answer: it has a label, or cannot have one."""
        if item in self._labels:
            return True
        return any(event.kind == "unknown" for event in self._last.get(item, {}).values())

    def is_open_to(self, item: Ident, annotator: str | None) -> bool:
        """Return whether a row may be handed to an annotator, whether it is leased or not."""
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


def _answer_key(
    kind: str, item: Ident | None, label: Any, ticket: str | None, annotator: str | None
) -> tuple[Any, ...]:
    """Return what equal answers have in common, hashable."""
    return kind, item, tuple(label) if isinstance(label, list) else label, ticket, annotator


def _ignore(event: Event) -> None:
    """Ignore a kind of event that this version does not know."""
