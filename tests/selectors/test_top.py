"""Top-k and its stochastic relatives: who gets in, in what order, and how often."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy.stats import chisquare
from sklearn.base import clone

from skactive import selectors
from skactive.selectors import PowerTop, SoftmaxTop, SoftrankTop, top

STOCHASTIC = [PowerTop, SoftmaxTop, SoftrankTop]
ALL = [top, *(kind() for kind in STOCHASTIC)]


def assert_as_likely(counts, expected):
    """Fail where counts this far from their expectation come up once in a thousand."""
    assert chisquare(counts, expected).pvalue > 1e-3


def test_all_is_sorted_and_importable():
    assert selectors.__all__ == sorted(selectors.__all__)
    assert all(hasattr(selectors, name) for name in selectors.__all__)


@given(
    scores=arrays(float, st.integers(0, 30), elements=st.integers(-3, 3)),
    batch_size=st.integers(0, 35),
    seed=st.integers(0, 2**32 - 1),
)
def test_top_takes_the_highest_best_first(scores, batch_size, seed):
    picks = top(scores, batch_size, seed)
    assert picks.dtype == np.intp
    assert len(set(picks.tolist())) == len(picks) == min(batch_size, len(scores))
    assert_array_equal(scores[picks], np.sort(scores)[::-1][:batch_size])
    assert_array_equal(picks, top(scores, batch_size, seed))


def test_top_without_ties_ignores_the_seed():
    scores = np.random.default_rng(0).permutation(1000)
    expected = np.argsort(-scores)[:50]
    for seed in (0, 1, None):
        assert_array_equal(top(scores, 50, seed), expected)


def test_infinite_scores_are_scores():
    scores = np.array([-np.inf, 1.0, -np.inf, np.inf, 0.0])
    assert_array_equal(top(scores, 3), [3, 1, 4])
    assert set(top(scores, 5)[3:]) == {0, 2}


def test_equal_scores_give_every_ordered_subset_alike():
    rng = np.random.RandomState(0)
    outcomes = dict.fromkeys(permutations(range(4), 2), 0)
    for _ in range(6000):
        outcomes[tuple(top(np.ones(4), 2, rng).tolist())] += 1
    assert_as_likely(list(outcomes.values()), [500] * 12)


def test_ties_at_the_boundary_are_broken_at_random_and_above_it_put_in_random_order():
    scores, rng = np.array([0.5, 1.0, 0.5, 1.0, 0.5, 0.0]), np.random.RandomState(1)
    picks = np.array([top(scores, 3, rng) for _ in range(3000)])
    assert (np.sort(picks[:, :2], axis=1) == [1, 3]).all()
    assert_as_likely(np.bincount(picks[:, 0], minlength=6)[[1, 3]], [1500] * 2)
    assert_as_likely(np.bincount(picks[:, 2], minlength=6)[[0, 2, 4]], [1000] * 3)


# In this order: the potential of scores 4, 1, 2 to the power of beta, none of them normalized.
POTENTIALS = [
    (PowerTop(), [4, 1, 2]),
    (PowerTop(beta=2.0), [16, 1, 4]),
    (SoftmaxTop(), np.exp([4, 1, 2])),
    (SoftmaxTop(beta=0.5), np.exp([2, 0.5, 1])),
    (SoftrankTop(), [1, 1 / 3, 1 / 2]),
    (SoftrankTop(beta=3.0), [1, 1 / 27, 1 / 8]),
]


@pytest.mark.parametrize(
    ("selector", "potential"), POTENTIALS, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_draws_follow_the_potentials_without_replacement(selector, potential):
    p = np.asarray(potential, dtype=float) / np.sum(potential)
    pairs = list(permutations(range(3), 2))
    expected = np.array([p[i] * p[j] / (1 - p[i]) for i, j in pairs])
    rng, counts = np.random.RandomState(0), dict.fromkeys(pairs, 0)
    for _ in range(4000):
        counts[tuple(selector(np.array([4.0, 1.0, 2.0]), 2, rng).tolist())] += 1
    assert_as_likely(list(counts.values()), 4000 * expected)


@pytest.mark.parametrize("kind", STOCHASTIC)
def test_a_cold_draw_is_plain_top(kind):
    scores = np.random.default_rng(0).permutation(20) / 20
    for beta in (1e9, np.inf):
        assert_array_equal(kind(beta=beta)(scores, 7, 0), top(scores, 7))


@pytest.mark.parametrize("kind", STOCHASTIC)
def test_a_hot_draw_is_uniform(kind):
    rng = np.random.RandomState(0)
    first = [kind(beta=1e-9)(np.array([1.0, 2.0, 3.0]), 1, rng)[0] for _ in range(3000)]
    assert_as_likely(np.bincount(first), [1000] * 3)


def test_power_takes_rows_of_score_zero_last_and_at_random():
    scores, rng = np.array([0.0, 1e-300, 0.0, 0.0]), np.random.RandomState(0)
    picks = np.array([PowerTop()(scores, 2, rng) for _ in range(3000)])
    assert (picks[:, 0] == 1).all()
    assert_as_likely(np.bincount(picks[:, 1])[[0, 2, 3]], [1000] * 3)


def test_softrank_shares_ranks_among_ties():
    rng = np.random.RandomState(0)
    first = [SoftrankTop(beta=5.0)(np.ones(3), 1, rng)[0] for _ in range(3000)]
    assert_as_likely(np.bincount(first), [1000] * 3)


def test_power_says_what_to_do_about_negative_scores():
    with pytest.raises(ValueError, match=r"at least 0, got -0\.5.*SoftmaxTop"):
        PowerTop()(np.array([1.0, -0.5]), 1)


@pytest.mark.parametrize("kind", STOCHASTIC)
@pytest.mark.parametrize("beta", [0, -1.0, float("nan")])
def test_beta_must_be_positive(kind, beta):
    with pytest.raises(ValueError, match="beta must be positive, got"):
        kind(beta=beta)(np.ones(3), 1)


@pytest.mark.parametrize("kind", STOCHASTIC)
def test_stochastic_selectors_are_estimators(kind):
    selector = clone(kind(beta=2.0))
    assert selector.get_params() == {"beta": 2.0}
    assert repr(selector) == f"{kind.__name__}(beta=2.0)"
    assert selector.set_params(beta=3.0).beta == 3.0


@pytest.mark.parametrize("selector", ALL, ids=lambda each: getattr(each, "__name__", str(each)))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [0, 1, 7, 20, 25])
def test_common(selector, dtype, batch_size):
    scores = (np.arange(20) % 5 / 5).astype(dtype)
    scores.flags.writeable = False
    before = np.random.get_state()[1].tolist()
    picks = selector(scores, batch_size, 3)
    assert picks.dtype == np.intp
    assert len(np.unique(picks)) == len(picks) == min(batch_size, 20)
    assert_array_equal(picks, selector(scores, batch_size, np.random.RandomState(3)))
    selector(scores, batch_size)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("selector", ALL, ids=lambda each: getattr(each, "__name__", str(each)))
def test_without_a_seed_calls_differ_whatever_numpys_global_seed(selector):
    answers = set()
    state = np.random.get_state()
    for _ in range(5):
        np.random.seed(0)
        answers.add(tuple(selector(np.ones(50), 10).tolist()))
    np.random.set_state(state)
    assert len(answers) == 5


@pytest.mark.parametrize("selector", ALL, ids=lambda each: getattr(each, "__name__", str(each)))
def test_no_rows(selector):
    assert selector(np.empty(0), 3).shape == (0,)
