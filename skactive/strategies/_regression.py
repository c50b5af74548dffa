"""Regression: rows that a regressor has seen nothing like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skactive.exceptions import InvalidReadingError
from skactive.selectors._regression import gsy, igs
from skactive.strategies._base import Positions, Strategy
from skactive.strategies._diversity import labeled_embedding

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["IGS", "GSy"]


def _predicted(pool: PoolView) -> NDArray[np.float64]:
    """Return the predictions as numbers, or say that the model is not a regressor."""
    try:
        prediction = np.asarray(pool.prediction, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidReadingError(
            f"Greedy sampling compares predictions as numbers, and these are none ({error}). Use a "
            "regressor; for a classifier, take KCenterGreedy or Margin."
        ) from error
    if not np.isfinite(prediction).all():
        raise InvalidReadingError("The model predicts NaN or infinity for rows of the pool.")
    return prediction


def _targets(pool: PoolView) -> NDArray[np.float64] | None:
    return None if pool.labeled is None else np.asarray(pool.labeled.y, dtype=np.float64)


class GSy(Strategy):
    r"""Choose rows whose predicted targets are farthest from all that are known or chosen.

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}} \lvert f(x) - y(s) \rvert

    with :math:`f` the model's predictions, which stand for the targets of rows chosen in the same
    batch. Where every prediction left equals a target that is known, as those of a single tree do,
    rows follow farthest-first in the embedding, as in :class:`KCenterGreedy` (the GSx of the same
    paper). So does the first row where nothing is labeled: it is the one nearest to the mean.

    **When:** regression where the targets are spread unevenly and the model is good enough to tell
    which rows are extreme. It ignores where rows lie: :class:`IGS` looks at both. Several outputs
    a row are compared by their Euclidean distance, so scale them alike. Needs a regressor's
    predictions and an embedding; start from :class:`KCenterGreedy`.

    References
    ----------
    Wu, Lin and Huang, "Active learning for regression using greedy sampling", Information
    Sciences 474, 2019, :doi:`10.1016/j.ins.2018.09.060`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import GSy
    >>> X, y = load_diabetes(return_X_y=True)
    >>> learner = ActiveLearner(Ridge(), GSy(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"prediction", "embedding"})

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the farthest in the output from all before."""
        return gsy(
            pool.embedding,
            _predicted(pool),
            batch_size,
            labeled=labeled_embedding(pool),
            targets=_targets(pool),
            random_state=pool.random_state,
        )


class IGS(Strategy):
    r"""Choose rows far from all that are known or chosen, in the embedding and in the output.

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}}
        \lVert z(x) - z(s) \rVert \, \lvert f(x) - y(s) \rvert

    with :math:`z` the embedding and :math:`f` the model's predictions, which stand for the targets
    of rows chosen in the same batch (improved greedy sampling, iGS). Where every product left is
    zero, rows follow farthest-first in the embedding, as in :class:`KCenterGreedy` (the GSx of the
    same paper); where nothing is labeled the first row is the one nearest to the mean.

    **When:** regression, as the first thing to try: a row near a labeled one with another target
    is worth little, and so is a far one of the same. Scale the features; several outputs a row are
    compared by their Euclidean distance. Needs a regressor's predictions and an embedding; start
    from :class:`KCenterGreedy`.

    References
    ----------
    Wu, Lin and Huang, "Active learning for regression using greedy sampling", Information
    Sciences 474, 2019, :doi:`10.1016/j.ins.2018.09.060`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import IGS
    >>> X, y = load_diabetes(return_X_y=True)
    >>> learner = ActiveLearner(Ridge(), IGS(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"prediction", "embedding"})

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest product of distance and gap."""
        return igs(
            pool.embedding,
            _predicted(pool),
            batch_size,
            labeled=labeled_embedding(pool),
            targets=_targets(pool),
            random_state=pool.random_state,
        )
