"""Queries of ALiPy, which returns the best row last.

Its KL is a sum; its density is a mean distance.
"""

import collections
import collections.abc
from importlib.metadata import version

import numpy as np

collections.Iterable = collections.abc.Iterable  # why: ALiPy still uses it

from alipy.query_strategy.query_labels import (  # noqa: E402
    QueryInstanceCoresetGreedy,
    QueryInstanceQBC,
    QueryInstanceUncertainty,
)

VERSION = version("alipy")


def _make_uncertainty(measure):
    def prepare(data):
        rows = np.arange(len(data.proba))
        strategy = QueryInstanceUncertainty(measure=measure)
        return lambda: strategy.select_by_prediction_mat(rows, data.proba, data.k)

    return prepare


def _make_committee(disagreement, predict):
    def prepare(data):
        rows = np.arange(data.samples.shape[1])
        strategy = QueryInstanceQBC(disagreement=disagreement)
        predictions = [predict(member) for member in data.samples]
        return lambda: strategy.select_by_prediction_mat(rows, predictions, data.k)

    return prepare


def k_center(data):
    X = np.concatenate([data.labeled, data.X])
    labeled_rows, pool_rows = np.split(np.arange(len(X)), [len(data.labeled)])
    strategy = QueryInstanceCoresetGreedy(X, np.zeros(len(X)), np.arange(len(X)))
    return lambda: np.asarray(strategy.select(labeled_rows, pool_rows, data.k)) - len(labeled_rows)


QUERIES = {
    "margin": _make_uncertainty("margin"),
    "entropy": _make_uncertainty("entropy"),
    "least-confidence": _make_uncertainty("least_confident"),
    "committee-votes": _make_committee("vote_entropy", lambda member: member.argmax(axis=1)),
    "committee-kl": _make_committee("KL_divergence", np.asarray),
    "k-center": k_center,
}
