"""Scores from several draws of class probabilities: a committee, an ensemble, dropout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import FloatArray, Scores, log
from skactive.scores._uncertainty import entropy

__all__ = [
    "consensus_entropy",
    "kl_to_consensus",
    "mean_over_draws",
    "mean_standard_deviation",
    "variation_ratio",
    "vote_entropy",
]


@check_input()
def vote_entropy(samples: FloatArray) -> Scores:
    r"""Return the entropy of the hard votes of a committee, in nats.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities (or one-hot votes) of each member, member axis first. A member votes
        for its most likely class, the first of them if several tie.

    Returns
    -------
    ndarray of shape (n_rows,)
        Entropies from 0 (unanimous) to :math:`\log \min(S, C)`.

    Notes
    -----
    With :math:`V_y(x)` the number of the :math:`S` members that vote for :math:`y`,

    .. math:: u(x) = -\sum_y \frac{V_y(x)}{S} \log \frac{V_y(x)}{S}

    References
    ----------
    Dagan and Engelson (1995), :doi:`10.1016/B978-1-55860-377-6.50027-X`.

    Examples
    --------
    >>> import numpy as np
    >>> votes = np.eye(3)[[[0, 0, 2], [1, 0, 2], [2, 1, 2]]]  # three members, three rows
    >>> vote_entropy(votes).round(4)
    array([1.0986, 0.6365, 0.    ])
    """
    return entropy(_count_votes(samples) / len(samples))


@check_input()
def consensus_entropy(samples: FloatArray) -> Scores:
    r"""Return the entropy of the mean prediction of a committee, in nats.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities of each member, member axis first.

    Returns
    -------
    ndarray of shape (n_rows,)
        Entropies from 0 to :math:`\log C`.

    Notes
    -----
    .. math:: u(x) = H\Bigl[\frac1S \sum_s p_s(y \mid x)\Bigr]

    References
    ----------
    Settles (2012), *Active Learning*, chapter 3, :doi:`10.1007/978-3-031-01560-1`.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])
    >>> consensus_entropy(samples).round(4)
    array([0.5623, 0.6881])
    """
    return entropy(average_draws(samples))


@check_input()
def kl_to_consensus(samples: FloatArray) -> Scores:
    r"""Return the mean divergence of the members of a committee from their mean, in nats.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities of each member, member axis first.

    Returns
    -------
    ndarray of shape (n_rows,)
        Mean Kullback-Leibler divergences, from 0 (all agree) to :math:`\log S`.

    Notes
    -----
    .. math:: u(x) = \frac1S \sum_s \sum_y p_s(y \mid x) \log \frac{p_s(y \mid x)}{\bar p(y \mid x)}

    This equals :func:`mutual_information`, but sums the divergences directly, so small
    disagreements keep their precision.

    References
    ----------
    McCallum and Nigam (1998), "Employing EM and pool-based active learning for text
    classification", *ICML*.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.5, 0.5]]])
    >>> kl_to_consensus(samples).round(5)
    array([0.0067 , 0.00506])
    """
    log_mean = log(average_draws(samples))

    def divergence(p: FloatArray) -> Scores:
        terms = log(p)
        terms -= log_mean
        terms *= p
        return terms @ np.ones(p.shape[1])  # several times faster than a sum over short rows

    return mean_over_draws(divergence, samples)


@check_input()
def variation_ratio(samples: FloatArray) -> Scores:
    r"""Return the share of the committee that does not vote for the most popular class.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities (or one-hot votes) of each member, member axis first. A member votes
        for its most likely class, the first of them if several tie.

    Returns
    -------
    ndarray of shape (n_rows,)
        Shares from 0 (unanimous) to :math:`1 - 1/\min(S, C)`.

    Notes
    -----
    .. math:: u(x) = 1 - \max_y V_y(x) / S

    References
    ----------
    Freeman (1965), *Elementary Applied Statistics*; for deep networks Gal, Islam and Ghahramani
    (2017), :doi:`10.48550/arXiv.1703.02910`.

    Examples
    --------
    >>> import numpy as np
    >>> votes = np.eye(3)[[[0, 0, 2], [1, 0, 2], [2, 1, 2]]]  # three members, three rows
    >>> variation_ratio(votes).round(4)
    array([0.6667, 0.3333, 0.    ])
    """
    return 1 - _count_votes(samples).max(axis=1) / len(samples)


@check_input()
def mean_standard_deviation(samples: FloatArray) -> Scores:
    r"""Return the standard deviation over the draws, averaged over the classes.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_rows, n_classes)
        Class probabilities under each draw, draw axis first.

    Returns
    -------
    ndarray of shape (n_rows,)
        Standard deviations (divided by the number of draws), from 0 to 0.5.

    Notes
    -----
    .. math::
        u(x) = \frac1C \sum_y \sqrt{\frac1S \sum_s \bigl(p_s(y \mid x) - \bar p(y \mid x)\bigr)^2}

    References
    ----------
    Kampffmeyer, Salberg and Jenssen (2016), :doi:`10.1109/CVPRW.2016.90`; Gal, Islam and
    Ghahramani (2017), :doi:`10.48550/arXiv.1703.02910`.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.array([[[0.3, 0.7], [0.4, 0.6]], [[0.2, 0.8], [0.4, 0.6]]])
    >>> mean_standard_deviation(samples).round(4)
    array([0.05, 0.  ])
    """
    mean = average_draws(samples)
    variance = mean_over_draws(lambda p: np.square(p - mean), samples)  # (n_rows, n_classes)
    return np.sqrt(variance).mean(axis=1)


def average_draws(samples: FloatArray) -> Scores:
    """Return the mean over draws, (n_rows, n_classes)."""
    return samples.mean(axis=0, dtype=np.float64)


def mean_over_draws(score: Callable[[FloatArray], Scores], samples: FloatArray) -> Scores:
    """Average ``score(draw)`` one draw at a time, with temporaries of a single draw."""
    total = score(samples[0])
    for draw in samples[1:]:
        total += score(draw)
    return total / len(samples)


def _count_votes(samples: FloatArray) -> Scores:
    """Count the hard votes, (n_rows, n_classes)."""
    _, n_rows, n_classes = samples.shape
    votes, rows = np.zeros((n_rows, n_classes)), np.arange(n_rows)
    for member in samples:
        votes[rows, member.argmax(axis=1)] += 1
    return votes
