"""Models of several labels per row, some of which are unknown."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skactive._utils.array_types import Floats
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.values import is_missing

__all__ = ["MissingLabelsClassifier"]


def _offers_proba(model: Any) -> bool:
    return hasattr(model.estimator, "predict_proba")


class MissingLabelsClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Fit a classifier for each label, on the rows where this label is known.

    For rows of which only some labels are known, as when single labels are asked for by
    :meth:`ActiveLearner.query_elements <skactive.ActiveLearner.query_elements>`. With all labels
    known it is scikit-learn's ``MultiOutputClassifier``, for labels of two classes.

    A label of which one class is known so far is predicted to be of this class, with the
    probability :math:`(n + 1) / (n + 2)` for n known entries (Laplace's rule of succession), so
    that it is not taken for certain and will be asked about. One without any known entry has the
    probability 1/2.

    Parameters
    ----------
    estimator : classifier
        Cloned for each label.

    Attributes
    ----------
    estimators_ : list of n_labels classifiers
        The model of each label.
    classes_ : list of n_labels ndarrays of shape (2,)
        The two classes, the same for each label.
    n_features_in_ : int
        Number of features, if the models have it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the models have them.

    See Also
    --------
    skactive.strategies.Aggregate : Scores rows by the scores of their labels.

    Examples
    --------
    Ask for ten single labels, of rows of which some labels are known:

    >>> import numpy as np
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.multilabel import MissingLabelsClassifier
    >>> from skactive.strategies import Aggregate, Margin
    >>> X, truth = make_multilabel_classification(100, random_state=0)
    >>> Y = np.full(truth.shape, np.nan)  # (n_rows, n_labels), NaN where unknown
    >>> Y[:10] = truth[:10]
    >>> model = MissingLabelsClassifier(LogisticRegression(max_iter=1000))
    >>> learner = ActiveLearner(model, Aggregate(Margin()), random_state=0)
    >>> for _ in range(3):
    ...     started = ~np.isnan(Y).all(axis=1)  # rows with a label or more
    ...     learner = learner.fit(X[started], Y[started])
    ...     rows, labels = learner.query_elements(X, 10, known=~np.isnan(Y))
    ...     Y[rows, labels] = truth[rows, labels]  # in real life: a person's answers
    >>> int((~np.isnan(Y)).sum())
    80
    """

    takes_missing_labels = True  # read by the learner, which refuses missing labels otherwise

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit a model for each label.

        Parameters
        ----------
        X : rows that `estimator` takes
            The rows.
        y : array-like of shape (n_rows, n_labels) or (n_rows,)
            The labels, of two classes such as 0 and 1; NaN, None or masked where unknown. The
            zeros of a sparse matrix are known. If there is one label per row, it may be of any
            number of classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        self : MissingLabelsClassifier

        Raises
        ------
        ValueError
            If there are not as many rows of labels as rows, or several labels per row are not of
            two classes.
        """
        if _has_several(y):
            self._fit_table(X, y, sample_weight)
        else:
            self.estimators_ = [self._fit_vector(X, y, sample_weight)]
            self.classes_ = self.estimators_[0].classes_
        for name in ("n_features_in_", "feature_names_in_"):
            for model in self.estimators_:
                if hasattr(model, name) and not isinstance(model, DummyClassifier):
                    setattr(self, name, getattr(model, name))
        return self

    def _fit_vector(self, X: Any, y: Any, weights: Any) -> Any:
        """Return the model of one label per row, fitted to the rows where it is known."""
        params = {} if weights is None else {"sample_weight": weights}
        known = None if y is None else _find_known(_to_array(y))
        if known is not None and not known.all():
            rows = np.flatnonzero(known)
            X, y = take_rows(X, rows), np.array(_to_array(y)[rows].tolist())
            params = {name: np.asarray(value)[rows] for name, value in params.items()}
        return clone(self.estimator).fit(X, y, **params)

    def _fit_table(self, X: Any, y: Any, weights: Any) -> None:
        """Fit a model for each column of labels."""
        labels, known = _read_table(y, n_rows(X))
        classes = _find_classes(labels[known])
        if weights is not None and np.shape(weights) != (len(labels),):
            raise ValueError(
                f"sample_weight must have one entry for each of the {len(labels)} rows, got shape "
                f"{np.shape(weights)}."
            )
        self.estimators_ = [
            self._fit_label(X, labels[:, j], known[:, j], classes, weights)
            for j in range(labels.shape[1])
        ]
        self.classes_ = [classes] * len(self.estimators_)

    def _fit_label(
        self, X: Any, labels: Any, known: NDArray[np.bool_], classes: Any, weights: Any
    ) -> Any:
        """Return the model of one label; `labels` and `known` are of shape (n_rows,)."""
        rows = np.flatnonzero(known)
        y = np.array(labels[rows].tolist(), dtype=classes.dtype)
        if len(np.unique(y)) < 2:
            y = np.concatenate([y, classes])  # the rule of succession
            return DummyClassifier(strategy="prior").fit(np.zeros((len(y), 1)), y)
        X = X if known.all() else take_rows(X, rows)
        params = {} if weights is None else {"sample_weight": np.asarray(weights)[rows]}
        return clone(self.estimator).fit(X, y, **params)

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict all labels.

        Parameters
        ----------
        X : rows that `estimator` takes
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels), or (n_rows,) after a fit to one label per row
        """
        check_is_fitted(self)
        predicted = [model.predict(X) for model in self.estimators_]
        return np.column_stack(predicted) if isinstance(self.classes_, list) else predicted[0]

    @available_if(_offers_proba)
    def predict_proba(self, X: Any) -> Floats:
        """Predict the probability of the second class of each label, or of each class of one.

        Parameters
        ----------
        X : rows that `estimator` takes
            The rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels), or (n_rows, n_classes) after a fit to one label per row
        """
        check_is_fitted(self)
        proba = [model.predict_proba(X) for model in self.estimators_]
        if isinstance(self.classes_, list):
            return np.column_stack([each[:, 1] for each in proba])
        return proba[0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows of which all known labels are predicted.

        Parameters
        ----------
        X : rows that `estimator` takes
            The rows.
        y : array-like of shape (n_rows, n_labels) or (n_rows,)
            Their labels, as in `fit`.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows.

        Returns
        -------
        float
        """
        if not _has_several(y):
            return float(super().score(X, y, sample_weight))
        labels, known = _read_table(y, n_rows(X))
        correct = ~known
        correct[known] = labels[known] == self.predict(X)[known]
        return float(np.average(correct.all(axis=1), weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = True
        return tags


def _to_array(y: Any) -> NDArray[Any]:
    """Return labels as an array; those of a masked one stay masked."""
    return y.toarray() if sp.issparse(y) else np.ma.asanyarray(y)


def _has_several(y: Any) -> bool:
    """Return whether there are several labels per row."""
    shape = () if y is None else _to_array(y).shape
    return len(shape) == 2 and shape[1] > 1


def _find_known(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels are known: not None, NaN, NA or masked."""
    values = np.asarray(labels)
    if values.dtype.kind == "O":
        flat = [not is_missing(label) for label in values.ravel()]
        known = np.array(flat, dtype=bool).reshape(values.shape)
    else:
        known = ~np.isnan(values) if values.dtype.kind in "fc" else np.ones(values.shape, bool)
    return known & ~np.ma.getmaskarray(labels)


def _read_table(y: Any, n: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return labels, (n_rows, n_labels), and which of them are known."""
    y = _to_array(y)
    labels = np.asarray(y)
    if len(labels) != n or not labels.size:
        raise ValueError(
            f"y must have a row of labels for each of the {n} rows, got shape {labels.shape}."
        )
    return labels, _find_known(y)


def _find_classes(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the two classes among the known labels, sorted; of 0 or 1 alone, both."""
    classes = np.unique(np.array(labels.tolist()))
    if len(classes) <= 1 and classes.dtype.kind in "biuf" and np.isin(classes, (0, 1)).all():
        classes = np.array([0, 1], dtype=classes.dtype if len(classes) else int)
    if classes.dtype.kind == "f" and (classes == np.floor(classes)).all():
        classes = classes.astype(np.int64)  # floats for the sake of NaN only
    if len(classes) != 2:
        raise ValueError(
            f"The labels must be of two classes, got {len(classes)}: {classes[:5].tolist()}. Of "
            "more classes, use sklearn.multioutput.MultiOutputClassifier, on rows of which all "
            "labels are known; of one class, wait for another."
        )
    return classes
