"""Readings of a round that stopping criteria use: predictions and the audit sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skactive._utils.agreement import cohen_kappa
from skactive._utils.array_types import Floats, Positions
from skactive._utils.labels import has_one_label, is_structured, read_labels
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import derived_seed
from skactive._utils.tags import is_classifier
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.scores import SUM_TOLERANCE
from skactive.stopping._base import Memory, Round, StoppingCriterion

__all__ = [
    "agreement",
    "check_audit",
    "check_binary_audit",
    "draw_stop_set",
    "predict_classes",
    "predict_probabilities",
    "unlabeled_rows",
]

# Number of rows per prediction: bounds the memory that a whole pool takes.
_ROWS_AT_ONCE = 2**14


def unlabeled_rows(current: Round) -> Positions:
    """Return the positions of the unlabeled rows."""
    return np.arange(n_rows(current.X)) if current.pool is None else current.pool


def draw_stop_set(current: Round, memory: Memory, size: int) -> Positions:
    """Draw the rows of the stop set in the first round, and return them in every round."""
    if "rows" not in memory:
        # A random stream of its own: a criterion must not change which rows are queried.
        random_state = np.random.RandomState(derived_seed(current.seed, 0x570B))
        memory["rows"] = np.sort(random_state.permutation(n_rows(current.X))[:size])
    rows: Positions = memory["rows"]
    return rows


def _batches(X: Any, rows: Positions) -> Iterator[Any]:
    for batch in gen_batches(len(rows), _ROWS_AT_ONCE):
        yield take_rows(X, rows[batch])


def predict_classes(criterion: StoppingCriterion, current: Round, rows: Positions) -> NDArray[Any]:
    """Predict the classes of some rows."""
    _check_classifier(criterion, current.learner)
    parts = [read_labels(current.learner.predict(batch)) for batch in _batches(current.X, rows)]
    if not has_one_label(parts[0]):
        kind = "that are structured" if is_structured(parts[0]) else f"of shape {parts[0].shape}"
        raise CapabilityError(
            f"{type(criterion).__name__} compares one label per row, got predictions {kind}: stop "
            "by Budget, TimeLimit or a Plateau of another score."
        )
    return np.concatenate(parts)


def predict_probabilities(
    criterion: StoppingCriterion, current: Round, rows: Positions
) -> Iterator[Floats]:
    """Yield class probabilities of some rows, batch by batch, each (n_batch, n_classes)."""
    name, learner = type(criterion).__name__, current.learner
    _check_classifier(criterion, learner)
    if not hasattr(learner, "predict_proba"):
        raise CapabilityError(
            f"{name} needs predict_proba, which {_model_name(learner)} does not have: wrap the "
            "model in CalibratedClassifierCV, or stop by StabilizingPredictions."
        )
    for batch in _batches(current.X, rows):
        proba = read_labels(learner.predict_proba(batch))  # structured: one array per row
        if proba.ndim != 2 or not (np.abs(proba.sum(axis=1) - 1.0) <= SUM_TOLERANCE).all():
            raise InvalidReadingError(
                f"{name} needs probabilities that sum to 1, one column per class; "
                f"{_model_name(learner)} gives an array of shape {proba.shape} that does not."
            )
        yield proba


def _check_classifier(criterion: StoppingCriterion, learner: Any) -> None:
    if not is_classifier(learner):
        raise CapabilityError(
            f"{type(criterion).__name__} looks at predicted classes, and {_model_name(learner)} "
            "is not a classifier: stop by Plateau with a score of your own, by Budget or TimeLimit."
        )


def _model_name(learner: Any) -> str:
    return type(getattr(learner, "estimator_", learner)).__name__


def agreement(
    criterion: StoppingCriterion, current: Round, memory: Memory, size: int
) -> float | None:
    """Return the agreement with the model of the previous round, or None in the first round."""
    predicted = predict_classes(criterion, current, draw_stop_set(current, memory, size))
    last, memory["last"] = memory.get("last"), predicted
    return None if last is None else cohen_kappa(last, predicted, undefined=0.0)


def check_audit(criterion: StoppingCriterion, current: Round) -> Floats:
    """Return the scores of the audit sample, which may be empty, or raise if there is none."""
    if current.audit is None:
        raise ValueError(
            f"{type(criterion).__name__} reads an audit sample, but there is none: set "
            "audit_share= of the simulation, or pass the scores of the sample as Round(audit=)."
        )
    return np.asarray(current.audit, dtype=np.float64)


def check_binary_audit(criterion: StoppingCriterion, current: Round) -> Floats:
    """Return the scores of the audit sample, or raise if one is neither 1 nor 0."""
    scores = check_audit(criterion, current)
    if not np.isin(scores, (0.0, 1.0)).all():
        raise CapabilityError(
            f"{type(criterion).__name__} counts audited rows that a classifier predicts right (1) "
            f"or wrong (0); got the score {scores[~np.isin(scores, (0.0, 1.0))][0]:.6g}: for such "
            "scores use Plateau('audit')."
        )
    return scores
