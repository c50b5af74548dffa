"""Queries of scikit-activeml.

Its BADGE weights rows by the distance to the nearest of the origin and the rows drawn.
"""

from importlib.metadata import version

import numpy as np
from scipy import sparse
from skactiveml import pool
from skactiveml.base import SkactivemlClassifier
from skactiveml.classifier import SklearnClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

VERSION = version("scikit-activeml")


class _LookUp(SkactivemlClassifier):
    """A classifier with a table of probabilities, and embeddings; X holds row numbers."""

    def __init__(self, table=None, embedding=None, classes=None):
        super().__init__(classes=classes)
        self.table, self.embedding = table, embedding
        self.classes_ = np.asarray(classes)

    def fit(self, X, y, sample_weight=None):
        return self

    def predict_proba(self, X, return_embeddings=False):
        return (self.table, self.embedding) if return_embeddings else self.table

    def sample_proba(self, X):
        return self.table


def _make_row_numbers(n):
    """Return row numbers as X, and missing labels as y."""
    return np.arange(n, dtype=float)[:, np.newaxis], np.full(n, np.nan)


def _make_uncertainty(method):
    def prepare(data):
        X, y = _make_row_numbers(len(data.proba))
        model = _LookUp(data.proba, classes=range(data.proba.shape[1]))
        strategy = pool.UncertaintySampling(method=method, random_state=0)
        return lambda: strategy.query(X, y, clf=model, fit_clf=False, batch_size=data.k)

    return prepare


def _make_committee(make):
    def prepare(data):
        X, y = _make_row_numbers(data.samples.shape[1])
        model = _LookUp(data.samples, classes=range(data.samples.shape[2]))
        strategy = make(sample_predictions_method_name="sample_proba", random_state=0)
        return lambda: strategy.query(X, y, ensemble=model, fit_ensemble=False, batch_size=data.k)

    return prepare


def _make_vote_entropy(**options):
    return pool.QueryByCommittee(method="vote_entropy", **options)


def _make_batch_bald(**options):
    return pool.BatchBALD(n_MC_samples=1000, **options)


def _make_geometric(make):
    """Return a preparation that puts the labeled rows first; pool positions are offset by them."""

    def prepare(data):
        is_sparse = sparse.issparse(data.X)
        stack = sparse.vstack if is_sparse else np.concatenate
        X = stack([data.labeled, data.X])
        y = np.concatenate([data.labels.astype(float), np.full(data.X.shape[0], np.nan)])
        strategy = make()
        return lambda: strategy.query(X, y, batch_size=data.k) - len(data.labels)

    return prepare


def badge(data):
    X, y = _make_row_numbers(len(data.X))
    model = _LookUp(data.proba, data.X, classes=range(data.proba.shape[1]))
    strategy = pool.Badge(clf_embedding_flag_name="return_embeddings", random_state=0)
    return lambda: strategy.query(X, y, clf=model, fit_clf=False, batch_size=data.k)


def _make_error_reduction(model):
    def prepare(data):
        X = np.concatenate([data.labeled, data.X])
        y = np.concatenate([data.labels.astype(float), np.full(len(data.X), np.nan)])
        learner = SklearnClassifier(model, classes=[0.0, 1.0, 2.0], random_state=0)
        strategy = pool.MonteCarloEER(method="log_loss", random_state=0)

        def query():
            # Why X_eval: by default the losses of the labeled rows are summed too.
            _, scores = strategy.query(
                X, y, clf=learner, X_eval=data.X, ignore_partial_fit=True, return_utilities=True
            )
            return scores[0][len(data.labeled) :]

        return query

    return prepare


def campaign(data):
    def query():
        y = np.full(len(data.X), np.nan)
        y[data.initial] = data.y[data.initial]
        labeled = list(data.initial)
        learner = SklearnClassifier(LogisticRegression(max_iter=1000), classes=np.unique(data.y))
        strategy = pool.UncertaintySampling(method="margin_sampling", random_state=0)
        for _ in range(data.k):
            pick = strategy.query(data.X, y, clf=learner)[0]
            y[pick] = data.y[pick]
            labeled.append(pick)
        learner.fit(data.X, y)
        return np.array(labeled)

    return query


def logistic_entropy(data):
    X = np.concatenate([data.labeled, data.X])
    y = np.concatenate([data.labels.astype(float), np.full(len(data.X), np.nan)])
    model = SklearnClassifier(LogisticRegression(max_iter=1000), classes=np.unique(data.labels))
    model.fit(data.labeled, data.labels)
    strategy = pool.UncertaintySampling(method="entropy", random_state=0)

    def query():
        picks = strategy.query(X, y, clf=model, fit_clf=False, batch_size=data.k)
        return picks - len(data.labeled)

    return query


QUERIES = {
    "logistic-entropy": logistic_entropy,
    "margin": _make_uncertainty("margin_sampling"),
    "entropy": _make_uncertainty("entropy"),
    "least-confidence": _make_uncertainty("least_confident"),
    "k-center": _make_geometric(lambda: pool.CoreSet(random_state=0)),
    "badge": badge,
    "committee-votes": _make_committee(_make_vote_entropy),
    "committee-kl": _make_committee(pool.QueryByCommittee),
    "bald": _make_committee(pool.GreedyBALD),
    "batch-bald": _make_committee(_make_batch_bald),
    "typiclust": _make_geometric(lambda: pool.TypiClust(random_state=0)),
    "max-herding": _make_geometric(
        lambda: pool.MaxHerding(normalize_samples=False, metric_dict={"gamma": 0.01})
    ),
    "prob-cover": _make_geometric(
        lambda: pool.ProbCover(n_classes=10, deltas=[10.0], random_state=0)
    ),
    # These refuse sparse rows, as of 1.0.1.
    "sparse-KCenterGreedy": _make_geometric(lambda: pool.CoreSet(random_state=0)),
    "sparse-TypiClust": _make_geometric(lambda: pool.TypiClust(random_state=0)),
    "sparse-ProbCover": _make_geometric(
        lambda: pool.ProbCover(n_classes=4, deltas=[1.0], random_state=0)
    ),
    "sparse-MaxHerding": _make_geometric(lambda: pool.MaxHerding(normalize_samples=False)),
    "eer-naive-bayes": _make_error_reduction(GaussianNB()),
    "eer-logistic": _make_error_reduction(LogisticRegression(max_iter=1000)),
    "campaign": campaign,
}
