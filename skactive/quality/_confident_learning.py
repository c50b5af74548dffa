"""Confident learning: counts of given labels against those that a model is confident of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats

__all__ = ["ConfidentCounts", "count_confidently"]

Codes = NDArray[np.intp]
_ROUNDING = 1e-6  # by which a probability may be below the mean that it is compared with


class ConfidentCounts(NamedTuple):
    """Given labels against confident ones.

    Attributes
    ----------
    thresholds : ndarray of shape (n_classes,)
        Mean probability of each class on the rows that have its label; infinite without any.
    confident : ndarray of shape (n_rows,)
        The class that the model is confident of: the most probable one of those that reach their
        threshold; -1 if there is none.
    joint : ndarray of shape (n_classes, n_classes)
        Estimated number of rows of each given label (row) and true label (column); each row sums to
        the number of given labels.
    """

    thresholds: Floats
    confident: Codes
    joint: Floats


def count_confidently(labels: Any, proba: Any) -> ConfidentCounts:
    r"""Count given labels against those that a model is confident of.

    A model is confident of class k if its probability is at least the mean of those of the rows
    that are labeled k: rows of hard classes are held to less [1]_.

    Parameters
    ----------
    labels : array-like of int of shape (n_rows,)
        Given labels, as columns of `proba`.
    proba : array-like of shape (n_rows, n_classes)
        Probabilities of a model that has not learned from these rows.

    Returns
    -------
    ConfidentCounts

    Notes
    -----
    The diagonal of the counts is at least 1, so that each class has a true row. If several classes
    reach their threshold, the most probable of *these* counts, as published; cleanlab takes the
    most probable of all, which may not be among them.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang (2021). "Confident learning: estimating
       uncertainty in dataset labels." Journal of Artificial Intelligence Research 70, 1373-1411.
       :doi:`10.1613/jair.1.12125`

    Examples
    --------
    The last row is labeled 1, but the model is confident of 0:

    >>> import numpy as np
    >>> from skactive.quality import count_confidently
    >>> proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9], [0.9, 0.1]])
    >>> count_confidently([0, 0, 1, 1, 1], proba).confident
    array([ 0, -1,  1,  1,  0])
    """
    codes, table = np.asarray(labels), np.asarray(proba, dtype=np.float64)
    n_classes = table.shape[1]
    counts = np.bincount(codes, minlength=n_classes)
    own = table[np.arange(len(codes)), codes]
    sums = np.bincount(codes, own, minlength=n_classes)
    thresholds = np.divide(sums, counts, out=np.full(n_classes, np.inf), where=counts > 0)
    reaches = table >= thresholds - _ROUNDING
    best = np.where(reaches, table, -np.inf).argmax(axis=1)
    confident = np.where(reaches.any(axis=1), best, -1)
    return ConfidentCounts(thresholds, confident, _count_joint(codes, confident, counts))


def _count_joint(codes: Codes, confident: Codes, counts: Any) -> Floats:
    """Return the counts of (given, confident) labels, scaled to the counts of given labels."""
    n_classes = len(counts)
    sure = confident >= 0
    cells = codes[sure] * n_classes + confident[sure]
    joint = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
    joint = joint.astype(np.float64)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1.0))
    return joint / joint.sum(axis=1, keepdims=True) * counts[:, None]
