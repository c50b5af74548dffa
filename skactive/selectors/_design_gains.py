"""Gains of the first pick of an experimental design, for every row.

They are what :func:`d_optimal`, :func:`v_optimal` and :func:`bait` maximize with their first pick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skactive.selectors._engine.design_rows import DesignRows
from skactive.selectors._engine.fisher import prepare_fisher
from skactive.selectors._engine.information import (
    InverseInformation,
    VarianceReduction,
    check_trace_dims,
    clip_ridge,
)

if TYPE_CHECKING:
    from skactive._utils.array_types import Floats
    from skactive.selectors._engine.points import AnyPoints, Matrix

__all__ = ["determinant_gains", "fisher_gains", "variance_gains"]


def determinant_gains(X: AnyPoints, *, ridge: float, labeled: AnyPoints | None) -> Floats:
    """Return what each row adds to the log-determinant of the information, (n_rows,)."""
    rows = DesignRows(X)
    labeled_rows = None if labeled is None else DesignRows(labeled)
    ridge = clip_ridge(ridge, rows.squared_norms())
    inverse = InverseInformation(rows.n_dims, ridge, labeled_rows, n_additions=0)
    return np.log1p(inverse.leverages(rows))


def variance_gains(X: AnyPoints, *, ridge: float, labeled: AnyPoints | None) -> Floats:
    """Return by how much each row lowers the mean variance of predictions, (n_rows,)."""
    rows = DesignRows(X)
    check_trace_dims(rows.n_dims)
    labeled_rows = None if labeled is None else DesignRows(labeled)
    ridge = clip_ridge(ridge, rows.squared_norms())
    return np.maximum(VarianceReduction(rows, labeled_rows, ridge).gains([]), 0.0)


def fisher_gains(
    proba: NDArray[Any],
    features: Matrix,
    *,
    ridge: float,
    labeled: tuple[NDArray[Any], Matrix] | None,
    weight: float,
    average_labeled: bool,
) -> Floats:
    """Return by how much each row lowers the trace of :func:`bait`, up to a factor, (n_rows,)."""
    if proba.shape[1] == 1:  # labels of one class carry no information
        return np.zeros(len(proba))
    state = prepare_fisher(
        proba, features, ridge, labeled, weight=weight, average_labeled=average_labeled
    )
    return np.maximum(state.exact_gains(), 0.0)
