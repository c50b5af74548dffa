"""Criteria of what the models say, by hand and by law."""

import math
import pickle

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from skactive.stopping import (
    ClassificationChange,
    OverallUncertainty,
    StabilizingPredictions,
    _evaluation,
)


def values(monitor):
    return [value for _, value in monitor.history]


# Stabilizing predictions ------------------------------------------------------------------------


def test_kappa_by_hand(play, told):
    # Of 10 rows both say 0 of 4, and 1 of 3; the first says 0 of 5 rows, the second of 6. So they
    # agree on 0.7, and would by chance on 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    one, other = [0] * 5 + [1] * 5, [0] * 4 + [1] + [0] * 2 + [1] * 3
    monitor, verdicts = play(StabilizingPredictions(0.39, window=1), [told(one), told(other)])
    assert values(monitor)[1] == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert [verdict.stop for verdict in verdicts] == [False, True]
    assert verdicts[1].reason == (
        "successive models agreed on 10 rows by a mean kappa of 0.4 over 1 comparison, at least "
        "0.39"
    )


def test_kappas_are_scikit_learns_and_the_mean_is_over_the_window(play, told):
    rng = np.random.RandomState(0)
    answers = [np.array(["x", "yy", "z"])[rng.randint(3, size=50)] for _ in range(6)]
    monitor, _ = play(StabilizingPredictions(window=3), [told(each) for each in answers])
    kappas = [cohen_kappa_score(answers[i], answers[i + 1]) for i in range(5)]
    assert np.isnan(values(monitor)[:3]).all()
    expected = [np.mean(kappas[i : i + 3]) for i in range(3)]
    np.testing.assert_allclose(values(monitor)[3:], expected)


@pytest.mark.parametrize("window", [1, 2, 5])
def test_nothing_stops_before_the_window_is_full(window, play, told):
    same = [told([0, 1, 0, 1])] * (window + 1)
    _, verdicts = play(StabilizingPredictions(1.0, window=window), same)  # and exactly reached
    assert [verdict.stop for verdict in verdicts] == [False] * window + [True]
    assert verdicts[-2].reason == (
        f"needs {window} model comparison{'s' * (window > 1)}, has {window - 1}"
    )


def test_agreement_on_one_class_only_is_none(play, told):
    _, verdicts = play(StabilizingPredictions(0.1, window=1), [told([1] * 20)] * 4)
    assert not any(verdicts)
    assert verdicts[-1].value == 0.0


def test_a_kappa_just_below_the_threshold_is_told_from_it(play, told):
    answers = np.arange(20000) % 2
    other = answers.copy()
    other[:100:2] = 1  # kappa is 1 - 50 / 10000
    rounds = [told(answers), told(other)]
    _, (_, verdict) = play(StabilizingPredictions(0.99501, window=1, stop_set_size=20000), rounds)
    assert not verdict
    assert verdict.reason.endswith("of 0.995 over 1 comparison, below 0.99501")


def test_models_are_compared_when_the_labels_have_grown(play, told):
    answers = {10: [0, 1, 0, 1], 12: [0, 1, 0, 1], 15: [1, 1, 0, 1], 20: [0, 0, 1, 1], 23: [0] * 4}
    rounds = [told(each, n) for n, each in answers.items()]
    monitor, _ = play(StabilizingPredictions(window=1, growth=0.5), rounds)
    # 15 with 10, and 23 with 15: what came in between is not looked at, and the last value stands.
    expected = [np.nan, np.nan, 0.5, 0.5, 0.0]
    np.testing.assert_allclose(values(monitor), expected)
    every, _ = play(StabilizingPredictions(window=1), rounds)
    np.testing.assert_allclose(values(every), [np.nan, 1.0, 0.5, -0.5, 0.0], atol=1e-12)


def test_no_more_than_one_rounds_predictions_are_kept(play, told):
    criterion = StabilizingPredictions(stop_set_size=100, window=3)
    rounds = [told(np.arange(50_000) % 3, n) for n in range(30)]
    assert len(pickle.dumps(play(criterion, rounds)[0])) < 10_000


# Classification change --------------------------------------------------------------------------


def test_changes_are_counted_over_the_rows_left_in_both_rounds(play, told):
    before = told([0, 1, 0, 1, 0, 1], pool=np.array([0, 1, 2, 4, 5]))
    now = told([1, 1, 1, 1, 0, 1], pool=np.array([1, 2, 4, 5]))  # of those left, row 2 changes
    monitor, verdicts = play(ClassificationChange(tolerance=0.2), [before, now])
    assert verdicts[1].value == 0.25
    assert not verdicts[1]
    assert verdicts[1].reason == (
        "the predicted class changed for 25 % of the 4 unlabeled rows, more than 20 %"
    )
    assert np.isnan(values(monitor)[0])
    assert play(ClassificationChange(tolerance=0.25), [before, now])[1][1]


def test_changes_of_labeled_rows_do_not_count(play, told):
    before, now = told([0, 1, 0, 1]), told([1, 1, 0, 1], pool=np.array([1, 2, 3]))
    assert play(ClassificationChange(), [before, now])[1][1]


def test_the_window_is_of_rounds_in_a_row(play, told):
    same, other = told([0, 1, 0]), told([1, 1, 0])
    rounds = [same, same, other, other, other, other]
    _, verdicts = play(ClassificationChange(window=2), rounds)
    assert [verdict.stop for verdict in verdicts] == [False, False, False, False, True, True]
    assert verdicts[1].reason.endswith("at most 0 %, over 1 round of 2")
    assert verdicts[4].reason.endswith("at most 0 %, over 2 rounds")


def test_a_pool_of_one_class_never_stops(play, told):
    _, verdicts = play(ClassificationChange(), [told([1, 1, 1])] * 5)
    assert not any(verdicts)
    assert "the same class for all 3 unlabeled rows" in verdicts[-1].reason


@pytest.mark.parametrize("criterion", [ClassificationChange(), OverallUncertainty()], ids=str)
def test_an_empty_pool_says_nothing(criterion, play, told):
    current = told([0, 1], pool=np.empty(0, dtype=int))
    _, verdicts = play(criterion, [current, current])
    assert not any(verdicts)
    assert verdicts[-1].reason == "the pool is empty"


# Overall uncertainty ----------------------------------------------------------------------------


def test_entropy_by_hand(monkeypatch, doubting):
    half, sure, third = [0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3] * 3
    expected = (math.log(2) + 0 + math.log(3)) / 3 / math.log(3)
    for rows_at_once in (1, 2, 100):
        monkeypatch.setattr(_evaluation, "_ROWS_AT_ONCE", rows_at_once)
        current = doubting([half, sure, third])
        assert OverallUncertainty().start().update(current).value == pytest.approx(expected)
    left = doubting([half, sure, third], pool=np.array([1, 2]))
    assert OverallUncertainty().start().update(left).value == pytest.approx(0.5)


def test_uncertainty_stops_below_the_threshold_and_not_at_it(doubting):
    current = doubting([[0.5, 0.5], [1.0, 0.0]])
    assert not OverallUncertainty(0.5).start().update(current)
    verdict = OverallUncertainty(0.500001).start().update(current)
    assert verdict
    assert verdict.reason == (
        "the mean entropy of the 2 unlabeled rows is 0.5 of its maximum, below 0.500001"
    )


def test_a_model_of_one_class_is_not_certain(doubting):
    verdict = OverallUncertainty().start().update(doubting([[1.0], [1.0]]))
    assert not verdict
    assert verdict.reason == "the model knows one class only"
