"""Auto: the default strategy."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import softmax

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import Interval
from skactive._utils.constraints import SCORE_STRATEGY_OR_NONE
from skactive.exceptions import InvalidReadingError, SkactiveWarning
from skactive.selectors import PowerTop, top
from skactive.selectors._bandwidth import LazyBandwidths, SharedBandwidths
from skactive.selectors._coverage import cover_greedily, max_coverage_gains, weighted_sample
from skactive.strategies._base import ScoringStrategy
from skactive.strategies._coverage import coverage_weights
from skactive.strategies._pool_rows import draw_rows, labeled_embedding
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["Auto"]

# Number of times that the labeled rows and the batch would cover the pool if they were evenly
# spread. Twice was slightly better in trials than once or four times; it hardly matters.
_TARGET_COVERAGE = 2.0


class _Needs:
    """The embedding, and what the uncertainty reads; of the class, the readings of its default."""

    def __get__(self, strategy: Any, owner: Any = None) -> frozenset[str]:
        if strategy is None or strategy.uncertainty is None:
            return frozenset({"embedding", "proba|decision|std|X"})
        return frozenset({"embedding", *strategy.uncertainty.needs})


class Auto(ScoringStrategy):
    r"""Choose uncertain rows that are similar to many uncertain rows; the default strategy.

    .. math:: \arg\max_s \; u_s \sum_i u_i \,
        [k_s(z_i) - \max_{c \in L \cup S} k_c(z_i)]_+, \qquad u = 1 - (p_{(1)} - p_{(2)}),
        \quad k_s(z) = \exp(-\lVert z - z_s \rVert^2 / \sigma_s^2)

    greedily, one row at a time, with L the labeled rows, S the rows chosen before and :math:`u`
    the uncertainty of the model: by its margin, or the standard deviation of a regressor. While
    the model is uncertain about all rows this covers the pool; once it is certain about most rows,
    the rest lies along the boundaries of its classes. Each bandwidth :math:`\sigma_s` is such that
    its row covers the same share of the pool as any other row. It shrinks as the number of labels
    grows: the labeled rows and the batch, evenly spread, would cover the pool twice
    (:func:`skactive.selectors.effective_bandwidth`).

    **When:** always, to begin with. It starts cold: without a model, or with a regressor without
    standard deviations, all rows are equally uncertain and it covers the pool. Without an
    embedding, or if all rows coincide in it, it falls back to :class:`Margin`. It uses the model's
    probabilities, decision function or standard deviations if there are any. Columns of a dense
    embedding are scaled by their spread in the pool, so units do not matter.

    **When not:** where classes overlap, labels are noisy or the model cannot follow the boundary,
    rows stay uncertain however many are labeled there, and it goes on choosing among them, though
    spread out; :class:`Random` may then be better. Nor does it look for a rare class: once a few
    rows of a small group are labeled, the others near them count as covered, and :class:`Margin`
    finds more of them.

    Parameters
    ----------
    max_candidates : int, default=3000
        Number of candidates in a larger pool: a third with the highest uncertainty, a third drawn
        in proportion to the uncertainty, and a third drawn uniformly. Coverage is measured on a
        sample of a third of this size, drawn in proportion to the uncertainty.
    uncertainty : ScoringStrategy, default=None
        Scores the rows of a fitted model; None takes the margin. For models that predict several
        things per row, such as ``Aggregate(Margin())``.

    References
    ----------
    Bae, Oliveira and Sutherland, "Uncertainty herding: one active learning method for all label
    budgets", ICLR 2025, :doi:`10.48550/arXiv.2412.20644`, for the coverage of uncertain rows.
    There the model is calibrated, all rows share one bandwidth, the smallest distance between two
    labeled rows, and the uncertainty of the row itself does not count.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Auto
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Auto(), random_state=0)
    >>> start = learner.query(X, batch_size=10)  # before any row is labeled
    >>> len(set(y[start].tolist())) > 5
    True
    >>> learner.fit(X[start], y[start]).query(X, batch_size=3).shape
    (3,)
    """

    needs = _Needs()
    draws_scores = True  # in a large pool the candidates are a sample, and what they cover is one
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_candidates": [Interval(Integral, 3, None, closed="left")],
        "uncertainty": SCORE_STRATEGY_OR_NONE,
    }

    def __init__(
        self, *, max_candidates: int = 3000, uncertainty: ScoringStrategy | None = None
    ) -> None:
        self.max_candidates = max_candidates
        self.uncertainty = uncertainty

    def _name_parts(self) -> dict[str, Any]:
        return {"uncertainty": Margin() if self.uncertainty is None else self.uncertainty}

    def _score_uncertainty(self, pool: PoolView) -> Floats:
        if self.uncertainty is None:
            return _score_uncertainty(pool)
        return coverage_weights(self.uncertainty.score_in_chunks(pool))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, by uncertainty times added coverage of uncertain rows."""
        uncertainty, rng = self._score_uncertainty(pool), pool.random_state
        points = self._embed(pool, uncertainty, batch_size)
        if points is None:
            return top(uncertainty, batch_size, rng)
        options = _pose(points, uncertainty, batch_size)
        picks = cover_greedily(points.candidates, batch_size, **options, random_state=rng)
        return points.positions[picks]

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by uncertainty times the coverage that each alone adds, shape (n_rows,).

        In a pool of more than `max_candidates` rows, `select` considers a sample of them only: a
        row that is no candidate may have a higher score than the first that it chooses.
        """
        return self.explain(pool)["score"]

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the uncertainty, the coverage that each row alone adds, and their product."""
        uncertainty = self._score_uncertainty(pool)
        points = self._embed(pool, uncertainty, 1)
        if points is None:
            return {"uncertainty": uncertainty, "score": uncertainty}
        if len(points.positions) < len(pool):
            all_rows = pool.embedding / points.scale
            points = points._replace(positions=np.arange(len(pool)), candidates=all_rows)
        options = _pose(points, np.ones(len(pool)), 1)
        gains = max_coverage_gains(points.candidates, **options, random_state=pool.random_state)
        return {"uncertainty": uncertainty, "added coverage": gains, "score": uncertainty * gains}

    def _embed(self, pool: PoolView, uncertainty: Floats, batch_size: int) -> _Embeddings | None:
        """Return scaled embeddings; None without an embedding, or if all rows coincide in it."""
        n_rows, rng, third = len(pool), pool.random_state, self.max_candidates // 3
        uniform = draw_rows(pool, third)
        positions = self._draw_candidates(uncertainty, batch_size, uniform, rng)
        try:
            embedding = (pool if len(positions) == n_rows else pool.take(positions)).embedding
            labeled = labeled_embedding(pool)
        except InvalidReadingError as error:
            has_margins = pool.provides("proba") or pool.provides("decision")
            how = "by margin alone" if has_margins else "at random"
            how = how if self.uncertainty is None else "by uncertainty alone"
            warnings.warn(f"Auto chooses {how} here. {error}", SkactiveWarning, stacklevel=2)
            return None
        scale = _column_scale(embedding)
        if scale is None:
            return None
        embedding, reference, weights = embedding / scale, None, uncertainty
        if len(positions) < n_rows:
            rows, weights = weighted_sample(uncertainty, third, rng)
            reference = pool.take(rows).embedding / scale
        return _Embeddings(
            positions,
            embedding,
            embedding[np.searchsorted(positions, uniform)],
            reference,
            weights,
            None if labeled is None else labeled / scale,
            scale,
        )

    def _draw_candidates(
        self, uncertainty: Floats, batch_size: int, uniform: Positions, rng: np.random.RandomState
    ) -> Positions:
        """Return the candidates of a large pool, sorted by position; all rows of a small one."""
        if len(uncertainty) <= max(self.max_candidates, batch_size):
            return np.arange(len(uncertainty))
        third = max(batch_size, self.max_candidates // 3)
        parts = [top(uncertainty, third, rng), PowerTop()(uncertainty, third, rng), uniform]
        return np.unique(np.concatenate(parts))


class _Embeddings(NamedTuple):
    """Embeddings of the rows that the search needs, each column divided by its spread.

    Attributes
    ----------
    positions : ndarray of shape (n_candidates,)
        Positions of the candidates in the pool, in ascending order.
    candidates : ndarray or sparse matrix of shape (n_candidates, n_dims)
        The rows to choose from.
    uniform : ndarray or sparse matrix of shape (n_uniform, n_dims)
        Those of them that are drawn uniformly from the pool.
    reference : ndarray or sparse matrix of shape (n_reference, n_dims) or None
        The rows to be covered; None stands for the candidates.
    weights : ndarray of shape (n_reference,)
        Weights of the rows to be covered.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims) or None
        The labeled rows, if there are any.
    scale : ndarray of shape (n_dims,) or float
        The spread of the columns.
    """

    positions: Positions
    candidates: Any
    uniform: Any
    reference: Any
    weights: Floats
    labeled: Any
    scale: Any


def _pose(points: _Embeddings, uncertainty: Floats, batch_size: int) -> dict[str, Any]:
    """Return the options of the coverage that a batch is to increase most."""
    n_labeled = 0 if points.labeled is None else points.labeled.shape[0]
    n_chosen = (n_labeled + batch_size) / _TARGET_COVERAGE
    shared = SharedBandwidths(points.uniform, n_chosen, tolerance=2e-6)
    return {
        "labeled": points.labeled,
        "reference": points.reference,
        "weights": points.weights,
        "candidate_weights": uncertainty[points.positions],
        "bandwidth": LazyBandwidths(shared, points.candidates),
        "labeled_bandwidth": None if points.labeled is None else shared.solve(points.labeled),
        "max_reference": None,
    }


def _score_uncertainty(pool: PoolView) -> Floats:
    """Return 1 minus the margin, or the deviation of numbers, (n_rows,); ones without either."""
    if pool.provides("proba"):
        uncertainty = scores.margin(pool.proba)
    elif pool.provides("decision"):
        uncertainty = scores.margin(_decision_to_proba(pool.decision))
    elif pool.provides("std"):
        uncertainty = _scale_deviation(pool.std)
    else:
        return np.ones(len(pool))
    return coverage_weights(uncertainty)


def _scale_deviation(std: Floats) -> Floats:
    """Return deviations as a share of the largest, (n_rows,), averaged over the outputs."""
    columns = std.reshape(len(std), -1)  # (n_rows, n_outputs)
    largest = columns.max(axis=0, initial=0.0)
    return (columns / np.where(largest > 0.0, largest, 1.0)).mean(axis=1)


def _decision_to_proba(decision: Floats) -> Floats:
    """Return the softmax of a decision function, which has one column for two classes."""
    if decision.ndim > 1:  # (n_rows, n_classes)
        return softmax(decision, axis=1)
    # Such models are mostly fitted to targets of -1 and 1 (least squares, the hinge loss), so that
    # (1 + decision) / 2 is the probability near the boundary: there the logistic function of twice
    # the decision has the same slope.
    return softmax(np.column_stack([-decision, decision]), axis=1)


def _column_scale(embedding: Any) -> Any:
    """Return the scale of the columns, or None if all rows are equal.

    The scale of sparse embeddings is 1: their columns are deliberately weighted, as by tf-idf.
    """
    if sparse.issparse(embedding):
        return 1.0 if embedding.nnz else None
    spread = embedding.std(axis=0)
    # The spread of a constant column may be a rounding error.
    rounding = 8 * np.finfo(spread.dtype).eps * np.abs(embedding).max(axis=0)
    if not (varies := spread > rounding).any():
        return None
    return np.where(varies, spread, 1.0).astype(embedding.dtype, copy=False)
