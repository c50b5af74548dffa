"""Bayesian optimization: find the row of the largest (or smallest) target with few labels."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import Interval
from skactive.exceptions import InvalidReadingError
from skactive.selectors import top
from skactive.strategies._base import ScoreStrategy, Selector, Strategy
from skactive.strategies._pool_rows import remaining_rows

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = [
    "ExpectedImprovement",
    "ProbabilityOfImprovement",
    "ThompsonSampling",
    "UpperConfidenceBound",
]

_LARGEST = 1e150  # its square is finite
_SMALLEST_STD = 1e-140  # a gap of at most 1e10 divided by it is at most _LARGEST


class _ImprovementStrategy(ScoreStrategy):
    """Base of the strategies that compare rows with the best target so far.

    Parameters
    ----------
    maximize : bool, default=True
        Whether large targets are sought; False seeks small ones.
    xi : float, default=0.0
        The least improvement that counts, in units of the targets; more explores more.
    noisy : bool, default=False
        Whether labels are noisy. Then the best target so far is the best prediction for a labeled
        row, since the best label may be luck.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    needs = frozenset({"prediction", "std"})
    rowwise = True
    regressors_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "maximize": ["boolean"],
        "xi": [Interval(Real, 0, None, closed="left")],
        "noisy": ["boolean"],
    }

    def __init__(
        self,
        *,
        maximize: bool = True,
        xi: float = 0.0,
        noisy: bool = False,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.maximize = maximize
        self.xi = xi
        self.noisy = noisy

    def _compare(self, pool: PoolView) -> tuple[Floats, Floats]:
        """Return the expected gap to the best target, and the standard deviation, (n_rows,)."""
        mean, std = _predict_normal(pool, self.maximize)
        best = _find_best(pool, maximize=self.maximize, noisy=self.noisy)
        return mean - best - self.xi, np.maximum(std, _SMALLEST_STD)


def _predict_normal(pool: PoolView, maximize: bool) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of what is to be maximized, each (n_rows,)."""
    mean, std = np.asarray(pool.prediction, dtype=np.float64), pool.std
    _check_one_output(mean)
    return (mean if maximize else -mean), std


def _check_one_output(mean: Floats) -> None:
    if mean.ndim > 1:
        raise InvalidReadingError(
            f"Optimization needs one number per row, got {mean.shape[1]} outputs: fit the model "
            "to one of them, or to a weighted sum."
        )


def _find_best(pool: PoolView, *, maximize: bool, noisy: bool) -> float:
    """Return the best target so far of what is to be maximized; 0 without labeled rows."""
    if pool.labeled is None:
        return 0.0
    targets = np.asarray(pool.labeled.prediction if noisy else pool.labeled.y, dtype=np.float64)
    return float(targets.max() if maximize else (-targets).max())


class ProbabilityOfImprovement(_ImprovementStrategy):
    r"""Choose rows that are most likely to be better than the best target so far (PI).

    .. math:: u(x) = \Phi\Bigl(\frac{f(x) - y^* - \xi}{\sigma(x)}\Bigr)

    with :math:`f` and :math:`\sigma` the model's prediction and its standard deviation,
    :math:`y^*` the best target so far and :math:`\Phi` the normal distribution function. The score
    is its logarithm, which has the same order and no ties where it is almost zero.

    **When:** any improvement is as good as any other, or a target is to be reached. It exploits:
    with `xi` = 0 it stays beside the best row so far, and :class:`ExpectedImprovement` is the
    better first choice. Needs a regressor with standard deviations.

    Parameters
    ----------
    maximize : bool, default=True
        Whether large targets are sought; False seeks small ones.
    xi : float, default=0.0
        The least improvement that counts, in units of the targets; more explores more.
    noisy : bool, default=False
        Whether labels are noisy. Then the best target so far is the best prediction for a labeled
        row, since the best label may be luck.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Kushner, "A new method of locating the maximum point of an arbitrary multipeak curve in the
    presence of noise", Journal of Basic Engineering 86, 1964, :doi:`10.1115/1.3653121`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ProbabilityOfImprovement
    >>> X = np.linspace(0, 5, 51)[:, np.newaxis]
    >>> model = GaussianProcessRegressor(optimizer=None)
    >>> strategy = ProbabilityOfImprovement(xi=0.01)
    >>> learner = ActiveLearner(model, strategy, random_state=0)
    >>> learner.fit(X[::25], np.sin(X[::25, 0])).query(X).shape
    (1,)
    """

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the logarithm of the probability of an improvement, shape (n_rows,)."""
        gap, std = self._compare(pool)
        z = np.clip(gap / std, -_LARGEST, _LARGEST)
        # A row that is known not to be better: the floor of the deviation would make it even odds.
        z[(std <= _SMALLEST_STD) & (gap <= 0.0)] = -_LARGEST
        return log_ndtr(z)


class ExpectedImprovement(_ImprovementStrategy):
    r"""Choose rows that are expected to improve the best target so far by most (EI).

    .. math:: u(x) = \mathbb{E}\,[f - y^* - \xi]_+ = \sigma(x)\,\bigl(z\,\Phi(z) + \varphi(z)\bigr),
        \qquad z = \frac{f(x) - y^* - \xi}{\sigma(x)}

    with :math:`f` and :math:`\sigma` the model's prediction and its standard deviation,
    :math:`y^*` the best target so far, :math:`\Phi` and :math:`\varphi` the normal distribution
    function and density. The score is its logarithm, computed without underflow, so that rows are
    in order even where an improvement is very unlikely.

    **When:** to find the best row (a molecule, a recipe, hyper-parameters) with few labels, one
    row at a time, by a Gaussian process or an ensemble. The rows of one batch are often
    neighbors: for batches, use :class:`ThompsonSampling`. Needs a regressor with standard
    deviations.

    Parameters
    ----------
    maximize : bool, default=True
        Whether large targets are sought; False seeks small ones.
    xi : float, default=0.0
        The least improvement that counts, in units of the targets; more explores more.
    noisy : bool, default=False
        Whether labels are noisy. Then the best target so far is the best prediction for a labeled
        row, since the best label may be luck.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Jones, Schonlau and Welch, "Efficient global optimization of expensive black-box functions",
    Journal of Global Optimization 13, 1998, :doi:`10.1023/A:1008306431147`, after Mockus, Tiesis
    and Zilinskas (1978).

    Ament, Daulton, Eriksson, Balandat and Bakshy, "Unexpected improvements to expected improvement
    for Bayesian optimization", NeurIPS 2023, :doi:`10.48550/arXiv.2310.20708`, for the logarithm.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ExpectedImprovement
    >>> X = np.linspace(0, 5, 51)[:, np.newaxis]
    >>> labeled, y = [0, 25, 50], np.sin(X[:, 0])
    >>> model = GaussianProcessRegressor(optimizer=None)
    >>> learner = ActiveLearner(model, ExpectedImprovement(), random_state=0)
    >>> learner = learner.fit(X[labeled], y[labeled])
    >>> for _ in range(5):
    ...     pool = np.setdiff1d(np.arange(51), labeled)
    ...     labeled += pool[learner.query(X[pool])].tolist()
    ...     learner = learner.teach(X[labeled[-1:]], y[labeled[-1:]])
    >>> bool(max(y[labeled]) == max(y))  # sin(1.6), after eight labels
    True
    """

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by the logarithm of the expected improvement, shape (n_rows,)."""
        gap, std = self._compare(pool)
        return np.log(std) + _log_unit_improvement(np.clip(gap / std, -_LARGEST, _LARGEST))


def _log_unit_improvement(z: Floats) -> Floats:
    """Return log(z Phi(z) + phi(z)) without cancellation or underflow, shape (n_rows,).

    The formulas for the three parts of the line are those of Ament et al. (2023), appendix A.
    """
    result = np.empty_like(z)
    near, far = z > -1.0, z < -1.0 / np.sqrt(np.finfo(np.float64).eps)
    middle = ~(near | far)
    log_density = -0.5 * np.square(z) - 0.5 * np.log(2.0 * np.pi)
    result[near] = np.log(z[near] * ndtr(z[near]) + np.exp(log_density[near]))
    # Phi(z) / phi(z) = sqrt(pi / 2) erfcx(-z / sqrt(2)), whose product with -z is below 1.
    ratio = -z[middle] * np.sqrt(0.5 * np.pi) * erfcx(-z[middle] / np.sqrt(2.0))
    result[middle] = log_density[middle] + np.log1p(-ratio)
    result[far] = log_density[far] - 2.0 * np.log(-z[far])
    return result


class UpperConfidenceBound(ScoreStrategy):
    r"""Choose rows of the highest optimistic prediction (UCB).

    .. math:: u(x) = f(x) + \kappa\, \sigma(x)

    with :math:`f` and :math:`\sigma` the model's prediction and its standard deviation; to
    minimize, :math:`-f(x) + \kappa\, \sigma(x)` (the lower confidence bound). `kappa` = 0 chooses
    the best predictions (greedy).

    **When:** optimization where exploration is to be set by hand, or there is no meaningful best
    target so far, as with very noisy labels. Needs a regressor with standard deviations.

    Parameters
    ----------
    kappa : float, default=2.0
        Weight of the standard deviation; more explores more.
    maximize : bool, default=True
        Whether large targets are sought; False seeks small ones.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Srinivas, Krause, Kakade and Seeger, "Information-theoretic regret bounds for Gaussian process
    optimization in the bandit setting", IEEE Transactions on Information Theory 58, 2012,
    :doi:`10.1109/TIT.2011.2182033`.

    Examples
    --------
    >>> from skactive.strategies import UpperConfidenceBound
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(prediction=[1.0, 2.0, 1.5], std=[0.1, 0.1, 0.5])
    >>> UpperConfidenceBound(kappa=2.0).select(pool, 2)
    array([2, 1])
    """

    needs = frozenset({"prediction", "std"})
    rowwise = True
    regressors_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "kappa": [Interval(Real, 0, None, closed="left")],
        "maximize": ["boolean"],
    }

    def __init__(
        self, *, kappa: float = 2.0, maximize: bool = True, selector: Selector | None = None
    ) -> None:
        super().__init__(selector=selector)
        self.kappa = kappa
        self.maximize = maximize

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by their confidence bound, in units of the targets, shape (n_rows,)."""
        mean, std = _predict_normal(pool, self.maximize)
        return mean + self.kappa * std


class ThompsonSampling(Strategy):
    r"""Choose rows that are best in a draw from the posterior of the model.

    .. math:: x_t = \arg\max_{x \notin \{x_1 .. x_{t-1}\}} f(x, \theta_t), \qquad
        \theta_t \sim p(\theta \mid L)

    Each row of a batch is the best by a draw of its own, so that a row is chosen about as often as
    it is the best. If the model has fewer draws than the batch has rows (members of an ensemble),
    each serves several times, for its next best rows.

    **When:** optimization in batches: rows differ as much as the draws do, without a parameter
    for exploration. Draws of an ensemble, a Bayesian linear model or a net with dropout are
    functions of all rows, as they should be; those of a Gaussian process follow its law for
    each row alone, which makes this an upper confidence bound with a random weight. Needs draws of
    predicted numbers.

    Parameters
    ----------
    maximize : bool, default=True
        Whether large targets are sought; False seeks small ones.

    References
    ----------
    Thompson, "On the likelihood that one unknown probability exceeds another in view of the
    evidence of two samples", Biometrika 25, 1933, :doi:`10.1093/biomet/25.3-4.285`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ThompsonSampling
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, random_state=0)
    >>> learner = ActiveLearner(forest, ThompsonSampling(), random_state=0).fit(X[:30], y[:30])
    >>> learner.query(X[30:], batch_size=3).shape
    (3,)
    """

    needs = frozenset({"prediction_samples"})
    regressors_only = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"maximize": ["boolean"]}

    def __init__(self, *, maximize: bool = True) -> None:
        self.maximize = maximize

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows one by one, each the best of the remaining rows in the next draw."""
        picks = np.empty(0, dtype=np.intp)
        if not batch_size:
            return picks
        parts = [part.prediction_samples(batch_size) for part in pool.blocks(self.needs)]
        draws = np.concatenate(parts, axis=1)  # (n_draws, n_rows)
        _check_one_output(draws[0])
        draws = draws if self.maximize else -draws
        for turn in range(batch_size):
            rows = remaining_rows(len(pool), picks)
            best = top(draws[turn % len(draws), rows], 1, pool.random_state)
            picks = np.append(picks, rows[best])
        return picks
