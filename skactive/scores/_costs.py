"""Scores from class probabilities and the costs of wrong decisions."""

from __future__ import annotations

from functools import partial

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.cost_matrices import check_cost_matrix, check_n_classes, expect_costs
from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import FloatArray, Scores, score_by_blocks, two_largest

__all__ = ["cost_margin", "expected_cost"]


@check_input(cost_matrix=check_cost_matrix)
def expected_cost(proba: FloatArray, cost_matrix: Floats) -> Scores:
    r"""Return what the decision of the least expected cost is expected to cost.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Costs of at least 0, rows true classes, columns decided classes.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 (nothing to lose), in the unit of the costs. With costs of 1 for each wrong
        decision they are those of :func:`least_confidence`.

    Raises
    ------
    ValueError
        If the costs are not a square of finite numbers of at least 0, or are for another number of
        classes.

    Notes
    -----
    With :math:`c_{yk}` the cost of deciding for class :math:`k` where :math:`y` is true,

    .. math:: u(x) = \min_k \sum_y p(y \mid x) \, c_{yk}

    References
    ----------
    Chen and Lin (2013), :doi:`10.1109/TAAI.2013.17`: maximum expected cost.

    Examples
    --------
    To overlook class 1 costs ten times as much as a false alarm:

    >>> import numpy as np
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.02, 0.98]])
    >>> expected_cost(proba, [[0, 1], [10, 0]]).round(2)
    array([0.9 , 0.5 , 0.02])
    """
    check_n_classes(cost_matrix, proba.shape[1])
    return score_by_blocks(lambda p: expect_costs(p, cost_matrix).min(axis=0), proba)


@check_input(cost_matrix=check_cost_matrix)
def cost_margin(proba: FloatArray, cost_matrix: Floats) -> Scores:
    r"""Return the largest cost less the gap between the two decisions of least expected cost.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Costs of at least 0, rows true classes, columns decided classes.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 to the largest cost (the two decisions tie). With costs of 1 for each wrong
        decision they are those of :func:`margin`.

    Raises
    ------
    ValueError
        If the costs are not a square of finite numbers of at least 0, or are for another number of
        classes.

    Notes
    -----
    With :math:`r_1 \le r_2` the two smallest expected costs of the row, and :math:`c` the matrix,

    .. math:: u(x) = \max_{y,k} c_{yk} - (r_2 - r_1), \qquad r_k = \sum_y p(y \mid x) \, c_{yk}

    The largest cost changes no ranking; it keeps scores from being negative.

    References
    ----------
    Chen and Lin (2013), :doi:`10.1109/TAAI.2013.17`: cost-weighted minimum margin.

    Examples
    --------
    To overlook class 1 costs ten times as much as a false alarm:

    >>> import numpy as np
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.02, 0.98]])
    >>> cost_margin(proba, [[0, 1], [10, 0]]).round(2)
    array([9.9 , 5.5 , 0.22])
    """
    check_n_classes(cost_matrix, proba.shape[1])
    return score_by_blocks(partial(_score_margin, costs=cost_matrix), proba)


def _score_margin(proba: Scores, costs: Floats) -> Scores:
    """Score rows, with their classes first, (n_classes, n_rows)."""
    gain = -expect_costs(proba, costs)
    # Rounding of sums may make the gap larger than the largest cost.
    return np.maximum(costs.max() - np.subtract(*two_largest(gain, floor=-np.inf)), 0.0)
