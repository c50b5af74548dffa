"""Lessons of a stream: taught to a copy of the learner, after the errors of the learner itself."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from skactive._needs import advise_on_new_classes
from skactive._utils.array_types import Floats
from skactive._utils.labels import (
    equal_rows,
    has_one_label,
    holds_floats,
    is_structured,
    row_errors,
)
from skactive._utils.rows import n_rows
from skactive._utils.tags import find_estimator_type, is_classifier
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError, TeachError, TeachValueError
from skactive.pool import PoolView
from skactive.streams._recent import take_last_rows

__all__ = [
    "check_not_prefit",
    "check_scoring",
    "embed_rows",
    "has_no_rows",
    "is_incremental",
    "make_lesson_error",
    "measure_errors",
    "reads_labeled_rows",
    "refit_to_kept_rows",
    "teach_copy",
]

# Readings that are made of the offered row and the model alone; others may read labeled rows.
_ROW_READINGS = frozenset({"proba", "decision", "prediction", "proba_samples", "joint_samples"})


def _advise_on_lesson(learner: Any, y: Any) -> str:
    """Return what to do if a lesson failed since it has classes that the model cannot add."""
    if not is_incremental(learner) or y is None:
        return ""
    try:
        return advise_on_new_classes(learner.estimator_, y)
    except TypeError:  # labels that have no order are refused for that reason
        return ""


def make_lesson_error(error: Exception, learner: Any, y: Any, n_taught: int) -> TeachError:
    """Return the error of a failed lesson: a ValueError too if the rows are at fault."""
    cause = error.__cause__ if isinstance(error, TeachError) and error.__cause__ else error
    error_type = TeachValueError if isinstance(error, ValueError) else TeachError
    return error_type(
        f"The lesson cannot be taught ({type(cause).__name__}: {cause}). The stream learner is as "
        f"it was before, with {n_taught} labels learned.{_advise_on_lesson(learner, y)}"
    )


def check_scoring(strategy: Any) -> None:
    """Check that a strategy scores rows."""
    if not hasattr(strategy, "score_in_chunks"):
        raise CapabilityError(
            f"A stream needs a strategy that scores each row, which {type(strategy).__name__} does "
            "not: set Margin(), LeastConfidence(), Entropy() or another with score_pool."
        )


def check_not_prefit(learner: Any) -> None:
    """Check that a clone of a learner can be fitted: that of a prefit one has lost its model."""
    if getattr(learner, "prefit", False) and not adapt(learner.estimator).frozen:
        raise ValueError(
            "A stream fits a clone of its learner, and the clone of a prefit one is not fitted: "
            "set prefit=False, and pass fit the rows that the model was fitted to."
        )


def has_no_rows(X: Any, y: Any) -> bool:
    """Return whether a lesson is empty."""
    return all(hasattr(rows, "__len__") or hasattr(rows, "shape") for rows in (X, y)) and (
        n_rows(X) == n_rows(y) == 0
    )


def embed_rows(view: PoolView) -> Floats:
    """Return the embedding of a view as a dense array, (n_rows, n_dims)."""
    embedding = view.embedding
    dense = embedding.toarray() if hasattr(embedding, "toarray") else np.asarray(embedding)
    return dense.reshape(len(view), -1)


def reads_labeled_rows(strategy: Any) -> bool:
    """Return whether a strategy may read the labeled rows."""
    return not {name for need in strategy.needs for name in need.split("|")} <= _ROW_READINGS


def is_incremental(learner: Any) -> bool:
    """Return whether lessons change the model; the first one is fitted to all rows."""
    return bool(learner.incremental) and hasattr(learner, "estimator_")


def teach_copy(learner: Any, X: Any, y: Any, window: int | None) -> Any:
    """Return a copy of a learner that was taught a lesson; the learner itself does not change."""
    learner = copy(learner)  # `teach` sets attributes, and changes none in place
    if is_incremental(learner):
        n_kept = 1  # the lesson needs none of the other rows, and would copy them
    elif window is None:
        n_kept = len(learner.y_labeled_)
    else:
        n_kept = max(0, window - (n_rows(y) if hasattr(y, "__len__") else 0))
    learner.X_labeled_, learner.y_labeled_ = take_last_rows(
        learner.X_labeled_, learner.y_labeled_, n_kept
    )
    return learner.teach(X, y)


def refit_to_kept_rows(fresh: Any, learner: Any, X: Any, y: Any) -> Any:
    """Fit a fresh learner to rows in place of another one, which knows the classes."""
    if not learner.incremental:
        return fresh.fit(X, y)
    if is_classifier(learner) and has_one_label(y) and not np.isin(learner.classes_, y).all():
        return fresh.set_params(classes=learner.classes_).fit(X, y)  # the others will come again
    # A fit makes several passes over the few rows where a lesson makes one.
    return fresh.set_params(incremental=False).fit(X, y).set_params(incremental=True)


def measure_errors(learner: Any, X: Any, y: Any) -> Floats:
    """Measure the error of a learner in each row, (n_rows,): 0 or 1 unless labels are numbers.

    While there is no model to predict, there are none.
    """
    if not learner.__sklearn_is_fitted__():
        return np.empty(0)
    predicted, kind = learner.predict(X), find_estimator_type(learner)
    are_numbers = kind != "classifier" and not is_structured(y) and holds_floats(y)
    if kind == "regressor" or are_numbers:
        return row_errors(y, predicted, power=1)
    return (~equal_rows(y, predicted)).astype(np.float64)
