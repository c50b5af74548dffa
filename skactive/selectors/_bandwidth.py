"""How far a row reaches: lengths of kernels that are learnt from the rows."""

from __future__ import annotations

import math

import numpy as np
from scipy import sparse

from skactive._seeding import Seed, make_random_state
from skactive.selectors._points import DUPLICATE, Floats, Matrix, canonical

__all__ = ["effective_bandwidth"]

_SAMPLE = 512  # rows whose pairs are looked at: some 130,000 distances


def effective_bandwidth(
    X: Matrix, n_chosen: float, *, max_sample: int = _SAMPLE, random_state: Seed = None
) -> float:
    r"""Return the length at which so many rows, well chosen, would just share the pool.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    n_chosen : float
        How many rows are to share the pool: those labelled, and the batch. Fewer than 2 count as
        2: no row covers the whole pool by itself.
    max_sample : int, default=512
        Of more rows than this, a sample is looked at.
    random_state : int, RandomState or None, default=None
        Draws the sample.

    Returns
    -------
    float
        The length :math:`\sigma`; 1 where all rows coincide.

    Notes
    -----
    It solves, over all pairs of distinct points,

    .. math:: \operatorname{mean}_{i \ne j} \exp(-\lVert z_i - z_j \rVert^2 / \sigma^2)
        = \frac{1}{n_{\text{chosen}}}

    The mean is the share of the pool that a row covers on average. So rows that do not overlap
    cover all of it together, and the length falls by itself as labels grow. Unlike a length that
    is a distance of certain rows, it depends on no single row.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.selectors import effective_bandwidth
    >>> X = np.arange(100.0)[:, np.newaxis]
    >>> effective_bandwidth(X, n_chosen=2) > 5 * effective_bandwidth(X, n_chosen=10)
    True
    """
    squared = _squared_distances(X, max_sample, make_random_state(random_state))
    if not len(squared):
        return 1.0
    from scipy.optimize import brentq  # late: it takes a tenth of a second

    share = 1.0 / max(n_chosen, 2.0)
    # As all pairs would be, if they were as far apart as the nearest or the farthest of them.
    low, high = (0.5 * math.log(end / -math.log(share)) for end in (squared.min(), squared.max()))
    if not low < high:
        return math.exp(high)
    length = brentq(lambda log: _covered(squared, log) - share, low - 1e-9, high + 1e-9, xtol=1e-9)
    return float(f"{math.exp(length):.7g}")  # free of what the order of the rows does to a sum


def _covered(squared: Floats, log_length: float) -> float:
    """Return the mean similarity of the pairs."""
    return float(np.exp(squared * -math.exp(-2 * log_length)).mean())


def _squared_distances(X: Matrix, max_sample: int, rng: np.random.RandomState) -> Floats:
    """Return the squared distances of all pairs of a sample that do not coincide."""
    rows = canonical(X)
    if rows.shape[0] > max_sample:
        rows = rows[np.sort(rng.permutation(rows.shape[0])[:max_sample])]
    rows = rows.astype(np.float64)
    if not sparse.issparse(rows):
        rows = rows - rows.mean(axis=0)
    gram = rows @ rows.T
    gram = gram.toarray() if sparse.issparse(gram) else gram
    first, second = np.triu_indices(len(gram), 1)
    norms = gram.diagonal()
    both = norms[first] + norms[second]
    squared = both - 2 * gram[first, second]
    return squared[squared > DUPLICATE * both]
