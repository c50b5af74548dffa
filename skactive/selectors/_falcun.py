"""Random draws of rows that are uncertain and far apart in the space of class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_weights
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.nearest_centers import draw_weighted

__all__ = ["falcun"]

# A block of class probabilities in float64 stays in the cache of one core.
_PROBA_BLOCK_BYTES = 2**20


@check_input(uncertainty=check_weights)
def falcun(
    proba: NDArray[Any],
    uncertainty: NDArray[Any],
    batch_size: int,
    *,
    gamma: float = 10.0,
    random_state: Seed = None,
) -> Positions:
    r"""Draw rows one by one that are uncertain and differ from the rows drawn before.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    uncertainty : ndarray of shape (n_rows,)
        Scores, at least 0, higher is more uncertain.
    batch_size : int
        Number of rows to select.
    gamma : float, default=10.0
        Power of the relevance: at 0 the draw is uniform, large values approach picking the most
        relevant row.
    random_state : int, RandomState or None, default=None
        Seed for the draws.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions in the order of the draws.

    Notes
    -----
    With :math:`u_i` the uncertainty and :math:`S` the rows drawn so far, each of the other rows is
    drawn with probability

    .. math::
        p_i \propto (\tilde d_i + u_i)^\gamma, \qquad
        d_i = \min\Bigl(u_i, \min_{s \in S} \lVert p_i - p_s \rVert_1\Bigr)

    where :math:`\tilde d` is :math:`d` scaled to the range from 0 to 1 over these rows. If all of
    them have :math:`d_i = 0`, the draw is uniform. A draw takes O(n_rows * n_classes) time, and
    memory is a few numbers per row.

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
        weights = _compute_weights(distances, uncertainty, picks, gamma)
        picks.append(int(draw_weighted(np.cumsum(weights), 1, rng)[0]))
        _update_distances(distances, proba, picks[-1])
    return np.array(picks, dtype=np.intp)


def _compute_weights(
    distances: Floats, uncertainty: Floats, picks: list[int], gamma: float
) -> Floats:
    """Return the weights of the draw, from 0 to 1 and exactly 0 for the picks, (n_rows,)."""
    # The picks must be neither the largest nor the smallest.
    distances[picks] = 0.0
    highest = distances.max()
    distances[picks] = highest
    spread = highest - (lowest := distances.min())
    if highest > 0:
        weights = (distances - lowest) / spread if spread > 0 else np.zeros(len(distances))
        weights += uncertainty
        weights[picks] = 0.0
        weights /= weights.max()  # a high power of small numbers would underflow
        weights **= gamma
    else:
        weights = np.ones(len(distances))
    weights[picks] = 0.0  # again, because 0 ** 0 is 1
    return weights


def _update_distances(distances: Floats, proba: NDArray[Any], pick: int) -> None:
    """Lower the distances to that from the row at ``pick`` where it is smaller, in place."""
    size = max(1, _PROBA_BLOCK_BYTES // (8 * proba.shape[1]))
    for start in range(0, len(proba), size):
        block, of_block = proba[start : start + size], distances[start : start + size]  # views
        rows = _find_near_rows(block, proba[pick], of_block)
        to_pick = cdist(block[rows], proba[pick : pick + 1], "cityblock")[:, 0]
        of_block[rows] = np.minimum(of_block[rows], to_pick)


def _find_near_rows(block: NDArray[Any], row: NDArray[Any], distances: Floats) -> Positions | slice:
    """Return the rows of a block that may lie within their distances of `row`.

    The gap in the likeliest class of `row` is a lower bound of the L1 distance. It excludes most
    rows if most predictions are certain.
    """
    column = int(row.argmax())
    gap = np.abs(block[:, column].astype(np.float64) - float(row[column]))
    near = gap < distances
    # If many rows are near, copying them costs more than computing all distances.
    return slice(None) if 3 * np.count_nonzero(near) > len(near) else np.flatnonzero(near)
