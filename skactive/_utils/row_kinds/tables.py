"""Tables that are read when needed: data sets of pyarrow (parquet folders), lazy polars frames."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.stored_rows import RowSource

__all__ = ["ArrowSource", "LazyFrameSource", "list_kinds"]

_WINDOW = 2**16  # rows of a lazy frame that are collected at a time


class ArrowSource(RowSource):
    """A data set of pyarrow: the row groups (of other formats, the files) with a wanted row.

    Rows are in the order of the files. Of a filtered data set it is not known which row group holds
    which row, so that it is read up to the last wanted row.
    """

    @cached_property
    def _n_rows(self) -> int:
        return int(self.rows.count_rows())

    @cached_property
    def _pieces(self) -> list[Any]:
        """Pieces that are read alone, in order; none of a filtered data set."""
        pieces: list[Any] = []
        try:
            fragments = list(self.rows.get_fragments())
        except ValueError:
            return pieces
        for fragment in fragments:
            can_split = hasattr(fragment, "split_by_row_group")
            pieces += fragment.split_by_row_group() if can_split else [fragment]
        return pieces

    @cached_property
    def _offsets(self) -> Positions:
        """The position of the first row of each piece, and last the number of rows."""
        return np.cumsum([0, *map(_count_rows, self._pieces)])

    def count(self) -> int:
        return self._n_rows

    def take(self, positions: Positions) -> Any:
        pyarrow = sys.modules["pyarrow"]
        if not len(positions):
            return self.rows.schema.empty_table()
        if not self._pieces:
            return self.rows.take(pyarrow.array(positions, type="int64"))
        owner = np.searchsorted(self._offsets, positions, side="right") - 1
        tables = []
        for number in np.unique(owner).tolist():
            table = self._pieces[number].to_table(schema=self.rows.schema)
            local = positions[owner == number] - self._offsets[number]
            tables.append(table.take(pyarrow.array(local, type="int64")))
        return pyarrow.concat_tables(tables)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.rows,)


def _count_rows(piece: Any) -> int:
    """Count the rows of a file, or of a row group, which counts those of its whole file itself."""
    groups = getattr(piece, "row_groups", None)
    return int(piece.count_rows() if groups is None else sum(group.num_rows for group in groups))


class LazyFrameSource(RowSource):
    """A lazy frame of polars, collected by slices: files that it scans are read in part.

    Its rows must come in the same order whenever it is collected.
    """

    @cached_property
    def _n_rows(self) -> int:
        polars = sys.modules["polars"]
        return int(self.rows.select(polars.len()).collect().item())

    def count(self) -> int:
        return self._n_rows

    def take(self, positions: Positions) -> Any:
        if not len(positions):
            return self.rows.head(0).collect()
        frames = []
        windows = positions // _WINDOW
        for window in np.unique(windows).tolist():
            inside = positions[windows == window]
            first = int(inside[0])
            frame = self.rows.slice(first, int(inside[-1]) - first + 1).collect()
            frames.append(frame[inside - first])
        return sys.modules["polars"].concat(frames)


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    if library == "polars":
        return [(sys.modules["polars"].LazyFrame, LazyFrameSource)]
    dataset = sys.modules.get("pyarrow.dataset")
    return [] if dataset is None else [(dataset.Dataset, ArrowSource)]
