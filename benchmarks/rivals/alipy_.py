"""ALiPy, whose best row comes last. Its KL is a sum; its density is by mean distance."""

import collections
import collections.abc
from importlib.metadata import version

import numpy as np

collections.Iterable = collections.abc.Iterable  # ALiPy still asks for it

from alipy.query_strategy.query_labels import (  # noqa: E402
    QueryInstanceCoresetGreedy,
    QueryInstanceQBC,
    QueryInstanceUncertainty,
)

VERSION = version("alipy")


def _by(measure):
    def prepare(data):
        rows = np.arange(len(data.proba))
        strategy = QueryInstanceUncertainty(measure=measure)
        return lambda: strategy.select_by_prediction_mat(rows, data.proba, data.k)

    return prepare


def _committee(disagreement, predict):
    def prepare(data):
        rows = np.arange(data.samples.shape[1])
        strategy = QueryInstanceQBC(disagreement=disagreement)
        predictions = [predict(member) for member in data.samples]
        return lambda: strategy.select_by_prediction_mat(rows, predictions, data.k)

    return prepare


def k_center(data):
    X = np.concatenate([data.labeled, data.X])
    known, rows = np.split(np.arange(len(X)), [len(data.labeled)])
    strategy = QueryInstanceCoresetGreedy(X, np.zeros(len(X)), np.arange(len(X)))
    return lambda: np.asarray(strategy.select(known, rows, data.k)) - len(known)


QUERIES = {
    "margin": _by("margin"),
    "entropy": _by("entropy"),
    "least-confidence": _by("least_confident"),
    "committee-votes": _committee("vote_entropy", lambda member: member.argmax(axis=1)),
    "committee-kl": _committee("KL_divergence", np.asarray),
    "k-center": k_center,
}
