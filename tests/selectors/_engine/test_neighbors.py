"""Neighbors between a pool and a few rows, against all pairs in whole numbers."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skactive.selectors._engine import neighbors as engine
from skactive.selectors._engine.neighbors import (
    cosine_to_neighbors,
    find_nearest,
    neighbor_weights,
    neighborhood,
)

KINDS = [np.asarray, np.float32, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture(params=[None, 400])
def blocks(request, monkeypatch):
    """The usual blocks and groups, or several small ones of which the last is short."""
    if request.param is not None:
        monkeypatch.setattr(engine, "_POOL_BLOCK_BYTES", request.param)
        monkeypatch.setattr(engine, "_GROUP_ROWS", 2)


def grid(n_rows, n_dims=2, seed=0):
    """Points of small whole numbers: many distances tie exactly."""
    return np.random.RandomState(seed).randint(-3, 4, size=(n_rows, n_dims)).astype(float)


def all_pairs(A, B):
    return np.square(A[:, None] - B[None]).sum(axis=2)


def weights_of(X, rows, k):
    parts = [weights.toarray() for _, weights in neighbor_weights(X, rows, k)]
    return np.concatenate(parts)


def plain_weights(X, rows, k):
    """Return the expected weights if ties were broken in a random order."""
    squared, weights = all_pairs(X, rows), np.zeros((len(X), len(rows)))
    k = min(k, len(rows))
    for i, distances in enumerate(squared):
        last = np.sort(distances)[k - 1]
        inside, level = distances < last, distances == last
        weights[i, inside] = 1
        weights[i, level] = (k - inside.sum()) / level.sum()
    return weights / k


@kinds
@pytest.mark.parametrize("n_dims", [1, 3])
@pytest.mark.parametrize("k", [1, 3, 7, 12, 99])
def test_weights_are_those_of_all_pairs_and_ties_share(as_rows, n_dims, k, blocks):
    X, rows = grid(31, n_dims), grid(12, n_dims, seed=1)
    rows[3] = rows[4]
    assert_allclose(weights_of(as_rows(X), as_rows(rows), k), plain_weights(X, rows, k), atol=1e-15)


def test_weights_without_ties_are_those_of_the_nearest():
    rng = np.random.RandomState(0)
    X, rows = rng.normal(size=(50, 4)), rng.normal(size=(20, 4))
    nearest = np.argsort(all_pairs(X, rows), axis=1)[:, :5]
    expected = np.zeros((50, 20))
    np.put_along_axis(expected, nearest, 0.2, axis=1)
    assert_allclose(weights_of(X, rows, 5), expected, atol=1e-15)


def test_a_common_offset_does_not_blur_distances():
    rng = np.random.RandomState(0)
    X, rows = rng.normal(size=(40, 3)), rng.normal(size=(15, 3))
    shifted = weights_of(X + 1e6, rows + 1e6, 4)
    assert_allclose(shifted, weights_of(X, rows, 4), atol=1e-12)
    assert_array_equal(neighborhood(X + 1e6, rows + 1e6, 2), neighborhood(X, rows, 2))


@kinds
@pytest.mark.parametrize("k", [1, 4, 30, 31, 99])
def test_neighborhood_is_that_of_all_pairs_with_ties(as_rows, k, blocks):
    X, rows = grid(31), grid(5, seed=2)
    squared = all_pairs(X, rows)
    radii = np.sort(squared, axis=0)[min(k, 31) - 1]
    expected = (squared <= radii).any(axis=1)
    near = neighborhood(as_rows(X), as_rows(rows), k)
    assert_array_equal(near, expected)
    assert near.sum() >= min(k, 31)


@kinds
@pytest.mark.parametrize("k", [1, 4, 99])
def test_cosine_is_that_of_all_pairs(as_rows, k, blocks):
    X, rows = grid(31, 3), grid(5, 3, seed=2)
    X[7] = 0
    lengths = np.linalg.norm(X, axis=1)
    unit = np.divide(X, lengths[:, None], out=np.zeros_like(X), where=lengths[:, None] > 0)
    cosines = np.round(unit @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T, 9)
    inside = cosines >= np.sort(cosines, axis=0)[::-1][min(k, 31) - 1]
    expected = [c[i].mean() if i.any() else -np.inf for c, i in zip(cosines, inside, strict=True)]
    result = cosine_to_neighbors(as_rows(X), as_rows(rows), k)
    assert_allclose(result, expected, atol=1e-6 if as_rows is np.float32 else 1e-8)
    assert result[7] == (0 if k == 99 else -np.inf)


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_rows_all_alike(value):
    X, rows = np.full((9, 2), value), np.full((4, 2), value)
    assert_allclose(weights_of(X, rows, 3), 0.25)
    assert neighborhood(X, rows, 2).all()
    assert_array_equal(cosine_to_neighbors(X, rows, 2), np.full(9, float(value > 0)))


def test_repeated_entries_of_a_sparse_matrix_are_summed_and_left_alone():
    X = sparse.csr_array((np.array([1.0, 2.0, 1.0]), np.array([0, 0, 1]), np.array([0, 2, 3])))
    dense, data = X.toarray(), X.data.copy()
    rows = np.array([[0.0, 1.0], [3.5, 0.0]])
    for k in (1, 2):
        expected = weights_of(dense, rows, k)
        assert_allclose(weights_of(X, sparse.csr_array(rows), k), expected)
    assert_array_equal(X.data, data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_is_that_of_a_block(dtype):
    rng = np.random.RandomState(0)
    X, rows = rng.normal(size=(30_000, 8)).astype(dtype), rng.normal(size=(300, 8)).astype(dtype)
    table = X.shape[0] * len(rows) * 8  # 72 MB
    for work in (
        lambda: [None for _ in neighbor_weights(X, rows, 10)],
        lambda: neighborhood(X, rows, 20),
        lambda: cosine_to_neighbors(X, rows, 20),
    ):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < table / 2


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("k", [1, 4, 99])
def test_find_nearest_is_brute_force(convert, k, monkeypatch):
    monkeypatch.setattr(engine, "_POOL_BLOCK_BYTES", 2000)  # a few rows a block
    monkeypatch.setattr(engine, "_GROUP_ROWS", 3)
    rng = np.random.RandomState(0)
    X, rows = (rng.randint(3, size=(n, 4)) * 1.0 for n in (40, 7))  # with ties and duplicates
    expected = np.sqrt(((rows[:, np.newaxis] - X) ** 2).sum(axis=2))
    order = np.argsort(expected, axis=1, kind="stable")[:, :k]
    positions, distances = find_nearest(convert(X), convert(rows), k)
    assert_array_equal(distances, np.take_along_axis(expected, order, axis=1))
    assert_array_equal(np.take_along_axis(expected, positions, axis=1), distances)
    assert all(len(set(row)) == len(row) for row in positions.tolist())


def test_find_nearest_is_exact_far_from_the_origin():
    X = 1e8 + np.random.RandomState(0).randn(50, 3)
    positions, distances = find_nearest(X, X[:5], 2)
    assert positions[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert distances[:, 0].tolist() == [0.0] * 5
