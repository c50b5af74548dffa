"""Bisection: rows that tell where one class ends and the next begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive.selectors import galaxy, top
from skactive.strategies._base import Positions, Strategy

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["GALAXY"]


class GALAXY(Strategy):
    r"""Choose rows half-way between labeled rows of different classes, for unbalanced classes.

    .. math:: m_k(x) = p_k(x) - \max_{j \ne k} p_j(x)

    orders all rows once for each class k. Between two labeled rows, one of class k and one not,
    the class must change; the row in the middle of the shortest such stretch of any order comes
    next. Where nothing lies between them any more, the rows around the change do.

    **When:** some classes are very rare. Uncertainty sampling asks at the model's threshold, which
    few labels of a rare class do not place well; bisection goes to where the labels say that the
    change is, so that some half of what it asks about is of the rare class. The published method
    reads each label before it chooses the next row; in a batch this one takes the model's
    prediction for it, so small batches are better. Needs probabilities. Without labels of two
    classes it chooses as :class:`Margin`. Time grows with the classes, as n_classes sorts of the
    pool.

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

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each in the middle of the shortest stretch of change."""
        proba, rng, labeled = pool.proba, pool.random_state, pool.labeled
        if labeled is None or len(np.unique(np.asarray(labeled.y))) < 2:
            return top(scores.margin(proba), batch_size, rng)
        return galaxy(
            _lead(proba),
            proba.argmax(axis=1),
            batch_size,
            labeled_scores=_lead(labeled.proba),
            labels=np.searchsorted(pool.classes, np.asarray(labeled.y)),
            random_state=rng,
        )


def _lead(proba: NDArray[Any]) -> NDArray[Any]:
    """Return by how much each class leads the best of the others, (n_rows, n_classes)."""
    highest = proba.max(axis=1, keepdims=True)
    second = np.partition(proba, -2, axis=1)[:, [-2]]
    first = proba.argmax(axis=1)
    lead = proba - highest
    rows = np.arange(len(proba))
    lead[rows, first] = (highest - second)[:, 0]
    return lead
