"""Scores turn predictions into one number per row; higher is always more informative.

Every function is pure: arrays in, a new ``float64`` array of shape ``(n_rows,)`` out. Probabilities
may be exactly zero: logarithms take their limits, and nothing is added to avoid them.

* From class probabilities: :func:`least_confidence`, :func:`margin`, :func:`margin_ratio`,
  :func:`entropy`; from decision values: :func:`decision_margin`.
* From several draws of class probabilities (a committee, an ensemble, dropout):
  :func:`mutual_information`, :func:`expected_predictive_information_gain`, :func:`vote_entropy`,
  :func:`consensus_entropy`, :func:`kl_to_consensus`, :func:`variation_ratio`,
  :func:`mean_standard_deviation`.
* With an embedding: :func:`expected_gradient_length`, :func:`information_density`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Positions
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._engine.density import sum_similarities
from skactive.selectors._engine.design_rows import squared_row_norms
from skactive.selectors._engine.points import slices

__all__ = [
    "consensus_entropy",
    "decision_margin",
    "entropy",
    "expected_gradient_length",
    "expected_predictive_information_gain",
    "information_density",
    "kl_to_consensus",
    "least_confidence",
    "margin",
    "margin_ratio",
    "mean_standard_deviation",
    "mutual_information",
    "variation_ratio",
    "vote_entropy",
]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
Scores: TypeAlias = NDArray[np.float64]
SparseRows: TypeAlias = sparse.sparray | sparse.spmatrix

# How far from 1 the sum of probabilities may be; a softmax in single precision over thousands of
# classes stays well within it.
SUM_TOLERANCE = 1e-3
# A block of rows that fits the cache of one core is read from memory once, however often the
# arithmetic passes over it; below a few hundred rows, the calls cost more than the arithmetic.
_SCORE_BLOCK_BYTES = 2**19
_MIN_SCORE_BLOCK_ROWS = 256
# Above this many rows, densities are estimated from a sample.
_MAX_EXACT_ROWS = 20_000


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
    return _score_by_blocks(lambda p: 1 - p.max(axis=0), proba)


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
    return _score_by_blocks(lambda p: 1 - np.subtract(*_two_largest(p, floor=0.0)), proba)


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
        first, second = _two_largest(p, floor=0.0)
        if not first.all():
            raise ValueError("proba must have a positive probability in every row.")
        return second / first

    return _score_by_blocks(ratio, proba)


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
    return _score_by_blocks(lambda d: np.subtract(*_two_largest(d, floor=-np.inf)[::-1]), decision)


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
    return _score_by_blocks(lambda p: _sum(_entropy_terms(p)), proba)


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
    gain = consensus_entropy(samples) - _mean_over_draws(entropy, samples)
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
    return entropy(_consensus(samples))


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
    log_mean = _log(_consensus(samples))

    def divergence(p: FloatArray) -> Scores:
        terms = _log(p)
        terms -= log_mean
        terms *= p
        return terms @ np.ones(p.shape[1])  # several times faster than a sum over short rows

    return _mean_over_draws(divergence, samples)


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
    mean = _consensus(samples)
    variance = _mean_over_draws(lambda p: np.square(p - mean), samples)  # (n_rows, n_classes)
    return np.sqrt(variance).mean(axis=1)


@check_input()
def expected_gradient_length(proba: FloatArray, embedding: FloatArray | SparseRows) -> Scores:
    r"""Return the expected norm of the gradient of the log loss in a softmax output layer.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    embedding : ndarray or sparse matrix of shape (n_rows, n_dims)
        Input of the output layer; append a column of ones to include its bias.

    Returns
    -------
    ndarray of shape (n_rows,)
        Expected Euclidean norms, at least 0, in the unit of ``embedding``.

    Notes
    -----
    The gradient for label :math:`y` is the outer product of :math:`p - e_y` and the embedding
    :math:`h`, so its norm is known without building it:

    .. math::
        u(x) = \lVert h \rVert \sum_y p_y \lVert p - e_y \rVert, \qquad
        \lVert p - e_y \rVert^2 = \lVert p \rVert^2 - 2 p_y + 1

    References
    ----------
    Settles and Craven (2008), :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> import numpy as np
    >>> proba = np.array([[0.5, 0.5], [1.0, 0.0]])
    >>> expected_gradient_length(proba, np.array([[3.0, 4.0], [3.0, 4.0]])).round(4)
    array([3.5355, 0.    ])
    """
    norms = np.sqrt(squared_row_norms(embedding))
    return _score_by_blocks(_expected_residual_norm, proba) * norms


@check_input()
def information_density(
    X: FloatArray | SparseRows,
    *,
    metric: str | Callable[..., float] = "euclidean",
    max_reference: int | None = 1_000,
    random_state: Seed = None,
) -> Scores:
    r"""Return the mean similarity of each row to all rows.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    metric : str or callable, default="euclidean"
        Distance, as in :func:`sklearn.metrics.pairwise_distances`.
    max_reference : int or None, default=1_000
        Number of rows to sample if there are more than 20,000: similarities are then to the sample
        only. If None, all rows are used, in time quadratic in their number.
    random_state : int, RandomState or None, default=None
        Seed for the sample.

    Returns
    -------
    ndarray of shape (n_rows,)
        Densities from :math:`1/n` (an outlier) to 1 (all rows coincide).

    Notes
    -----
    .. math:: u(x) = \frac1n \sum_{x'} \frac{1}{1 + d(x, x')}

    The row itself counts, with similarity 1. Without a sample, all pairs are visited, in blocks:
    time is quadratic in :math:`n`, memory is not. Distances of float32 rows are computed in
    float32, and densities have a relative error of about :math:`10^{-6}`.

    With a sample of :math:`m` rows, drawn without replacement and the same for all rows, the
    density is unbiased and its standard error is at most :math:`\sqrt{u (1 - u) / (m - 1)}`: below
    0.016 for :math:`m = 1000`, and usually far below, since similarities lie in [0, 1] and rarely
    at its ends. For any one row, the error exceeds :math:`\epsilon` with probability at most
    :math:`2 \exp(-2 (m - 1) \epsilon^2)` (Hoeffding): it exceeds 0.043 in at most 1 of 20 cases.

    References
    ----------
    Settles and Craven (2008), :doi:`10.3115/1613715.1613855`; the bound, Hoeffding (1963),
    :doi:`10.1080/01621459.1963.10500830`.

    Examples
    --------
    >>> import numpy as np
    >>> information_density(np.array([[0.0], [1.0], [3.0]])).round(4)
    array([0.5833, 0.6111, 0.5278])
    """
    n_rows = X.shape[0]
    if n_rows == 0:
        return np.empty(0)
    references = None
    if metric != "precomputed" and max_reference is not None:
        references = _draw_references(n_rows, max_reference, random_state)
    total = sum_similarities(X, references, metric)
    if references is None:
        return total / n_rows
    # For a row in the sample, the sum contains its similarity to itself: leave that out.
    in_sample = np.zeros(n_rows)
    in_sample[references] = 1.0
    mean_to_others = (total - in_sample) / np.maximum(len(references) - in_sample, 1.0)
    return (1.0 + (n_rows - 1) * mean_to_others) / n_rows


def _score_by_blocks(score: Callable[[Scores], Scores], values: FloatArray) -> Scores:
    """Apply ``score`` to blocks of rows, each transposed to (n_classes, n_block_rows).

    With the classes first, an operation over classes runs along whole vectors of rows, which is
    several times faster than reducing short rows; float32 becomes float64 a block at a time.
    """
    n_rows, n_classes = values.shape
    size = max(_MIN_SCORE_BLOCK_ROWS, _SCORE_BLOCK_BYTES // (8 * n_classes))
    result = np.empty(n_rows)
    for rows in slices(n_rows, size):
        result[rows] = score(np.ascontiguousarray(values[rows].T, dtype=np.float64))
    return result


def _two_largest(values: Scores, *, floor: float) -> tuple[Scores, Scores]:
    """Return the largest and second largest over the first axis.

    If there is only one value, the second is ``floor``.
    """
    first, second = values[0].copy(), np.full(values.shape[1], floor)
    lesser = np.empty_like(first)
    for value in values[1:]:
        np.minimum(first, value, out=lesser)
        np.maximum(second, lesser, out=second)
        np.maximum(first, value, out=first)
    return first, second


def _entropy_terms(p: Scores) -> Scores:
    """Return -p log p, exactly 0 where p is 0: as scipy's ``entr``, but several times faster."""
    terms = _log(p)
    terms *= p
    return np.negative(terms, out=terms)


def _log(p: FloatArray) -> Scores:
    """Return log p in float64; finite where p is 0, so that 0 log 0 is exactly 0."""
    return np.log(np.maximum(p, np.finfo(np.float64).tiny, dtype=np.float64))


def _sum(terms: Scores) -> Scores:
    """Sum over the first axis in a fixed order, so that scores do not depend on the block."""
    return reduce(np.add, terms)


def _consensus(samples: FloatArray) -> Scores:
    """Return the mean over draws, (n_rows, n_classes)."""
    return samples.mean(axis=0, dtype=np.float64)


def _mean_over_draws(score: Callable[[FloatArray], Scores], samples: FloatArray) -> Scores:
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
    return _entropy_terms(joint).sum(axis=1).reshape(-1, n_classes).sum(axis=1)


def _flatten_rows(samples: FloatArray) -> Scores:
    """Flatten rows and classes, (n_samples, n_rows * n_classes)."""
    return np.asarray(samples, dtype=np.float64).reshape(len(samples), -1)


def _get_working_bytes() -> int:
    """Return a quarter of scikit-learn's working memory, which other temporaries share.

    At most 4 MiB, which fit the last cache: a larger temporary is slower.
    """
    return min(int(sklearn.get_config()["working_memory"] * 2**20 / 4), 2**22)


def _expected_residual_norm(p: Scores) -> Scores:
    """Return sum_y p_y ||p - e_y|| for p of shape (n_classes, n_block_rows)."""
    squared = _sum(np.square(p)) - 2 * p + 1
    # For a certain prediction, rounding can make the zero slightly negative.
    return _sum(p * np.sqrt(np.maximum(squared, 0.0)))


def _draw_references(n_rows: int, size: int, random_state: Seed) -> Positions | None:
    """Return the sorted positions of a random sample of rows; None if all rows are to be used."""
    if n_rows <= max(size, _MAX_EXACT_ROWS):
        return None
    order = make_random_state(random_state).permutation(n_rows)
    return np.sort(order[:size]).astype(np.intp, copy=False)
