"""The contract of all selectors of points: kinds of pools, batch sizes, randomness, and ties."""

import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pairwise import parametrize_pairs
from scipy import sparse

from skactive import selectors
from skactive.selectors import (
    bait,
    cluster_margin,
    d_optimal,
    dpp_map,
    emcm,
    facility_location,
    gsy,
    igs,
    k_center_greedy,
    kmeans_medoids,
    kmeans_plusplus,
    lcmd,
    max_coverage,
    ranked_batch,
    robust_k_center_greedy,
    targeted_coverage,
    typiclust,
    v_optimal,
)
from skactive.selectors._engine import clustering
from skactive.selectors._engine import points as point_engine
from skactive.selectors._engine.points import canonical

N_ROWS = 20


# -- selectors, with made-up values for what they take besides points --------------------------


def count(X):
    return len(X[0]) if isinstance(X, tuple) else X.shape[0]


def select_by_rank(X, batch_size, **options):
    return ranked_batch(X, np.linspace(0, 1, count(X)) ** 2, batch_size, **options)


def with_predictions(select):
    def select_by_predictions(X, batch_size, **options):
        if "labeled" in options:
            options["targets"] = np.linspace(0, 1, options["labeled"].shape[0])
        return select(X, np.linspace(-1, 1, count(X)) ** 2, batch_size, **options)

    return select_by_predictions


def select_targeted(X, batch_size, **options):
    return targeted_coverage(X, canonical(X)[:2], batch_size, **options)


def select_by_quality(X, batch_size, **options):
    return dpp_map(X, batch_size, quality=np.arange(count(X)), **options)


def select_by_fisher_information(X, batch_size, **options):
    proba = np.linspace(0.1, 0.9, count(X))
    return bait(np.column_stack([proba, proba[::-1]]), X, batch_size, **options)


def select_by_score(X, batch_size, **options):
    return cluster_margin(X, np.random.default_rng(0).random(count(X)), batch_size, **options)


def select_by_change(X, batch_size, **options):
    gaps = np.random.default_rng(0).normal(size=(4, count(X)))
    return emcm(X, gaps, batch_size, **options)


def select_by_weight(X, batch_size, **options):
    weights = np.random.default_rng(0).random(count(X))
    return kmeans_medoids(X, batch_size, weights=weights, **options)


DISTANCES = {
    "k_center_greedy": k_center_greedy,
    "ranked_batch": select_by_rank,
    "gsy": with_predictions(gsy),
    "igs": with_predictions(igs),
    "lcmd": lcmd,
    "robust_k_center_greedy": partial(robust_k_center_greedy, quantile=0.9),
}
COVERAGE = {
    "max_coverage": max_coverage,
    "max_coverage, tophat": partial(max_coverage, kernel="tophat", bandwidth=1.0),
    "max_coverage, sample": partial(max_coverage, max_reference=6),
    "facility_location": facility_location,
    "targeted_coverage": select_targeted,
}
DESIGNS = {
    "d_optimal": d_optimal,
    "dpp_map": dpp_map,
    "dpp_map, quality": select_by_quality,
    "v_optimal": v_optimal,
    "bait": select_by_fisher_information,
    "emcm": select_by_change,
}
CLUSTERS = {
    "kmeans_medoids": kmeans_medoids,
    "kmeans_medoids, weights": select_by_weight,
    "cluster_margin": select_by_score,
    "typiclust": typiclust,
    "typiclust, two": partial(typiclust, max_clusters=2),
}
SELECTORS = {"kmeans_plusplus": kmeans_plusplus, **DISTANCES, **COVERAGE, **DESIGNS, **CLUSTERS}
# Selectors that take labeled points, and labeled points of no length.
WITH_LABELED = [*DISTANCES, *COVERAGE, "d_optimal", "v_optimal", "typiclust", "typiclust, two"]
WITH_FACTORS = [
    "kmeans_plusplus",
    *DISTANCES,
    "d_optimal",
    "dpp_map",
    "dpp_map, quality",
    "v_optimal",
]
# Selectors that fill a batch at random once all rows coincide with labeled ones.
RANDOM_ON_DUPLICATES = [*COVERAGE, *(name for name in DISTANCES if name != "ranked_batch")]

by_name = pytest.mark.parametrize("name", SELECTORS)
BATCH_SIZES = [0, 1, 7, N_ROWS, N_ROWS + 5]
as_kinds = pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])


def test_all_selectors_of_points_are_here():
    of_other_input = {
        "PowerTop",
        "SoftmaxTop",
        "SoftrankTop",
        "batch_bald",
        "effective_bandwidth",
        "falcun",
        "galaxy",
        "purity_radius",
        "select_training_set",
        "top",
    }
    assert {name.split(",")[0] for name in SELECTORS} == set(selectors.__all__) - of_other_input


# -- pools -------------------------------------------------------------------------------------


def gradient_factors(dtype=float):
    """Factors whose outer products hold two duplicates and two zeros."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(N_ROWS, 3)).astype(dtype)
    h = rng.normal(size=(N_ROWS, 4)).astype(dtype)
    a[5], h[5] = 2 * a[6], h[6] / 2
    a[7], h[8] = 0, 0
    return a, h


def make_pools():
    rng = np.random.default_rng(0)
    blobs = rng.normal(size=(N_ROWS, 3))
    repeated = np.repeat(blobs[:4], N_ROWS // 4, axis=0)
    yield "normal", blobs
    yield "float32", blobs.astype(np.float32)
    yield "integers", np.rint(3 * blobs).astype(int)
    yield "one column", blobs[:, :1]
    yield "more columns than rows", rng.normal(size=(N_ROWS, 50))
    yield "huge", 1e8 * blobs
    yield "sparse", sparse.csr_array(rng.random((N_ROWS, 5)) * (rng.random((N_ROWS, 5)) < 0.3))
    yield "sparse float32", sparse.csr_matrix(np.maximum(blobs, 0).astype(np.float32))
    yield "sparse matrix", sparse.csr_matrix(blobs)
    yield "constant", np.full((N_ROWS, 2), 0.1)
    yield "constant sparse", sparse.csr_array(np.full((N_ROWS, 2), 0.1))
    yield "zero", np.zeros((N_ROWS, 2))
    yield "zero sparse", sparse.csr_array((N_ROWS, 2))
    yield "duplicates", repeated
    yield "duplicates float32", repeated.astype(np.float32)
    yield "duplicates sparse", sparse.csr_array(repeated)


def make_factors():
    rng = np.random.default_rng(0)
    yield "factors", gradient_factors()
    yield "factors float32", gradient_factors(np.float32)
    yield "factors normal", (rng.normal(size=(N_ROWS, 2)), rng.normal(size=(N_ROWS, 3)))
    yield "constant factors", (np.full((N_ROWS, 2), 0.1), np.full((N_ROWS, 3), 0.7))


POOLS, FACTORS = dict(make_pools()), dict(make_factors())


def freeze(X):
    """Make all arrays read-only, so that a selector that writes into its input fails."""
    for part in X if isinstance(X, tuple) else (X,):
        names = ("data", "indices", "indptr", "row", "col")
        arrays = [getattr(part, name) for name in names if hasattr(part, name)]
        for array in arrays if sparse.issparse(part) else (part,):
            array.flags.writeable = False
    return X


def assert_batch(select, X, batch_size, **options):
    """Check positions, randomness, and that nothing global is touched."""
    before = np.random.get_state()[1].tolist()
    picks = select(X, batch_size, random_state=3, **options)
    assert picks.dtype == np.intp
    assert len(np.unique(picks)) == len(picks) == min(batch_size, N_ROWS)
    assert ((picks >= 0) & (picks < N_ROWS)).all()
    again = select(X, batch_size, random_state=np.random.RandomState(3), **options)
    assert_array_equal(picks, again)
    assert len(select(X, batch_size, **options)) == len(picks)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.no_cover
@parametrize_pairs(name=SELECTORS, pool=POOLS, batch_size=BATCH_SIZES)
def test_batches(name, pool, batch_size):
    assert_batch(SELECTORS[name], freeze(POOLS[pool]), batch_size)


@parametrize_pairs(name=WITH_FACTORS, pool=FACTORS, batch_size=BATCH_SIZES)
def test_batches_of_factors(name, pool, batch_size):
    assert_batch(SELECTORS[name], freeze(FACTORS[pool]), batch_size)


@pytest.mark.no_cover
@parametrize_pairs(name=WITH_LABELED, pool=POOLS, batch_size=BATCH_SIZES, n_labeled=[3, N_ROWS])
def test_batches_beside_labeled_rows(name, pool, batch_size, n_labeled):
    X = freeze(POOLS[pool])
    assert_batch(SELECTORS[name], X, batch_size, labeled=freeze(X[:n_labeled]))


@pytest.fixture
def small_engines(monkeypatch, small_parts):
    """Use several blocks, and the algorithms of large pools, for a few rows."""
    monkeypatch.setattr(point_engine, "_PRODUCT_BYTES", 200)
    for constant in ("_LLOYD_ROWS", "_HIERARCHY_ROWS", "_ALL_PAIRS_ROWS"):
        monkeypatch.setattr(clustering, constant, 10)
    monkeypatch.setattr(clustering, "_SAMPLE_ROWS", 6)
    monkeypatch.setattr(clustering, "_MICRO_CLUSTERS", 8)
    monkeypatch.setattr(clustering, "_MINI_BATCH_STEPS", 3)


@pytest.mark.no_cover
@parametrize_pairs(
    name=SELECTORS,
    pool=["normal", "float32", "sparse", "sparse matrix", "coo", "duplicates"],
    batch_size=[0, 1, 7, N_ROWS + 5],
)
def test_batches_of_several_blocks(name, pool, batch_size, small_engines):
    X = sparse.coo_array(POOLS["normal"]) if pool == "coo" else POOLS[pool]
    assert_batch(SELECTORS[name], freeze(X), batch_size)


# -- ties and edges ----------------------------------------------------------------------------


@by_name
@as_kinds
def test_one_row_and_no_row(name, as_rows):
    assert_array_equal(SELECTORS[name](as_rows(np.ones((1, 2))), 1), [0])
    assert SELECTORS[name](as_rows(np.ones((0, 2))), 1).shape == (0,)


@pytest.mark.parametrize("name", WITH_LABELED)
def test_labeled_rows_of_no_length_are_no_labeled_rows(name):
    X = np.random.default_rng(0).normal(size=(30, 2))
    expected = SELECTORS[name](X, 5, random_state=0)
    assert_array_equal(SELECTORS[name](X, 5, labeled=X[:0], random_state=0), expected)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", RANDOM_ON_DUPLICATES)
@pytest.mark.parametrize("pool", ["normal", "sparse", "constant", "zero sparse", "duplicates"])
def test_a_pool_that_is_labeled_already_comes_in_random_order(name, pool):
    X = POOLS[pool]
    labeled = sparse.vstack([X] * 3, "csr") if sparse.issparse(X) else np.concatenate([X] * 3)
    picks = {
        tuple(SELECTORS[name](X, N_ROWS, labeled=labeled, random_state=seed)) for seed in range(6)
    }
    assert {tuple(sorted(positions)) for positions in picks} == {tuple(range(N_ROWS))}
    assert len(picks) > 1


@pytest.mark.parametrize("pool", [name for name in POOLS if name.startswith("duplicates")])
@pytest.mark.parametrize(
    "name",
    [
        "k_center_greedy",
        "kmeans_plusplus",
        "ranked_batch",
        "lcmd",
        "robust_k_center_greedy",
        "max_coverage",
        "facility_location",
    ],
)
def test_distinct_points_come_before_duplicates(name, pool):
    X = POOLS[pool]
    dense = X.toarray() if sparse.issparse(X) else X
    for seed in range(10):
        picks = SELECTORS[name](X, 4, random_state=seed)
        assert len(np.unique(dense[picks], axis=0)) == 4


@pytest.mark.no_cover
@parametrize_pairs(
    name=[*COVERAGE, *CLUSTERS],
    pool=["constant", "zero", "constant sparse", "duplicates"],
    batch_size=[1, 2, 12],
)
def test_rows_that_coincide_are_drawn_without_a_warning(name, pool, batch_size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches = [SELECTORS[name](POOLS[pool], batch_size, random_state=s) for s in range(12)]
    assert all(len(np.unique(picks)) == batch_size for picks in batches)
    assert len({tuple(picks) for picks in batches}) > 1
