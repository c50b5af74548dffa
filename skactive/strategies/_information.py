"""Information gain: choose the rows whose label is most informative about the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive._utils.array_types import Positions
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_INT_OR_NONE
from skactive.selectors._batch_bald import batch_bald
from skactive.strategies._base import (
    SampledScoreStrategy,
    ScoreStrategy,
    ScoringStrategy,
    Selector,
    score_draws,
)

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["BALD", "EPIG", "BatchBALD", "ExpectedModelChange", "MeanStd", "VariationRatio"]


class BALD(SampledScoreStrategy):
    r"""Choose rows whose label is expected to be most informative about the model's parameters.

    .. math:: u(x) = H\big[\mathbb{E}_\theta\, p(y \mid x, \theta)\big]
        - \mathbb{E}_\theta\, H\big[p(y \mid x, \theta)\big]

    in nats: high where each draw from the posterior is confident but the draws disagree; low where
    the rows are merely noisy.

    **When:** the model has a posterior to draw from (members of an ensemble, dropout, a Gaussian
    process) and some rows stay ambiguous however many labels there are, which misleads uncertainty
    sampling. Rows of one batch may be redundant. Needs posterior samples.

    Dropout modules of a net are left out of the draws if their names match a pattern in an
    attribute of its torch module, such as ``fixed_dropout = ("encoder.*",)``.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
        :class:`~skactive.selectors.PowerTop` makes batches more diverse.

    References
    ----------
    Houlsby, Huszár, Ghahramani and Lengyel, "Bayesian active learning for classification and
    preference learning", 2011, :doi:`10.48550/arXiv.1112.5745`.

    Gal, Islam and Ghahramani, "Deep Bayesian active learning with image data", ICML 2017,
    :doi:`10.48550/arXiv.1703.02910`, for dropout.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BALD
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), BALD(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "information"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the information on the parameters in nats, shape (n_rows,)."""
        return score_draws(scores.mutual_information, pool, self.n_samples)


class BatchBALD(ScoringStrategy):
    r"""Choose rows whose labels are jointly most informative about the model's parameters.

    .. math:: u(B) = H\big[\mathbb{E}_\theta \textstyle\prod_{x \in B} p(y_x \mid x, \theta)\big]
        - \mathbb{E}_\theta \textstyle\sum_{x \in B} H\big[p(y_x \mid x, \theta)\big]

    in nats, maximized greedily. For one row it is the score of :class:`BALD`; of two redundant
    rows it counts only one.

    **When:** as :class:`BALD`, in batches of up to about ten rows: the information that a few draws
    can give (at most the logarithm of their number) is soon used up, and further rows are chosen
    at random. The gains are exact while the labels of the batch can be enumerated, then estimated.
    For pools of millions of rows wrap it: ``Prefilter(BALD(), BatchBALD())``. Needs posterior
    samples that are functions of all rows (an ensemble, dropout).

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    n_configurations : int, default=500
        Number of configurations of the batch's labels to keep; more are slower and more exact.

    References
    ----------
    Kirsch, van Amersfoort and Gal, "BatchBALD: efficient and diverse batch acquisition for deep
    Bayesian active learning", NeurIPS 2019, :doi:`10.48550/arXiv.1906.08158`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import BatchBALD
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(random_state=0)
    >>> learner = ActiveLearner(forest, BatchBALD(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"joint_samples"})
    rowwise = True
    score_name = "information"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_samples": POSITIVE_INT_OR_NONE,
        "n_configurations": POSITIVE_INT,
    }

    def __init__(self, *, n_samples: int | None = None, n_configurations: int = 500) -> None:
        self.n_samples = n_samples
        self.n_configurations = n_configurations

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows as :class:`BALD` does, shape (n_rows,)."""
        return score_draws(scores.mutual_information, pool, self.n_samples)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each with the largest gain of information."""
        return batch_bald(
            pool.proba_samples(self.n_samples),
            batch_size,
            n_configurations=self.n_configurations,
            random_state=pool.random_state,
        )


class MeanStd(SampledScoreStrategy):
    r"""Choose rows whose probabilities vary most across draws, averaged over the classes.

    .. math:: u(x) = \frac{1}{C} \sum_y \sqrt{\mathrm{Var}_\theta\, p(y \mid x, \theta)}

    **When:** as a cheap variant of :class:`BALD`: without logarithms, so that probabilities near 0
    count for little. Needs posterior samples.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Kampffmeyer, Salberg and Jenssen, "Semantic segmentation of small objects and modeling of
    uncertainty in urban remote sensing images using deep convolutional neural networks", CVPR
    Workshops 2016, :doi:`10.1109/CVPRW.2016.90`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import MeanStd
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), MeanStd(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "disagreement"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the mean standard deviation, from 0 to 0.5, shape (n_rows,)."""
        return score_draws(scores.mean_standard_deviation, pool, self.n_samples)


class VariationRatio(SampledScoreStrategy):
    r"""Choose rows on which the most draws disagree with the most frequent prediction.

    .. math:: u(x) = 1 - \frac{1}{S} \max_y \big|\{s : \arg\max_{y'} p(y' \mid x, \theta_s) = y\}
        \big|

    **When:** dropout nets whose probabilities cannot be trusted. It looks only at the winner's
    share of the votes; :class:`VoteEntropy` also at how the others split. Few draws give few
    distinct scores, hence many ties. Needs posterior samples.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Freeman, "Elementary applied statistics", Wiley 1965; for nets with dropout Gal, Islam and
    Ghahramani, "Deep Bayesian active learning with image data", ICML 2017,
    :doi:`10.48550/arXiv.1703.02910`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import VariationRatio
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), VariationRatio())
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "disagreement"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the share of dissenting draws, from 0 to 1, shape (n_rows,)."""
        return score_draws(scores.variation_ratio, pool, self.n_samples)


class EPIG(ScoreStrategy):
    r"""Choose rows whose label is expected to be most informative about target predictions.

    .. math:: u(x) = \mathbb{E}_{x_*}\, I\big(y; y_* \mid x, x_*\big), \qquad
        p(y, y_* \mid x, x_*) = \mathbb{E}_\theta\, p(y \mid x, \theta)\, p(y_* \mid x_*, \theta)

    in nats, where the targets :math:`x_*` are rows on which the model should predict well.

    **When:** as :class:`BALD`, and the pool is messier than the rows to be predicted: BALD favors
    odd rows that are informative about parameters nobody needs. Pass typical rows as `targets`, or
    let them be drawn from the pool. Needs posterior samples that are functions of all rows (an
    ensemble, dropout).

    Parameters
    ----------
    targets : rows in the container of the pool, default=None
        Rows on which the model should predict well; None draws `n_targets` rows of the pool.
    n_targets : int, default=100
        Number of rows to draw from the pool as targets.
    n_samples : int, default=None
        Number of draws; None leaves it to the model.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Bickford Smith, Kirsch, Farquhar, Gal, Foster and Rainforth, "Prediction-oriented Bayesian
    active learning", AISTATS 2023, :doi:`10.48550/arXiv.2304.08151`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import EPIG
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), EPIG(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"joint_samples"})
    score_name = "information"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_targets": POSITIVE_INT_OR_NONE,
        "n_samples": POSITIVE_INT_OR_NONE,
    }

    def __init__(
        self,
        *,
        targets: Any = None,
        n_targets: int = 100,
        n_samples: int | None = None,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.targets = targets
        self.n_targets = n_targets
        self.n_samples = n_samples

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """True if targets are drawn from the pool."""
        return self.targets is None

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the information on the targets' labels in nats, shape (n_rows,)."""
        if self.targets is None:
            # Not sorted: the order of the targets is the order of a sum.
            targets = pool.take(pool.random_state.permutation(len(pool))[: self.n_targets])
        else:
            targets = pool.at(self.targets)
            if not len(targets):
                raise ValueError("The targets of EPIG have no elements: pass rows that have some.")
        target_samples = targets.proba_samples(self.n_samples)  # (n_draws, n_targets, n_classes)
        chunks = (pool.take(chunk) for chunk in pool.chunks(self.needs))
        samples = (chunk.proba_samples(self.n_samples) for chunk in chunks)
        gains = [scores.expected_predictive_information_gain(s, target_samples) for s in samples]
        return np.concatenate(gains)


class ExpectedModelChange(ScoreStrategy):
    r"""Choose rows whose label is expected to change the last layer of the model most.

    .. math:: u(x) = \sum_y p(y \mid x)\, \lVert (p(x) - e_y) \otimes h(x) \rVert
        = \lVert h(x) \rVert \sum_y p(y \mid x)\, \lVert p(x) - e_y \rVert

    This is the expected length of the gradient of the log loss with respect to the weights of a
    softmax layer, with :math:`h(x)` the input features of this layer and :math:`e_y` the unit
    vector of class y. The form on the right needs no gradients.

    **When:** linear models and nets whose features are on one scale: rows with long feature vectors
    are preferred, so scale them first. Needs probabilities and features.

    Parameters
    ----------
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Settles and Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008, :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ExpectedModelChange
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegression(max_iter=500)
    >>> learner = ActiveLearner(model, ExpectedModelChange(), random_state=0)
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    needs = frozenset({"proba", "gradient_factors"})
    rowwise = True
    score_name = "gradient length"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the expected length of the gradient, shape (n_rows,)."""
        _, features = pool.gradient_factors
        return scores.expected_gradient_length(pool.proba, features)
