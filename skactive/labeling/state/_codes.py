"""Codes: numbers that stand for rows, annotators and labels in the columns of a session's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skactive.labeling.state._events import Ident, Label

__all__ = ["LabelCodes", "RowCodes", "get_classes", "replace_class"]


class RowCodes:
    """Rows by number: those of the pool by their position, then others as they appear.

    Parameters
    ----------
    ids : sequence of str or int, default=()
        Ids of the rows of the pool.
    positions : mapping, default=None
        Their positions, if a mapping exists already; it is not copied.

    Attributes
    ----------
    other_ids : list of str or int
        Ids of the rows that are not of the pool.
    """

    def __init__(
        self, ids: Sequence[Ident] = (), positions: Mapping[Ident, int] | None = None
    ) -> None:
        self._ids = ids
        self._positions = {i: n for n, i in enumerate(ids)} if positions is None else positions
        self.other_ids: list[Ident] = []
        self._others: dict[Ident, int] = {}

    @property
    def n_pool(self) -> int:
        """Number of rows in the pool."""
        return len(self._ids)

    def __len__(self) -> int:
        return len(self._ids) + len(self.other_ids)

    def find(self, item: Ident) -> int | None:
        """Return the number of a row; None if it has none."""
        code = self._positions.get(item)
        return self._others.get(item) if code is None else code

    def add(self, item: Any) -> int:
        """Return the number of a row; a new one gets the next number."""
        if type(item) is str and (code := self._positions.get(item)) is not None:
            return code  # most rows, without further checks
        if isinstance(item, bool) or not isinstance(item, str | int):
            raise TypeError(f"the row {item!r} is neither a string nor an integer")
        code = self.find(item)
        if code is None:
            code = self._others[item] = len(self)
            self.other_ids.append(item)
        return code

    def __getitem__(self, code: int) -> Ident:
        n_pool = len(self._ids)
        return self._ids[code] if code < n_pool else self.other_ids[code - n_pool]


class LabelCodes:
    """Labels by number. Equal labels have one number."""

    def __init__(self, labels: Iterable[Label] = ()) -> None:
        self._labels: list[Label] = []
        self._codes: dict[Any, int] = {}
        for label in labels:
            self.add(label)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, code: int) -> Label:
        return self._labels[code]

    def find(self, label: Any) -> int | None:
        """Return the number of a label; None if it has none."""
        return self._codes.get(_to_key(label))

    def add(self, label: Any) -> int:
        """Return the number of a label; a new one gets the next number."""
        key = _to_key(label)
        code = self._codes.get(key)
        if code is None:
            for part in get_classes(label):
                if not isinstance(part, str | int | float):
                    raise TypeError(f"the label {label!r} is not a string, a number or a boolean")
            code = self._codes[key] = len(self._labels)
            self._labels.append(label)
        return code

    def to_list(self) -> list[Label]:
        """Return all labels, by number."""
        return list(self._labels)

    def rename(self, old: Label, new: Label) -> dict[int, int]:
        """Return the new number of each label that contains the class `old`, now called `new`."""
        renamed = {}
        for code, label in enumerate(self.to_list()):
            if old in get_classes(label):
                renamed[code] = self.add(replace_class(label, old, new))
        return renamed


def _to_key(label: Any) -> Any:
    return tuple(label) if isinstance(label, list) else label


def get_classes(label: Label) -> Sequence[Any]:
    """Return the classes of a label: itself, or those of its list."""
    return label if isinstance(label, list) else [label]


def replace_class(label: Label, old: Label, new: Label) -> Label:
    """Return a label in which a class has a new name; a list is sorted, without repetitions."""
    if isinstance(label, list):
        parts: set[Any] = {new if part == old else part for part in label}
        return sorted(parts)
    return new if label == old else label
