"""Queries of small-text, whose picks are not ordered."""

from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
from scipy import sparse
from small_text.query_strategies.coresets import greedy_coreset
from small_text.query_strategies.strategies import (
    BreakingTies,
    EmbeddingKMeans,
    LeastConfidence,
    PredictionEntropy,
)

VERSION = version("small-text")
NO_ROWS = np.empty(0, dtype=int)


def _make_uncertainty(strategy):
    def prepare(data):
        model = SimpleNamespace(predict_proba=lambda _: data.proba)
        rows, n = np.arange(len(data.proba)), data.k
        return lambda: strategy().query(model, rows, rows, NO_ROWS, NO_ROWS, n=n)

    return prepare


def k_center(data):
    stack = sparse.vstack if sparse.issparse(data.X) else np.concatenate
    X = stack([data.X, data.labeled])  # why: it takes pool positions for positions in X
    pool_rows, labeled_rows = np.split(np.arange(X.shape[0]), [data.X.shape[0]])
    return lambda: greedy_coreset(X, pool_rows, labeled_rows, data.k, distance_metric="euclidean")


def k_means(data):
    rows = np.arange(data.X.shape[0])
    strategy = EmbeddingKMeans(normalize=False)
    return lambda: rows[strategy.sample(None, rows, rows, NO_ROWS, NO_ROWS, data.k, data.X)]


QUERIES = {
    "margin": _make_uncertainty(BreakingTies),
    "entropy": _make_uncertainty(PredictionEntropy),
    "least-confidence": _make_uncertainty(LeastConfidence),
    "k-center": k_center,
    "k-means": k_means,
    # These fail on sparse rows, as of 1.4.1.
    "sparse-KCenterGreedy": k_center,
    "sparse-KMeans": k_means,
}
