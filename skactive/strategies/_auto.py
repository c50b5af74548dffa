"""Auto: the default, which needs no choice."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from skactive import scores
from skactive._compat import Interval
from skactive.exceptions import InvalidReadingError, SkactiveWarning
from skactive.selectors import PowerTop, effective_bandwidth, max_coverage, top
from skactive.selectors._coverage import weighted_sample
from skactive.strategies._base import Positions, Strategy
from skactive.strategies._coverage import weights_of
from skactive.strategies._diversity import labeled_embedding

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["Auto"]

Floats = NDArray[np.float64]

# How many times the labelled rows and the batch are to cover the pool, were they well spread: twice
# was a little better in trials than once or four times, and it hardly matters.
_OVERLAP = 2.0


class Auto(Strategy):
    r"""Choose rows that are together most similar to the rows in doubt; the library's default.

    .. math:: \max_S \sum_i u_i^2 \max_{s \in L \cup S} \exp(-\lVert z_i - z_s \rVert^2 / \sigma^2),
        \qquad u = 1 - (p_{(1)} - p_{(2)})

    row by row, each the one that adds most, with L the labelled rows and :math:`u` the doubt of the
    model by its margin. While the model is unsure of everything this covers the pool; as it
    becomes sure of most rows, what is left to cover lies along the boundaries of its classes. The
    length :math:`\sigma` falls as labels grow: the labelled rows and the batch, well spread, would
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
        drawn in proportion to :math:`u^2`.

    References
    ----------
    Bae, Oliveira and Sutherland, "Uncertainty herding: one active learning method for all label
    budgets", ICLR 2025, :doi:`10.48550/arXiv.2412.20644`, for the coverage of doubt. There
    :math:`u` is not squared but calibrated, and :math:`\sigma` is the least distance of two
    labelled rows.

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
        """Choose rows one by one, each the one that adds most coverage of doubt."""
        doubt, n_labeled = _doubt(pool), 0 if pool.labeled is None else len(pool.labeled)
        candidates = self._candidates(doubt, batch_size, pool.random_state)
        points = self._points(pool, candidates, doubt)
        if points is None:
            return top(doubt, batch_size, pool.random_state)
        picks = max_coverage(
            points.candidates,
            batch_size,
            labeled=points.labeled,
            reference=points.reference,
            weights=points.weights,
            bandwidth=effective_bandwidth(
                points.candidates if points.reference is None else points.reference,
                (n_labeled + batch_size) / _OVERLAP,
                random_state=pool.random_state,
            ),
            max_reference=None,
            random_state=pool.random_state,
        )
        return candidates[picks]

    def _candidates(self, doubt: Floats, batch_size: int, rng: np.random.RandomState) -> Positions:
        """Return the rows to look at: all, or some by doubt, some by chance, some by both."""
        third = max(batch_size, self.max_candidates // 3)
        if len(doubt) <= max(self.max_candidates, batch_size):
            return np.arange(len(doubt))
        parts = [
            top(doubt, third, rng),
            PowerTop()(doubt, third, rng),
            rng.permutation(len(doubt))[:third],
        ]
        return np.unique(np.concatenate(parts))

    def _points(self, pool: PoolView, candidates: Positions, doubt: Floats) -> _Points | None:
        """Return where rows lie; None where they make no embedding, or it tells none apart."""
        try:
            embedding = (pool if len(candidates) == len(pool) else pool.take(candidates)).embedding
        except InvalidReadingError as error:
            warnings.warn(
                f"Auto chooses by margin alone here. {error}", SkactiveWarning, stacklevel=2
            )
            return None
        reference, weights, labeled = None, np.square(doubt), labeled_embedding(pool)
        if len(candidates) < len(pool):
            rows, weights = weighted_sample(weights, self.max_candidates // 3, pool.random_state)
            reference = pool.take(rows).embedding
        scale = _scale(embedding)
        if scale is None:
            return None
        return _Points(
            embedding / scale,
            None if reference is None else reference / scale,
            None if labeled is None else labeled / scale,
            weights,
        )


class _Points(NamedTuple):
    """Where rows lie, each column divided by its spread.

    Attributes
    ----------
    candidates, reference, labeled : ndarray or sparse matrix of shape (n, n_dims)
        Rows to choose from, to be covered (None: the candidates), and labelled (None: none are).
    weights : ndarray of shape (n_reference,)
        What each row to be covered is worth.
    """

    candidates: Any
    reference: Any
    labeled: Any
    weights: Floats


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
