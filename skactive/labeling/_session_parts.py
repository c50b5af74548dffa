"""The parts of a session that its methods share."""

from __future__ import annotations

from typing import Any

from skactive.labeling._classes import SessionClasses
from skactive.labeling._recorder import Recorder
from skactive.labeling._rounds import Rounds
from skactive.labeling._spending import SpendingMeter
from skactive.labeling._synced import SyncedState
from skactive.labeling.state._events import Ident
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._queue import Queue
from skactive.labeling.stores import LabelStore

__all__ = ["SessionParts"]


class SessionParts:
    """The attributes of a session, which ``LabelingSession`` sets.

    The methods of a session are grouped by what they do: those that hand out rows, take answers and
    read what is known stand in classes of their own, each of which has these attributes.
    """

    X: Any
    ids: list[Ident]
    multilabel: bool
    lease_seconds: float
    store: LabelStore
    audit_ids: frozenset[Ident]
    seed: int
    hooks: list[Any]
    _name: str
    _synced: SyncedState
    _classes: SessionClasses
    _leases: LiveLeases
    _queue: Queue
    _meter: SpendingMeter
    _rounds: Rounds
    _recorder: Recorder

    @property
    def positions(self) -> dict[Ident, int]:
        """Positions of the rows in the pool, by id."""
        return self._rounds.planner.positions

    @property
    def is_classifier(self) -> bool:
        """True if labels are classes, False if they are the targets of a regressor."""
        return self._rounds.planner.is_classifier

    @property
    def labels_are_numbers(self) -> bool:
        """True if a label is a number, False if it is a class or a list of classes."""
        return self._classes.are_numbers
