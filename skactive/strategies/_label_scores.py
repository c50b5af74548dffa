"""Scores of rows by the probabilities of their labels, and distances of vectors of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import entr
from scipy.stats import rankdata

from skactive._utils.array_types import Floats

__all__ = ["borda_margin", "entropy_distance", "hamming_risk", "separation_margin"]


def hamming_risk(presence: Floats, n_present: Any) -> Floats:
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
    -1 and 1 that is the loss reduction :math:`\sum_j (1 - \hat y_j f_j) / 2` of Yang et al. (2009).
    """
    ordered = -np.sort(-presence, axis=1)  # the most likely label first
    is_predicted = np.arange(presence.shape[1]) < np.reshape(n_present, (-1, 1))
    return np.where(is_predicted, 1.0 - ordered, ordered).sum(axis=1)


def separation_margin(presence: Floats) -> Floats:
    """Return the gap between the labels predicted to be present and those predicted absent.

    Parameters
    ----------
    presence : ndarray of shape (n_rows, n_labels)
        Probability that each label is present; above 1/2 it is predicted to be.

    Returns
    -------
    ndarray of shape (n_rows,)
        The lowest probability of the labels predicted to be present (1 if there are none) less the
        highest of the others (0 if there are none).
    """
    is_present = presence > 0.5
    lowest = np.where(is_present, presence, 1.0).min(axis=1, initial=1.0)
    return lowest - np.where(is_present, 0.0, presence).max(axis=1, initial=0.0)


def borda_margin(presence: Floats) -> Floats:
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
    """
    n_rows, n_labels = presence.shape
    if n_rows < 2 or not n_labels:
        return np.ones(n_rows)
    points = np.zeros(n_rows)
    for column in presence.T:
        # Rounded, so that rows that differ by the last digit are equal.
        points += n_rows - rankdata(np.abs(2.0 * column - 1.0).round(12))
    return points / (n_labels * (n_rows - 1))


def entropy_distance(first: Floats, second: Floats) -> Floats:
    r"""Return the entropy distance of vectors of labels; 1 if they differ in every label.

    Parameters
    ----------
    first : ndarray of shape (n_first, n_labels)
        Vectors of 0 and 1.
    second : ndarray of shape (n_second, n_labels)
        Vectors of 0 and 1.

    Returns
    -------
    ndarray of shape (n_first, n_second)
        From 0 (one vector tells all of the other) to 1.

    Notes
    -----
    With the entropies of the two vectors and their joint entropy, over the labels,
    :math:`(2 H(A, B) - H(A) - H(B)) / H(A, B)`. It is 0 for opposite vectors, too, for which the
    distance is 1 instead.
    """
    n_labels = first.shape[1]
    both, n_first = first @ second.T, first.sum(axis=1)[:, np.newaxis]
    only_first, only_second = n_first - both, second.sum(axis=1) - both
    neither = n_labels - both - only_first - only_second
    tables = np.stack([both, only_first, only_second, neither])  # (4, n_first, n_second)
    joint = entr(tables / n_labels).sum(axis=0)
    apart = 2.0 * joint - _binary_entropy(first)[:, np.newaxis] - _binary_entropy(second)
    distance = np.divide(apart, joint, out=np.zeros_like(joint), where=joint > 0.0)
    distance[only_first + only_second == n_labels] = 1.0
    return np.clip(distance, 0.0, 1.0)


def _binary_entropy(vectors: Floats) -> Floats:
    """Return the entropy of each vector of 0 and 1, shape (n_vectors,)."""
    share = vectors.mean(axis=1)
    return entr(share) + entr(1.0 - share)
