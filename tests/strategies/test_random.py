"""Random choice is uniform, over rows and over their order; a coreset has its own law."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.strategies import LightweightCoreset, Random
from skactive.testing import FakePool


def test_every_ordered_pair_is_equally_likely():
    pool, n_rows, n_seeds = FakePool(5), 5, 4000
    counts = np.zeros((n_rows, n_rows))
    for seed in range(n_seeds):
        first, second = Random().select(pool.reordered(np.arange(5), query_seed=seed), 2)
        counts[first, second] += 1
    assert_array_equal(np.diag(counts), 0)
    assert chisquare(counts[~np.eye(n_rows, dtype=bool)]).pvalue > 1e-3


def test_it_reads_nothing_at_all():
    pool = FakePool(8, n_labeled=0, allowed=set())
    assert sorted(Random().select(pool, 8)) == list(range(8))


def test_a_coreset_has_the_published_probabilities():
    Z = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [6.0, 8.0]])
    squared = ((Z - [2.0, 3.0]) ** 2).sum(axis=1)
    expected = 1 / 8 + squared / squared.sum() / 2
    for rows in (Z, sparse.csr_array(Z)):
        learner = ActiveLearner(LogisticRegression(), LightweightCoreset(), random_state=0)
        assert_allclose(learner.score_pool(rows), expected)
    assert_allclose(LightweightCoreset().score(FakePool(embedding=np.ones((5, 2)))), [0.2] * 5)


def test_a_coreset_draws_in_proportion_and_never_a_row_twice(vary_seed):
    Z = np.array([[0.0], [1.0], [2.0], [30.0]])
    pool = FakePool(embedding=Z)
    q = LightweightCoreset().score(pool)
    firsts, pairs = np.zeros(4), np.zeros((4, 4))
    for draw in vary_seed(pool, 4000):
        first, second = LightweightCoreset().select(draw, 2)
        firsts[first] += 1
        pairs[first, second] += 1
    assert chisquare(firsts, 4000 * q).pvalue > 1e-3
    expected = q[:, None] * q / (1 - q[:, None])
    off_diagonal = ~np.eye(4, dtype=bool)
    assert chisquare(pairs[off_diagonal], 4000 * expected[off_diagonal]).pvalue > 1e-3
