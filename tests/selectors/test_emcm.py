"""EMCM, pick by pick against its definition: a model that takes steps along its gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skactive.selectors import PowerTop, emcm, top
from skactive.selectors._emcm import measure_change

KINDS = [np.asarray, np.float32, sparse.csr_array, sparse.coo_array]
kinds = pytest.mark.parametrize("as_rows", KINDS, ids=lambda kind: kind.__name__)


def made_up(n_rows=30, n_dims=4, n_draws=5, n_outputs=0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_dims)).astype(np.float32).astype(float)  # exact in both
    shape = (n_draws, n_rows, n_outputs) if n_outputs else (n_draws, n_rows)
    return X, rng.normal(size=shape)


def brute_changes(X, gaps, picks):
    """Mean gradient lengths after each draw's own weights took a step for each pick."""
    H = np.column_stack([np.ones(len(X)), X])
    gaps = gaps.reshape(*gaps.shape[:2], -1)
    lengths = np.zeros(len(H))
    for draw in gaps:  # (n_rows, n_outputs), labels of a model whose predictions are 0
        weights = np.zeros((H.shape[1], draw.shape[1]))
        for pick in picks:
            gradient = np.outer(H[pick], weights.T @ H[pick] - draw[pick])
            weights -= gradient / (H[pick] @ H[pick])
        for i, h in enumerate(H):
            lengths[i] += np.linalg.norm(np.outer(h, weights.T @ h - draw[i])) / len(gaps)
    return lengths


def brute_picks(X, gaps, batch_size):
    picks = []
    for _ in range(batch_size):
        changes = brute_changes(X, gaps, picks)
        changes[picks] = -1.0
        picks.append(int(changes.argmax()))
    return picks


@kinds
@pytest.mark.parametrize("n_outputs", [0, 1, 3])
def test_picks_are_those_of_a_model_that_takes_steps(as_rows, n_outputs):
    for seed in range(3):
        X, gaps = made_up(n_outputs=n_outputs, seed=seed)
        picks = emcm(as_rows(X), gaps, 12, random_state=0)
        assert_array_equal(picks, brute_picks(X, gaps, 12))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 5), st.integers(1, 6))
def test_each_pick_is_among_the_largest_changes(seed, n_rows, n_dims, n_draws):
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, (n_rows, n_dims)).astype(float)  # with duplicates and rows of zeros
    gaps = rng.integers(-2, 3, (n_draws, n_rows)).astype(float)
    picks = emcm(X, gaps, n_rows, random_state=seed)
    assert sorted(picks) == list(range(n_rows))
    for n, pick in enumerate(picks):
        changes = brute_changes(X, gaps, picks[:n])
        changes[picks[:n]] = -1.0
        assert changes[pick] >= changes.max() * (1 - 1e-9) - 1e-9


def test_the_first_change_is_that_of_the_score():
    X, gaps = made_up(n_outputs=2)
    assert_allclose(measure_change(X, gaps), brute_changes(X, gaps, []))


def test_a_duplicate_of_a_pick_would_not_change_the_model_again():
    X, gaps = made_up(n_rows=12)
    first = emcm(X, gaps, 1)[0]
    copies = np.append(np.arange(12), np.full(20, first))
    assert emcm(X[copies], gaps[:, copies], 2, random_state=0)[1] not in {first, *range(12, 32)}


def test_the_highest_at_once_would_be_alike_where_the_batch_is_not():
    rng = np.random.default_rng(0)
    X = np.vstack([[9.0, 0.0] + 0.01 * rng.normal(size=(10, 2)), rng.normal(size=(50, 2))])
    gaps = rng.normal(size=(6, 1)) * np.ones(60)
    assert (top(measure_change(X, gaps), 5) < 10).all()
    assert (emcm(X, gaps, 2, random_state=0) < 10).sum() == 1


def test_the_order_of_rows_does_not_matter():
    X, gaps = made_up(n_rows=200, n_dims=7)
    order = np.random.default_rng(1).permutation(200)
    picks = emcm(X[order], gaps[:, order], 30, random_state=0)
    assert_array_equal(order[picks], emcm(X, gaps, 30, random_state=0))


def test_ties_are_broken_by_the_seed_alone():
    X, gaps = np.ones((40, 2)), np.ones((3, 40))
    firsts = {int(emcm(X, gaps, 2, random_state=seed)[0]) for seed in range(60)}
    seconds = {int(emcm(X, gaps, 2, random_state=seed)[1]) for seed in range(60)}
    assert min(len(firsts), len(seconds)) > 15


def test_a_selector_draws_each_pick_by_the_changes_that_are_left():
    X = np.vstack([np.eye(2), np.eye(2)]) * 1000.0
    gaps = np.ones((2, 4))
    for seed in range(
        20
    ):  # of the pair that is left, both rows change the model; of the first, none
        picks = emcm(X, gaps, 2, selector=PowerTop(beta=5), random_state=seed)
        assert picks[0] % 2 != picks[1] % 2
    assert (
        len({tuple(emcm(X, gaps, 2, selector=PowerTop(), random_state=s)) for s in range(40)}) == 8
    )


def test_the_arrays_that_are_passed_stay_as_they_are():
    X, gaps = made_up()
    before = gaps.copy()
    emcm(X, gaps, 5, random_state=0)
    assert_array_equal(gaps, before)


@pytest.mark.parametrize(
    ("gaps", "message"),
    [
        (np.ones((3, 29)), "29 for 30 rows"),
        (np.ones(30), r"got shape \(30,\)"),
        (np.ones((0, 30)), r"got shape \(0, 30\)"),
        (np.full((3, 30), np.nan), "finite"),
    ],
)
def test_wrong_gaps_are_named(gaps, message):
    with pytest.raises(ValueError, match=message):
        emcm(made_up()[0], gaps, 2)


def test_what_cannot_be_called_is_no_selector():
    X, gaps = made_up()
    with pytest.raises(TypeError, match="selector must be callable, got 'top'"):
        emcm(X, gaps, 2, selector="top")
