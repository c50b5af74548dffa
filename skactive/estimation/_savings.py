"""Estimates of the labels saved against random choice, without a campaign of random choice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import ndtri

from skactive._utils.array_types import Floats
from skactive._utils.labels import has_one_label, read_labels, to_model_labels
from skactive._utils.rows import take_rows
from skactive._utils.seeding import draw_seed, seeded_clone
from skactive._utils.tags import is_classifier
from skactive.estimation._forecast import (
    first_passage,
    forecast_learning_curve,
    quantiles_with_infinity,
    share_error,
)
from skactive.estimation._intervals import Estimate

__all__ = ["SavingsEstimate", "estimate_savings"]


class SavingsEstimate(NamedTuple):
    """Estimate of the labels that active learning saved against random choice.

    Attributes
    ----------
    n_labels : int
        Number of labels that the model was trained on.
    n_random : float
        Number of labels drawn at random that would make as good a model; the median.
    low, high : float
        Interval of `n_random`; infinity if it is more than ten times the present number of labels.
    confidence : float
        How often the interval is to contain the true value.
    """

    n_labels: int
    n_random: float
    low: float
    high: float
    confidence: float

    @property
    def share(self) -> float:
        """Share of the random labels that was saved; negative if active learning needed more."""
        return 1.0 - self.n_labels / self.n_random

    @property
    def share_interval(self) -> tuple[float, float]:
        """Interval of the share that was saved."""
        return 1.0 - self.n_labels / self.low, 1.0 - self.n_labels / self.high


def estimate_savings(
    estimator: Any,
    X_random: Any,
    y_random: Any,
    *,
    n_labels: int,
    score: Estimate,
    scoring: Any = None,
    n_repeats: int = 20,
    confidence: float = 0.9,
    random_state: Any = None,
) -> SavingsEstimate:
    """Estimate the labels saved against random choice, without a campaign of random choice.

    The rows that were labeled at random (random initial labels and audit rows) give the first part
    of the learning curve of random choice: the model is refitted on random subsets of them and
    scored on the others. This curve is forecast up to the present score of the model on the audit.

    Parameters
    ----------
    estimator : estimator
        The model, to be cloned and refitted.
    X_random : rows in any container
        Rows that were drawn uniformly at random and labeled.
    y_random : array-like of shape (n_rows,)
        Their labels.
    n_labels : int
        Number of labels that the model was trained on.
    score : Estimate
        Present score of the model (:func:`audit`): accuracy, or another score whose best is 1.
    scoring : str, callable or None, default=None
        The scoring of `score`; None is the model's own ``score``.
    n_repeats : int, default=20
        Number of times that the rows are shuffled.
    confidence : float, default=0.9
        How often the interval is to contain the mean number of labels that random choice needs.
    random_state : int, RandomState or None, default=None
        Seed of the shuffles, the refits and the forecast.

    Returns
    -------
    SavingsEstimate
        The estimate; its interval is wide while there are few random rows.

    Raises
    ------
    ValueError
        If there are fewer than 10 random rows, or one class only.

    Notes
    -----
    The errors of the two scores are taken as independent. If the audit rows serve both, they share
    part of the error, so the interval is slightly too wide.

    Audit labels are not counted in `n_labels`; add them to count all labels paid for.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.estimation import Estimate, estimate_savings
    >>> X, y = load_iris(return_X_y=True)
    >>> now = Estimate(0.94, 0.87, 0.97, 100, "clopper-pearson", 0.95)
    >>> savings = estimate_savings(
    ...     GaussianNB(), X[::3], y[::3], n_labels=15, score=now, random_state=0
    ... )
    >>> bool(savings.low < savings.n_random < savings.high)
    True
    """
    y_random = read_labels(y_random, estimator)
    _check_random_rows(estimator, y_random)
    if int(n_labels) != n_labels or n_labels < 1:
        raise ValueError(f"n_labels must be an integer >= 1, got {n_labels!r}.")
    rng = RandomState(draw_seed(random_state))
    sizes, means = _random_curve(estimator, X_random, y_random, scoring, n_repeats, rng)
    forecast = forecast_learning_curve(
        sizes,
        means,
        at=10.0 * max(n_labels, len(y_random)),
        score_se=share_error(means[-1], len(y_random)),
        confidence=confidence,
        random_state=rng,
    )
    targets = _draw_estimate(score, len(forecast.paths), rng)
    counts = first_passage(forecast.grid, forecast.paths, targets)
    return SavingsEstimate(int(n_labels), *quantiles_with_infinity(counts, confidence), confidence)


# Implementation ---------------------------------------------------------------------------------


def _check_random_rows(estimator: Any, y: NDArray[Any]) -> None:
    if len(y) < 10:
        raise ValueError(f"Got {len(y)} random rows: at least 10 are needed to refit and score.")
    if is_classifier(estimator) and _has_one_class(y):
        raise ValueError("The random rows are of one class only: label more rows at random.")


def _random_curve(
    estimator: Any, X: Any, y: NDArray[Any], scoring: Any, n_repeats: int, rng: RandomState
) -> tuple[Floats, Floats]:
    """Return the learning curve of random choice on these rows: sizes and mean scores."""
    from sklearn.metrics import check_scoring  # late: it takes a tenth of a second

    sizes = np.unique(np.geomspace(max(4, len(y) / 10), 0.8 * len(y), 8).astype(np.intp))
    scores = np.empty((n_repeats, len(sizes)))
    for row in scores:
        order, seed = rng.permutation(len(y)), int(rng.randint(2**31 - 1))
        for i, size in enumerate(sizes):
            train, test = np.sort(order[:size]), np.sort(order[size:])
            model = _fit(seeded_clone(estimator, seed), take_rows(X, train), y[train])
            scorer = check_scoring(model, scoring=scoring)
            row[i] = scorer(model, take_rows(X, test), to_model_labels(y[test]))
    return sizes.astype(np.float64), scores.mean(axis=0)


def _fit(model: Any, X: Any, y: NDArray[Any]) -> Any:
    """Fit a model; on rows of a single class, a dummy that always predicts this class."""
    if is_classifier(model) and _has_one_class(y):
        from sklearn.dummy import DummyClassifier  # late: it is seldom needed

        return DummyClassifier().fit(np.zeros((len(y), 1)), y)
    return model.fit(X, to_model_labels(y))


def _has_one_class(y: NDArray[Any]) -> bool:
    return has_one_label(y) and len(np.unique(y)) < 2


def _draw_estimate(score: Estimate, n_draws: int, rng: RandomState) -> Floats:
    """Draw possible true scores: normal, with the spread of either side of the interval."""
    deviation = rng.standard_normal(n_draws) / float(ndtri((1.0 + score.confidence) / 2.0))
    side = np.where(deviation > 0, score.high - score.value, score.value - score.low)
    return score.value + deviation * side
