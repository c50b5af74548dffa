"""Random choice is uniform, over rows and over their order."""

import numpy as np
from numpy.testing import assert_array_equal
from scipy.stats import chisquare

from skactive.strategies import Random
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
