"""Arrays and data sets of xarray, whose first dimension counts the rows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from skactive._utils.array_types import Positions
from skactive._utils.row_kinds.arrays import find_run
from skactive._utils.stored_rows import RowSource

__all__ = ["DataArraySource", "DatasetSource", "list_kinds"]


class DataArraySource(RowSource):
    """An array of xarray: rows along its first dimension, read into an array of NumPy."""

    def take(self, positions: Positions) -> Any:
        run = find_run(positions)
        return self.rows[positions if run is None else run].to_numpy()


class DatasetSource(RowSource):
    """A data set of xarray: variables of one dimension become a pandas frame, others inputs.

    All variables must have the same first dimension.
    """

    def __init__(self, rows: Any) -> None:
        super().__init__(rows)
        variables = rows.data_vars.values()
        dims = list(dict.fromkeys(v.dims[0] if v.dims else None for v in variables))
        if len(dims) != 1 or dims[0] is None:
            raise ValueError(
                "The variables of an xarray.Dataset must all have the same first dimension, which "
                f"counts the rows; got {dims}: choose them, X[[names]], or transpose them."
            )
        self._dim = dims[0]

    def count(self) -> int:
        return int(self.rows.sizes[self._dim])

    def take(self, positions: Positions) -> Any:
        run = find_run(positions)
        taken = self.rows.isel({self._dim: positions if run is None else run})
        columns = {str(name): variable.to_numpy() for name, variable in taken.data_vars.items()}
        if any(values.ndim > 1 for values in columns.values()):
            return columns
        return sys.modules["pandas"].DataFrame(columns)  # which the library imports


def list_kinds(library: str) -> list[tuple[type, Callable[[Any], RowSource | None]]]:
    """List the kinds of containers of a library that is imported, and what opens them."""
    xarray = sys.modules[library]
    return [(xarray.DataArray, DataArraySource), (xarray.Dataset, DatasetSource)]
