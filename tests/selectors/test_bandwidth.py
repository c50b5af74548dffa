"""The effective bandwidth against its definition, by all pairs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.spatial.distance import pdist

from skactive.selectors import effective_bandwidth

X = np.random.RandomState(0).normal(size=(120, 3))


@pytest.mark.parametrize("n_chosen", [2, 5.5, 40, 1000])
def test_rows_that_do_not_overlap_would_just_share_the_pool(n_chosen):
    length = effective_bandwidth(X, n_chosen)
    assert_allclose(np.exp(-(pdist(X) ** 2) / length**2).mean(), 1 / n_chosen, rtol=1e-5)


def test_it_falls_as_labels_grow():
    lengths = [effective_bandwidth(X, n) for n in (2, 3, 10, 100, 10_000)]
    assert (np.diff(lengths) < 0).all()


def test_one_row_counts_as_two():
    assert effective_bandwidth(X, 0) == effective_bandwidth(X, 1) == effective_bandwidth(X, 2)


def test_it_scales_with_the_rows_and_not_with_where_they_lie():
    length = effective_bandwidth(X, 10)
    assert_allclose(effective_bandwidth(1e6 * X, 10), 1e6 * length, rtol=1e-6)
    assert_allclose(effective_bandwidth(X + 1e5, 10), length, rtol=1e-6)


def test_the_order_of_the_rows_does_not_matter():
    order = np.random.RandomState(1).permutation(len(X))
    assert effective_bandwidth(X[order], 10) == effective_bandwidth(X, 10)


def test_duplicates_do_not_count():
    """Else no length at all would bring the mean down to where it should be."""
    copies = np.repeat(X[:4], 30, axis=0)
    assert_allclose(effective_bandwidth(copies, 10), effective_bandwidth(X[:4], 10), rtol=1e-6)


@pytest.mark.parametrize("rows", [np.ones((5, 2)), np.ones((1, 2)), sparse.csr_array((4, 3))])
def test_rows_that_coincide_have_a_length_too(rows):
    assert effective_bandwidth(rows, 3) == 1.0


def test_two_points_are_one_pair():
    # exp(-4 / s^2) = 1 / 5
    assert_allclose(effective_bandwidth(np.array([[0.0], [2.0]]), 5), 2 / np.sqrt(np.log(5)))


def test_sparse_rows_and_single_precision():
    rows = np.where(X > 0.3, X, 0.0)
    length = effective_bandwidth(rows, 10)
    assert_allclose(effective_bandwidth(sparse.csr_matrix(rows), 10), length, rtol=1e-6)
    assert_allclose(effective_bandwidth(rows.astype(np.float32), 10), length, rtol=1e-5)


def test_of_many_rows_a_sample_will_do():
    many = np.random.RandomState(2).normal(size=(20_000, 5))
    exact = effective_bandwidth(many[:3000], 50, max_sample=3000)
    for seed in range(3):
        drawn = effective_bandwidth(many, 50, random_state=seed)
        assert drawn == effective_bandwidth(many, 50, random_state=seed)
        assert_allclose(drawn, exact, rtol=0.05)
