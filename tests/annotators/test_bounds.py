"""The exact tests, against all draws of small pools."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import beta, hypergeom

from skactive.annotators._bounds import (
    compute_betting_p_values,
    compute_p_values,
    count_allowed,
)


def test_p_values_are_tails_over_all_draws():
    wrong = np.array([1, 1, 1, 0, 0, 0, 0, 0])  # one more than a quarter of the rows
    counts = [wrong[list(drawn)].sum() for drawn in combinations(range(8), 4)]
    for k in range(4):
        p = compute_p_values(k, 4, 8, 0.25)
        assert p == pytest.approx(np.mean(np.array(counts) <= k))


def test_p_values_of_many_rows_are_those_of_clopper_and_pearson():
    k, n = 5, 200
    bound = beta.ppf(0.9, k + 1, n - k)
    assert compute_p_values(k, n, None, bound) == pytest.approx(0.1)
    assert compute_p_values(k, n, 10**8, bound) == pytest.approx(0.1, abs=1e-4)


def test_a_bound_is_the_largest_number_that_is_not_rejected():
    for k in (0, 1, 4):
        most = max(M for M in range(k, 81 + k) if hypergeom.cdf(k, 100, M, 20) > 0.1)
        assert compute_p_values(k, 20, 100, (most - 1) / 100) > 0.1  # `most` wrong: not rejected
        assert compute_p_values(k, 20, 100, most / 100) <= 0.1


@pytest.mark.parametrize("wrong", [[0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]])
@pytest.mark.parametrize("max_share", [0.2, 0.34, 0.5])
def test_who_stops_before_one_wrong_row_too_many_keeps_the_promise(wrong, max_share):
    wrong = np.tile(wrong, 2)
    n, n_checked, level = len(wrong), 5, 0.25
    allowed = count_allowed(n_checked, n, max_share, level)
    n_broken, draws = 0, list(combinations(range(n), n_checked))
    for drawn in draws:
        checked = np.isin(np.arange(n), drawn)
        beyond = np.flatnonzero(np.cumsum(wrong * checked) > allowed)
        stop = beyond[0] if len(beyond) else n
        n_broken += (wrong * ~checked)[:stop].sum() > max_share * n
    assert n_broken <= level * len(draws)


def test_all_rows_checked_is_always_safe():
    assert count_allowed(10, 10, 0.1, 0.1) == 10


def test_bets_are_lost_whenever_one_looks():
    """Over all orders of a pool with one wrong row too many, the smallest p-value of all looks."""
    wrong = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    orders = np.array(sorted({tuple(wrong[list(order)]) for order in permutations(range(8))}))
    p = compute_betting_p_values(orders, np.ones_like(orders), np.full(len(orders), 8), 0.25)
    assert len(p) == 56  # each order is as probable as the others
    for level in np.unique(p):
        assert (p <= level).mean() <= level


def test_bets_count_only_checked_rows_and_win_when_few_are_wrong():
    rng = np.random.default_rng(0)
    checked = rng.random((1, 400)) < 0.5
    wrong = checked & (rng.random((1, 400)) < 0.01)
    p = compute_betting_p_values(wrong, checked, None, 0.1)
    packed = wrong[checked][np.newaxis]
    assert p == pytest.approx(compute_betting_p_values(packed, np.ones_like(packed), None, 0.1))
    assert p < 0.01
    assert p > compute_p_values(wrong.sum(), checked.sum(), None, 0.1)
    longer = np.concatenate([packed, np.ones((1, 50), dtype=bool)], axis=1)
    assert compute_betting_p_values(longer, np.ones_like(longer), None, 0.1) <= p  # a look counts
    assert compute_betting_p_values(packed, np.ones_like(packed), [10], 0.99) == 0  # never too many
