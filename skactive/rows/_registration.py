"""Registration of containers of rows that skactive does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skactive._utils.array_types import Positions
from skactive._utils.stored_rows import FunctionSource, register_source

__all__ = ["register_rows"]


def register_rows(
    kind: type,
    *,
    take: Callable[[Any, Positions], Any],
    count: Callable[[Any], int] = len,
    join: Callable[[Any, Any], Any] | None = None,
    digest: Callable[[Any, Positions], Any] | None = None,
    to_model: Callable[[Any], Any] | None = None,
) -> None:
    """Register a kind of container, whose rows learners then read when they need them.

    Queries, simulations, comparisons and sessions read such a container block by block, as much as
    fits in scikit-learn's ``working_memory``, and collect labeled rows into memory.

    Parameters
    ----------
    kind : type
        The class of the containers; its subclasses are included. A class that was registered before
        gets the new operations.
    take : callable
        ``take(rows, positions)`` reads the rows at ascending, distinct positions, an ndarray of
        shape (n,), into memory. If it returns rows of this kind again, it must take these at
        positions in any order, also several times.
    count : callable, default=len
        ``count(rows)`` returns the number of rows.
    join : callable, default=None
        ``join(first, second)`` puts rows on top of each other, if what `take` and `to_model` return
        is itself of this kind. None: they return arrays, sparse matrices, frames, tables, tensors,
        lists or dicts of these.
    digest : callable, default=None
        ``digest(rows, positions)`` returns an integer per row, shape (n,), that is the same in
        every process and changes with the row: sessions recognize their pool by it. None: the rows
        are read, and their contents hashed.
    to_model : callable, default=None
        ``to_model(taken)`` converts what `take` returned to what models take. None: it is that.

    Raises
    ------
    TypeError
        If `kind` is not a class, or an operation is not callable.

    See Also
    --------
    LoadedRows : Paths, or anything else that a function loads row by row.

    Notes
    -----
    Sources that are known without registration: large memory maps of NumPy, arrays of zarr, h5py,
    dask and xarray, data sets of pyarrow (folders of parquet files), lazy frames of polars, frames
    of dask, and data sets of xarray, Hugging Face and torch. The row at a position must be the same
    whenever it is read, in all processes of a comparison.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.rows import register_rows
    >>> from skactive.strategies import Margin
    >>> class Shards:
    ...     def __init__(self, paths, n_per_shard):
    ...         self.paths, self.n_per_shard = paths, n_per_shard
    ...     def read(self, i):  # a file in practice
    ...         return np.random.RandomState(i).normal(size=(self.n_per_shard, 2))
    >>> def take(shards, positions):
    ...     owner, place = np.divmod(positions, shards.n_per_shard)
    ...     parts = [shards.read(i)[place[owner == i]] for i in np.unique(owner)]
    ...     return np.concatenate(parts) if parts else np.empty((0, 2))
    >>> register_rows(Shards, take=take, count=lambda s: len(s.paths) * s.n_per_shard)
    >>> pool = Shards(["a", "b", "c"], 100)
    >>> learner = ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    >>> learner = learner.fit([[-1.0, 0.0], [1.0, 0.0]], [0, 1])
    >>> len(learner.query(pool, batch_size=5))
    5
    """
    if not isinstance(kind, type):
        raise TypeError(f"kind must be a class, got {kind!r}: pass type(rows).")
    operations = {"count": count, "take": take, "join": join, "digest": digest}
    for name, operation in {**operations, "to_model": to_model}.items():
        is_optional = name in {"join", "digest", "to_model"} and operation is None
        if not (callable(operation) or is_optional):
            raise TypeError(
                f"{name} must be a function{'' if name in {'count', 'take'} else ' or None'}, got "
                f"{operation!r}."
            )
    register_source(
        kind, lambda rows: FunctionSource(rows, count, take, digest, to_model), join=join
    )
