"""How good a model is, from labeled rows that were drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit
from sklearn.base import is_classifier

from skactive._utils.rows import n_rows, take_rows

__all__ = ["Estimate", "audit", "clopper_pearson"]

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """An estimate with its interval.

    Attributes
    ----------
    value : float
        The estimate.
    low, high : float
        The interval; infinite where nothing is known.
    n : int
        How many labeled rows it is made of.
    method : str
        How the interval was made: "clopper-pearson", "student-t" or "lure".
    confidence : float
        How often such intervals hold the truth.
    """

    value: float
    low: float
    high: float
    n: int
    method: str
    confidence: float


def clopper_pearson(n_right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return the exact interval of a share, from how many of a number of independent tries hit.

    Parameters
    ----------
    n_right : int
        How many hit, 0 .. `n`.
    n : int
        How many tries; 0 says nothing, and the interval is 0 .. 1.
    confidence : float, default=0.95
        How often the interval holds the true share at least, whatever it is, above 0 and below 1.

    Returns
    -------
    low, high : float
        The interval, both ends in 0 .. 1.

    Raises
    ------
    ValueError
        If the counts are no whole numbers with ``0 <= n_right <= n``, or `confidence` is no share.

    Notes
    -----
    The shares that neither one-sided test of level :math:`\alpha / 2` rejects. With
    :math:`B^{-1}(q; a, b)` the quantile of the beta distribution:

    .. math:: \left[ B^{-1}(\alpha / 2; k, n - k + 1),\ B^{-1}(1 - \alpha / 2; k + 1, n - k) \right]

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from skactive.estimation import clopper_pearson
    >>> low, high = clopper_pearson(45, 50)
    >>> round(low, 3), round(high, 3)
    (0.782, 0.967)
    """
    _check_counts(n_right, n)
    tail = (1.0 - checked_confidence(confidence)) / 2.0
    low = betaincinv(n_right, n - n_right + 1, tail) if n_right > 0 else 0.0
    high = betaincinv(n_right + 1, n - n_right, 1.0 - tail) if n_right < n else 1.0
    return float(low), float(high)


def audit(
    model: Any,
    X_audit: Any,
    y_audit: Any,
    *,
    scoring: Any = None,
    confidence: float = 0.95,
    n_looks: int = 1,
) -> Estimate:
    r"""Estimate how good a model is, from labeled rows that were drawn at random.

    Active learning distorts its sample, so that neither the labeled rows nor cross-validation
    among them tell how good the model is. Rows drawn at random that are *never trained on* do,
    whatever the strategy does with the others.

    Parameters
    ----------
    model : fitted estimator
        The model to judge.
    X_audit : rows in any container
        Rows drawn uniformly at random, which the model has not been trained on.
    y_audit : array-like of shape (n_rows,)
        Their labels.
    scoring : str, callable or None, default=None
        As in scikit-learn's searches, a score that averages over rows: accuracy, neg_log_loss,
        neg_brier_score, neg_mean_absolute_error ... None is the model's own ``score``.
    confidence : float, default=0.95
        How often the interval is to hold the truth.
    n_looks : int, default=1
        How many times such an interval will be looked at, if the truth is to be within all of
        them with the confidence asked for (Bonferroni: each has the confidence
        ``1 - (1 - confidence) / n_looks``).

    Returns
    -------
    Estimate
        Clopper and Pearson's interval ("clopper-pearson") where each row scores 0 or 1, which
        holds the truth at least as often as it says. Student's interval of the mean of the row
        scores ("student-t") elsewhere: an approximation, too narrow for few rows whose scores are
        very skewed (log loss), and infinite where all rows score the same, or there is one only.

    Raises
    ------
    ValueError
        If there are no rows, or the score is not a mean over rows (f1, roc_auc,
        balanced_accuracy, r2).

    Notes
    -----
    A score counts as a mean over rows if, with random weights for rows, the score of two weightings
    together is the weighted mean of their scores; for the true labels, and for the same labels in
    another order, so that a model that is always right hides nothing.

    The interval is right at *one* look at a time fixed in advance. Someone who looks after each
    batch and stops when it pleases takes the best of many looks: give `n_looks`.

    The estimate is for rows like those of the pool. Drawn without replacement from a pool of
    :math:`N` rows, a sample of :math:`n` tells more of *that pool* than this says, by the factor
    :math:`\sqrt{(N - n) / (N - 1)}` in the width; the interval leaves it out, and so covers the
    future rows that the pool stands for. The sample must not be stratified by anything that the
    score depends on.

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.estimation import audit
    >>> X, y = load_digits(return_X_y=True)
    >>> estimate = audit(GaussianNB().fit(X[:200], y[:200]), X[-100:], y[-100:])
    >>> estimate.value, estimate.method
    (0.68, 'clopper-pearson')
    >>> round(estimate.low, 3), round(estimate.high, 3)
    (0.579, 0.77)
    """
    n = n_rows(X_audit)
    if n == 0:
        raise ValueError("There are no audit rows yet: label some rows drawn at random first.")
    if n_looks < 1:
        raise ValueError(f"n_looks must be at least 1, got {n_looks!r}.")
    level = 1.0 - (1.0 - checked_confidence(confidence)) / n_looks
    rows = _row_scores(model, X_audit, np.asarray(y_audit), scoring)
    value = float(rows.mean())
    if np.isin(rows, (0.0, 1.0)).all():
        low, high = clopper_pearson(int(rows.sum()), n, level)
        return Estimate(value, low, high, n, "clopper-pearson", confidence)
    error = float(rows.std(ddof=1) / np.sqrt(n)) if n > 1 and np.ptp(rows) > 0 else np.inf
    half = float(stdtrit(max(n - 1, 1), (1.0 + level) / 2.0)) * error
    return Estimate(value, value - half, value + half, n, "student-t", confidence)


# How it is done ---------------------------------------------------------------------------------


def _check_counts(n_right: int, n: int) -> None:
    if int(n) != n or int(n_right) != n_right or not 0 <= n_right <= n:
        raise ValueError(
            f"Got n_right={n_right!r} of n={n!r}: both must be whole numbers, 0 <= n_right <= n."
        )


def _row_scores(model: Any, X: Any, y: NDArray[Any], scoring: Any) -> Floats:
    """Return the score of each row, (n_rows,), whose mean is the score of all."""
    scorer = _scorer(model, scoring)
    remembered = _Remembered(model, X)
    weigh: Callable[[Any, Floats], float] = lambda labels, weights: float(  # noqa: E731
        scorer(remembered, X, labels, sample_weight=weights)
    )
    try:
        weigh(y, np.ones(len(y)))
    except TypeError:  # a scorer that takes no weights: weights of 0 and 1 are subsets
        weigh = _by_subsets(scorer, model, X)
    _check_is_mean(weigh, y, scoring)
    hits = right_rows(remembered, X, y)
    probe = RandomState(0).randint(1, 3, len(y)).astype(np.float64)
    if hits is not None and _close(weigh(y, probe), float(np.average(hits, weights=probe))):
        return hits  # accuracy by any name
    rows = np.array([weigh(y, one) for one in np.eye(len(y))])
    if not _close(float(rows.mean()), weigh(y, np.ones(len(y)))):
        raise ValueError(_not_a_mean(scoring))
    return rows


class _Remembered:
    """A model that predicts the audit rows, and has done so before: scorers ask it often."""

    def __init__(self, model: Any, X: Any) -> None:
        self._model, self._X = model, X
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            method = getattr(self._model, name)
            return wraps(method)(lambda *_: self._recall(name, method))  # scorers ask its name
        return getattr(self._model, name)

    def _recall(self, name: str, method: Callable[[Any], Any]) -> Any:
        if name not in self._known:
            self._known[name] = method(self._X)
        return self._known[name]


def _scorer(model: Any, scoring: Any) -> Any:
    """Make the scorer; losses of probabilities are told the classes: few rows may not show all."""
    from sklearn import metrics  # late: it takes a tenth of a second

    losses = {"neg_log_loss": metrics.log_loss, "neg_brier_score": metrics.brier_score_loss}
    loss = losses.get(scoring) if isinstance(scoring, str) else None
    if loss is None or "labels" not in signature(loss).parameters:  # brier: scikit-learn < 1.7
        return metrics.check_scoring(model, scoring=scoring)
    return metrics.make_scorer(
        loss, greater_is_better=False, response_method="predict_proba", labels=model.classes_
    )


def _by_subsets(scorer: Any, model: Any, X: Any) -> Callable[[Any, Floats], float]:
    """Score with weights that are whole numbers, by rows that come as often."""

    def weigh(labels: Any, weights: Floats) -> float:
        rows = np.repeat(np.arange(len(weights)), weights.astype(np.intp))
        return float(scorer(model, take_rows(X, rows), labels[rows]))

    return weigh


def _check_is_mean(weigh: Callable[[Any, Floats], float], y: NDArray[Any], scoring: Any) -> None:
    """Check that the score of two weightings together is the weighted mean of their scores."""
    rng = RandomState(0)
    for labels in (y, y[rng.permutation(len(y))]):
        first, second = rng.randint(1, 6, (2, len(y))).astype(np.float64)
        whole = first.sum() * weigh(labels, first) + second.sum() * weigh(labels, second)
        if not _close(whole / (first + second).sum(), weigh(labels, first + second)):
            raise ValueError(_not_a_mean(scoring))


def _not_a_mean(scoring: Any) -> str:
    return (
        f"scoring={scoring!r} is not a mean over rows, so a random sample gives no such interval "
        "for it. Take accuracy, neg_log_loss, neg_brier_score, neg_mean_absolute_error, "
        "neg_mean_squared_error or another mean over rows."
    )


def _close(value: float, other: float) -> bool:
    return bool(np.isclose(value, other, rtol=1e-7, atol=1e-9))


def right_rows(model: Any, X: Any, y: NDArray[Any]) -> Floats | None:
    """Tell which rows are predicted right, 1 or 0, where the model predicts labels."""
    if not is_classifier(model):
        return None
    predicted = np.asarray(model.predict(X))
    right = predicted == y.reshape(predicted.shape)  # labels may come as a column
    return np.asarray(right.reshape(len(y), -1).all(axis=1), dtype=np.float64)


def checked_confidence(confidence: float) -> float:
    """Return a confidence, if it is one."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(
            f"confidence must lie between 0 and 1, got {confidence!r}: 0.95 stands for 95 %."
        )
    return float(confidence)
