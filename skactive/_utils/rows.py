"""Count, take and join the rows of any container that scikit-learn or skorch accepts.

`take_rows` and `collect_rows` return rows in memory, as models take them. `select_rows` chooses
rows of a pool: those of containers that are not in memory stay where they are (`stored_rows`).

Containers are arrays of any dimension, sparse matrices, pandas and polars frames and series,
pyarrow tables, lists and tuples (of texts, say) and torch tensors; also dicts and lists of these,
the inputs of one model (see `inputs`). None of these libraries is imported here: a program that
passes one of their objects has imported it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn import get_config

from skactive._utils.compat import safe_indexing
from skactive._utils.inputs import has_several_inputs, list_inputs, map_inputs
from skactive._utils.stored_rows import StoredRows, find_join, open_rows

__all__ = [
    "are_stored",
    "collect_rows",
    "column_names",
    "is_from",
    "iter_blocks",
    "join_rows",
    "n_rows",
    "row_shape",
    "row_size",
    "sample_row",
    "select_rows",
    "take_rows",
    "type_name",
]


def n_rows(X: Any) -> int:
    """Count the rows of `X`."""
    if isinstance(X := open_rows(X), StoredRows):
        return len(X)
    if has_several_inputs(X):
        return max((n_rows(value) for _, value in list_inputs(X)), default=0)
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape and isinstance(shape[0], Integral) else len(X)


def row_shape(X: Any) -> tuple[int, ...] | None:
    """Return the shape of one row of `X`, or None if rows have none (texts, several inputs)."""
    X = sample_row(X)
    shape = None if has_several_inputs(X) else getattr(X, "shape", None)
    return None if shape is None else tuple(int(length) for length in shape[1:])


def row_size(X: Any) -> int:
    """Count the numbers in one row of `X`; 1 if that is not known."""
    X = sample_row(X)
    if has_several_inputs(X):
        return sum(row_size(value) for _, value in list_inputs(X))
    return math.prod(row_shape(X) or ())


def column_names(X: Any) -> list[Any] | None:
    """List the names of the columns of a frame, a table or a structured array; else None."""
    X = sample_row(X)
    if is_from("pyarrow", X):
        return list(X.schema.names) if hasattr(X, "schema") else None
    if hasattr(X, "columns"):
        return list(X.columns)
    names = getattr(getattr(X, "dtype", None), "names", None)
    return None if names is None else list(names)


def take_rows(X: Any, rows: Any) -> Any:
    """Take `rows` (positions or a slice) of `X` into memory, in a container of the same kind.

    Rows of containers that models do not take come in one that they take.
    """
    if isinstance(X := open_rows(X), StoredRows):
        return collect_rows(_select_stored(X, rows))
    if has_several_inputs(X):
        return map_inputs(lambda value: take_rows(value, rows), X)
    if isinstance(X, np.ndarray | list | tuple) or sp.issparse(X) or hasattr(X, "iloc"):
        return safe_indexing(X, rows)
    for library, take in _TAKES.items():
        if is_from(library, X):
            return take(X, rows)
    return _take_lazily(X, rows) if hasattr(X, "shape") else [X[i] for i in _list_rows(X, rows)]


def select_rows(X: Any, rows: Any) -> Any:
    """Select `rows` (positions or a slice) of `X`; those that are not in memory are not read."""
    if isinstance(X := open_rows(X), StoredRows):
        return _select_stored(X, rows)
    if are_stored(X):  # several inputs
        return map_inputs(lambda value: select_rows(value, rows), X)
    return take_rows(X, rows)


def _select_stored(X: StoredRows, rows: Any) -> StoredRows:
    if isinstance(rows, slice):
        return X.select(rows)
    rows = np.asarray(rows)
    return X.select(np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp))


def are_stored(X: Any) -> bool:
    """Return whether the rows, or some inputs of them, are not in memory as models take them."""
    if isinstance(open_rows(X), StoredRows):
        return True
    return has_several_inputs(X) and any(are_stored(value) for _, value in list_inputs(X))


def collect_rows(X: Any) -> Any:
    """Return the rows in memory, as models take them: `X` itself if they are."""
    if not are_stored(X):
        return X
    if not isinstance(X := open_rows(X), StoredRows):
        return map_inputs(collect_rows, X)
    if not len(X) and X.source.count():  # none of what all rows are like
        return take_rows(X.source.read_first(), slice(0, 0))
    taken, places = X.read()
    if places is None:
        return taken
    # Rows in memory of a registered kind are taken by what was registered, in any order.
    again = open_rows(taken)
    return again.source.take(places) if again is not taken else take_rows(taken, places)


def sample_row(X: Any) -> Any:
    """Return the first row in memory, of rows that are not; others unchanged, with all rows."""
    if isinstance(X := open_rows(X), StoredRows):
        return X.source.read_first()
    return map_inputs(sample_row, X) if are_stored(X) else X


def iter_blocks(X: Any) -> Iterator[Any]:
    """Yield consecutive rows in memory, as many at a time as fit in ``working_memory`` four times.

    Models and their transformers copy what they are given.
    """
    n = n_rows(X)
    length = max(1, int(get_config()["working_memory"] * 2**20 / (32 * max(1, row_size(X)))))
    for start in range(0, n, length):
        yield take_rows(X, slice(start, min(start + length, n)))


def _take_arrow(X: Any, rows: Any) -> Any:
    """Take rows of a pyarrow table, record batch or array."""
    return X.take(sys.modules["pyarrow"].array(_list_rows(X, rows), type="int64"))


def _take_pandas(X: Any, rows: Any) -> Any:
    """Take items of a pandas index or extension array, which have no `iloc`."""
    return X[rows if isinstance(rows, slice) else np.asarray(rows, dtype=np.intp)]


def _take_tensor(X: Any, rows: Any) -> Any:
    """Take rows of a tensor; those of a sparse one can only be selected by coordinates."""
    torch = sys.modules["torch"]
    if X.layout == torch.strided:
        return safe_indexing(X, rows)
    positions = torch.as_tensor(_list_rows(X, rows), dtype=torch.int64, device=X.device)
    return X.to_sparse_coo().index_select(0, positions)


def _join_tensors(torch: Any, first: Any, second: Any) -> Any:
    """Concatenate tensors; sparse ones by coordinates."""
    if any(X.layout != torch.strided for X in (first, second)):
        first, second = first.to_sparse_coo(), second.to_sparse_coo()
    return torch.cat([first, second])


def _take_lazily(X: Any, rows: Any) -> Any:
    """Take rows of a data set on disk: such sets often take ascending positions only, each once."""
    if isinstance(rows, slice) and (rows.step or 1) > 0:
        return X[rows]
    distinct, places = np.unique(_list_rows(X, rows), return_inverse=True)
    return X[distinct][places] if len(distinct) else X[:0]


def _list_rows(X: Any, rows: Any) -> list[int]:
    """List the positions of the rows that a slice, a mask or positions stand for."""
    rows = rows if isinstance(rows, slice) else np.asarray(rows)
    if not isinstance(rows, slice) and rows.dtype != bool:
        return rows.astype(np.intp).tolist()
    return [int(row) for row in np.arange(n_rows(X))[rows]]


def join_rows(first: Any, second: Any) -> Any:
    """Concatenate rows in a container of the kind of `first`, in memory."""
    first, second = collect_rows(first), collect_rows(second)
    if (join := find_join(first)) is not None and find_join(second) is join:
        return join(first, second)
    if has_several_inputs(first) and has_several_inputs(second):
        return map_inputs(join_rows, first, second)
    for library, join in _JOINS.items():
        if is_from(library, first) and is_from(library, second):
            return join(sys.modules[library], first, second)
    if any(_has_own_join(X) for X in (first, second)):
        raise TypeError(
            f"Rows in a {type_name(second)} cannot join rows in a {type_name(first)}: pass both "
            "in the same kind of container."
        )
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return [*first, *second]
    if sp.issparse(first) or sp.issparse(second):
        kind = sp.csr_matrix if isinstance(first, sp.spmatrix) else sp.csr_array
        return kind(sp.vstack([kind(first), kind(second)], format="csr"))
    if isinstance(first, np.ma.MaskedArray) or isinstance(second, np.ma.MaskedArray):
        return np.ma.concatenate([first, second])  # type: ignore[no-untyped-call]
    joined = np.concatenate([np.asarray(first), np.asarray(second)])
    return joined.view(type(first)) if isinstance(first, np.recarray) else joined


def _has_own_join(X: Any) -> bool:
    """Return whether `X` only joins its own kind: columns have names, inputs too."""
    return has_several_inputs(X) or any(is_from(lib, X) for lib in ("pandas", "polars", "pyarrow"))


def _join_pandas(pandas: Any, first: Any, second: Any) -> Any:
    """Concatenate frames, series, indexes or extension arrays."""
    if isinstance(first, pandas.Index):
        return first.append(second)
    if hasattr(first, "iloc"):
        return pandas.concat([first, second])
    return pandas.concat([pandas.Series(first), pandas.Series(second)]).array


def _join_arrow(pyarrow: Any, first: Any, second: Any) -> Any:
    """Concatenate tables, record batches or arrays of pyarrow."""
    if isinstance(first, pyarrow.Table):
        return pyarrow.concat_tables([first, second])
    if isinstance(first, pyarrow.RecordBatch):
        return pyarrow.concat_batches([first, second])
    if isinstance(first, pyarrow.ChunkedArray):
        return pyarrow.chunked_array([*first.chunks, *second.chunks], type=first.type)
    return pyarrow.concat_arrays([first, second])


def is_from(library: str, X: Any) -> bool:
    """Return whether `X` is an object of `library`, or of a subclass, without importing it."""
    return any(kind.__module__.split(".")[0] == library for kind in type(X).__mro__)


def type_name(X: Any) -> str:
    """Return the name of the type of `X`, with that of its library."""
    kind = type(X.source.rows if isinstance(X, StoredRows) else X)
    return f"{kind.__module__.split('.')[0]}.{kind.__name__}"


_TAKES: dict[str, Any] = {
    "pandas": _take_pandas,
    "polars": safe_indexing,
    "pyarrow": _take_arrow,
    "torch": _take_tensor,
}
_JOINS: dict[str, Any] = {
    "pandas": _join_pandas,
    "polars": lambda polars, first, second: polars.concat([first, second]),
    "pyarrow": _join_arrow,
    "torch": _join_tensors,
}
