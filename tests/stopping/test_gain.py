"""The expected gain of a label, from errors that follow a law."""

import math

import numpy as np
import pytest

from skactive.stopping import ExpectedGain, Round


def values(monitor):
    return [value for _, value in monitor.history]


@pytest.fixture
def power_law(doubting):
    """Makes rounds of two classes whose expected error is a n**-b."""

    def make(a, b, counts, n_rows=100):
        errors = [a * n**-b for n in counts]
        return [
            doubting([[error, 1 - error]] * n_rows, n)
            for n, error in zip(counts, errors, strict=True)
        ]

    return make


def test_gain_of_a_power_law_by_hand(play, power_law):
    counts = (10, 25, 40, 80)
    gain = 100 * 2.0 * (80**-0.7 - 81**-0.7)
    rounds = power_law(2.0, 0.7, counts)
    _, verdicts = play(ExpectedGain(3.0, cost=1.0, window=4), rounds)
    assert [verdict.stop for verdict in verdicts] == [False, False, False, 3 * gain < 1]
    assert verdicts[3].value == pytest.approx(3 * gain)
    assert "0.0806 points, worth 0.242, less than its cost of 1" in verdicts[3].reason
    assert play(ExpectedGain(3.0, cost=3 * gain * 0.999, window=4), rounds)[1][3].stop is False
    assert play(ExpectedGain(3.0, cost=3 * gain * 1.001, window=4), rounds)[1][3].stop is True


def test_gain_is_fitted_to_the_window_alone(play, power_law):
    rounds = power_law(0.4, 0.1, (1, 2, 3)) + power_law(2.0, 0.7, (20, 40, 80))
    verdict = play(ExpectedGain(1.0, window=3), rounds)[1][-1]
    assert verdict.value == pytest.approx(200 * (80**-0.7 - 81**-0.7))


def test_no_gain_is_less_than_any_cost_but_a_rising_error_says_nothing(play, power_law):
    flat = power_law(0.2, 0.0, (10, 20, 30))
    assert play(ExpectedGain(1e-3, cost=1e-3, window=3), flat)[1][-1]
    rising = power_law(0.01, -0.5, (10, 20, 30))
    verdict = play(ExpectedGain(1e-3, window=3), rising)[1][-1]
    assert not verdict
    assert verdict.value < 0
    assert verdict.reason == "the estimated error did not fall over 3 rounds"


def test_an_audited_error_is_the_share_that_is_wrong(play, audited):
    rounds = [audited(60, 100, 10), audited(80, 100, 20), audited(90, 100, 40)]
    monitor, _ = play(ExpectedGain(5.0, error="audit", window=3), rounds)
    assert values(monitor)[-1] == pytest.approx(500 * (4 / 40 - 4 / 41))


def test_an_error_of_none_counts_as_half_a_row(play, doubting, audited):
    rounds = [audited(96, 100, 10), audited(98, 100, 20), audited(100, 100, 40)]
    monitor, _ = play(ExpectedGain(1.0, error="audit", window=3), rounds)
    # Slopes of log error on log n, evenly spaced: from 0.04 to 0.005 over log 4.
    exponent = math.log(8) / math.log(4)
    now = math.exp(np.mean(np.log([0.04, 0.02, 0.005])) - exponent * math.log(2))
    assert values(monitor)[-1] == pytest.approx(100 * now * (1 - (40 / 41) ** exponent))
    sure = [doubting([[1.0, 0.0]] * 4, n) for n in (10, 20, 30)]
    assert np.isfinite(values(play(ExpectedGain(1.0, window=3), sure)[0])[-1])


def test_rounds_before_the_first_audited_row_are_passed_over(play, audited):
    rounds = [Round(5, audit=np.empty(0)), *(audited(5, 10, n) for n in (10, 20, 30))]
    monitor, _ = play(ExpectedGain(1.0, error="audit", window=3), rounds)
    assert list(np.isnan(values(monitor))) == [True, True, True, False]
