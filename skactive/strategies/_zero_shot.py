"""Probabilities from somebody else than the model, and their calibration by a few labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from skactive._utils.array_types import Floats, Positions
from skactive._utils.rows import n_rows

__all__ = ["calibrate", "find_classes", "locate_labels", "read_zero_shot"]

_LEAST = 1e-6  # probabilities below it count as this, so that one label never proves a row absurd
_SUM_TOLERANCE = 0.05  # by which rows may miss a sum of 1, as values of two decimals do
_PRIOR_PRECISION = 1.0  # of the log of the slope and of the offsets: both near 0 without labels


def read_zero_shot(source: Any, X: Any) -> Floats:
    """Return the probabilities that a source gives of rows, (n_rows, n_columns), each sum 1.

    Rows that an annotator leaves to people are as uncertain as can be.
    """
    answers, may_abstain = _ask(source, X)
    try:
        proba = np.array(answers, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{_describe(source)} must give an array of numbers; {error}.") from error
    n = n_rows(X)
    if proba.ndim != 2 or len(proba) != n or proba.shape[1] < 1:
        raise ValueError(
            f"{_describe(source)} must give probabilities of shape ({n}, n_classes) for {n} rows, "
            f"got shape {proba.shape}: it is called with the rows of the pool that are left, so "
            "look the rows up by a column or an index of them."
        )
    if may_abstain:
        proba[np.isnan(proba).any(axis=1)] = 1.0 / proba.shape[1]
    sums = proba.sum(axis=1, keepdims=True)  # (n_rows, 1)
    bad = ~(np.abs(sums[:, 0] - 1.0) <= _SUM_TOLERANCE) | (proba < 0.0).any(axis=1)
    if bad.any():
        raise ValueError(
            f"{_describe(source)} must give probabilities >= 0 that sum to 1 in each row; "
            f"{np.count_nonzero(bad)} rows do not, the first: {proba[bad][0]}. Turn similarities "
            "or logits into probabilities with scipy.special.softmax(values, axis=1)."
        )
    return proba / sums


def _ask(source: Any, X: Any) -> tuple[Any, bool]:
    """Return what a source answers, and whether it may leave rows out."""
    if hasattr(source, "annotate"):
        proba = source.annotate(X).proba
        if proba is None:
            raise ValueError(
                f"{_describe(source)} gives labels without probabilities: pass an annotator that "
                "gives both, or a function of the rows that returns probabilities."
            )
        return proba, True
    return (source.predict_proba if hasattr(source, "predict_proba") else source)(X), False


def _describe(source: Any) -> str:
    name = getattr(source, "__name__", type(source).__name__)
    return f"proba, {name},"


def find_classes(source: Any, declared: Any, known: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of the columns: as declared, else the source's, else those known."""
    if declared is not None:
        return np.asarray(declared)
    classes = getattr(source, "classes_", None)
    return known if classes is None else np.asarray(classes)


def locate_labels(y: Any, classes: NDArray[Any]) -> tuple[Positions, Positions]:
    """Return which labels are among the classes, (n_found,), and the column of each, (n_found,)."""
    columns = {label: column for column, label in enumerate(classes.tolist())}
    labels = np.asarray(y).tolist()
    found = [row for row, label in enumerate(labels) if label in columns]
    if labels and not found:
        raise ValueError(
            f"None of the {len(labels)} labels, such as {labels[0]!r}, is a class of proba: "
            f"{list(columns)}. Set classes= to the labels that the columns stand for, in order."
        )
    where = np.array(found, dtype=np.intp)
    return where, np.array([columns[labels[row]] for row in found], dtype=np.intp)


def calibrate(proba: Floats, known: Floats, columns: Positions) -> Floats:
    r"""Return probabilities calibrated by rows of known labels, (n_rows, n_columns).

    .. math:: q'_c \propto q_c^{a} e^{b_c}, \qquad \log a, b_c \sim N(0, 1)

    by the most probable slope a and offsets b, which are 1 and 0 without labels.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_columns)
        The probabilities q of the rows.
    known : ndarray of shape (n_labeled, n_columns)
        Those of the labeled rows.
    columns : ndarray of shape (n_labeled,)
        The columns of their labels.
    """
    if not len(columns):
        return proba
    logs = np.log(np.maximum(known, _LEAST))  # (n_labeled, n_columns)
    start = np.zeros(1 + known.shape[1])  # log a, b
    fitted = minimize(_measure_loss, start, args=(logs, columns), jac=True, method="L-BFGS-B").x
    values = np.exp(fitted[0]) * np.log(np.maximum(proba, _LEAST)) + fitted[1:]
    calibrated: Floats = softmax(values, axis=1)
    return calibrated


def _measure_loss(point: Floats, logs: Floats, columns: Positions) -> tuple[float, Floats]:
    """Return the negative log-posterior of (log a, b), and its gradient, (1 + n_columns,)."""
    slope, rows = np.exp(point[0]), np.arange(len(columns))
    values = slope * logs + point[1:]  # (n_labeled, n_columns)
    totals = logsumexp(values, axis=1, keepdims=True)
    loss = (totals[:, 0] - values[rows, columns]).sum() + 0.5 * _PRIOR_PRECISION * point @ point
    errors = np.exp(values - totals)
    errors[rows, columns] -= 1.0
    gradient = np.concatenate([[slope * (errors * logs).sum()], errors.sum(axis=0)])
    return float(loss), gradient + _PRIOR_PRECISION * point
