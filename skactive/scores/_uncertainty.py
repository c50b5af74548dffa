"""Scores from the class probabilities, or the decision values, of one model."""

from __future__ import annotations

import numpy as np

from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import (
    FloatArray,
    Scores,
    add_up,
    entropy_terms,
    score_by_blocks,
    two_largest,
)

__all__ = ["decision_margin", "entropy", "least_confidence", "margin", "margin_ratio"]


@check_input()
def least_confidence(proba: FloatArray) -> Scores:
    r"""Return one minus the probability of the most likely class.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 (certain) to :math:`1 - 1/C` (all :math:`C` classes equally likely).

    Notes
    -----
    .. math:: u(x) = 1 - \max_y p(y \mid x)

    References
    ----------
    Lewis and Gale (1994), :doi:`10.1007/978-1-4471-2099-5_1`.

    Examples
    --------
    >>> import numpy as np
    >>> least_confidence(np.array([[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]])).round(2)
    array([0.5, 0.3])
    """
    return score_by_blocks(lambda p: 1 - p.max(axis=0), proba)


@check_input()
def margin(proba: FloatArray) -> Scores:
    r"""Return one minus the gap between the two most likely classes.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities. With a single class, the second probability counts as 0.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 (certain) to 1 (the two most likely classes tie).

    Notes
    -----
    With :math:`p_1 \ge p_2` the two largest probabilities of the row,

    .. math:: u(x) = 1 - (p_1 - p_2)

    References
    ----------
    Scheffer, Decomain and Wrobel (2001), :doi:`10.1007/3-540-44816-0_31`.

    Examples
    --------
    >>> import numpy as np
    >>> margin(np.array([[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]])).round(2)
    array([0.8, 0.5])
    """
    return score_by_blocks(lambda p: 1 - np.subtract(*two_largest(p, floor=0.0)), proba)


@check_input()
def margin_ratio(proba: FloatArray) -> Scores:
    r"""Return the second largest probability divided by the largest.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities. With a single class, the second probability counts as 0.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 (certain) to 1 (the two most likely classes tie).

    Notes
    -----
    .. math:: u(x) = p_2 / p_1

    References
    ----------
    Settles (2012), *Active Learning*, chapter 2, :doi:`10.1007/978-3-031-01560-1`.

    Examples
    --------
    >>> import numpy as np
    >>> margin_ratio(np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]]))
    array([0.6  , 0.125])
    """

    def ratio(p: Scores) -> Scores:
        first, second = two_largest(p, floor=0.0)
        if not first.all():
            raise ValueError("proba must have a positive probability in every row.")
        return second / first

    return score_by_blocks(ratio, proba)


@check_input()
def decision_margin(decision: FloatArray) -> Scores:
    r"""Return the closeness to the decision boundary, for models without probabilities.

    Parameters
    ----------
    decision : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Values of ``decision_function``: one signed value per row for two classes (a single column
        is treated the same way), or one value per class.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores that are at most 0; 0 is on the boundary. The unit is that of ``decision``.

    Notes
    -----
    With :math:`d_1 \ge d_2` the two largest values of a row,

    .. math:: u(x) = -|d(x)| \quad\text{or}\quad u(x) = -(d_1 - d_2)

    References
    ----------
    Tong and Koller (2001), "Support vector machine active learning with applications to text
    classification", *Journal of Machine Learning Research* 2, for two classes.

    Examples
    --------
    >>> import numpy as np
    >>> decision_margin(np.array([-2.0, 0.5]))
    array([-2. , -0.5])
    >>> decision_margin(np.array([[3.0, 1.0, -1.0], [0.0, 0.5, 0.25]]))
    array([-2.  , -0.25])
    """
    if decision.ndim == 1 or decision.shape[1] == 1:
        return -np.abs(decision.reshape(-1), dtype=np.float64)
    return score_by_blocks(lambda d: np.subtract(*two_largest(d, floor=-np.inf)[::-1]), decision)


@check_input()
def entropy(proba: FloatArray) -> Scores:
    r"""Return the Shannon entropy of the class probabilities, in nats.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities; zeros contribute exactly 0.

    Returns
    -------
    ndarray of shape (n_rows,)
        Entropies from 0 (certain) to :math:`\log C`.

    Notes
    -----
    .. math:: u(x) = -\sum_y p(y \mid x) \log p(y \mid x), \qquad 0 \log 0 = 0

    References
    ----------
    Shannon (1948), :doi:`10.1002/j.1538-7305.1948.tb01338.x`.

    Examples
    --------
    >>> import numpy as np
    >>> entropy(np.array([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])).round(4)
    array([1.0297, 0.    ])
    """
    return score_by_blocks(lambda p: add_up(entropy_terms(p)), proba)
