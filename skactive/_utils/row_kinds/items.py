"""Data sets of torch, whose rows are items."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from skactive._utils.array_types import Positions
from skactive._utils.row_items import stack_items
from skactive._utils.stored_rows import RowSource

__all__ = ["ItemSource", "list_kinds"]


class ItemSource(RowSource):
    """A data set of torch: its items are rows, or pairs of a row and its label.

    Rows of one shape are stacked to an array, and dicts to a dict of arrays.
    """

    def take(self, positions: Positions) -> Any:
        items = (_find_row(self.rows[position]) for position in positions.tolist())
        return stack_items(items, len(positions))


def _find_row(item: Any) -> Any:
    """Return the row of an item: the first of a pair."""
    if not isinstance(item, tuple):
        return item
    if len(item) > 2:
        raise TypeError(
            f"An item of a torch data set has {len(item)} parts: expected a row, or a pair of a "
            "row and its label. Return several inputs as a dict, with the names that the model "
            "gives them."
        )
    return item[0]


def _open_dataset(rows: Any) -> RowSource:
    if not (hasattr(rows, "__len__") and hasattr(type(rows), "__getitem__")) or isinstance(
        rows, sys.modules["torch"].utils.data.IterableDataset
    ):
        raise TypeError(
            f"{type(rows).__name__} is a torch data set whose rows have no positions: pass one "
            "with __getitem__ and __len__."
        )
    return ItemSource(rows)


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    data = sys.modules.get("torch.utils.data")
    return [] if data is None else [(data.Dataset, _open_dataset)]
