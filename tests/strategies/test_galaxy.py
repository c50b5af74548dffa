"""GALAXY: what it reads, and that it finds rare rows that uncertainty does not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner, SimulatedLearner
from skactive.strategies import GALAXY, Margin
from skactive.strategies._galaxy import _class_margins
from skactive.testing import FakePool


def test_a_class_leads_by_its_distance_to_the_best_other():
    proba = np.random.default_rng(0).dirichlet([1, 1, 1, 1], 20)
    expected = [[row[k] - np.delete(row, k).max() for k in range(4)] for row in proba]
    assert_allclose(_class_margins(proba), expected)
    assert_allclose(_class_margins(np.array([[0.5, 0.5]])), [[0.0, 0.0]])


def test_without_two_classes_it_chooses_by_margin():
    pool = FakePool(n_labeled=0)
    assert_array_equal(GALAXY().select(pool, 5), Margin().select(FakePool(n_labeled=0), 5))


def test_it_reads_labels_by_their_class():
    """Names of classes, of which one was not seen yet."""
    X = np.linspace(0, 1, 40)[:, None]
    y = np.where(X[:, 0] > 0.8, "rare", "common")

    learner = ActiveLearner(
        LogisticRegression(), GALAXY(), classes=["absent", "common", "rare"], random_state=0
    ).fit(X[[0, 39]], y[[0, 39]])
    assert learner.query(X[1:39], 1)[0] in (18, 19)  # half-way


@pytest.mark.parametrize("seed", range(3))
def test_it_asks_about_a_rare_class_far_more_often_than_chance(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3000, 2))
    y = (X[:, 0] + 0.1 * rng.normal(size=3000) > 2.3).astype(int)
    start = np.r_[np.flatnonzero(y == 1)[:1], np.flatnonzero(y == 0)[:9]]
    simulation = SimulatedLearner(
        ActiveLearner(LogisticRegression(), GALAXY()), budget=60, batch_size=1, random_state=0
    ).fit(X, y, initial=start)
    assert y.mean() < 0.02
    assert 0.25 < y[simulation.queried_[10:]].mean() < 0.75
