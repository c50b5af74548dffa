"""Information: the rows whose label tells most about the model or about its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive.strategies._base import A_COUNT, ScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive._pool import PoolView

__all__ = ["BALD", "EPIG", "ExpectedModelChange"]


class BALD(ScoreStrategy):
    r"""Choose rows whose label is expected to tell most about the model's parameters.

    .. math:: u(x) = H\big[\mathbb{E}_\theta\, p(y \mid x, \theta)\big]
        - \mathbb{E}_\theta\, H\big[p(y \mid x, \theta)\big]

    in nats: high where each draw from the posterior is sure of itself and the draws disagree; low
    where the rows are merely noisy.

    **When:** the model has a posterior to draw from (members of an ensemble, dropout, a Gaussian
    process) and some rows cannot be told apart whatever is known, which fools uncertainty. Rows
    of one batch may say the same thing twice. Needs posterior samples.

    Parameters
    ----------
    n_samples : int, default=None
        How many draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.
        :class:`~skactive.selectors.PowerTop` makes batches more varied.

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

    needs = frozenset({"proba_samples"})
    rowwise = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_samples": A_COUNT,
    }

    def __init__(self, *, n_samples: int | None = None, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.n_samples = n_samples

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the information on the parameters in nats, shape (n_rows,)."""
        return scores.mutual_information(pool.proba_samples(self.n_samples))


class EPIG(ScoreStrategy):
    r"""Choose rows whose label is expected to tell most about the predictions that matter.

    .. math:: u(x) = \mathbb{E}_{x_*}\, I\big(y; y_* \mid x, x_*\big), \qquad
        p(y, y_* \mid x, x_*) = \mathbb{E}_\theta\, p(y \mid x, \theta)\, p(y_* \mid x_*, \theta)

    in nats, where the targets :math:`x_*` are rows on which the model shall predict well.

    **When:** as :class:`BALD`, and the pool is messier than the rows to be predicted: BALD is drawn
    to odd rows that tell about parameters nobody needs. Pass typical rows as `targets`, or leave
    them to be drawn from the pool. Needs posterior samples that are functions of all rows (an
    ensemble, dropout).

    Parameters
    ----------
    targets : rows in the container of the pool, default=None
        Rows on which the model shall predict well; None draws `n_targets` rows of the pool.
    n_targets : int, default=100
        How many rows of the pool stand for the targets.
    n_samples : int, default=None
        How many draws; None leaves it to the model.
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.

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
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_targets": A_COUNT,
        "n_samples": A_COUNT,
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
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether targets are drawn from the pool, or rows by the selector."""
        return self.targets is None or self.selector is not None

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the information on the targets' labels in nats, shape (n_rows,)."""
        if self.targets is None:
            drawn = pool.random_state.permutation(len(pool))[: self.n_targets]
            targets = pool.take(drawn)
        else:
            targets = pool.at(self.targets)
        known = targets.proba_samples(self.n_samples)
        chunks = [pool.take(chunk) for chunk in pool.chunks(self.needs)]
        gains = [
            scores.expected_predictive_information_gain(chunk.proba_samples(self.n_samples), known)
            for chunk in chunks
        ]
        return np.concatenate(gains)


class ExpectedModelChange(ScoreStrategy):
    r"""Choose rows whose label is expected to change the model's last layer most.

    .. math:: u(x) = \sum_y p(y \mid x)\, \lVert (p(x) - e_y) \otimes h(x) \rVert
        = \lVert h(x) \rVert \sum_y p(y \mid x)\, \lVert p(x) - e_y \rVert

    The expected length of the gradient of the log loss with respect to the weights of a softmax
    layer, with :math:`h(x)` the features that this layer sees and :math:`e_y` the unit vector of
    class y. The form on the right needs no gradients.

    **When:** linear models and nets whose features are on one scale: rows with long features are
    preferred, so scale them first. Needs probabilities and features.

    Parameters
    ----------
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.

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

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the expected length of the gradient, shape (n_rows,)."""
        _, features = pool.gradient_factors
        return scores.expected_gradient_length(pool.proba, features)
