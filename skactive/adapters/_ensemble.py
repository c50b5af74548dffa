"""Adapters for ensembles: the members are draws from the posterior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.utils.validation import validate_data

from skactive.adapters._base import ModelAdapter, Rows, adapt, register
from skactive.exceptions import InvalidReadingError

__all__: list[str] = []


@register(VotingClassifier)
class EnsembleAdapter(ModelAdapter):
    """An ensemble whose members were fitted on labels encoded as 0 .. n_classes - 1.

    So a member's own classes are positions among the ensemble's, also where the labels are
    strings or negative, and where a member saw fewer classes than the ensemble.
    """

    joint_samples = True

    def members(self) -> list[Any]:
        """Return the fitted members."""
        return list(getattr(self.model, "estimators_", []))

    def provides(self, reading: str) -> bool:
        if reading == "proba_samples":
            return len(self.members()) > 1
        return super().provides(reading)

    def n_draws(self, n_samples: int | None) -> int:
        n_members = len(self.members())
        return n_members if n_samples is None else min(n_samples, n_members)

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Rows:
        if isinstance(self.model.classes_, list):
            raise InvalidReadingError(
                f"{type(self.model).__name__} predicts several outputs a row; draws are for one "
                "label a row."
            )
        rows, members = self.member_rows(Z), self.members()
        n_draws = self.n_draws(n_samples)
        chosen = np.random.RandomState(seed).permutation(len(members))[:n_draws]
        draws = [self.member_proba(member, rows) for member in np.sort(chosen)]
        return np.stack(draws)

    def member_rows(self, Z: Any) -> Any:
        """Bring rows into the form that the members were fitted on."""
        return Z

    def member_proba(self, member: int, rows: Any) -> Rows:
        """Probabilities of one member, shape (n_rows, n_classes): 0 for classes it lacks."""
        return _member_proba(self.members()[member], rows, np.asarray(self.model.classes_))


def _member_proba(member: Any, rows: Any, classes: NDArray[Any]) -> Rows:
    """Probabilities of a member, shape (n_rows, n_classes); of a hard voter, its votes."""
    if hasattr(member, "predict_proba"):
        proba = member.predict_proba(rows)
        if proba.shape[1] == len(classes):
            return proba
        wide = np.zeros((len(proba), len(classes)))
        wide[:, _columns(np.asarray(member.classes_), classes)] = proba
    else:
        votes = _columns(np.asarray(member.predict(rows)), classes)
        wide = np.zeros((len(votes), len(classes)))
        wide[np.arange(len(votes)), votes] = 1.0
    return wide


def _columns(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Columns of a member's labels: encoded ones are columns; texts can only be the classes."""
    if labels.dtype.kind in "iuf":
        return labels.astype(np.intp)
    return np.searchsorted(classes, labels)  # a member that was frozen before the ensemble


@register(RandomForestClassifier)
@register(ExtraTreesClassifier)
class ForestAdapter(EnsembleAdapter):
    """Trees take single-precision arrays without names."""

    def member_rows(self, Z: Any) -> Any:
        return validate_data(
            self.model,
            Z,
            reset=False,
            accept_sparse="csr",
            dtype=np.float32,
            ensure_all_finite=False,  # trees know missing values, and check where they do not
        )


@register(BaggingClassifier)
class BaggingAdapter(EnsembleAdapter):
    """Members that may each see some of the columns only."""

    def member_rows(self, Z: Any) -> Any:
        return validate_data(
            self.model, Z, reset=False, accept_sparse="csr", dtype=None, ensure_all_finite=False
        )

    def member_proba(self, member: int, rows: Any) -> Rows:
        columns = self.model.estimators_features_[member]
        every = len(columns) == rows.shape[1] and np.all(np.diff(columns) == 1)
        return super().member_proba(member, rows if every else rows[:, columns])


@register(CalibratedClassifierCV)
class CalibratedAdapter(EnsembleAdapter):
    """The classifiers of the folds, each with its calibrator; features are the first one's."""

    def members(self) -> list[Any]:
        return list(getattr(self.model, "calibrated_classifiers_", []))

    def member_proba(self, member: int, rows: Any) -> Rows:
        return self.members()[member].predict_proba(rows)

    def features(self, Z: Any) -> Any:
        first = adapt(self.members()[0].estimator)
        return first.features(first.prepare(Z))

    def prepare_cold(self, X: Any, seed: int = 0) -> Callable[[Any], Any]:
        return adapt(self.model.estimator).prepare_cold(X, seed)
