"""Regression: rows that a regressor has seen nothing like, and coverage for skewed embeddings."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._compat import Interval
from skactive.exceptions import InvalidReadingError
from skactive.selectors._regression import gsy, igs, lcmd, robust_k_center_greedy
from skactive.strategies._base import Positions, Strategy
from skactive.strategies._diversity import labeled_embedding

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["IGS", "LCMD", "GSy", "RobustKCenterGreedy"]


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
    paper). So does the first row where nothing is labelled: it is the one nearest to the mean.

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
    same paper); where nothing is labelled the first row is the one nearest to the mean.

    **When:** regression, as the first thing to try: a row near a labelled one with another target
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


class LCMD(Strategy):
    r"""Choose, in the cluster that is worst covered, the row farthest from its centre.

    .. math:: x_{t+1} = \arg\max_{x :\, c(x) = c^*} \lVert z(x) - z(c^*) \rVert, \qquad
        c^* = \arg\max_c \sum_{x :\, c(x) = c} \lVert z(x) - z(c) \rVert^2

    with :math:`c(x)` the row nearest to x of those labelled or chosen (largest cluster maximum
    distance).

    **When:** batches for regression with nets, where it led a large benchmark on embeddings made
    of the net's gradients; and wherever :class:`KCenterGreedy` wastes labels on outliers, as a
    lone row makes a small cluster. It does not look at labels, so it serves classifiers too. Needs
    an embedding only.

    References
    ----------
    Holzmüller, Zaverkin, Kästner and Steinwart, "A framework and benchmark for deep batch active
    learning for regression", Journal of Machine Learning Research 24, 2023,
    :doi:`10.48550/arXiv.2203.09410`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import LCMD
    >>> X, y = load_diabetes(return_X_y=True)
    >>> learner = ActiveLearner(Ridge(), LCMD(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding"})

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each from the cluster of the largest sum of squares."""
        return lcmd(
            pool.embedding,
            batch_size,
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )


class RobustKCenterGreedy(Strategy):
    r"""Choose rows far from all that are labelled or chosen, but pass over the very farthest.

    .. math:: x_{t+1} = Q_q \bigl\{ x : d(x) \bigr\}, \qquad
        d(x) = \min_{s \in L \cup \{x_1 .. x_t\}} \lVert z(x) - z(s) \rVert

    the row at the quantile q of the distances above zero: of m such rows the
    :math:`\lfloor (1 - q) m \rfloor` farthest are passed over. 1.0 is :class:`KCenterGreedy`.

    **When:** large batches where the pool holds rubbish (broken images, wrong units) that
    farthest-first would visit before all else. Needs an embedding only.

    Parameters
    ----------
    quantile : float, default=0.99
        Above 0 and at most 1; the lower, the more rows count as outliers.

    References
    ----------
    Sener and Savarese, "Active learning for convolutional neural networks: a core-set approach",
    ICLR 2018, :doi:`10.48550/arXiv.1708.00489`, let a number of outliers go uncovered and solve
    that by an integer program; this is the greedy traversal with outliers passed over.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import RobustKCenterGreedy
    >>> X, y = load_iris(return_X_y=True)
    >>> strategy = RobustKCenterGreedy(quantile=0.9)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500), strategy, random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"embedding"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantile": [Interval(Real, 0, 1, closed="right")]
    }

    def __init__(self, *, quantile: float = 0.99) -> None:
        self.quantile = quantile

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each at the quantile of the distances from all before."""
        return robust_k_center_greedy(
            pool.embedding,
            batch_size,
            quantile=self.quantile,
            labeled=labeled_embedding(pool),
            random_state=pool.random_state,
        )
