"""GALAXY: what it reads, and that it finds rare rows that uncertainty does not."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner, SimulatedLearner
from skactive.strategies import GALAXY, Margin
from skactive.strategies._galaxy import _class_margins
from skactive.testing import FakePool


def find_published_picks(proba, labeled_proba, y):
    """Find the middles of the shortest paths between labels that differ, as both codes rank rows.

    Rows are ranked per class by p_k - max_j p_j, and those that class k leads by 1e-8 p_k.
    """
    P = np.concatenate([proba, labeled_proba])
    labels = dict(zip(range(len(proba), len(P)), y, strict=True))
    shortest, middles = np.inf, set()
    for k in range(P.shape[1]):
        scores = [p[k] - p.max() + 1e-8 * p.max() for p in P]
        order = sorted(range(len(P)), key=scores.__getitem__)
        known = [rank for rank, row in enumerate(order) if row in labels]
        for start, stop in itertools.pairwise(known):
            if (labels[order[start]] == k) != (labels[order[stop]] == k) and stop - start > 1:
                if stop - start < shortest:
                    shortest, middles = stop - start, set()
                if stop - start == shortest:  # a path may be read from either end
                    middles |= {order[(start + stop) // 2], order[(start + stop + 1) // 2]}
    return middles


@pytest.mark.parametrize("n_classes", [2, 3, 4, 10])
@pytest.mark.parametrize("seed", range(10))
def test_rows_are_ranked_as_in_the_published_codes(n_classes, seed):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes) / 2, 300)
    pool = FakePool(proba=proba, n_labeled=12, query_seed=seed, seed=seed)
    expected = find_published_picks(proba, pool.labeled.proba, pool.labeled.y)
    assert GALAXY().select(pool, 1)[0] in expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_a_class_leads_come_last_in_order_of_their_probability(dtype):
    proba = np.array([[0.4, 0.35, 0.25], [0.5, 0.5, 0], [0.9, 0.05, 0.05], [0.3, 0.6, 0.1]], dtype)
    assert_array_equal(np.argsort(_class_margins(proba)[:, 0]), [3, 0, 1, 2])


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
