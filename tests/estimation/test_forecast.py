"""Forecasts of learning curves are the posterior they say, and hold."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skactive.estimation import _forecast, forecast_learning_curve

N_LABELS = np.arange(20, 101, 10)


def power_law(n, limit=0.95, fall=0.5, power=1.0):
    return limit - fall * (np.asarray(n) / 20.0) ** -power


# More than they are: too few of the brute force's draws would count, and wandering would not show.
NOISE, WANDER = (0.1, 0.3), (0.3, 1.0)


def brute_force(n_labels, scores, at, noise_of_scores, n=400_000):
    """Quantiles of the next score by draws from the prior, weighted by their likelihood."""
    rng = np.random.RandomState(1)
    points = np.append(n_labels, at).astype(float)
    m, scale = len(n_labels), 1.0 - np.min(scores)

    def even_logs(low, high):
        return np.exp(rng.uniform(np.log(low), np.log(high), size=(n, 1)))

    half, power = even_logs(0.5, 50), even_logs(0.5, 4)
    wander, noise = even_logs(*WANDER), even_logs(*NOISE)
    fall = (1 + half**-power) / (1 + (points / points[0] / half) ** power)
    alpha, beta = 0.4 * rng.randn(n, 1), 0.8 + 0.4 * rng.randn(n, 1)
    root = np.linalg.cholesky(points[m - 1] / np.maximum(points[:, None], points))
    curves = alpha + beta * fall + wander * (rng.randn(n, m + 1) @ root.T)
    offset = noise_of_scores / scale * rng.randn(n, 1)  # of all test scores alike
    misfit = (1.0 - np.asarray(scores)) / scale - curves[:, :m] - offset
    log_weight = -0.5 * ((misfit / noise) ** 2).sum(axis=1) - m * np.log(noise[:, 0])
    log_weight[(alpha < 0)[:, 0] | (beta < 0)[:, 0]] = -np.inf
    weight = np.exp(log_weight - log_weight.max())
    found = 1.0 - scale * np.maximum(curves[:, m], 0.0) + scale * noise[:, 0] * rng.randn(n)
    assert weight.sum() ** 2 > 300 * (weight**2).sum()  # enough draws count
    order = np.argsort(found)
    share = np.cumsum(weight[order]) / weight.sum()
    return np.minimum(found[order][np.searchsorted(share, [0.5, 0.05, 0.95])], 1.0)


@pytest.mark.parametrize(
    ("scores", "error"),
    [([0.6, 0.75], 0.0), ([0.5, 0.62, 0.7], 0.08), ([0.8, 0.8], 0.02), ([0.9, 0.8], 0.1)],
)
def test_forecast_is_the_posterior_by_brute_force(scores, error, monkeypatch):
    draw = _forecast._draw_prior

    def noisy(n, rng):
        prior = draw(n, rng)
        noise = np.log(prior.noise / 0.003) / np.log(0.2 / 0.003)  # even in 0 .. 1
        wander = np.log(prior.wander / 0.05) / np.log(0.5 / 0.05)
        return prior._replace(
            noise=NOISE[0] * (NOISE[1] / NOISE[0]) ** noise,
            wander=WANDER[0] * (WANDER[1] / WANDER[0]) ** wander,
        )

    monkeypatch.setattr(_forecast, "_draw_prior", noisy)
    n_labels = [20, 40, 60][: len(scores)]
    at = n_labels[-1] + 10
    expected = brute_force(n_labels, scores, at, error)
    runs = [
        forecast_learning_curve(n_labels, scores, at, score_se=error, random_state=seed)
        for seed in range(8)
    ]
    found = np.mean([[run.median[0], run.low[0], run.high[0]] for run in runs], axis=0)
    assert_allclose(found, expected, atol=0.015)


@pytest.mark.parametrize("limit", [0.75, 0.9, 1.0])
@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_forecast_follows_a_clean_curve(limit, power):
    truth = power_law([150, 200], limit=limit, power=power)
    scores = power_law(N_LABELS, limit=limit, power=power)
    forecast = forecast_learning_curve(N_LABELS, scores, [150, 200], random_state=0)
    assert (forecast.low <= truth).all()
    assert (truth <= forecast.high).all()
    assert_allclose(forecast.median, truth, atol=0.03)
    assert (forecast.high - forecast.low < 0.2).all()


@pytest.mark.no_cover
def test_forecasts_of_noisy_curves_of_other_families_hold():
    rng = np.random.RandomState(0)
    held = []
    for i in range(120):
        at = np.append(N_LABELS, 200)
        tau, power, limit = rng.uniform(20, 80), rng.uniform(0.3, 1.5), rng.uniform(0.7, 1.0)
        curve = limit - 0.4 * [np.exp(-(at - 20) / tau), (at / 20) ** -power][i % 2]
        curve += rng.uniform(0.003, 0.02) * rng.randn(len(at))
        curve = np.minimum(curve, 1.0)
        forecast = forecast_learning_curve(N_LABELS, curve[:-1], 200, random_state=i)
        held.append(forecast.low[0] <= curve[-1] <= forecast.high[0])
    assert 0.84 <= np.mean(held) <= 0.99


def test_less_is_known_farther_out_and_of_fewer_rounds():
    scores = power_law(N_LABELS)
    forecast = forecast_learning_curve(N_LABELS, scores, [110, 200, 800], random_state=0)
    assert (np.diff(forecast.high - forecast.low) > 0).all()
    width = forecast.high[1] - forecast.low[1]
    for n_rounds, times in ((2, 3.0), (1, 3.0)):
        short = forecast_learning_curve(N_LABELS[:n_rounds], scores[:n_rounds], 200, random_state=0)
        assert short.high[0] - short.low[0] > times * width


def test_narrow_and_wide_intervals_are_nested():
    scores = power_law(N_LABELS)
    narrow, wide = (
        forecast_learning_curve(N_LABELS, scores, 200, confidence=level, random_state=0)
        for level in (0.5, 0.95)
    )
    assert wide.low[0] < narrow.low[0] < narrow.median[0] < narrow.high[0] < wide.high[0]
    assert wide.median == narrow.median


@pytest.mark.parametrize(
    "scores",
    [
        [0.7] * 9,  # flat
        [1.0] * 9,  # nothing to improve
        [0.0] * 9,
        np.linspace(0.9, 0.6, 9),  # falling
        [0.5] * 8 + [0.9],  # a jump
        [0.9, 0.2] * 4 + [0.9],  # up and down
    ],
)
def test_odd_curves_have_forecasts_too(scores):
    forecast = forecast_learning_curve(N_LABELS, scores, [100, 150, 1000], random_state=0)
    bands = np.stack([forecast.low, forecast.median, forecast.high])
    assert np.isfinite(bands).all()
    assert (np.diff(bands, axis=0) >= 0).all()
    assert bands.max() <= 1.0
    assert forecast.low[0] - 0.2 <= scores[-1] <= forecast.high[0] + 0.2
    assert len(forecast.paths) == 1000


def test_a_flat_curve_stays_flat():
    forecast = forecast_learning_curve(N_LABELS, [0.7] * 9, 200, random_state=0)
    assert forecast.median[0] == pytest.approx(0.7, abs=0.02)
    assert forecast.labels_to_reach(0.9)[0] == np.inf


def test_long_curves_are_joined_into_blocks():
    n = np.arange(20, 520)
    scores = power_law(n) + 0.01 * np.random.RandomState(0).randn(500)
    forecast = forecast_learning_curve(n, scores, 1000, random_state=0)
    assert forecast.low[0] <= power_law(1000) <= forecast.high[0]
    assert forecast.high[0] - forecast.low[0] < 0.08
    assert_array_equal(forecast.scores, scores)


def test_any_unit_of_the_score():
    accuracy = power_law(N_LABELS)
    forecast = forecast_learning_curve(N_LABELS, accuracy, 200, random_state=0)
    loss = forecast_learning_curve(N_LABELS, 50 * (accuracy - 1), 200, best=0.0, random_state=0)
    for name in ("median", "low", "high"):
        assert_allclose(getattr(loss, name), 50 * (getattr(forecast, name) - 1), rtol=1e-6)
    assert_allclose(loss.labels_to_reach(-5.0), forecast.labels_to_reach(0.9), rtol=1e-6)


def test_few_test_rows_make_the_interval_wider():
    scores = power_law(N_LABELS)
    widths = []
    for n_test in (None, 400, 40):
        forecast = forecast_learning_curve(N_LABELS, scores, 200, n_test=n_test, random_state=0)
        widths.append(forecast.high[0] - forecast.low[0])
    assert widths[0] < widths[1] < widths[2]
    share = (scores[-1] * 400 + 1) / 402
    error = np.sqrt(share * (1 - share) / 400)
    by_error = forecast_learning_curve(N_LABELS, scores, 200, score_se=error, random_state=0)
    assert by_error.high[0] - by_error.low[0] == pytest.approx(widths[1])


def test_audit_rows_that_become_more():
    scores = power_law(N_LABELS)
    grown = np.arange(5, 46, 5)
    forecast = forecast_learning_curve(N_LABELS, scores, 200, n_test=grown, random_state=0)
    few, many = (
        forecast_learning_curve(N_LABELS, scores, 200, n_test=n, random_state=0) for n in (5, 45)
    )
    widths = [f.high[0] - f.low[0] for f in (many, forecast, few)]
    assert widths[0] <= widths[1] < widths[2]


def test_later_audit_rows_hold_the_earlier_ones():
    found = _forecast._score_variance(np.array([20.0, 40.0]), np.ones(2), None, [0.2, 0.1])
    assert_allclose(found, [[0.04, 0.01], [0.01, 0.01]])


def test_same_seed_same_forecast():
    scores = power_law(N_LABELS)
    state = np.random.get_state()[1].copy()
    first, again, other = (
        forecast_learning_curve(N_LABELS, scores, 200, random_state=seed) for seed in (3, 3, 4)
    )
    assert first.low == again.low
    assert first.low != other.low
    assert_array_equal(np.random.get_state()[1], state)


def test_labels_to_reach():
    forecast = forecast_learning_curve(N_LABELS, power_law(N_LABELS), 200, random_state=0)
    n, low, high = forecast.labels_to_reach(0.9)
    assert low <= 200 <= high  # 0.95 - 0.5 * 20 / 200
    assert 130 < n < 320  # the curve is flat there: 0.01 more or less are 50 labels
    counts = np.arange(100, 1001)
    curves = np.array([np.interp(counts, forecast.grid, path) for path in forecast.paths])
    first = np.where(curves.max(axis=1) >= 0.9, counts[(curves >= 0.9).argmax(axis=1)], np.inf)
    expected = np.sort(first)[[499, 49, 949]]  # of 1000
    assert_allclose([n, low, high], expected, atol=1.0)
    assert (low, high) == pytest.approx((expected[1], np.inf), abs=1.0)
    assert forecast.labels_to_reach(0.5) == (100, 100, 100)  # reached before
    assert forecast.labels_to_reach(1.01) == (np.inf, np.inf, np.inf)
    reach = [forecast.labels_to_reach(target)[0] for target in (0.86, 0.88, 0.9, 0.92)]
    assert (np.diff(reach) > 0).all()


def test_interval_at_other_counts():
    forecast = forecast_learning_curve(N_LABELS, power_law(N_LABELS), [150, 200], random_state=0)
    assert_allclose(forecast.interval([150, 200]), [forecast.median, forecast.low, forecast.high])
    with pytest.raises(ValueError, match=r"must lie in 20 \.\. 1000"):
        forecast.interval([1001])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [0.5, 0.6]}, "lists of equal length"),
        ({"scores": [0.5, 0.6, np.nan]}, "finite numbers"),
        ({"scores": [0.5, 0.6, 1.1]}, "no score exceeds"),
        ({"n_labels": [20, 40, 40]}, "increase"),
        ({"n_labels": [0, 40, 60]}, "above 0"),
        ({"at": 10}, ">= the first, 20"),
        ({"n_test": 10, "score_se": 0.1}, "not both"),
        ({"n_test": 0}, "at least 1"),
        ({"scores": [-0.5, 0.6, 0.7], "n_test": 9}, "accuracies in 0 .. 1"),
        ({"n_test": [10, 20]}, "one per round"),
        ({"score_se": -0.1}, "at least 0"),
        ({"confidence": 90}, "between 0 and 1"),
    ],
)
def test_forecast_of_what_is_no_curve(change, message):
    arguments = {"n_labels": [20, 40, 60], "scores": [0.5, 0.6, 0.7], "at": 100, **change}
    with pytest.raises(ValueError, match=message):
        forecast_learning_curve(**arguments)


def test_back_test_counts_intervals_that_hold(benchmark_module, capsys):
    n_labels = np.arange(20, 201, 10)
    curve = benchmark_module.Curve(
        "law", "model", "margin", n_labels, power_law(n_labels, power=1.2), 100
    )
    jump = curve._replace(data="jump", scores=np.where(n_labels > 100, 0.0, curve.scores))
    records = benchmark_module.backtest([curve, jump], pairs=((100, 200),))
    assert [record[1] for record in records] == [True, False]
    assert records[0][4] == pytest.approx(power_law(200, power=1.2) - power_law(100, power=1.2))
    benchmark_module.report(records)
    assert "50.0%" in capsys.readouterr().out
