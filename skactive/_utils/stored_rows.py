"""Rows that are not in memory as a model takes them: on disk, not computed yet, or to be loaded.

Each kind of container has a `RowSource`, which counts its rows and reads some of them into memory.
`StoredRows` are some rows of a source that are read when they are needed. None of the libraries is
imported here: the sources of a library are imported with the first of its objects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions

__all__ = [
    "FunctionSource",
    "RowSource",
    "StoredRows",
    "find_join",
    "open_rows",
    "register_source",
]


class RowSource(ABC):
    """Base of the sources of rows: one container, and how its rows are counted and read.

    Parameters
    ----------
    rows : container
        The container.

    Attributes
    ----------
    names : container or None
        What to show people in place of each row, such as the path that it is loaded from.
    """

    names: Any = None

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._first: Any = None  # the first row in memory, once it was read

    def count(self) -> int:
        """Count the rows."""
        return len(self.rows)

    @abstractmethod
    def take(self, positions: Positions) -> Any:
        """Read rows at ascending, distinct positions into a container that models take."""

    def hash_rows(self, positions: Positions) -> NDArray[np.uint64] | None:
        """Return a hash of each row, (n,), without reading it; None: rows are read to be hashed."""
        return None

    def read_first(self) -> Any:
        """Return the first row in memory, read once: it tells what all rows are like."""
        if self._first is None:
            self._first = self.take(np.arange(min(1, self.count()), dtype=np.intp))
        return self._first


class FunctionSource(RowSource):
    """A source of a kind that was registered by functions; see `skactive.rows.register_rows`."""

    def __init__(
        self,
        rows: Any,
        count: Callable[[Any], int],
        take: Callable[[Any, Positions], Any],
        digest: Callable[[Any, Positions], Any] | None,
        to_model: Callable[[Any], Any] | None,
    ) -> None:
        super().__init__(rows)
        self._count, self._take, self._digest, self._to_model = count, take, digest, to_model

    def count(self) -> int:
        return int(self._count(self.rows))

    def take(self, positions: Positions) -> Any:
        taken = self._take(self.rows, positions)
        return taken if self._to_model is None else self._to_model(taken)

    def hash_rows(self, positions: Positions) -> NDArray[np.uint64] | None:
        if self._digest is None:
            return None
        hashes = np.asarray(self._digest(self.rows, positions))
        if hashes.shape != (len(positions),) or hashes.dtype.kind not in "iu":
            raise ValueError(
                f"digest of {type(self.rows).__name__} must return an integer for each of "
                f"{len(positions)} rows, got {hashes.dtype} of shape {hashes.shape}."
            )
        return hashes.astype(np.uint64)


class StoredRows:
    """Some rows of a source, which are read when they are needed.

    Parameters
    ----------
    source : RowSource
        The source.
    positions : ndarray of int or range, default=None
        Positions in the source; None: all its rows.
    """

    def __init__(self, source: RowSource, positions: Positions | range | None = None) -> None:
        self.source = source
        self.is_whole = positions is None
        self._positions = range(source.count()) if positions is None else positions

    def __len__(self) -> int:
        return len(self._positions)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of a {type(self.source.rows).__name__}>"

    def select(self, rows: Positions | slice) -> StoredRows:
        """Return some of these rows, by positions or a slice among them; none is read."""
        positions = self._positions
        if isinstance(rows, slice):
            return StoredRows(self.source, positions[rows])
        rows = np.asarray(rows, dtype=np.intp)
        if isinstance(positions, range):
            return StoredRows(self.source, positions.start + positions.step * rows)
        return StoredRows(self.source, positions[rows])

    def list_positions(self) -> Positions:
        """List the positions of these rows in the source, shape (n_rows,)."""
        return np.asarray(self._positions, dtype=np.intp)

    def read(self) -> tuple[Any, Positions | None]:
        """Read the distinct rows in the order of the source; return them, and where each row is.

        The second value, (n_rows,), is None if the rows are read in their own order: sources take
        ascending positions, each once, which is what files on disk are fast at.
        """
        positions = self.list_positions()
        if len(positions) < 2 or (np.diff(positions) > 0).all():
            return self.source.take(positions), None
        distinct, places = np.unique(positions, return_inverse=True)
        return self.source.take(distinct), places


_MAKERS: dict[type, Callable[[Any], RowSource | None]] = {}
_JOINS: dict[type, Callable[[Any, Any], Any]] = {}

# Library of a container -> module of its sources, which is imported with its first object.
_LAZY_SOURCES = {
    "dask": "skactive._utils.row_kinds.dask",
    "datasets": "skactive._utils.row_kinds.huggingface",
    "h5py": "skactive._utils.row_kinds.arrays",
    "numpy": "skactive._utils.row_kinds.arrays",
    "polars": "skactive._utils.row_kinds.tables",
    "pyarrow": "skactive._utils.row_kinds.tables",
    "torch": "skactive._utils.row_kinds.items",
    "xarray": "skactive._utils.row_kinds.xarray",
    "zarr": "skactive._utils.row_kinds.arrays",
}


def register_source(
    kind: type,
    make: Callable[[Any], RowSource | None],
    join: Callable[[Any, Any], Any] | None = None,
) -> None:
    """Register how the rows of a kind of container are opened, and how two of them are joined.

    Parameters
    ----------
    kind : type
        The class of the containers; its subclasses are included.
    make : callable
        ``make(rows)`` returns the source of a container, or None if it is rows in memory.
    join : callable, default=None
        ``join(first, second)`` of two containers, where models take them as they are.
    """
    _MAKERS[kind] = make
    _JOINS.pop(kind, None)
    if join is not None:
        _JOINS[kind] = join
    find_source_maker.cache_clear()


@lru_cache(maxsize=1024)
def find_source_maker(kind: type) -> Callable[[Any], RowSource | None] | None:
    """Return what opens the rows of a class of containers; None if they are rows in memory."""
    for library in {base.__module__.split(".")[0] for base in kind.__mro__}:
        if library in _LAZY_SOURCES:
            for known, make in import_module(_LAZY_SOURCES[library]).list_kinds(library):
                _MAKERS.setdefault(known, make)
    return next((_MAKERS[base] for base in kind.__mro__ if base in _MAKERS), None)


def find_join(X: Any) -> Callable[[Any, Any], Any] | None:
    """Return what joins two containers of the kind of `X`; None if no one was registered."""
    return next((_JOINS[base] for base in type(X).__mro__ if base in _JOINS), None)


def open_rows(X: Any) -> Any:
    """Return `X` as `StoredRows` if it is of a kind that is read when needed; else unchanged."""
    make = find_source_maker(type(X))  # type: ignore[arg-type]  # classes are hashable
    source = None if make is None else make(X)
    return X if source is None else StoredRows(source)
