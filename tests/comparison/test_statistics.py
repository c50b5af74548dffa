"""Statistics of paired comparisons, by brute force, by SciPy and by published numbers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skactive.comparison._statistics import (
    Friedman,
    average_ranks,
    bootstrap_means,
    bootstrap_tail,
    friedman,
    friedman_of_ranks,
    holm,
    mean_interval,
    nemenyi_critical_difference,
    paired_effect,
    paired_t_test,
    paired_wilcoxon,
    penalty_matrix,
    rank_blocks,
    repeats_to_resolve,
)

close = np.testing.assert_allclose


def tables(seed, n_blocks, n_methods, n_values=None):
    """Random scores, with ties where the values are few."""
    rng = np.random.default_rng(seed)
    scores = rng.random((n_blocks, n_methods))
    return scores if n_values is None else np.floor(n_values * scores)


# Ranks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_values", [None, 3])
def test_ranks_are_those_of_scipy_with_the_highest_first(n_values):
    scores = tables(0, 20, 6, n_values)
    close(rank_blocks(scores), stats.rankdata(-scores, axis=1))
    close(average_ranks(scores), stats.rankdata(-scores, axis=1).mean(axis=0))


def test_friedman_published_value():
    result = friedman_of_ranks([3.143, 2.000, 2.893, 1.964], 14)
    assert result.chi2 == pytest.approx(9.28, abs=0.005)
    assert result.f == pytest.approx(3.69, abs=0.005)
    assert result.p_value == pytest.approx(stats.f.sf(result.f, 3, 39), rel=1e-9)
    assert result.p_value < 0.05  # the critical value of F(3, 39) is 2.85


def test_critical_difference_published_values():
    assert nemenyi_critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    for n_methods, q in [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)]:
        unit = np.sqrt(n_methods * (n_methods + 1) / 6)
        assert nemenyi_critical_difference(n_methods, 1) == pytest.approx(q * unit, rel=4e-4)
    q_at_ten_percent = nemenyi_critical_difference(4, 1, 0.1) / np.sqrt(20 / 6)
    assert q_at_ten_percent == pytest.approx(2.291, abs=2e-3)


@pytest.mark.parametrize("n_values", [None, 3])
def test_friedman_is_that_of_scipy(n_values):
    scores = tables(1, 12, 5, n_values)
    result = friedman(scores)
    expected = stats.friedmanchisquare(*scores.T)
    assert result.chi2 == pytest.approx(expected.statistic, rel=1e-12)
    assert result.p_chi2 == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.n_blocks == 12


def test_imans_f_is_that_of_an_analysis_of_variance_of_the_ranks():
    ranks = rank_blocks(tables(2, 9, 4))
    residual = ranks - ranks.mean(axis=0) - ranks.mean(axis=1)[:, None] + ranks.mean()
    between = 9 * ((ranks.mean(axis=0) - ranks.mean()) ** 2).sum() / 3
    expected = between / ((residual**2).sum() / 24)
    assert friedman(-ranks).f == pytest.approx(expected, rel=1e-10)


def test_friedman_where_all_tie_and_where_all_agree():
    tied = friedman(np.ones((6, 3)))
    assert (tied.chi2, tied.f, tied.p_value, tied.p_chi2) == (0.0, 0.0, 1.0, 1.0)
    agreed = friedman(np.tile([1.0, 2.0, 3.0], (6, 1)))
    assert isinstance(agreed, Friedman)
    assert (agreed.f, agreed.p_value) == (np.inf, 0.0)
    assert agreed.chi2 == pytest.approx(12.0)


# Two methods ------------------------------------------------------------------------------------


def test_holm_by_hand():
    close(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    close(holm([0.5, 0.6]), [1.0, 1.0])
    close(holm([0.2]), [0.2])
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.999))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, level):
    rejected = set()
    for step, i in enumerate(np.argsort(p_values, kind="stable").tolist()):
        if (len(p_values) - step) * p_values[i] > level:
            break
        rejected.add(i)
    assert set(np.flatnonzero(holm(p_values) <= level).tolist()) == rejected


def wilcoxon_by_all_signs(differences):
    """p-value by counting all choices of signs."""
    differences = np.asarray([d for d in differences if d])
    ranks = stats.rankdata(np.abs(differences))
    half = ranks.sum() / 2
    seen = abs(ranks[differences > 0].sum() - half)
    signs = np.array(list(product([0, 1], repeat=len(ranks))))
    return np.mean(np.abs(signs @ ranks - half) >= seen - 1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9).filter(any))
def test_wilcoxon_counts_all_signs_ties_and_zeros_included(differences):
    result = paired_wilcoxon(differences, np.zeros(len(differences)))
    assert result.p_value == pytest.approx(wilcoxon_by_all_signs(differences), abs=1e-12)


@pytest.mark.parametrize("n", [5, 12, 50])
def test_wilcoxon_is_that_of_scipy_where_it_is_exact(n):
    a, b = tables(n, 2, n)
    expected = stats.wilcoxon(a, b, method="exact")
    result = paired_wilcoxon(a, b)
    assert result.statistic == expected.statistic
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_wilcoxon_of_many_is_that_of_scipys_approximation():
    a, b = tables(0, 2, 300, n_values=20)
    expected = stats.wilcoxon(a, b + 1, method="approx")
    assert paired_wilcoxon(a, b + 1).p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert np.count_nonzero(a - b - 1) > 200


def test_wilcoxon_of_equal_samples():
    assert paired_wilcoxon([1.0, 2.0], [1.0, 2.0]) == (0.0, 1.0)


def test_effect_sizes_by_hand():
    effect = paired_effect([3, 4, 8], [1, 3, 9])  # differences 2, 1, -1; ranks 3, 1.5, 1.5
    assert effect.cohen_d_z == pytest.approx((2 / 3) / np.sqrt(7 / 3))
    assert effect.rank_biserial == pytest.approx((4.5 - 1.5) / 6)
    back = paired_effect([1, 3, 9], [3, 4, 8])
    assert back == pytest.approx((-effect.cohen_d_z, -effect.rank_biserial))


def test_effect_sizes_at_the_ends():
    assert paired_effect([1, 2], [1, 2]) == (0.0, 0.0)
    assert paired_effect([2, 3], [1, 2]) == (np.inf, 1.0)
    assert paired_effect([0, 1], [1, 2]) == (-np.inf, -1.0)
    single = paired_effect([2], [1])
    assert np.isnan(single.cohen_d_z)
    assert single.rank_biserial == 1.0


def test_t_test_is_that_of_scipy():
    a, b = tables(0, 14, 9), tables(1, 14, 9)
    close(paired_t_test(a - b), stats.ttest_rel(a, b, axis=1).pvalue, rtol=1e-10)


def test_t_test_without_spread():
    assert paired_t_test([0.0, 0.0]) == 1.0
    assert paired_t_test([0.5, 0.5]) == 0.0
    assert paired_t_test([0.5]) == 1.0


def test_penalties_by_brute_force():
    rng = np.random.default_rng(0)
    curves = rng.random((3, 5, 7)) + 0.4 * np.arange(3)[:, None, None]
    expected = np.zeros((3, 3))
    for i, j, t in product(range(3), range(3), range(7)):
        if i != j:
            statistic = stats.ttest_rel(curves[i, :, t], curves[j, :, t]).statistic
            expected[i, j] += (statistic > 2.776) / 7  # five repeats, as in the paper
    close(penalty_matrix(curves), expected)
    assert 0 < expected[2, 0] < 1


def test_penalties_of_methods_that_do_the_same():
    curve = np.random.default_rng(0).random((4, 6))
    close(penalty_matrix([curve, curve, curve + 0.1]), [[0, 0, 0], [0, 0, 0], [1, 1, 0]])
    close(penalty_matrix([curve, curve + 1e-16]), np.zeros((2, 2)))
    close(penalty_matrix([curve[:1], curve[:1] + 1]), np.zeros((2, 2)))  # one repeat proves nothing


# Intervals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_interval_of_a_mean_is_that_of_scipy(confidence):
    values = tables(0, 1, 8)[0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    close(mean_interval(values, confidence), [values.mean(), *expected], rtol=1e-10)


def test_interval_of_a_single_value():
    interval = mean_interval([0.5])
    assert interval.mean == 0.5
    assert np.isnan([interval.low, interval.high]).all()


def test_bootstrap_draws_whole_repeats():
    values = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    means = bootstrap_means(values, n_resamples=500, random_state=0)
    close(means[:, 1], 10 * means[:, 0])
    possible = {round(sum(draw) / 3, 9) for draw in product([1, 2, 3], repeat=3)}
    assert {round(mean, 9) for mean in means[:, 0].tolist()} == possible
    assert means[:, 0].mean() == pytest.approx(2.0, abs=0.1)
    close(bootstrap_means(values, n_resamples=500, random_state=0), means)


def test_bootstrap_intervals_of_few_repeats_reach_as_far_as_t_intervals():
    def half_width(n, tail):  # of a bootstrap mean, in standard errors by n - 1
        return -stats.norm.ppf(tail) * np.sqrt((n - 1) / n)

    for n in (3, 5, 20):
        assert half_width(n, bootstrap_tail(n)) == pytest.approx(stats.t.ppf(0.975, n - 1))
    assert bootstrap_tail(10**6) == pytest.approx(0.025, rel=1e-4)


def test_repeats_needed_published_values():
    # Of the two-sided paired t-test at 5 % with power 0.8, as tables of power have them.
    for effect, n in [(0.2, 199), (0.5, 34), (0.8, 15)]:
        assert repeats_to_resolve(effect, 1.0) == n
        assert repeats_to_resolve(-2 * effect, 2.0) == n
    assert repeats_to_resolve(0.5, 1.0, power=0.9) == 44
    assert repeats_to_resolve(0.5, 1.0, alpha=0.01) == 51


@pytest.mark.parametrize("effect", [0.7, 1.5, 6.0])
def test_repeats_needed_have_the_power_and_no_fewer_have(effect):
    n = int(repeats_to_resolve(effect, 1.0))
    rng = np.random.default_rng(0)
    shares = [
        np.mean(paired_t_test(rng.normal(effect, 1, (20_000, size))) < 0.05)
        for size in (n - 1, n)
        if size > 1
    ]
    assert shares[-1] > 0.79
    assert all(share < 0.81 for share in shares[:-1])


def test_repeats_needed_at_the_ends():
    assert repeats_to_resolve(0.0, 1.0) == np.inf
    assert repeats_to_resolve(1e-4, 1.0) == np.inf
    assert repeats_to_resolve(1.0, 0.0) == 2
    assert repeats_to_resolve(100.0, 1.0) == 2
    assert all(np.isfinite(repeats_to_resolve(d, 1.0)) for d in np.geomspace(0.01, 90, 60))
