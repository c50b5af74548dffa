"""Probabilistic active learning against its definition: every further label written out."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.strategies import McPAL
from skactive.strategies._probabilistic import expected_gain
from skactive.testing import FakePool


def plain_gain(a, max_labels):
    """Enumerate all sequences of new labels, drawn one after the other from the counts so far."""
    gains = []
    for m in range(1, max_labels + 1):
        after = 0.0
        for labels in product(range(len(a)), repeat=m):
            counts, probability = a.copy(), 1.0
            for label in labels:
                probability *= counts[label] / counts.sum()
                counts[label] += 1
            after += probability * counts.max() / counts.sum()
        gains.append((after - a.max() / a.sum()) / m)
    return max(gains)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("max_labels", [1, 2, 3, 4])
def test_gains_are_the_expectation_over_all_labels(n_classes, max_labels):
    rng = np.random.default_rng(n_classes)
    counts = rng.gamma(0.5, 2, (20, n_classes)) + 1e-3
    expected = [plain_gain(a, max_labels) for a in counts]
    assert_allclose(expected_gain(counts, max_labels), expected, rtol=1e-9, atol=1e-15)


def test_a_gain_is_zero_where_no_label_can_change_the_class():
    counts = np.array([[9.0, 1.0], [5.0, 3.1], [5.0, 4.9]])
    gains = expected_gain(counts, 1)
    assert_array_equal(gains[:2], [0.0, 0.0])  # exactly
    assert gains[2] > 0
    assert expected_gain(counts, 2)[1] > 0  # two labels can
    assert_array_equal(expected_gain(np.ones((3, 1)), 2), np.zeros(3))


def test_of_equal_probabilities_fewer_labels_gain_more():
    gains = expected_gain(np.array([[1.0, 0.9], [10.0, 9.0], [100.0, 90.0]]), 2)
    assert gains[0] > gains[1] > gains[2] == 0


@pytest.mark.parametrize("posterior", ["model", "kernel"])
@pytest.mark.parametrize("density", [True, False])
@pytest.mark.parametrize("bandwidth", [None, 0.7])
def test_scores_are_their_definition(posterior, density, bandwidth):
    pool = FakePool(25, n_classes=4, n_labeled=9)
    Z, labeled, y = pool.embedding, pool.labeled.embedding, pool.labeled.y
    if (width := bandwidth) is None:
        mean_square = np.mean([((a - b) ** 2).sum() for a in Z for b in Z]) * 25 / 24
        width = np.sqrt(mean_square / np.log(24 / 2e-12))

    def kernel(rows):
        return np.exp(-((Z[:, None] - rows) ** 2).sum(axis=2) / (2 * width**2))

    counts = kernel(labeled).sum(axis=1)[:, None] * pool.proba
    if posterior == "kernel":
        counts = np.array([kernel(labeled)[:, y == c].sum(axis=1) for c in range(4)]).T
    expected = np.array([plain_gain(a + 1e-3, 2) for a in counts])
    expected *= kernel(Z).mean(axis=1) if density else 1.0
    strategy = McPAL(posterior=posterior, density=density, bandwidth=bandwidth)
    assert_allclose(strategy.score(pool), expected, rtol=1e-8)
    assert_array_equal(strategy.select(pool, 5), np.argsort(-expected)[:5])


def test_density_is_estimated_on_a_sample_of_a_large_pool():
    Z = np.random.default_rng(0).normal(size=(400, 2))
    whole = McPAL(max_reference=None).score(FakePool(embedding=Z))
    sampled = McPAL(max_reference=200).score(FakePool(embedding=Z))
    assert 0.8 < np.corrcoef(whole, sampled)[0, 1] < 1


def test_without_labels_the_densest_rows_come_first():
    Z = np.concatenate([np.zeros((6, 2)) + np.arange(6)[:, None] / 100, [[5.0, 5], [9, 9]]])
    learner = ActiveLearner(LogisticRegression(), McPAL(posterior="kernel"), random_state=0)
    assert set(learner.query(Z, 6)) == set(range(6))


@pytest.mark.parametrize("posterior", ["model", "kernel"])
def test_text_labels_and_sparse_rows(posterior):
    X, y = load_iris(return_X_y=True)
    names, X = np.array(["setosa", "versicolor", "virginica"])[y], np.where(X > 1, X, 0)
    picks = []
    for kind, labels in ((np.asarray, y), (np.asarray, names), (sparse.csr_array, names)):
        model = LogisticRegression(max_iter=2000, tol=1e-8)
        learner = ActiveLearner(model, McPAL(posterior=posterior), random_state=0)
        learner.fit(kind(X)[::10], labels[::10])
        picks.append(learner.query(kind(np.unique(X, axis=0)), 5))
    assert_array_equal(picks[1], picks[0])
    assert_array_equal(picks[2], picks[0])
