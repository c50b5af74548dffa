"""Kernel bandwidths learned from the rows, one per row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.public_input import check_input
from skactive.selectors._engine.points import (
    DUPLICATE,
    Matrix,
    PointSet,
    canonical,
    products,
    round_to_bits,
    slices,
    squared_norms,
)

__all__ = ["effective_bandwidth"]

_DISTANCE_BYTES = 2**20  # size of a block of distances
_MAX_STEPS = 100  # of Newton's method, on logarithms of squared lengths
_START_ROWS, _START_TOLERANCE = 64, 1e-2  # of the pool, and of the solution to start from
_SINGLE_TOLERANCE = 2e-6  # from here on, single precision is enough
_LENGTH_BITS = 24  # bits of a length that are kept, if it is as precise
_NOWHERE = 400.0  # times the mean of the squared distances: no bandwidth reaches as far
_TINY = 1e-30


@check_input()
def effective_bandwidth(
    X: Matrix, n_chosen: float, *, at: Matrix | None = None, tolerance: float = 1e-9
) -> Floats:
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
    tolerance : float, default=1e-9
        Relative error of the bandwidths. From 2e-6 on they are solved in single precision.

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
    points, rows = canonical(X if at is None else at), pool.copy_rows(np.arange(pool.n_rows))
    log_chosen = math.log(max(n_chosen, 2.0))
    lengths = np.full(points.shape[0], np.nan)
    for block in slices(len(lengths), max(16, _DISTANCE_BYTES // (8 * max(1, pool.n_rows)))):
        squared = _distances_to_pool(pool, rows, points[block])  # (n_block, n_rows)
        n_others = np.count_nonzero(squared, axis=1)
        unit = squared.sum(axis=1) / np.maximum(n_others, 1)
        squared = _to_units(squared[n_others > 0], unit[n_others > 0], tolerance)
        logs = _solve(squared, n_others[n_others > 0], log_chosen, tolerance)
        lengths[block][n_others > 0] = np.sqrt(unit[n_others > 0] * np.exp(logs))
    usual = np.median(lengths[~np.isnan(lengths)]) if not np.isnan(lengths).all() else 1.0
    n_bits = max(8, min(_LENGTH_BITS, math.ceil(1 - math.log2(tolerance))))
    return round_to_bits(np.where(np.isnan(lengths), usual, lengths), n_bits)


def _distances_to_pool(pool: PointSet, rows: Any, points: Matrix) -> Floats:
    """Return squared distances of points to the pool's rows; exactly 0 for duplicates."""
    others = pool.center(points)
    norms = squared_norms(others)
    squared: Floats = products(others, rows)
    squared *= -2.0
    squared += norms[:, np.newaxis]
    squared += pool.norms
    # Few pairs are near to each other, compared with the largest norm: only these are looked at.
    limits = DUPLICATE * (norms + pool.norms.max(initial=0.0))
    near = np.nonzero(squared < limits[:, np.newaxis])
    values = squared[near]
    duplicates = values < DUPLICATE * (norms[near[0]] + pool.norms[near[1]])
    squared[near] = np.where(duplicates, 0.0, values)
    return squared


def _to_units(squared: Floats, unit: Floats, tolerance: float) -> NDArray[Any]:
    """Divide the distances of each row by its unit, and move duplicates to where none is counted.

    The mean of the others is then 1, and no bandwidth reaches much farther.
    """
    dtype = np.float32 if tolerance >= _SINGLE_TOLERANCE else np.float64
    scaled = np.multiply(squared, 1 / unit[:, np.newaxis], dtype=dtype, casting="same_kind")
    scaled[squared == 0.0] = _NOWHERE
    return scaled


def _solve(squared: NDArray[Any], n_others: Positions, log_chosen: float, tol: float) -> Floats:
    """Return the logarithms of the squared lengths, shape (n_at,).

    Starts from the solution for a part of the pool.
    """
    # The bracket: as if all rows were as far away as the nearest, and as if all were at the mean of
    # the squared distances, 1 (Jensen's inequality).
    low = np.log(squared.min(axis=1, initial=_NOWHERE).astype(np.float64) / log_chosen)
    high = np.full(len(squared), -math.log(log_chosen))
    logs, step = high.copy(), squared.shape[1] // _START_ROWS
    if step > 1:
        part = squared[:, ::step].copy()
        n_part = np.maximum(1, np.count_nonzero(part < _NOWHERE, axis=1))
        logs = _find_root(part, n_part, log_chosen, logs, (low, high), _START_TOLERANCE)
    return _find_root(squared, n_others, log_chosen, logs, (low, high), tol)


def _find_root(
    squared: NDArray[Any],
    n_others: Positions,
    log_chosen: float,
    start: Floats,
    bracket: tuple[Floats, Floats],
    tolerance: float,
) -> Floats:
    """Solve by Newton's method on logarithms, within a bracket that shrinks.

    Steps that would leave the bracket halve it instead. Each row goes on until its own step is
    short enough: the error of the last is about its square.
    """
    (low, high), logs = (bound.copy() for bound in bracket), start.copy()
    left = np.arange(len(logs))  # rows that are not solved
    for _ in range(_MAX_STEPS):
        exponents = squared * -np.exp(-logs[left])[:, np.newaxis].astype(squared.dtype)
        terms = np.exp(exponents)
        total = np.maximum(terms.sum(axis=1), _TINY).astype(np.float64)
        slope = np.maximum(-np.einsum("ij,ij->i", exponents, terms) / total, _TINY)
        excess = np.log(total / n_others[left]) + log_chosen
        low[left] = np.where(excess < 0, logs[left], low[left])
        high[left] = np.where(excess > 0, logs[left], high[left])
        step = logs[left] - excess / slope
        inside = (step >= low[left]) & (step <= high[left])
        step = np.where(inside, step, (low[left] + high[left]) / 2)
        open_ = np.square(step - logs[left]) > tolerance
        logs[left] = step
        if not open_.any():
            break
        if not open_.all():
            left, squared = left[open_], squared[open_]
    return logs
