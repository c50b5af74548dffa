"""Rows that are far from all others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.matrices import to_matrix

__all__ = ["Outliers", "find_outliers"]

# Interquartile ranges above the third quartile: Tukey's "far out" for distances, whose tails are
# long, and his "outside" for similarities, which are bounded.
_FENCES = {"euclidean": 3.0, "cosine": 1.5}
_ROUNDING = 1e-12  # of the distance of equal rows
_TINY = 1e-300
_MIN_FACTOR = 1.5  # by which an outlier is farther than the third quartile, if there is no spread


class Outliers(NamedTuple):
    """Rows that are far from all others.

    Attributes
    ----------
    positions : ndarray of shape (n_outliers,)
        Positions of the outliers, the farthest first.
    distances : ndarray of shape (n_rows,)
        Mean distance of each row to its nearest other rows.
    fence : float
        The distance above which a row is an outlier; infinite if all rows repeat others.
    """

    positions: NDArray[np.intp]
    distances: Floats
    fence: float


def find_outliers(X: Any, *, n_neighbors: int = 10, metric: str = "euclidean") -> Outliers:
    r"""Find the rows that are far from all others.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_rows, n_features)
        Features on comparable scales, best an embedding.
    n_neighbors : int, default=10
        Number of nearest other rows; all, if there are fewer.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance; "cosine" for counts of words and embeddings whose length means nothing.

    Returns
    -------
    Outliers

    Raises
    ------
    ValueError
        If `n_neighbors` is below 1, the metric is unknown, or there are fewer than two rows.

    Notes
    -----
    With :math:`d` the mean distance of a row to its neighbors, :math:`v = \log d`, or of cosines
    :math:`v = -\log(1 - d)`, and :math:`q_1, q_3` the quartiles of :math:`v`, a row is an outlier
    if :math:`v > q_3 + \max(k (q_3 - q_1), \log 1.5)`, with :math:`k = 3`, or of cosines 1.5:
    the fences of Tukey [1]_. Logarithms, because distances in the tails of a distribution grow
    exponentially. Rows whose neighbors are all equal to them do not count for the quartiles.

    References
    ----------
    .. [1] J. W. Tukey (1977). Exploratory Data Analysis. Addison-Wesley.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.quality import find_outliers
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> X[17] = 9.0
    >>> find_outliers(X).positions
    array([17])
    """
    from sklearn.neighbors import NearestNeighbors  # late: a tenth of a second

    if n_neighbors < 1:
        raise ValueError(f"n_neighbors must be at least 1, got {n_neighbors!r}.")
    if metric not in _FENCES:
        raise ValueError(f"metric must be one of {list(_FENCES)}, got {metric!r}.")
    rows = to_matrix(X, "X")
    n = rows.shape[0]
    if n < 2:
        raise ValueError(f"An outlier is far from other rows, but X has {n}: pass two or more.")
    index = NearestNeighbors(n_neighbors=min(n_neighbors, n - 1), metric=metric).fit(rows)
    distances = index.kneighbors()[0].mean(axis=1)  # (n_rows,): a row is no neighbor of its own
    fence = _compute_fence(distances, metric)
    positions = np.flatnonzero(distances > fence)
    order = np.argsort(-distances[positions], kind="stable")
    return Outliers(positions[order], distances, fence)


def _compute_fence(distances: Floats, metric: str) -> float:
    """Return the distance above which a row is an outlier."""
    positive = distances[distances > _ROUNDING]
    if not len(positive):
        return np.inf
    is_cosine = metric == "cosine"
    values = -np.log(np.maximum(1 - positive, _TINY)) if is_cosine else np.log(positive)
    first, third = np.quantile(values, [0.25, 0.75])
    fence = third + max(_FENCES[metric] * (third - first), np.log(_MIN_FACTOR))
    return float(1 - np.exp(-fence) if is_cosine else np.exp(fence))
