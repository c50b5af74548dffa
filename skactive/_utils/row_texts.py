"""Rows as texts, for models that read texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from skactive._utils.rows import column_names
from skactive._utils.values import is_missing

__all__ = ["list_texts"]


def list_texts(X: Any) -> list[str]:
    """Return rows as texts; a row of several columns has a line ``name: value`` of each.

    Raises
    ------
    ValueError, TypeError
        If a row is missing, or is neither a text, nor a dictionary, nor of a frame.
    """
    return [_write_row(row, i) for i, row in enumerate(_iterate_rows(X))]


def _iterate_rows(X: Any) -> Iterator[Any]:
    names = column_names(X)
    if names is None:
        return iter(_list_values(X))
    if len(names) == 1:
        return iter(_list_values(X[names[0]]))
    columns = [_list_values(X[name]) for name in names]
    return (dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True))


def _list_values(column: Any) -> list[Any]:
    for method in ("to_list", "to_pylist", "tolist"):  # pandas and polars; pyarrow; NumPy
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _write_row(row: Any, position: int) -> str:
    if isinstance(row, list | tuple) and len(row) == 1:
        row = row[0]  # of an array of one column
    if isinstance(row, str):
        return row.encode("utf-8", "replace").decode("utf-8")  # without halves of pairs
    if isinstance(row, Mapping):
        lines = (f"{name}: {value}" for name, value in row.items() if not is_missing(value))
        return _write_row("\n".join(lines), position)
    if is_missing(row):
        raise ValueError(f"Row {position} of X is missing ({row!r}): leave it out.")
    raise TypeError(
        f"Rows must be texts, dictionaries or rows of a frame; row {position} of X is of the type "
        f"{type(row).__name__}."
    )
