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


class GALAXY(Strategy):
    r"""Choose rows halfway between labeled rows of different classes, for imbalanced classes.

    .. math:: m_k(x) = p_k(x) - \max_{j \ne k} p_j(x)

    ranks all rows once per class k. Between two labeled rows, one of class k and one not, the
    class must change; the row in the middle of the shortest such interval of any ranking is chosen
    next. If no row lies between them any more, the rows around the change are.

    **When:** some classes are very rare. Uncertainty sampling asks at the model's threshold, which
    few labels of a rare class locate badly; bisection asks where the labels change, so that about
    half of the chosen rows are of the rare class. The published method reads each label before it
    chooses the next row; within a batch this one uses the model's prediction instead, so small
    batches are better. Needs probabilities. Without labels of two classes it chooses as
    :class:`Margin`. Time grows with the number of classes: it sorts the pool n_classes times.

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


def _class_margins(proba: NDArray[Any]) -> NDArray[Any]:
    """Return the lead of each class over the best of the others, shape (n_rows, n_classes)."""
    highest = proba.max(axis=1, keepdims=True)  # (n_rows, 1)
    second = np.partition(proba, -2, axis=1)[:, [-2]]  # (n_rows, 1)
    margins = proba - highest
    # The best class itself leads the second best one.
    margins[np.arange(len(proba)), proba.argmax(axis=1)] = (highest - second)[:, 0]
    return margins
