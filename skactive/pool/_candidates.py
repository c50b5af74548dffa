"""Which elements of a pool a query may choose from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import to_numbers
from skactive.pool._element_forms import to_values
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
    if not all(kind in {bool, np.bool_} for kind in _list_types(is_known)):
        raise TypeError(
            f"known must be True or False for each element, got {is_known.dtype}: of labels with "
            "NaN for unknown ones, pass ~numpy.isnan(Y); of 0 and 1, arrays of bool."
        )
    return elements.take(np.flatnonzero(~is_known.astype(bool)))


def _list_types(values: NDArray[Any]) -> set[type]:
    """Return the types of values; those of an empty list are of no type."""
    if values.dtype.kind == "O":
        return set(map(type, values))
    return {values.dtype.type} if values.size else set()


def check_element_costs(costs: Any, offsets: Positions) -> Floats:
    """Return the costs of elements, (n_elements,), after checking them."""
    values = to_numbers("costs", match_elements(costs, offsets, "costs")).astype(np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError("costs must be positive, finite numbers, one per element.")
    return values


def match_elements(values: Any, offsets: Positions, name: str) -> NDArray[Any]:
    """Return one value per element, after checking that their numbers agree in each row."""
    rows = to_values(name, values, len(offsets) - 1)
    if not np.array_equal(rows.offsets, offsets):
        row = int(np.argmax(rows.lengths != np.diff(offsets)))
        raise ValueError(
            f"{name} has {rows.lengths[row]} entries for row {row}, which has "
            f"{np.diff(offsets)[row]} elements; expected one for each."
        )
    return rows.values
