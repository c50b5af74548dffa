"""Rows that a function loads, one by one: images or sounds by their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import hash_rows
from skactive._utils.row_items import stack_items
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.stored_rows import RowSource, register_source

__all__ = ["LoadedRows"]


class LoadedRows:
    """Rows that are loaded when they are needed: paths and a function that reads one.

    A query loads each row of the pool once, block by block, so that no more rows are in memory than
    fit in scikit-learn's ``working_memory``; labeled rows stay in memory.

    Parameters
    ----------
    paths : sequence of str or path-like, or array-like of shape (n_rows,)
        One path per row, or anything else that `load` takes.
    load : callable
        ``load(path)`` returns a row: an array or list of numbers, a text, or a dict of these (the
        inputs of a model). Rows of one shape are stacked to an array.
    n_threads : int, default=1
        Number of threads that load rows.

    See Also
    --------
    register_rows : Teach skactive a container that reads several rows at once.

    Notes
    -----
    Sessions recognize their pool by the paths: files whose contents change are not noticed. Each
    query loads all rows again, so for a slow loader, save features of the rows, once, in a file
    such as ``.npy``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.rows import LoadedRows
    >>> from skactive.strategies import Margin
    >>> def load(path):  # an image by its path, in practice
    ...     return np.full(3, float(path.removesuffix(".png")))
    >>> pool = LoadedRows([f"{i}.png" for i in range(100)], load)
    >>> learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    >>> learner = learner.fit(pool[[0, 99]], [0, 1])
    >>> learner.query(pool, batch_size=2).tolist()  # between 0 and 99
    [49, 50]
    """

    def __init__(self, paths: Any, load: Callable[[Any], Any], *, n_threads: int = 1) -> None:
        if isinstance(paths, str | bytes | PathLike) or not hasattr(paths, "__len__"):
            raise TypeError(f"paths must be a list with a path for each row, got {paths!r}.")
        if not callable(load):
            raise TypeError(f"load must be a function of one path, got {load!r}.")
        if isinstance(n_threads, bool) or not isinstance(n_threads, Integral) or n_threads < 1:
            raise ValueError(f"n_threads must be an integer of at least 1, got {n_threads!r}.")
        self.paths: Any = paths
        self.load: Callable[[Any], Any] = load
        self.n_threads: int = int(n_threads)

    def __len__(self) -> int:
        return n_rows(self.paths)

    def __getitem__(self, rows: Any) -> Any:
        """Select rows: a slice, a mask or a list of positions; a single position loads the row."""
        if isinstance(rows, Integral):
            position = range(len(self))[int(rows)]  # which counts from the end too
            return self.load(next(iter(take_rows(self.paths, [position]))))
        return LoadedRows(take_rows(self.paths, rows), self.load, n_threads=self.n_threads)

    def __repr__(self) -> str:
        name = getattr(self.load, "__name__", repr(self.load))
        return f"LoadedRows(<{len(self)} paths>, {name})"


class LoadedSource(RowSource):
    """The source of `LoadedRows`, which are told apart by their paths."""

    rows: LoadedRows

    @property
    def names(self) -> Any:
        return self.rows.paths

    def take(self, positions: Positions) -> Any:
        paths = take_rows(self.rows.paths, positions)
        return stack_items(self._iter_loaded(paths), len(positions))

    def _iter_loaded(self, paths: Any) -> Iterator[Any]:
        if self.rows.n_threads == 1:
            yield from map(self._load, paths)
            return
        with ThreadPoolExecutor(self.rows.n_threads) as executor:
            paths, step = list(paths), 8 * self.rows.n_threads  # so that few rows wait
            for start in range(0, len(paths), step):
                yield from executor.map(self._load, paths[start : start + step])

    def _load(self, path: Any) -> Any:
        try:
            return self.rows.load(path)
        except Exception as error:
            error.add_note(f"while load({path!r}) read a row of LoadedRows")
            raise

    def hash_rows(self, positions: Positions) -> NDArray[np.uint64]:
        paths = take_rows(self.rows.paths, positions)
        return hash_rows([fspath(path) if isinstance(path, PathLike) else path for path in paths])


register_source(LoadedRows, LoadedSource)
