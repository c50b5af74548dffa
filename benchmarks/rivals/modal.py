"""Queries of modAL, whose `teach` fails on scikit-learn >= 1.8.

Other tasks under the same name: its KL is the maximum over members; its expected error excludes the
row with the hypothetical label, which matters in small pools.
"""

from importlib.metadata import version
from types import SimpleNamespace

import numpy as np

setattr(np, "float", float)  # noqa: B010, why: modAL still uses it

from modAL import batch, density, disagreement, expected_error, uncertainty  # noqa: E402

VERSION = version("modAL-python")


def _make_uncertainty(strategy):
    def prepare(data):
        model = SimpleNamespace(predict_proba=lambda _: data.proba)
        return lambda: strategy(model, data.proba, n_instances=data.k)[0]

    return prepare


class _Committee:
    """A committee with precomputed probabilities, (n_rows, n_members, n_classes)."""

    def __init__(self, by_row):
        self.by_row, self.classes_ = by_row, np.arange(by_row.shape[2])

    def __len__(self):
        return self.by_row.shape[1]

    def __iter__(self):
        return iter(range(len(self)))

    def vote(self, X):
        return self.by_row.argmax(axis=2)

    def vote_proba(self, X):
        return self.by_row

    def predict_proba(self, X):
        return self.by_row.mean(axis=1)


def _make_committee(strategy):
    def prepare(data):
        by_row = np.ascontiguousarray(data.samples.transpose(1, 0, 2))
        model = _Committee(by_row)
        return lambda: strategy(model, by_row[:, 0], n_instances=data.k)[0]

    return prepare


def ranked_batch(data):
    model = SimpleNamespace(
        X_training=data.labeled, on_transformed=False, predict_proba=lambda _: data.proba
    )
    return lambda: batch.uncertainty_batch_sampling(model, data.X, n_instances=data.k)[0]


def _make_error_reduction(model):
    def prepare(data):
        fitted = model.fit(data.labeled, data.labels)
        learner = SimpleNamespace(
            X_training=data.labeled,
            y_training=data.labels,
            estimator=fitted,
            predict_proba=fitted.predict_proba,
        )

        def query():
            scores = np.empty(len(data.X))
            rows, errors = expected_error.expected_error_reduction(
                learner, data.X, loss="log", n_instances=len(data.X)
            )
            scores[rows] = -np.asarray(errors)
            return scores

        return query

    return prepare


def _make_models():
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(), LogisticRegression(max_iter=1000)


def logistic_entropy(data):
    model = _make_models()[1].fit(data.labeled, data.labels)
    return lambda: uncertainty.entropy_sampling(model, data.X, n_instances=data.k)[0]


QUERIES = {
    "logistic-entropy": logistic_entropy,
    "margin": _make_uncertainty(uncertainty.margin_sampling),
    "entropy": _make_uncertainty(uncertainty.entropy_sampling),
    "least-confidence": _make_uncertainty(uncertainty.uncertainty_sampling),
    "committee-votes": _make_committee(disagreement.vote_entropy_sampling),
    "committee-kl": _make_committee(disagreement.max_disagreement_sampling),
    "density": lambda data: lambda: density.information_density(data.X),
    "ranked-batch": ranked_batch,
    "sparse-RankedBatch": ranked_batch,
    "eer-naive-bayes": _make_error_reduction(_make_models()[0]),
    "eer-logistic": _make_error_reduction(_make_models()[1]),
}
