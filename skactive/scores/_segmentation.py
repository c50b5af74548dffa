"""Scores of pixels by the pixels around them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.element_kinds import check_map
from skactive._utils.input_kinds import check_count
from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import FloatArray, Scores, entropy_terms
from skactive.scores._uncertainty import entropy

__all__ = ["region_impurity"]


@check_input(proba=check_map, radius=partial(check_count, low=0))
def region_impurity(proba: FloatArray, radius: int = 1) -> Scores:
    r"""Return, for the region around each pixel, its mix of classes times its uncertainty.

    Parameters
    ----------
    proba : ndarray of shape (height, width, n_classes)
        Class probabilities of the pixels of an image; volumes and sequences have more axes, or
        one.
    radius : int, default=1
        The region is the square of ``2 * radius + 1`` pixels a side, as far as it is inside.

    Returns
    -------
    ndarray of shape (height, width)
        Scores from 0 (one class, or certain) to :math:`(\log C)^2`.

    Notes
    -----
    With :math:`f_c` the share of the pixels of region R that are predicted as class c,

    .. math::
        u = -\sum_c f_c \log f_c \cdot
        \frac{1}{|R|} \sum_{i \in R} H\bigl[p(y \mid x_i)\bigr]

    References
    ----------
    Xie, Yuan, Li, Liu and Cheng (2022), :doi:`10.48550/arXiv.2111.12940`, who call it RIPU.

    Examples
    --------
    Three pixels in a line, of which the middle and the last disagree:

    >>> import numpy as np
    >>> region_impurity(np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])).round(4)
    array([0.    , 0.2069, 0.2253])
    """
    *axes, n_classes = proba.shape
    n_pixels = _sum_around(np.ones(axes, dtype=np.intp), radius)
    uncertainty = _sum_around(entropy(proba.reshape(-1, n_classes)).reshape(axes), radius)
    predicted = proba.argmax(axis=-1)
    impurity = np.zeros(axes)
    for column in np.unique(predicted):  # a class at a time: temporaries of one map
        votes = _sum_around(predicted == column, radius)
        mixed = (votes > 0) & (votes < n_pixels)
        impurity[mixed] += entropy_terms(votes[mixed] / n_pixels[mixed])
    return impurity * (uncertainty / n_pixels)


def _sum_around(values: NDArray[Any], radius: int) -> Scores:
    """Sum values over the square around each entry, exactly if they are integers."""
    dtype = np.float64 if values.dtype.kind == "f" else np.int32
    for axis, length in enumerate(values.shape):
        reach, before = min(radius, length), (slice(None),) * axis
        shape = list(values.shape)
        shape[axis] += 2 * reach + 1
        # Sums of all entries before one; at both ends, of none and of all.
        sums: NDArray[Any] = np.zeros(shape, dtype=dtype)
        np.cumsum(values, axis=axis, out=sums[(*before, slice(reach + 1, reach + 1 + length))])
        whole = (*before, slice(reach + length, reach + length + 1))
        sums[(*before, slice(reach + 1 + length, None))] = sums[whole]
        values = sums[(*before, slice(2 * reach + 1, None))] - sums[(*before, slice(length))]
    return np.asarray(values, dtype=np.float64)
