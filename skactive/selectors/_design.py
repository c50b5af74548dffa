r"""Selectors of experimental design: log-determinants and traces of information matrices.

Each grows a matrix :math:`A = \lambda I + \sum x x^\top` row by row and keeps the parts of
``A^-1`` that it needs for every row up to date, so that a pick costs one product of the pool with a
vector. Points come as a dense array, as a sparse matrix, or as a pair of factors ``(a, h)`` that
represents the rows ``outer(a[i], h[i])``, which are never all built.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.input_kinds import check_labeled_pair, check_option, check_points
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.design_rows import DesignRows
from skactive.selectors._engine.fisher import FisherReduction, prepare_fisher
from skactive.selectors._engine.information import (
    GAIN_RTOL,
    InverseInformation,
    LazyCandidates,
    VarianceReduction,
    check_trace_dims,
    clip_ridge,
    draw_best,
)
from skactive.selectors._engine.sparse_inverse import SparseInverse

if TYPE_CHECKING:
    from skactive._utils.array_types import Floats
    from skactive.selectors._engine.points import AnyPoints, Matrix

__all__ = ["bait", "d_optimal", "dpp_map", "v_optimal"]

# Qualities are raised to this, whose square is still above 0.
_MIN_QUALITY = 1e-100


@check_input(X=check_points, labeled=check_points)
def d_optimal(
    X: AnyPoints,
    batch_size: int,
    *,
    ridge: float = 1.0,
    labeled: AnyPoints | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows greedily that maximize the determinant of the information (MaxDet).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) represents the outer
        products of their rows. Weights are passed as factors: ``(sqrt(p * (1 - p))[:, None], X)``
        is the design of a logistic regression.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior, or variance of the noise. Raised to 1e-10 of the
        largest squared norm, below which the picks would depend on rounding.
    labeled : same kind as X, default=None
        Rows that are labeled already.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Raises
    ------
    PoolTooLargeError
        If min(n_dims, n_labeled + batch_size) * n_dims exceeds 2**27, where n_dims counts only the
        dimensions that labeled and selected rows may use if rows are sparse.

    Notes
    -----
    Each pick maximizes

    .. math:: \log\det\Bigl(\lambda I + \sum_{s \in L \cup S} x_s x_s^\top\Bigr)

    which grows by :math:`\log(1 + g_i)` for the leverage :math:`g_i = x_i^\top A^{-1} x_i`. Up to
    a constant it equals :math:`\log\det(K_{SS} + \lambda I)` of the linear kernel. After pick j,
    with :math:`v = A^{-1} x_j / \sqrt{1 + g_j}`, every leverage falls by
    :math:`(x_i^\top v)^2`. Since leverages never grow, old ones are upper bounds: rows that cannot
    be the best are updated later, with many picks in one matrix product. The picks are those of
    plain greedy search.

    References
    ----------
    Chen, Zhang and Zhou (2018), :doi:`10.48550/arXiv.1709.05135`; as a strategy, Holzmüller,
    Zaverkin, Kästner and Steinwart (2023), :doi:`10.48550/arXiv.2203.09410`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[3.0, 0.0], [2.9, 0.0], [0.0, 1.0]])
    >>> d_optimal(X, batch_size=2)
    array([0, 2])
    """
    return _maximize_determinant(DesignRows(X), batch_size, None, ridge, labeled, random_state)


@check_input(X=check_points)
def dpp_map(
    X: AnyPoints,
    batch_size: int,
    *,
    quality: NDArray[Any] | None = None,
    ridge: float = 1e-3,
    random_state: Seed = None,
) -> Positions:
    r"""Select the most probable batch of a determinantal point process, greedily.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) represents the outer
        products of their rows. Rows of norm 1 give similarities from -1 to 1.
    batch_size : int
        Number of rows to select.
    quality : ndarray of shape (n_rows,), default=None
        Quality of each row, at least 0. If None, it is 1 for all rows.
    ridge : float, default=1e-3
        Number above 0 that is added to the similarity of a row to itself; without it, the
        determinant of more than n_dims rows is 0. Raised to 1e-10 of the largest squared norm.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick maximizes :math:`\det L_{SS}` for the kernel

    .. math:: L_{ij} = q_i \, q_j \bigl(x_i^\top x_j + \lambda [i = j]\bigr)

    which grows by the factor :math:`q_i^2 \lambda (1 + g_i)` for the leverages of
    :func:`d_optimal`; :math:`\lambda (1 + g_i)` is the residual diagonal of an incremental Cholesky
    factorization. Rows of quality 0 come last, in order of diversity.

    References
    ----------
    Chen, Zhang and Zhou (2018), :doi:`10.48550/arXiv.1709.05135`; the kernel, Kulesza and Taskar
    (2012), :doi:`10.1561/2200000044`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> dpp_map(X, batch_size=2, quality=np.array([0.9, 1.0, 0.5]))
    array([1, 2])
    """
    rows = DesignRows(X)
    quality = np.ones(rows.n_rows) if quality is None else quality
    weights = np.square(np.maximum(quality.astype(np.float64), _MIN_QUALITY))
    return _maximize_determinant(rows, batch_size, weights, ridge, None, random_state)


@check_input(X=check_points, labeled=check_points)
def v_optimal(
    X: AnyPoints,
    batch_size: int,
    *,
    ridge: float = 1.0,
    labeled: AnyPoints | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows greedily that minimize the mean variance of predictions on the pool.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) represents the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior, or variance of the noise. Raised to 1e-10 of the
        largest squared norm, below which the picks would depend on rounding.
    labeled : same kind as X, default=None
        Rows that are labeled already.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Raises
    ------
    PoolTooLargeError
        If the points have more than 5120 dimensions.

    Notes
    -----
    Each pick minimizes

    .. math:: \frac1n \sum_i x_i^\top A^{-1} x_i = \operatorname{tr}(A^{-1} M), \qquad
        A = \lambda I + \sum_{s \in L \cup S} x_s x_s^\top, \quad M = \frac1n \sum_i x_i x_i^\top

    It falls by :math:`u_i / (1 + g_i)` with :math:`u_i = x_i^\top A^{-1} M A^{-1} x_i` and the
    leverage :math:`g_i = x_i^\top A^{-1} x_i`. Both are updated by one product of the pool with two
    vectors per pick.

    References
    ----------
    Yu, Bi and Tresp (2006), "Active learning via transductive experimental design",
    :doi:`10.1145/1143844.1143980`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0], [1.0, 0.0], [1.1, 0.0], [0.0, 1.2]])
    >>> v_optimal(X, batch_size=2)  # most rows lie along the first axis
    array([2, 3])
    """
    rng, rows = make_random_state(random_state), DesignRows(X)
    batch_size = min(batch_size, rows.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    check_trace_dims(rows.n_dims)
    ridge = clip_ridge(ridge, rows.squared_norms())
    labeled_rows = None if labeled is None else DesignRows(labeled)
    return _add_greedily(VarianceReduction(rows, labeled_rows, ridge), batch_size, rng)


@check_input(labeled=check_labeled_pair, reference=partial(check_option, options=("all", "pool")))
def bait(
    proba: NDArray[Any],
    features: Matrix,
    batch_size: int,
    *,
    ridge: float = 1.0,
    oversample: float = 2.0,
    labeled: tuple[NDArray[Any], Matrix] | None = None,
    weight: float = 1.0,
    reference: Literal["all", "pool"] = "all",
    random_state: Seed = None,
) -> Positions:
    r"""Select rows whose Fisher information matches that of the pool, forward and then backward.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    features : ndarray or sparse matrix of shape (n_rows, n_dims)
        Input of the softmax layer.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior on the weights. Raised to 1e-10 of the largest
        squared norm of features, below which the picks would depend on rounding.
    oversample : float, default=2.0
        Number of forward steps as a multiple of the batch size, at least 1; backward steps remove
        the excess.
    labeled : pair of arrays, default=None
        Probabilities and features of the labeled rows.
    weight : float, default=1.0
        w: how many labeled rows a selected row counts for.
    reference : {"all", "pool"}, default="all"
        The n rows whose expected error is minimized: those of the pool and the labeled ones, or
        those of the pool alone.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions in the order of the forward steps.

    Raises
    ------
    PoolTooLargeError
        If (n_classes - 1) n_dims exceeds 5120, or 2 n_rows (n_classes - 1)^2 exceeds 2**28.

    Notes
    -----
    Each forward step adds, and each backward step removes, the row that minimizes

    .. math:: \operatorname{tr}\Bigl[\Bigl(\lambda I + \sum_{s \in L} I(x_s)
        + w \sum_{s \in S} I(x_s)\Bigr)^{-1} \frac1n \sum_i I(x_i)\Bigr], \qquad
        I(x) = \bigl(\operatorname{diag}(p) - p p^\top\bigr) \otimes h h^\top

    A softmax is overparametrized: there is no information along the direction that all classes
    share, so everything is computed in the (C - 1) d dimensions orthogonal to it. The information
    of a row is :math:`V V^\top` with C - 1 columns :math:`V`, and adding it lowers the trace by

    .. math:: \operatorname{tr}\bigl[(I + V^\top A^{-1} V)^{-1} \, V^\top A^{-1} M A^{-1} V\bigr]

    The two small matrices of each row are kept up to date, so that a pick costs one product of
    the features with 2 (C - 1)^2 vectors, and :math:`V` is never built for the whole pool.

    With N labeled and selected rows together, the published code weighs each labeled row by 1 / N
    and each selected row by batch_size / N. Its picks are those of ``weight=batch_size`` and
    ``ridge=lamb * N``. Here a label yet to be bought is worth as much as one bought before, unless
    `weight` says otherwise.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade (2021), :doi:`10.48550/arXiv.2106.09675`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    >>> features = np.array([[2.0, 0.1], [1.9, 0.0], [0.0, 1.5], [0.0, 9.0]])
    >>> bait(proba, features, batch_size=2)  # row 3 is certain
    array([0, 2])
    """
    rng = make_random_state(random_state)
    n_rows, n_classes = proba.shape
    batch_size = min(batch_size, n_rows)
    if batch_size == 0 or n_classes == 1:  # labels of one class carry no information
        return rng.permutation(n_rows)[:batch_size].astype(np.intp)
    state = prepare_fisher(
        proba, features, ridge, labeled, weight=weight, average_labeled=reference == "all"
    )
    n_forward = min(n_rows, math.ceil(oversample * batch_size))
    picks = _add_greedily(state, n_forward, rng)
    if n_forward == batch_size:
        return picks
    return _remove_greedily(state.take(picks), picks, batch_size, rng)


def _maximize_determinant(
    rows: DesignRows,
    batch_size: int,
    weights: Floats | None,
    ridge: float,
    labeled: AnyPoints | None,
    random_state: Seed,
) -> Positions:
    """Select rows that maximize the determinant, each pick weighted by its row's weight."""
    rng = make_random_state(random_state)
    batch_size = min(batch_size, rows.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    labeled_rows = None if labeled is None else DesignRows(labeled)
    ridge = clip_ridge(ridge, rows.squared_norms())
    n_columns = batch_size + (0 if labeled_rows is None else labeled_rows.n_rows)
    inverse: InverseInformation | SparseInverse
    if rows.is_sparse and n_columns < rows.n_dims:
        inverse = SparseInverse(rows, ridge, labeled_rows, batch_size)
    else:
        inverse = InverseInformation(rows.n_dims, ridge, labeled_rows, batch_size)
    candidates = LazyCandidates(rows, inverse, weights)
    picks = [candidates.add(candidates.find_best(rng)) for _ in range(batch_size)]
    return np.array(picks, dtype=np.intp)


def _add_greedily(
    state: VarianceReduction | FisherReduction, batch_size: int, rng: RandomState
) -> Positions:
    """Add the row of largest gain until `batch_size` rows are picked."""
    picks: list[int] = []
    for _ in range(batch_size):
        gains = np.maximum(state.gains(picks), 0.0)  # rounding may leave it below
        gains[picks] = -1.0
        picks.append(draw_best(gains, rng))
        state.add(picks[-1])
    return np.array(picks, dtype=np.intp)


def _remove_greedily(
    state: FisherReduction, picks: Positions, batch_size: int, rng: RandomState
) -> Positions:
    """Remove the row of smallest loss until `batch_size` picks remain.

    `state` holds the picked rows only, in the order of `picks`.
    """
    remaining = list(range(len(picks)))
    while len(remaining) > batch_size:
        losses = np.maximum(state.losses()[remaining], 0.0)
        smallest = np.flatnonzero(losses <= losses.min() * (1 + GAIN_RTOL))
        state.add(remaining.pop(int(smallest[rng.randint(len(smallest))])), sign=-1)
    return picks[remaining]
