"""Arrays and frames of dask, whose blocks are computed when their rows are needed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.row_kinds.arrays import find_run
from skactive._utils.stored_rows import RowSource

__all__ = ["ArraySource", "FrameSource", "list_kinds"]


class ArraySource(RowSource):
    """An array of dask: the blocks with a wanted row are computed."""

    def __init__(self, rows: Any) -> None:
        if np.isnan(rows.shape[0]):  # not known before it is computed
            rows = rows.copy().compute_chunk_sizes()
        super().__init__(rows)

    def take(self, positions: Positions) -> Any:
        run = find_run(positions)
        return self.rows[positions if run is None else run].compute()


class FrameSource(RowSource):
    """A frame of dask: the partitions with a wanted row are computed to a pandas frame."""

    @cached_property
    def _offsets(self) -> Positions:
        """The position of the first row of each partition, and last the number of rows."""
        lengths = self.rows.map_partitions(len).compute()
        return np.cumsum([0, *lengths])

    def count(self) -> int:
        return int(self._offsets[-1])

    def take(self, positions: Positions) -> Any:
        pandas = sys.modules["pandas"]
        owner = np.searchsorted(self._offsets, positions, side="right") - 1
        frames = [
            self.rows.partitions[number]
            .compute()
            .iloc[positions[owner == number] - self._offsets[number]]
            for number in np.unique(owner).tolist()
        ]
        return pandas.concat(frames) if frames else self.rows.partitions[0].compute().iloc[:0]


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    kinds: list[Any] = []
    if (array := sys.modules.get("dask.array")) is not None:
        kinds.append((array.Array, ArraySource))
    if (frame := sys.modules.get("dask.dataframe")) is not None:
        kinds += [(frame.DataFrame, FrameSource), (frame.Series, FrameSource)]
    return kinds
