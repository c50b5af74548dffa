"""Scores that read an embedding of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import sparse

from skactive._utils.array_types import Positions
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.scores._arithmetic import FloatArray, Scores, add_up, score_by_blocks
from skactive.selectors._engine.density import sum_similarities
from skactive.selectors._engine.design_rows import squared_row_norms

__all__ = ["expected_gradient_length", "information_density"]

SparseRows: TypeAlias = sparse.sparray | sparse.spmatrix

# Above this many rows, densities are estimated from a sample.
_MAX_EXACT_ROWS = 20_000


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
    return score_by_blocks(_expected_residual_norm, proba) * norms


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


def _expected_residual_norm(p: Scores) -> Scores:
    """Return sum_y p_y ||p - e_y|| for p of shape (n_classes, n_block_rows)."""
    squared = add_up(np.square(p)) - 2 * p + 1
    # For a certain prediction, rounding can make the zero slightly negative.
    return add_up(p * np.sqrt(np.maximum(squared, 0.0)))


def _draw_references(n_rows: int, size: int, random_state: Seed) -> Positions | None:
    """Return the sorted positions of a random sample of rows; None if all rows are to be used."""
    if n_rows <= max(size, _MAX_EXACT_ROWS):
        return None
    order = make_random_state(random_state).permutation(n_rows)
    return np.sort(order[:size]).astype(np.intp, copy=False)
