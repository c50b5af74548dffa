"""Scores of several labels per row, against plain loops over rows, labels and labeled rows."""

import math

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
from skactive.strategies import CVIRS, LCI, MMC, Product, SeparationMargin
from skactive.strategies._label_scores import (
    borda_margin,
    entropy_distance,
    hamming_risk,
    separation_margin,
)

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


# Scores of probabilities --------------------------------------------------------------------------


@pytest.mark.parametrize("n_present", [0, 2, 5, np.arange(12) % 4], ids=str)
def test_hamming_risk_is_the_number_of_labels_expected_to_be_wrong(n_present):
    counts = np.broadcast_to(n_present, 12)
    expected = []
    for row, count in zip(PRESENCE, counts, strict=True):
        predicted = sorted(range(5), key=lambda j: -row[j])[:count]
        expected.append(sum(1 - p if j in predicted else p for j, p in enumerate(row)))
    np.testing.assert_allclose(hamming_risk(PRESENCE, n_present), expected)


def test_hamming_risk_is_the_published_loss_reduction():
    f, predicted = 2 * PRESENCE - 1, np.where(PRESENCE > 0.5, 1, -1)
    reduction = ((1 - predicted * f) / 2).sum(axis=1)
    risk = hamming_risk(PRESENCE, (PRESENCE > 0.5).sum(axis=1))
    np.testing.assert_allclose(risk, reduction)


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0.9, 0.6, 0.3, 0.1], 0.3), ([0.4, 0.2], 0.6), ([0.9, 0.7], 0.7), ([0.5, 0.5], 0.5)],
)
def test_the_separation_margin_lies_between_the_least_sure_labels(row, expected):
    np.testing.assert_allclose(separation_margin(np.array([row])), [expected])


def test_borda_counts_the_rows_of_larger_margins():
    margins = np.abs(2 * PRESENCE - 1)
    expected = [
        np.mean([(margins[:, j] > margins[i, j]).sum() / 11 for j in range(5)]) for i in range(12)
    ]
    np.testing.assert_allclose(borda_margin(PRESENCE), expected)
    np.testing.assert_array_equal(borda_margin(PRESENCE[:1]), [1.0])
    # Presence and absence of a label are equally sure: ties share their points.
    np.testing.assert_allclose(borda_margin(np.array([[0.1], [0.9], [0.5]])), [0.25, 0.25, 1.0])


def entropy_of(counts):
    return -sum(c / sum(counts) * math.log(c / sum(counts)) for c in counts if c)


def test_entropy_distances_are_those_of_contingency_tables():
    first, second = RNG.randint(2, size=(9, 5)), RNG.randint(2, size=(7, 5))
    second[0], second[1], first[0] = 1 - first[1], first[2], 0
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table = [sum((x, y) == pair for x, y in zip(a, b, strict=True)) for pair in PAIRS]
            joint = entropy_of(table)
            parts = entropy_of([sum(a), 5 - sum(a)]) + entropy_of([sum(b), 5 - sum(b)])
            expected = 0.0 if joint == 0 else (2 * joint - parts) / joint
            if all(a != b):
                expected = 1.0
            got = entropy_distance(first.astype(float), second.astype(float))[i, j]
            assert got == pytest.approx(expected, abs=1e-12)


PAIRS = [(1, 1), (1, 0), (0, 1), (0, 0)]


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
    np.testing.assert_allclose(scores, 1 / separation_margin(presence))


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
