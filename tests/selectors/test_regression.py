"""Greedy sampling, LCMD and robust k-center, pick by pick against their definitions."""

import tracemalloc
from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.stats import chisquare

from skactive.selectors import gsy, igs, k_center_greedy, lcmd, robust_k_center_greedy
from skactive.selectors._engine.nearest_centers import AllDistances
from skactive.selectors._regression import _ProductDistances

KINDS = [np.asarray, np.float32, sparse.csr_array, sparse.csr_matrix, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


def all_pairs(A, B):
    A, B = (np.asarray(points, dtype=float).reshape(len(points), -1) for points in (A, B))
    return np.square(A[:, None] - B[None]).sum(axis=2)


def outer(a, h):
    return np.einsum("ic,id->icd", a, h).reshape(len(a), -1)


def central(X):
    return int(np.argmin(all_pairs(X, X.mean(axis=0)[None])))


def assert_as_likely(counts, expected):
    """Fail where counts this far from their expectation come up once in a thousand."""
    assert chisquare(counts, expected).pvalue > 1e-3


def made_up(n_labeled=5, n_rows=60, n_dims=3, seed=0, sparsely=False):
    rng = np.random.default_rng(seed)
    X, labeled = rng.normal(size=(n_rows, n_dims)), rng.normal(size=(n_labeled, n_dims))
    if sparsely:
        X, labeled = np.maximum(X, 0), np.maximum(labeled, 0)
    X, labeled = (points.astype(np.float32) for points in (X, labeled))  # exact in both precisions
    return X, rng.normal(size=n_rows), labeled, rng.normal(size=n_labeled)


# -- greedy sampling in regression -------------------------------------------------------------


def brute_greedy_sampling(X, f, batch_size, labeled, targets, exponents):
    """Pick by the least product of distance and gap, either of which may have exponent 0."""
    points, outputs, picks = list(labeled), list(targets), []
    if not points:
        picks.append(central(X))
        points.append(X[picks[0]])
        outputs.append(f[picks[0]])
    while len(picks) < batch_size:
        distances, gaps = np.sqrt(all_pairs(X, points)), np.sqrt(all_pairs(f, outputs))
        merit = (distances ** exponents[0] * gaps ** exponents[1]).min(axis=1)
        merit[picks] = -1.0
        picks.append(int(np.argmax(merit)))
        points.append(X[picks[-1]])
        outputs.append(f[picks[-1]])
    return picks


GREEDY = {"gsy": (gsy, (0, 1)), "igs": (igs, (1, 1))}
greedy = pytest.mark.parametrize(("select", "exponents"), GREEDY.values(), ids=GREEDY)


@pytest.mark.no_cover
@greedy
@kinds
@pytest.mark.parametrize("n_labeled", [0, 1, 5, 90])
@pytest.mark.parametrize("n_dims", [1, 3])
def test_greedy_sampling_is_its_definition(select, exponents, as_rows, n_labeled, n_dims):
    X, f, labeled, targets = made_up(n_labeled, n_dims=n_dims)
    picks = select(as_rows(X), f, 40, labeled=as_rows(labeled), targets=targets, random_state=0)
    assert_array_equal(picks, brute_greedy_sampling(X, f, 40, labeled, targets, exponents))


@greedy
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_greedy_sampling_in_a_pool_of_bounds(select, exponents, dtype):
    # So many rows that most of them are never refreshed; far from the origin, for rounding.
    X, f, labeled, targets = made_up(7, n_rows=3000, n_dims=6, seed=1)
    X, labeled = (1000 + X).astype(dtype), (1000 + labeled).astype(dtype)
    picks = select(X, f, 50, labeled=labeled, targets=targets, random_state=0)
    assert_array_equal(picks, brute_greedy_sampling(X, f, 50, labeled, targets, exponents))


@greedy
def test_greedy_sampling_of_several_outputs(select, exponents):
    X, _, labeled, _ = made_up()
    rng = np.random.default_rng(5)
    f, targets = rng.normal(size=(60, 2)), rng.normal(size=(5, 2))
    picks = select(X, f, 30, labeled=labeled, targets=targets, random_state=0)
    assert_array_equal(picks, brute_greedy_sampling(X, f, 30, labeled, targets, exponents))


def test_igs_of_factors_is_igs_of_their_products():
    rng = np.random.default_rng(0)
    a, h, f = rng.normal(size=(40, 3)), rng.normal(size=(40, 4)), rng.normal(size=40)
    a[5], h[5] = 2 * a[6], h[6] / 2
    a[7], h[8] = 0, 0
    expected = igs(outer(a, h), f, 25, random_state=1)
    for points in ((a, h), (a, sparse.csr_array(h))):
        assert_array_equal(igs(points, f, 25, random_state=1), expected)


def test_a_pick_counts_with_what_was_predicted_of_it():
    X, f = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([10.0, 9.9, -5.0, 1.0])
    picks = gsy(X, f, 4, labeled=X[:1], targets=np.array([0.0]))
    assert_array_equal(picks, [0, 2, 3, 1])  # row 1 is all but row 0, which has no target yet


def test_igs_wants_both_distance_and_gap():
    X, f = np.array([[9.0], [0.1], [3.0]]), np.array([0.1, 9.0, 3.0])
    for scale in (1.0, 1e-6, 1e6):
        picks = igs(scale * X, f, 1, labeled=np.zeros((1, 1)), targets=np.zeros(1))
        assert_array_equal(picks, [2])


@greedy
@pytest.mark.parametrize("constant", [False, True])
def test_predictions_that_equal_targets_leave_it_to_the_embedding(select, exponents, constant):
    X, _, labeled, targets = made_up()
    f = np.full(60, targets[0]) if constant else targets[np.arange(60) % 5]  # as a tree predicts
    picks = select(X, f, 20, labeled=labeled, targets=targets, random_state=0)
    assert_array_equal(picks, k_center_greedy(X, 20, labeled=labeled))


@greedy
def test_duplicates_of_known_rows_come_last(select, exponents):
    X, f, _, _ = made_up(n_rows=12)
    rows = np.concatenate([X, X, X[:3]])
    predicted = np.concatenate([f, f, f[:3]])
    for seed in range(20):
        picks = select(rows, predicted, 27, labeled=X[:3], targets=f[:3], random_state=seed)
        assert_array_equal(np.sort(picks), np.arange(27))
        assert sorted(picks[:9] % 12) == list(range(3, 12))


@pytest.mark.no_cover
@greedy
def test_greedy_sampling_breaks_ties_at_random(select, exponents):
    X, f = np.array([[1.0], [-1.0], [1.0], [0.5]]), np.array([2.0, -2.0, 2.0, 0.5])
    known, rng = {"labeled": np.zeros((1, 1)), "targets": np.zeros(1)}, np.random.RandomState(0)
    first = [select(X, f, 1, **known, random_state=rng)[0] for _ in range(1500)]
    assert_as_likely(np.bincount(first, minlength=4)[:3], [500] * 3)
    assert 3 not in first


# -- largest cluster maximum distance ----------------------------------------------------------


def brute_lcmd(X, batch_size, labeled):
    centers, picks = list(labeled), []
    if not centers:
        picks.append(central(X))
        centers.append(X[picks[0]])
    while len(picks) < batch_size:
        squared = all_pairs(X, centers)
        nearest, squared = squared.argmin(axis=1), squared.min(axis=1)
        sums = [squared[nearest == c].sum() for c in range(len(centers))]
        picks.append(int(np.argmax(np.where(nearest == np.argmax(sums), squared, -1.0))))
        centers.append(X[picks[-1]])
    return picks


@pytest.mark.no_cover
@kinds
@pytest.mark.parametrize("n_labeled", [0, 1, 5, 200])
@pytest.mark.parametrize("n_dims", [1, 3])
def test_lcmd_is_its_definition(as_rows, n_labeled, n_dims):
    X, _, labeled, _ = made_up(n_labeled, n_dims=n_dims, seed=3)
    picks = lcmd(as_rows(X), 50, labeled=as_rows(labeled), random_state=0)
    assert_array_equal(picks, brute_lcmd(X, 50, labeled))


@pytest.mark.no_cover
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lcmd_in_a_larger_pool(dtype):
    rng = np.random.default_rng(0)
    blobs = 1000 + 5 * rng.normal(size=(8, 4))
    X = (blobs[rng.integers(8, size=2000)] + rng.normal(size=(2000, 4))).astype(dtype)
    assert_array_equal(lcmd(X, 30, labeled=X[:150], random_state=0), brute_lcmd(X, 30, X[:150]))


def test_lcmd_prefers_the_crowd_to_the_outlier():
    X = np.concatenate([[[100.0]], np.linspace(3, 4, 2000)[:, None]])
    assert lcmd(X, 1, labeled=np.array([[0.0], [50.0]]))[0] == 2000
    assert k_center_greedy(X, 1, labeled=np.array([[0.0], [50.0]]))[0] == 0


def test_lcmd_of_factors_is_lcmd_of_their_products():
    rng = np.random.default_rng(0)
    a, h = rng.normal(size=(40, 3)), rng.normal(size=(40, 4))
    expected = lcmd(outer(a, h), 25, random_state=1)
    for points in ((a, h), (a, sparse.csr_array(h))):
        assert_array_equal(lcmd(points, 25, random_state=1), expected)


def test_lcmd_breaks_ties_at_random():
    # Two clusters of equal sums; two rows of the one tie, and three of the other.
    aside = 10.0 + 0.5 * np.array([1, 1, 1, -1, -1, -1])
    X = np.array([[1.5], [-1.5], [9.0], [11.0], [9.0], *aside[:, None]])
    known, rng = np.array([[0.0], [10.0]]), np.random.RandomState(0)
    first = [lcmd(X, 1, labeled=known, random_state=rng)[0] for _ in range(1200)]
    counts = np.bincount(first, minlength=11)
    assert_as_likely(counts[:5], [300, 300, 200, 200, 200])
    assert counts[5:].sum() == 0


def test_ties_by_symmetry_are_broken_at_random_in_spite_of_rounding():
    # The rows are equally long, but products of centered rows round each differently.
    X = np.array(list(permutations([0.1, 0.7, 1.3, 0.0])))
    X, known = X[[0, 3, 8, 13, 17, 22]], np.zeros((1, 4))
    for select in (lcmd, partial(robust_k_center_greedy, quantile=0.5)):
        rng = np.random.RandomState(0)
        first = [select(X, 1, labeled=known, random_state=rng)[0] for _ in range(600)]
        assert_as_likely(np.bincount(first, minlength=6), [100] * 6)


# -- farthest-first that tolerates outliers ----------------------------------------------------


def brute_robust(X, batch_size, labeled, quantile):
    centers, picks = list(labeled), []
    if not centers:
        picks.append(central(X))
        centers.append(X[picks[0]])
    while len(picks) < batch_size:
        squared = all_pairs(X, centers).min(axis=1)
        order = [row for row in np.argsort(-squared) if squared[row] > 0]
        picks.append(int(order[int(np.floor(round((1 - quantile) * len(order), 9)))]))
        centers.append(X[picks[-1]])
    return picks


@pytest.mark.no_cover
@kinds
@pytest.mark.parametrize("n_labeled", [0, 1, 5, 90])
@pytest.mark.parametrize("quantile", [0.01, 0.5, 0.8, 0.95, 1.0])
def test_robust_k_center_is_its_definition(as_rows, n_labeled, quantile):
    X, _, labeled, _ = made_up(n_labeled, seed=4)
    picks = robust_k_center_greedy(
        as_rows(X), 40, quantile=quantile, labeled=as_rows(labeled), random_state=0
    )
    assert_array_equal(picks, brute_robust(X, 40, labeled, quantile))


def test_robust_k_center_of_all_is_k_center():
    X, _, labeled, _ = made_up()
    expected = k_center_greedy(X, 60, labeled=labeled, random_state=0)
    for quantile in (1.0, 0.999):  # which is no whole row of 60
        picks = robust_k_center_greedy(X, 60, quantile=quantile, labeled=labeled, random_state=0)
        assert_array_equal(picks, expected)


def test_robust_k_center_passes_over_outliers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    X[:20] *= 1000
    assert k_center_greedy(X, 15).max() >= 20 > k_center_greedy(X, 15)[1:].max()
    assert robust_k_center_greedy(X, 15, quantile=0.97).min() >= 20


# -- the distances below them ------------------------------------------------------------------


@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("n_labeled", [0, 4])
def test_distances_and_centers_stay_exact_though_rows_are_skipped(as_rows, n_labeled, monkeypatch):
    rng = np.random.default_rng(0)
    blobs = 10 * rng.normal(size=(12, 3))
    X = blobs[rng.integers(12, size=500)] + rng.normal(size=(500, 3))
    state = AllDistances(as_rows(X), labeled=as_rows(X[:n_labeled]))
    met = []

    def counted(block, rows, squared):
        met.append(len(rows))
        type(state).update_by_last(state, block, rows, squared)

    monkeypatch.setattr(state, "update_by_last", counted)
    centers = list(range(n_labeled))
    for position in rng.choice(np.arange(n_labeled, 500), 60, replace=False):
        state.add_and_update(position)
        centers.append(position)
        squared = all_pairs(X, X[centers])
        assert_array_equal(state._nearest, squared.argmin(axis=1))
        np.testing.assert_allclose(state.bound, squared.min(axis=1), rtol=1e-9, atol=1e-12)
        assert_array_equal(state.bound == 0, squared.min(axis=1) == 0)
    assert sum(met) < 0.35 * 60 * 500  # the triangle inequality is of use


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("as_rows", [np.asarray, sparse.csr_array])
def test_bounds_on_products_are_tight_and_never_too_low(as_rows, dtype):
    rng = np.random.default_rng(0)
    X, f = (50 + rng.normal(size=(400, 5))).astype(dtype), rng.normal(size=(400, 1))
    known = X[:30] + 1e-3 * rng.normal(size=(30, 5)).astype(dtype)  # so near that rounding tells
    known[0], targets = X[0], rng.normal(size=(30, 1))
    true = (all_pairs(X, known) * all_pairs(f, targets)).min(axis=1)
    state = _ProductDistances(as_rows(X), f, as_rows(known), targets)
    # The distances of sparse rows are computed in double precision from the start.
    bound = state.bound if as_rows is np.asarray else state.raise_bounds()
    assert (bound >= true * (1 - 1e-12)).all()
    assert (bound <= 1.01 * true + 1e-2).all()
    np.testing.assert_allclose(state.refresh(np.arange(400)), true, rtol=1e-6, atol=1e-10)
    assert state.bound[0] == 0.0 < state.bound[1:].min()  # its target is not what is predicted


@pytest.mark.parametrize("select", ["igs", "lcmd", "robust"])
def test_memory_is_linear_in_the_pool(select):
    rng = np.random.default_rng(0)
    X, f = rng.normal(size=(40_000, 8)).astype(np.float32), rng.normal(size=40_000)
    known = {"labeled": X[:300], "random_state": 0}
    call = {
        "igs": lambda: igs(X, f, 200, targets=f[:300], **known),
        "lcmd": lambda: lcmd(X, 200, **known),
        "robust": lambda: robust_k_center_greedy(X, 200, **known),
    }[select]
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20  # n x batch distances alone would take 61 MiB


# -- grids full of ties ------------------------------------------------------------------------


grids = arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(-2, 2))


@given(X=grids, n_labeled=st.integers(1, 3), batch_size=st.integers(0, 13), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_lcmd_on_grids_full_of_ties(X, n_labeled, batch_size, seed):
    labeled = X[:n_labeled]
    picks = lcmd(X, batch_size, labeled=labeled, random_state=seed)
    assert len(set(picks.tolist())) == min(batch_size, len(X))
    for i, pick in enumerate(picks):
        centers = np.concatenate([X[:n_labeled], X[picks[:i]]])
        squared = all_pairs(X, centers).min(axis=1)
        assert (squared[pick] > 0) == (squared.max() > 0)


@given(X=grids, n_labeled=st.integers(1, 3), batch_size=st.integers(0, 13), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_igs_on_grids_full_of_ties(X, n_labeled, batch_size, seed):
    f = X.sum(axis=1) % 3
    picks = igs(X, f, batch_size, labeled=X[:n_labeled], targets=f[:n_labeled], random_state=seed)
    assert len(set(picks.tolist())) == min(batch_size, len(X))
    known = list(range(min(n_labeled, len(X))))
    for pick in picks:
        products = (all_pairs(X, X[known]) * all_pairs(f, f[known])).min(axis=1)
        assert products[pick] >= products.max() * (1 - 1e-12)
        known.append(pick)


@given(X=grids, quantile=st.sampled_from([0.25, 0.5, 0.75]), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_robust_k_center_on_grids_full_of_ties(X, quantile, seed):
    picks = robust_k_center_greedy(X, 13, quantile=quantile, labeled=X[:1], random_state=seed)
    assert_array_equal(np.sort(picks), np.arange(len(X)))
    for i, pick in enumerate(picks):
        squared = all_pairs(X, X[[0, *picks[:i]]]).min(axis=1)
        apart = np.sort(squared[squared > 0])[::-1]
        if len(apart):
            assert squared[pick] == apart[int((1 - quantile) * len(apart))]
