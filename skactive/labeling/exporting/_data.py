"""Columns of the data beside which answers are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from skactive._utils.rows import are_stored, collect_rows, n_rows, sample_row, take_rows
from skactive._utils.stored_rows import StoredRows
from skactive.labeling.exporting._content import Columns
from skactive.labeling.exporting._values import Cleaner

__all__ = ["find_text_column", "read_data", "read_pool"]

_TEXT_COLUMN = "text"  # name of the column, if the pool is a list of texts


def read_data(data: Any, n: int) -> Columns:
    """Return columns that a user passes.

    Parameters
    ----------
    data : mapping of str to sequence, or DataFrame
        The columns, in the order of the pool.
    n : int
        Number of rows of the pool.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a column has another length.
    """
    if not _is_frame(data) and not isinstance(data, Mapping):
        raise TypeError(
            "data must be a mapping of column name to list, or a DataFrame, with the rows in the "
            f"order of the pool; got {type(data).__name__}."
        )
    columns = _name_apart(_iterate_columns(data))
    for name, values in columns.items():
        if len(values) != n:
            raise ValueError(
                f"data must have one value for each of the {n} rows of the pool, but its column "
                f"{name!r} has {len(values)}."
            )
    return columns


def read_pool(X: Any) -> Columns:
    """Return the columns of a pool that is a frame, or rows of texts, files or mappings.

    Of rows that are not in memory, all are read if they have such columns.
    """
    if isinstance(X, StoredRows) and (names := X.source.names) is not None:
        return {"file": list(take_rows(names, X.list_positions()))}
    if are_stored(X):
        return read_pool(collect_rows(X)) if read_pool(sample_row(X)) else {}
    if _is_frame(X):
        return _name_apart(_iterate_columns(X))
    if isinstance(X, list | tuple) or (hasattr(X, "tolist") and len(getattr(X, "shape", ())) == 1):
        rows = _to_list(X)
        if all(isinstance(row, str) for row in rows):
            return {_TEXT_COLUMN: rows}
        if all(isinstance(row, str | PurePath) for row in rows):
            return {"file": rows}
        if all(isinstance(row, Mapping) for row in rows):
            names = dict.fromkeys(name for row in rows for name in row)
            return _name_apart((name, [row.get(name) for row in rows]) for name in names)
    return {}


def find_text_column(columns: Columns, X: Any) -> str | None:
    """Return the name of the column that holds the texts of the pool; None if there is none."""
    texts = read_pool(X).get(_TEXT_COLUMN) if n_rows(X) and not _is_frame(sample_row(X)) else None
    return next((name for name, values in columns.items() if values == texts), None)


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and len(getattr(X, "shape", ())) == 2


def _iterate_columns(data: Any) -> Iterable[tuple[Any, list[Any]]]:
    """Return pairs of name and values; pandas allows several columns of one name."""
    if hasattr(data, "iloc"):
        return ((name, data.iloc[:, i].tolist()) for i, name in enumerate(data.columns))
    if hasattr(data, "to_dict") and _is_frame(data):  # polars
        return ((name, data[name].to_list()) for name in data.columns)
    return ((name, _to_list(values)) for name, values in data.items())


def _to_list(values: Any) -> list[Any]:
    for method in ("tolist", "to_list"):  # arrays and pandas; polars
        if hasattr(values, method):
            listed = getattr(values, method)()
            return listed if isinstance(listed, list) else [listed]
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(f"A column of data must be a list, got {type(values).__name__}.")
    return list(values)


def _name_apart(columns: Iterable[tuple[Any, list[Any]]]) -> Columns:
    """Return columns by names that are texts, no two of them the same."""
    named: Columns = {}
    clean = Cleaner().clean
    for name, values in columns:
        text, n = clean(str(name)), 2
        new = text
        while new in named:
            new, n = f"{text}_{n}", n + 1
        named[new] = values
    return named
