"""Arrays on disk whose first axis counts the rows: memory maps, h5py and zarr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
from sklearn import get_config

from skactive._utils.array_types import Positions
from skactive._utils.stored_rows import RowSource

__all__ = ["H5Source", "MemmapSource", "ZarrSource", "list_kinds"]

_LARGEST_GAP = 4  # rows between two wanted ones that are read along rather than skipped
_READ_BYTES = 2**26  # of one read


class MemmapSource(RowSource):
    """A memory map: slices of it are no copies."""

    def take(self, positions: Positions) -> Any:
        if (run := find_run(positions)) is not None:
            return np.asarray(self.rows[run])
        return np.asarray(self.rows)[positions]


class ZarrSource(RowSource):
    """A zarr array: each chunk with a wanted row is read once."""

    def count(self) -> int:
        return int(self.rows.shape[0])

    def take(self, positions: Positions) -> Any:
        run = find_run(positions)
        return np.asarray(self.rows[run] if run is not None else self.rows.oindex[positions])


class H5Source(RowSource):
    """A data set of an HDF5 file: runs of rows are read, and in other processes the file is opened.

    It reads slices far faster than lists of positions.
    """

    def count(self) -> int:
        return int(self.rows.shape[0])

    def take(self, positions: Positions) -> Any:
        row_shape = self.rows.shape[1:]
        taken = np.empty((len(positions), *row_shape), dtype=self.rows.dtype)
        n_bytes = max(1, self.rows.dtype.itemsize * int(np.prod(row_shape)))
        for run in iter_runs(positions, max(1, _READ_BYTES // n_bytes)):
            first, last = int(positions[run.start]), int(positions[run.stop - 1])
            taken[run] = self.rows[first : last + 1][positions[run] - first]
        return _decode_texts(taken)

    def __reduce__(self) -> tuple[Any, ...]:
        return _open_h5, (self.rows.file.filename, self.rows.name)


def _open_h5(path: str, name: str) -> H5Source:
    h5py = import_module("h5py")
    return H5Source(h5py.File(path, "r")[name])


def _decode_texts(taken: Any) -> Any:
    """Return texts, which HDF5 keeps as bytes, as texts."""
    if taken.dtype != object:
        return taken
    decoded = [item.decode() if isinstance(item, bytes) else item for item in taken.ravel()]
    taken.ravel()[:] = decoded
    return taken


def find_run(positions: Positions) -> slice | None:
    """Return the slice that ascending positions make up; None if some are left out."""
    n = len(positions)
    if not n:
        return slice(0, 0)
    first, last = int(positions[0]), int(positions[-1])
    return slice(first, last + 1) if last - first + 1 == n else None


def iter_runs(positions: Positions, max_length: int) -> Iterator[slice]:
    """Yield slices of ascending positions that lie close together, within `max_length` rows."""
    begin = 0
    for end in range(1, len(positions) + 1):
        if (
            end == len(positions)
            or positions[end] - positions[end - 1] > _LARGEST_GAP
            or positions[end] - positions[begin] >= max_length
        ):
            yield slice(begin, end)
            begin = end


def _open_memmap(rows: Any) -> MemmapSource | None:
    """Open a memory map; one that fits in scikit-learn's ``working_memory`` is like an array."""
    is_small = rows.nbytes <= get_config()["working_memory"] * 2**20
    return None if is_small or not rows.ndim else MemmapSource(rows)


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    if library == "numpy":
        return [(np.memmap, _open_memmap)]
    if library == "zarr":
        return [(sys.modules["zarr"].Array, ZarrSource)]
    return [(sys.modules["h5py"].Dataset, H5Source)]
