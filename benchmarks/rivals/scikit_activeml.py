"""scikit-activeml. Its BADGE weighs rows by the nearer of the origin and the rows drawn."""

from importlib.metadata import version

import numpy as np
from skactiveml import pool
from skactiveml.base import SkactivemlClassifier
from skactiveml.classifier import SklearnClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

VERSION = version("scikit-activeml")


class _LookUp(SkactivemlClassifier):
    """Knows its predictions already: rows of X are their numbers, or it embeds them too."""

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


def _numbers(n):
    return np.arange(n, dtype=float)[:, np.newaxis], np.full(n, np.nan)


def _uncertainty(method):
    def prepare(data):
        X, y = _numbers(len(data.proba))
        model = _LookUp(data.proba, classes=range(data.proba.shape[1]))
        strategy = pool.UncertaintySampling(method=method, random_state=0)
        return lambda: strategy.query(X, y, clf=model, fit_clf=False, batch_size=data.k)

    return prepare


def _committee(make):
    def prepare(data):
        X, y = _numbers(data.samples.shape[1])
        model = _LookUp(data.samples, classes=range(data.samples.shape[2]))
        strategy = make(sample_predictions_method_name="sample_proba", random_state=0)
        return lambda: strategy.query(X, y, ensemble=model, fit_ensemble=False, batch_size=data.k)

    return prepare


def _votes(**options):
    return pool.QueryByCommittee(method="vote_entropy", **options)


def _batch_bald(**options):
    return pool.BatchBALD(n_MC_samples=1000, **options)


def _geometry(make):
    """The labeled rows stand first, so that positions are those of the pool plus their number."""

    def prepare(data):
        X = np.concatenate([data.labeled, data.X])
        y = np.concatenate([data.labels.astype(float), np.full(len(data.X), np.nan)])
        strategy = make()
        return lambda: strategy.query(X, y, batch_size=data.k) - len(data.labeled)

    return prepare


def badge(data):
    X, y = _numbers(len(data.X))
    model = _LookUp(data.proba, data.X, classes=range(data.proba.shape[1]))
    strategy = pool.Badge(clf_embedding_flag_name="return_embeddings", random_state=0)
    return lambda: strategy.query(X, y, clf=model, fit_clf=False, batch_size=data.k)


def _error_reduction(model):
    def prepare(data):
        X = np.concatenate([data.labeled, data.X])
        y = np.concatenate([data.labels.astype(float), np.full(len(data.X), np.nan)])
        learner = SklearnClassifier(model, classes=[0.0, 1.0, 2.0], random_state=0)
        strategy = pool.MonteCarloEER(method="log_loss", random_state=0)

        def query():
            # The losses are summed over the labeled rows too unless others are given.
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
        picked = list(data.initial)
        learner = SklearnClassifier(LogisticRegression(max_iter=1000), classes=np.unique(data.y))
        strategy = pool.UncertaintySampling(method="margin_sampling", random_state=0)
        for _ in range(data.k):
            pick = strategy.query(data.X, y, clf=learner)[0]
            y[pick] = data.y[pick]
            picked.append(pick)
        learner.fit(data.X, y)
        return np.array(picked)

    return query


def _by_model(data):
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
    "logistic-entropy": _by_model,
    "margin": _uncertainty("margin_sampling"),
    "entropy": _uncertainty("entropy"),
    "least-confidence": _uncertainty("least_confident"),
    "k-center": _geometry(lambda: pool.CoreSet(random_state=0)),
    "badge": badge,
    "committee-votes": _committee(_votes),
    "committee-kl": _committee(pool.QueryByCommittee),
    "bald": _committee(pool.GreedyBALD),
    "batch-bald": _committee(_batch_bald),
    "typiclust": _geometry(lambda: pool.TypiClust(random_state=0)),
    "max-herding": _geometry(
        lambda: pool.MaxHerding(normalize_samples=False, metric_dict={"gamma": 0.01})
    ),
    "prob-cover": _geometry(lambda: pool.ProbCover(n_classes=10, deltas=[10.0], random_state=0)),
    "eer-naive-bayes": _error_reduction(GaussianNB()),
    "eer-logistic": _error_reduction(LogisticRegression(max_iter=1000)),
    "campaign": campaign,
}
