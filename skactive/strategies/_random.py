"""Random sampling: the baseline that every other strategy has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skactive._utils.array_types import Positions
from skactive.strategies._base import Strategy

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["Random"]


class Random(Strategy):
    """Choose rows at random, each with the same probability.

    **When:** as the baseline of every comparison; to start without any label; for a share of each
    batch, as a hedge. It needs no model.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import Random
    >>> from sklearn.linear_model import LogisticRegression
    >>> learner = ActiveLearner(LogisticRegression(), Random(), random_state=0)
    >>> learner.query(np.zeros((5, 2)), batch_size=2).shape
    (2,)
    """

    randomized = True

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows at random."""
        return pool.random_state.permutation(len(pool))[:batch_size]
