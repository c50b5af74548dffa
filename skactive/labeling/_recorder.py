"""Recorder: stores the answers of people, each once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from skactive._utils.values import is_missing
from skactive.exceptions import LabelError
from skactive.labeling._classes import SessionClasses
from skactive.labeling._numbers import ValueRange
from skactive.labeling._rounds import Rounds
from skactive.labeling._synced import SyncedState
from skactive.labeling._validation import (
    check_annotator,
    check_answers,
    check_id,
    check_key,
    check_seconds,
    to_builtin,
)
from skactive.labeling.hooks._base import Notifier
from skactive.labeling.state._events import Event, Ident, Label, keyed_id, new_id
from skactive.labeling.state._state import Answer, SessionState

__all__ = ["Recorder", "Submission", "check_is_person"]


@dataclass(frozen=True)
class Submission:
    """A call that stores answers: the values that all of its answers share.

    Parameters
    ----------
    ticket : str or None
        Ticket of the batch.
    annotator : str or None
        Name of the person who answered.
    seconds : float or None
        Time that each answer took.
    key : str or None
        Name of the submission; another one of the same name changes nothing.
    """

    ticket: str | None = None
    annotator: str | None = None
    seconds: float | None = None
    key: str | None = None

    @classmethod
    def check(cls, ticket: Any, annotator: Any, seconds: Any, key: Any) -> Self:
        """Return a submission, after its values were checked."""
        return cls(
            check_key(ticket, "ticket"),
            check_annotator(annotator),
            check_seconds(seconds),
            check_key(key),
        )

    def make_id(self, item: Ident) -> str:
        """Return the id of the answer about a row."""
        return new_id() if self.key is None else keyed_id(self.key, item)


class Recorder:
    """Check answers, and store those that are new.

    Parameters
    ----------
    synced : SyncedState
        State and store.
    rounds : Rounds
        Woken after a change of the labels.
    notifier : Notifier
        Notified of new answers.
    classes : SessionClasses
        The classes, which labels have to be among if they were declared.
    multilabel : bool
        Whether a label is a list of classes.
    value_range : (float or None, float or None) or None, default=None
        If labels are numbers: the smallest and the largest.
    """

    def __init__(
        self,
        synced: SyncedState,
        rounds: Rounds,
        notifier: Notifier,
        classes: SessionClasses,
        *,
        multilabel: bool,
        value_range: ValueRange | None = None,
    ) -> None:
        self._synced, self._rounds, self._notifier = synced, rounds, notifier
        self._classes, self._multilabel = classes, multilabel
        self._value_range = value_range

    def add_labels(self, labels: Any, ids: Sequence[Ident]) -> None:
        """Store labels to begin with, of rows that have none; `ids` are those of the pool."""
        is_labeled = self._synced.state.is_labeled
        new = {
            ident: label
            for ident, label in _pair_labels(labels, ids)
            if not is_missing(label) and not is_labeled(ident)
        }
        if new:
            self.store_labels(new, Submission())

    def store_labels(self, answers: Any, submission: Submission) -> int:
        """Store labels, and return the number of those that are new."""
        with self._synced.lock:
            return self._store("label", self.check_labels(answers), submission)

    def check_labels(self, answers: Any) -> dict[Ident, Label]:
        """Return labels as they are stored, by row; the lock is held."""
        return check_answers(
            answers,
            self._rounds.planner.positions,
            classes=self._classes.list_all() if self._classes.are_declared else None,
            label_type=self._classes.get_label_type(),
            multilabel=self._multilabel,
            value_range=self._value_range,
        )

    def store_refusals(self, kind: str, ids: Iterable[Ident], submission: Submission) -> int:
        """Store answers without a label, and return the number of those that are new."""
        if isinstance(ids, str):
            raise LabelError(f"Pass a list of ids, got the string {ids!r}. Nothing was stored.")
        with self._synced.lock:
            positions = self._rounds.planner.positions
            return self._store(kind, {check_id(i, positions): None for i in ids}, submission)

    def _store(self, kind: str, answers: Mapping[Ident, Any], submission: Submission) -> int:
        with self._synced.exclusive() as state:
            if answers:
                self.check_ticket(submission.ticket)
                check_is_person(state, submission.annotator)
            events = [
                self._make_answer(kind, item, value, submission)
                for item, value in answers.items()
                # a key alone decides what is new, by the id of the event
                if submission.key is not None
                or not self._is_repeated(kind, item, value, submission)
            ]
            new = self._synced.store.append(events)
        self._notifier.notify_labels(new, submission.annotator, submission.seconds)
        self._rounds.wake()
        return len(new)

    def _make_answer(self, kind: str, item: Ident, value: Any, submission: Submission) -> Event:
        state = self._synced.state
        return Event(
            kind,
            submission.make_id(item),
            item=item,
            annotator=submission.annotator,
            value=value,
            ticket=submission.ticket,
            seconds=submission.seconds,
            round=None if state.plan is None else state.plan.value["n_labels"],
            score=state.scores.get(item),
        )

    def _is_repeated(self, kind: str, item: Ident, value: Any, submission: Submission) -> bool:
        """Return whether an answer is the current one, or was given before under its ticket."""
        state, annotator = self._synced.state, submission.annotator
        current = state.get_answer(item, annotator)
        if current is not None and (current.kind, current.label) == (kind, value):
            return True
        if submission.ticket is None:
            return False
        equal = self._synced.store.get_events(state.find_equal(item, annotator, kind, value))
        return any(event.ticket == submission.ticket for event in equal)

    def read_events(self, answers: Sequence[Answer]) -> list[Event]:
        """Return the events of answers, with their labels under the present names."""
        events = self._synced.store.get_events([answer.position for answer in answers])
        named = zip(events, answers, strict=True)
        return [event._replace(value=answer.label) for event, answer in named]

    def check_ticket(self, ticket: str | None) -> None:
        """Check that a ticket is that of a batch that was handed out."""
        if ticket is None or ticket in self._synced.state.open_leases:
            return
        event = self._synced.store.find_event(ticket)
        if event is None or event.kind != "lease":
            raise LabelError(
                f"Unknown ticket {ticket!r}: this store has not handed it out. Nothing was stored. "
                "Answers without a ticket are accepted, too."
            )

    def retract(self, annotator: str | None, key: str | None) -> Event | None:
        """Undo the last answer of an annotator, and return it."""
        annotator, key = check_annotator(annotator), check_key(key)
        undo_id = new_id() if key is None else f"undo:{key}"
        with self._synced.exclusive() as state:
            store, known = self._synced.store, self._synced.store.find_event(undo_id)
            if known is not None:
                return None if known.target is None else store.find_event(known.target)
            last = next(iter(state.list_answers_by(annotator, 1, None)), None)
            if last is None:
                if key is not None:  # the call, repeated after a lost reply, must not find one
                    store.append([Event("undo", undo_id, annotator=annotator)])
                return None
            answer = self.read_events([last])[0]
            undo = Event("undo", undo_id, answer.item, annotator, target=answer.id)
            store.append([undo, *self._renew_lease(answer)])
        self._rounds.wake()
        return answer

    def _renew_lease(self, answer: Event) -> list[Event]:
        """Return an event that hands a row to its annotator again, if the lease still runs."""
        lease = None if answer.ticket is None else self._synced.store.find_event(answer.ticket)
        if lease is None or lease.kind != "lease" or lease.value["expires"] <= time.time():
            return []
        value = lease.value | {"items": [answer.item]}
        return [Event("lease", new_id(), annotator=lease.annotator, value=value)]


def check_is_person(state: SessionState, name: str | None) -> None:
    """Raise an error if a name is that of an annotator of the router."""
    if name in state.routing.annotators:
        raise LabelError(
            f"{name!r} is the name of an annotator of the router: answer under another name. "
            "Nothing was stored."
        )


def _pair_labels(labels: Any, ids: Sequence[Ident]) -> Iterable[tuple[Ident, Any]]:
    """Return pairs of id and label, from a mapping or from a label per row."""
    if isinstance(labels, Mapping) or hasattr(labels, "to_dict"):  # a pandas Series
        return ((to_builtin(ident), label) for ident, label in labels.items())
    if isinstance(labels, str) or not hasattr(labels, "__len__") or len(labels) != len(ids):
        raise LabelError(
            "labels must be a mapping of id to label, or have one label for each of the "
            f"{len(ids)} rows (None for no label), got {type(labels).__name__}. Nothing was stored."
        )
    return zip(ids, labels, strict=True)
