"""Density and gradients against plain loops, and their laws."""

import tracemalloc

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from probabilities import dirichlet, freeze
from runs import parametrize_runs
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

from skactive import scores
from skactive.scores import _embedding
from skactive.selectors._engine import density as density_engine


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array, sparse.coo_matrix])
def test_expected_gradient_length_is_that_of_the_gradients(as_rows):
    proba, embedding = dirichlet(20, 4), np.random.default_rng(1).normal(size=(20, 5))
    embedding[0] = 0.0
    expected = [
        sum(p[y] * np.linalg.norm(np.outer(p - np.eye(4)[y], x)) for y in range(4))
        for p, x in zip(proba, embedding, strict=True)
    ]
    result = scores.expected_gradient_length(proba, as_rows(embedding))
    assert_allclose(result, expected, rtol=1e-12, atol=1e-14)


def test_the_gradient_factors_have_the_published_norm():
    residual, embedding = np.array([0.2, 0.5, 0.3]) - [0, 1, 0], np.array([1.0, 2.0])
    assert_allclose(np.square(np.outer(residual, embedding)).sum(), 1.9)
    # Of the three terms of the expectation, the likeliest label's has this norm.
    others = sum(
        p * np.linalg.norm(np.array([0.2, 0.5, 0.3]) - np.eye(3)[y]) * np.sqrt(5)
        for y, p in ((0, 0.2), (2, 0.3))
    )
    length = scores.expected_gradient_length(np.array([[0.2, 0.5, 0.3]]), embedding[None])
    assert_allclose(length, 0.5 * np.sqrt(1.9) + others)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "cityblock"])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_information_density(metric, as_rows):
    X = np.random.default_rng(2).normal(size=(60, 3))
    expected = np.mean(1 / (1 + pairwise_distances(X, metric=metric)), axis=1)
    result = scores.information_density(as_rows(X), metric=metric)
    assert_allclose(result, expected, rtol=1e-10)


def test_information_density_keeps_to_working_memory_and_leaves_distances_alone():
    X = np.random.default_rng(3).normal(size=(1500, 2))
    whole = scores.information_density(X)
    tracemalloc.start()
    with sklearn.config_context(working_memory=1):
        chunked = scores.information_density(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_allclose(chunked, whole, rtol=1e-9)
    assert peak < 6e6  # all pairs would be 18 MB
    distances = freeze(pairwise_distances(X[:20]))
    result = scores.information_density(distances, metric="precomputed")
    assert_allclose(result, scores.information_density(X[:20]), rtol=1e-9)


def density(X):
    """The definition, with distances of differences, in double precision."""
    return np.mean(1 / (1 + cdist(X.astype(np.float64), X.astype(np.float64))), axis=1)


def clouds(n_rows, n_dims, seed=0):
    rng = np.random.default_rng(seed)
    centers = 4 * rng.normal(size=(5, n_dims))
    return rng.normal(size=(n_rows, n_dims)) + centers[rng.integers(5, size=n_rows)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_information_density_by_blocks(size, dtype, rtol, monkeypatch):
    monkeypatch.setattr(density_engine, "_PAIR_BLOCK_ROWS", size)
    monkeypatch.setattr(density_engine, "_CHUNK_MEGABYTES", 0 if size < 16 else 16)
    X = clouds(150, 12).astype(dtype)
    assert_allclose(scores.information_density(X), density(X), rtol=rtol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "few", [1.0, 0.0], ids=["close pairs one by one", "close pairs in double precision"]
)
@pytest.mark.parametrize("far", [0.0, 3e4])
def test_information_density_of_close_rows_is_not_rounding(dtype, few, far, monkeypatch):
    monkeypatch.setattr(density_engine, "_MAX_PATCHED_SHARE", few)
    rng = np.random.default_rng(1)
    X = np.repeat(clouds(40, 3), 5, axis=0) + 1e-3 * rng.normal(size=(200, 3))
    X = np.vstack([X, X[:50], [[1e3, 0, 0]]]).astype(dtype)  # and rows twice, and an outlier
    X += dtype(far)
    # In single precision a product of numbers of some 1e3 would be wrong by 0.1; in double
    # precision duplicates would lie 1e-7 apart, as they do in scikit-learn.
    single_or_rounded = dtype == np.float32 or few == 0.0
    rtol = 1e-6 if single_or_rounded else 1e-11
    assert_allclose(scores.information_density(X), density(X), rtol=rtol)


def test_information_density_of_equal_rows_is_one():
    for dtype in (np.float32, np.float64):
        assert_array_equal(scores.information_density(np.full((700, 3), 0.1, dtype)), 1.0)
        assert_array_equal(scores.information_density(np.ones((1, 3), dtype)), 1.0)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_information_density_of_numbers_that_single_precision_cannot_square(scale):
    X = (clouds(50, 3) * scale).astype(np.float32)
    assert_allclose(scores.information_density(X), density(X), rtol=1e-6)


def test_information_density_takes_little_memory_and_leaves_its_rows_alone():
    X = freeze(clouds(3000, 16).astype(np.float32))
    tracemalloc.start()
    scores.information_density(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # all pairs would be 36 MB


def test_information_density_is_exact_up_to_its_limit_and_by_request(monkeypatch):
    X = clouds(120, 3)
    exact = density(X)
    assert_allclose(scores.information_density(X, max_reference=10), exact, rtol=1e-12)
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 50)
    for enough in (None, 120, 500):
        result = scores.information_density(X, max_reference=enough, random_state=0)
        assert_allclose(result, exact, rtol=1e-12)
    assert np.ptp(scores.information_density(X, max_reference=10, random_state=0) - exact) > 1e-3


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sampled_density_is_that_of_the_others_drawn(as_rows, dtype, monkeypatch):
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 50)
    monkeypatch.setattr(density_engine, "_PAIR_BLOCK_ROWS", 32)
    X = clouds(100, 3).astype(dtype)
    similarity = 1 / (1 + pairwise_distances(X.astype(np.float64)))
    drawn = np.random.RandomState(5).permutation(100)[:40]
    expected = [
        (1 + 99 * np.mean([similarity[row, other] for other in drawn if other != row])) / 100
        for row in range(100)
    ]
    result = scores.information_density(as_rows(X), max_reference=40, random_state=5)
    assert_allclose(result, expected, rtol=1e-6 if dtype == np.float32 else 1e-7)
    one = scores.information_density(as_rows(X), max_reference=1, random_state=5)
    assert np.isfinite(one).all()


@pytest.mark.no_cover
@parametrize_runs("n_seeds", 300, 2000)
def test_a_sampled_density_is_unbiased_with_the_stated_error(n_seeds, monkeypatch):
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 50)
    X = clouds(300, 2)
    X[:150] = X[0]  # similarities of 1 and near 0: an error as large as it can be
    X[150:, 0] += 1e4
    exact, m = density(X), 30
    estimates = np.array(
        [
            scores.information_density(X, max_reference=m, random_state=seed)
            for seed in range(n_seeds)
        ]
    )
    errors = estimates - exact
    stated = np.sqrt(exact * (1 - exact) / (m - 1))
    assert (np.abs(errors.mean(axis=0)) < 5 * stated / np.sqrt(n_seeds)).all()
    deviation = np.sqrt((errors**2).mean(axis=0))
    assert (deviation < stated * (1 + 2.24 / np.sqrt(n_seeds))).all()
    assert deviation.max() > 0.8 * stated.max()  # and the bound is not idle
    for epsilon in (0.1, 0.2, np.sqrt(np.log(40) / (2 * (m - 1)))):
        bound = 2 * np.exp(-2 * (m - 1) * epsilon**2)
        assert ((np.abs(errors) > epsilon).mean(axis=0) < bound + 0.02).all()
    assert 1.0 * np.sqrt(np.log(40) / (2 * 999)) < 0.043  # what the docstring says of m = 1000
    assert 0.5 / np.sqrt(999) < 0.016


def test_a_sample_never_touches_global_randomness_and_follows_its_seed(monkeypatch):
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 50)
    X, state = clouds(100, 3), np.random.get_state()[1].copy()
    one, two, other = (
        scores.information_density(X, max_reference=9, random_state=seed) for seed in (1, 1, 2)
    )
    assert_array_equal(one, two)
    assert np.abs(one - other).max() > 1e-3
    scores.information_density(X, max_reference=9)
    assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("max_reference", [None, 50])
def test_density_of_sparse_rows_is_that_of_dense_ones(dtype, max_reference, monkeypatch):
    monkeypatch.setattr(_embedding, "_MAX_EXACT_ROWS", 200)
    rng = np.random.RandomState(0)
    X = rng.randint(1, 5, size=(300, 400)) * (rng.uniform(size=(300, 400)) < rng.beta(0.2, 4, 400))
    X[:40], X[50:60] = X[0], 0  # duplicates, and empty rows
    X = X.astype(dtype)
    options = {"max_reference": max_reference, "random_state": 0}
    expected = scores.information_density(X.astype(np.float64), **options)
    for as_rows in (sparse.csr_array, sparse.csr_matrix, sparse.coo_array):
        found = scores.information_density(as_rows(X), **options)
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == np.float32 else 1e-11)
