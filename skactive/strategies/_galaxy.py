"""Bisection: choose rows that locate the boundary between two classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.array_types import Positions
from skactive.selectors import galaxy, top
from skactive.strategies._base import Strategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["GALAXY"]

# Weight of the highest probability, which orders the rows that a class leads.
_CONFIDENCE_WEIGHT = 1e-8


class GALAXY(Strategy):
    r"""Choose rows halfway between labeled rows of different classes, for imbalanced classes.

    .. math:: m_k(x) = p_k(x) - (1 - 10^{-8}) \max_j p_j(x)

    ranks all rows once per class k: those predicted to be of another class by their distance to
    it, then those predicted to be of class k by their probability. Between two labeled rows, one
    of class k and one not, the class must change; the row in the middle of the shortest such
    interval of any ranking is chosen next (of equally short ones, any). If no row lies between
    them any more, the rows around the change are.

    **When:** some classes are very rare. Uncertainty sampling asks at the model's threshold, which
    few labels of a rare class locate badly; bisection asks where the labels change, so that about
    half of the chosen rows are of the rare class. The published method reads each label before it
    chooses the next row; within a batch this one uses the model's prediction instead, so small
    batches are better. As in the paper, each step takes the shortest interval of all classes;
    the authors' code takes that of one class, in turn. Needs probabilities. Without labels of two
    classes it chooses as :class:`Margin`. Time grows with the number of classes: it sorts the pool
    n_classes times.

    References
    ----------
    Zhang, Katz-Samuels and Nowak, "GALAXY: graph-based active learning at the extreme", ICML 2022,
    :doi:`10.48550/arXiv.2202.01402`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import GALAXY
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), GALAXY(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba"})
    randomized = True  # lengths of intervals are whole numbers, which tie often

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each in the middle of the shortest interval of class change."""
        proba, rng, labeled = pool.proba, pool.random_state, pool.labeled
        if labeled is None or len(np.unique(np.asarray(labeled.y))) < 2:
            return top(scores.margin(proba), batch_size, rng)
        return galaxy(
            _class_margins(proba),
            proba.argmax(axis=1),
            batch_size,
            labeled_scores=_class_margins(labeled.proba),
            labels=np.searchsorted(pool.classes, np.asarray(labeled.y)),
            random_state=rng,
        )


def _class_margins(proba: NDArray[Any]) -> NDArray[np.float64]:
    """Return the scores by which rows are ranked for each class, shape (n_rows, n_classes).

    They are the published ones: a row's best class has the score 1e-8 p, so that such rows are
    ordered by their probability and come after all others.
    """
    highest = proba.max(axis=1, keepdims=True).astype(np.float64)  # (n_rows, 1)
    return proba - highest + _CONFIDENCE_WEIGHT * highest
