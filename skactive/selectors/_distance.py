"""Selectors that stand on the distance to the nearest row chosen so far.

Points come as a dense array, as a sparse matrix, or as a pair of factors ``(a, h)`` that stands
for the rows ``outer(a[i], h[i])``, which are never built: gradients of an output layer are of this
kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial.distance import cdist

from skactive._seeding import Seed, make_random_state
from skactive.selectors._lazy import LazyDistances
from skactive.selectors._top import Positions

__all__ = [
    "NearestDistances",
    "central_row",
    "fill_at_random",
    "k_center_greedy",
    "kmeans_plusplus",
    "ranked_batch",
]

Values: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[Any] | sparse.sparray | sparse.spmatrix
Points: TypeAlias = Matrix | tuple[NDArray[Any], Matrix]

# Above it, distances are kept as bounds and refreshed where they matter; below, that does not pay.
_LAZY_ROWS = 5_000
# Small enough for a block of rows and its distances to stay in a core's cache.
_BLOCK_BYTES = 2**20
# Squared distances from inner products carry rounding of some 1e-15 of the norms. Below this share
# of them rows count as duplicates.
_DUPLICATE = 1e-12
# Distances to a mean carry the rounding of the mean; within it they tie.
_TIE = 1e-9


def k_center_greedy(
    X: Points, batch_size: int, *, labeled: Matrix | None = None, random_state: Seed = None
) -> Positions:
    r"""Select rows farthest-first, so that every row comes close to a chosen one.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that are covered from the start, of the kind of ``X`` (factors have none). Without
        any, the first pick is the row nearest to the mean.
    random_state : int, RandomState or None, default=None
        Breaks ties; where every row left coincides with a chosen one, draws the rest.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick is the row farthest from its nearest centre, labelled or picked before,

    .. math:: i^* = \arg\max_i \min_{c} \lVert x_i - x_c \rVert_2

    which covers the pool within twice the smallest radius possible.

    References
    ----------
    Gonzalez (1985), :doi:`10.1016/0304-3975(85)90224-5`; as a strategy, Sener and Savarese (2018),
    :doi:`10.48550/arXiv.1708.00489`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [4.0], [9.0]])
    >>> k_center_greedy(X, batch_size=3, labeled=np.array([[0.0]]))
    array([3, 2, 1])
    """
    rng = make_random_state(random_state)
    n_rows = _count(X)
    batch_size = min(batch_size, n_rows)
    n_labeled = 0 if labeled is None else labeled.shape[0]
    start = [] if n_labeled or not batch_size else [central_row(X, rng)]
    if n_rows > _LAZY_ROWS:
        state = LazyDistances(X, labeled=labeled)
        for row in start:
            state.add(row)
            state.lower_all()
        picks = start + state.farthest_first(batch_size - len(start), rng)
    else:
        picks = _farthest_first(NearestDistances(X, labeled=labeled), start, batch_size, rng)
    return fill_at_random(picks, batch_size, n_rows, rng)


def _farthest_first(
    state: NearestDistances, start: list[int], batch_size: int, rng: RandomState
) -> list[int]:
    picks = [state.add(row) for row in start]
    while len(picks) < batch_size and (farthest := state.squared.max()) > 0:
        picks.append(state.add(_one_of(np.flatnonzero(state.squared == farthest), rng)))
    return picks


def kmeans_plusplus(
    X: Points, batch_size: int, *, first: int | None = None, random_state: Seed = None
) -> Positions:
    r"""Draw rows in proportion to their squared distance from the rows drawn before.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    first : int or None, default=None
        Position of the first pick; None draws it uniformly.
    random_state : int, RandomState or None, default=None
        Makes the draws.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions in the order of the draws.

    Notes
    -----
    With :math:`D_i` the distance of row :math:`i` from the nearest row drawn,

    .. math:: p_i = D_i^2 / \textstyle\sum_j D_j^2

    A duplicate of a row drawn is drawn only when nothing else is left, then uniformly.

    References
    ----------
    Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding", *SODA*; on
    gradient factors, Ash, Zhang, Krishnamurthy, Langford and Agarwal (2020),
    :doi:`10.48550/arXiv.1906.03671`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.0], [0.0], [5.0]])
    >>> kmeans_plusplus(X, batch_size=2, first=0)  # rows 1 and 2 coincide with row 0
    array([0, 3])
    """
    rng = make_random_state(random_state)
    n_rows = _count(X)
    batch_size = min(batch_size, n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    start = rng.randint(n_rows) if first is None else first
    if n_rows > _LAZY_ROWS:
        state = LazyDistances(X)
        state.add(start)
        picks = [start, *state.draw(batch_size - 1, rng)]
    else:
        picks = _squared_draws(NearestDistances(X), start, batch_size, rng)
    return fill_at_random(picks, batch_size, n_rows, rng)


def _squared_draws(
    state: NearestDistances, start: int, batch_size: int, rng: RandomState
) -> list[int]:
    picks = [state.add(start)]
    while len(picks) < batch_size and state.squared.any():
        picks.append(state.add(_draw(state.squared, rng)))
    return picks


def ranked_batch(
    X: Points,
    uncertainty: NDArray[Any],
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows one by one, for uncertainty and for distance from what is chosen already.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    uncertainty : ndarray of shape (n_rows,)
        Scores from 0 to 1, higher is more uncertain.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points whose labels are known, of the kind of ``X`` (factors have none).
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`U` the rows not chosen yet, :math:`L` those labelled or chosen, and :math:`d_i` the
    Euclidean distance from row :math:`i` to the nearest of :math:`L`, each pick is the largest

    .. math::
        \alpha \Bigl(1 - \frac{1}{1 + d_i}\Bigr) + (1 - \alpha) \, u_i, \qquad
        \alpha = \frac{|U|}{|U| + |L|}

    Where :math:`L` is empty there is no distance to speak of, and the first pick is the most
    uncertain row.

    References
    ----------
    Cardoso, Silva, Canuto, Moro and Gonçalves (2017), :doi:`10.1016/j.ins.2016.10.037`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [5.0]])
    >>> ranked_batch(X, np.array([0.9, 0.8, 0.1]), 2, labeled=np.array([[9.0]]))
    array([0, 2])
    """
    rng = make_random_state(random_state)
    state = NearestDistances(X, labeled=labeled)
    n_points = state.n_rows + state.n_labeled
    uncertainty = uncertainty.astype(np.float64)
    picks: list[int] = []
    while len(picks) < min(batch_size, state.n_rows):
        n_left = state.n_rows - len(picks)
        alpha = n_left / n_points if n_left < n_points else 0.0  # 0: there is no centre yet
        dissimilarity = 1 - 1 / (1 + np.sqrt(state.squared))
        merit = alpha * dissimilarity + (1 - alpha) * uncertainty
        merit[picks] = -np.inf
        picks.append(state.add(_one_of(np.flatnonzero(merit == merit.max()), rng)))
    return np.array(picks, dtype=np.intp)


class NearestDistances:
    """The squared distance of every row to its nearest centre, kept up to date.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centres from the start, of the kind of ``X``.

    Attributes
    ----------
    squared : ndarray of shape (n_rows,)
        Squared distances; infinite while there is no centre, exactly 0 for centres and their
        duplicates.
    n_rows, n_labeled : int
        Numbers of rows in ``X`` and in ``labeled``.
    """

    def __init__(self, X: Points, *, labeled: Matrix | None = None) -> None:
        self._points = _hold(X)
        self.n_rows = self._points.n_rows
        self.n_labeled = 0 if labeled is None else labeled.shape[0]
        self.squared = np.full(self.n_rows, np.inf)
        if labeled is not None and self.n_labeled > 0:
            self.squared = self._points.squared_distances_to_nearest(labeled)

    def add(self, position: int) -> int:
        """Make the row at ``position`` a centre, in O(n_rows * n_dims), and return its position."""
        distances = self._points.squared_distances_to(position)
        np.minimum(self.squared, distances, out=self.squared)
        self.squared[position] = 0.0
        return position


def central_row(X: Points, rng: RandomState) -> int:
    """Return the position of the row of ``X`` nearest to their mean, ties broken at random."""
    distances = _hold(X).squared_distances_to_mean()
    return _one_of(np.flatnonzero(distances <= distances.min() * (1 + _TIE)), rng)


def fill_at_random(picks: list[int], batch_size: int, n_rows: int, rng: RandomState) -> Positions:
    """Return ``picks`` and, up to ``batch_size``, other positions drawn uniformly."""
    chosen = np.array(picks, dtype=np.intp)
    if len(chosen) == batch_size:
        return chosen
    left = np.ones(n_rows, dtype=bool)
    left[chosen] = False
    rest = rng.choice(np.flatnonzero(left), batch_size - len(chosen), replace=False)
    return np.concatenate([chosen, rest])


def _count(X: Points) -> int:
    return int((X[0] if isinstance(X, tuple) else X).shape[0])


def _one_of(positions: Positions, rng: RandomState) -> int:
    return int(positions[rng.randint(len(positions))])


def _draw(weights: Values, rng: RandomState) -> int:
    """Draw a position in proportion to the weights; a weight of 0 is never drawn."""
    cumulated = np.cumsum(weights)
    # Strictly below the total, or rounding could point behind the last positive weight.
    level = min(rng.random_sample() * cumulated[-1], np.nextafter(cumulated[-1], 0.0))
    return int(np.searchsorted(cumulated, level, side="right"))


class _Points(Protocol):
    """Points of any kind; all distances are squared, of shape (n_rows,) and float64."""

    n_rows: int

    def squared_distances_to(self, position: int) -> Values: ...

    def squared_distances_to_nearest(self, rows: Matrix) -> Values: ...

    def squared_distances_to_mean(self) -> Values: ...


def _hold(X: Points) -> _Points:
    if isinstance(X, tuple):
        return _OuterPoints(*X)
    if isinstance(X, np.ndarray):
        return _DensePoints(X)
    # A plain row is its outer product with the number 1.
    return _OuterPoints(np.ones((X.shape[0], 1)), X)


class _DensePoints:
    """Rows of an array; differences are squared, so duplicates are at exactly 0."""

    def __init__(self, X: NDArray[Any]) -> None:
        self.n_rows, self._X = len(X), X

    def squared_distances_to(self, position: int) -> Values:
        return self.squared_distances_to_nearest(self._X[position : position + 1])

    def squared_distances_to_nearest(self, rows: Matrix) -> Values:
        nearest = np.empty(self.n_rows)
        rows = np.asarray(rows, dtype=np.float64)
        # A block holds a float64 copy of its rows, and their distances to all of `rows`.
        for block in _blocks(self.n_rows, self._X.shape[1] + rows.shape[0]):
            nearest[block] = cdist(self._X[block], rows, "sqeuclidean").min(axis=1)
        return nearest

    def squared_distances_to_mean(self) -> Values:
        return self.squared_distances_to_nearest(self._X.mean(axis=0, dtype=np.float64)[None])


class _OuterPoints:
    """Rows ``outer(a[i], h[i])``, by their norms and inner products, which are those of factors."""

    def __init__(self, a: NDArray[Any], h: Matrix) -> None:
        self.n_rows, self._a = len(a), a
        self._h = h if isinstance(h, np.ndarray) else _canonical(h)
        self._squared_norms = _squared_norms(self._a) * _squared_norms(self._h)

    def squared_distances_to(self, position: int) -> Values:
        inner = _times(self._a, self._a[position]) * _times(self._h, _row(self._h, position))
        return self._squared_distances(inner, self._squared_norms[position])

    def squared_distances_to_nearest(self, rows: Matrix) -> Values:
        nearest = np.full(self.n_rows, np.inf)
        for row in sparse.csr_array(rows, dtype=np.float64):
            vector = row.toarray().reshape(-1)
            distances = self._squared_distances(_times(self._h, vector), vector @ vector)
            np.minimum(nearest, distances, out=nearest)
        return nearest

    def squared_distances_to_mean(self) -> Values:
        mean = _mean_product(self._h, self._a)  # (n_h, n_a): of all outer products
        inner = np.einsum("ij,ij->i", _times(self._h, mean), self._a)
        return self._squared_distances(inner, np.square(mean).sum())

    def _squared_distances(self, inner: Values, squared_norm: float) -> Values:
        norms = self._squared_norms + squared_norm
        squared = norms - 2 * inner
        squared[squared < _DUPLICATE * norms] = 0.0
        return squared


def _canonical(X: Matrix) -> sparse.csr_array:
    """Return float64 CSR without repeated entries, which would square wrongly."""
    rows = sparse.csr_array(X, dtype=np.float64)
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may share the caller's arrays, and is sorted in place
        rows.sum_duplicates()
    return rows


def _blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    size = max(1, _BLOCK_BYTES // (8 * n_columns))
    return (slice(start, start + size) for start in range(0, n_rows, size))


def _squared_norms(factor: Matrix) -> Values:
    if isinstance(factor, np.ndarray):
        return np.einsum("ij,ij->i", factor, factor, dtype=np.float64)
    return np.asarray(factor.power(2).sum(axis=1)).reshape(-1)


def _times(factor: Matrix, right: Values) -> Values:
    """Return ``factor @ right`` in float64, without a float64 copy of ``factor``."""
    if not isinstance(factor, np.ndarray):
        return factor @ right
    product = np.empty((len(factor), *right.shape[1:]))
    for block in _blocks(*factor.shape):
        product[block] = factor[block].astype(np.float64, copy=False) @ right
    return product


def _mean_product(h: Matrix, a: NDArray[Any]) -> Values:
    """Return ``h.T @ a / n_rows`` in float64, without a float64 copy of ``h``."""
    if not isinstance(h, np.ndarray):
        return h.T @ a / len(a)
    total = np.zeros((h.shape[1], a.shape[1]))
    for block in _blocks(*h.shape):
        total += h[block].T.astype(np.float64, copy=False) @ a[block]
    return total / len(a)


def _row(factor: Matrix, position: int) -> NDArray[Any]:
    if isinstance(factor, np.ndarray):
        return factor[position]
    return factor[[position]].toarray().reshape(-1)
