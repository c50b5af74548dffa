"""Effective bandwidths against their definition, by all pairs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist

from skactive.selectors import effective_bandwidth
from skactive.selectors._bandwidth import LazyBandwidths, SharedBandwidths

X = np.random.RandomState(0).normal(size=(120, 3)) ** 3  # dense in the middle, with outliers


def shares(lengths, X, at):
    """Return the share of the other rows that each row at `at` covers."""
    squared = cdist(at, X, "sqeuclidean")
    merits = np.where(squared > 0, np.exp(-squared / lengths[:, np.newaxis] ** 2), 0.0)
    return merits.sum(axis=1) / (squared > 0).sum(axis=1)


@pytest.mark.parametrize("n_chosen", [2, 5.5, 40, 1000])
def test_every_row_covers_the_same_share_of_the_pool(n_chosen):
    assert_allclose(shares(effective_bandwidth(X, n_chosen), X, X), 1 / n_chosen, rtol=1e-5)


def test_rows_of_another_kind_cover_as_much():
    others = np.random.RandomState(1).normal(size=(700, 3)) * 10  # more than one block of them
    lengths = effective_bandwidth(X, 10, at=others)
    assert_allclose(shares(lengths, X, others), 0.1, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 100.0])
def test_two_scales_in_one_pool(scale):
    """Far from its start, the search must not leave the bracket or stop."""
    rows = np.r_[X * 1e-2, X * scale + 50]
    for n_chosen in (2, 3, 100, 10_000):
        lengths = effective_bandwidth(rows, n_chosen)
        assert_allclose(shares(lengths, rows, rows), 1 / n_chosen, rtol=1e-4)


def test_rows_by_themselves_reach_farther():
    lengths = effective_bandwidth(X, 20)
    order = np.argsort(np.linalg.norm(X, axis=1))
    assert lengths[order[-10:]].min() > 2 * lengths[order[:10]].max()


def test_they_fall_as_labels_grow():
    lengths = [effective_bandwidth(X, n) for n in (2, 3, 10, 100, 10_000)]
    assert (np.diff(lengths, axis=0) < 0).all()


def test_one_row_counts_as_two():
    assert_array_equal(effective_bandwidth(X, 0), effective_bandwidth(X, 2))
    assert_array_equal(effective_bandwidth(X, 1), effective_bandwidth(X, 2))


def test_they_scale_with_the_rows_and_not_with_where_these_lie():
    lengths = effective_bandwidth(X, 10)
    assert_allclose(effective_bandwidth(1e6 * X, 10), 1e6 * lengths, rtol=1e-6)
    assert_allclose(effective_bandwidth(X + 1e5, 10), lengths, rtol=1e-6)


def test_the_order_of_the_rows_does_not_matter():
    order = np.random.RandomState(1).permutation(len(X))
    assert_array_equal(effective_bandwidth(X[order], 10), effective_bandwidth(X, 10)[order])


def test_duplicates_do_not_count():
    """Else no length at all would bring the mean down to where it should be."""
    copies = np.repeat(X[:4], 30, axis=0)
    assert_allclose(
        effective_bandwidth(copies, 10), np.repeat(effective_bandwidth(X[:4], 10), 30), rtol=1e-6
    )


@pytest.mark.parametrize("rows", [np.ones((5, 2)), np.ones((1, 2)), sparse.csr_array((4, 3))])
def test_rows_that_coincide_have_a_length_too(rows):
    assert_array_equal(effective_bandwidth(rows, 3), np.ones(rows.shape[0]))


def test_rows_that_coincide_with_all_there_is_are_as_others():
    pool, at = np.zeros((3, 1)), np.array([[0.0], [2.0], [4.0], [9.0]])
    lengths = effective_bandwidth(pool, 5, at=at)
    assert lengths[0] == np.median(lengths[1:])


def test_two_points_are_one_pair():
    # exp(-4 / s^2) = 1 / 5
    assert_allclose(
        effective_bandwidth(np.array([[0.0], [2.0]]), 5), 2 / np.sqrt(np.log(5)), rtol=1e-6
    )


def test_sparse_rows_and_single_precision():
    rows = np.where(X > 0.3, X, 0.0)
    lengths = effective_bandwidth(rows, 10)
    assert_allclose(effective_bandwidth(sparse.csr_matrix(rows), 10), lengths, rtol=1e-6)
    assert_allclose(effective_bandwidth(rows.astype(np.float32), 10), lengths, rtol=1e-4)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4, 1e-5, 2e-6])
@pytest.mark.parametrize("n_chosen", [2, 30, 400])
def test_they_are_as_precise_as_is_asked_for(tolerance, n_chosen):
    rows = np.random.RandomState(2).normal(size=(700, 4)) ** 3  # begun with a part of the pool
    lengths = effective_bandwidth(rows, n_chosen, tolerance=tolerance)
    assert_allclose(lengths, effective_bandwidth(rows, n_chosen), rtol=tolerance)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-9])
def test_one_row_at_a_time_or_all_at_once(tolerance):
    rows = np.random.RandomState(3).normal(size=(400, 3))
    lengths = effective_bandwidth(rows, 20, tolerance=tolerance)
    alone = [effective_bandwidth(rows, 20, at=rows[[i]], tolerance=tolerance)[0] for i in (0, 399)]
    assert_allclose(alone, lengths[[0, 399]], rtol=max(2 * tolerance, 1e-7))


def test_most_rows_of_the_pool_coincide():
    rows = np.r_[np.zeros((990, 2)), np.random.RandomState(4).normal(size=(10, 2))]
    lengths = effective_bandwidth(rows, 5, tolerance=1e-4)
    assert_allclose(shares(lengths, rows, rows), 0.2, rtol=1e-3)


HARD = {
    "even": np.random.RandomState(5).uniform(size=(500, 2)),
    "heavy tails": np.random.RandomState(6).standard_t(1.2, size=(500, 5)),
    "two scales": np.r_[X * 1e-3, X + 50],
    "many columns": np.random.RandomState(7).normal(size=(300, 200)),
    "copies": np.repeat(X[:20], 15, axis=0),
    "sparse": sparse.csr_array(np.where(X > 0.3, X, 0.0)),
}


@pytest.mark.parametrize("n_chosen", [2, 30, 400])
@pytest.mark.parametrize("name", HARD)
def test_upper_bounds_are_above_the_bandwidths_and_close(name, n_chosen):
    rows = HARD[name]
    shared = SharedBandwidths(rows, n_chosen, tolerance=2e-6)
    lengths, bounds = effective_bandwidth(rows, n_chosen), shared.bound(rows)
    assert (bounds >= lengths).all()
    assert (bounds >= shared.solve(rows)).all()
    assert np.median(bounds / lengths) < 1.05
    assert_allclose(shared.solve(rows, start=bounds), shared.solve(rows), rtol=2e-6)


def test_candidates_are_solved_where_that_is_asked_for():
    lazy = LazyBandwidths(SharedBandwidths(X, 10), X[:40])
    assert_allclose(lazy.solve(np.array([7, 3])), effective_bandwidth(X, 10)[[7, 3]], rtol=1e-6)


def test_candidates_on_the_only_point_of_the_pool_have_the_bandwidth_of_others():
    pool, at = np.zeros((3, 1)), np.array([[0.0], [2.0], [4.0], [9.0]])
    lazy = LazyBandwidths(SharedBandwidths(pool, 5), at)
    assert_array_equal(lazy.solve(np.array([0])), effective_bandwidth(pool, 5, at=at)[:1])
    assert_array_equal(lazy.bound(np.arange(4)), effective_bandwidth(pool, 5, at=at))
