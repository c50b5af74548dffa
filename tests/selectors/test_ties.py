"""Rows that are equally good are all drawn from: on grids, and whatever the order of the rows."""

import numpy as np
import pytest
from scipy import sparse

from skactive.selectors import (
    _distance,
    gsy,
    igs,
    k_center_greedy,
    lcmd,
    ranked_batch,
    robust_k_center_greedy,
)
from skactive.selectors._engine import nearest_centers as engine

TIE = 1e-9  # relative; distances on a grid differ by far more
# Columns, values per column and their step, whose means have no exact form: hundreds of rows tie.
GRIDS = {"integers": (3, 5, 1.0), "thirds": (5, 3, 1 / 3), "tenths": (4, 3, 0.1)}
grids = pytest.mark.parametrize("grid", GRIDS)
kinds = pytest.mark.parametrize("kind", ["float64", "float32", "csr"])


@pytest.fixture
def drawn_from(monkeypatch):
    """Candidates of each draw among ties, in order."""
    sets = []

    def record(positions, rng):
        sets.append(frozenset(np.asarray(positions).tolist()))
        return int(positions[rng.randint(len(positions))])

    monkeypatch.setattr(engine, "draw_one", record)
    monkeypatch.setattr(_distance, "draw_one", record)
    return sets


def make_grid(name, kind, order):
    """Return a pool with duplicates, labeled rows, and both as the selectors get them."""
    n_dims, n_values, step = GRIDS[name]
    rng = np.random.default_rng(1)
    X = rng.integers(0, n_values, (4000, n_dims)) * step
    L = rng.integers(0, n_values, (3, n_dims)) * step
    if order == "permuted":
        X = X[np.random.default_rng(2).permutation(len(X))]
    dtype = np.float32 if kind == "float32" else np.float64
    make = sparse.csr_array if kind == "csr" else np.asarray
    X, L = X.astype(dtype), L.astype(dtype)
    return X.astype(float), L.astype(float), make(X), make(L)


def squared(A, B):
    return np.square(A[:, None] - B[None]).sum(axis=2)


def best(values):
    """Positions of all rows of the highest value."""
    return frozenset(np.flatnonzero(values >= values.max() - TIE * abs(values.max())).tolist())


def assert_candidates(drawn_from, expected):
    """Compare candidates by turn; a single one may be taken without a draw."""
    drawn = iter(drawn_from)
    assert all(len(rows) == 1 or next(drawn, None) == rows for rows in expected)
    assert max(map(len, expected)) >= 20


@grids
@kinds
@pytest.mark.parametrize("order", ["given", "permuted"])
def test_k_center_draws_from_all_rows_that_are_farthest(grid, kind, order, drawn_from):
    X, L, pool, labeled = make_grid(grid, kind, order)
    picks = k_center_greedy(pool, 6, labeled=labeled, random_state=0)
    nearest, expected = squared(X, L).min(axis=1), []
    for pick in picks:
        expected.append(best(nearest))
        nearest = np.minimum(nearest, squared(X, X[[pick]])[:, 0])
    assert_candidates(drawn_from, expected)


@grids
@kinds
@pytest.mark.parametrize("order", ["given", "permuted"])
def test_ranked_batch_draws_from_all_rows_of_the_highest_merit(grid, kind, order, drawn_from):
    X, L, pool, labeled = make_grid(grid, kind, order)
    uncertainty = np.round(np.abs(X).sum(axis=1) % 2) / 2  # the same for duplicates
    picks = ranked_batch(pool, uncertainty, 6, labeled=labeled, random_state=0)
    expected, nearest = [], squared(X, L).min(axis=1)
    for turn, pick in enumerate(picks):
        alpha = (len(X) - turn) / (len(X) + len(L))
        merit = alpha * (1 - 1 / (1 + np.sqrt(nearest))) + (1 - alpha) * uncertainty
        merit[picks[:turn]] = -np.inf
        expected.append(best(merit))
        nearest = np.minimum(nearest, squared(X, X[[pick]])[:, 0])
    assert_candidates(drawn_from, expected)


@grids
@kinds
@pytest.mark.parametrize("order", ["given", "permuted"])
def test_robust_k_center_draws_from_all_rows_of_the_rank(grid, kind, order, drawn_from):
    X, L, pool, labeled = make_grid(grid, kind, order)
    picks = robust_k_center_greedy(pool, 6, quantile=0.8, labeled=labeled, random_state=0)
    nearest, expected = squared(X, L).min(axis=1), []
    nearest[nearest < TIE] = 0.0
    for pick in picks:
        falling = np.sort(nearest[nearest > 0])[::-1]
        level = falling[int(0.2 * len(falling) * (1 + 1e-9))]
        expected.append(frozenset(np.flatnonzero(np.abs(nearest - level) <= TIE * level).tolist()))
        nearest = np.minimum(nearest, squared(X, X[[pick]])[:, 0])
        nearest[nearest < TIE] = 0.0
    assert_candidates(drawn_from, expected)


@grids
@kinds
@pytest.mark.parametrize("order", ["given", "permuted"])
def test_lcmd_draws_from_all_the_farthest_rows_of_the_cluster(grid, kind, order, drawn_from):
    X, L, pool, labeled = make_grid(grid, kind, order)
    picks = lcmd(pool, 6, labeled=labeled, random_state=0)
    centers, expected = L, []
    for turn, pick in enumerate(picks):
        distance = squared(X, centers)
        least = distance.min(axis=1)
        # The first of several that are equally near.
        cluster = (distance <= (least + TIE)[:, None]).argmax(axis=1)
        sums = np.bincount(cluster, least, minlength=len(centers))
        clusters = best(sums)
        chosen = next(iter(drawn_from[2 * turn]))
        if len(clusters) > 1:
            chosen = cluster[pick]
        assert drawn_from[2 * turn] == clusters
        expected.append(best(np.where(cluster == chosen, least, -1.0)))
        centers = np.concatenate([centers, X[[pick]]])
    assert_candidates(drawn_from[1::2], expected)


@kinds
def test_greedy_sampling_of_regression_draws_from_all_ties(kind, drawn_from):
    X, L, pool, labeled = make_grid("thirds", kind, "given")
    prediction, targets = X.sum(axis=1), L.sum(axis=1)
    for select, by_rows in ((gsy, False), (igs, True)):
        drawn_from.clear()
        picks = select(pool, prediction, 3, labeled=labeled, targets=targets, random_state=0)
        centers, known, expected = L, targets, []
        for pick in picks:
            products = np.square(prediction[:, None] - known[None])
            if by_rows:
                products = products * squared(X, centers)
            expected.append(best(products.min(axis=1)))
            centers = np.concatenate([centers, X[[pick]]])
            known = np.append(known, prediction[pick])
        assert_candidates(drawn_from, expected)


def test_rows_that_share_no_word_with_a_center_are_all_candidates(drawn_from):
    rng = np.random.default_rng(0)
    words = rng.integers(1, 6000, (1000, 5))
    X = np.zeros((1000, 6001))
    X[np.arange(1000)[:, None], words] = 1.0
    X[:500, 0] = 1.0  # the word of the labeled row
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    labeled = np.zeros((1, 6001))
    labeled[0, 0] = 1.0
    k_center_greedy(sparse.csr_array(X), 1, labeled=sparse.csr_array(labeled), random_state=0)
    assert drawn_from == [frozenset(range(500, 1000))]
