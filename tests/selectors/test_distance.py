"""Distances and the selectors based on them, against explicit all-pairs definitions."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from pairwise import parametrize_pairs
from runs import parametrize_runs
from scipy import sparse
from scipy.stats import chisquare

from skactive.selectors import k_center_greedy, kmeans_plusplus, ranked_batch
from skactive.selectors._engine import points as point_engine
from skactive.selectors._engine.nearest_centers import AllDistances, NearestCenters, draw_weighted

KINDS = [np.asarray, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)

FARTHEST = np.array(
    [[0, 0], [0.1, 0.1], [0.2, 0], [0, 0.2], [1, 0], [0.5, 0.5], [3, 3], [2, 0], [0.3, 0.1], [5, 5]]
)


def all_pairs(A, B):
    A, B = np.asarray(A, dtype=float), np.asarray(B, dtype=float)
    return np.square(A[:, None] - B[None]).sum(axis=2)


def outer(a, h):
    return np.einsum("ic,id->icd", a, h).reshape(len(a), -1)


def gradient_factors(n_rows=40, seed=0, dtype=float):
    """Factors whose outer products hold two duplicates and two zeros."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n_rows, 3)).astype(dtype)
    h = rng.normal(size=(n_rows, 4)).astype(dtype)
    a[5], h[5] = 2 * a[6], h[6] / 2
    a[7], h[8] = 0, 0
    return a, h


def assert_as_likely(counts, expected):
    """Fail where counts this far from their expectation come up once in a thousand."""
    assert chisquare(counts, expected).pvalue > 1e-3


# -- the distance state ------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("n_dims", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_distances_are_those_of_all_pairs(as_rows, n_dims, dtype, monkeypatch):
    monkeypatch.setattr(point_engine, "_PRODUCT_BYTES", 200)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    X, labeled = rng.normal(size=(31, n_dims)).astype(dtype), rng.normal(size=(4, n_dims))
    X[3] = X[4]
    X[5] = 0
    labeled = labeled.astype(dtype)
    state = AllDistances(as_rows(X), labeled=as_rows(labeled))
    assert_allclose(state.bound, all_pairs(X, labeled).min(axis=1), rtol=1e-9, atol=1e-12)
    centers = []
    for position in (3, 0, 5):
        assert state.add_and_update(position) == position
        centers.append(X[position])
        expected = all_pairs(X, [*labeled, *centers]).min(axis=1)
        assert_allclose(state.bound, expected, rtol=1e-9, atol=1e-12)
    assert_array_equal(state.bound[[0, 3, 4, 5]], 0.0)
    assert state.bound.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_distances_of_factors_are_those_of_their_outer_products(as_rows, dtype, monkeypatch):
    monkeypatch.setattr(point_engine, "_PRODUCT_BYTES", 200)
    a, h = gradient_factors(dtype=dtype)
    gradients = outer(a.astype(float), h.astype(float))
    state = AllDistances((a, as_rows(h)))
    for n_centers, position in enumerate((5, 7, 20), start=1):
        state.add_and_update(position)
        expected = all_pairs(gradients, gradients[[5, 7, 20][:n_centers]]).min(axis=1)
        assert_allclose(state.bound, expected, rtol=1e-9, atol=1e-12)
    assert_array_equal(state.bound[[5, 6, 7, 8, 20]], 0.0)


def test_published_norm_of_a_gradient():
    a = np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 0.0]]) - [[0, 1, 0], [0, 0, 0]]
    state = AllDistances((a, np.array([[1.0, 2.0], [1.0, 1.0]])))
    state.add_and_update(1)
    assert_allclose(state.bound, [1.9, 0.0])


def test_distances_far_from_the_origin_keep_their_digits():
    X = np.array([[0.0], [1.0], [3.0]]) + 1e8
    state = AllDistances(X)
    state.add_and_update(0)
    assert_array_equal(state.bound, [0, 1, 9])


def test_sparse_rows_with_repeated_and_unsorted_entries_are_read_but_not_rewritten():
    data, indices = np.array([1.0, 2.0, 4.0, 3.0]), np.array([1, 1, 2, 0])
    X = sparse.csr_array((data, indices, np.array([0, 2, 4])), shape=(2, 3))
    state = AllDistances(X)
    state.add_and_update(1)
    assert_allclose(state.bound, [9 + 9 + 16, 0])
    assert_array_equal(X.data, [1, 2, 4, 3])
    assert_array_equal(X.indices, [1, 1, 2, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_is_a_few_numbers_a_row(dtype):
    X = np.ones((60_000, 100), dtype=dtype)
    a = np.ones((60_000, 10), dtype=dtype)
    for points in (X, (a, X)):
        tracemalloc.start()
        k_center_greedy(points, 3)
        kmeans_plusplus(points, 3)
        if points is X:
            k_center_greedy(X, 3, labeled=X[:500])
            ranked_batch(X, X[:, 0], 3)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12e6  # n x d in float64 is 48 MB, n x 500 is 240 MB


# -- k-center ----------------------------------------------------------------------------------


@kinds
def test_published_farthest_first_order(as_rows):
    pool, labeled = FARTHEST[4:], FARTHEST[:4]
    picks = k_center_greedy(as_rows(pool), 6, labeled=as_rows(labeled)) + 4
    assert_array_equal(picks, [9, 6, 7, 4, 5, 8])
    radii = [
        np.sqrt(all_pairs(pool, FARTHEST[[0, 1, 2, 3, *picks[:i]]]).min(axis=1).max())
        for i in range(6)
    ]
    expected = [6.929646456, 2.828427125, 1.8, 0.8, 0.565685425, 0.141421356]
    assert_allclose(radii, expected, rtol=1e-8)


def brute_k_center(X, batch_size, labeled):
    centers, picks = list(labeled), []
    while len(picks) < batch_size:
        if centers:
            merit = all_pairs(X, centers).min(axis=1)
        else:
            merit = -all_pairs(X, X.mean(axis=0)[None])[:, 0]
        picks.append(int(np.argmax(merit)))
        centers.append(X[picks[-1]])
    return picks


@pytest.mark.parametrize("n_labeled", [None, 0, 1, 5])
@kinds
def test_k_center_is_farthest_first(as_rows, n_labeled):
    rng = np.random.default_rng(0)
    X, labeled = rng.normal(size=(50, 3)), rng.normal(size=(n_labeled or 0, 3))
    expected = brute_k_center(X, 20, labeled)
    given_rows = None if n_labeled is None else as_rows(labeled)
    assert_array_equal(k_center_greedy(as_rows(X), 20, labeled=given_rows), expected)


def test_k_center_on_factors_is_k_center_on_gradients():
    a, h = gradient_factors()
    for seed in range(5):
        expected = k_center_greedy(outer(a, h), 30, random_state=seed)
        for points in ((a, h), (a, sparse.csr_array(h))):
            assert_array_equal(k_center_greedy(points, 30, random_state=seed), expected)


@pytest.mark.no_cover
def test_k_center_breaks_ties_at_random():
    X, rng = np.array([[0.0], [1.0], [-1.0], [1.0], [0.0]]), np.random.RandomState(0)
    picks = np.array([k_center_greedy(X, 5, random_state=rng) for _ in range(3000)])
    assert_as_likely(np.bincount(picks[:, 0], minlength=5)[[0, 4]], [1500] * 2)
    assert_as_likely(np.bincount(picks[:, 1], minlength=5)[[1, 2, 3]], [1000] * 3)
    # What is left after the three distinct points are two duplicates, in either order.
    assert (np.sort(picks, axis=1) == np.arange(5)).all()
    assert set(X[picks[:, 2], 0]) == {-1.0, 1.0}


@given(
    X=arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-2, 2)),
    n_labeled=st.integers(0, 3),
    batch_size=st.integers(0, 13),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_farthest_first_on_grids_full_of_ties(X, n_labeled, batch_size, seed):
    labeled = X[:n_labeled]
    picks = k_center_greedy(X, batch_size, labeled=labeled, random_state=seed)
    assert len(set(picks.tolist())) == min(batch_size, len(X))
    for i, pick in enumerate(picks):
        centers = np.concatenate([labeled, X[picks[:i]]])
        if len(centers):
            distances = all_pairs(X, centers).min(axis=1)
            assert distances[pick] == distances.max()


# -- k-means++ ---------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "as_points",
    [np.asarray, lambda X: (X, np.ones((len(X), 1))), sparse.csr_array],
    ids=["dense", "factors", "sparse"],
)
@parametrize_runs("n_draws", 2_000, 20_000)
def test_draws_follow_squared_distances(as_points, n_draws):
    X, rng = np.array([[0.0], [0.0], [1.0], [3.0], [3.0]]), np.random.RandomState(0)
    distances, expected = all_pairs(X, X), np.zeros((5, 5))
    for i in range(5):
        expected[i] = distances[i] / distances[i].sum() / 5
    points, counts = as_points(X), np.zeros((5, 5))
    for _ in range(n_draws):
        counts[tuple(kmeans_plusplus(points, 2, random_state=rng))] += 1
    possible = expected > 0
    assert_array_equal(counts[~possible], 0)
    assert_as_likely(counts[possible], n_draws * expected[possible])


@pytest.mark.no_cover
def test_third_draw_follows_the_distance_to_the_nearest_of_two():
    X, rng = np.array([[0.0], [10.0], [1.0], [7.0], [12.0]]), np.random.RandomState(0)
    counts = np.zeros(5)
    for _ in range(2000):
        state = NearestCenters(X)
        state.add_all([0, 1])
        counts[state.draw(1, rng)] += 1
    assert_array_equal(counts[:2], 0)
    assert_as_likely(counts[2:], 2000 * np.array([1, 9, 4]) / 14)


def test_the_same_seed_draws_alike_from_factors_and_from_gradients():
    a, h = gradient_factors()
    for seed in range(20):
        expected = kmeans_plusplus(outer(a, h), 15, random_state=seed)
        assert_array_equal(kmeans_plusplus((a, h), 15, random_state=seed), expected)
        picks = kmeans_plusplus((a, sparse.csr_array(h)), 15, first=3, random_state=seed)
        expected = kmeans_plusplus(outer(a, h), 15, first=3, random_state=seed)
        assert_array_equal(picks, expected)
        assert picks[0] == 3


@pytest.mark.no_cover
def test_duplicates_come_last_and_uniformly():
    X, rng = np.array([[1.0], [1.0], [1.0], [1.0], [5.0]]), np.random.RandomState(0)
    picks = np.array([kmeans_plusplus(X, 3, first=0, random_state=rng) for _ in range(3000)])
    assert (picks[:, :2] == [0, 4]).all()
    assert_as_likely(np.bincount(picks[:, 2])[1:], [1000] * 3)


def test_draws_at_the_edges_fall_on_positive_weights():
    class Edge(np.random.RandomState):
        edge = 0.0

        def random_sample(self, size):
            return np.full(size, self.edge)

    cumulated, rng = np.cumsum([0.0, 0.1, 0.2, 0.0, 0.0]), Edge(0)
    assert_array_equal(draw_weighted(cumulated, 2, rng), 1)
    rng.edge = 1.0
    assert_array_equal(draw_weighted(cumulated, 2, rng), 2)


# -- ranked batch ------------------------------------------------------------------------------


def brute_ranked_batch(X, uncertainty, batch_size, labeled):
    known, picks = list(labeled), []
    while len(picks) < batch_size:
        n_left = len(X) - len(picks)
        alpha = n_left / (n_left + len(known))
        merits = []
        for i, (x, u) in enumerate(zip(X, uncertainty, strict=True)):
            nearest = max((1 / (1 + np.linalg.norm(x - y)) for y in known), default=0.0)
            merits.append(-1.0 if i in picks else alpha * (1 - nearest) + (1 - alpha) * u)
        picks.append(int(np.argmax(merits)))
        known.append(X[picks[-1]])
    return picks


@pytest.mark.no_cover
@parametrize_pairs(as_rows=KINDS, n_labeled=[1, 5, 80])
def test_ranked_batch_is_its_definition(as_rows, n_labeled):
    rng = np.random.default_rng(0)
    X, labeled, uncertainty = (
        rng.normal(size=(40, 3)),
        rng.normal(size=(n_labeled, 3)),
        rng.random(40),
    )
    picks = ranked_batch(as_rows(X), uncertainty, 40, labeled=as_rows(labeled))
    assert_array_equal(picks, brute_ranked_batch(X, uncertainty, 40, labeled))


def test_ranked_batch_starts_cold_with_distinct_rows():
    rng = np.random.default_rng(1)
    X, uncertainty = rng.normal(size=(15, 2)), rng.random(15)
    picks = ranked_batch(X, uncertainty, 15, random_state=0)
    assert picks[0] == uncertainty.argmax()  # with nothing known there is no distance to speak of
    assert_array_equal(np.sort(picks), np.arange(15))
    start = X[picks[:1]]
    rest = np.delete(np.arange(15), picks[0])
    expected = [1 - 1 / (1 + np.linalg.norm(X[i] - start[0])) for i in rest]
    merit = 14 / 15 * np.array(expected) + 1 / 15 * uncertainty[rest]
    assert picks[1] == rest[np.argmax(merit)]


@pytest.mark.no_cover
def test_ranked_batch_breaks_ties_at_random():
    X, rng = np.zeros((4, 2)), np.random.RandomState(0)
    picks = [ranked_batch(X, np.ones(4), 2, labeled=X[:1], random_state=rng) for _ in range(3000)]
    assert_as_likely(np.bincount(np.array(picks)[:, 0]), [750] * 4)
    assert (np.diff(picks, axis=1) != 0).all()
