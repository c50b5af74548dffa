"""Accuracy without wrong labels: what is left out is found without the rows of the test part."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from skactive.cli.checking import _accuracy
from skactive.cli.checking._accuracy import measure_accuracy_cost
from skactive.cli.checking._findings import Findings, make_folds, predict_folds
from skactive.quality import LabelQuality


def make_findings(labels, X):
    folds = make_folds(labels, np.arange(len(labels)), 4, 0)
    model = KNeighborsClassifier(5, weights="distance")
    proba = predict_folds(model, X, labels, folds)
    quality = LabelQuality().fit(None, labels, proba=proba)
    kinds = quality.diagnose()
    return Findings(X, model, folds, np.arange(len(labels)), quality, kinds, [], None, None, [])


def make_rows(n=240):
    """Return rows of two apart classes, a quarter with the wrong label."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 2
    X = rng.normal(size=(n, 2)) + 3.0 * truth[:, None]
    is_wrong = rng.random(n) < 0.25
    return X, np.where(is_wrong, 1 - truth, truth).astype(str)


def test_a_model_that_memorizes_wrong_labels_gains():
    X, labels = make_rows(480)
    baseline, *others = measure_accuracy_cost(labels, make_findings(labels, X), 0)
    assert baseline.on_all[1:] == baseline.on_others[1:] == (0.0, 0.0, 0.0)
    for cost in others:
        assert 0 < cost.on_all.low < cost.on_all.gain < cost.on_all.high
        assert cost.on_all.value - baseline.on_all.value == pytest.approx(cost.on_all.gain)
        assert cost.on_others.value > cost.on_all.value


def test_labels_of_the_test_part_change_no_prediction(monkeypatch):
    X, labels = make_rows(120)
    findings = make_findings(labels, X)
    seen = []
    monkeypatch.setattr(_accuracy, "_learn", lambda f, rows, given, test, _: record(rows, given))

    def record(rows, given):
        seen.append((rows.tolist(), given.tolist()))
        return False

    measure_accuracy_cost(labels, findings, 0)
    first, test = seen.copy(), findings.folds[0].test
    seen.clear()
    changed = labels.copy()
    changed[test] = np.where(labels[test] == "0", "1", "0")
    measure_accuracy_cost(changed, findings, 0)
    assert seen[:2] == first[:2]  # the two models of the first fold
    assert seen[2:] != first[2:]


def test_classes_of_too_few_rows_are_left_alone():
    labels = np.array(["a", "a", "b", "b"])
    folds = make_folds(labels, np.arange(4), 2, 0)
    findings = make_findings(*reversed(make_rows()))
    few = replace(findings, folds=folds)
    assert measure_accuracy_cost(labels, few, 0) == []
