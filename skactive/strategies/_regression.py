"""Regression: rows unlike all labeled rows (greedy sampling), and rows of uncertain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import POSITIVE_INT_OR_NONE
from skactive.exceptions import InvalidReadingError
from skactive.selectors import top
from skactive.selectors._emcm import emcm, measure_change
from skactive.selectors._regression import first_distances, gsy, igs
from skactive.strategies._base import ScoreStrategy, ScoringStrategy, Selector, warn_about_ties
from skactive.strategies._diversity import KCenterGreedy
from skactive.strategies._pool_rows import labeled_embedding

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["IGS", "ExpectedModelChangeRegression", "GSx", "GSy", "PredictiveStd"]


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


class GSx(KCenterGreedy):
    r"""Choose the rows farthest from all labeled or chosen rows, by their features alone.

    .. math:: x_{t+1} = \arg\max_x \min_{s \in L \cup \{x_1 .. x_t\}} \lVert z(x) - z(s) \rVert

    with :math:`z` the embedding. Without labeled rows the first row is the one nearest to the mean.
    This is :class:`KCenterGreedy` under the name that it has in regression.

    **When:** to choose the first rows of a regression, before :class:`IGS`; or all rows if the
    targets are too noisy to guide the choice. Scale the features. Needs an embedding only.

    References
    ----------
    Wu, Lin and Huang, "Active learning for regression using greedy sampling", Information
    Sciences 474, 2019, :doi:`10.1016/j.ins.2018.09.060`.

    Yu and Kim, "Passive sampling for regression", ICDM 2010, :doi:`10.1109/ICDM.2010.9`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import GSx
    >>> X, y = load_diabetes(return_X_y=True)
    >>> learner = ActiveLearner(Ridge(), GSx(), random_state=0)
    >>> learner.query(X, batch_size=3).shape  # before any row is labeled
    (3,)
    """


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


class PredictiveStd(ScoreStrategy):
    r"""Choose rows whose predicted numbers are most uncertain.

    .. math:: u(x) = \sqrt{\mathrm{Var}_\theta\, f(x, \theta)}

    the standard deviation over the posterior of the model: that of a Gaussian process, of the
    members of an ensemble (query by committee), of the draws of a net with dropout. Of several
    outputs it is the root of the mean of their variances, so scale them alike.

    **When:** regression with a Gaussian process, whose deviation falls near every labeled row; or
    with an ensemble where noise is small. Trees disagree most where the target varies most, noise
    included, so a batch may fall on one region: :class:`IGS` and :class:`LCMD` spread it. Needs a
    regressor with standard deviations or draws.

    Parameters
    ----------
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
        :class:`~skactive.selectors.PowerTop` makes batches more diverse.

    References
    ----------
    Seo, Wallat, Graepel and Obermayer, "Gaussian process regression: active data selection and
    test point rejection", IJCNN 2000, for Gaussian processes.

    RayChaudhuri and Hamey, "Minimisation of data collection by active learning", ICNN 1995, for
    committees.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import PredictiveStd
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, random_state=0)
    >>> learner = ActiveLearner(forest, PredictiveStd(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"std"})
    rowwise = True
    regressors_only = True

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by their standard deviation, in units of the targets, shape (n_rows,)."""
        std = pool.std
        return std if std.ndim == 1 else np.sqrt(np.square(std).mean(axis=1))


class ExpectedModelChangeRegression(ScoringStrategy):
    r"""Choose rows whose labels are expected to change a linear model most (EMCM).

    .. math:: u(x) = \frac{1}{K} \sum_{k=1}^{K} \lvert f_k(x) - f(x) \rvert \,
        \lVert (1, z(x)) \rVert

    the length of the gradient of the squared error with respect to the weights of the last layer,
    with :math:`z` the embedding, which is its input, and 1 that of the intercept. The unknown
    label is replaced by the predictions :math:`f_k` of a committee: the members of an ensemble
    or draws from the posterior. Of several outputs, the differences are compared by their
    Euclidean length. In a batch, the model takes a step along the gradient of each row before the
    next is chosen, as :func:`~skactive.selectors.emcm` describes.

    **When:** regression by a model that is linear in scaled features or in the features of a net,
    as a :class:`~sklearn.ensemble.BaggingRegressor` of it. It prefers rows far from the mean of the
    features, which decide the slopes, outliers among them: on data with outliers, curved targets
    or models that are not linear, let ``selector=PowerTop()`` draw the rows. A batch holds the
    draws of the whole pool; for millions of rows, wrap it in a :class:`Prefilter`. Needs a
    regressor's predictions and draws, and an embedding.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        Selects each row of a batch by the change that it would make after those before it; None
        selects the largest.

    References
    ----------
    Cai, Zhang and Zhou, "Maximizing expected model change for active learning in regression",
    ICDM 2013, :doi:`10.1109/ICDM.2013.104`.

    Cai, Zhang and Zhang, "Batch mode active learning for regression with expected model change",
    IEEE Transactions on Neural Networks and Learning Systems 28, 2017,
    :doi:`10.1109/TNNLS.2016.2542184`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ExpectedModelChangeRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = BaggingRegressor(Ridge(), random_state=0)
    >>> learner = ActiveLearner(model, ExpectedModelChangeRegression(), random_state=0)
    >>> learner.fit(X[:30], y[:30]).query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"prediction", "prediction_samples", "embedding"})
    rowwise = True
    regressors_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_samples": POSITIVE_INT_OR_NONE,
        "selector": [callable, None],
    }

    def __init__(self, *, n_samples: int | None = None, selector: Selector | None = None) -> None:
        self.n_samples = n_samples
        self.selector = selector

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True with a selector, which may draw rows."""
        return self.selector is not None

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the mean length of the gradient of the loss, shape (n_rows,)."""
        return measure_change(pool.embedding, self._read_gaps(pool))

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, as the model learns the imagined labels of those before."""
        if batch_size == 1:  # in chunks
            scores = self.score_in_chunks(pool)
            warn_about_ties(self, scores, batch_size)
            return (self.selector or top)(scores, batch_size, random_state=pool.random_state)
        gaps = self._read_gaps(pool)
        warn_about_ties(self, measure_change(pool.embedding, gaps), batch_size)
        return emcm(
            pool.embedding,
            gaps,
            batch_size,
            selector=self.selector,
            random_state=pool.random_state,
        )

    def _read_gaps(self, pool: PoolView) -> Floats:
        """Return the draws less the predictions, (n_draws, n_rows) or (n_draws, n_rows, n)."""
        return pool.prediction_samples(self.n_samples) - _predict_numbers(pool)
