"""LabelChanges: how the labels to learn from changed, to know them as they were at a position."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from skactive.labeling.state._codes import LabelCodes, RowCodes
from skactive.labeling.state._events import Ident, Label

__all__ = ["REFUSED", "UNANSWERED", "LabelChanges", "LabelSnapshot"]

UNANSWERED, REFUSED = -1, -2  # in place of the code of a label
_RENAME = -1  # in place of the code of a row


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


class LabelChanges:
    """Changes of the labels to learn from, in order, and when the next plan became due.

    Parameters
    ----------
    refit_every : int
        Number of changed labels after which a new plan is due.

    Attributes
    ----------
    due : (int, int)
        Position of the event at which the current plan became due, and number of entries up to it.
    """

    def __init__(self, refit_every: int) -> None:
        self._refit_every = refit_every
        self.row, self.label = array("i"), array("i")
        self.renames: list[dict[int, int]] = []  # by the label of an entry that renames
        self.n_changes, self.due = 0, (0, 0)

    def add(self, row: int, label: int, position: int, *, changed: bool) -> None:
        """Add the label of a row, or UNANSWERED or REFUSED."""
        self.row.append(row)
        self.label.append(label)
        if changed:
            self.n_changes += 1
            if self.n_changes % self._refit_every == 0:
                self.due = position, len(self.row)

    def add_rename(self, codes: dict[int, int], position: int) -> None:
        """Add that labels have other codes from now on; a new plan is due."""
        self.row.append(_RENAME)
        self.label.append(len(self.renames))
        self.renames.append(codes)
        self.due = position, len(self.row)

    def check(self, n_rows: int, n_labels: int) -> None:
        """Raise a ValueError if loaded entries do not fit together."""
        row, label = np.asarray(self.row), np.asarray(self.label)
        limit = np.where(row == _RENAME, len(self.renames), n_labels)
        is_right = (row >= _RENAME) & (row < n_rows) & (label >= REFUSED) & (label < limit)
        if len(row) != len(label) or not np.all(is_right) or not 0 <= self.due[1] <= len(row):
            raise ValueError("its changes of labels do not fit together")

    def make_snapshot(
        self, position: int, n_entries: int, rows: RowCodes, labels: LabelCodes
    ) -> LabelSnapshot:
        """Return the answers as they were after the first `n_entries` changes."""
        row = np.array(self.row[:n_entries], dtype=np.int64)
        label = np.array(self.label[:n_entries], dtype=np.int64)
        for entry in np.flatnonzero(row == _RENAME):
            codes = self.renames[label[entry]]
            earlier = label[:entry][row[:entry] != _RENAME]
            label[:entry][row[:entry] != _RENAME] = [codes.get(c, c) for c in earlier.tolist()]
        latest = _find_latest(row)
        values = zip(row[latest].tolist(), label[latest].tolist(), strict=True)
        known: dict[Ident, Label] = {}
        refused: set[Ident] = set()
        for row_code, code in values:
            if code >= 0:
                known[rows[row_code]] = labels[code]
            elif code == REFUSED:
                refused.add(rows[row_code])
        return LabelSnapshot(position, known, frozenset(refused))


def _find_latest(rows: np.ndarray) -> np.ndarray:
    """Return the entries that are the last ones of their rows."""
    _, from_end = np.unique(rows[::-1], return_index=True)
    entries = len(rows) - 1 - from_end
    return entries[rows[entries] != _RENAME]
