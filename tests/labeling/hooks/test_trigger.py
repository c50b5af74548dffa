"""Triggers by labels, drift, accuracy and time, and the expected accuracy that they may watch."""

import numpy as np
import pytest

from skactive.estimation import Estimate
from skactive.labeling import SessionEvent
from skactive.labeling.hooks import ExpectedAccuracy, PoolDrift, Trigger


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def label(trigger, n_labels, n_new=1):
    labels = dict.fromkeys(range(n_labels - n_new, n_labels), "cat")
    trigger.on_labels(SessionEvent("on_labels", 1, n_labels, labels=labels))


def finish_round(trigger, n_right, n):
    metrics = {"audit_n": float(n), "audit_score": n_right / n}
    trigger.on_round_end(SessionEvent("on_round_end", 1, 50, metrics=metrics))


def test_it_counts_labels_and_begins_anew():
    told = []
    trigger = Trigger("refit", told.append, n_labels=3)
    for n in range(1, 8):
        label(trigger, n)
    assert [fired.n_labels for fired in told] == [3, 6]
    label(trigger, 10, n_new=3)
    assert str(told[-1]) == "Time to refit: 4 new labels."
    assert trigger.fired == told


def test_it_fires_when_the_time_is_over():
    told, clock = [], Clock()
    trigger = Trigger("ask", told.append, seconds=60.0, n_labels=100, clock=clock)
    clock.now = 59.0
    trigger.check()
    assert told == []
    clock.now = 61.0
    label(trigger, 1)
    trigger.check()
    assert [fired.condition for fired in told] == ["time"]
    assert str(told[0]) == "Time to ask: 61 seconds have passed."


def test_it_watches_the_audit_with_ever_wider_intervals():
    told = []
    trigger = Trigger("audit", told.append, accuracy_below=0.8)
    finish_round(trigger, 78, 100)
    assert told == []
    finish_round(trigger, 60, 100)
    assert [fired.condition for fired in told] == ["accuracy"]
    assert (told[0].action, told[0].n_labels) == ("audit", 50)
    # 70 of 100 would be below at the first look; after twenty looks it is not.
    for _ in range(20):
        finish_round(trigger, 79, 100)
    finish_round(trigger, 70, 100)
    assert len(told) == 1


@pytest.mark.no_cover
def test_false_alarms_of_the_audit():
    alarms = 0
    for seed in range(300):
        told = []
        trigger = Trigger("audit", told.append, accuracy_below=0.8)
        right = np.random.RandomState(seed).rand(400) < 0.8
        for n in range(20, 401, 20):
            finish_round(trigger, int(right[:n].sum()), n)
        alarms += bool(told)
    assert alarms <= 0.05 * 300


def test_it_watches_rows():
    rng, told = np.random.RandomState(0), []
    trigger = Trigger(
        "ask", told.append, drift=PoolDrift(rng.normal(size=(200, 2)), random_state=0)
    )
    trigger.watch_rows(rng.normal(size=(50, 2)))
    assert told == []
    trigger.watch_rows(rng.normal(size=(50, 2)) + 3.0)
    assert told[0].condition == "drift"
    assert str(told[0]).startswith("Time to ask: the newest rows are unlike the pool")


def test_bad_settings():
    with pytest.raises(ValueError, match="Give a condition"):
        Trigger("refit", print)
    with pytest.raises(ValueError, match="action must be 'refit' or 'audit' or 'ask'"):
        Trigger("stop", print, n_labels=3)
    with pytest.raises(TypeError, match="drift must be a PoolDrift"):
        Trigger("refit", print, drift=0.5)
    trigger = Trigger("refit", print, n_labels=3)
    with pytest.raises(ValueError, match="give it drift"):
        trigger.watch_rows([[1.0]])
    with pytest.raises(ValueError, match="give it accuracy_below"):
        trigger.watch_accuracy(Estimate(0.5, 0.4, 0.6, 10, "calibrated", 0.95))


# Expected accuracy --------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_coverage_of_the_expected_accuracy():
    held, naive = 0, 0
    for seed in range(500):
        rng = np.random.RandomState(seed)
        before, now = rng.beta(3, 1, 400), rng.beta(1.5, 1, 300)  # harder rows
        chances = lambda c: 0.2 + 0.8 * c**2  # noqa: E731  confidences are not calibrated
        right = rng.rand(400) < chances(before)
        estimate = ExpectedAccuracy(before, right, n_bins=10).estimate(now)
        truth = np.mean(rng.rand(300) < chances(now))
        held += estimate.low <= truth <= estimate.high
        naive += abs(right.mean() - truth) < (estimate.high - estimate.low) / 2
    assert held > 0.93 * 500
    assert naive < 0.5 * 500


def test_expected_accuracy_of_a_plain_loop():
    confidences = np.array([0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 0.9, 1.0])
    right = np.array([0, 1, 0, 0, 1, 1, 0, 1])
    estimate = ExpectedAccuracy(confidences, right, n_bins=2).estimate([0.2, 0.5, 0.99, 0.6])
    rates = (1 + 0.5) / 5, (3 + 0.5) / 5
    shares = 2 / 4, 2 / 4  # the levels meet at 0.55, the median
    assert estimate.value == pytest.approx(shares[0] * rates[0] + shares[1] * rates[1])
    assert (estimate.n, estimate.method) == (4, "calibrated")


def test_tied_confidences_share_a_level():
    estimate = ExpectedAccuracy(np.ones(40), np.arange(40) % 2).estimate([1.0, 0.5])
    assert estimate.value == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("confidences", "right", "message"),
    [
        (np.ones(30), np.ones(20), "one length, got 30 and 20"),
        (np.ones(5), np.ones(5), "At least 20 audited rows"),
        (np.ones(30), np.full(30, 2.0), "right being 0 or 1"),
    ],
)
def test_bad_audits(confidences, right, message):
    with pytest.raises(ValueError, match=message):
        ExpectedAccuracy(confidences, right)
