"""Kernel bandwidths learned from the rows, one per row."""

from __future__ import annotations

import math

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.public_input import check_input
from skactive.selectors._engine.points import (
    Matrix,
    PointSet,
    canonical,
    distances_from_products,
    products,
    round_to_bits,
    slices,
    squared_norms,
)

__all__ = ["effective_bandwidth"]

_DISTANCE_BYTES = 2**20  # size of a block of distances
_MAX_STEPS, _STEP_TOLERANCE = 100, 1e-9  # of Newton's method, on logarithms of squared lengths
_LENGTH_BITS = 24  # bits of a length that are kept


@check_input()
def effective_bandwidth(X: Matrix, n_chosen: float, *, at: Matrix | None = None) -> Floats:
    r"""Return the bandwidths at which `n_chosen` rows, anywhere, would just share the pool.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points: the pool, or rows drawn uniformly from it; a thousand are enough.
    n_chosen : float
        Number of rows that share the pool: those labeled, and the batch. Fewer than 2 count as 2:
        no row covers the whole pool by itself.
    at : ndarray or sparse matrix of shape (n_at, n_dims), default=None
        The points whose bandwidths are returned; None takes those of ``X``.

    Returns
    -------
    ndarray of shape (n_at,)
        The bandwidths :math:`\sigma_j`; 1 if all rows coincide.

    Notes
    -----
    Each solves, over the points that do not coincide with :math:`z_j`,

    .. math:: \operatorname{mean}_i \exp(-\lVert z_i - z_j \rVert^2 / \sigma_j^2)
        = \frac{1}{n_{\text{chosen}}}

    The mean is the share of the pool that a row covers. So all rows cover the same share: those in
    dense regions have smaller bandwidths than isolated ones. Rows that do not overlap cover the
    whole pool together, and bandwidths shrink as the number of labels grows. Time grows with
    n_rows x n_at, memory with n_rows + n_at.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.selectors import effective_bandwidth
    >>> X = np.array([[0.0], [0.1], [0.2], [0.3], [9.0]])
    >>> effective_bandwidth(X, n_chosen=4).round(1)
    array([0.2, 0.1, 0.1, 0.2, 7.5])
    """
    pool = PointSet(X)
    points = canonical(X if at is None else at)
    lengths = np.full(points.shape[0], np.nan)
    for block in slices(len(lengths), max(16, _DISTANCE_BYTES // (8 * max(1, pool.n_rows)))):
        squared = _distances_to_pool(pool, points[block])  # (n_block, n_rows)
        has_others = (squared > 0.0).any(axis=1)
        lengths[block][has_others] = _solve_lengths(squared[has_others], max(n_chosen, 2.0))
    usual = np.median(lengths[~np.isnan(lengths)]) if not np.isnan(lengths).all() else 1.0
    return round_to_bits(np.where(np.isnan(lengths), usual, lengths), _LENGTH_BITS)


def _distances_to_pool(pool: PointSet, points: Matrix) -> Floats:
    """Return squared distances of points to the pool's rows; exactly 0 for duplicates."""
    rows = pool.center(points)
    inner = products(rows, pool.copy_rows(np.arange(pool.n_rows)))
    return distances_from_products(inner, squared_norms(rows)[:, np.newaxis] + pool.norms)


def _solve_lengths(squared: Floats, n_chosen: float) -> Floats:
    """Solve for the lengths by Newton's method on logarithms, within a bracket that shrinks.

    Steps that would leave the bracket halve it instead.
    """
    distinct = squared > 0.0
    n_distinct = distinct.sum(axis=1)
    # The bracket: as if all rows were as far away as the nearest, and as if all were at the mean of
    # the squared distances (Jensen's inequality).
    low = np.log(squared.min(axis=1, where=distinct, initial=np.inf) / math.log(n_chosen))
    high = np.log(squared.sum(axis=1) / n_distinct / math.log(n_chosen))
    logs = high.copy()  # of the squared lengths
    for _ in range(_MAX_STEPS):
        exponents = squared * np.exp(-logs)[:, np.newaxis]
        terms = np.where(distinct, np.exp(-exponents), 0.0)
        total = terms.sum(axis=1)
        slope = np.einsum("ij,ij->i", exponents, terms) / total
        excess = np.log(total / n_distinct * n_chosen)
        low, high = np.where(excess < 0, logs, low), np.where(excess > 0, logs, high)
        step = logs - excess / slope
        step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done, logs = np.abs(step - logs).max(initial=0.0) <= _STEP_TOLERANCE, step
        if done:
            break
    return np.exp(logs / 2)
