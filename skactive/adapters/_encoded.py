"""Models whose labels are encoded: classifiers that take the labels 0 .. n_classes - 1 only."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils.validation import check_is_fitted

from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.in_place import fit_in_place
from skactive._utils.rows import take_rows
from skactive.adapters._base import FantasizedLogits, adapt, register
from skactive.adapters._sklearn import WrapperAdapter

__all__ = ["EncodedClassifier"]


class EncodedClassifier(DelegatesPrediction, MetaEstimatorMixin, BaseEstimator):
    """A classifier fitted to codes 0 .. n_classes - 1 that predicts the labels they stand for.

    All other attributes are those of the classifier.

    Parameters
    ----------
    estimator : classifier
        The classifier, which is fitted as it is: it is not cloned.
    classes : ndarray of shape (n_classes,), default=None
        The labels, sorted: the code of a label is its position. None takes those in `y`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    """

    def __init__(self, estimator: Any, classes: Any = None) -> None:
        self.estimator = estimator
        self.classes = classes

    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the classifier to codes of the labels, and encode those of ``eval_set``."""
        self._set_classes(y)
        if params.get("eval_set") is not None:
            params["eval_set"] = [self._encode_pair(*pair) for pair in params["eval_set"]]
        self.estimator = fit_in_place(self.estimator, "fit", X, self._encode_typed(y), **params)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, **params: Any) -> Self:
        """Fit the classifier to codes of more labels; `classes` as in the first call only."""
        if not hasattr(self, "_labels"):
            self._set_classes(y if classes is None else classes)
        if classes is not None:
            params["classes"] = np.arange(len(self._labels))
        codes = self._encode_typed(y)
        self.estimator = fit_in_place(self.estimator, "partial_fit", X, codes, **params)
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Predict labels, shape (n_rows,)."""
        check_is_fitted(self)
        codes = np.asarray(self.estimator.predict(X, **params)).reshape(-1)
        return self._labels[codes.astype(np.intp)]

    def score(self, X: Any, y: Any, **params: Any) -> float:
        """Score the predictions by the classifier's own score; unknown labels count as wrong."""
        check_is_fitted(self)
        return self.estimator.score(X, self._encode(y), **params)

    def wrap(self, model: Any) -> Self:
        """Return the same for another model that was fitted to these codes."""
        other = type(self)(model, self.classes)
        other._labels = self._labels
        return other

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no classes_ before it is fitted.")
        return self._labels

    def _set_classes(self, y: Any) -> None:
        self._labels = np.unique(np.asarray(y)) if self.classes is None else self.classes

    def _encode(self, y: Any) -> NDArray[np.intp]:
        """Return the codes of labels; n_classes for a label that is unknown."""
        y = np.asarray(y)
        codes = np.minimum(np.searchsorted(self._labels, y), len(self._labels) - 1)
        return np.where(self._labels[codes] == y, codes, len(self._labels))

    def _encode_typed(self, y: Any) -> NDArray[Any]:
        """Return codes of the type that the classifier takes."""
        return self._encode(y).astype(adapt(self.estimator).code_type or np.intp)

    def _encode_pair(self, X: Any, y: Any) -> tuple[Any, NDArray[np.intp]]:
        """Return validation rows and their codes, without rows of a class that is not learnt."""
        codes = self._encode(y)
        known = np.flatnonzero(codes < len(self._labels))
        return take_rows(X, known), codes[known]

    def _get_estimator(self) -> Any:
        return self.estimator

    def _get_fitted_estimator(self) -> Any:
        check_is_fitted(self)
        return self.estimator

    def __sklearn_is_fitted__(self) -> bool:
        return "_labels" in vars(self)

    def __sklearn_clone__(self) -> Self:
        return type(self)(clone(self.estimator), self.classes)

    def __getattr__(self, name: str) -> Any:
        # Only what is not found here: importances, the history of a net, the best parameters.
        if name.startswith("_") or "estimator" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.estimator, name)


@register(EncodedClassifier)
class EncodedAdapter(WrapperAdapter):
    """A classifier of encoded labels: the classifier in it is read, its classes are the labels."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.codes_only = False  # it takes any labels

    @property
    def inner_model(self) -> Any:
        return self.model.estimator

    @property
    def classes(self) -> NDArray[Any] | None:
        return getattr(self.model, "classes_", None)

    def prediction(self, Z: Any) -> NDArray[Any]:
        codes = np.asarray(self.inner.prediction(Z)).reshape(-1)
        return self.model.classes_[codes.astype(np.intp)]

    def fantasized_logits(self, Z: Any, y: Any, rows: Any, targets: Any) -> FantasizedLogits | None:
        return self.inner.fantasized_logits(Z, self.model._encode(y), rows, targets)
