"""small-text, whose answers come unordered."""

from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
from small_text.query_strategies.coresets import greedy_coreset
from small_text.query_strategies.strategies import (
    BreakingTies,
    EmbeddingKMeans,
    LeastConfidence,
    PredictionEntropy,
)

VERSION = version("small-text")
NONE = np.empty(0, dtype=int)


def _by(strategy):
    def prepare(data):
        model = SimpleNamespace(predict_proba=lambda _: data.proba)
        rows, n = np.arange(len(data.proba)), data.k
        return lambda: strategy().query(model, rows, rows, NONE, NONE, n=n)

    return prepare


def k_center(data):
    X = np.concatenate([data.X, data.labeled])  # it takes positions in the pool for those in X
    rows, known = np.split(np.arange(len(X)), [len(data.X)])
    return lambda: greedy_coreset(X, rows, known, data.k, distance_metric="euclidean")


def k_means(data):
    rows = np.arange(len(data.X))
    strategy = EmbeddingKMeans(normalize=False)
    return lambda: rows[strategy.sample(None, rows, rows, NONE, NONE, data.k, data.X)]


QUERIES = {
    "margin": _by(BreakingTies),
    "entropy": _by(PredictionEntropy),
    "least-confidence": _by(LeastConfidence),
    "k-center": k_center,
    "k-means": k_means,
}
