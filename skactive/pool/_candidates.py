"""Which elements of a pool a query may choose from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.ragged import Ragged
from skactive.pool._elements import ElementView
from skactive.pool._view import PoolView

__all__ = ["check_element_costs", "match_elements", "view_elements"]


def view_elements(pool: PoolView, *, known: Any, groups: Any, costs: Any) -> ElementView:
    """Return the elements (or groups of them) that have no label, with their costs."""
    elements = pool.elements if groups is None else pool.elements.grouped(groups)
    if costs is not None:
        elements._costs = check_element_costs(costs, elements.offsets)
    if known is None:
        return elements
    is_known = match_elements(known, elements.offsets, "known")
    if is_known.dtype.kind != "b":
        raise TypeError(
            f"known must be True or False for each element, got {is_known.dtype}: of labels with "
            "NaN for unknown ones, pass ~numpy.isnan(Y)."
        )
    return elements.take(np.flatnonzero(~is_known))


def check_element_costs(costs: Any, offsets: Positions) -> Floats:
    """Return the costs of elements, (n_elements,), after checking them."""
    values = match_elements(costs, offsets, "costs").astype(np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError("costs must be positive, finite numbers, one per element.")
    return values


def match_elements(values: Any, offsets: Positions, name: str) -> NDArray[Any]:
    """Return one value per element, after checking that their numbers agree in each row."""
    rows = values if isinstance(values, Ragged) else Ragged.of([np.ravel(row) for row in values])
    n_rows = len(offsets) - 1
    if len(rows) != n_rows:
        raise ValueError(
            f"{name} is of {len(rows)} rows for a pool of {n_rows}; expected one array for each "
            "row."
        )
    if not np.array_equal(rows.offsets, offsets):
        row = int(np.argmax(rows.lengths != np.diff(offsets)))
        raise ValueError(
            f"{name} has {rows.lengths[row]} entries for row {row}, which has "
            f"{np.diff(offsets)[row]} elements; expected one for each."
        )
    return rows.values
