"""Coverage against plain greedy on the full matrix of similarities, its sample and its radius."""

import tracemalloc
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from pairwise import parametrize_pairs
from runs import parametrize_runs
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.stats import chisquare

from skactive.selectors import _coverage
from skactive.selectors._bandwidth import LazyBandwidths, SharedBandwidths
from skactive.selectors._coverage import (
    cover_greedily,
    facility_location,
    max_coverage,
    purity_radius,
    targeted_coverage,
)
from skactive.selectors._engine import coverage, similarity
from skactive.selectors._engine import threads as thread_engine

KINDS = [np.asarray, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


def rbf(A, B, bandwidth):
    return np.exp(-cdist(A, B, "sqeuclidean") / bandwidth**2)


def tophat(A, B, radius):
    return (cdist(A, B) <= radius).astype(float)


def negative_distance(A, B, _):
    return -cdist(A, B)


KERNELS = {"rbf": rbf, "tophat": tophat, "distance": negative_distance}


def spread(X):
    return np.sqrt(np.square(X - X.mean(axis=0)).sum(axis=1).mean())


def as_float(X):
    return np.asarray(X, dtype=float)


def assert_greedy(picks, similarity, covered, weights=None, bonus=0.0):
    """Recompute every gain for every pick: none is greater than that of the pick.

    Two rows that are nearest to each other often tie exactly: each gains the same by both.
    """
    weights = np.ones(len(similarity)) if weights is None else weights
    for row in picks:
        gains = weights @ np.maximum(similarity - covered[:, None], 0.0) + bonus
        assert gains[row] >= gains.max() * (1 - 1e-9) - 1e-11 * weights.sum()
        covered = np.maximum(covered, similarity[:, row])
        bonus = np.where(np.arange(len(gains)) == row, 0.0, bonus)


def assert_plain_greedy(picks, X, kernel, bandwidth=None, labeled=(), weights=None):
    X = as_float(X)
    bandwidth = spread(X) if bandwidth is None else bandwidth
    covered = np.full(len(X), -1e4 if kernel == "distance" else 0.0)
    if len(labeled):
        reach = KERNELS[kernel](X, as_float(labeled), bandwidth)
        covered = np.maximum(covered, reach.max(axis=1))
    assert len(set(picks.tolist())) == len(picks)
    assert_greedy(picks, KERNELS[kernel](X, X, bandwidth), covered, weights)


def select(X, batch_size, kernel, **options):
    if kernel == "distance":
        return facility_location(X, batch_size, **options)
    return max_coverage(X, batch_size, kernel=kernel, **options)


CASES = [
    ("rbf", None),
    ("rbf", 0.7),
    ("rbf", 30.0),
    ("distance", None),
]


# -- equal to plain greedy ---------------------------------------------------------------------


@pytest.mark.no_cover
@parametrize_pairs(
    as_rows=KINDS, case=CASES, n_labeled=[None, 0, 1, 5, 300], weighted=[False, True]
)
def test_picks_are_those_of_plain_greedy(as_rows, case, n_labeled, weighted, small_parts):
    kernel, bandwidth = case
    rng = np.random.default_rng(0)
    X, labeled = rng.normal(size=(120, 3)) + 5, rng.normal(size=(n_labeled or 0, 3)) + 5
    weights = rng.random(120) * (rng.random(120) < 0.8) if weighted else None
    options = {} if kernel == "distance" else {"bandwidth": bandwidth}
    if n_labeled is not None:
        options["labeled"] = as_rows(labeled)
    picks = select(as_rows(X), 25, kernel, weights=weights, **options)
    assert_plain_greedy(picks, X, kernel, bandwidth, labeled, weights)


@pytest.mark.no_cover
@parametrize_pairs(
    as_rows=KINDS, dtype=[np.float32, np.float64], own=[True, False], n_labeled=[0, 4, 70]
)
def test_rows_may_reach_each_as_far_as_they_do(as_rows, dtype, own, n_labeled, small_parts):
    """Recompute every gain, with a bandwidth per row and per labeled row, and a worth per row."""
    rng = np.random.default_rng(3)
    X, labeled = (rng.normal(size=(n, 4)).astype(dtype) + 3 for n in (130, n_labeled))
    rows = X if own else rng.normal(size=(90, 4)).astype(dtype) + 3
    weights, worth = rng.random(len(rows)), rng.random(130) * (rng.random(130) < 0.7)
    lengths, known_lengths = (np.exp(rng.normal(size=n)) for n in (130, n_labeled))
    picks = max_coverage(
        as_rows(X),
        20,
        labeled=as_rows(labeled) if n_labeled else None,
        reference=None if own else as_rows(rows),
        weights=weights,
        candidate_weights=worth,
        bandwidth=lengths,
        labeled_bandwidth=known_lengths if n_labeled else None,
        random_state=0,
    )
    similarity = rbf(as_float(rows), as_float(X), lengths)
    covered = np.zeros(len(rows))
    if n_labeled:
        covered = rbf(as_float(rows), as_float(labeled), known_lengths).max(axis=1)
    for row in picks:
        gains = worth * (weights @ np.maximum(similarity - covered[:, None], 0.0))
        assert gains[row] >= gains.max() * (1 - 1e-9)
        covered = np.maximum(covered, similarity[:, row])


@pytest.mark.parametrize("kernel", ["rbf", "tophat"])
def test_a_row_that_is_worth_nothing_is_chosen_last(kernel, small_parts):
    X = np.random.default_rng(4).normal(size=(80, 2))
    worth = np.where(np.arange(80) % 2, 1e3, 0.0)
    picks = max_coverage(
        X, 80, kernel=kernel, bandwidth=0.5, candidate_weights=worth, random_state=0
    )
    n_gaining = 40 if kernel == "rbf" else 15
    assert (picks[:n_gaining] % 2 == 1).all()
    assert sorted(picks) == list(range(80))


def test_balls_have_one_radius():
    X = np.ones((3, 1))
    with pytest.raises(ValueError, match="one bandwidth for all rows; got an array"):
        max_coverage(X, 1, kernel="tophat", bandwidth=np.ones(3))


@pytest.mark.no_cover
@pytest.mark.parametrize(("kernel", "bandwidth"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_single_precision_bounds_keep_the_picks(kernel, bandwidth, dtype, shift):
    rng = np.random.default_rng(1)
    centers = 2 * rng.normal(size=(8, 16))
    X = (centers[rng.integers(8, size=900)] + rng.normal(size=(900, 16)) + shift).astype(dtype)
    labeled = X[:7] + np.float32(0.5)
    options = {} if kernel == "distance" else {"bandwidth": bandwidth and 5 * bandwidth}
    width = bandwidth and 5 * bandwidth
    picks = select(X, 60, kernel, labeled=labeled, **options)
    assert_plain_greedy(picks, X, kernel, width, labeled)


@pytest.mark.no_cover
@given(
    X=arrays(float, st.tuples(st.integers(1, 14), st.integers(1, 2)), elements=st.integers(-3, 3)),
    kernel=st.sampled_from(["rbf", "tophat", "distance"]),
    n_labeled=st.integers(0, 3),
    batch_size=st.integers(0, 15),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=150)
def test_each_pick_gains_most_on_grids_full_of_ties(X, kernel, n_labeled, batch_size, seed):
    labeled = X[:n_labeled]
    options = {} if kernel == "distance" else {"bandwidth": 2.0}
    picks = select(X, batch_size, kernel, labeled=labeled, random_state=seed, **options)
    assert len(set(picks.tolist())) == min(batch_size, len(X))
    similarity = KERNELS[kernel](X, X, 2.0)
    covered = np.full(len(X), -100.0 if kernel == "distance" else 0.0)
    for row in [*range(min(n_labeled, len(X))), *picks]:
        gains = np.maximum(similarity - covered[:, None], 0.0).sum(axis=0)
        if row in picks and row >= n_labeled:
            assert_allclose(gains[row], gains.max(), rtol=1e-9, atol=1e-9)
        covered = np.maximum(covered, similarity[:, row])


def test_tophat_counts_the_rim_of_the_ball():
    X = np.array([[0.0], [0.3], [0.6], [5.0], [5.3]]) + 0.1
    assert max_coverage(X, 1, kernel="tophat", bandwidth=0.3, random_state=0)[0] == 1
    assert max_coverage(X, 1, kernel="tophat", bandwidth=0.299, random_state=1)[0] in range(5)


@pytest.mark.parametrize("n_labeled", [0, 5])
def test_balls_are_those_of_plain_greedy(n_labeled, small_parts):
    # Weights without ties make the picks unique for as long as rows are left to cover.
    rng = np.random.default_rng(2)
    X, labeled, weights = (
        rng.normal(size=(100, 2)),
        rng.normal(size=(n_labeled, 2)),
        rng.random(100),
    )
    picks = max_coverage(
        X, 12, kernel="tophat", bandwidth=0.4, labeled=labeled, weights=weights, random_state=0
    )
    assert_plain_greedy(picks, X, "tophat", 0.4, labeled, weights)


def text_like(n_rows, seed=0):
    """A few columns that most rows fill, and many that few fill."""
    rng = np.random.default_rng(seed)
    columns = np.minimum((rng.pareto(1.0, (n_rows, 12)) * 3).astype(int), 399)
    rows = np.zeros((n_rows, 400))
    rows[np.arange(n_rows)[:, None], columns] = rng.random((n_rows, 12))
    return rows


@pytest.mark.parametrize(("kernel", "bandwidth"), [*CASES[:2], ("distance", None), ("tophat", 1.2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_of_common_and_rare_columns(kernel, bandwidth, dtype, small_parts):
    X = text_like(260).astype(dtype)
    rows = sparse.csr_array(X)
    candidates = similarity.Candidates.from_rows(rows)
    assert 0 < len(candidates.common) < 50  # both kinds of columns are multiplied
    options = {} if kernel == "distance" else {"bandwidth": bandwidth}
    weights = np.random.default_rng(1).random(240)  # without ties
    picks = [
        select(kind(X[20:]), 15, kernel, labeled=kind(X[:20]), weights=weights, **options)
        for kind in (np.asarray, sparse.csr_array)
    ]
    assert_plain_greedy(picks[1], X[20:], kernel, bandwidth, X[:20], weights)
    if kernel != "tophat":  # rows within each other's balls may cover the same rows
        assert_array_equal(*picks)


def test_products_of_sparse_rows_are_those_of_dense_rows():
    X, others = text_like(90), text_like(40, seed=1)
    rows = sparse.csr_array(X)
    for share in (0.0, 0.05, 1.0):  # all columns are common, some, none
        candidates = similarity.Candidates.from_rows(rows)
        common = np.flatnonzero((X > 0).mean(axis=0) > share)
        candidates = replace(candidates, common=common)
        distances = similarity.Distances(
            sparse.csr_array(others), candidates, scale=2.0, shrinkage=0.0, dtype=np.float64
        )
        expected = cdist(X, others, "sqeuclidean") / 2
        assert_allclose(distances(rows), expected, atol=1e-12)
        assert_allclose(distances(rows[5:9], np.array([3, 30])), expected[5:9][:, [3, 30]])


def test_facility_location_starts_with_the_medoid():
    X = np.random.default_rng(3).normal(size=(50, 4))
    assert facility_location(X, 1)[0] == cdist(X, X).sum(axis=0).argmin()


def test_far_outliers_change_no_pick():
    X = np.random.default_rng(4).normal(size=(200, 3))
    X[17] *= 1e5
    options = {"labeled": X[:3] + 0.1}
    picks = max_coverage(X, 20, bandwidth=1.0, **options)
    assert_plain_greedy(picks, X, "rbf", 1.0, **options)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
@pytest.mark.parametrize("kernel", ["rbf", "distance"])
def test_the_unit_of_the_points_does_not_matter(scale, kernel):
    X = np.random.default_rng(5).normal(size=(150, 3))
    assert_plain_greedy(select(X * scale, 20, kernel), X, kernel)


# -- targets -----------------------------------------------------------------------------------


@parametrize_pairs(as_rows=KINDS, eta=[0.0, 0.3, 1.0, 100.0], n_labeled=[0, 4])
def test_targeted_picks_are_those_of_plain_greedy(as_rows, eta, n_labeled, small_parts):
    rng = np.random.default_rng(6)
    X, targets = rng.normal(size=(80, 2)), rng.normal(size=(9, 2)) + 0.5
    labeled = rng.normal(size=(n_labeled, 2))
    picks = targeted_coverage(
        as_rows(X),
        as_rows(targets),
        5 if eta == 0 else 30,
        eta=eta,
        labeled=as_rows(labeled),
        bandwidth=0.8,
    )
    similarity = rbf(targets, X, 0.8)
    covered = rbf(targets, labeled, 0.8).max(axis=1, initial=0.0)
    assert_greedy(picks, similarity, covered, bonus=eta * similarity.max(axis=0))


def test_a_large_eta_takes_the_rows_nearest_to_any_target():
    rng = np.random.default_rng(7)
    X, targets = rng.normal(size=(60, 2)), rng.normal(size=(3, 2))
    picks = targeted_coverage(X, targets, 10, eta=1e6, bandwidth=1.0)
    assert_array_equal(picks, np.argsort(cdist(X, targets).min(axis=1))[:10])


# -- ties and what is left over ----------------------------------------------------------------


@parametrize_runs("n_runs", 150, 600)
def test_ties_are_broken_at_random(n_runs):
    X, rng = np.repeat([[0.0], [9.0], [30.0]], [3, 2, 1], axis=0), np.random.RandomState(0)
    for kernel in KERNELS:
        options = {} if kernel == "distance" else {"bandwidth": 2.0}
        picks = [select(X, 4, kernel, random_state=rng, **options) for _ in range(n_runs)]
        picks = np.array(picks)
        # The three at 0 come first; in facility location those at 9 serve all as well.
        first = np.bincount(picks[:, 0], minlength=6)
        tied = slice(0, 5) if kernel == "distance" else slice(0, 3)
        assert chisquare(first[tied]).pvalue > 1e-3
        assert first[tied].sum() == n_runs
        # One of each place, before any place is taken twice; then any row that is left.
        assert all(len(np.unique(X[row[:3]])) == 3 for row in picks)
        assert set(picks[:, 3]) == {0, 1, 2, 3, 4}


@pytest.mark.no_cover
def test_duplicates_tie_though_their_arithmetic_rounds(small_parts):
    rng, X = np.random.RandomState(1), np.random.default_rng(8).normal(size=(40, 7))
    X = np.concatenate([X, X, X])
    for kernel in ("rbf", "distance"):
        runs = np.array([select(X, 3, kernel, random_state=rng) for _ in range(60)])
        assert (runs % 40 == runs[0] % 40).all()
        for column in runs.T:
            assert chisquare(np.bincount(column // 40, minlength=3)).pvalue > 1e-4


@pytest.mark.no_cover
@pytest.mark.parametrize("kernel", KERNELS)
def test_when_all_is_covered_the_rest_is_random(kernel):
    X, labeled = np.repeat(np.eye(4), 5, axis=0), np.eye(4)
    options = {} if kernel == "distance" else {"bandwidth": 0.5}
    picks = [
        select(X, 2, kernel, labeled=labeled, random_state=seed, **options) for seed in range(200)
    ]
    assert chisquare(np.bincount(np.ravel(picks), minlength=20)).pvalue > 1e-3


def test_weights_that_are_all_zero_give_a_random_batch():
    X = np.random.default_rng(9).normal(size=(10, 2))
    picks = {max_coverage(X, 1, weights=np.zeros(10), random_state=seed)[0] for seed in range(99)}
    assert picks == set(range(10))


# -- precision and threads ---------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_balls_in_single_precision_are_those_of_plain_greedy(shift, blobs):
    X = blobs(900, 6) + np.float32(shift)
    X[5] += 50  # an outlier, which makes its cell wide
    for weights in (None, np.random.default_rng(17).random(900)):
        options = {"labeled": X[:7] + np.float32(0.5), "weights": weights}
        picks = max_coverage(X, 30, kernel="tophat", bandwidth=2.5, **options)
        assert_plain_greedy(picks, X, "tophat", 2.5, **options)


def test_rows_at_the_rim_are_counted_as_in_double_precision():
    # Distances on a grid are often the radius itself, which single precision cannot tell.
    grid = np.random.default_rng(18).integers(0, 12, size=(800, 3))
    picks = max_coverage(grid * 0.1 + 1.0, 40, kernel="tophat", bandwidth=0.3)
    gained, left, near = [], np.ones(800, dtype=bool), cdist(grid, grid, "sqeuclidean") <= 9
    for pick in picks:
        gains = near[left].sum(axis=0)
        gained.append((gains[pick], gains.max()))
        left &= ~near[pick]
    assert np.ptp(gained, axis=1).max() == 0


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_labeled", [0, 5])
def test_the_number_of_threads_changes_no_pick(kernel, n_labeled, blobs, monkeypatch):
    for module in (coverage, thread_engine):
        monkeypatch.setattr(module, "MIN_THREADED_PAIRS", 400)
    X, answers = blobs(700, 5), []
    options = {} if kernel == "distance" else {"bandwidth": 2.0}
    if n_labeled:
        options["labeled"] = X[:n_labeled] + 1
    for n_threads in (1, 3):
        monkeypatch.setattr(_coverage, "limit_blas_threads", lambda _, n=n_threads: nullcontext(n))
        answers.append(select(X, 40, kernel, random_state=0, **options))
    assert_array_equal(*answers)


# -- the reference sample ----------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, [0, 1, 1, 2, 4, 8, 100, 0]])
def test_the_sample_has_its_size_and_its_inclusion_probabilities(weights):
    rng, counts, totals = np.random.RandomState(0), np.zeros(8), []
    for _ in range(6000):
        drawn, horvitz_thompson, _ = _coverage._draw_reference(
            8, weights and np.array(weights), 4, rng
        )
        assert len(drawn) == 4
        counts[drawn] += 1
        totals.append(horvitz_thompson.sum())
    full = np.ones(8) if weights is None else np.array(weights, dtype=float)
    # One row is certain to be drawn, then another of the three places left: 3 x 8 / 16 > 1.
    expected = np.full(8, 0.5) if weights is None else np.array([0, 0.25, 0.25, 0.5, 1, 1, 1, 0])
    assert_allclose(counts / 6000, expected, atol=0.03)
    assert_allclose(np.mean(totals), full.sum(), rtol=0.01)


def test_no_more_rows_are_drawn_than_have_a_weight():
    weights = np.array([0.0, 3.0, 0.0, 0.0, 2.0])
    drawn, horvitz_thompson, _ = _coverage._draw_reference(5, weights, 3, np.random.RandomState(0))
    assert_array_equal(drawn, [1, 4])
    assert_array_equal(horvitz_thompson, [3.0, 2.0])


@pytest.mark.no_cover
@pytest.mark.parametrize("kernel", ["rbf", "distance"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_sample_gives_nearly_the_coverage_of_all_rows(kernel, weighted):
    rng = np.random.default_rng(12)
    X = 2 * rng.normal(size=(10, 8))[rng.integers(10, size=4000)] + rng.normal(size=(4000, 8))
    weights = rng.random(4000) ** 3 if weighted else np.ones(4000)
    similarity = KERNELS[kernel](X, X[:4000], spread(X))
    values = []
    for max_reference in (None, 1000):
        picks = select(X, 30, kernel, weights=weights, max_reference=max_reference, random_state=0)
        values.append(weights @ similarity[:, picks].max(axis=1))
    assert abs(values[1] / values[0] - 1) < 0.02


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_drawn_row_covers_itself_but_once(kernel, weighted, small_parts):
    """Its other weight stands for other rows, and says nothing of how it covers these."""
    rng = np.random.default_rng(20)
    X, weights = rng.normal(size=(150, 3)), rng.random(150) if weighted else None
    options = {} if kernel == "distance" else {"bandwidth": 1.1}
    picks = select(X, 20, kernel, max_reference=40, weights=weights, random_state=7, **options)
    sample, drawn_weights, _ = _coverage._draw_reference(150, weights, 40, np.random.RandomState(7))
    merit = KERNELS[kernel](X[sample], X, 1.1)  # (n_sample, n_rows)
    own = np.ones(150) if weights is None else weights
    largest = np.linalg.norm(X - X.mean(axis=0), axis=1).max()
    covered = np.full(40, -2.0 * largest if kernel == "distance" else 0.0)
    for row in picks:
        counted = np.repeat(drawn_weights[:, None], 150, axis=1)
        counted[np.arange(40), sample] = own[sample]
        gains = (counted * np.maximum(merit - covered[:, None], 0.0)).sum(axis=0)
        assert gains[row] >= gains.max() * (1 - 1e-9) - 1e-9
        covered = np.maximum(covered, merit[:, row])


@pytest.mark.parametrize("kind", ["even", "clumps", "heavy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_tenth_of_the_rows_gives_99_percent_of_the_coverage(kind, weighted):
    """Also where a row is near to no other, so that picks would be rows of the sample."""
    rng = np.random.default_rng(21)
    X = rng.normal(size=(6000, 32))
    if kind == "clumps":
        X += 2 * rng.normal(size=(20, 32))[rng.integers(20, size=6000)]
    if kind == "heavy":
        X = rng.standard_t(2, size=(6000, 32))
    X = X.astype(np.float32)
    weights = rng.random(6000) ** 4 if weighted else np.ones(6000)
    values = []
    for max_reference in (None, 600):
        picks = max_coverage(X, 20, weights=weights, max_reference=max_reference, random_state=0)
        values.append(weights @ rbf(X, X[picks], spread(X)).max(axis=1))
    assert values[1] > 0.985 * values[0]


# -- the radius --------------------------------------------------------------------------------


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_radius_is_the_largest_at_which_enough_balls_are_pure(as_rows, monkeypatch):
    monkeypatch.setattr(similarity, "_SIMILARITY_BYTES", 2**10)
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(13)
    X = 3 * rng.normal(size=(4, 3))[rng.integers(4, size=200)] + rng.normal(size=(200, 3))
    seeds = np.random.RandomState(0)
    learned = np.sort(seeds.permutation(200))
    clusters = KMeans(4, n_init=1, random_state=seeds).fit(X[learned]).labels_

    def purity(radius):
        near = cdist(X, X) <= radius
        return np.mean([len(set(clusters[row])) == 1 for row in near])

    radius = purity_radius(as_rows(X), 4, purity=0.9, random_state=0)
    assert purity(radius) >= 0.9
    assert purity(radius * 1.00001) < 0.9


def test_radius_from_single_precision_is_on_the_safe_side(blobs, monkeypatch):
    for module in (coverage, thread_engine):
        monkeypatch.setattr(module, "MIN_THREADED_PAIRS", 0)
    X = blobs(3000, 16) + np.float32(5)
    radius = purity_radius(X, 10, random_state=0)
    doubled = purity_radius(X.astype(float), 10, random_state=0)
    monkeypatch.setattr(_coverage, "choose_precision", lambda *_: (np.float64, 1e-12))
    exact = purity_radius(X.astype(float), 10, random_state=0)
    assert radius <= exact
    assert doubled <= exact
    assert_allclose([radius, doubled], exact, rtol=2e-5)


def test_radius_of_one_place_and_of_fewer_rows_than_clusters():
    assert purity_radius(np.ones((20, 2)), 3) == np.inf
    assert purity_radius(np.array([[1.0]]), 3) == np.inf
    assert_allclose(purity_radius(np.array([[1.0], [2.0]]), 3), 1.0, rtol=1e-5)
    assert max_coverage(np.ones((5, 2)), 3, kernel="tophat", bandwidth=np.inf).shape == (3,)


# -- memory ------------------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize("kernel", KERNELS)
def test_memory_is_linear(kernel):
    X = np.random.default_rng(14).normal(size=(8000, 8)).astype(np.float32)
    options = {} if kernel == "distance" else {"bandwidth": 1.5}
    tracemalloc.start()
    try:
        select(X, 50, kernel, labeled=X[:2000] + 1, random_state=0, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8000 * 8000 / 2  # bytes: a matrix of single numbers would take 8 times as much


@pytest.mark.parametrize("kind", ["even", "clumped", "heavy tails", "two scales"])
@pytest.mark.parametrize("n_labeled", [0, 30])
def test_bandwidths_may_be_solved_for_those_that_can_win(kind, n_labeled):
    """The picks are those by all bandwidths, most of which are never solved."""
    rng = np.random.default_rng(8)
    rows = {
        "even": rng.random((700, 3)),
        "clumped": np.repeat(9 * rng.normal(size=(70, 4)), 10, axis=0) + rng.normal(size=(700, 4)),
        "heavy tails": rng.standard_t(1.5, size=(700, 4)),
        "two scales": np.r_[1e-2 * rng.normal(size=(300, 2)), rng.normal(size=(400, 2)) + 9],
    }[kind]
    X, labeled = rows[n_labeled:], rows[:n_labeled]
    shared = SharedBandwidths(rows, 20, tolerance=2e-6)
    solved = []

    class Counted(LazyBandwidths):
        def solve(self, positions):
            solved.extend(positions)
            return super().solve(positions)

    options = {"weights": rng.random(len(X)), "candidate_weights": rng.random(len(X))}
    if n_labeled:
        options |= {"labeled": labeled, "labeled_bandwidth": shared.solve(labeled)}
    expected = cover_greedily(X, 15, bandwidth=shared.solve(X), random_state=0, **options)
    lazy = Counted(shared, X)
    assert_array_equal(cover_greedily(X, 15, bandwidth=lazy, random_state=0, **options), expected)
    assert len(solved) == len(set(solved)) < 0.5 * len(X)
    assert set(expected) <= set(solved)
