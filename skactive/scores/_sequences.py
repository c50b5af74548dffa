"""Scores of sequences: of tags, by the tokens, and of texts, by the most likely hypotheses."""

from __future__ import annotations

from functools import partial

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.element_kinds import check_cuts, check_lengths, match_elements
from skactive._utils.input_kinds import check_number, check_vector
from skactive._utils.public_input import check_input
from skactive._utils.ragged import reduce_rows
from skactive.scores._arithmetic import FloatArray, Scores, entropy_terms
from skactive.scores._uncertainty import least_confidence

__all__ = ["length_normalized_loss", "mnlp", "n_best_entropy", "n_best_margin"]


@check_input(offsets=check_cuts)
def mnlp(proba: FloatArray, offsets: Positions) -> Scores:
    r"""Return minus the maximum normalized log-probability of each sequence (MNLP).

    Parameters
    ----------
    proba : ndarray of shape (n_tokens, n_classes)
        Class probabilities of the tokens of all sequences, one sequence after the other.
    offsets : ndarray of shape (n_sequences + 1,)
        Sequence i has the tokens ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_sequences,)
        Nats per token, from 0 (certain, or no token) to :math:`\log C`.

    Notes
    -----
    .. math:: u = -\max_{y_1, \dots, y_n} \frac1n \sum_{i=1}^{n} \log p(y_i \mid x)
        = -\frac1n \sum_{i=1}^{n} \log \max_y p(y \mid x_i)

    for tokens that are tagged each by itself; of a model that gives the probability of the best
    tags together, such as a conditional random field, it is :func:`length_normalized_loss`.
    Without the division by n, long sequences come first.

    References
    ----------
    Shen, Yun, Lipton, Kronrod and Anandkumar (2017), :doi:`10.48550/arXiv.1707.05928`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]])
    >>> mnlp(proba, np.array([0, 2, 3])).round(4)
    array([0.3466, 0.2231])
    """
    match_elements(offsets, proba=proba)
    # Below 1, so that tokens without any probability do not count as infinitely uncertain.
    lost = -np.log1p(-np.minimum(least_confidence(proba), 1.0 - np.finfo(np.float64).eps))
    return reduce_rows(np.add, lost, offsets) / np.maximum(np.diff(offsets), 1)


@check_input(
    log_likelihood=check_vector,
    lengths=check_lengths,
    offsets=check_cuts,
    alpha=partial(check_number, low=0.0),
)
def length_normalized_loss(
    log_likelihood: FloatArray, lengths: FloatArray, offsets: Positions, alpha: float = 1.0
) -> Scores:
    r"""Return minus the length-normalized log-likelihood of the best hypothesis of each row.

    Parameters
    ----------
    log_likelihood : ndarray of shape (n_hypotheses,)
        Logarithms of the probabilities of the hypotheses of all rows, row after row.
    lengths : ndarray of shape (n_hypotheses,)
        Their numbers of tokens, at least 1.
    offsets : ndarray of shape (n_rows + 1,)
        Row i has the hypotheses ``offsets[i]:offsets[i + 1]``.
    alpha : float, default=1.0
        The power of the length: 0 does not normalize, 1 gives nats per token.

    Returns
    -------
    ndarray of shape (n_rows,)
        At least 0 for probabilities; 0 for rows without a hypothesis.

    Notes
    -----
    .. math:: u = -\max_h \frac{1}{n_h^\alpha} \log p(h \mid x)

    References
    ----------
    Shen, Yun, Lipton, Kronrod and Anandkumar (2017), :doi:`10.48550/arXiv.1707.05928`, with
    :math:`\alpha = 1`.

    Examples
    --------
    >>> import numpy as np
    >>> losses = np.array([-4.0, -3.0, -2.0])
    >>> length_normalized_loss(losses, np.array([8.0, 2.0, 1.0]), np.array([0, 2, 3]))
    array([0.5, 2. ])
    """
    match_elements(offsets, log_likelihood=log_likelihood, lengths=lengths)
    return reduce_rows(np.minimum, -log_likelihood / lengths**alpha, offsets)


@check_input(log_likelihood=check_vector, offsets=check_cuts)
def n_best_entropy(log_likelihood: FloatArray, offsets: Positions) -> Scores:
    r"""Return the entropy over the most likely hypotheses of each row, in nats.

    Parameters
    ----------
    log_likelihood : ndarray of shape (n_hypotheses,)
        Logarithms of the probabilities of the hypotheses of all rows, row after row, each listed
        once.
    offsets : ndarray of shape (n_rows + 1,)
        Row i has the hypotheses ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        Entropies from 0 (one hypothesis, or none) to :math:`\log N`.

    Notes
    -----
    With the probabilities of the N listed hypotheses divided by their sum,

    .. math:: u = -\sum_{h=1}^{N} q_h \log q_h, \qquad
        q_h = p(h \mid x) \Big/ \sum_{k=1}^{N} p(k \mid x)

    References
    ----------
    Kim, Song, Kim, Cha and Lee, "MMR-based active machine learning for bio named entity
    recognition", HLT-NAACL 2006; Settles and Craven (2008), :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> import numpy as np
    >>> n_best_entropy(np.log([0.2, 0.2, 0.9, 0.05]), np.array([0, 2, 4])).round(4)
    array([0.6931, 0.2062])
    """
    share = _divide_by_sum(log_likelihood, offsets)
    return reduce_rows(np.add, entropy_terms(share), offsets)


@check_input(log_likelihood=check_vector, offsets=check_cuts)
def n_best_margin(log_likelihood: FloatArray, offsets: Positions) -> Scores:
    r"""Return one minus the gap between the two most likely hypotheses of each row.

    Parameters
    ----------
    log_likelihood : ndarray of shape (n_hypotheses,)
        Logarithms of the probabilities of the hypotheses of all rows, row after row, each listed
        once.
    offsets : ndarray of shape (n_rows + 1,)
        Row i has the hypotheses ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores from 0 (one hypothesis, or none) to 1 (the two best tie).

    Notes
    -----
    With :math:`q_1 \ge q_2` the two largest probabilities, divided by the sum of all that are
    listed,

    .. math:: u = 1 - (q_1 - q_2)

    References
    ----------
    Scheffer, Decomain and Wrobel (2001), :doi:`10.1007/3-540-44816-0_31`; for sequences, Settles
    and Craven (2008), :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> import numpy as np
    >>> n_best_margin(np.log([0.2, 0.2, 0.9, 0.1, 0.5]), np.array([0, 2, 4, 5])).round(4)
    array([1. , 0.2, 0. ])
    """
    share = _divide_by_sum(log_likelihood, offsets)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    ordered = share[np.lexsort((-share, owner))]  # in each row the most likely first
    first, several = offsets[:-1], np.diff(offsets) > 1
    scores = np.zeros(len(first))
    scores[several] = 1.0 - (ordered[first[several]] - ordered[first[several] + 1])
    return scores


def _divide_by_sum(log_likelihood: FloatArray, offsets: Positions) -> Scores:
    """Return probabilities divided by their sum in each row, shape (n_hypotheses,)."""
    match_elements(offsets, log_likelihood=log_likelihood)
    likelihood, lengths = np.asarray(log_likelihood, dtype=np.float64), np.diff(offsets)
    best = np.repeat(reduce_rows(np.maximum, likelihood, offsets), lengths)
    share: Scores = np.exp(likelihood - best)
    share /= np.repeat(reduce_rows(np.add, share, offsets), lengths)
    return share
