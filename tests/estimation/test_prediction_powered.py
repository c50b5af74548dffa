"""Prediction-powered means: the published formulas, a plain loop, weights, and coverage."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm, t

from skactive.estimation import mean_interval, ppi_mean


def make_rows(seed, n_rows=400):
    rng = np.random.RandomState(seed)
    y = rng.gamma(2, size=n_rows)
    return y, y + rng.normal(size=n_rows)


def their_estimate(y, proxy, proxy_rest, alpha=0.05):
    """Estimate as the authors of PPI++ do: with the rows without label apart, and normal ends."""
    n, n_rest = len(y), len(proxy_rest)
    covariance = sum((a - y.mean()) * (b - proxy.mean()) for a, b in zip(y, proxy, strict=True)) / n
    variance = np.concatenate([proxy, proxy_rest]).var(ddof=1)
    power = np.clip(covariance / ((1 + n / n_rest) * variance), 0, 1)
    value = power * proxy_rest.mean() + (y - power * proxy).mean()
    error = np.sqrt((y - power * proxy).var() / n + (power * proxy_rest).var() / n_rest)
    return value, power, error, value - norm.ppf(1 - alpha / 2) * error


@pytest.mark.parametrize("seed", range(3))
def test_value_is_that_of_the_authors(seed):
    y, proxy = make_rows(seed)
    value, power, error, _ = their_estimate(y[:60], proxy[:60], proxy[60:])
    assert 0 < power < 1
    estimate = ppi_mean(y[:60], proxy[:60], proxy)
    assert estimate.value == pytest.approx(value, rel=1e-12)
    # Ours has Student's quantile, two degrees of freedom less, and the variances of all rows.
    ours = (estimate.high - estimate.low) / (2 * t.ppf(0.975, 58)) * np.sqrt(58 / 60)
    assert ours == pytest.approx(error, rel=0.1)


def test_value_of_their_package():
    # ppi_py 0.2.3 on these rows: ppi_mean_pointestimate, ppi_mean_ci(alpha=0.05)
    y, proxy = make_rows(4)
    assert ppi_mean(y[:60], proxy[:60], proxy).value == pytest.approx(1.911551233889578, rel=1e-12)
    assert 2 * norm.ppf(0.975) * their_estimate(y[:60], proxy[:60], proxy[60:])[2] == pytest.approx(
        0.39027908, rel=1e-7
    )


@pytest.mark.parametrize("power", ["auto", 0.0, 0.7])
@pytest.mark.parametrize("target", ["population", "pool"])
def test_plain_loop(power, target):
    y_all, proxy_all = make_rows(1, 50)
    rng = np.random.RandomState(0)
    chances = rng.uniform(0.2, 0.9, 50)
    rows = np.flatnonzero(rng.rand(50) < chances)
    y, proxy, pi = y_all[rows], proxy_all[rows], chances[rows]
    total = sum(1 / p for p in pi)
    y_mean = sum(a / p for a, p in zip(y, pi, strict=True)) / total
    f_mean = sum(f / p for f, p in zip(proxy, pi, strict=True)) / total
    factor = power
    if power == "auto":
        factor = 0.0
        for a, f, p in zip(y, proxy, pi, strict=True):
            factor += (a - y_mean) * (f - f_mean) / p / total / proxy_all.var(ddof=1)
    variance, spread = 0.0, 0.0
    for a, f, p in zip(y, proxy, pi, strict=True):
        rest = a - y_mean - factor * (f - f_mean)
        variance += (1 - p) * (rest / p / total) ** 2 * len(y) / (len(y) - 2)
        spread += (a - y_mean) ** 2 / p / total
    if target == "population":
        variance += spread / 50
    estimate = ppi_mean(y, proxy, proxy_all, power=power, probabilities=pi, target=target)
    assert estimate.value == pytest.approx(y_mean + factor * (proxy_all.mean() - f_mean))
    # Skewness moves both ends; their distance is Student's up to second order.
    width = 2 * t.ppf(0.975, len(y) - 2) * np.sqrt(variance)
    assert estimate.high - estimate.low == pytest.approx(width, rel=0.05)
    assert (estimate.n, estimate.method) == (len(y), "ppi")


def test_without_the_proxy_it_is_the_mean():
    y, proxy = make_rows(2)
    estimate = ppi_mean(y[:50], proxy[:50], proxy, power=0.0)
    assert estimate.value == pytest.approx(y[:50].mean())
    low, high = mean_interval(y[:50])
    assert_allclose(estimate[1:3], [low, high], rtol=0.02)


@pytest.mark.parametrize("scale", [1.0, 2.0, -3.0])
def test_a_proxy_on_another_scale_gives_the_same(scale):
    y, proxy = make_rows(3)
    plain = ppi_mean(y[:40], proxy[:40], proxy)
    assert_allclose(ppi_mean(y[:40], 5 + scale * proxy[:40], 5 + scale * proxy)[:3], plain[:3])


def test_all_rows_labeled_leave_no_doubt_about_the_pool():
    y, proxy = make_rows(0, 30)
    estimate = ppi_mean(y, proxy, proxy, target="pool")
    assert_allclose(estimate[:3], y.mean())


@pytest.mark.no_cover
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("target", ["population", "pool"])
def test_coverage(weighted, target):
    rng = np.random.RandomState(0)
    held, widths, plain = 0, [], []
    for _ in range(1000):
        y = rng.rand(600) < (p := rng.beta(2, 1, 600))
        chances = (0.5 + np.sqrt(p * (1 - p)) if weighted else np.ones(600)) / 6
        rows = np.flatnonzero(rng.rand(600) < chances)
        estimate = ppi_mean(y[rows], p[rows], p, probabilities=chances[rows], target=target)
        truth = y.mean() if target == "pool" else 2 / 3
        held += estimate.low <= truth <= estimate.high
        widths.append(estimate.high - estimate.low)
        plain.append(np.subtract(*mean_interval(y[rows])[::-1]))
    assert 0.93 < held / 1000 < 0.97  # 0.95 and three standard errors
    assert np.mean(widths) < 0.97 * np.mean(plain)


def test_few_rows_bound_nothing():
    estimate = ppi_mean([1.0, 2.0], [1.0, 3.0], [1.0, 2.0, 3.0])
    assert (estimate.low, estimate.high) == (-np.inf, np.inf)
    constant = ppi_mean([1, 1, 1], [0.5, 0.7, 0.6], [0.5, 0.7, 0.6, 0.8])
    assert (constant.value, constant.low, constant.high) == (1.0, -np.inf, np.inf)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": []}, "y is empty"),
        ({"y": [1.0, np.nan]}, "y must be finite"),
        ({"proxy": [1.0]}, "one length, got 2 and 1"),
        ({"proxy_all": [1.0]}, "the 2 labeled ones included, got 1"),
        ({"probabilities": [0.0, 0.5]}, "above 0 and at most 1"),
        ({"probabilities": [0.5]}, "one per labeled row, 2, got 1"),
        ({"power": "best"}, "'auto' or a number, got 'best'"),
        ({"target": "rows"}, "target must be 'population' or 'pool'"),
        ({"confidence": 95}, "confidence must lie between 0 and 1"),
    ],
)
def test_bad_input(changes, message):
    given = {"y": [1.0, 0.0], "proxy": [0.9, 0.2], "proxy_all": [0.9, 0.2, 0.4]} | changes
    with pytest.raises(ValueError, match=message):
        ppi_mean(given.pop("y"), given.pop("proxy"), given.pop("proxy_all"), **given)
