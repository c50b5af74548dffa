"""Answers of a model."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods
from skactive._utils.predictions import call_in_blocks
from skactive._utils.rows import collect_rows
from skactive.annotators._base import PRICE, Annotator, Opinion

__all__ = ["ModelAnnotator"]


def _is_fitted_alone(annotator: ModelAnnotator) -> bool:
    return hasattr(annotator.estimator, "fit")


class ModelAnnotator(Annotator):
    """A classifier that answers its most probable class.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        A fitted model; or one that :meth:`fit` fits a clone of.
    price : float or callable, default=0
        Price of an answer, or ``price(X)`` that returns those of the rows.

    Attributes
    ----------
    estimator_ : classifier
        The clone that was fitted, after :meth:`fit`.
    classes_ : ndarray of shape (n_classes,)
        The classes of the model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.annotators import ModelAnnotator
    >>> X, y = load_iris(return_X_y=True)
    >>> answers = ModelAnnotator(GaussianNB().fit(X[::2], y[::2]), price=0.01).annotate(X[1::2])
    >>> answers.labels[:3], float((answers.labels == y[1::2]).mean().round(2))
    (array([0, 0, 0]), 0.96)
    >>> float(answers.cost.sum().round(2))
    0.75
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["predict_proba"])],
        "price": PRICE,
    }

    def __init__(self, estimator: Any, *, price: Any = 0.0) -> None:
        self.estimator = estimator
        self.price = price

    @available_if(_is_fitted_alone)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit a clone of the model.

        Parameters
        ----------
        X, y : rows and labels, as the model takes them
            What it learns from.

        Returns
        -------
        Self
        """
        self._validate_params()
        self.estimator_ = clone(self.estimator).fit(collect_rows(X), y)
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes of the model."""
        return np.asarray(self._get_model().classes_)

    def _get_model(self) -> Any:
        return getattr(self, "estimator_", self.estimator)

    def _answer(self, X: Any) -> Opinion:
        proba: Floats = np.asarray(
            call_in_blocks(self._get_model().predict_proba, X, {}), dtype=np.float64
        )
        return self.classes_[proba.argmax(axis=1)], proba
