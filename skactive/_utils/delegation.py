"""What a wrapper hands on to the estimator that it wraps."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

__all__ = ["DelegatesPrediction"]


def _wrapped_has(method: str) -> Callable[[DelegatesPrediction], bool]:
    """Tell, for `available_if`, whether what is wrapped has `method`."""

    def check(wrapper: DelegatesPrediction) -> bool:
        getattr(wrapper._wrapped(), method)
        return True

    return check


class DelegatesPrediction:
    """Prediction, and what scikit-learn asks about it, is that of the wrapped estimator.

    A method exists only where the wrapped estimator has it. Rows are handed on whole: whoever
    predicts validates them.
    """

    def _wrapped(self) -> Any:
        """Return what is wrapped, fitted or not."""
        raise NotImplementedError

    def _fitted(self) -> Any:
        """Return what predicts, or raise NotFittedError."""
        raise NotImplementedError

    @available_if(_wrapped_has("predict"))
    def predict(self, X: Any, **params: Any) -> Any:
        """Predict with the fitted model.

        Parameters
        ----------
        X : rows in any container
            Rows to predict.
        **params : dict
            Passed to the model's ``predict``.

        Returns
        -------
        ndarray of shape (n_rows,)
            What the model predicts.
        """
        return self._fitted().predict(X, **params)

    @available_if(_wrapped_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> Any:
        """Predict probabilities with the fitted model.

        Parameters
        ----------
        X : rows in any container
            Rows to predict.
        **params : dict
            Passed to the model's ``predict_proba``.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            One column for each of ``classes_``.
        """
        return self._fitted().predict_proba(X, **params)

    @available_if(_wrapped_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> Any:
        """Predict log probabilities with the fitted model.

        Parameters
        ----------
        X : rows in any container
            Rows to predict.
        **params : dict
            Passed to the model's ``predict_log_proba``.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            One column for each of ``classes_``.
        """
        return self._fitted().predict_log_proba(X, **params)

    @available_if(_wrapped_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> Any:
        """Evaluate the fitted model's decision function.

        Parameters
        ----------
        X : rows in any container
            Rows to evaluate.
        **params : dict
            Passed to the model's ``decision_function``.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            Values of the decision function.
        """
        return self._fitted().decision_function(X, **params)

    @available_if(_wrapped_has("score"))
    def score(self, X: Any, y: Any, **params: Any) -> float:
        """Score the fitted model's predictions against labels.

        Parameters
        ----------
        X : rows in any container
            Test rows.
        y : array-like of shape (n_rows,)
            Their true labels.
        **params : dict
            Passed to the model's ``score`` (``sample_weight``, say).

        Returns
        -------
        float
            The model's own score: accuracy for classifiers.
        """
        return self._fitted().score(X, y, **params)

    @property
    def classes_(self) -> Any:
        """The classes of the fitted model."""
        return self._fitted().classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features that the fitted model saw."""
        return self._fitted_attribute("n_features_in_")

    @property
    def feature_names_in_(self) -> Any:
        """Names of the features that the fitted model saw."""
        return self._fitted_attribute("feature_names_in_")

    def _fitted_attribute(self, name: str) -> Any:
        """Give an attribute of the fitted model; before the fit there is none."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {name} before it is fitted.")
        return getattr(self._fitted(), name)

    def __sklearn_is_fitted__(self) -> bool:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self._wrapped())  # type: ignore[misc]
        for name in (
            "estimator_type",
            "classifier_tags",
            "regressor_tags",
            "target_tags",
            "input_tags",
            "non_deterministic",
        ):
            setattr(tags, name, deepcopy(getattr(inner, name)))
        tags.array_api_support = False
        return tags
