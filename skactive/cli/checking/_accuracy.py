"""The cost of wrong labels in accuracy: a model that learns from all, without them, corrected."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.rows import take_rows
from skactive._utils.seeding import seeded_clone
from skactive.cli.checking._findings import SURE_ODDS, Findings, make_folds, predict_folds
from skactive.quality import LabelQuality

__all__ = ["Accuracy", "AccuracyCost", "measure_accuracy_cost"]

_INNER_FOLDS = 3
_Z = 1.959963984540054  # of a 95 % interval


class Accuracy(NamedTuple):
    """Accuracy on some labels.

    Attributes
    ----------
    value : float
        Share of the labels that the model predicts.
    gain, low, high : float
        By how much it is above that of the model of all labels, with a 95 % interval.
    """

    value: float
    gain: float
    low: float
    high: float


class AccuracyCost(NamedTuple):
    """Accuracy of one way to learn.

    Attributes
    ----------
    name : str
        The labels that it learned from.
    on_all, on_others : Accuracy
        On all labels, and on those that are not likely wrong.
    """

    name: str
    on_all: Accuracy
    on_others: Accuracy


def measure_accuracy_cost(
    labels: NDArray[np.str_], findings: Findings, seed: int
) -> list[AccuracyCost]:
    """Compare a model that learned from all labels with those without, or with corrected, suspects.

    All are tested on the folds of the cross-validation. What is likely wrong in a training part is
    found by a cross-validation inside it, so that no label of the test part plays a role.

    Parameters
    ----------
    labels : ndarray of str of shape (n_rows,)
        The labels.
    findings : Findings
        Folds, model and features.
    seed : int
        Seed of the inner folds.

    Returns
    -------
    list of AccuracyCost
        Empty if a class has too few rows for it.
    """
    counts = [np.unique(labels[fold.train], return_counts=True)[1].min() for fold in findings.folds]
    n_inner = min(_INNER_FOLDS, *counts)
    if n_inner < 2:
        return []
    n = len(labels)
    hits = {
        "all labels": labels == findings.quality.suggested_labels_,
        "likely wrong labels left out": np.zeros(n, dtype=bool),
        "likely wrong labels replaced": np.zeros(n, dtype=bool),
    }
    _, left_out, replaced = hits.values()
    for train, test in findings.folds:
        inner = make_folds(labels[train], findings.groups[train], n_inner, seed)
        features = take_rows(findings.features, train)
        proba = predict_folds(findings.model, features, labels[train], inner)
        quality = LabelQuality(sure_odds=SURE_ODDS).fit(None, labels[train], proba=proba)
        is_wrong = quality.diagnose() == "wrong label"
        is_wrong &= findings.kinds[train] != "outlier"  # found without labels
        corrected = np.where(is_wrong, quality.suggested_labels_, labels[train])
        left_out[test] = _learn(findings, train[~is_wrong], labels[train][~is_wrong], test, labels)
        replaced[test] = _learn(findings, train, corrected, test, labels)
    baseline, is_other = hits["all labels"], findings.kinds != "wrong label"
    return [
        AccuracyCost(
            name,
            _compare_hits(right, baseline),
            _compare_hits(right[is_other], baseline[is_other]),
        )
        for name, right in hits.items()
    ]


def _learn(findings: Findings, rows: Any, given: Any, test: Any, labels: Any) -> NDArray[np.bool_]:
    """Return whether the model that learned from some rows predicts each test label, (n_test,)."""
    if len(np.unique(given)) < 2:
        return np.asarray(labels[test] == given[0])
    model = seeded_clone(findings.model, None).fit(take_rows(findings.features, rows), given)
    return np.asarray(model.predict(take_rows(findings.features, test)) == labels[test])


def _compare_hits(hits: Any, baseline: Any) -> Accuracy:
    """Return the accuracy of a model that is right on some rows, beside that of another."""
    gains: Floats = hits.astype(np.float64) - baseline
    gain, half = float(gains.mean()), float(_Z * gains.std() / np.sqrt(len(gains)))
    return Accuracy(float(hits.mean()), gain, gain - half, gain + half)
