"""Lazy distances give the answers of the plain algorithms, whatever is refreshed and when."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from runs import parametrize_runs
from scipy import sparse
from scipy.stats import chisquare

from skactive.selectors import k_center_greedy, kmeans_plusplus
from skactive.selectors._engine import nearest_centers as engine
from skactive.selectors._engine import points as point_engine
from skactive.selectors._engine.nearest_centers import NearestCenters


def blobs(n_rows, n_dims, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    centers = 2 * rng.normal(size=(8, n_dims))
    return (centers[rng.integers(0, 8, n_rows)] + rng.normal(size=(n_rows, n_dims))).astype(dtype)


def factors(n_rows, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.dirichlet(np.ones(4), n_rows)
    a[np.arange(n_rows), a.argmax(axis=1)] -= 1
    return a.astype(dtype), blobs(n_rows, 5, dtype, seed)


def explicit(points):
    """Return the rows as a dense float64 array."""
    if isinstance(points, tuple):
        a, h = (np.asarray(p.toarray() if sparse.issparse(p) else p, float) for p in points)
        return np.einsum("ic,id->icd", a, h).reshape(len(a), -1)
    return np.asarray(points.toarray() if sparse.issparse(points) else points, dtype=float)


def all_pairs(A, B):
    return np.square(A[:, None] - B[None]).sum(axis=2)


def farthest_first(X, labeled, n_picks):
    nearest, picks = all_pairs(X, labeled).min(axis=1), []
    for _ in range(n_picks):
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.square(X - X[picks[-1]]).sum(axis=1))
    return picks


KINDS = {
    "float64": lambda: blobs(600, 6),
    "float32": lambda: blobs(600, 6, np.float32),
    "one dimension": lambda: blobs(600, 1),
    "far from the origin": lambda: blobs(600, 6) + 1e6,
    "sparse": lambda: sparse.csr_array(np.maximum(blobs(600, 6) - 1, 0)),
    "factors": lambda: factors(600),
    "factors float32": lambda: factors(600, np.float32),
    "sparse factors": lambda: (factors(600)[0], sparse.csr_array(np.maximum(factors(600)[1], 0))),
}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(params=[1, 16], ids=["wide", "narrow"])
def lazy(request, monkeypatch):
    """Use blocks of many or of few rows and centers."""
    monkeypatch.setattr(engine, "_CENTER_BLOCK", 128 // request.param)
    monkeypatch.setattr(point_engine, "_PRODUCT_BYTES", 2**21 // request.param**2)
    return request.param


@kinds
def test_bounds_are_never_below_the_distances_and_refreshed_ones_are_equal(kind, lazy):
    points = KINDS[kind]()
    X, state, rng = explicit(points), NearestCenters(points), np.random.default_rng(0)
    centers = rng.permutation(600)[:40]
    scale = np.square(X - X.mean(axis=0)).sum(axis=1).max()
    for n, center in enumerate(centers, start=1):
        state.add(int(center))
        if n % 9 == 4:
            state.lower_all()
        true = all_pairs(X, X[centers[:n]]).min(axis=1)
        some = rng.integers(0, 600, 20)
        assert_allclose(state.refresh(some), true[some], rtol=1e-7, atol=1e-9 * scale)
        assert (state.bound >= true - 1e-9 * scale).all()
    assert_array_equal(state.bound[centers], 0.0)
    state.lower_all()
    assert (state.bound <= true * (1 + 1e-3) + 1e-3 * scale).all()  # and they are not far above


@kinds
def test_rows_within_a_radius_are_those_of_the_distances(kind, lazy):
    points = KINDS[kind]()
    X, state, centers = explicit(points), NearestCenters(points), [3, 100, 200, 404]
    assert not len(state.find_within(1.0))  # without a center
    for n in (1, 4):
        state.add_all(centers[:n])
        distances = np.sqrt(all_pairs(X, X[centers[:n]]).min(axis=1))
        ranked = np.sort(distances)
        for rank in (n, 60, 400):
            radius = ranked[rank : rank + 2].mean()  # between two distances
            assert_array_equal(state.find_within(radius), np.flatnonzero(distances <= radius))


@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 0), (np.float64, 1e5), (np.float32, 0)])
def test_rows_at_exactly_the_radius_are_within_it(dtype, offset):
    grid = np.indices((9, 9, 9)).reshape(3, -1).T[:-5]  # whose mean is no round number
    X = (grid + offset).astype(dtype)
    state = NearestCenters(X)
    state.add_all([0, 700])
    squared = all_pairs(X.astype(float), X[[0, 700]].astype(float)).min(axis=1)
    for radius in (0, 1, 3, 5):
        assert_array_equal(state.find_within(radius), np.flatnonzero(squared <= radius**2))


@pytest.mark.no_cover
@kinds
@pytest.mark.parametrize("n_picks", [1, 30, 599])
def test_farthest_first_pick_by_pick(kind, n_picks, lazy):
    points = KINDS[kind]()
    X = explicit(points)
    if isinstance(points, tuple):
        start, options = [7], {}
        state = NearestCenters(points)
        state.add(7)
        picks = state.farthest_first(n_picks, np.random.RandomState(0))
    else:
        start, options = [7, 8, 9], {"labeled": points[[7, 8, 9]]}
        picks = k_center_greedy(points, n_picks, random_state=0, **options)
    nearest = all_pairs(X, X[start]).min(axis=1)
    scale = np.square(X - X.mean(axis=0)).sum(axis=1).max()
    assert len(set(picks)) == n_picks or n_picks == 599
    for pick in picks:
        assert nearest[pick] >= nearest.max() - 1e-11 * scale
        nearest = np.minimum(nearest, np.square(X - X[pick]).sum(axis=1))


@pytest.mark.parametrize("width", [4, 64, 10_000])
def test_the_answer_does_not_depend_on_how_many_rows_contend(width, monkeypatch):
    X, labeled = blobs(3000, 3), blobs(50, 3, seed=1)
    state = NearestCenters(X, labeled=labeled)
    traverse, widths = state._find_contenders, []

    def contenders():
        if not widths:
            state._width = width
        widths.append(state._width)
        return traverse()

    monkeypatch.setattr(state, "_find_contenders", contenders)
    picks = state.farthest_first(200, np.random.RandomState(0))
    assert picks == farthest_first(X, labeled, 200)


@pytest.mark.no_cover
def test_single_precision_picks_are_those_of_double_precision():
    X = blobs(20_000, 32, np.float32)
    picks = k_center_greedy(X, 100, labeled=X[:50], random_state=0)
    assert picks.tolist() == farthest_first(X.astype(float), X[:50].astype(float), 100)


def test_few_rows_are_refreshed():
    X = blobs(50_000, 32, np.float32)
    state = NearestCenters(X, labeled=X[:50])
    state.farthest_first(200, np.random.RandomState(0))
    assert 0 < (state.seen > 0).mean() < 0.1
    state = NearestCenters(X)
    state.add(0)
    state.draw(200, np.random.RandomState(0))
    assert 0 < (state.seen > 0).mean() < 0.1


def test_more_labeled_rows_than_the_pool_and_a_batch_of_all(lazy):
    X, labeled = blobs(40, 3), blobs(500, 3, seed=2)
    picks = k_center_greedy(X, 40, labeled=labeled, random_state=0)
    assert picks.tolist() == farthest_first(X, labeled, 40)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8])
@pytest.mark.parametrize("as_points", [np.asarray, sparse.csr_array, lambda X: (X, X)])
def test_rows_that_are_all_alike_are_filled_up_at_random(as_points, value, lazy):
    points = as_points(np.full((200, 3), value))
    for select in (k_center_greedy, kmeans_plusplus):
        batches = [select(points, 20, random_state=seed) for seed in range(4)]
        assert all(len(set(batch.tolist())) == 20 for batch in batches)
        assert len({tuple(batch) for batch in batches}) == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_duplicates_come_last(dtype, lazy):
    X = np.repeat(blobs(10, 4, dtype), 30, axis=0)
    for select in (k_center_greedy, kmeans_plusplus):
        for points in (X, sparse.csr_array(X), (X[:, :2].copy(), X)):
            picks = select(points, 25, random_state=1)
            assert len(np.unique(explicit(points)[picks[:10]], axis=0)) == 10
            assert len(set(picks.tolist())) == 25


def test_ties_are_broken_at_random(lazy):
    X = np.array([[0.0], [3.0], [-3.0], [3.0], [1.0]])
    rng = np.random.RandomState(0)
    first = [k_center_greedy(X, 1, labeled=X[:1], random_state=rng)[0] for _ in range(600)]
    counts = np.bincount(first, minlength=5)
    assert_array_equal(counts[[0, 4]], 0)
    assert chisquare(counts[[1, 2, 3]]).pvalue > 1e-3


@parametrize_runs("n_draws", 2_000, 20_000)
def test_draws_follow_the_squared_distances(n_draws, monkeypatch):
    """Draws of three rows, with duplicates, against the exact distribution."""
    monkeypatch.setattr(engine, "_N_PROPOSALS", 4)
    X = np.array([[0.0], [0.0], [1.0], [3.0], [3.0]])
    distances, rng, counts = all_pairs(X, X), np.random.RandomState(0), {}
    for _ in range(n_draws):
        picks = tuple(kmeans_plusplus(X, 3, first=0, random_state=rng).tolist())
        counts[picks] = counts.get(picks, 0) + 1
    expected = {}
    for i in (2, 3, 4):
        nearest = np.minimum(distances[0], distances[i])
        for j in np.flatnonzero(nearest):
            chance = distances[0, i] / distances[0].sum() * nearest[j] / nearest.sum()
            expected[0, i, int(j)] = n_draws * chance
    assert counts.keys() == expected.keys()
    assert chisquare([counts[key] for key in expected], list(expected.values())).pvalue > 1e-3


@pytest.mark.no_cover
def test_draws_from_stale_bounds_follow_the_distances():
    """Many draws after the bounds were fixed, so that most are decided by rejection."""
    X, n = np.random.default_rng(0).normal(size=(30, 2)), 6000
    rng, counts, expected = np.random.RandomState(0), np.zeros(30), np.zeros(30)
    for _ in range(n):
        state = NearestCenters(X)
        state.add(0)
        weights, cumulated, _ = state._make_proposals()
        for row in (5, 11, 17):  # centers that the bounds know nothing of
            state.add(row)
        picks = []
        while not picks:
            picks = state._accept(engine.draw_weighted(cumulated, 8, rng), weights, 1, rng)
        counts[picks[0]] += 1
    nearest = all_pairs(X, X[[0, 5, 11, 17]]).min(axis=1)
    expected = n * nearest / nearest.sum()
    possible = expected > 0
    assert_array_equal(counts[~possible], 0)
    assert chisquare(counts[possible], expected[possible]).pvalue > 1e-3


@pytest.mark.parametrize("points", [blobs(60_000, 20, np.float32), factors(60_000, np.float32)])
def test_memory_is_some_numbers_a_row(points):
    tracemalloc.start()
    kmeans_plusplus(points, 50, random_state=0)
    k_center_greedy(points, 50, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000 * 8 * 10 + 10 * 2**20  # ten numbers a row, and some blocks
