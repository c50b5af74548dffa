"""AnswerTable: all answers of a session as columns of numbers, some 30 bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from zlib import crc32

import numpy as np

__all__ = ["SKIPPED", "UNKNOWN", "AnswerTable"]

SKIPPED, UNKNOWN = -1, -2  # in place of the code of a label
_NONE = -1
_ROOM = 16  # by which columns grow at least


class AnswerTable:
    """Answers by number, in the order of the store, linked by row and by annotator.

    Attributes
    ----------
    position : array of int64
        Position of each answer in the store.
    row, annotator, label : array of int32
        Codes of its row, its annotator and its label; SKIPPED or UNKNOWN without a label.
    """

    def __init__(self) -> None:
        self.position = array("q")
        self.row, self.annotator, self.label = array("i"), array("i"), array("i")
        self._id = array("I")  # checksum of the id, to find an answer among those about one row
        self._undone = array("b")
        self._before = array("i")  # the answer before about the same row
        self._before_by = array("i")  # the answer before by the same annotator
        self._last = array("i")  # by row
        self._last_by = array("i")  # by annotator

    def __len__(self) -> int:
        return len(self.position)

    def add(self, answer_id: str, position: int, row: int, annotator: int, label: int) -> int:
        """Add an answer, and return its number."""
        number = len(self.position)
        self.position.append(position)
        self.row.append(row)
        self.annotator.append(annotator)
        self.label.append(label)
        self._id.append(crc32(answer_id.encode()))
        self._undone.append(0)
        self._before.append(_replace(self._last, row, number))
        self._before_by.append(_replace(self._last_by, annotator, number))
        return number

    def find(self, answer_id: str, row: int) -> int | None:
        """Return the number of an answer about a row that is not undone; None if there is none."""
        checksum = crc32(answer_id.encode())
        return next(
            (number for number in self.iter_about(row) if self._id[number] == checksum), None
        )

    def undo(self, number: int) -> None:
        """Mark an answer as undone."""
        self._undone[number] = 1

    def has_any(self, row: int) -> bool:
        """Return whether there is an answer about a row, undone or not."""
        return row < len(self._last) and self._last[row] != _NONE

    def iter_about(self, row: int, *, undone: bool = False) -> Iterator[int]:
        """Yield the answers about a row, latest first; the undone ones too if asked for."""
        number = self._last[row] if row < len(self._last) else _NONE
        while number != _NONE:
            if undone or not self._undone[number]:
                yield number
            number = self._before[number]

    def iter_by(self, annotator: int) -> Iterator[int]:
        """Yield the answers of an annotator that are not undone, latest first."""
        number = self._last_by[annotator] if annotator < len(self._last_by) else _NONE
        while number != _NONE:
            if not self._undone[number]:
                yield number
            number = self._before_by[number]

    def iter_current(self, row: int) -> Iterator[int]:
        """Yield the last answer of each annotator about a row, latest first."""
        seen = set()
        for number in self.iter_about(row):
            if self.annotator[number] not in seen:
                seen.add(self.annotator[number])
                yield number

    def iter_latest(self, before: int | None) -> Iterator[int]:
        """Yield the latest answer about each row, latest first: those before a position."""
        end = len(self) if before is None else bisect_left(self.position, before)
        for number in reversed(range(end)):
            if next(self.iter_about(self.row[number]), None) == number:
                yield number

    def iter_differing(self, before: int | None) -> Iterator[int]:
        """Yield those of `iter_latest` about rows whose labels are not all the same."""
        end = len(self) if before is None else bisect_left(self.position, before)
        latest = (next(self.iter_about(row), end) for row in self._list_changed_rows())
        for number in sorted((n for n in latest if n < end), reverse=True):
            labels = {self.label[other] for other in self.iter_current(self.row[number])}
            if len(labels - {SKIPPED, UNKNOWN}) > 1:
                yield number

    def _list_changed_rows(self) -> list[int]:
        """Return the rows with an answer unlike the one before; in all others nobody differs."""
        previous, label = np.asarray(self._before), np.asarray(self.label)
        changed = (previous != _NONE) & (label != label[previous])
        return np.unique(np.asarray(self.row)[changed]).tolist()

    def is_current(self, number: int) -> bool:
        """Return whether an answer is the last one of its annotator about its row."""
        by, about = self.annotator[number], self.iter_about(self.row[number])
        return next(other for other in about if self.annotator[other] == by) == number

    def list_current(self) -> list[int]:
        """Return the last answers per row and annotator, in order."""
        return sorted(n for row in range(len(self._last)) for n in self.iter_current(row))

    def check(self, n_rows: int, n_annotators: int, n_labels: int) -> None:
        """Raise an error if columns do not fit together."""
        n = len(self.position)
        number = np.arange(n)
        limits = (
            (self.row, 0, n_rows),
            (self.annotator, 0, n_annotators),
            (self.label, UNKNOWN, n_labels),
            (self._before, _NONE, number),
            (self._before_by, _NONE, number),
            (self._last, _NONE, n),
            (self._last_by, _NONE, n),
        )
        per_answer = (*self.__dict__.values(),)[:-2]
        is_right = all(len(column) == n for column in per_answer) and all(
            np.all((lowest <= np.asarray(column)) & (np.asarray(column) < limit))
            for column, lowest, limit in limits
        )
        if not is_right or len(self._last) > max(n_rows, 1) + _ROOM:
            raise ValueError("its answers do not fit together")

    def columns(self) -> list[array[int]]:
        """Return all columns, to save them and to fill those of an empty table."""
        return list(self.__dict__.values())

    def replace_labels(self, codes: dict[int, int]) -> None:
        """Replace codes of labels by others."""
        label = np.frombuffer(self.label, dtype=np.int32) if self.label else np.empty(0)
        for old, new in codes.items():
            label[label == old] = new


def _replace(column: array[int], index: int, value: int) -> int:
    """Set a value of a column, which grows if necessary, and return the value before."""
    while len(column) <= index:
        column.extend(array(column.typecode, [_NONE]) * max(_ROOM, index + 1 - len(column)))
    before, column[index] = column[index], value
    return before
