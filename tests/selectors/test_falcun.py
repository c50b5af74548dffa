"""Draws by relevance, against the definition in plain loops."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import chisquare

from skactive import scores
from skactive.selectors import _falcun
from skactive.selectors._falcun import falcun

DUPLICATES = np.array([[0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1], [0.6, 0.4]])


def plain_weights(proba, uncertainty, picks, gamma):
    """Relevance of every row to the power of gamma, from all pairs; 0 for the picks."""
    left = [i for i in range(len(proba)) if i not in picks]
    d = {}
    for i in left:
        to_picks = [np.abs(proba[i] - proba[s]).sum() for s in picks]
        d[i] = min([uncertainty[i], *to_picks])
    low, high = min(d.values()), max(d.values())
    weights = np.zeros(len(proba))
    for i in left:
        scaled = (d[i] - low) / (high - low) if high > low else 0.0
        weights[i] = (scaled + uncertainty[i]) ** gamma if high > 0 else 1.0
    return weights


def plain_picks(proba, uncertainty, batch_size, gamma, seed):
    rng, picks = np.random.RandomState(seed), []
    for _ in range(batch_size):
        weights = plain_weights(proba, uncertainty, picks, gamma)
        edges = np.cumsum(weights / weights.max())
        picks.append(int(np.searchsorted(edges, rng.random_sample() * edges[-1], side="right")))
    return picks


@pytest.mark.no_cover
@pytest.mark.parametrize("gamma", [1, 10])
@pytest.mark.parametrize("concentration", [0.02, 0.2, 1])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_picks_are_those_of_plain_loops(gamma, concentration, n_classes, monkeypatch):
    monkeypatch.setattr(_falcun, "_PROBA_BLOCK_BYTES", 300)  # several blocks, the last one short
    proba = np.random.RandomState(0).dirichlet(np.full(n_classes, concentration), 43)
    proba[5] = proba[6]
    uncertainty = scores.margin(proba)
    for seed in range(2):
        picks = falcun(proba, uncertainty, 20, gamma=gamma, random_state=seed)
        assert_array_equal(picks, plain_picks(proba, uncertainty, 20, gamma, seed))


def test_rows_need_not_sum_to_one():
    # So that no row is left out because probabilities are a little off.
    proba = np.random.RandomState(0).uniform(size=(43, 3))
    uncertainty = np.random.RandomState(1).uniform(size=43)
    for seed in range(5):
        picks = falcun(proba, uncertainty, 20, gamma=2, random_state=seed)
        assert_array_equal(picks, plain_picks(proba, uncertainty, 20, 2, seed))


def test_draws_follow_the_law():
    uncertainty = scores.margin(DUPLICATES)
    law = np.zeros((6, 6))
    first = plain_weights(DUPLICATES, uncertainty, [], 2)
    for i in range(6):
        second = plain_weights(DUPLICATES, uncertainty, [i], 2)
        law[i] = first[i] / first.sum() * second / second.sum()
    rng, counts, n_draws = np.random.RandomState(0), np.zeros((6, 6)), 5000
    for _ in range(n_draws):
        i, j = falcun(DUPLICATES, uncertainty, 2, gamma=2, random_state=rng)
        counts[i, j] += 1
    likely = law * n_draws >= 5
    assert_array_equal(counts[law == 0], 0)
    assert counts[~likely].sum() <= 3 * law[~likely].sum() * n_draws + 10
    share = counts[likely].sum() / law[likely].sum()
    assert chisquare(counts[likely], law[likely] * share).pvalue > 1e-3


def test_a_large_gamma_takes_the_most_relevant_rows():
    proba = np.array([[0.5, 0.5], [0.52, 0.48], [0.7, 0.3], [0.35, 0.65], [1.0, 0.0]])
    for seed in range(20):
        picks = falcun(proba, scores.margin(proba), 3, gamma=2000.0, random_state=seed)
        assert_array_equal(picks, [0, 2, 3])  # row 1 is uncertain, but too near to row 0


def test_gamma_zero_draws_uniformly():
    proba = np.random.RandomState(0).dirichlet(np.ones(3), 4)
    rng, counts = np.random.RandomState(0), np.zeros((4, 4))
    for _ in range(3000):
        i, j = falcun(proba, scores.margin(proba), 2, gamma=0, random_state=rng)
        counts[i, j] += 1
    assert_array_equal(counts.diagonal(), 0)
    assert chisquare(counts[counts > 0]).pvalue > 1e-3


@pytest.mark.parametrize("row", [[1.0, 0.0, 0.0], [0.4, 0.3, 0.3], [1 / 3, 1 / 3, 1 / 3]])
def test_rows_alike_are_drawn_uniformly(row):
    proba, rng, counts = np.tile(row, (5, 1)), np.random.RandomState(1), np.zeros((2, 5))
    for _ in range(1000):
        picks = falcun(proba, scores.margin(proba), 2, random_state=rng)
        counts[[0, 1], picks] += 1
        assert picks[0] != picks[1]
    assert chisquare(counts[0]).pvalue > 1e-3
    assert chisquare(counts[1]).pvalue > 1e-3


def test_sizes_and_inputs():
    proba = np.random.RandomState(0).dirichlet(np.ones(3), 9).astype(np.float32)
    uncertainty = scores.margin(proba)
    before = proba.copy(), uncertainty.copy()
    for batch_size in (0, 1, 9, 20):
        picks = falcun(proba, uncertainty, batch_size, random_state=0)
        assert picks.dtype == np.intp
        assert len(set(picks.tolist())) == len(picks) == min(batch_size, 9)
    assert_array_equal(proba, before[0])
    assert_array_equal(uncertainty, before[1])


def test_memory_does_not_grow_with_the_batch():
    proba = np.random.RandomState(0).dirichlet(np.ones(3), 50_000)
    uncertainty = scores.margin(proba)
    tracemalloc.start()
    falcun(proba, uncertainty, 40, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * uncertainty.nbytes
