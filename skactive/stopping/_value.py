"""Stopping when the next batch costs more than what it is expected to save."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.compat import Interval, StrOptions
from skactive._utils.constraints import POSITIVE_REAL, POSITIVE_REAL_OR_NONE, UNIT_INTERVAL
from skactive._utils.labels import has_one_label, read_labels
from skactive._utils.seeding import derived_seed
from skactive._utils.tags import is_classifier
from skactive._utils.text import format_apart, pluralize
from skactive.estimation import Forecast, forecast_learning_curve
from skactive.exceptions import CapabilityError
from skactive.stopping._base import Memory, Round, StoppingCriterion, Verdict, wait_for
from skactive.stopping._evaluation import check_binary_audit

__all__ = ["ValueOfLabels"]

_N_FOLDS = 5


class ValueOfLabels(StoppingCriterion):
    r"""Stop when the next batch costs more than what it is expected to save.

    **When:** labels have a price, errors in use have one, and rows are audited (or cross-validated,
    with the doubts below). Unlike :class:`ExpectedGain` it forecasts from the whole curve, by
    batches, and says how sure it is.

    Parameters
    ----------
    value_per_error : float
        Value of an error avoided, in the currency of the labels.
    rows_in_use : float
        Number of rows on which the model will decide.
    pessimism : float, default=0.4
        How likely the saving must be: the batch counts for what it saves in so many of the
        forecast's draws or more. 0.5 takes the median. Higher values stop earlier; so do unlucky
        rounds, and stopping cannot be undone, which is why the default is below the median.
    price : float, default=None
        Price of a label. None: the price that the rounds have, which is 1 where labels have no
        costs.
    score : {"audit", "cross_validation"} or callable, default="audit"
        The accuracy whose curve is forecast. "audit" is that on the audit sample, which is
        unbiased. "cross_validation" is that on the labeled rows, by five-fold cross-validation,
        which needs no audit and costs five fits a round: strategies buy the doubtful rows, on which
        accuracies are low, and rise as the doubts are settled, so that gains are rough. A callable
        gets the :class:`Round` and returns an accuracy, that on a validation set, say.
    n_rounds : int, default=5
        Number of rounds to wait for; at least 2.

    Notes
    -----
    With :math:`a(n)` a draw of the learning curve given the accuracies so far
    (:func:`skactive.estimation.forecast_learning_curve`), and :math:`b` labels in the next batch,
    which is taken to be as large and dear as the last one, it stops when

    .. math:: v N \cdot Q_{1 - \pi}\left[ a(n + b) - a(n) \right] < c

    with :math:`Q` the quantile over the draws, :math:`\pi` the pessimism, :math:`v` the value of an
    error, :math:`N` the rows in use and :math:`c` the cost of the batch, audit included. Its value
    is the ratio of the two sides.

    References
    ----------
    Domhan, Springenberg and Hutter, "Speeding up automatic hyperparameter optimization of deep
    neural networks by extrapolation of learning curves", IJCAI 2015, for draws of curves.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.stopping import Round, ValueOfLabels
    >>> monitor = ValueOfLabels(value_per_error=0.5, rows_in_use=10_000, price=2.0).start()
    >>> for n_labels in (100, 200, 300, 400, 500):
    ...     audit = (np.arange(1000) >= 20_000 // n_labels + 50).astype(float)  # wrong: 25 % .. 9 %
    ...     verdict = monitor.update(Round(n_labels, audit=audit))
    >>> verdict.stop, verdict.reason
    (True, 'the next 100 labels are expected to gain ... points ..., less than their cost of 200')
    """

    reading = "saving per unit of cost"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "value_per_error": POSITIVE_REAL,
        "rows_in_use": POSITIVE_REAL,
        "pessimism": UNIT_INTERVAL,
        "price": POSITIVE_REAL_OR_NONE,
        "score": [StrOptions({"audit", "cross_validation"}), callable],
        "n_rounds": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        value_per_error: float,
        rows_in_use: float,
        *,
        pessimism: float = 0.4,
        price: float | None = None,
        score: str | Callable[[Round], float] = "audit",
        n_rounds: int = 5,
    ) -> None:
        self.value_per_error = value_per_error
        self.rows_in_use = rows_in_use
        self.pessimism = pessimism
        self.price = price
        self.score = score
        self.n_rounds = n_rounds

    def limit(self) -> float:
        """Return 1, where the next batch saves what it costs."""
        return 1.0

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Forecast what the next batch saves, and compare it with its cost."""
        spent = self._sum_costs(current)
        last, memory["last"] = memory.get("last"), (current.n_labels, spent)
        curve = memory.setdefault("curve", [])  # (n_labels, accuracy, rows that it is measured on)
        point = self._measure(current) if current.n_labels else None
        if point is not None:
            while curve and curve[-1][0] >= current.n_labels:  # labels may be taken back
                curve.pop()
            curve.append((current.n_labels, *point))
        if len(curve) < self.n_rounds or last is None:
            return wait_for("accuracy", len(curve), self.n_rounds)
        n_next, cost = current.n_labels - last[0], spent - last[1]
        if n_next <= 0 or cost <= 0:
            return Verdict(False, "the last batch had no labels that cost anything")
        return self._compare(
            self._forecast_gain(np.array(curve), n_next, current.seed), n_next, cost
        )

    def _compare(self, gain: float, n_next: int, cost: float) -> Verdict:
        """Compare what a gain of accuracy is worth with the cost of the batch."""
        saving = self.value_per_error * self.rows_in_use * gain
        stop = saving < cost
        value, limit = format_apart(saving, cost)
        return Verdict(
            stop,
            f"the next {pluralize(n_next, 'label')} are expected to gain {100 * gain:.3g} points "
            f"of accuracy, worth {value}, {'less than' if stop else 'at least'} their cost of "
            f"{limit}",
            saving / cost,
        )

    def _sum_costs(self, current: Round) -> float:
        if self.price is not None:
            return self.price * current.n_bought
        return float(current.n_bought if current.cost is None else current.cost)

    def _forecast_gain(self, curve: Floats, n_next: int, seed: int) -> float:
        """Return the gain of accuracy that the next labels reach as often as `pessimism` says.

        `curve` has a row for each round: its labels, its accuracy and the rows measured on, NaN if
        they are not known, (n_rounds, 3).
        """
        counts, accuracies, n_test = curve.T
        ahead = counts[-1] + n_next
        forecast = forecast_learning_curve(
            counts,
            accuracies,
            ahead,
            n_test=None if np.isnan(n_test).any() else n_test,
            random_state=derived_seed(seed, 0x7A1E),
        )
        gains = _read_paths(forecast, ahead) - _read_paths(forecast, counts[-1])
        return float(np.quantile(gains, 1.0 - self.pessimism))

    def _measure(self, current: Round) -> tuple[float, float] | None:
        """Return an accuracy, and the number of rows it is measured on; None if there is none."""
        if callable(self.score):
            score = float(self.score(current))
            if not 0.0 <= score <= 1.0:
                raise ValueError(
                    f"score of ValueOfLabels must return an accuracy, from 0 to 1, got {score}."
                )
            return score, math.nan
        correct = (
            check_binary_audit(self, current) if self.score == "audit" else _cross_validate(current)
        )
        return (float(correct.mean()), len(correct)) if len(correct) else None


def _read_paths(forecast: Forecast, n: float) -> Floats:
    """Return the height of each drawn curve at a label count of the grid, (n_draws,)."""
    return forecast.paths[:, np.searchsorted(forecast.grid, n)]


def _cross_validate(current: Round) -> Floats:
    """Return which labeled rows are predicted right by models of the others, (n_labeled,).

    Empty while a class has one row.
    """
    from sklearn.model_selection import (
        StratifiedKFold,
        cross_val_predict,
    )  # late: a tenth of a second

    learner = current.learner
    if not is_classifier(learner) or not hasattr(learner, "y_labeled_"):
        raise CapabilityError(
            "ValueOfLabels(score='cross_validation') fits the model of an ActiveLearner that "
            f"classifies to its labeled rows, which {type(learner).__name__} does not have: pass "
            "a callable as score, or audit rows (score='audit')."
        )
    y = read_labels(learner.y_labeled_)
    if not has_one_label(y):
        raise CapabilityError(
            "ValueOfLabels(score='cross_validation') counts one label per row as right or wrong: "
            "pass a callable as score for rows of several labels."
        )
    n_folds = min(_N_FOLDS, int(np.unique(y, return_counts=True)[1].min()))
    if n_folds < 2:
        return np.empty(0)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=derived_seed(current.seed, 0xF01D))
    predicted = cross_val_predict(learner.estimator, learner.X_labeled_, y, cv=folds)
    return np.asarray(predicted == y, dtype=np.float64)
