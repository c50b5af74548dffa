"""Greedy sampling for regression: choose rows unlike all labeled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive.exceptions import InvalidReadingError
from skactive.selectors._regression import first_distances, gsy, igs
from skactive.strategies._base import ScoringStrategy
from skactive.strategies._pool_rows import labeled_embedding

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["IGS", "GSy"]


def _predict_numbers(pool: PoolView) -> NDArray[np.float64]:
    """Return the predictions as numbers, or raise if the model is not a regressor."""
    try:
        prediction = np.asarray(pool.prediction, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidReadingError(
            f"Greedy sampling compares numeric predictions, got others ({error}). Use a regressor; "
            "for a classifier, use KCenterGreedy or Margin."
        ) from error
    if not np.isfinite(prediction).all():
        raise InvalidReadingError("The model predicts NaN or infinity for rows of the pool.")
    return prediction


def _labeled_targets(pool: PoolView) -> NDArray[np.float64] | None:
    return None if pool.labeled is None else np.asarray(pool.labeled.y, dtype=np.float64)


def _score_first(pool: PoolView, *, product: bool) -> NDArray[np.float64]:
    """Score the rows by the distance that the first row of a batch maximizes."""
    return first_distances(
        pool.embedding,
        _predict_numbers(pool),
        labeled=labeled_embedding(pool),
        targets=_labeled_targets(pool),
        product=product,
    )


class GSy(ScoringStrategy):
    r"""Choose rows whose predictions are farthest from the targets of all labeled or chosen rows.

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}} \lvert f(x) - y(s) \rvert

    with :math:`f` the model's predictions, which replace the unknown targets of rows chosen in the
    same batch. Once every remaining prediction equals a known target, as often with a single tree,
    rows are chosen farthest-first in the embedding, as in :class:`KCenterGreedy` (the GSx of the
    same paper). Without labeled rows the first row is the one nearest to the mean.

    **When:** regression where the targets are spread unevenly and the model is good enough to
    predict which rows are extreme. It ignores the distances between rows, which :class:`IGS` also
    uses. Several outputs per row are compared by their Euclidean distance, so scale them alike.
    Needs a regressor's predictions and an embedding; start with :class:`KCenterGreedy`.

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
    regressors_only = True

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by their distance in the output, shape (n_rows,).

        Without labeled rows, it is minus the distance to the mean of the embedding.
        """
        return _score_first(pool, product=False)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the farthest in the output from all rows before it."""
        return gsy(
            pool.embedding,
            _predict_numbers(pool),
            batch_size,
            labeled=labeled_embedding(pool),
            targets=_labeled_targets(pool),
            random_state=pool.random_state,
        )


class IGS(ScoringStrategy):
    r"""Choose rows far from all labeled or chosen rows, in the embedding and in the output.

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}}
        \lVert z(x) - z(s) \rVert \, \lvert f(x) - y(s) \rvert

    with :math:`z` the embedding and :math:`f` the model's predictions, which replace the unknown
    targets of rows chosen in the same batch (improved greedy sampling, iGS). Once every remaining
    product is zero, rows are chosen farthest-first in the embedding, as in :class:`KCenterGreedy`
    (the GSx of the same paper). Without labeled rows the first row is the one nearest to the mean.

    **When:** regression, as the first thing to try: a row close to a labeled one adds little even
    if its target differs, and so does a distant one with the same target. Scale the features;
    several outputs per row are compared by their Euclidean distance. Needs a regressor's
    predictions and an embedding; start with :class:`KCenterGreedy`.

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
    regressors_only = True

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the smallest product of distances, shape (n_rows,).

        Without labeled rows, it is minus the distance to the mean of the embedding.
        """
        return _score_first(pool, product=True)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each of the largest product of distances."""
        return igs(
            pool.embedding,
            _predict_numbers(pool),
            batch_size,
            labeled=labeled_embedding(pool),
            targets=_labeled_targets(pool),
            random_state=pool.random_state,
        )
