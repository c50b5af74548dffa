"""Auto: the default, which needs no choice."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from skactive import scores
from skactive._utils.compat import Interval
from skactive.exceptions import InvalidReadingError, SkactiveWarning
from skactive.selectors import PowerTop, effective_bandwidth, max_coverage, top
from skactive.selectors._coverage import weighted_sample
from skactive.strategies._base import Positions, Strategy
from skactive.strategies._coverage import weights_of
from skactive.strategies._diversity import labeled_embedding

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["Auto"]

Floats = NDArray[np.float64]

# How many times the labeled rows and the batch are to cover the pool, were they well spread: twice
# was a little better in trials than once or four times, and it hardly matters.
_OVERLAP = 2.0


class Auto(Strategy):
    r"""Choose rows in doubt that are similar to many rows in doubt; the library's default.

    .. math:: \arg\max_s \; u_s \sum_i u_i \,
        [k_s(z_i) - \max_{c \in L \cup S} k_c(z_i)]_+, \qquad u = 1 - (p_{(1)} - p_{(2)}),
        \quad k_s(z) = \exp(-\lVert z - z_s \rVert^2 / \sigma_s^2)

    row by row, with L the labeled rows, S those chosen before and :math:`u` the doubt of the
    model by its margin. While the model is unsure of everything this covers the pool; as it
    becomes sure of most rows, what is left to cover lies along the boundaries of its classes. Each
    length :math:`\sigma_s` is such that the row covers the same share of the pool as any other,
    wherever it lies, and falls as labels grow: the labeled rows and the batch, well spread, would
    cover the pool twice over (:func:`skactive.selectors.effective_bandwidth`).

    **When:** always, to begin with. It starts cold: without a model, and with a regressor, all rows
    are in doubt and it covers the pool. Where rows make no embedding, or all of them coincide in
    it, it is :class:`Margin`. Of the model it takes probabilities or a decision function, if it
    gives either. Columns of a dense embedding count by their spread in the pool, not by their unit.

    Parameters
    ----------
    max_candidates : int, default=3000
        In a larger pool so many rows are candidates: a third each of the highest doubt, drawn in
        proportion to doubt, and drawn evenly. Coverage is measured on a sample of a third as many,
        drawn in proportion to doubt.

    References
    ----------
    Bae, Oliveira and Sutherland, "Uncertainty herding: one active learning method for all label
    budgets", ICLR 2025, :doi:`10.48550/arXiv.2412.20644`, for the coverage of doubt. There the
    model is calibrated, all rows have one length, the least distance of two labeled rows, and
    the doubt of the row itself does not count.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Auto
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Auto(), random_state=0)
    >>> start = learner.query(X, batch_size=10)  # before there is any label
    >>> len(set(y[start].tolist())) > 5
    True
    >>> learner.fit(X[start], y[start]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding", "proba|decision|X"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_candidates": [Interval(Integral, 3, None, closed="left")],
    }

    def __init__(self, *, max_candidates: int = 3000) -> None:
        self.max_candidates = max_candidates

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the one in doubt that adds most coverage of doubt."""
        doubt, rng = _doubt(pool), pool.random_state
        points = self._points(pool, doubt, batch_size)
        if points is None:
            return top(doubt, batch_size, rng)
        n_known = batch_size if points.labeled is None else batch_size + points.labeled.shape[0]
        lengths = partial(effective_bandwidth, points.evenly, n_known / _OVERLAP)
        picks = max_coverage(
            points.candidates,
            batch_size,
            labeled=points.labeled,
            reference=points.reference,
            weights=points.weights,
            worth=doubt[points.positions],
            bandwidth=lengths(at=points.candidates),
            labeled_bandwidth=None if points.labeled is None else lengths(at=points.labeled),
            max_reference=None,
            random_state=rng,
        )
        return points.positions[picks]

    def _points(self, pool: PoolView, doubt: Floats, batch_size: int) -> _Points | None:
        """Return where rows lie; None where they make no embedding, or it tells none apart."""
        n_rows, rng, third = len(pool), pool.random_state, self.max_candidates // 3
        evenly = np.sort(rng.permutation(n_rows)[:third])
        positions = self._candidates(doubt, batch_size, evenly, rng)
        try:
            embedding = (pool if len(positions) == n_rows else pool.take(positions)).embedding
        except InvalidReadingError as error:
            warnings.warn(
                f"Auto chooses by margin alone here. {error}", SkactiveWarning, stacklevel=2
            )
            return None
        scale = _scale(embedding)
        if scale is None:
            return None
        embedding, reference, weights = embedding / scale, None, doubt
        if len(positions) < n_rows:
            rows, weights = weighted_sample(doubt, third, rng)
            reference = pool.take(rows).embedding / scale
        labeled = labeled_embedding(pool)
        return _Points(
            positions,
            embedding,
            embedding[np.searchsorted(positions, evenly)],
            reference,
            weights,
            None if labeled is None else labeled / scale,
        )

    def _candidates(
        self, doubt: Floats, batch_size: int, evenly: Positions, rng: np.random.RandomState
    ) -> Positions:
        """Return the rows to choose from: all, or some by doubt, some by chance, some by both."""
        if len(doubt) <= max(self.max_candidates, batch_size):
            return np.arange(len(doubt))
        third = max(batch_size, self.max_candidates // 3)
        parts = [top(doubt, third, rng), PowerTop()(doubt, third, rng), evenly]
        return np.unique(np.concatenate(parts))


class _Points(NamedTuple):
    """Where rows lie, each column divided by its spread.

    Attributes
    ----------
    positions : ndarray of shape (n_candidates,)
        The rows to choose from, in ascending order.
    candidates, evenly : ndarray or sparse matrix of shape (n, n_dims)
        Those rows, and those of them that are drawn from the pool evenly.
    reference : ndarray or sparse matrix of shape (n_reference, n_dims) or None
        The rows to be covered; None are the candidates.
    weights : ndarray of shape (n_reference,)
        What each row to be covered is worth.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims) or None
        The labeled rows, if there are any.
    """

    positions: Positions
    candidates: Any
    evenly: Any
    reference: Any
    weights: Floats
    labeled: Any


def _doubt(pool: PoolView) -> Floats:
    """Return 1 minus the margin of the probabilities, shape (n_rows,); ones without a model."""
    if pool.provides("proba"):
        doubt = scores.margin(pool.proba)
    elif pool.provides("decision"):
        doubt = scores.margin(_softmax(pool.decision))
    else:
        return np.ones(len(pool))
    return weights_of(doubt)


def _softmax(decision: Floats) -> Floats:
    """Make probabilities of a decision function, of one column for two classes."""
    if decision.ndim > 1:
        return softmax(decision, axis=1)
    # Such models are mostly fitted to targets of -1 and 1 (least squares, the hinge loss), so that
    # (1 + decision) / 2 is the probability near the boundary: there the logistic function of twice
    # the decision has the same slope.
    return softmax(np.column_stack([-decision, decision]), axis=1)


def _scale(embedding: Any) -> Any:
    """Return what to divide the columns by, or None if the rows are all the same.

    Sparse embeddings stay as they are: their weights have been chosen with care.
    """
    if sparse.issparse(embedding):
        return 1.0 if embedding.nnz else None
    spread = embedding.std(axis=0)
    if not spread.any():
        return None
    return np.where(spread > 0, spread, 1.0).astype(embedding.dtype, copy=False)
