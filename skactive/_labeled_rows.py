"""The labeled rows of a learner: their checks, their growth, and what is known by them."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._few_labels import FittedModel, describe_waiting
from skactive._utils.fit_params import FitParams, copy_params, join_params
from skactive._utils.labels import copy_labels, has_one_label, join_labels
from skactive._utils.rows import collect_rows, join_rows, n_rows, take_rows
from skactive._utils.seeding import draw_seed
from skactive._utils.tags import find_estimator_type
from skactive._validation import check_classes, check_labels, check_rows, check_same_features
from skactive.exceptions import TeachError, TeachValueError, WaitingClassesWarning

__all__ = ["KeepsLabeledRows", "copy_labeled_rows"]

LabeledRows = tuple[Any, Any, FitParams]  # rows, their labels, their fit parameters


class KeepsLabeledRows:
    """A mixin that holds labeled rows, and sets them only together with the model fitted to them.

    Labels are held as they were read: an array, or if they are structured, an object vector of
    copies of their rows.
    """

    estimator: Any
    classes: Any
    incremental: bool
    prefit: bool
    random_state: Any

    def _classifies(self) -> bool:
        """Return whether labels are classes: of all models but regressors."""
        return find_estimator_type(self.estimator) != "regressor"

    def _has_model(self) -> bool:
        return hasattr(self, "estimator_") or bool(self.prefit)

    def _is_waiting(self) -> bool:
        """Return whether there are labels, but too few for a model."""
        return hasattr(self, "X_labeled_") and not self._has_model()

    def _knows_one_class(self) -> bool:
        """Return whether all labels wait and are of one class, which is what is predicted."""
        return len(self.waiting_classes_) == 1

    def _get_labeled_rows(self) -> Any:
        return getattr(self, "X_labeled_", None)

    def _make_teach_error(self, failure: str, cause: Exception, advice: str = "") -> TeachError:
        """Return the error of `teach`: a ValueError too if the rows are at fault."""
        X_labeled = self._get_labeled_rows()
        n_labeled = 0 if X_labeled is None else n_rows(X_labeled)
        error_type = TeachValueError if isinstance(cause, ValueError) else TeachError
        return error_type(
            f"{failure} ({type(cause).__name__}: {cause}). The learner is as it was before, with "
            f"{n_labeled} labeled rows.{advice}"
        )

    def _check_labeled_rows(self, X: Any, y: Any, like: Any = None) -> tuple[Any, Any]:
        """Check rows and labels; `like` are the labeled rows that they are to join, if any."""
        known = getattr(self, "y_labeled_", None)
        y = check_labels(
            y, self.estimator, classes=self.classes, known=known, joins=like is not None
        )
        X, y = check_rows(X, y, like=like)
        X = collect_rows(X)
        check_classes(self.classes, y)
        return X, y

    def _check_new_rows(self, X: Any, y: Any) -> tuple[Any, Any]:
        if y is None:
            raise ValueError("teach needs the labels of the rows, got y=None.")
        return self._check_labeled_rows(X, y, self._get_labeled_rows())

    def _join_labeled_rows(self, X: Any, y: Any, params: FitParams) -> LabeledRows:
        """Append new labeled rows, and their fit parameters, to the labeled rows so far."""
        X_labeled = self._get_labeled_rows()
        if X_labeled is not None:
            check_same_features(X_labeled, X, "X")
            all_params = join_params(self._fit_params, n_rows(X_labeled), params, n_rows(X))
            y_all = join_labels(self.y_labeled_, copy_labels(y))
            return join_rows(X_labeled, X), y_all, all_params
        if self.incremental:
            return copy_labeled_rows(X, y, params)
        raise ValueError(
            "This prefit learner does not know the rows that its estimator was fitted on, and a "
            "refit on the new rows alone would forget them. Call fit with those rows first (the "
            "model stays as it is), or set incremental=True."
        )

    def _set_state(self, fitted: FittedModel, X: Any, y: Any, params: FitParams, seed: int) -> None:
        """Set all fitted attributes together, once nothing can fail any more."""
        classifies = self._classifies()
        waiting, text = np.empty(0), ""
        if not fitted.is_used.all():
            waiting = np.unique(y[~fitted.is_used]) if classifies and has_one_label(y) else waiting
            name = type(self.estimator).__name__
            text = describe_waiting(name, fitted, y, classifies=classifies)
        self.X_labeled_, self.y_labeled_ = X, y
        self._fit_params, self.seed_ = params, seed
        self._is_used, self.waiting_classes_, self._waiting_text = fitted.is_used, waiting, text
        if fitted.model is not None:
            self.estimator_ = fitted.model
        elif hasattr(self, "estimator_"):
            del self.estimator_

    def _warn_about_waiting(self) -> None:
        if self._waiting_text:
            warnings.warn(self._waiting_text, WaitingClassesWarning, stacklevel=3)

    def _get_label_vector(self) -> Any:
        """Return the labels so far; those of a regressor may be a column, which nets need."""
        y = getattr(self, "y_labeled_", None)
        return y[:, 0] if y is not None and y.ndim == 2 and y.shape[1] == 1 else y

    def _get_declared_classes(self) -> NDArray[Any] | None:
        return check_classes(self.classes, None)

    def _get_seed(self) -> int:
        """Return the seed that `fit` drew; before the fit, the one that it would draw."""
        if hasattr(self, "seed_"):
            return self.seed_
        if self.random_state is not None:
            return draw_seed(deepcopy(self.random_state))
        # Kept: queries repeat until the first fit, in all threads.
        return self.__dict__.setdefault("_cold_seed", draw_seed(None))


def copy_labeled_rows(X: Any, y: Any, params: FitParams) -> LabeledRows:
    """Copy labeled rows, their labels that were read, and their per-row fit parameters."""
    n = n_rows(X)
    return take_rows(X, np.arange(n)), copy_labels(y), copy_params(params, n)
