"""Adapters for ensembles, whose members are draws from the posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.utils.validation import validate_data

from skactive._utils.array_types import Floats, Positions
from skactive._utils.predictions import flatten_numbers
from skactive.adapters._base import ModelAdapter, adapt, register

__all__: list[str] = []


@register(VotingClassifier)
@register(VotingRegressor)
class EnsembleAdapter(ModelAdapter):
    """An ensemble whose members are its draws: of probabilities, or of numbers if it regresses.

    The members of a classifier were fitted on labels encoded as 0 .. n_classes - 1. So a member's
    own classes are positions among those of the ensemble, even if the labels are strings or
    negative, or if the member saw fewer classes than the ensemble.
    """

    joint_samples = True

    def members(self) -> list[Any]:
        """Return the fitted members."""
        return list(getattr(self.model, "estimators_", []))

    def provides(self, reading: str) -> bool:
        if reading in {"proba_samples", "prediction_samples"}:
            draws_numbers = self.estimator_type == "regressor"
            return draws_numbers == (reading == "prediction_samples") and len(self.members()) > 1
        return super().provides(reading)

    def n_draws(self, n_samples: int | None) -> int:
        n_members = len(self.members())
        return n_members if n_samples is None else min(n_samples, n_members)

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return np.stack(list(self.iter_draws(Z, n_samples, seed)))  # (n_draws, n_rows, n_classes)

    def iter_draws(self, Z: Any, n_samples: int | None, seed: int) -> Iterator[Any]:
        """Yield the probabilities of the drawn members, in their form of several labels, too."""
        rows = self.member_rows(Z)
        return (self.member_proba(member, rows) for member in self.draw_members(n_samples, seed))

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        rows, members = self.member_rows(Z), self.members()
        draws = [
            flatten_numbers(members[member].predict(self.member_columns(member, rows)))
            for member in self.draw_members(n_samples, seed)
        ]
        return np.stack(draws)  # (n_draws, n_rows) or (n_draws, n_rows, n_outputs)

    def draw_members(self, n_samples: int | None, seed: int) -> Positions:
        """Draw members without replacement, in the order of the members."""
        order = np.random.RandomState(seed).permutation(len(self.members()))
        return np.sort(order[: self.n_draws(n_samples)])

    def member_rows(self, Z: Any) -> Any:
        """Convert rows to the form that the members were fitted on."""
        return Z

    def member_columns(self, member: int, rows: Any) -> Any:
        """Take the columns of the rows that a member was fitted on."""
        return rows

    def member_proba(self, member: int, rows: Any) -> Floats:
        """Probabilities of one member, shape (n_rows, n_classes); 0 for classes that it lacks."""
        rows = self.member_columns(member, rows)
        return _widen_member_proba(self.members()[member], rows, np.asarray(self.model.classes_))


def _widen_member_proba(member: Any, rows: Any, classes: NDArray[Any]) -> Floats:
    """Return the probabilities of a member, or its votes, shape (n_rows, n_classes)."""
    if hasattr(member, "predict_proba"):
        proba = member.predict_proba(rows)
        if proba.shape[1] == len(classes):
            return proba
        # Classes that the member has not seen keep probability 0.
        wide = np.zeros((len(proba), len(classes)))
        wide[:, _find_columns(np.asarray(member.classes_), classes)] = proba
    else:
        # A vote is a probability of 1.
        votes = _find_columns(np.asarray(member.predict(rows)), classes)
        wide = np.zeros((len(votes), len(classes)))
        wide[np.arange(len(votes)), votes] = 1.0
    return wide


def _find_columns(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the columns of a member's labels: numbers are columns already, strings are classes."""
    if labels.dtype.kind in "iuf":
        return labels.astype(np.intp)
    return np.searchsorted(
        classes, labels
    )  # the member was fitted (and frozen) before the ensemble


@register(RandomForestClassifier)
@register(ExtraTreesClassifier)
@register(RandomForestRegressor)
@register(ExtraTreesRegressor)
class ForestAdapter(EnsembleAdapter):
    """A forest, whose trees take single-precision arrays without feature names."""

    def member_rows(self, Z: Any) -> Any:
        return validate_data(
            self.model,
            Z,
            reset=False,
            accept_sparse="csr",
            dtype=np.float32,
            ensure_all_finite=False,  # trees support missing values, or check for them
        )

    def member_proba(self, member: int, rows: Any) -> Any:
        if self.label_classes is None:
            return super().member_proba(member, rows)
        return self.members()[member].predict_proba(rows)  # an array per label, of all its classes


@register(BaggingClassifier)
@register(BaggingRegressor)
class BaggingAdapter(EnsembleAdapter):
    """A bagging ensemble, whose members may each see a subset of the columns."""

    def member_rows(self, Z: Any) -> Any:
        return validate_data(
            self.model, Z, reset=False, accept_sparse="csr", dtype=None, ensure_all_finite=False
        )

    def member_columns(self, member: int, rows: Any) -> Any:
        columns = self.model.estimators_features_[member]
        all_columns = len(columns) == rows.shape[1] and np.all(np.diff(columns) == 1)
        # Taking all columns would copy the rows.
        return rows if all_columns else rows[:, columns]


@register(CalibratedClassifierCV)
class CalibratedAdapter(EnsembleAdapter):
    """The calibrated classifiers of the folds; features are those of the first fold."""

    def members(self) -> list[Any]:
        return list(getattr(self.model, "calibrated_classifiers_", []))

    def member_proba(self, member: int, rows: Any) -> Floats:
        return self.members()[member].predict_proba(rows)

    def features(self, Z: Any) -> Any:
        first = adapt(self.members()[0].estimator)
        return first.features(first.prepare(Z))

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        return adapt(self.model.estimator).prepare_cold(X, seed)
