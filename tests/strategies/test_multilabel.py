"""Scores of several labels per row, against plain loops over rows, labels and labeled rows."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.multilabel import MissingLabelsClassifier
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.scores import borda_margin, entropy_distance, hamming_risk, separation_margin
from skactive.strategies import CVIRS, LCI, MMC, Product, SeparationMargin

X, Y = make_multilabel_classification(80, n_features=6, n_classes=4, n_labels=2, random_state=1)
RNG = np.random.RandomState(0)
PRESENCE = RNG.uniform(size=(12, 5))


def view(model, labels, rows=slice(30, 80)):
    source = ReadingSource(adapt(model), X_labeled=X[:30], y_labeled=labels)
    return PoolView(X[rows], source)


def fit_forest(labels=Y[:30]):
    model = RandomForestClassifier(7, random_state=0).fit(X[:30], labels)
    presence = np.stack([proba[:, 1] for proba in model.predict_proba(X)], axis=1)
    return view(model, labels), presence[30:], presence[:30]


# Strategies ---------------------------------------------------------------------------------------


def test_mmc_predicts_how_many_labels_are_present():
    pool, presence, presence_labeled = fit_forest()

    def sort_shares(table):
        return np.array([sorted(row / max(row.sum(), 1e-300), reverse=True) for row in table])

    counter = LogisticRegression(max_iter=1000)
    counter.fit(sort_shares(presence_labeled), Y[:30].sum(axis=1))
    counts = counter.predict(sort_shares(presence))
    assert len(set(counts.tolist())) > 1
    np.testing.assert_allclose(MMC().score(pool), hamming_risk(presence, counts))


def test_mmc_with_a_number_of_labels():
    pool, presence, _ = fit_forest()
    np.testing.assert_allclose(MMC(n_labels=1).score(pool), hamming_risk(presence, 1))
    one_each = np.eye(4, dtype=int)[np.arange(30) % 4]
    pool, presence, _ = fit_forest(one_each)
    np.testing.assert_allclose(MMC().score(pool), hamming_risk(presence, 1))
    pool, presence, _ = fit_forest()
    unlabeled = PoolView(X[30:], ReadingSource(pool._source.adapter))
    counts = (presence > 0.5).sum(axis=1)
    np.testing.assert_allclose(MMC().score(unlabeled), hamming_risk(presence, counts))


def test_lci_is_the_distance_to_the_mean_number_of_labels():
    pool, presence, _ = fit_forest()
    mean = sum(map(sum, Y[:30].tolist())) / 30
    expected = [abs(sum(p > 0.5 for p in row) - mean) for row in presence]
    np.testing.assert_allclose(LCI().score(pool), expected)


def test_the_product_of_the_authors():
    pool, presence, _ = fit_forest()
    parts = [("margin", SeparationMargin()), ("cardinality", LCI())]
    expected = []
    for row in presence:
        gap = min([p for p in row if p > 0.5], default=1) - max(
            [p for p in row if p <= 0.5], default=0
        )
        count = abs(sum(p > 0.5 for p in row) - Y[:30].sum(axis=1).mean())
        expected.append((1 / gap) ** 0.3 * count**0.7)
    scores = Product(parts, weights=[0.3, 0.7]).score(pool)
    np.testing.assert_allclose(scores, expected)


def test_cvirs_is_the_product_of_ranks_and_inconsistency():
    pool, presence, _ = fit_forest()
    predicted = (presence > 0.5).astype(float)
    inconsistency = entropy_distance(predicted, Y[:30].astype(float)).mean(axis=1)
    scores = CVIRS().score(pool)
    np.testing.assert_allclose(scores, borda_margin(presence) * inconsistency)
    with config_context(working_memory=0.0001):
        np.testing.assert_allclose(CVIRS().score(pool), scores)


def test_decision_functions_are_mapped_by_the_logistic_function():
    model = OneVsRestClassifier(LinearSVC()).fit(X[:30], Y[:30])
    presence = 1 / (1 + np.exp(-model.decision_function(X[30:])))
    scores = SeparationMargin().score(view(model, Y[:30]))
    np.testing.assert_allclose(scores, separation_margin(presence))


def test_half_known_rows_count_where_they_are_known():
    labels = Y[:30].astype(float)
    labels[:10, 1], labels[5:20, 2], labels[3, :] = np.nan, np.nan, np.nan
    model = MissingLabelsClassifier(LogisticRegression()).fit(X[:30], labels)
    pool, presence = view(model, labels), model.predict_proba(X[30:])
    mean = sum(np.nanmean(labels[:, j]) for j in range(4))
    expected = np.abs((presence > 0.5).sum(axis=1) - mean)
    np.testing.assert_allclose(LCI().score(pool), expected)
    complete = labels[20:]
    distances = entropy_distance((presence > 0.5).astype(float), complete).mean(axis=1)
    np.testing.assert_allclose(CVIRS().score(pool), borda_margin(presence) * distances)
    assert np.isfinite(MMC().score(pool)).all()
    labels[:, 0] = np.nan  # no row is complete, nor is anything known of a label
    model.fit(X[:30], labels)
    for strategy in (MMC(), LCI(), CVIRS(), SeparationMargin()):
        assert np.isfinite(strategy.score(view(model, labels))).all()


@pytest.mark.parametrize("strategy", [MMC(), LCI(), SeparationMargin(), CVIRS()], ids=repr)
def test_learners_choose_rows_by_them(strategy):
    learner = ActiveLearner(RandomForestClassifier(7), strategy, random_state=0)
    chosen = learner.fit(X[:30], Y[:30]).query(X[30:], 5)
    scores = learner.score_pool(X[30:])
    assert scores[chosen].min() >= np.sort(scores)[-5]
    names = np.where(Y == 1, "with", "no")  # "no" is the first class
    named = ActiveLearner(RandomForestClassifier(7), strategy, random_state=0)
    named.fit(X[:30], names[:30])
    np.testing.assert_allclose(named.score_pool(X[30:]), scores)
