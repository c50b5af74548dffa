"""The classes of a session: declared, added and renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skactive.exceptions import LabelError, StoreError
from skactive.labeling._synced import SyncedState
from skactive.labeling._validation import (
    check_annotator,
    check_key,
    check_label,
    check_label_type,
    get_label_type,
)
from skactive.labeling.state._events import Event, Label, new_id

__all__ = ["SessionClasses"]


class SessionClasses:
    """The classes of a session.

    Parameters
    ----------
    declared : sequence or None
        The classes that were declared; None if every new label is a new class.
    synced : SyncedState
        State and store.
    are_numbers : bool, default=False
        Whether labels are the targets of a regressor, so that there are no classes.
    """

    def __init__(
        self, declared: Sequence[Any] | None, synced: SyncedState, *, are_numbers: bool = False
    ) -> None:
        self._synced, self.are_numbers = synced, are_numbers
        if declared is not None:
            self._check_has_classes()
        self._declared = (
            None if declared is None else [check_label(c, multilabel=False) for c in declared]
        )

    @property
    def are_declared(self) -> bool:
        """Whether only declared and added classes are accepted."""
        return self._declared is not None

    def list_all(self) -> list[Any]:
        """Return all classes: declared, then added, then all others among the labels, sorted.

        Numbers are no classes.
        """
        if self.are_numbers:
            return []
        with self._synced.latest() as state:
            first = [state.renamed.get(c, c) for c in [*(self._declared or []), *state.classes]]
            known = dict.fromkeys(first)
            return [*known, *sorted(state.count_classes().keys() - known.keys())]

    def get_label_type(self) -> str | None:
        """Return the type that all labels of the session have; None before the first label."""
        if self.are_numbers:
            return "number"
        if self._declared:
            return get_label_type(self._declared[0])
        labels = self._synced.state.count_classes()
        return next((get_label_type(label) for label in labels), None)

    def check_stored(self) -> None:
        """Check that the classes in the store are of one type, as sessions store them."""
        state = self._synced.state
        types = {get_label_type(c) for c in (*state.classes, *state.count_classes())}
        types.update(map(get_label_type, self._declared or []))
        if self.are_numbers and types - {"number"}:
            raise StoreError(
                f"The store has labels of type {', '.join(sorted(types))}, but the learner is a "
                "regressor, whose labels are numbers. Pass a classifier, or use another store."
            )
        if len(types) > 1:
            raise StoreError(
                f"The store has labels of several types ({', '.join(sorted(types))}), but the "
                "classes of a session are of one type. Pass other classes, or use another store."
            )

    def check_known(self, known: Sequence[Any]) -> None:
        """Check that the classes of the labels that the learner has are classes of the session."""
        label_type = self.get_label_type()
        for label in known:
            check_label_type(label, label_type)
            if self._declared is not None and label not in self.list_all():
                raise LabelError(
                    f"The learner is fitted to labels of the class {label!r}, which is not among "
                    f"the classes {self.list_all()!r}: add it to classes=, or pass an unfitted "
                    "learner, sklearn.base.clone(learner)."
                )

    def add(self, label: Any, key: str | None) -> None:
        """Add a class; nothing happens if it exists already."""
        self._check_has_classes()
        checked, key = check_label(label, multilabel=False), check_key(key)
        with self._synced.exclusive():
            check_label_type(checked, self.get_label_type())
            event_id = new_id() if key is None else f"class:{key}"
            self._synced.store.append([Event("class", event_id, value=checked)])

    def rename(self, old: Any, new: Any, annotator: str | None, key: str | None) -> int:
        """Rename a class, or merge it into another one; return the number of its rows."""
        self._check_has_classes()
        old, new = (check_label(c, multilabel=False) for c in (old, new))
        annotator, key = check_annotator(annotator), check_key(key)
        event_id = new_id() if key is None else f"rename:{key}"
        with self._synced.exclusive() as state:
            if self._synced.store.find_event(event_id) is not None:
                return 0
            classes: list[Label] = self.list_all()
            if old not in classes:
                raise LabelError(
                    f"{old!r} is not a class of this session, so it cannot be renamed; the classes "
                    f"are {classes!r}. Nothing was stored."
                )
            check_label_type(new, get_label_type(old))
            if old == new:
                return 0
            value = {"old": old, "new": new}
            self._synced.store.append([Event("rename", event_id, annotator=annotator, value=value)])
            return state.count_classes().get(old, 0)

    def _check_has_classes(self) -> None:
        if self.are_numbers:
            raise LabelError(
                "The labels of this session are numbers, since its learner is a regressor: leave "
                "out classes, and submit a number for each row."
            )
