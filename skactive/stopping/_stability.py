"""Stopping by the models alone, without further labels."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, ClassVar

import numpy as np

from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT, UNIT_INTERVAL
from skactive._utils.text import format_apart, pluralize
from skactive.scores import entropy
from skactive.stopping._base import (
    Memory,
    Round,
    StoppingCriterion,
    Verdict,
    wait_for,
)
from skactive.stopping._evaluation import (
    agreement,
    predict_classes,
    predict_probabilities,
    unlabeled_rows,
)

__all__ = ["ClassificationChange", "OverallUncertainty", "StabilizingPredictions"]


class StabilizingPredictions(StoppingCriterion):
    r"""Stop when successive models agree on a fixed, random stop set.

    **When:** by default: it needs no further labels and works with any classifier. It shows whether
    more labels still change the model, not whether the model is good.

    Parameters
    ----------
    threshold : float, default=0.99
        Mean agreement, by Cohen's kappa, at which to stop. Lower stops sooner.
    window : int, default=3
        Number of successive comparisons over which the mean is taken. It never stops before.
    stop_set_size : int, default=1000
        Number of rows predicted in each round; drawn once, from all rows, in the first.
    growth : float, default=0.0
        Share by which the labels must have grown between two models that are compared. 0 compares
        those of successive rounds, as published; with 0.1 the criterion means the same for any
        batch size.

    Notes
    -----
    With :math:`p_o` the share of the rows on which two models agree, and :math:`p_e` the share on
    which they would agree by chance, given how often each predicts each class:

    .. math:: \frac{1}{w} \sum_{i=0}^{w-1} \kappa_{t-i} \ge \theta, \qquad
        \kappa_t = \frac{p_o - p_e}{1 - p_e}

    If both models predict the same class for all rows, kappa is 0 / 0. It counts as 0 here: such
    agreement does not show that anything was learned.

    The stop set should be large, since kappa is rough on few rows. Models with few labels between
    them agree, however little they know: if batches are a small share of the labels, successive
    models differ little and the criterion stops too soon. Then set `growth`.

    References
    ----------
    Bloodgood and Vijay-Shanker, "A method for stopping active learning based on stabilizing
    predictions and the need for user-adjustable stopping", CoNLL 2009,
    :doi:`10.48550/arXiv.1409.5165`.

    Bloodgood and Grothendieck, "Analysis of stopping active learning based on stabilizing
    predictions", CoNLL 2013, :doi:`10.48550/arXiv.1504.06329`.

    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20, 1960.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.stopping import StabilizingPredictions
    >>> X, y = load_digits(return_X_y=True)
    >>> simulation = SimulatedLearner(
    ...     ActiveLearner(make_pipeline(StandardScaler(), LogisticRegression())),
    ...     budget=400,
    ...     batch_size=20,
    ...     stopping=StabilizingPredictions(0.9),
    ...     random_state=0,
    ... ).fit(X, y)
    >>> simulation.stop_reason_
    'Stopped at ... labels: successive models agreed on 1000 rows by a mean kappa of 0.9... over 3
    comparisons, at least 0.9.'
    """

    reading = "mean kappa"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": UNIT_INTERVAL,
        "window": POSITIVE_INT,
        "stop_set_size": POSITIVE_INT,
        "growth": NONNEGATIVE_REAL,
    }

    def __init__(
        self,
        threshold: float = 0.99,
        *,
        window: int = 3,
        stop_set_size: int = 1000,
        growth: float = 0.0,
    ) -> None:
        self.threshold = threshold
        self.window = window
        self.stop_set_size = stop_set_size
        self.growth = growth

    def limit(self) -> float:
        """Return the mean kappa to reach."""
        return self.threshold

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the model with that of an earlier round."""
        kappas = memory.setdefault("kappas", deque(maxlen=self.window))
        if current.n_labels >= memory.get("n_labels", 0) * (1.0 + self.growth):
            memory["n_labels"] = current.n_labels
            kappa = agreement(self, current, memory, self.stop_set_size)
            kappas.extend([] if kappa is None else [kappa])
        if len(kappas) < self.window:
            return wait_for("model comparison", len(kappas), self.window)
        mean = float(np.mean(kappas))
        stop = mean >= self.threshold
        value, limit = format_apart(mean, self.threshold)
        return Verdict(
            stop,
            f"successive models agreed on {len(memory['rows'])} rows by a mean kappa of {value} "
            f"over {pluralize(self.window, 'comparison')}, "
            f"{'at least' if stop else 'below'} {limit}",
            mean,
        )


class ClassificationChange(StoppingCriterion):
    r"""Stop when the predicted class of no unlabeled row changes any more.

    **When:** the labels of the pool itself are wanted, and it is small enough to predict in each
    round. Combined with :class:`OverallUncertainty` by ``&`` it is the authors' multi-criteria
    strategy in its simplest form.

    Parameters
    ----------
    tolerance : float, default=0.0
        Share of the rows that may still change.
    window : int, default=1
        Number of successive comparisons that must stay within it.

    Notes
    -----
    Over the unlabeled rows :math:`U_t` of round :math:`t`, for :math:`w` successive rounds:

    .. math:: \frac{1}{|U_t|} \sum_{x \in U_t} [\hat y_t(x) \ne \hat y_{t-1}(x)] \le \tau

    The positions and predictions of one round are kept until the next. A model that predicts the
    same class for all rows changes nothing: while there is one class only, it never stops.

    References
    ----------
    Zhu, Wang and Hovy, "Multi-criteria-based strategy to stop active learning for data
    annotation", COLING 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.stopping import ClassificationChange, Round
    >>> X = np.r_[np.linspace(0, 1, 50), np.linspace(2, 3, 50)][:, None]
    >>> y = X[:, 0] > 1.5
    >>> order = np.random.RandomState(0).permutation(100)
    >>> monitor = ClassificationChange().start()
    >>> for n in (10, 20):
    ...     rows, left = order[:n], np.sort(order[n:])
    ...     model = GaussianNB().fit(X[rows], y[rows])
    ...     verdict = monitor.update(Round(n_labels=n, learner=model, X=X, pool=left))
    >>> verdict.reason
    'the predicted class changed for 0 % of the 80 unlabeled rows, at most 0 %, over 1 round'
    """

    reading = "share of the pool that changed"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "tolerance": UNIT_INTERVAL,
        "window": POSITIVE_INT,
    }

    def __init__(self, *, tolerance: float = 0.0, window: int = 1) -> None:
        self.tolerance = tolerance
        self.window = window

    def limit(self) -> float:
        """Return the share of rows that may change."""
        return self.tolerance

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the predictions of the unlabeled rows with those of the previous round."""
        pool = unlabeled_rows(current)
        if not len(pool):
            return Verdict(False, "the pool is empty")
        predicted = predict_classes(self, current, pool)
        before, memory["before"] = memory.get("before"), (pool, predicted)
        if before is None:
            return wait_for("model comparison", 0, self.window)
        _, now, then = np.intersect1d(pool, before[0], assume_unique=True, return_indices=True)
        if not len(now):
            return Verdict(False, "no row of the pool was in that of the previous round")
        changed = float(np.mean(predicted[now] != before[1][then]))
        if len(np.unique(predicted)) < 2:
            memory["n_successive"] = 0
            reason = f"the model predicts the same class for all {len(pool)} unlabeled rows"
            return Verdict(False, reason, changed)
        return self._judge_change(changed, len(now), memory)

    def _judge_change(self, changed: float, n: int, memory: Memory) -> Verdict:
        within = changed <= self.tolerance
        memory["n_successive"] = memory.get("n_successive", 0) + 1 if within else 0
        value, limit = format_apart(100 * changed, 100 * self.tolerance)
        reason = (
            f"the predicted class changed for {value} % of the {n} unlabeled rows, "
            f"{'at most' if within else 'more than'} {limit} %"
        )
        count = min(memory["n_successive"], self.window)
        stop = count == self.window
        over = f", over {pluralize(count, 'round')}" + ("" if stop else f" of {self.window}")
        return Verdict(stop, reason + (over if within else ""), changed)


class OverallUncertainty(StoppingCriterion):
    r"""Stop when the model is certain about the unlabeled rows, by their mean entropy.

    **When:** the model's probabilities can be trusted and the classes do not overlap much: on noisy
    data the entropy never gets low, and with an overconfident model it is low at once. Look at the
    history before you choose a threshold.

    Parameters
    ----------
    threshold : float, default=0.05
        Mean entropy below which to stop, as a share of its maximum, so that it means the same for
        any number of classes.

    Notes
    -----
    Over the unlabeled rows :math:`U`, with :math:`C` classes:

    .. math:: -\frac{1}{|U| \log C} \sum_{x \in U} \sum_y p(y \mid x) \log p(y \mid x) < \theta

    A model that knows one class only is not certain but ignorant, so it has no value.

    References
    ----------
    Zhu, Wang, Hovy and Ma, "Confidence-based stopping criteria for active learning for data
    annotation", ACM Transactions on Speech and Language Processing 6, 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.stopping import OverallUncertainty, Round
    >>> X, y = load_iris(return_X_y=True)
    >>> model = GaussianNB().fit(X[::3], y[::3])
    >>> OverallUncertainty(0.1).start().update(Round(50, model, X)).reason
    'the mean entropy of the 150 unlabeled rows is 0.0546 of its maximum, below 0.1'
    """

    reading = "mean entropy / maximum"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"threshold": UNIT_INTERVAL}

    def __init__(self, threshold: float = 0.05) -> None:
        self.threshold = threshold

    def limit(self) -> float:
        """Return the threshold of the mean entropy."""
        return self.threshold

    def judge(self, current: Round, memory: Memory) -> Verdict:
        """Compare the mean entropy of the unlabeled rows with the threshold."""
        pool = unlabeled_rows(current)
        if not len(pool):
            return Verdict(False, "the pool is empty")
        total, n_classes = 0.0, 0
        for proba in predict_probabilities(self, current, pool):
            total, n_classes = total + float(entropy(proba).sum()), proba.shape[1]
        if n_classes < 2:
            return Verdict(False, "the model knows one class only")
        mean = total / len(pool) / math.log(n_classes)
        stop = mean < self.threshold
        value, limit = format_apart(mean, self.threshold)
        return Verdict(
            stop,
            f"the mean entropy of the {len(pool)} unlabeled rows is {value} of its maximum, "
            f"{'below' if stop else 'not below'} {limit}",
            mean,
        )
