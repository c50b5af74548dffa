"""Objectives of coverage: bounds, the pairs that are compared, and threads."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skactive.selectors import max_coverage
from skactive.selectors._engine import similarity
from skactive.selectors._engine import threads as thread_engine
from skactive.selectors._engine.coverage import Coverage
from skactive.selectors._engine.radius_coverage import RadiusCoverage
from skactive.selectors._engine.similarity import Candidates, negative_distance, rbf, tophat
from skactive.selectors._engine.threads import limit_blas_threads

SIMILARITIES = {"rbf": rbf(3.0), "tophat": tophat(5.5), "distance": negative_distance()}


@pytest.mark.parametrize("kernel", SIMILARITIES)
@pytest.mark.parametrize("labeled", [None, 5])
def test_bounds_are_above_the_gains_and_close(kernel, labeled):
    rng = np.random.default_rng(10)
    X = rng.normal(size=(700, 20)).astype(np.float32) + 3
    similarity = SIMILARITIES[kernel]
    points = Candidates.from_rows(X)
    objective = Coverage(
        points,
        X,
        similarity,
        weights=rng.random(700),
        rng=np.random.RandomState(0),
        labeled=None if labeled is None else X[:labeled] + 1,
    )
    assert objective.cheap_bounds
    bounds = objective.bounds()
    reach = similarity.apply(objective._exact_distances(X))
    better = reach > objective._cover  # nothing else is asked of what a cell can reach
    assert (objective._reach[objective.cells][better] >= reach[better]).all()
    exact = objective.gains(np.arange(700), exact=True)
    assert (bounds >= exact).all()
    assert_allclose(bounds, exact, rtol=1e-2 if kernel == "tophat" else 1e-3, atol=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labeled", [None, 5])
def test_bounds_of_balls_follow_what_is_covered(weighted, labeled, small_parts, blobs):
    X, weights = blobs(600, 8), np.random.default_rng(16).random(600)
    objective = RadiusCoverage(
        Candidates.from_rows(X),
        X,
        tophat(3.0),
        weights=weights if weighted else np.full(600, 0.3),
        rng=np.random.RandomState(0),
        labeled=None if labeled is None else X[:labeled],
    )
    objective.bounds()
    everyone = np.arange(600)
    for position in (300, 17, 18, 555):
        objective.add(position)
        bounds, exact = (objective.gains(everyone, exact=exact) for exact in (False, True))
        assert (bounds >= exact).all()
        # But for a few rows on the rim; ones are counted without rounding.
        assert np.isclose(bounds, exact, rtol=0, atol=1e-3 * weighted).mean() > 0.97


@pytest.fixture
def compared(monkeypatch):
    """Count the pairs of rows that are compared."""
    sizes = []
    product = similarity.multiply

    def counted(left, right):
        sizes.append(left.shape[0] * right.shape[1] if right.ndim == 2 else 0)
        return product(left, right)

    monkeypatch.setattr(similarity, "multiply", counted)
    return sizes


def test_balls_compare_near_rows_only(compared, blobs):
    X = blobs(4000, 8)
    max_coverage(X, 100, kernel="tophat", bandwidth=2.0, labeled=X[:50] + 0.1)
    assert sum(compared) < 0.25 * 4000**2


def test_a_pool_that_covers_itself_makes_each_similarity_once(compared, blobs):
    X = blobs(4000, 8)
    objective = Coverage(
        Candidates.from_rows(X),
        X,
        negative_distance(),
        weights=np.ones(4000),
        rng=np.random.RandomState(0),
        symmetric=True,
    )
    compared.clear()
    objective.bounds()
    assert sum(compared) < 0.6 * 4000**2


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("kernel", ["rbf", "distance"])
def test_symmetric_bounds_are_the_same_bounds(symmetric, kernel, small_parts, blobs):
    X, weights = blobs(300, 5), np.random.default_rng(19).random(300)
    similarity = SIMILARITIES[kernel]
    objective = Coverage(
        Candidates.from_rows(X),
        X,
        similarity,
        weights=weights,
        rng=np.random.RandomState(0),
        symmetric=symmetric,
    )
    bounds, reach = objective.bounds(), similarity.apply(objective._exact_distances(X))
    exact = objective.gains(np.arange(300), exact=True)
    assert (bounds >= exact).all()
    assert_allclose(bounds, exact, rtol=1e-3)
    for cell in np.unique(objective.cells):
        highest = reach[objective.cells == cell].max(axis=0)
        assert (objective._reach[cell] >= highest).all()
        assert_allclose(objective._reach[cell], highest, atol=2e-2)


def test_blas_has_one_thread_while_cells_are_shared_out():
    def n_threads():
        return {library["num_threads"] for library in thread_engine._blas().info()}

    with limit_blas_threads(10**9) as shared:
        assert shared >= 1
        assert n_threads() <= {1}
    before = n_threads()
    with limit_blas_threads(10) as shared:
        assert shared == 1
        assert n_threads() == before
