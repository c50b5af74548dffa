r"""Selectors of experimental design: log-determinants and traces of information matrices.

All of them grow a matrix :math:`A = \lambda I + \sum x x^\top` row by row and keep what they
need of ``A^-1`` for every row up to date, so that a pick costs one product of the pool with a
vector. Points come as a dense array, as a sparse matrix, or as a pair of factors ``(a, h)`` that
stands for the rows ``outer(a[i], h[i])``, which are never all built.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.information import (
    _TIE,
    _TINY_QUALITY,
    Values,
    _at_least,
    _check_dims,
    _check_fisher_blocks,
    _Fisher,
    _Inverse,
    _one_of_the_best,
    _Race,
    _Rows,
    _Variances,
)
from skactive.selectors._top import Positions

if TYPE_CHECKING:
    from skactive.selectors._engine.points import AnyPoints, Matrix

__all__ = ["bait", "d_optimal", "dpp_map", "v_optimal"]


def d_optimal(
    X: AnyPoints,
    batch_size: int,
    *,
    ridge: float = 1.0,
    labeled: AnyPoints | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows one by one that make the determinant of the information largest (MaxDet).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows. Weights go in as factors: ``(sqrt(p * (1 - p))[:, None], X)`` is
        the design of a logistic regression.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior, or variance of the noise; at least 1e-10 of the
        largest squared length, below which rounding would choose.
    labeled : as X, default=None
        Rows that are known from the start, of the kind of ``X``.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Raises
    ------
    PoolTooLargeError
        If the smaller of n_dims and labeled plus chosen rows, times n_dims, exceeds 2**27.

    Notes
    -----
    Each pick makes the most of

    .. math:: \log\det\Bigl(\lambda I + \sum_{s \in L \cup S} x_s x_s^\top\Bigr)

    which grows by :math:`\log(1 + g_i)` with the leverage :math:`g_i = x_i^\top A^{-1} x_i`, and
    that is :math:`\log\det(K_{SS} + \lambda I)` of the linear kernel but for a constant. After
    pick j, with :math:`v = A^{-1} x_j / \sqrt{1 + g_j}`, every leverage falls by
    :math:`(x_i^\top v)^2`. Since leverages only fall, old ones are upper bounds: rows that cannot
    win lag behind, and catch up with many picks in one matrix product. The picks are those of
    plain greedy.

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
    rows = _Rows(X)
    return _largest_determinant(rows, batch_size, None, ridge, labeled, random_state)


def dpp_map(
    X: AnyPoints,
    batch_size: int,
    *,
    quality: NDArray[Any] | None = None,
    ridge: float = 1e-3,
    random_state: Seed = None,
) -> Positions:
    r"""Select the likeliest rows of a determinantal point process, greedily.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows. Rows of length 1 give similarities from -1 to 1.
    batch_size : int
        Number of rows to select.
    quality : ndarray of shape (n_rows,), default=None
        Quality of each row, at least 0; None is 1 for all.
    ridge : float, default=1e-3
        What is added to the similarity of a row to itself, above 0: without, no more than n_dims
        rows have a determinant. At least 1e-10 of the largest squared length.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick makes the most of :math:`\det L_{SS}` for the kernel

    .. math:: L_{ij} = q_i \, q_j \bigl(x_i^\top x_j + \lambda [i = j]\bigr)

    which grows by the factor :math:`q_i^2 \lambda (1 + g_i)` with the leverages of
    :func:`d_optimal`; :math:`\lambda (1 + g_i)` is what incremental Cholesky calls the residual
    diagonal. Rows of quality 0 come last, by diversity among themselves.

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
    rows = _Rows(X)
    quality = np.ones(rows.n_rows) if quality is None else quality
    weights = np.square(np.maximum(quality.astype(np.float64), _TINY_QUALITY))
    return _largest_determinant(rows, batch_size, weights, ridge, None, random_state)


def v_optimal(
    X: AnyPoints,
    batch_size: int,
    *,
    ridge: float = 1.0,
    labeled: AnyPoints | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows one by one that make the mean variance of predictions on the pool smallest.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` of shapes (n_rows, n_a) and (n_rows, n_h) stands for the outer
        products of their rows.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior, or variance of the noise; at least 1e-10 of the
        largest squared length, below which rounding would choose.
    labeled : as X, default=None
        Rows that are known from the start, of the kind of ``X``.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Raises
    ------
    PoolTooLargeError
        If points have more than 5120 dimensions.

    Notes
    -----
    Each pick makes the least of

    .. math:: \frac1n \sum_i x_i^\top A^{-1} x_i = \operatorname{tr}(A^{-1} M), \qquad
        A = \lambda I + \sum_{s \in L \cup S} x_s x_s^\top, \quad M = \frac1n \sum_i x_i x_i^\top

    It falls by :math:`u_i / (1 + g_i)` with :math:`u_i = x_i^\top A^{-1} M A^{-1} x_i` and the
    leverage :math:`g_i = x_i^\top A^{-1} x_i`, and both are kept up to date by one product of the
    pool with two vectors a pick.

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
    rng, rows = make_random_state(random_state), _Rows(X)
    batch_size = min(batch_size, rows.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    _check_dims(rows.n_dims)
    ridge = _at_least(ridge, rows.squared_lengths())
    state = _Variances(rows, None if labeled is None else _Rows(labeled), ridge)
    return _greedy(state, batch_size, rng)


def bait(
    proba: NDArray[Any],
    features: Matrix,
    batch_size: int,
    *,
    ridge: float = 1.0,
    oversample: float = 2.0,
    labeled: tuple[NDArray[Any], Matrix] | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows whose Fisher information suits that of the pool, forward and then backward.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    features : ndarray or sparse matrix of shape (n_rows, n_dims)
        Input of the softmax layer.
    batch_size : int
        Number of rows to select.
    ridge : float, default=1.0
        Lambda, above 0: precision of the prior on the weights; at least 1e-10 of the largest
        squared length of features, below which rounding would choose.
    oversample : float, default=2.0
        Forward steps, as a multiple of the batch, at least 1; those too many are taken back.
    labeled : pair of arrays, default=None
        Probabilities and features of the labeled rows.
    random_state : int, RandomState or None, default=None
        Breaks ties.

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
    Forward steps add the row, and backward steps take back the row, that makes the least of

    .. math:: \operatorname{tr}\Bigl[\Bigl(\lambda I + \sum_{s \in L \cup S} I(x_s)\Bigr)^{-1}
        \frac1n \sum_i I(x_i)\Bigr], \qquad
        I(x) = \bigl(\operatorname{diag}(p) - p p^\top\bigr) \otimes h h^\top

    A softmax has one class too many, so all of it is done in the (C - 1) d dimensions across the
    direction that all classes share, along which there is no information. Each row's information
    is :math:`V V^\top` with C - 1 columns :math:`V`, and adding it lowers the trace by

    .. math:: \operatorname{tr}\bigl[(I + V^\top A^{-1} V)^{-1} \, V^\top A^{-1} M A^{-1} V\bigr]

    The two small matrices of each row are kept up to date, so that a pick costs one product of
    the features with 2 (C - 1)^2 vectors, and :math:`V` is never built. The published code divides
    the sum over labeled and chosen rows by their number N: its ``lamb`` is ``ridge / N``.

    References
    ----------
    Ash, Goel, Krishnamurthy and Kakade (2021), :doi:`10.48550/arXiv.2106.09675`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    >>> features = np.array([[2.0, 0.1], [1.9, 0.0], [0.0, 1.5], [0.0, 9.0]])
    >>> bait(proba, features, batch_size=2)  # nothing is to be learned from row 3
    array([0, 2])
    """
    rng = make_random_state(random_state)
    n_rows, n_classes = proba.shape
    batch_size = min(batch_size, n_rows)
    if batch_size == 0 or n_classes == 1:  # one class: there is nothing to learn
        return rng.permutation(n_rows)[:batch_size].astype(np.intp)
    _check_dims((n_classes - 1) * features.shape[1])
    _check_fisher_blocks(n_rows, n_classes - 1)
    ridge = _at_least(ridge, _Rows(features).squared_lengths())
    state = _Fisher(proba, features, ridge, labeled)
    n_forward = min(n_rows, math.ceil(oversample * batch_size))
    picks = _greedy(state, n_forward, rng)
    return picks if n_forward == batch_size else _prune(state.of(picks), picks, batch_size, rng)


# Greedy steps ---------------------------------------------------------------------------------


def _largest_determinant(
    rows: _Rows,
    batch_size: int,
    weights: Values | None,
    ridge: float,
    labeled: AnyPoints | None,
    random_state: Seed,
) -> Positions:
    rng = make_random_state(random_state)
    batch_size = min(batch_size, rows.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    known = None if labeled is None else _Rows(labeled)
    ridge = _at_least(ridge, rows.squared_lengths())
    race = _Race(rows, _Inverse(rows.n_dims, ridge, known, batch_size), weights)
    picks = [race.add(race.best(rng)) for _ in range(batch_size)]
    return np.array(picks, dtype=np.intp)


def _greedy(state: _Variances | _Fisher, batch_size: int, rng: RandomState) -> Positions:
    """Add the row of largest gain again and again."""
    picks: list[int] = []
    for _ in range(batch_size):
        gains = np.maximum(state.gains(picks), 0.0)  # rounding may leave it below
        gains[picks] = -1.0
        picks.append(_one_of_the_best(gains, rng))
        state.add(picks[-1])
    return np.array(picks, dtype=np.intp)


def _prune(state: _Fisher, picks: Positions, batch_size: int, rng: RandomState) -> Positions:
    """Take back the row of least loss again and again; `state` holds the rows picked, in order."""
    left = list(range(len(picks)))
    while len(left) > batch_size:
        losses = np.maximum(state.losses()[left], 0.0)
        worst = np.flatnonzero(losses <= losses.min() * (1 + _TIE))
        state.add(left.pop(int(worst[rng.randint(len(worst))])), sign=-1)
    return picks[left]


# Rows -----------------------------------------------------------------------------------------


# Determinants ---------------------------------------------------------------------------------


# Traces ---------------------------------------------------------------------------------------


# Limits ---------------------------------------------------------------------------------------
