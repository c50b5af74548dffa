"""Exact tests of how many labels of a finite pool are wrong, from a random part of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

__all__ = ["compute_p_values", "count_allowed"]

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
    least = np.floor(max_share * N + _TIE).astype(np.intp) + 1  # wrong rows, if it is more
    p = hypergeom.cdf(k, N, np.minimum(least, N), n)
    return np.where(least > N, 0.0, p)  # it cannot be more


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
        least = math.floor(max_share * n_rows + k + _TIE) + 1
        if least <= n_rows and hypergeom.cdf(k, n_rows, least, n_checked) > level:
            break
        allowed = k
    return allowed
