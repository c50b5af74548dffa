"""How far rows reach: lengths of kernels that are learned from the rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive.selectors._engine.points import (
    DUPLICATE,
    Floats,
    Matrix,
    Points,
    canonical,
    products,
    rounded,
    slices,
    squared_norms,
)

__all__ = ["effective_bandwidth"]

_BLOCK_BYTES = 2**20  # of distances at a time
_STEPS, _TOLERANCE = 100, 1e-9  # of the search for the logarithms of squared lengths
_BITS = 24  # of a length that are kept


def effective_bandwidth(X: Matrix, n_chosen: float, *, at: Matrix | None = None) -> Floats:
    r"""Return the lengths at which so many rows, wherever they lie, would just share the pool.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points: the pool, or rows drawn from it evenly; a thousand of them will do.
    n_chosen : float
        How many rows are to share the pool: those labeled, and the batch. Fewer than 2 count as
        2: no row covers the whole pool by itself.
    at : ndarray or sparse matrix of shape (n_at, n_dims), default=None
        The points whose lengths are asked for; None asks for those of ``X``.

    Returns
    -------
    ndarray of shape (n_at,)
        The lengths :math:`\sigma_j`; 1 where all rows coincide.

    Notes
    -----
    Each of them solves, over the points that do not coincide with :math:`z_j`,

    .. math:: \operatorname{mean}_i \exp(-\lVert z_i - z_j \rVert^2 / \sigma_j^2)
        = \frac{1}{n_{\text{chosen}}}

    The mean is the share of the pool that a row covers. So all rows cover as much: those in the
    midst of many reach less far than those that lie by themselves. Rows that do not overlap cover
    all of the pool together, and lengths fall by themselves as labels grow. Time grows with
    n_rows x n_at, memory with n_rows + n_at.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.selectors import effective_bandwidth
    >>> X = np.array([[0.0], [0.1], [0.2], [0.3], [9.0]])
    >>> effective_bandwidth(X, n_chosen=4).round(1)
    array([0.2, 0.1, 0.1, 0.2, 7.5])
    """
    pool = Points(X)
    wanted = canonical(X if at is None else at)
    lengths = np.full(wanted.shape[0], np.nan)
    for block in slices(len(lengths), max(16, _BLOCK_BYTES // (8 * max(1, pool.n_rows)))):
        squared, distinct = _squared_distances(pool, wanted[block])
        known = distinct.any(axis=1)
        lengths[block][known] = _solved(squared[known], distinct[known], max(n_chosen, 2.0))
    usual = np.median(lengths[~np.isnan(lengths)]) if not np.isnan(lengths).all() else 1.0
    return rounded(np.where(np.isnan(lengths), usual, lengths), _BITS)


def _squared_distances(pool: Points, wanted: Matrix) -> tuple[Floats, NDArray[np.bool_]]:
    """Return squared distances of some rows to the pool's, and which of these do not coincide."""
    rows = pool.centered(wanted)
    inner = products(rows, pool.rows(np.arange(pool.n_rows)))
    inner = inner.toarray() if sparse.issparse(inner) else inner
    both = squared_norms(rows)[:, np.newaxis] + pool.norms
    squared = both - 2 * inner
    distinct = squared > DUPLICATE * both
    return np.where(distinct, squared, 0.0), distinct


def _solved(squared: Floats, distinct: NDArray[np.bool_], n_chosen: float) -> Floats:
    """Find the lengths by Newton's method on logarithms; steps that leave the bracket halve it."""
    n_distinct = distinct.sum(axis=1)
    # As if all were as far away as the nearest, and as they are in the mean (Jensen's inequality).
    low = np.log(squared.min(axis=1, where=distinct, initial=np.inf) / math.log(n_chosen))
    high = np.log(squared.sum(axis=1) / n_distinct / math.log(n_chosen))
    at = high.copy()
    for _ in range(_STEPS):
        exponents = squared * np.exp(-at)[:, np.newaxis]
        merits = np.where(distinct, np.exp(-exponents), 0.0)
        total = merits.sum(axis=1)
        slope = np.einsum("ij,ij->i", exponents, merits) / total
        excess = np.log(total / n_distinct * n_chosen)
        low, high = np.where(excess < 0, at, low), np.where(excess > 0, at, high)
        step = at - excess / slope
        step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        done, at = np.abs(step - at).max(initial=0.0) <= _TOLERANCE, step
        if done:
            break
    return np.exp(at / 2)
