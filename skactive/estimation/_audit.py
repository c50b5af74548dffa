"""Estimates of a model's score from labeled rows that were drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.labels import (
    equal_rows,
    holds_floats,
    is_structured,
    read_labels,
    row_errors,
    to_model_labels,
)
from skactive._utils.rows import collect_rows, n_rows, take_rows
from skactive._utils.tags import find_estimator_type, is_classifier
from skactive.estimation._intervals import (
    Estimate,
    check_confidence,
    clopper_pearson,
    mean_interval,
)

__all__ = ["audit", "audit_error", "right_rows"]


def audit(
    model: Any,
    X_audit: Any,
    y_audit: Any,
    *,
    scoring: Any = None,
    confidence: float = 0.95,
    n_looks: int = 1,
) -> Estimate:
    r"""Estimate the score of a model on labeled rows that were drawn at random.

    Active learning distorts its sample, so neither the labeled rows nor cross-validation on them
    show how good the model is. Rows drawn at random and *never trained on* do, whatever the
    strategy does with the others.

    Parameters
    ----------
    model : fitted estimator
        The model to evaluate.
    X_audit : rows in any container
        Rows drawn uniformly at random, which the model has not been trained on.
    y_audit : array-like of shape (n_rows,) or (n_rows, ...), or list
        Their labels. Structured ones, a list of lists, arrays, sets or dicts, are passed to the
        score as a list.
    scoring : str, callable or None, default=None
        As in scikit-learn's searches, a score that averages over rows: accuracy, neg_log_loss,
        neg_brier_score, neg_mean_absolute_error ... None is the model's own ``score``; for
        structured labels and a model without one, a row scores 1 if all of it is predicted, else 0.
    confidence : float, default=0.95
        How often the interval is to contain the true value.
    n_looks : int, default=1
        Number of times that such an interval will be looked at, if all of them together are to have
        this confidence (Bonferroni: each has ``1 - (1 - confidence) / n_looks``).

    Returns
    -------
    Estimate
        Clopper and Pearson's interval ("clopper-pearson") if each row scores 0 or 1; it contains
        the true value at least as often as it claims. Otherwise Hall's interval for the mean of
        the row scores, of :func:`mean_interval` ("hall"): an approximation, too narrow for few rows
        with very skewed scores, and infinite if all rows score the same or there is only one.

    Raises
    ------
    ValueError
        If there are no rows, or the score is not a mean over rows (f1, roc_auc,
        balanced_accuracy, r2).

    Notes
    -----
    A score counts as a mean over rows if, with random weights for rows, the score of two weightings
    together is the weighted mean of their scores. This is checked for the true labels and for the
    same labels in another order, so that a model that is always right hides nothing.

    The interval is valid for *one* look at a time fixed in advance. Someone who looks after each
    batch and stops when the result is good takes the best of many looks: pass `n_looks`.

    The estimate is for rows like those of the pool. Drawn without replacement from a pool of
    :math:`N` rows, a sample of :math:`n` says more about *that pool*, by the factor
    :math:`\sqrt{(N - n) / (N - 1)}` in the width; the interval ignores this, and so covers future
    rows of the same kind. The sample must not be stratified by anything that the score depends on.

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
    X_audit = collect_rows(X_audit)
    n = n_rows(X_audit)
    level = _check_audit(n, confidence, n_looks)
    rows = _row_scores(model, X_audit, read_labels(y_audit, model), scoring)
    if np.isin(rows, (0.0, 1.0)).all():
        low, high = clopper_pearson(int(rows.sum()), n, level)
        return Estimate(float(rows.mean()), low, high, n, "clopper-pearson", confidence)
    return Estimate(float(rows.mean()), *mean_interval(rows, level), n, "hall", confidence)


def audit_error(
    model: Any,
    X_audit: Any,
    y_audit: Any,
    *,
    error: str = "absolute",
    confidence: float = 0.95,
    n_looks: int = 1,
) -> Estimate:
    """Estimate the error of a model that predicts numbers, on rows that were drawn at random.

    Parameters
    ----------
    model : fitted estimator
        The model to evaluate, a regressor.
    X_audit : rows in any container
        Rows drawn uniformly at random, which the model has not been trained on.
    y_audit : array-like of shape (n_rows,) or (n_rows, ...), or list
        Their true numbers: one per row, several, or arrays of any shapes. The error of a row is the
        mean over its numbers.
    error : {"absolute", "squared"}, default="absolute"
        The error of a number: the absolute difference or its square.
    confidence : float, default=0.95
        How often the interval is to contain the true value.
    n_looks : int, default=1
        Number of times that such an interval will be looked at, as in :func:`audit`.

    Returns
    -------
    Estimate
        The mean error, with the interval of :func:`mean_interval` ("hall"), which begins at 0 or
        above. It is infinite for a single row.

    Raises
    ------
    ValueError
        If there are no rows, or predictions have another shape than the true numbers.

    See Also
    --------
    audit : Estimates any score that is a mean over rows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from skactive.estimation import audit_error
    >>> X, y = load_diabetes(return_X_y=True)
    >>> estimate = audit_error(LinearRegression().fit(X[:200], y[:200]), X[-30:], y[-30:])
    >>> round(estimate.value, 1), round(estimate.low, 1), round(estimate.high, 1)
    (33.1, 24.0, 44.3)
    """
    X_audit = collect_rows(X_audit)
    level = _check_audit(n_rows(X_audit), confidence, n_looks)
    powers = {"absolute": 1, "squared": 2}
    if error not in powers:
        raise ValueError(f"error must be 'absolute' or 'squared', got {error!r}.")
    labels = read_labels(y_audit, model)
    rows = row_errors(labels, model.predict(X_audit), power=powers[error])
    low, high = mean_interval(rows, level)
    return Estimate(float(rows.mean()), max(low, 0.0), high, len(rows), "hall", confidence)


# Implementation ---------------------------------------------------------------------------------


def _check_audit(n: int, confidence: float, n_looks: int) -> float:
    """Check an audit of `n` rows; return the confidence of each of its looks."""
    if n == 0:
        raise ValueError("No audit rows yet: label some rows drawn at random first.")
    if n_looks < 1:
        raise ValueError(f"n_looks must be at least 1, got {n_looks!r}.")
    return 1.0 - (1.0 - check_confidence(confidence)) / n_looks


def _row_scores(model: Any, X: Any, y: NDArray[Any], scoring: Any) -> Floats:
    """Return the score of each row, (n_rows,), whose mean is the score of all."""
    if scoring is None and is_structured(y) and not hasattr(model, "score"):
        return equal_rows(y, model.predict(X)).astype(np.float64)
    scorer = _make_scorer(model, scoring)
    cached = _CachedPredictions(model, X)
    weigh: Callable[[Any, Floats], float] = lambda labels, weights: float(  # noqa: E731
        scorer(cached, X, to_model_labels(labels), sample_weight=weights)
    )
    try:
        weigh(y, np.ones(len(y)))
    except TypeError:  # a scorer that takes no weights: weights of 0 and 1 are subsets
        weigh = _weigh_by_repetition(scorer, model, X)
    _check_is_mean(weigh, y, scoring)
    correct = right_rows(cached, X, y)
    probe = RandomState(0).randint(1, 3, len(y)).astype(np.float64)
    if correct is not None and _is_close(
        weigh(y, probe), float(np.average(correct, weights=probe))
    ):
        return correct  # the score is accuracy, whatever its name
    rows = np.array([weigh(y, unit) for unit in np.eye(len(y))])
    if not _is_close(float(rows.mean()), weigh(y, np.ones(len(y)))):
        raise ValueError(_explain_means(scoring))
    return rows


class _CachedPredictions:
    """A model whose predictions of the audit rows are made once: scorers ask for them often."""

    def __init__(self, model: Any, X: Any) -> None:
        self._model, self._X = model, X
        self._predictions: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            method = getattr(self._model, name)
            return wraps(method)(lambda *_: self._predict(name, method))  # scorers read its name
        return getattr(self._model, name)

    def _predict(self, name: str, method: Callable[[Any], Any]) -> Any:
        if name not in self._predictions:
            self._predictions[name] = method(self._X)
        return self._predictions[name]


def _make_scorer(model: Any, scoring: Any) -> Any:
    """Make the scorer; losses of probabilities get the classes, since few rows may lack some."""
    from sklearn import metrics  # late: it takes a tenth of a second

    losses = {"neg_log_loss": metrics.log_loss, "neg_brier_score": metrics.brier_score_loss}
    loss = losses.get(scoring) if isinstance(scoring, str) else None
    if loss is None or "labels" not in signature(loss).parameters:  # brier: scikit-learn < 1.7
        return metrics.check_scoring(model, scoring=scoring)
    return metrics.make_scorer(
        loss, greater_is_better=False, response_method="predict_proba", labels=model.classes_
    )


def _weigh_by_repetition(scorer: Any, model: Any, X: Any) -> Callable[[Any, Floats], float]:
    """Score with integer weights, by repeating each row as often as its weight."""

    def weigh(labels: Any, weights: Floats) -> float:
        rows = np.repeat(np.arange(len(weights)), weights.astype(np.intp))
        return float(scorer(model, take_rows(X, rows), to_model_labels(labels[rows])))

    return weigh


def _check_is_mean(weigh: Callable[[Any, Floats], float], y: NDArray[Any], scoring: Any) -> None:
    """Check that the score of two weightings together is the weighted mean of their scores."""
    rng = RandomState(0)
    for labels in (y, y[rng.permutation(len(y))]):
        first, second = rng.randint(1, 6, (2, len(y))).astype(np.float64)
        total = first.sum() * weigh(labels, first) + second.sum() * weigh(labels, second)
        if not _is_close(total / (first + second).sum(), weigh(labels, first + second)):
            raise ValueError(_explain_means(scoring))


def _explain_means(scoring: Any) -> str:
    """Return the message of the error for a score that is not a mean over rows."""
    return (
        f"scoring={scoring!r} is not a mean over rows, so a random sample gives no such interval "
        "for it. Use accuracy, neg_log_loss, neg_brier_score, neg_mean_absolute_error, "
        "neg_mean_squared_error or another mean over rows."
    )


def _is_close(value: float, other: float) -> bool:
    return bool(np.isclose(value, other, rtol=1e-7, atol=1e-9))


def right_rows(model: Any, X: Any, y: NDArray[Any]) -> Floats | None:
    """Return 1 for each row that is predicted correctly, all of it, else 0; None for numbers.

    `y` are labels that were read. A regressor predicts numbers, and so does a model that is neither
    regressor nor classifier if its predictions or the labels are floating-point numbers.
    """
    if find_estimator_type(model) == "regressor" or not hasattr(model, "predict"):
        return None
    predicted = model.predict(X)
    if not is_classifier(model) and (holds_floats(y) or holds_floats(read_labels(predicted))):
        return None
    return equal_rows(y, predicted).astype(np.float64)
