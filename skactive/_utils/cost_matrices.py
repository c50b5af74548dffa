"""Costs of wrong decisions: their matrix, and what decisions are expected to cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.input_kinds import check_table

__all__ = ["check_cost_matrix", "check_n_classes", "expect_costs"]


def check_cost_matrix(name: str, values: Any) -> Floats:
    """Take what decisions cost, (n_classes, n_classes): rows true classes, columns decided ones."""
    costs = np.asarray(check_table(name, values), dtype=np.float64)
    if costs.shape[0] != costs.shape[1] or len(costs) < 2:
        raise ValueError(
            f"{name} must be square, with a row for each true class and a column for each decided "
            f"class, at least two: got shape {costs.shape}."
        )
    if costs.min() < 0:
        raise ValueError(
            f"{name} must hold costs of at least 0, got {costs.min():.6g}: subtract the smallest "
            "cost of each row, which changes no decision."
        )
    return costs


def check_n_classes(costs: Floats, n_classes: int) -> None:
    """Check that a matrix of costs is for so many columns of probabilities."""
    if len(costs) != n_classes:
        raise ValueError(
            f"cost_matrix must have a row and a column for each class of the probabilities: it is "
            f"for {len(costs)} classes, and these have {n_classes}. If some classes have no labels "
            "yet, declare all of them by ActiveLearner(..., classes=[...])."
        )


def expect_costs(proba: Floats, costs: Floats) -> Floats:
    """Return the expected cost of each decision.

    Parameters
    ----------
    proba : ndarray of shape (n_classes, n_rows)
        Class probabilities of some rows, the classes first.
    costs : ndarray of shape (n_classes, n_classes)
        Costs, rows true classes, columns decided ones.

    Returns
    -------
    ndarray of shape (n_classes, n_rows)
        One row per decided class. Classes are added up in order, so that a row's costs do not
        depend on the rows beside it, as those of a matrix product may.
    """
    expected = np.multiply.outer(costs[0], proba[0])
    term = np.empty_like(expected)
    for cost, p in zip(costs[1:], proba[1:], strict=True):
        expected += np.multiply.outer(cost, p, out=term)
    return expected
