"""Scores of rows of several labels by the probabilities of these, and distances of such rows."""

from __future__ import annotations

import numpy as np
from scipy.special import entr
from scipy.stats import rankdata

from skactive._utils.element_kinds import check_counts, check_indicators, check_presence
from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import FloatArray, Scores

__all__ = ["borda_margin", "entropy_distance", "hamming_risk", "separation_margin"]


@check_input(presence=check_presence, n_present=check_counts)
def hamming_risk(presence: FloatArray, n_present: int | FloatArray) -> Scores:
    r"""Return how many labels are expected to be wrong if the most likely ones are predicted.

    Parameters
    ----------
    presence : ndarray of shape (n_rows, n_labels)
        Probability that each label is present.
    n_present : int, or ndarray of int of shape (n_rows,)
        How many labels of each row are predicted to be present: the most likely ones.

    Returns
    -------
    ndarray of shape (n_rows,)

    Notes
    -----
    With :math:`\hat y_j` 1 for the labels that are predicted to be present and 0 for the others,
    :math:`u(x) = \sum_j |\hat y_j - p_j(x)|`. In terms of :math:`f_j = 2 p_j - 1` and of labels
    -1 and 1 that is the loss reduction :math:`\sum_j (1 - \hat y_j f_j) / 2` of the source.

    References
    ----------
    Yang, Sun, Wang and Chen (2009), :doi:`10.1145/1557019.1557119`.

    Examples
    --------
    >>> import numpy as np
    >>> hamming_risk(np.array([[0.9, 0.6, 0.1], [0.2, 0.4, 0.3]]), 1).round(2)
    array([0.8, 1.1])
    """
    if np.size(n_present) not in {1, len(presence)}:
        raise ValueError(
            f"n_present has {np.size(n_present)} entries for {len(presence)} rows; expected one "
            "for each, or one number."
        )
    ordered = -np.sort(-presence, axis=1)  # the most likely label first
    is_predicted = np.arange(presence.shape[1]) < np.reshape(n_present, (-1, 1))
    return np.where(is_predicted, 1.0 - ordered, ordered).sum(axis=1, dtype=np.float64)


@check_input(presence=check_presence)
def separation_margin(presence: FloatArray) -> Scores:
    r"""Return how little the labels predicted to be present are separated from the absent ones.

    Parameters
    ----------
    presence : ndarray of shape (n_rows, n_labels)
        Probability that each label is present; above 1/2 it is predicted to be.

    Returns
    -------
    ndarray of shape (n_rows,)
        1 or more. A gap of 0, where two labels have the probability 1/2, counts as the smallest
        distance of numbers.

    Notes
    -----
    .. math:: u(x) = 1 / \bigl(\min_{j: p_j > 1/2} p_j(x) - \max_{j: p_j \le 1/2} p_j(x)\bigr)

    The minimum is 1 if no label is predicted to be present, the maximum 0 if none to be absent.

    References
    ----------
    Li and Guo, "Active learning with multi-label SVM classification", IJCAI 2013.

    Examples
    --------
    >>> import numpy as np
    >>> separation_margin(np.array([[0.9, 0.6, 0.1], [0.2, 0.4, 0.3]])).round(2)
    array([2.  , 1.67])
    """
    is_present = presence > 0.5
    lowest = np.where(is_present, presence, 1.0).min(axis=1, initial=1.0)
    gap = lowest - np.where(is_present, 0.0, presence).max(axis=1, initial=0.0)
    return 1.0 / np.maximum(gap, np.finfo(np.float64).eps)


@check_input(presence=check_presence)
def borda_margin(presence: FloatArray) -> Scores:
    r"""Return how near to the top a row is if rows are ranked by the margin of each label.

    Parameters
    ----------
    presence : ndarray of shape (n_rows, n_labels)
        Probability that each label is present.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0 to 1: the mean over labels of :math:`(n - r_j(x)) / (n - 1)`, with r the rank among
        the n rows, 1 for the smallest margin :math:`|2 p_j - 1|`. Equal margins share their ranks.

    References
    ----------
    Reyes, Morell and Ventura (2018), :doi:`10.1016/j.neucom.2017.08.001`.

    Examples
    --------
    >>> import numpy as np
    >>> borda_margin(np.array([[0.5, 0.5], [0.9, 0.4], [0.2, 1.0]]))
    array([1.  , 0.25, 0.25])
    """
    n_rows, n_labels = presence.shape
    if n_rows < 2 or not n_labels:
        return np.ones(n_rows)
    points = np.zeros(n_rows)
    for column in presence.T:
        # Rounded, so that rows that differ by the last digit are equal.
        points += n_rows - rankdata(np.abs(2.0 * column - 1.0).round(12))
    return points / (n_labels * (n_rows - 1))


@check_input(vectors=check_indicators, others=check_indicators)
def entropy_distance(vectors: FloatArray, others: FloatArray) -> FloatArray:
    r"""Return the entropy distance of vectors of labels; 1 if they differ in every label.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_labels)
        Vectors of 0 and 1.
    others : ndarray of shape (n_others, n_labels)
        Vectors of 0 and 1.

    Returns
    -------
    ndarray of shape (n_vectors, n_others)
        From 0 (one vector tells all of the other) to 1.

    Notes
    -----
    With the entropies of the two vectors and their joint entropy, over the labels,
    :math:`(2 H(A, B) - H(A) - H(B)) / H(A, B)`. It is 0 for opposite vectors, too, for which the
    distance is 1 instead.

    References
    ----------
    Reyes, Morell and Ventura (2018), :doi:`10.1016/j.neucom.2017.08.001`.

    Examples
    --------
    >>> import numpy as np
    >>> entropy_distance(np.array([[1, 0, 1, 0]]), np.array([[1, 0, 1, 0], [0, 1, 0, 1]]))
    array([[0., 1.]])
    """
    n_labels = vectors.shape[1]
    if others.shape[1] != n_labels:
        raise ValueError(
            f"vectors and others must have the same labels, got {n_labels} and {others.shape[1]} "
            "columns."
        )
    if not n_labels:
        return np.zeros((len(vectors), len(others)))
    both, n_present = vectors @ others.T, vectors.sum(axis=1)[:, np.newaxis]
    only_these, only_others = n_present - both, others.sum(axis=1) - both
    neither = n_labels - both - only_these - only_others
    tables = np.stack([both, only_these, only_others, neither])  # (4, n_vectors, n_others)
    joint = entr(tables / n_labels).sum(axis=0)
    apart = 2.0 * joint - _binary_entropy(vectors)[:, np.newaxis] - _binary_entropy(others)
    distance = np.divide(apart, joint, out=np.zeros_like(joint), where=joint > 0.0)
    distance[only_these + only_others == n_labels] = 1.0
    return np.clip(distance, 0.0, 1.0)


def _binary_entropy(vectors: FloatArray) -> FloatArray:
    """Return the entropy of each vector of 0 and 1, shape (n_vectors,)."""
    share = vectors.mean(axis=1)
    return entr(share) + entr(1.0 - share)
