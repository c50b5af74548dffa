"""Delegation of predictions and scikit-learn's tags from a wrapper to its estimator."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import update_wrapper
from types import MethodType
from typing import Any

from sklearn.utils.metaestimators import available_if

from skactive._utils.predictions import call_in_blocks, flatten_labels
from skactive._utils.scoring import score_model
from skactive._utils.tags import find_estimator_type, read_tags

__all__ = ["DelegatesPrediction", "available_where"]


class _ConditionalMethod:
    """A method that an object has only if a check of it raises no AttributeError."""

    def __init__(self, method: Callable[..., Any], check: Callable[[Any], object]) -> None:
        self._method, self._check = method, check
        wrapped: Any = self
        update_wrapper(wrapped, method)

    def __get__(self, owner: Any, kind: Any = None) -> Callable[..., Any]:
        if owner is None:  # documentation reads the method from the class
            return self._method
        self._check(owner)
        return MethodType(self._method, owner)


def available_where(check: Callable[[Any], object]) -> Callable[..., Any]:
    """Return a decorator of methods that exist only where `check` raises no AttributeError.

    scikit-learn's `available_if` hides the message of the check behind one of its own; here the
    user reads what the check says.
    """
    return lambda method: _ConditionalMethod(method, check)


def _estimator_has(method: str) -> Callable[[DelegatesPrediction], bool]:
    """Return a check for `available_if`: raises AttributeError if the method is missing."""

    def check(wrapper: DelegatesPrediction) -> bool:
        getattr(wrapper._get_estimator(), method)
        return True

    return check


class DelegatesPrediction:
    """A mixin that predicts, scores and reports tags by the wrapped estimator.

    A method exists only where the wrapped estimator has it. X is passed on as it is: the estimator
    that predicts validates it. Rows that are not in memory are read block by block.
    """

    def _get_estimator(self) -> Any:
        """Return the wrapped estimator, fitted or not."""
        raise NotImplementedError

    def _get_fitted_estimator(self) -> Any:
        """Return the estimator that predicts, or raise NotFittedError."""
        raise NotImplementedError

    @available_if(_estimator_has("predict"))
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
            The predictions.
        """
        model = self._get_fitted_estimator()
        return flatten_labels(call_in_blocks(model.predict, X, params), model)

    @available_if(_estimator_has("predict_proba"))
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
        return call_in_blocks(self._get_fitted_estimator().predict_proba, X, params)

    @available_if(_estimator_has("predict_log_proba"))
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
        return call_in_blocks(self._get_fitted_estimator().predict_log_proba, X, params)

    @available_if(_estimator_has("decision_function"))
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
        return call_in_blocks(self._get_fitted_estimator().decision_function, X, params)

    @available_if(_estimator_has("score"))
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
            The model's own score: accuracy for classifiers. Of several labels per row, all of a
            row must be right, also where scikit-learn does not count them: of other classes than
            0 and 1.
        """
        return score_model(self._get_fitted_estimator(), X, y, **params)

    @property
    def classes_(self) -> Any:
        """The classes of the fitted model."""
        return self._get_fitted_estimator().classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features that the fitted model saw."""
        return self._get_fitted_attribute("n_features_in_")

    @property
    def feature_names_in_(self) -> Any:
        """Names of the features that the fitted model saw."""
        return self._get_fitted_attribute("feature_names_in_")

    def _get_fitted_attribute(self, name: str) -> Any:
        """Return an attribute of the fitted model; raise AttributeError before the fit."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {name} before it is fitted.")
        return getattr(self._get_fitted_estimator(), name)

    def __sklearn_is_fitted__(self) -> bool:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags, model = super().__sklearn_tags__(), self._get_estimator()  # type: ignore[misc]
        tags.array_api_support = False
        if (inner := read_tags(model)) is None:  # a model of no base class
            tags.estimator_type = find_estimator_type(model)
            return tags
        for name in (
            "estimator_type",
            "classifier_tags",
            "regressor_tags",
            "target_tags",
            "input_tags",
            "non_deterministic",
        ):
            setattr(tags, name, deepcopy(getattr(inner, name)))
        return tags
