"""The model of a learner whose labels are all of one class: it predicts that class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from skactive._utils.rows import n_rows

__all__ = ["OnlyClass"]


class OnlyClass(ClassifierMixin, BaseEstimator):
    """Predicts one class for rows in any container.

    Parameters
    ----------
    classes : ndarray of shape (1,)
        The class.
    reason : str
        Why there is no other model, for what one class does not give.
    """

    def __init__(self, classes: NDArray[Any], reason: str) -> None:
        self.classes = classes
        self.reason = reason

    @property
    def classes_(self) -> NDArray[Any]:
        """The class, shape (1,)."""
        return self.classes

    def fit(self, X: Any, y: Any = None) -> OnlyClass:
        """Do nothing: the class is known."""
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the class, shape (n_rows,)."""
        return np.repeat(self.classes, n_rows(X))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return ones, shape (n_rows, 1)."""
        return np.ones((n_rows(X), 1))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return zeros, shape (n_rows, 1)."""
        return np.zeros((n_rows(X), 1))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Raise an error: there is nothing to decide between."""
        raise NotFittedError(self.reason)
