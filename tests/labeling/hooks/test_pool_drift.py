"""Drift of the pool: false alarms in endless streams, true ones soon, and what is refused."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import kstest

from skactive.labeling.hooks import PoolDrift
from skactive.labeling.hooks._martingales import Jumper, Ranks


def test_ranks_of_exchangeable_values_are_uniform():
    rng = np.random.RandomState(0)
    for values in (rng.gamma(1, size=3000), rng.randint(3, size=3000)):  # ties, too
        ranks = Ranks(values[:20])
        p_values = np.array([ranks.add(value, rng.rand()) for value in values[20:]])
        assert kstest(p_values, "uniform").pvalue > 0.001
        assert abs(np.corrcoef(p_values[:-1], p_values[1:])[0, 1]) < 0.08


def test_p_values_of_a_plain_loop():
    values, u = [3.0, 1.0, 2.0, 2.0], 0.25
    ranks = Ranks(values)
    expected = (sum(x > 2.0 for x in values) + u * (1 + sum(x == 2.0 for x in values))) / 5
    assert ranks.add(2.0, u) == pytest.approx(expected)


def test_the_mean_gain_on_uniform_values_is_nothing():
    # The mean of the wealth over all p-values of a fine grid, after two bets, is 1.
    grid = (np.arange(100) + 0.5) / 100
    total = 0.0
    for first in grid:
        for second in grid[::10] + 0.045:
            jumper = Jumper()
            jumper.bet(first)
            jumper.bet(second)
            total += jumper.wealth / 1000
    assert total == pytest.approx(1.0)


def count_false_alarms(n_streams, n_batches, alpha, draw):
    alarms = 0
    for seed in range(n_streams):
        rng = np.random.RandomState(seed)
        drift = PoolDrift(draw(rng, 60), alpha=alpha, n_components=2, random_state=seed)
        alarms += any(drift.update(draw(rng, 10)) is not None for _ in range(n_batches))
    return alarms


def draw_skewed(rng, n):
    return rng.gamma(0.5, size=(n, 3))


def draw_scores(rng, n):
    return np.round(rng.beta(2, 1, n), 1)


@pytest.mark.no_cover
@pytest.mark.parametrize("draw", [draw_skewed, draw_scores])
def test_false_alarms(draw):
    # At most 20 % of streams; 60 streams have a standard error of 5 %.
    assert count_false_alarms(60, 10, 0.2, draw) <= 60 * (0.2 + 3 * 0.052)


@pytest.mark.long
@pytest.mark.parametrize("draw", [draw_skewed, draw_scores])
def test_false_alarms_of_a_thousand_streams(draw):
    assert count_false_alarms(1000, 50, 0.05, draw) <= 50 + 3 * 7


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (lambda X: X + np.array([1.0, 0.0, 0.0, 0.0]), "component 1"),
        (lambda X: X * 2.0, "novelty"),
        (lambda X: X + np.array([0.0, 0.0, 0.0, 6.0]), None),
    ],
)
def test_true_alarms_come_soon(change, reading):
    rng = np.random.RandomState(0)
    scales = np.array([1.0, 0.9, 0.8, 0.7])
    told = []
    drift = PoolDrift(scales * rng.normal(size=(600, 4)), callback=told.append, random_state=0)
    for _ in range(5):
        assert drift.update(scales * rng.normal(size=(20, 4))) is None
    shifts = [drift.update(change(scales * rng.normal(size=(20, 4)))) for _ in range(8)]
    shift = next(shift for shift in shifts if shift is not None)
    # Later alarms are of the bets that began anew.
    assert 100 < shift.n_rows <= 200
    assert shift.wealth >= 20
    assert reading is None or shift.reading == reading
    assert drift.alarms == told
    assert told[0] == shift
    assert str(shift).startswith("The newest rows are unlike the pool, by their")


def test_a_plan_audits_at_random_and_teaches_what_is_new():
    rng = np.random.RandomState(0)
    reference, rows = rng.normal(size=(400, 3)), rng.normal(size=(300, 3))
    rows[:30] += 8.0  # a tenth is of a new kind
    plan = PoolDrift(reference, random_state=0).plan_labels(rows, n_audit=100, n_labels=10)
    assert (plan.label < 30).sum() >= 8
    assert 3 <= (plan.audit < 30).sum() <= 20  # in the audit a tenth is
    assert len(set(plan.audit) | set(plan.label)) == 110
    with pytest.raises(ValueError, match="300 rows, too few for an audit of 290 and 50 others"):
        PoolDrift(reference).plan_labels(rows, n_audit=290)


def test_scores_and_embedders():
    rng = np.random.RandomState(0)
    drift = PoolDrift(rng.rand(200), random_state=0)
    assert drift.update(rng.rand(50) ** 3).reading in ("value", "novelty")
    texts = ["a" * n for n in rng.randint(1, 50, 200)]
    drift = PoolDrift(texts, partial(map_lengths, factor=1.0), random_state=0)
    assert drift.update(["a" * n for n in rng.randint(60, 90, 50)]).reading in ("value", "novelty")


def map_lengths(texts, factor):
    return np.array([factor * len(text) for text in texts])


def test_the_size_of_the_batches_does_not_matter():
    rng = np.random.RandomState(0)
    reference, rows = rng.normal(size=(100, 3)), rng.normal(size=(60, 3))
    whole = PoolDrift(reference, random_state=0)
    parts = PoolDrift(reference, random_state=0)
    whole.update(rows)
    for row in rows:
        parts.update(row[None])
    assert parts.wealth == pytest.approx(whole.wealth, rel=1e-9)


def test_bad_input():
    rng = np.random.RandomState(0)
    with pytest.raises(ValueError, match="at least 40 rows, got 10"):
        PoolDrift(rng.rand(10))
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        PoolDrift(rng.rand(50), alpha=5)
    with pytest.raises(ValueError, match="reference must be finite"):
        PoolDrift(np.full(50, np.nan))
    drift = PoolDrift(rng.rand(50, 3), random_state=0)
    with pytest.raises(ValueError, match="X must have 3 columns, as the reference has, got 2"):
        drift.update(rng.rand(5, 2))
    assert drift.wealth == pytest.approx(1.0)
