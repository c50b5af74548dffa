"""SessionState: the state of a session, derived from the events of its store."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from skactive.exceptions import StoreError
from skactive.labeling.state._answer_reading import CODE_OF_KIND, Answer, AnswerReading
from skactive.labeling.state._answers import SKIPPED, UNKNOWN, AnswerTable
from skactive.labeling.state._changes import REFUSED, UNANSWERED, LabelChanges, LabelSnapshot
from skactive.labeling.state._codes import LabelCodes, RowCodes, get_classes, replace_class
from skactive.labeling.state._events import Event, Ident, Label
from skactive.labeling.state._open_leases import Lease, OpenLeases
from skactive.labeling.state._routing import Routing
from skactive.labeling.state._shapes import PLAN, has_shape

__all__ = ["Answer", "SessionState"]

_NO_LABEL = -1
_NOBODY: frozenset[int] = frozenset()


class SessionState(AnswerReading):
    """The state of a labeling session: a function of its events alone.

    It holds numbers; the events themselves stay in the store, at the positions that it returns.

    Parameters
    ----------
    settings : str or None
        Digest of the session's settings; plans made under other settings are ignored. None: the
        settings of the last plan.
    rows : RowCodes, default=None
        The rows of the pool. None takes rows as they appear in events.
    audit : collection of str or int, default=()
        Rows whose labels the model does not learn from.
    refit_every : int, default=10
        Number of changed labels after which a new plan is due.
    counts_opinions : bool, default=False
        Whether an answer about a row that has a label counts as a changed label.

    Attributes
    ----------
    position : int
        Position of the last event.
    open_leases : OpenLeases
        Leases with rows that still wait for an answer.
    plan : Event or None
        The plan of the model that learned from most events.
    plan_positions : list of int
        Positions of all plans, in order.
    scores : dict
        Scores of the rows of the plan, if its strategy scores rows.
    classes : list
        Classes that were added.
    renamed : dict
        The present name of each class that was renamed.
    n_labels_lost : int
        Number of times that a row lost its label or an opinion, by an undo or another answer.
    routing : Routing
        What is known of the router: its annotators, and the rows that people are asked for first.
    """

    def __init__(
        self,
        settings: str | None,
        *,
        rows: RowCodes | None = None,
        audit: Collection[Ident] = (),
        refit_every: int = 10,
        counts_opinions: bool = False,
    ) -> None:
        self.settings, self._counts_opinions = settings, counts_opinions
        self._rows = RowCodes() if rows is None else rows
        self._takes_any_row = rows is None
        self._audit = {self._rows.add(item) for item in audit}
        self.position = 0
        self.open_leases = OpenLeases(self.is_open_to)
        self.plan: Event | None = None
        self.plan_positions: list[int] = []
        self.scores: dict[Ident, float] = {}
        self._again: frozenset[Ident] = frozenset()  # labeled rows that the plan asks about again
        self.classes: list[Label] = []
        self.renamed: dict[Label, Label] = {}
        self.n_labels_lost = 0
        self.routing = Routing()
        self._answers, self._labels = AnswerTable(), LabelCodes()
        self._changes = LabelChanges(refit_every)
        self._annotators: dict[str | None, int] = {}
        self._label_of_row = array("i")  # code of the label that counts; -1 without one
        self._n_labels = 0
        self._refusals: dict[int, frozenset[int]] = {}  # of rows without a label
        self._n_rows_of_label: Counter[int] = Counter()
        self._n_rows_refused: Counter[int] = Counter()
        self._n_rows_labeled_by: Counter[int] = Counter()
        self._n_audited = 0

    # Applying events ------------------------------------------------------------------------------

    def apply(self, events: Iterable[Event]) -> None:
        """Apply events, in the order of the store.

        Raises
        ------
        StoreError
            If an event is not one that a session stores.
        """
        for event in events:
            apply = _APPLY.get(event.kind)
            if apply is None:
                raise StoreError(
                    f"Event {event.seq} of the store has the unknown kind {event.kind!r}: it was "
                    "not made by this version of skactive. Upgrade, or use another store."
                )
            try:
                apply(self, event)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"Event {event.seq} of the store, of the kind {event.kind!r}, has a content "
                    f"that no session stores ({type(error).__name__}: {error}). Use another store, "
                    "or copy what is intact by `skactive status --salvage`."
                ) from error
            self.position = event.seq

    def _apply_answer(self, event: Event) -> None:
        code = CODE_OF_KIND.get(event.kind)
        label = self._labels.add(event.value) if code is None else code
        annotator = self._add_annotator(event.annotator)
        row = self._rows.add(event.item)
        add = partial(self._answers.add, event.id, event.seq, row, annotator, label)
        if self._answers.has_any(row):
            self._update(row, annotator, event.seq, add)
        else:  # most answers: nothing to compare with
            add()
            self._n_rows_labeled_by[annotator] += label >= 0
            self._follow(row, event.seq, [label])

    def _apply_undo(self, event: Event) -> None:
        row = None if event.item is None else self._rows.find(event.item)
        number = None if row is None else self._answers.find(event.target or "", row)
        if row is None or number is None:
            return
        annotator = self._answers.annotator[number]
        self._update(row, annotator, event.seq, lambda: self._answers.undo(number))
        self.n_labels_lost += event.item in self._again  # it may be open again

    def _add_annotator(self, name: Any) -> int:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the annotator {name!r} is not a string")
        return self._annotators.setdefault(name, len(self._annotators))

    def _update(
        self, row: int, annotator: int, position: int, change: Callable[[], object]
    ) -> None:
        """Change the answers about a row, and everything that follows from them."""
        had_labeled = self._has_labeled(row, annotator)
        change()
        self._n_rows_labeled_by[annotator] += self._has_labeled(row, annotator) - had_labeled
        self.n_labels_lost += self._rows[row] in self.routing.asked  # it may be open again
        current = self._answers.iter_current(row)
        self._follow(row, position, [self._answers.label[number] for number in current])

    def _follow(self, row: int, position: int, current: list[int]) -> None:
        """Update what follows from the last labels of all annotators about a row, latest first."""
        before = self._find_label(row)
        label = next((code for code in current if code >= 0), _NO_LABEL)
        if label != before:
            self._set_label(row, before, label)
        if label == _NO_LABEL or self._refusals:
            self._set_refusals(row, frozenset(current) if label == _NO_LABEL else _NOBODY)
        if self.open_leases:
            self.open_leases.update(self._rows[row])
        if row not in self._audit and self._is_of_pool(row):
            entry = label if label >= 0 else REFUSED if current else UNANSWERED
            is_opinion = self._counts_opinions and before >= 0
            self._changes.add(row, entry, position, changed=is_opinion or before != label)

    def _has_labeled(self, row: int, annotator: int) -> bool:
        """Return whether the last answer of an annotator about a row is a label."""
        answers = self._answers
        for number in answers.iter_about(row):
            if answers.annotator[number] == annotator:
                return answers.label[number] >= 0
        return False

    def _is_of_pool(self, row: int) -> bool:
        return self._takes_any_row or row < self._rows.n_pool

    def _find_label(self, row: int | None) -> int:
        """Return the code of the label of a row; _NO_LABEL without one."""
        labels = self._label_of_row
        return labels[row] if row is not None and row < len(labels) else _NO_LABEL

    def _set_label(self, row: int, before: int, label: int) -> None:
        labels = self._label_of_row
        if row >= len(labels):
            labels.extend([_NO_LABEL] * (row + 1 - len(labels)))
        labels[row] = label
        if before >= 0:
            self._n_rows_of_label[before] -= 1
        if label >= 0:
            self._n_rows_of_label[label] += 1
        difference = (label >= 0) - (before >= 0)
        self._n_labels += difference
        self.n_labels_lost += difference < 0
        self._n_audited += difference if row in self._audit else 0

    def _set_refusals(self, row: int, refusals: frozenset[int]) -> None:
        """Set who refused a row that has no label: SKIPPED, UNKNOWN or both."""
        before = self._refusals.get(row, _NOBODY)
        if before == refusals:
            return
        self._n_rows_refused.subtract(before - refusals)
        self._n_rows_refused.update(refusals - before)
        if refusals:
            self._refusals[row] = refusals
        else:
            del self._refusals[row]

    def _apply_lease(self, event: Event) -> None:
        items, session = tuple(event.value["items"]), event.value["session"]
        for item in items:
            self._rows.add(item)
        expires = float(event.value["expires"])
        lease = Lease(event.id, items, event.annotator, session, event.time, expires)
        self.open_leases.add(lease)

    def _apply_release(self, event: Event) -> None:
        self.open_leases.release(event.ticket or "", event.value)

    def _apply_class(self, event: Event) -> None:
        self._labels.add(event.value)
        self.renamed.pop(event.value, None)
        if event.value not in self.classes:
            self.classes.append(event.value)

    def _apply_rename(self, event: Event) -> None:
        old, new = event.value["old"], event.value["new"]
        self._labels.add(new)
        codes = self._labels.rename(old, new)
        self._answers.replace_labels(codes)
        self._label_of_row[:] = array("i", [codes.get(c, c) for c in self._label_of_row])
        counts = Counter[int]()
        for label, count in self._n_rows_of_label.items():
            counts[codes.get(label, label)] += count
        self._n_rows_of_label = counts
        self.classes = list(dict.fromkeys(replace_class(c, old, new) for c in self.classes))
        self.renamed = {c: replace_class(name, old, new) for c, name in self.renamed.items()}
        self.renamed[old] = new
        self.renamed.pop(new, None)
        self._changes.add_rename(codes, event.seq)

    def _apply_plan(self, event: Event) -> None:
        if not (
            has_shape(event.value, PLAN)
            and _is_audit(event.value.get("audit"))
            and len(event.value.get("audit_error") or [0.0] * 3) == 3
        ):
            raise ValueError("it is not a plan")
        upto, by = event.value["upto"], event.value["by"]
        if self.settings is None and (self.plan is None or self.plan.value["by"] != by):
            self.plan, self.plan_positions = None, []
        elif self.settings not in {None, by}:
            return
        if self.plan is None or upto > self.plan.value["upto"]:
            self.set_plan(event)
            self.plan_positions.append(event.seq)

    def set_plan(self, plan: Event) -> None:
        """Set the plan that counts."""
        ids, scores = plan.value["ids"], plan.value["scores"] or ()
        self.scores = dict(zip(ids, scores, strict=False))
        self.plan, self._again = plan, frozenset(plan.value.get("again", ()))

    def _apply_route(self, event: Event) -> None:
        self.routing.add_route(event, self._add_annotator)

    def _apply_ask(self, event: Event) -> None:
        for item in event.value["items"]:
            self._rows.add(item)
        self.routing.ask(event)

    def _ignore(self, event: Event) -> None:
        """Apply an event from which nothing follows."""

    def check_codes(self) -> None:
        """Raise a ValueError if a loaded state does not fit together."""
        n_rows, n_labels = len(self._rows), len(self._labels)
        self._answers.check(n_rows, len(self._annotators), n_labels)
        codes = np.asarray(self._label_of_row)
        if np.any((codes < _NO_LABEL) | (codes >= n_labels)) or len(codes) > n_rows:
            raise ValueError("its labels do not fit together")
        self._changes.check(n_rows, n_labels)

    # Labels to learn from -------------------------------------------------------------------------

    @property
    def due(self) -> int:
        """Position of the event at which the current plan became due; 0 for the first plan."""
        return self._changes.due[0]

    def snapshot_due(self) -> LabelSnapshot:
        """Return the answers from which the plan that is due is made."""
        return self._changes.make_snapshot(*self._changes.due, self._rows, self._labels)

    def snapshot_now(self) -> LabelSnapshot:
        """Return the answers as they are now."""
        n_entries = len(self._changes.row)
        return self._changes.make_snapshot(self.position, n_entries, self._rows, self._labels)

    # Counts ---------------------------------------------------------------------------------------

    @property
    def n_labels(self) -> int:
        """Number of rows that have a label."""
        return self._n_labels

    @property
    def n_audited(self) -> int:
        """Number of audit rows that have a label."""
        return self._n_audited

    @property
    def n_skipped(self) -> int:
        """Number of rows without a label that somebody skipped."""
        return self._n_rows_refused[SKIPPED]

    @property
    def n_unknown(self) -> int:
        """Number of rows without a label that somebody marked as unknown."""
        return self._n_rows_refused[UNKNOWN]

    def count_classes(self) -> dict[Any, int]:
        """Return the number of rows of each class."""
        counts: Counter[Any] = Counter()
        for code, count in self._n_rows_of_label.items():
            if count:
                counts.update(dict.fromkeys(get_classes(self._labels[code]), count))
        return dict(counts)

    def count_annotators(self) -> dict[str | None, int]:
        """Return the number of rows that each annotator labeled."""
        counts = ((name, self._n_rows_labeled_by[code]) for name, code in self._annotators.items())
        return {name: count for name, count in counts if count}

    # Answers and leases ---------------------------------------------------------------------------

    def get_label(self, item: Ident) -> Label | None:
        """Return the label of a row that counts: the last label, if its annotator kept it."""
        code = self._find_label(self._rows.find(item))
        return self._labels[code] if code >= 0 else None

    def iter_labels(self) -> Iterator[tuple[Ident, Label]]:
        """Yield the rows that have a label, and their labels."""
        codes = enumerate(self._label_of_row)
        return ((self._rows[row], self._labels[code]) for row, code in codes if code >= 0)

    def is_labeled(self, item: Ident) -> bool:
        """Return whether a row has a label."""
        return self._find_label(self._rows.find(item)) >= 0

    def is_open_to(self, item: Ident, annotator: str | None) -> bool:
        """Return whether a row may be handed to an annotator, whether it is leased or not."""
        row = self._rows.find(item)
        if row is None:
            return self._takes_any_row
        if not self._is_of_pool(row):
            return False
        if self.is_settled(item) or UNKNOWN in self._refusals.get(row, _NOBODY):
            return False
        return self.get_answer(item, annotator) is None

    def is_settled(self, item: Ident) -> bool:
        """Return whether a row has a label and people are asked for no further opinion on it."""
        row = self._rows.find(item)
        if row is None or self._find_label(row) < 0:
            return False
        if self.is_routed(item):
            return item not in self.routing.asked or not self.awaits_people(item)
        if item not in self._again or self.plan is None:
            return True
        last = next(self._answers.iter_about(row))
        return self._answers.position[last] > self.plan.value["upto"]  # there is a further one

    def awaits_people(self, item: Ident) -> bool:
        """Return whether no person has labeled a row, or marked it as unknown."""
        row, machines = self._rows.find(item), self.routing.annotators.values()
        if row is None:
            return True
        answers = self._answers
        by_people = (n for n in answers.iter_current(row) if answers.annotator[n] not in machines)
        return all(answers.label[number] == SKIPPED for number in by_people)

    def is_routed(self, item: Ident) -> bool:
        """Return whether all labels of a row are those of a router's annotators."""
        row, machines = self._rows.find(item), self.routing.annotators.values()
        if row is None or not machines or self._find_label(row) < 0:
            return False
        labels = (n for n in self._answers.iter_current(row) if self._answers.label[n] >= 0)
        return all(self._answers.annotator[number] in machines for number in labels)

    def count_routed(self) -> dict[str, int]:
        """Return the number of rows that each annotator of a router labeled."""
        names = self.routing.annotators.items()
        return {name: self._n_rows_labeled_by[code] for name, code in names}


def _is_audit(audit: list[int] | None) -> bool:
    """Return whether the audit of a plan is the number of right rows, and of all."""
    return audit is None or (len(audit) == 2 and 0 <= audit[0] <= audit[1] and audit[1] > 0)


_APPLY: Mapping[str, Callable[[SessionState, Event], None]] = {
    "label": SessionState._apply_answer,
    "skip": SessionState._apply_answer,
    "unknown": SessionState._apply_answer,
    "undo": SessionState._apply_undo,
    "lease": SessionState._apply_lease,
    "release": SessionState._apply_release,
    "class": SessionState._apply_class,
    "rename": SessionState._apply_rename,
    "plan": SessionState._apply_plan,
    "pool": SessionState._ignore,
    "route": SessionState._apply_route,
    "ask": SessionState._apply_ask,
}
