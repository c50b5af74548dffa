"""Rows drawn for uncertainty and for distance, in the space of class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.nearest_centers import draw_weighted
from skactive.selectors._top import Positions

__all__ = ["falcun"]

# A block of rows, as float64, stays in a core's cache.
_BLOCK_BYTES = 2**20


def falcun(
    proba: NDArray[Any],
    uncertainty: NDArray[Any],
    batch_size: int,
    *,
    gamma: float = 10.0,
    random_state: Seed = None,
) -> Positions:
    r"""Draw rows one by one, for uncertainty and for probabilities unlike those drawn before.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    uncertainty : ndarray of shape (n_rows,)
        Scores of at least 0, higher is more uncertain.
    batch_size : int
        Number of rows to select.
    gamma : float, default=10.0
        Power of the relevance: at 0 the draw is uniform, large values come close to taking the
        most relevant row.
    random_state : int, RandomState or None, default=None
        Makes the draws.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions in the order of the draws.

    Notes
    -----
    With :math:`u_i` the uncertainty and :math:`S` the rows drawn so far, each draw is made from
    the other rows with

    .. math::
        p_i \propto (\tilde d_i + u_i)^\gamma, \qquad
        d_i = \min\Bigl(u_i, \min_{s \in S} \lVert p_i - p_s \rVert_1\Bigr)

    where :math:`\tilde d` is :math:`d` stretched to reach from 0 to 1 over the rows that are left.
    Where all of these have :math:`d_i = 0` the draw is uniform. A draw takes
    O(n_rows * n_classes) time, and nothing is kept but a few numbers a row.

    References
    ----------
    Gilhuber, Beer, Ma and Seidl (2024), "FALCUN: a simple and efficient deep active learning
    strategy", *ECML PKDD*.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.4, 0.6]])
    >>> falcun(proba, np.array([0.0, 1.0, 1.0, 0.8]), 1, gamma=99, random_state=0)
    array([2])
    """
    rng = make_random_state(random_state)
    uncertainty = np.asarray(uncertainty, dtype=np.float64)
    distances = uncertainty.copy()
    picks: list[int] = []
    while len(picks) < min(batch_size, len(proba)):
        weights = _weights(distances, uncertainty, picks, gamma)
        picks.append(int(draw_weighted(np.cumsum(weights), 1, rng)[0]))
        _shrink(distances, proba, picks[-1])
    return np.array(picks, dtype=np.intp)


def _weights(
    distances: NDArray[np.float64], uncertainty: NDArray[np.float64], picks: list[int], gamma: float
) -> NDArray[np.float64]:
    """Return weights from 0 to 1 in proportion to which to draw, exactly 0 for the picks."""
    distances[picks] = 0.0  # so that they are never the largest,
    highest = distances.max()
    distances[picks] = highest  # nor the smallest
    spread = highest - (lowest := distances.min())
    if highest > 0:
        weights = (distances - lowest) / spread if spread > 0 else np.zeros(len(distances))
        weights += uncertainty
        weights[picks] = 0.0
        weights /= weights.max()  # a high power of small numbers would vanish
        weights **= gamma
    else:
        weights = np.ones(len(distances))
    weights[picks] = 0.0  # again: 0 to the power of 0 is 1
    return weights


def _shrink(distances: NDArray[np.float64], proba: NDArray[Any], pick: int) -> None:
    """Lower the distances to those from the row at ``pick``, a block at a time."""
    size = max(1, _BLOCK_BYTES // (8 * proba.shape[1]))
    for start in range(0, len(proba), size):
        part = distances[start : start + size]  # a view
        block = proba[start : start + size]
        near = _may_be_nearer(block, proba[pick], part)
        nearer = cdist(block[near], proba[pick : pick + 1], "cityblock")[:, 0]
        part[near] = np.minimum(part[near], nearer)


def _may_be_nearer(
    block: NDArray[Any], row: NDArray[Any], distances: NDArray[np.float64]
) -> Positions | slice:
    """Return the rows that one class alone does not place too far off; few where most are sure."""
    column = int(row.argmax())
    gap = np.abs(block[:, column].astype(np.float64) - float(row[column]))
    near = gap < distances
    # Above a share, copying the rows costs more than their distances.
    return slice(None) if 3 * np.count_nonzero(near) > len(near) else np.flatnonzero(near)
