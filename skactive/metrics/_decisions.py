"""Decisions whose errors have costs: making them, and what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import gen_batches

from skactive._utils.array_types import Floats, Positions
from skactive._utils.cost_matrices import check_cost_matrix, check_n_classes, expect_costs
from skactive._utils.input_kinds import check_option, check_proba, check_weights
from skactive.exceptions import CapabilityError

__all__ = [
    "make_cost_scorer",
    "mean_misclassification_cost",
    "minimize_expected_cost",
]

# Rows decided at a time: their expected costs are a second table of the size of theirs.
_ROWS_AT_ONCE = 2**12


def minimize_expected_cost(proba: Any, cost_matrix: Any) -> Positions:
    r"""Decide for the classes whose expected costs are least.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes)
        Class probabilities.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Costs of at least 0, rows true classes, columns decided classes, both in the order of the
        columns of `proba`.

    Returns
    -------
    ndarray of shape (n_rows,), dtype intp
        Columns of the decided classes; of equal costs the first. ``classes[columns]`` are labels.

    Raises
    ------
    ValueError
        If the costs are not a square of finite numbers of at least 0, or are for another number of
        classes.

    Notes
    -----
    .. math:: k^*(x) = \arg\min_k \sum_y p(y \mid x) \, c_{yk}

    References
    ----------
    Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    To overlook class 1 costs ten times as much as a false alarm, so that a doubt is an alarm:

    >>> from skactive.metrics import minimize_expected_cost
    >>> minimize_expected_cost([[0.95, 0.05], [0.8, 0.2], [0.3, 0.7]], [[0, 1], [10, 0]])
    array([0, 1, 1])
    """
    proba, costs = check_proba("proba", proba), check_cost_matrix("cost_matrix", cost_matrix)
    check_n_classes(costs, proba.shape[1])
    decided = np.empty(len(proba), dtype=np.intp)
    for rows in gen_batches(max(1, len(proba)), _ROWS_AT_ONCE):  # it wants a row
        decided[rows] = expect_costs(proba[rows].T.astype(np.float64), costs).argmin(axis=0)
    return decided


def mean_misclassification_cost(
    y_true: Any, y_pred: Any, cost_matrix: Any, *, labels: Any = None, sample_weight: Any = None
) -> float:
    r"""Return the mean cost of decisions.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and decided classes.
    cost_matrix : array-like of shape (n_classes, n_classes)
        Costs of at least 0, rows true classes, columns decided classes.
    labels : array-like of shape (n_classes,), default=None
        Classes in the order of the matrix. None: those that occur, sorted, which must be all.
    sample_weight : array-like of shape (n_rows,), default=None
        Weights of the rows; None: equal ones.

    Returns
    -------
    float
        The mean, in the unit of the costs. Where each error costs 1, it is the error rate.

    Raises
    ------
    ValueError
        If the matrix is not one of costs, is for another number of classes, or a label is none of
        them.

    Notes
    -----
    .. math:: \frac{1}{\sum_i w_i} \sum_i w_i \, c_{y_i \hat y_i}

    Examples
    --------
    >>> from skactive.metrics import mean_misclassification_cost
    >>> y_true, y_pred = ["ham", "ham", "spam", "spam"], ["ham", "spam", "ham", "spam"]
    >>> mean_misclassification_cost(y_true, y_pred, [[0, 10], [1, 0]])  # lost ham costs 10
    2.75
    """
    costs = check_cost_matrix("cost_matrix", cost_matrix)
    true, decided = _check_labels("y_true", y_true), _check_labels("y_pred", y_pred)
    if len(true) != len(decided):
        raise ValueError(
            f"y_true and y_pred must have the same length, got {len(true)} and {len(decided)}."
        )
    classes = _check_classes(labels, costs, true, decided)
    paid = costs[_find_columns("y_true", true, classes), _find_columns("y_pred", decided, classes)]
    if sample_weight is None:
        return float(paid.mean())
    weights = check_weights("sample_weight", sample_weight)
    if len(weights) != len(paid) or weights.sum() <= 0:
        raise ValueError(
            f"sample_weight must have one weight for each of the {len(paid)} rows, not all of them "
            f"0: got {len(weights)} whose sum is {weights.sum():g}."
        )
    return float(np.average(paid, weights=weights))


def make_cost_scorer(
    cost_matrix: Any, *, labels: Any = None, decide: str = "expected_cost"
) -> _CostScorer:
    """Make a scorer of models by what their decisions cost.

    Parameters
    ----------
    cost_matrix : array-like of shape (n_classes, n_classes)
        Costs of at least 0, rows true classes, columns decided classes.
    labels : array-like of shape (n_classes,), default=None
        Classes in the order of the matrix. None: those of each model, sorted, which must be all:
        name them where a model may have seen some of the classes only, as early in a campaign.
    decide : {"expected_cost", "predict"}, default="expected_cost"
        How decisions are made. "expected_cost" minimizes the expected cost by the model's
        probabilities; "predict" takes the predictions as they are.

    Returns
    -------
    callable
        ``scorer(model, X, y)`` is *minus* the mean cost, so that higher is better. It goes wherever
        scikit-learn takes ``scoring=``, and to
        :func:`compare_strategies <skactive.comparison.compare_strategies>`.

    Raises
    ------
    ValueError
        If the matrix is not one of costs, or is not for the labels.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skactive.metrics import make_cost_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0: malignant
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> costs = [[0, 20], [1, 0]]
    >>> careful = cross_val_score(model, X, y, scoring=make_cost_scorer(costs)).mean()
    >>> plain = make_cost_scorer(costs, decide="predict")
    >>> bool(careful > cross_val_score(model, X, y, scoring=plain).mean())
    True
    """
    costs = check_cost_matrix("cost_matrix", cost_matrix)
    if labels is not None:
        _check_classes(labels, costs)
    return _CostScorer(costs, labels, check_option("decide", decide, ("expected_cost", "predict")))


class _CostScorer(BaseEstimator):
    """Score models by minus the mean cost of their decisions; see :func:`make_cost_scorer`.

    Parameters
    ----------
    cost_matrix : ndarray of shape (n_classes, n_classes)
        Costs, rows true classes, columns decided classes.
    labels : array-like of shape (n_classes,), default=None
        Classes in the order of the matrix.
    decide : {"expected_cost", "predict"}, default="expected_cost"
        How decisions are made.
    """

    __name__ = "minus the mean cost"  # how comparisons and displays call the score

    def __init__(self, cost_matrix: Any, labels: Any = None, decide: str = "expected_cost") -> None:
        self.cost_matrix = cost_matrix
        self.labels = labels
        self.decide = decide

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return minus the mean cost of the decisions of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            The fitted model.
        X : rows in any container
            Rows to decide on.
        y : array-like of shape (n_rows,)
            Their true classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows; None: equal ones.

        Returns
        -------
        float

        Raises
        ------
        CapabilityError
            If the model has no probabilities to decide by.
        ValueError
            If the costs are not for its classes.
        """
        labels = np.asarray(estimator.classes_ if self.labels is None else self.labels)
        if self.decide == "predict":
            decided = np.asarray(estimator.predict(X))
        else:
            columns = minimize_expected_cost(
                self._read_proba(estimator, X, labels), self.cost_matrix
            )
            decided = labels[columns]
        return -mean_misclassification_cost(
            y, decided, self.cost_matrix, labels=labels, sample_weight=sample_weight
        )

    def _read_proba(self, estimator: Any, X: Any, labels: NDArray[Any]) -> Floats:
        """Return probabilities with a column for each label, (n_rows, n_classes)."""
        if not hasattr(estimator, "predict_proba"):
            raise CapabilityError(
                "Decisions of the least expected cost need predict_proba, which "
                f"{type(estimator).__name__} does not have: wrap the model in "
                "CalibratedClassifierCV, or score its predictions by decide='predict'."
            )
        proba = np.asarray(estimator.predict_proba(X))
        if self.labels is None:
            return proba
        columns = _find_columns("the model's classes", np.asarray(estimator.classes_), labels)
        widened = np.zeros((len(proba), len(labels)))
        widened[:, columns] = proba
        return widened


def _check_labels(name: str, values: Any) -> NDArray[Any]:
    labels = np.asarray(values)
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"{name} must have one label per row, got shape {labels.shape}.")
    return labels


def _check_classes(labels: Any, costs: Floats, *occurring: NDArray[Any]) -> NDArray[Any]:
    """Return the classes in the order of the matrix: those given, or those that occur."""
    if labels is None:
        classes = np.unique(np.concatenate(occurring))
        advice = "name all of them, in the order of the matrix, by labels="
        found = f"{len(classes)} classes occur"
    else:
        classes = _check_labels("labels", labels)
        advice, found = "give one label for each of its rows", f"labels has {len(classes)}"
        if len(np.unique(classes)) < len(classes):
            raise ValueError(f"labels must be different classes, got {classes.tolist()}.")
    if len(classes) != len(costs):
        raise ValueError(f"cost_matrix is for {len(costs)} classes, but {found}: {advice}.")
    return classes


def _find_columns(name: str, values: NDArray[Any], classes: NDArray[Any]) -> Positions:
    """Return the place of each label among the classes."""
    # A number and a text are different labels, also where numpy would compare them as texts.
    same_kind = (values.dtype.kind in "USO") == (classes.dtype.kind in "USO")
    if same_kind:
        order = np.argsort(classes, kind="stable")
        places = np.searchsorted(classes, values, sorter=order)
        columns = order[np.minimum(places, len(classes) - 1)]
        wrong = values[classes[columns] != values]
    if not same_kind or len(wrong):
        strange = (wrong if same_kind else values)[0]
        raise ValueError(
            f"{name} must be among the classes of the costs, {classes.tolist()}, got "
            f"{strange.item() if hasattr(strange, 'item') else strange!r}."
        )
    return columns
