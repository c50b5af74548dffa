"""A target reached and a plateau: by hand, by the binomial law, and before there is enough."""

import math

import numpy as np
import pytest

from skactive.estimation import clopper_pearson
from skactive.stopping import Plateau, Round, TargetReached


def values(monitor):
    return [value for _, value in monitor.history]


# Target -----------------------------------------------------------------------------------------


def binomial_tail(k, n, p):
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@pytest.mark.parametrize(("k", "n"), [(20, 20), (45, 50), (1, 7), (181, 200)])
@pytest.mark.parametrize(("confidence", "n_looks"), [(0.95, 1), (0.8, 1), (0.95, 10)])
def test_the_bound_is_exact_and_one_sided(k, n, confidence, n_looks, audited):
    criterion = TargetReached(0.5, confidence=confidence, n_looks=n_looks)
    low = criterion.start().update(audited(k, n)).value
    assert binomial_tail(k, n, low) == pytest.approx((1 - confidence) / n_looks)


def test_the_bound_at_95_is_the_lower_end_of_the_interval_of_90(audited):
    low, _ = clopper_pearson(45, 50, 0.9)
    assert TargetReached(0.5).start().update(audited(45, 50)).value == pytest.approx(low)


def test_59_rows_without_an_error_show_95_percent(audited):
    assert not TargetReached(0.95).start().update(audited(58, 58))
    verdict = TargetReached(0.95).start().update(audited(59, 59))
    assert verdict
    assert verdict.reason == (
        "59 of 59 audited rows are right: with confidence 0.95 at least 0.9505, which reaches 0.95"
    )


def test_looks_are_named(audited):
    reason = TargetReached(0.95, n_looks=20).start().update(audited(59, 59)).reason
    assert "confidence 0.95 over 20 looks at least 0.903, below 0.95" in reason


def test_an_audit_without_rows_reaches_nothing():
    verdict = TargetReached(0.1).start().update(Round(10, audit=np.empty(0)))
    assert not verdict
    assert verdict.value == 0.0


# Plateau ----------------------------------------------------------------------------------------


def scored(*scores):
    return [Round(n, audit=np.array([score])) for n, score in enumerate(scores)]


def test_a_plateau_by_hand(play):
    rounds = scored(0.5, 0.7, 0.6, 0.72, 0.71, 0.7, 0.69)
    monitor, verdicts = play(Plateau("audit", window=2, tolerance=0.01), rounds)
    # The best of the last two against the best before them.
    expected = [0.2, 0.02, 0.02, -0.01, -0.02]
    np.testing.assert_allclose(values(monitor)[2:], expected, atol=1e-12)
    assert np.isnan(values(monitor)[:2]).all()
    assert [verdict.stop for verdict in verdicts] == [False] * 5 + [True] * 2
    assert verdicts[5].reason == (
        "over 2 rounds the audit score reached 0.71, at most 0.01 above its best before, 0.72"
    )


@pytest.mark.parametrize("window", [1, 3])
def test_a_plateau_takes_one_round_more_than_its_window(window, play):
    _, verdicts = play(Plateau("audit", window=window), scored(*[0.5] * (window + 2)))
    assert [verdict.stop for verdict in verdicts] == [False] * window + [True, True]


def test_a_score_of_ones_own(play):
    monitor, verdicts = play(Plateau(validation_score, window=1), [Round(n) for n in (1, 2, 3)])
    np.testing.assert_allclose(values(monitor)[1:], [1 - 1 / 2 - 0, 1 / 2 - 1 / 3])
    assert "the score reached 0.5, more than 0.005 above its best before, 0" in verdicts[1].reason


def validation_score(current):
    return 1 - 1 / current.n_labels


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite number, got nan"):
        Plateau(lambda current: np.nan).start().update(Round(1))


def test_a_plateau_of_the_agreement(play, told):
    answers = [[0, 1, 0, 1], [1, 1, 0, 1], [0, 1, 0, 1], [0, 1, 0, 1], [0, 1, 0, 1]]
    monitor, verdicts = play(Plateau(window=1), [told(each) for each in answers])
    # Kappas 0.5, 0.5, 1, 1
    np.testing.assert_allclose(values(monitor)[2:], [0.0, 0.5, 0.0])
    assert [verdict.stop for verdict in verdicts] == [False, False, True, False, True]


def test_scores_may_start_with_an_audit_that_is_empty(play):
    rounds = [Round(1, audit=np.empty(0)), *scored(0.5, 0.5)]
    assert [v.stop for v in play(Plateau("audit", window=1), rounds)[1]] == [False, False, True]
