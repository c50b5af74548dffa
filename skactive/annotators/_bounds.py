"""Exact tests of how many labels of a finite pool are wrong, from a random part of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import binom, hypergeom

__all__ = ["compute_betting_p_values", "compute_p_values", "count_allowed"]

_ALTERNATIVES = np.arange(1, 8) / 8  # shares of the tested share, on which the wealth is bet
_TIE = 1e-9  # of a share times a number of rows, which rounding may put below an integer


def compute_p_values(
    n_wrong: Any, n_checked: Any, n_rows: Any, max_share: float
) -> NDArray[np.float64]:
    """Return p-values of the hypothesis that more than a share of the rows is wrong.

    Parameters
    ----------
    n_wrong, n_checked : array-like of int of shape (n_tests,)
        Of each test, how many rows were checked, drawn at random, and how many of them were wrong.
    n_rows : array-like of int of shape (n_tests,), or None
        Number of all rows; None: not known, as if there were infinitely many.
    max_share : float
        The share.

    Returns
    -------
    ndarray of shape (n_tests,)
        Tails of the hypergeometric distribution (of the binomial one without `n_rows`); 1 where
        nothing was checked.
    """
    k, n = np.asarray(n_wrong), np.asarray(n_checked)
    if n_rows is None:
        return np.asarray(binom.cdf(k, n, max_share))
    N = np.asarray(n_rows)
    least = _count_too_many(N, max_share)
    p = hypergeom.cdf(k, N, np.minimum(least, N), n)
    return np.where(least > N, 0.0, p)  # it cannot be more


def compute_betting_p_values(
    wrong: NDArray[np.bool_], checked: NDArray[np.bool_], n_rows: Any, max_share: float
) -> NDArray[np.float64]:
    r"""Return p-values of the same hypothesis that stay valid when the audit grows.

    Whoever looks after each checked row, and stops when a p-value is small, errs no more often than
    with one look.

    Parameters
    ----------
    wrong, checked : ndarray of bool of shape (n_tests, n_drawn)
        Of rows in the random order in which they were drawn: whether a test counts them, and
        whether they are wrong.
    n_rows : array-like of int of shape (n_tests,), or None
        Number of all rows that a test would count; None: not known, as if there were infinitely
        many.
    max_share : float
        The share.

    Returns
    -------
    ndarray of shape (n_tests,)
        Smaller than those of :func:`compute_p_values` only by chance: a price is paid for looks.

    Notes
    -----
    A test bets that fewer rows are wrong. With m the share of wrong rows among those not drawn yet,
    if the hypothesis just holds, and f m that of an alternative, wealth is multiplied by f after a
    wrong row and by :math:`(1 - f m) / (1 - m)` after a right one: a martingale under the
    hypothesis. The wealth of several alternatives is averaged. By Ville's inequality one over the
    largest wealth so far is a p-value.

    References
    ----------
    Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of
    the Royal Statistical Society B 86, 2024, :doi:`10.1093/jrsssb/qkad009`.
    """
    is_right = checked & ~wrong
    is_wrong = checked & wrong
    n_before: NDArray[np.intp] = np.cumsum(checked, axis=1) - checked
    k_before: NDArray[np.intp] = np.cumsum(is_wrong, axis=1) - is_wrong
    cannot_be_more = np.zeros(len(checked), dtype=bool)
    if n_rows is None:
        shares = np.full(checked.shape, max_share)
    else:
        N = np.asarray(n_rows)
        least = _count_too_many(N, max_share)
        cannot_be_more = least > N
        n_left = np.maximum(N[:, np.newaxis] - n_before, 1)
        shares = np.maximum(least[:, np.newaxis] - k_before, 0) / n_left
    shares = np.minimum(shares, 1.0)  # (n_tests, n_drawn)
    wealth = np.empty((len(_ALTERNATIVES), *checked.shape))  # its logarithm
    with np.errstate(divide="ignore"):  # a right row where all others had to be wrong: no limit
        for fraction, row in zip(_ALTERNATIVES, wealth, strict=True):
            gain = np.log1p(-fraction * shares) - np.log1p(-shares)
            steps = np.where(is_right, gain, np.where(is_wrong, np.log(fraction), 0.0))
            np.cumsum(steps, axis=1, out=row)
    mean = logsumexp(wealth, axis=0) - np.log(len(_ALTERNATIVES))
    p = np.exp(-np.maximum(mean.max(axis=1, initial=0.0), 0.0))
    return np.where(cannot_be_more, 0.0, p)


def count_allowed(n_checked: int, n_rows: int, max_share: float, level: float) -> int:
    r"""Return the largest number of wrong rows among the checked that bounds those of the others.

    Let rows be taken one after the other, and D be the number of wrong ones among those taken and
    not checked. Whoever stops before the (c + 1)-th wrong checked row, c being the number returned,
    has :math:`D > \epsilon N` with a probability of `level` at most.

    Parameters
    ----------
    n_checked : int
        Number of rows that are checked, drawn at random.
    n_rows : int
        Number N of all rows.
    max_share : float
        The share :math:`\epsilon`.
    level : float
        The probability.

    Returns
    -------
    int
        -1 if not even zero wrong rows are few enough.

    Notes
    -----
    D and the number k of wrong checked rows only grow as rows are taken, and their sum has all
    wrong rows taken so far. Rows being taken singly, who stops has k = c, or has taken all. If D is
    then too large, more than :math:`\epsilon N + c` wrong rows were taken. The moment at which that
    many have been taken does not depend on what was checked, and then k was at most c: the
    probability of that is a tail of the hypergeometric distribution, which is at most `level` by
    the choice of c. If all were taken and k < c, the same holds for k in place of c.
    """
    allowed = -1
    for k in range(n_checked + 1):
        least = int(_count_too_many(n_rows, max_share)) + k
        if least <= n_rows and hypergeom.cdf(k, n_rows, least, n_checked) > level:
            break
        allowed = k
    return allowed


def _count_too_many(n_rows: Any, max_share: float) -> Any:
    """Return the least number of wrong rows that is more than the share."""
    return np.floor(max_share * np.asarray(n_rows) + _TIE).astype(np.intp) + 1
