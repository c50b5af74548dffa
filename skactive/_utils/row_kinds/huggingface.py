"""Data sets of Hugging Face."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.row_items import stack_items
from skactive._utils.stored_rows import RowSource

__all__ = ["DatasetSource", "list_kinds"]


class DatasetSource(RowSource):
    """A data set of Hugging Face, whose wanted rows are read from its memory-mapped table.

    One column becomes the rows themselves: an array of texts or numbers. Several columns of single
    values become a pandas frame, and others a dict of arrays, the inputs of a model.
    """

    def take(self, positions: Positions) -> Any:
        columns = self._read_columns(positions.tolist())
        if len(columns) == 1:
            return next(iter(columns.values()))
        if any(np.ndim(values) != 1 for values in columns.values()):
            return columns
        return sys.modules["pandas"].DataFrame(columns)  # which the library imports

    def _read_columns(self, positions: list[int]) -> dict[str, Any]:
        """Read the columns; those to be decoded (images), or of a format, by the library itself."""
        rows, n = self.rows, len(positions)
        features = (rows.features or {}).values()
        if rows.format["type"] is None and not any(hasattr(f, "decode_example") for f in features):
            table = rows.with_format("arrow")[positions]
            return {name: _to_column(table.column(name)) for name in table.column_names}
        return {name: stack_items(iter(values), n) for name, values in rows[positions].items()}


class ColumnSource(RowSource):
    """A column of such a data set."""

    def take(self, positions: Positions) -> Any:
        return stack_items(iter(self.rows[positions.tolist()]), len(positions))


def _to_column(values: Any) -> Any:
    """Return a column of a table as an array: texts as objects, equally long lists as a matrix."""
    from pyarrow import compute, types

    if not (types.is_list(values.type) or types.is_fixed_size_list(values.type)):
        return values.to_numpy()
    lists, n = values.combine_chunks(), len(values)
    numbers = lists.flatten()
    is_matrix = types.is_floating(numbers.type) or types.is_integer(numbers.type)
    lengths = np.unique(compute.list_value_length(lists).to_numpy(zero_copy_only=False))
    if is_matrix and len(lengths) == 1 and not lists.null_count:
        return numbers.to_numpy(zero_copy_only=False).reshape(n, -1)
    return stack_items(iter(lists.to_pylist()), n)


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    module = sys.modules.get("datasets.arrow_dataset")  # absent if another package has its name
    sources = {"Dataset": DatasetSource, "Column": ColumnSource}
    return [
        (getattr(module, name), make) for name, make in sources.items() if hasattr(module, name)
    ]
