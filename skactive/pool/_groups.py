"""Groups of elements, such as the regions that pixels form, as a pool of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.ragged import Ragged, offsets_of
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool._element_forms import to_values
from skactive.pool._elements import ElementView

__all__ = ["GroupView"]

# Of these the mean over a group is one, too; a prediction is a class.
_AVERAGED = frozenset({"embedding", "prediction_samples", "proba", "proba_samples", "std"})


class GroupView(ElementView):
    """Groups of elements: see :meth:`ElementView.grouped`."""

    def __init__(self, members: ElementView, partition: Ragged) -> None:
        super().__init__(members.rows)
        self.members, self.partition = members, partition

    def provides(self, reading: str) -> bool:
        return reading in _AVERAGED and self.members.provides(reading)

    @property
    def labeled(self) -> None:
        """None: groups of the labeled rows are not known."""
        return None

    def element_blocks(
        self, needs: frozenset[str] = frozenset()
    ) -> Iterator[tuple[ElementView, Positions]]:
        """Yield the elements of a few rows at a time, group after group, with their offsets."""
        if self._rank is not None:
            raise CapabilityError("Aggregate needs all groups of the rows, not a part of them.")
        for block in self.row_blocks():
            assert isinstance(block, GroupView)
            block.members._preload(needs)
            order, offsets = block._sort_members()
            yield block.members.take(order), offsets

    def average_members(self, values: Floats) -> Floats:
        whole = self._whole
        assert isinstance(whole, GroupView)
        return whole._average(Ragged(values, whole.members.offsets)).values

    def _of_rows(self, rows: Positions | slice) -> ElementView:
        return GroupView(self.members._of_rows(rows), self.partition.take(rows))

    def _find_offsets(self) -> Positions:
        numbers = (np.unique(self.partition[i]) for i in range(len(self.partition)))
        return offsets_of([int((each >= 0).sum()) for each in numbers])

    def _sort_members(self) -> tuple[Positions, Positions]:
        """Return the positions of members, group after group, and the offsets of groups."""
        owner, number = self.partition.owner, self.partition.values
        order = np.lexsort((number, owner))
        order = order[number[order] >= 0]
        changes = np.diff(owner[order]) | np.diff(number[order])  # other than the one before
        starts = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(order)]])
        return order, starts if len(order) else np.zeros(1, dtype=np.intp)

    def _read_at_once(self, reading: str, n_samples: int | None) -> Ragged:
        """Average a reading over the members of each group."""
        return self._average(self.members._read_at_once(reading, n_samples))

    def _iter_ragged_draws(self, n_samples: int | None) -> Iterator[Ragged]:
        return map(self._average, self.members._iter_ragged_draws(n_samples))

    def _average(self, members: Ragged) -> Ragged:
        """Return the means over the members of each group."""
        values, axis = members.values, members.axis
        if not np.array_equal(members.offsets, self.partition.offsets):
            row = int(np.argmax(members.lengths != self.partition.lengths))
            raise InvalidReadingError(
                f"The groups have {self.partition.lengths[row]} entries for a row of "
                f"{members.lengths[row]} {self.kind}s: there must be one for each."
            )
        order, starts = self._sort_members()
        if len(starts) == 1:
            return Ragged(values.take([], axis=axis), self.offsets, axis=axis)
        sums = np.add.reduceat(values.take(order, axis=axis), starts[:-1], axis=axis)
        shape = (-1, *(1,) * (values.ndim - axis - 1))
        return Ragged(sums / np.diff(starts).reshape(shape), self.offsets, axis=axis)


def _check_partition(partition: Any, n_rows: int) -> Ragged:
    """Return a partition as a ragged array of integers, one entry per element."""
    ragged = to_values("groups", partition, n_rows)
    values: NDArray[Any] = ragged.values
    if values.dtype.kind not in "iu" and values.size:
        raise TypeError(f"Groups must be integers, got {values.dtype}.")
    return Ragged(values.astype(np.intp), ragged.offsets)


def _group(elements: ElementView, partition: Any) -> ElementView:
    return GroupView(elements, _check_partition(partition, len(elements.rows)))


ElementView._group = _group  # set here, to import in one direction
