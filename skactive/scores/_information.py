"""Scores that say how much a label tells about the model, or about the labels of other rows."""

from __future__ import annotations

import numpy as np
import sklearn

from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import FloatArray, Scores, entropy_terms
from skactive.scores._committee import consensus_entropy, mean_over_draws
from skactive.scores._uncertainty import entropy
from skactive.selectors._engine.points import slices

__all__ = ["expected_predictive_information_gain", "mutual_information"]


@check_input()
def mutual_information(samples: FloatArray) -> Scores:
    r"""Return the mutual information of a row's label and the model's parameters (BALD).

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw from the posterior, draw axis first.

    Returns
    -------
    ndarray of shape (n_rows,)
        Mutual information in nats, at least 0.

    Notes
    -----
    With :math:`\bar p` the mean of the :math:`S` draws,

    .. math:: u(x) = H[\bar p(y \mid x)] - \frac1S \sum_s H[p_s(y \mid x)]

    The difference cannot be negative; if rounding makes it negative, it is set to 0. The same
    quantity without the subtraction is :func:`kl_to_consensus`.

    References
    ----------
    Houlsby, Huszár, Ghahramani and Lengyel (2011), :doi:`10.48550/arXiv.1112.5745`.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])
    >>> mutual_information(samples).round(5)
    array([0.0067 , 0.00506])
    """
    gain = consensus_entropy(samples) - mean_over_draws(entropy, samples)
    return np.maximum(gain, 0.0)


@check_input()
def expected_predictive_information_gain(samples: FloatArray, target_samples: FloatArray) -> Scores:
    r"""Return the mean mutual information of a row's label and those of target rows (EPIG).

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities of the candidates under each draw, draw axis first.
    target_samples : ndarray of shape (n_samples, n_targets, n_classes)
        Class probabilities, under the same draws, of the rows on which the model will be used.

    Returns
    -------
    ndarray of shape (n_rows,)
        Mean mutual information in nats, at least 0.

    Notes
    -----
    With the joint :math:`p(y, y_*) = \frac1S \sum_s p_s(y \mid x) \, p_s(y_* \mid x_*)`,

    .. math:: u(x) = \frac1M \sum_{x_*} \bigl( H[y] + H[y_*] - H[y, y_*] \bigr)

    which is also the expected reduction of the log loss on the targets when the draws are
    reweighted by the label. The joint distributions are matrix products over blocks of rows and
    targets that stay within a quarter of scikit-learn's ``working_memory``; the block size affects
    rounding only. If rounding makes a value negative, it is set to 0.

    References
    ----------
    Bickford Smith, Kirsch, Farquhar, Gal, Foster and Rainforth (2023),
    :doi:`10.48550/arXiv.2304.08151`.

    Examples
    --------
    Two draws that disagree on the first row in the same way as on the only target:

    >>> import numpy as np
    >>> samples = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    >>> expected_predictive_information_gain(samples, samples[:, :1]).round(4)
    array([0.6931, 0.    ])
    """
    separate = consensus_entropy(samples) + consensus_entropy(target_samples).mean()
    return np.maximum(separate - _mean_joint_entropy(samples, target_samples), 0.0)


def _mean_joint_entropy(samples: FloatArray, target_samples: FloatArray) -> Scores:
    """Return the mean over the targets of the joint entropy of two labels, (n_rows,)."""
    _, n_rows, n_classes = samples.shape
    n_targets = target_samples.shape[1]
    n_pairs = _get_working_bytes() // (8 * n_classes**2)
    target_block = max(1, min(n_targets, n_pairs))
    row_block = max(1, n_pairs // target_block)
    total = np.zeros(n_rows)
    for targets in slices(n_targets, target_block):
        right = _flatten_rows(target_samples[:, targets])
        for rows in slices(n_rows, row_block):
            total[rows] += _sum_joint_entropies(_flatten_rows(samples[:, rows]), right, n_classes)
    return total / n_targets


def _sum_joint_entropies(left: Scores, right: Scores, n_classes: int) -> Scores:
    """Sum the joint entropies of each row in ``left`` over the targets in ``right``."""
    joint = left.T @ right  # (n_block_rows * n_classes, n_block_targets * n_classes)
    joint /= len(left)
    return entropy_terms(joint).sum(axis=1).reshape(-1, n_classes).sum(axis=1)


def _flatten_rows(samples: FloatArray) -> Scores:
    """Flatten rows and classes, (n_samples, n_rows * n_classes)."""
    return np.asarray(samples, dtype=np.float64).reshape(len(samples), -1)


def _get_working_bytes() -> int:
    """Return a quarter of scikit-learn's working memory, which other temporaries share.

    At most 4 MiB, which fit the last cache: a larger temporary is slower.
    """
    return min(int(sklearn.get_config()["working_memory"] * 2**20 / 4), 2**22)
