"""Weights of stochastic picks: they leave no bias, and probabilities are those of the draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skactive.estimation import lure_estimate, lure_weights, proposal_probabilities
from skactive.selectors import PowerTop, SoftmaxTop, SoftrankTop, top

# LURE -------------------------------------------------------------------------------------------


def test_lure_weights_published_values():
    weights = lure_weights([0.3, 0.2, 0.25, 0.1], n_pool=10)
    expected = [0.5555555556, 0.6666666667, 0.5714285714, 1.4285714286]
    assert_allclose(weights, expected, rtol=1e-9)


@pytest.mark.parametrize("n_picks", [1, 4, 10])
def test_lure_weights_of_uniform_draws_are_one(n_picks):
    assert_allclose(lure_weights(1.0 / (10 - np.arange(n_picks)), 10), np.ones(n_picks))


def test_lure_of_all_rows_is_their_mean():
    rng = np.random.RandomState(0)
    losses, scores = rng.rand(12), rng.rand(12)
    picks = PowerTop()(scores, 12, random_state=0)
    q = proposal_probabilities(PowerTop(), scores, picks)
    estimate = lure_estimate(losses[picks], q, n_pool=12)
    assert estimate.value == pytest.approx(losses.mean(), rel=1e-12)
    assert estimate.low == estimate.high == estimate.value


def test_lure_of_one_pick():
    estimate = lure_estimate([1.0], [0.25], n_pool=8)
    assert estimate.value == pytest.approx(0.5)
    assert (estimate.low, estimate.high) == (-np.inf, np.inf)


@pytest.mark.no_cover
@pytest.mark.parametrize("selector", [PowerTop(), SoftmaxTop(3.0), SoftrankTop()])
def test_lure_has_no_bias_where_the_mean_has(selector):
    rng = np.random.RandomState(0)
    scores = 0.2 + rng.rand(60)
    losses = scores + 0.3 * rng.rand(60)  # uncertain rows are mostly those of high loss
    values, naive, held = [], [], 0
    for seed in range(600):
        picks = selector(scores, 15, random_state=seed)
        q = proposal_probabilities(selector, scores, picks)
        estimate = lure_estimate(losses[picks], q, 60)
        values.append(estimate.value)
        naive.append(losses[picks].mean())
        held += estimate.low <= losses.mean() <= estimate.high
    error = np.std(values) / np.sqrt(600)
    assert abs(np.mean(values) - losses.mean()) < 3 * error
    assert np.mean(naive) - losses.mean() > 30 * np.std(naive) / np.sqrt(600)
    assert 0.9 < held / 600 < 0.99


@pytest.mark.parametrize(
    ("proposal", "n_pool"), [([], 5), ([0.5] * 6, 5), ([0.0, 0.5], 5), ([1.5], 5), ([[0.5]], 5)]
)
def test_proposals_that_are_none(proposal, n_pool):
    with pytest.raises(ValueError, match="proposal must be"):
        lure_weights(proposal, n_pool)


def test_losses_and_proposal_of_one_length():
    with pytest.raises(ValueError, match="of one length"):
        lure_estimate([1.0, 0.0], [0.5], n_pool=5)


# Probabilities of stochastic picks --------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "potential"),
    [
        (PowerTop(2.0), lambda s: s**2.0),
        (SoftmaxTop(3.0), lambda s: np.exp(3.0 * s)),
        (SoftrankTop(1.5), lambda s: (1.0 + np.argsort(np.argsort(-s))) ** -1.5),
    ],
)
def test_probabilities_are_shares_of_what_is_left(selector, potential):
    scores = np.random.RandomState(1).rand(8)
    picks = selector(scores, 5, random_state=0)
    left, expected = np.ones(8, dtype=bool), []
    for pick in picks:
        expected.append(potential(scores)[pick] / potential(scores)[left].sum())
        left[pick] = False
    assert_allclose(proposal_probabilities(selector, scores, picks), expected, rtol=1e-12)


def test_probabilities_are_the_frequencies_of_the_draws():
    selector, scores = PowerTop(), np.array([0.1, 0.4, 0.2, 0.3])
    n, counts = 6000, {}
    for seed in range(n):
        pair = tuple(selector(scores, 2, random_state=seed).tolist())
        counts[pair] = counts.get(pair, 0) + 1
    expected = [n * proposal_probabilities(selector, scores, pair).prod() for pair in counts]
    assert len(counts) == 12
    assert sum(expected) == pytest.approx(n)
    assert stats.chisquare(list(counts.values()), expected).pvalue > 0.01


def test_tied_ranks_need_the_seed():
    scores, selector = np.array([0.5, 0.5, 0.5, 0.1]), SoftrankTop(2.0)
    with pytest.raises(ValueError, match="pass the random_state"):
        proposal_probabilities(selector, scores, [0])
    seen = set()
    for seed in range(30):
        picks = selector(scores, 1, random_state=seed)
        (q,) = proposal_probabilities(selector, scores, picks, random_state=seed)
        shares = np.array([1, 2, 3, 4]) ** -2.0 / (np.array([1, 2, 3, 4]) ** -2.0).sum()
        rank = np.flatnonzero(np.isclose(shares, q))
        assert len(rank) == 1
        seen.add(int(rank[0]))
        noise = np.random.RandomState(seed).gumbel(size=4) / 2.0
        # the pick of the highest noisy log-rank: with its own rank it must beat rank 4's row
        assert noise[picks[0]] - np.log(rank[0] + 1) >= noise[3] - np.log(4)
    assert len(seen) > 1


def test_rows_of_score_zero_come_last_and_evenly():
    q = proposal_probabilities(PowerTop(), [0.0, 0.6, 0.0, 0.2], [1, 3, 2, 0])
    assert_allclose(q, [0.75, 1.0, 0.5, 1.0])


def test_probabilities_lose_no_digits():
    q = proposal_probabilities(SoftmaxTop(), np.array([800.0, 0.0, 0.0, -800.0]), [0, 1, 2, 3])
    assert_allclose(q, [1.0, 0.5, 1.0, 1.0])


def test_picks_that_cannot_be():
    with pytest.raises(ValueError, match="order of the draws"):
        proposal_probabilities(PowerTop(), [0.0, 0.6, 0.2], [0, 1])
    for picks in ([0, 0], [3], [-1]):
        with pytest.raises(ValueError, match="distinct positions"):
            proposal_probabilities(PowerTop(), [0.0, 0.6, 0.2], picks)
    with pytest.raises(TypeError, match="Uniform draws have"):
        proposal_probabilities(top, [0.0, 0.6, 0.2], [1])
