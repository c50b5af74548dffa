"""Parameters of ``fit``: those with one value per row go with their rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.rows import n_rows, take_rows

__all__ = [
    "FitParams",
    "can_extend_params",
    "copy_params",
    "extend_params",
    "is_per_row",
    "join_params",
    "take_params",
]

FitParams = dict[str, Any]

# Parts of the names of parameters that can only have one value per row.
_PER_ROW_NAMES = ("weight", "group", "margin", "offset", "exposure")


def is_per_row(name: str, value: Any, n: int) -> bool:
    """Return whether a fit parameter has one value for each of `n` rows.

    A list of texts that happens to be as long as the rows (names of columns, say) has not, unless
    it is called weights or groups.
    """
    if not hasattr(value, "__len__") or isinstance(value, str | dict) or n_rows(value) != n:
        return False
    return _names_rows(name) or np.asarray(value).dtype.kind not in "USO"


def copy_params(params: FitParams, n: int) -> FitParams:
    """Copy the parameters that have one value for each of `n` rows; keep the others."""
    every_row = np.arange(n)
    return params | {
        name: take_rows(value, every_row)
        for name, value in params.items()
        if is_per_row(name, value, n)
    }


def take_params(params: FitParams, n: int, rows: Positions) -> FitParams:
    """Cut the parameters that have one value for each of `n` rows to some of the rows."""
    return {
        name: take_rows(value, rows) if is_per_row(name, value, n) else value
        for name, value in params.items()
    }


def join_params(params: FitParams, n: int, new_params: FitParams, n_new: int) -> FitParams:
    """Append the values for `n_new` more rows; of the other parameters the new value wins."""
    joined = {**params, **new_params}
    for name in joined:
        is_old, is_new = (
            name in given and is_per_row(name, given[name], length)
            for given, length in ((params, n), (new_params, n_new))
        )
        if is_old and is_new:
            joined[name] = np.concatenate([np.asarray(params[name]), np.asarray(new_params[name])])
        elif is_old and _needs_every_row(name, params[name]):
            raise _make_missing_error(name, present="fit", missing="teach")
        elif is_new and _needs_every_row(name, new_params[name]):
            raise _make_missing_error(name, present="teach", missing="fit")
    return joined


def can_extend_params(params: FitParams, n: int) -> bool:
    """Return whether the parameters can be extended by one imagined row."""
    return all(
        name == "sample_weight" or not is_per_row(name, value, n) for name, value in params.items()
    )


def extend_params(params: FitParams, n: int) -> FitParams:
    """Extend the parameters that have one value for each of `n` rows by a row of weight 1."""
    return {
        name: np.append(np.asarray(value), 1.0) if is_per_row(name, value, n) else value
        for name, value in params.items()
    }


def _names_rows(name: str) -> bool:
    return any(part in name for part in _PER_ROW_NAMES)


def _needs_every_row(name: str, value: Any) -> bool:
    """Return whether a parameter as long as the rows is so by intent; a list may be by chance."""
    return _names_rows(name) or not isinstance(value, list | tuple)


def _make_missing_error(name: str, *, present: str, missing: str) -> ValueError:
    return ValueError(
        f"{name} was given to {present} with one value per row, but not to {missing}: every "
        f"labeled row needs one. Pass {name} to both."
    )
