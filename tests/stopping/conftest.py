"""Fixtures of the criteria: rounds of models that are told what to say."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skactive.stopping import Round


class Told(ClassifierMixin, BaseEstimator):
    """Predicts, for row i of X (which holds its number), what it was told of row i."""

    def __init__(self, answers=(), proba=None):
        self.answers = answers
        self.proba = proba

    def predict(self, X):
        return np.asarray(self.answers)[np.asarray(X)[:, 0].astype(int)]

    def predict_proba(self, X):
        return np.asarray(self.proba, dtype=float)[np.asarray(X)[:, 0].astype(int)]


def numbered(n):
    return np.arange(float(n))[:, None]


@pytest.fixture
def told():
    """Makes a round whose model predicts these labels."""

    def make(answers, n_labels=10, **params):
        return Round(n_labels, Told(answers), numbered(len(answers)), **params)

    return make


@pytest.fixture
def doubting():
    """Makes a round whose model gives these probabilities."""

    def make(proba, n_labels=10, **params):
        return Round(n_labels, Told(proba=proba), numbered(len(proba)), **params)

    return make


@pytest.fixture
def audited():
    """Makes a round of whose audit rows so many are right."""

    def make(n_right, n, n_labels=10):
        return Round(n_labels, audit=(np.arange(n) < n_right).astype(float))

    return make


@pytest.fixture
def play():
    """Shows a criterion some rounds; gives the monitor and all verdicts."""

    def run(criterion, rounds):
        monitor = criterion.start()
        return monitor, [monitor.update(current) for current in rounds]

    return run
