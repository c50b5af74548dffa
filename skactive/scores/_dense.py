"""Scores of rows of which every element is a number: depth maps, spectrograms."""

from __future__ import annotations

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.element_kinds import check_cuts, match_elements
from skactive._utils.input_kinds import check_vector
from skactive._utils.public_input import check_input
from skactive._utils.ragged import reduce_rows
from skactive.scores._arithmetic import FloatArray, Scores

__all__ = ["energy_weighted_variance"]


@check_input(std=check_vector, prediction=check_vector, offsets=check_cuts)
def energy_weighted_variance(std: FloatArray, prediction: FloatArray, offsets: Positions) -> Scores:
    r"""Return the mean predictive variance of the elements of each row, weighted by their energy.

    Parameters
    ----------
    std : ndarray of shape (n_elements,)
        Standard deviations of the predictions of the elements of all rows, row after row.
    prediction : ndarray of shape (n_elements,)
        The predicted numbers, such as magnitudes of a spectrogram.
    offsets : ndarray of shape (n_rows + 1,)
        Row i has the elements ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        Variances in the squared unit of the predictions; 0 for rows without elements. A row
        without energy has the mean variance.

    Notes
    -----
    .. math:: u = \sum_j \hat y_j^2 \sigma_j^2 \Big/ \sum_j \hat y_j^2

    Silence, of which most of a recording may consist, does not count. The variance of all
    elements alike is ``reductions.mean(std**2, offsets)``.

    Examples
    --------
    >>> import numpy as np
    >>> std, prediction = np.array([2.0, 1.0, 3.0]), np.array([0.0, 1.0, 3.0])
    >>> energy_weighted_variance(std, prediction, np.array([0, 2, 3]))
    array([1., 9.])
    """
    match_elements(offsets, std=std, prediction=prediction)
    energy, lengths = np.square(prediction, dtype=np.float64), np.diff(offsets)
    total = reduce_rows(np.add, energy, offsets)
    energy = np.where(np.repeat(total > 0, lengths), energy, 1.0)
    weights = np.where(total > 0, total, np.maximum(lengths, 1))
    return reduce_rows(np.add, energy * np.square(std), offsets) / weights
