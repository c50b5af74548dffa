"""The value of labels: forecasts of what the next batch saves, against its cost."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.seeding import derived_seed
from skactive.estimation import forecast_learning_curve
from skactive.exceptions import CapabilityError
from skactive.stopping import Budget, Round, ValueOfLabels
from skactive.strategies import Margin

COUNTS = (50, 100, 150, 200, 250)
ACCURACIES = {50: 0.6, 100: 0.74, 150: 0.8, 200: 0.83, 250: 0.85}


def read_accuracy(current):
    return ACCURACIES[current.n_labels]


def forecast_gains(seed=0):
    forecast = forecast_learning_curve(
        COUNTS, [*ACCURACIES.values()], [300], random_state=derived_seed(seed, 0x7A1E)
    )
    ends = [np.searchsorted(forecast.grid, n) for n in (250, 300)]
    assert [*forecast.grid[ends]] == [250, 300]
    return np.diff(forecast.paths[:, ends], axis=1)[:, 0]


@pytest.mark.parametrize("pessimism", [0.0, 0.1, 0.4, 0.9, 1.0])
def test_it_stops_where_the_forecast_saving_falls_below_the_cost(play, pessimism):
    gain = np.quantile(forecast_gains(), 1 - pessimism)
    for price in (0.9, 1.1):
        criterion = ValueOfLabels(
            2.0,
            500,
            pessimism=pessimism,
            price=price * 2 * 500 * abs(gain) / 50,
            score=read_accuracy,
        )
        _, verdicts = play(criterion, [Round(n) for n in COUNTS])
        assert [verdict.stop for verdict in verdicts[:4]] == [False] * 4
        assert verdicts[3].reason == "needs 5 accuracies, has 4"
        assert verdicts[4].value == pytest.approx(np.sign(gain) / price)
        assert verdicts[4].stop == (gain < 0 or price > 1)


def test_the_cost_of_the_next_batch_is_that_of_the_last_one(play):
    costs = [100.0, 150.0, 210.0, 240.0, 300.0]  # the last batch cost 60
    rounds = [Round(n, cost=cost) for n, cost in zip(COUNTS, costs, strict=True)]
    value = play(ValueOfLabels(1, 1000, score=read_accuracy), rounds)[1][-1].value
    labels = play(ValueOfLabels(1, 1000, score=read_accuracy), [Round(n) for n in COUNTS])[1][-1]
    priced = play(ValueOfLabels(1, 1000, score=read_accuracy, price=3.0), rounds)[1][-1]
    assert value * 60 == pytest.approx(labels.value * 50)
    assert priced.value * 150 == pytest.approx(labels.value * 50)
    free = [Round(n, cost=1.0) for n in COUNTS]
    last = play(ValueOfLabels(1, 1e9, score=read_accuracy), free)[1][-1]
    assert (last.stop, last.reason) == (False, "the last batch had no labels that cost anything")


def test_an_audit_is_a_curve_measured_on_its_rows_and_costs_too(play, audited):
    rounds = [
        audited(n * share // 500, n // 5, n)
        for n, share in zip(COUNTS, (60, 74, 80, 83, 85), strict=True)
    ]
    monitor, verdicts = play(ValueOfLabels(1.0, 1000), rounds)
    audits = np.array([len(current.audit) for current in rounds])
    accuracies = [current.audit.mean() for current in rounds]
    forecast = forecast_learning_curve(
        COUNTS, accuracies, [300], n_test=audits, random_state=derived_seed(0, 0x7A1E)
    )
    gains = np.diff(forecast.paths[:, np.searchsorted(forecast.grid, [250, 300])], axis=1)
    assert verdicts[-1].value == pytest.approx(1000 * np.quantile(gains, 0.6) / (50 + 10))
    again = pickle.loads(pickle.dumps(monitor))
    assert again.update(rounds[-1]).reason == "the last batch had no labels that cost anything"


def test_labels_that_are_taken_back_leave_a_curve_that_rises(play):
    undone = [Round(n) for n in (50, 100, 150, 200, 150, 100, 150, 200, 250)]
    _, verdicts = play(ValueOfLabels(1, 1000, score=read_accuracy), undone)
    _, straight = play(ValueOfLabels(1, 1000, score=read_accuracy), [Round(n) for n in COUNTS])
    assert [np.isnan(verdict.value) for verdict in verdicts] == [True] * 8 + [False]
    assert verdicts[-1] == straight[-1]


def test_rounds_without_audited_rows_are_passed_over(play, audited):
    rounds = [Round(10, audit=np.empty(0)), *(audited(5, 10, n) for n in COUNTS)]
    monitor, _ = play(ValueOfLabels(1.0, 100), rounds)
    assert [np.isnan(value) for _, value in monitor.history] == [True] * 5 + [False]


def test_cross_validation_is_that_of_the_labeled_rows():
    X, y = load_digits(return_X_y=True)
    X, learner = X / 16, ActiveLearner(LogisticRegression(), Margin(), random_state=0)
    monitor = ValueOfLabels(1.0, 100, score="cross_validation", n_rounds=2).start()
    for n in (60, 90):
        monitor.update(Round(n, learner.fit(X[:n], y[:n]), X, seed=7))
    folds = StratifiedKFold(5, shuffle=True, random_state=derived_seed(7, 0xF01D))
    _, accuracy, n_test = monitor._memory["curve"][-1]
    scores = cross_val_score(LogisticRegression(), X[:90], y[:90], cv=folds)
    assert (accuracy, n_test) == (pytest.approx(scores.mean()), 90)
    assert np.isfinite(monitor.history[-1][1])
    alone = ValueOfLabels(1.0, 100, score="cross_validation", n_rounds=2).start()
    assert (
        alone.update(Round(10, learner.fit(X[:10], y[:10]), X)).reason
        == "needs 2 accuracies, has 0"
    )


def test_accuracies_come_from_somewhere(play):
    with pytest.raises(ValueError, match="reads an audit sample, but there is none"):
        play(ValueOfLabels(1, 1), [Round(10)])
    with pytest.raises(ValueError, match=r"an accuracy, from 0 to 1, got 85\.0"):
        play(ValueOfLabels(1, 1, score=lambda _: 85), [Round(10)])
    regressor = ActiveLearner(LinearRegression()).fit([[0.0], [1.0]], [0.0, 1.0])
    for learner in (LogisticRegression(), regressor):
        with pytest.raises(CapabilityError, match="of an ActiveLearner that classifies"):
            play(ValueOfLabels(1, 1, score="cross_validation"), [Round(10, learner)])


def test_campaigns_end_earlier_where_errors_matter_less():
    X, y = load_digits(return_X_y=True)
    ends = []
    for rows_in_use in (10, 1_000_000):
        campaign = SimulatedLearner(
            ActiveLearner(LogisticRegression(), Margin()),
            budget=200,
            batch_size=20,
            n_initial=20,
            audit_share=0.2,
            stopping=ValueOfLabels(0.1, rows_in_use) | Budget(190),
            random_state=0,
        ).fit(X[:600] / 16, y[:600])
        ends.append(campaign.n_bought_[-1])
    assert ends[0] < 150 < 190 <= ends[1]
    assert "190" in campaign.stop_reason_
