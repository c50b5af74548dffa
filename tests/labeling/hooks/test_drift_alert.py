"""Alarms: rarely where nothing drifts, in campaigns of any length, and often where something does.

The rates are those of simulated campaigns with fixed seeds. Answers take lognormal times, labels
are right with a given chance, and annotators differ from each other from the beginning.
"""

import logging
import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from runs import parametrize_runs
from sklearn.datasets import load_iris
from sklearn.metrics import cohen_kappa_score
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.estimation import clopper_pearson
from skactive.exceptions import SkactiveWarning
from skactive.labeling import LabelingSession, SessionEvent
from skactive.labeling.hooks import Drift, DriftAlert
from skactive.labeling.hooks._drift_tests import (
    AlphaSpending,
    Windows,
    agreement_test,
    class_test,
    kappa_interval,
    speed_test,
)

X, Y = load_iris(return_X_y=True)
NAMES = ("ann", "bob", "cy")
MIX = np.array([0.5, 0.3, 0.15, 0.05])


def labels_event(answers, annotator=None, seconds=0.0, n_labels=0):
    about = {"labels": answers, "annotator": annotator, "seconds": seconds}
    return SessionEvent("on_labels", 1, n_labels, tuple(answers), **about)


def round_event(n_right, n, n_labels=0):
    metrics = {"audit_n": float(n), "audit_score": n_right / n} if n else {}
    return SessionEvent("on_round_end", 1, n_labels, metrics=metrics)


# -- whole campaigns ---------------------------------------------------------------------------


@dataclass
class World:
    """Behavior of annotators and model, which changes at a row."""

    at: int = 10**9
    slower: float = 1.0
    mix: np.ndarray = field(default_factory=lambda: MIX)
    right: float = 0.9
    model: float = 0.9


def campaign(seed, world, n_rows=1200, **options):
    """Label rows, two of three by two people; a quarter of the rows is drawn for the audit."""
    rng, found = np.random.RandomState(seed), []
    alert = DriftAlert(found.append, audit_ids=range(0, n_rows, 4), **options)
    late = np.arange(n_rows) >= world.at
    truth = np.where(late, *(rng.choice(4, n_rows, p=mix) for mix in (world.mix, MIX)))
    right = rng.rand(3, n_rows) < np.where(late, world.right, 0.9)
    said = np.where(right, truth, rng.randint(4, size=(3, n_rows))).tolist()
    took = rng.lognormal([[1.0], [1.3], [1.6]], 0.6, (3, n_rows)) * np.where(late, world.slower, 1)
    # The model is judged on the same rows again and again; each has its own threshold.
    judged = rng.rand(n_rows)
    for row in range(n_rows):
        for who in [row % 3, (row + 1) % 3][: 1 + (row % 3 > 0)]:
            alert.on_labels(labels_event({row: said[who][row]}, NAMES[who], took[who, row], row))
        if row % 20 == 19:
            n, rate = (row + 1) // 4, world.model if late[row] else 0.9
            alert.on_round_end(round_event(int((judged[:n] < rate).sum()), n, row))
    assert found == alert.alarms
    return found


def share(campaigns):
    return np.mean([bool(alarms) for alarms in campaigns])


@pytest.mark.no_cover
@parametrize_runs("n_campaigns", 24, 300)
def test_without_drift_one_campaign_in_twenty_has_a_false_alarm_at_most(n_campaigns):
    campaigns = [campaign(seed, World()) for seed in range(n_campaigns)]
    assert share(campaigns) <= 0.05
    assert share(campaigns) > 0  # else the tests could be blind


DRIFTS = {
    "speed": World(600, slower=1.8),
    "classes": World(600, mix=np.array([0.1, 0.3, 0.1, 0.5])),
    "agreement": World(600, right=0.5),
    "accuracy": World(600, model=0.6),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("signal", DRIFTS)
@parametrize_runs("n_campaigns", 8, 40)
def test_a_drift_is_found_and_named(signal, n_campaigns):
    campaigns = [campaign(seed, DRIFTS[signal]) for seed in range(n_campaigns)]
    # The alarms come after the change, and most of them are about it.
    alarms = [alarm for alarms in campaigns for alarm in alarms]
    rightly = [[a for a in alarms if a.signal == signal] for alarms in campaigns]
    assert share(rightly) >= 0.9
    named = [alarm for found in rightly for alarm in found]
    assert len(named) >= 0.9 * len(alarms)
    assert np.mean([alarm.n_labels >= 600 for alarm in named]) >= 0.95
    assert all(alarm.p_value <= alarm.level or alarm.signal == "accuracy" for alarm in alarms)


@pytest.mark.no_cover
@parametrize_runs("n_campaigns", 30, 300)
def test_false_alarms_do_not_grow_with_the_length_of_a_campaign(n_campaigns):
    """Many tests of one person: the levels shrink as fast as tests are added."""
    rng = np.random.RandomState(1)
    hits = 0
    for _ in range(n_campaigns):
        alert = DriftAlert(lambda drift: None, signals=["speed"], window=10, speed_ratio=1.0)
        for row, seconds in enumerate(rng.lognormal(1, 0.5, 300)):
            alert.on_labels(labels_event({row: "a"}, "ann", seconds))
        hits += bool(alert.alarms)
    assert hits <= 0.05 * n_campaigns
    assert hits or n_campaigns < 300  # else the test could be blind


@pytest.mark.no_cover
@pytest.mark.parametrize("right", [0.6, 0.9, 0.97])
def test_agreement_rarely_gives_a_false_alarm_however_good_it_is(right):
    rng = np.random.RandomState(2)
    n, level = 2000, 0.01
    hits = 0
    for _ in range(n):
        truth = rng.choice(4, p=MIX, size=100)
        said = [np.where(rng.rand(100) < right, truth, rng.randint(4, size=100)) for _ in "ab"]
        pairs = list(zip(*said, strict=True))
        hits += agreement_test(pairs[:50], pairs[50:]) <= level
    assert hits <= level * n + 2 * math.sqrt(level * n)


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_a_model_that_does_not_get_worse_gives_no_alarm(rate):
    rng = np.random.RandomState(3)
    hits = 0
    for _ in range(150):
        alert = DriftAlert(lambda drift: None, signals=["accuracy"])
        for n in range(50, 400, 5):  # each model is right on rows of its own
            alert.on_round_end(round_event(rng.binomial(n, rate), n))
        hits += bool(alert.alarms)
    assert hits <= 0.05 * 150


# -- single tests ------------------------------------------------------------------------------


def test_levels_add_up_to_alpha():
    levels = AlphaSpending(0.05)
    given = [levels.next_level() for _ in range(1000)]
    assert given[:2] == pytest.approx([0.025, 0.05 / 6])
    assert sum(given) == pytest.approx(0.05 * 1000 / 1001)


def test_windows_do_not_overlap():
    windows = Windows(3)
    full = [both for value in range(10) if (both := windows.add(value))]
    assert full == [([0, 1, 2], [3, 4, 5]), ([0, 1, 2], [6, 7, 8])]
    windows.restart([6, 7, 8])
    assert [windows.add(value) for value in (10, 11)] == [None, ([6, 7, 8], [9, 10, 11])]


@pytest.mark.no_cover
def test_kappa_is_that_of_scikit_learn_and_its_error_that_of_the_jackknife():
    rng = np.random.RandomState(0)
    a = rng.choice(4, p=MIX, size=400)
    b = np.where(rng.rand(400) < 0.8, a, rng.randint(4, size=400))
    pairs = [(f"c{i}", f"c{j}") for i, j in zip(a, b, strict=True)]
    value, low, high = kappa_interval(pairs)
    assert value == pytest.approx(cohen_kappa_score(a, b))
    without = [kappa_interval(pairs[:i] + pairs[i + 1 :]).value for i in range(400)]
    error = np.sqrt(399 * np.var(without))
    assert (high - low) / 2 == pytest.approx(1.959964 * error, rel=0.02)


def test_kappa_of_a_table_by_hand():
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert kappa_interval(pairs).value == pytest.approx((0.7 - 0.5) / 0.5)
    assert math.isnan(kappa_interval([(1, 1)] * 20).value)


def test_agreement_falls_only_one_way_and_says_nothing_of_one_class():
    agree, differ = [(0, 0), (1, 1)] * 25, [(0, 1), (1, 0), (1, 1), (0, 0)] * 12
    assert agreement_test(agree, differ) < 1e-4
    assert agreement_test(differ, agree) > 0.99
    assert agreement_test([("a", "a")] * 50, [("a", "a")] * 50) == 1.0
    # Six disagreements of 100 pairs, all late: an exact test says 0.013.
    late = [(0, 0), (1, 1)] * 22 + [(0, 1)] * 3 + [(1, 0)] * 3
    assert 0.0125 < agreement_test(agree, late) < 0.05


def test_agreement_is_beyond_chance():
    """As many disagreements, but of nearly one class: kappa falls, agreement itself does not."""
    first = [(0, 0), (1, 1)] * 22 + [(0, 1), (1, 0)] * 3
    newest = [(0, 0)] * 44 + [(0, 1), (1, 0)] * 3
    assert kappa_interval(newest).value < 0 < 0.7 < kappa_interval(first).value
    assert agreement_test(first, newest) < 0.25
    assert agreement_test(newest, first) > 0.5


def test_speed_is_a_ratio_of_medians_of_pairs():
    p_value, ratio = speed_test([1.0, 2.0, 4.0] * 10, [3.0, 6.0, 12.0] * 10)
    assert ratio == pytest.approx(3)
    assert p_value < 1e-5
    assert speed_test([2.0] * 20, [2.0] * 20) == (1.0, 1.0)


def test_classes_are_tested_exactly_each():
    first, newest = [("a",)] * 50, [("a",)] * 40 + [("b",)] * 10
    p_value, label, before, now = class_test(first, newest)
    tail = math.comb(50, 10) / math.comb(100, 10)
    assert p_value == pytest.approx(2 * tail)  # of two classes: one test, of two sides
    assert (label, before, now) == ("a", 1.0, 0.8)
    three = [("c",), *newest[1:]]
    assert class_test([("c",), *first[1:]], three)[0] == pytest.approx(3 * 2 * tail, rel=0.05)
    several = class_test([("a", "b")] * 20, [("a",)] * 20)
    assert several[1:] == ("b", 1.0, 0.0)
    assert class_test([()] * 10, [()] * 10)[0] == 1.0


# -- what counts -------------------------------------------------------------------------------


def fill(alert, first, newest, **options):
    for row, seconds in enumerate([*first, *newest]):
        alert.on_labels(labels_event({row: "a"}, seconds=seconds, **options))
    return alert.alarms


def test_a_drift_is_a_sentence_with_its_figures():
    alert = DriftAlert(lambda drift: None, window=20)
    (alarm,) = fill(alert, [2.0, 3.0] * 10, [8.0, 9.0] * 10, annotator="ann")
    assert isinstance(alarm, Drift)
    assert (alarm.signal, alarm.annotators) == ("speed", ("ann",))
    assert (alarm.before, alarm.now) == (2.5, 8.5)
    assert alarm.level == pytest.approx(0.05 / 4 / 2)
    assert str(alarm).startswith("ann takes 3.5 times as long as before: 2.5 s, now 8.5 s")


def test_a_small_change_of_speed_gives_no_alarm_however_certain():
    times = [2.0, 2.1] * 20, [2.3, 2.4] * 20
    assert fill(DriftAlert(print, window=40, speed_ratio=1.05), *times)
    assert not fill(DriftAlert(print, window=40), *times)


def test_after_an_alarm_the_newest_are_the_reference():
    alert = DriftAlert(lambda drift: None, window=20)
    slow = [8.0, 9.0] * 10
    assert len(fill(alert, [2.0, 3.0] * 10, slow * 4)) == 1
    assert alert._levels["speed"].n_tests == 4


def test_each_annotator_has_a_reference_of_their_own():
    alert = DriftAlert(print, window=20)
    for row in range(80):
        who, seconds = ("ann", 2.0 + row % 2) if row < 40 else ("bob", 9.0 + row % 2)
        alert.on_labels(labels_event({row: "a"}, who, seconds))
    assert alert.alarms == []
    assert alert._levels["speed"].n_tests == 2


def test_a_submission_counts_once_for_the_speed_and_refusals_do_not():
    alert = DriftAlert(print, window=10)
    for row in range(0, 57, 3):
        alert.on_labels(labels_event(dict.fromkeys(range(row, row + 3), "a"), "ann", 2.0))
    alert.on_labels(labels_event({}, "ann", 2.0))
    alert.on_labels(labels_event({99: "a"}, "ann", 0.0))
    assert alert._levels["speed"].n_tests == 0
    alert.on_labels(labels_event({100: "a"}, "ann", 2.0))
    assert alert._levels["speed"].n_tests == 1


def test_only_audited_rows_count_for_the_classes_and_each_once():
    def fill(audit_ids):
        alert = DriftAlert(lambda drift: None, window=20, audit_ids=audit_ids)
        for row in range(40):
            for label in ("a" if row < 20 else "b", "c"):  # the second is a change of mind
                alert.on_labels(labels_event({row: label}))
        return alert.alarms

    assert fill(()) == []
    (alarm,) = fill(range(40))
    assert str(alarm).startswith("Of rows drawn at random 100% were 'a' before, now it is 0%")


def test_what_the_session_says_is_of_the_audit_counts():
    alert = DriftAlert(lambda drift: None, window=20)
    for row in range(40):
        about = {"labels": {row: "ab"[row >= 20]}, "audited": (row,)}
        alert.on_labels(SessionEvent("on_labels", 1, row, (row,), **about))
    assert [alarm.signal for alarm in alert.alarms] == ["classes"]


def test_numbers_are_no_classes():
    alert = DriftAlert(print, window=10, audit_ids=range(100))
    for row in range(40):
        for who in ("ann", "bob"):
            alert.on_labels(labels_event({row: row / 3}, who))
    assert {signal: levels.n_tests for signal, levels in alert._levels.items()} == dict.fromkeys(
        alert.signals, 0
    )


def test_pairs_are_first_opinions_of_two_people_with_names():
    alert = DriftAlert(lambda drift: None, window=10)
    for row in range(20):
        ann, bob = ["x", "y"] if row % 2 else "z", ["y", "x"] if row % 2 else "z"
        bob = bob if row < 10 else "w"
        for who, label in (("ann", ann), (None, "v"), ("bob", bob), ("bob", "u"), ("ann", "u")):
            alert.on_labels(labels_event({row: label}, who))
    (alarm,) = alert.alarms
    assert (alarm.signal, alarm.annotators) == ("agreement", ("ann", "bob"))
    assert alarm.before == 1.0
    assert alarm.now == 0.0
    assert "kappa 1.00 (95 %: 1.00 .. 1.00), now 0.00" in str(alarm)


def test_three_opinions_of_a_row_are_three_pairs():
    alert = DriftAlert(print)
    for who in NAMES:
        alert.on_labels(labels_event({1: "a"}, who))
    assert sorted(alert._pairs) == [("ann", "bob"), ("ann", "cy"), ("bob", "cy")]


def test_the_accuracy_is_compared_with_the_best_so_far():
    alert = DriftAlert(lambda drift: None, signals=["accuracy"])
    for n_right, n in ((0, 0), (2, 40), (180, 200), (170, 200), (110, 200), (110, 200)):
        alert.on_round_end(round_event(n_right, n))
    (alarm,) = alert.alarms
    assert (alarm.before, alarm.now) == (0.9, 0.55)
    assert math.isnan(alarm.p_value)
    assert alarm.level == pytest.approx(0.05 / 12)  # the third round with rows enough
    assert clopper_pearson(110, 200, 1 - alarm.level)[1] < clopper_pearson(180, 200, 0.975)[0]
    assert "accuracy 0.90 (95 %: 0.85 .. 0.94), now 0.55 (95 %: 0.48 .. 0.62)" in str(alarm)


# -- how it is told ----------------------------------------------------------------------------


def test_an_alarm_is_a_warning_or_goes_to_a_log(caplog):
    times = [2.0, 3.0] * 10, [8.0, 9.0] * 10
    with pytest.warns(SkactiveWarning, match="takes 3.5 times as long"):
        fill(DriftAlert(window=20), *times)
    with caplog.at_level(logging.WARNING):
        fill(DriftAlert(logging.getLogger("labels").warning, window=20), *times)
    assert "takes 3.5 times as long" in caplog.text


def test_a_session_feeds_the_alert_and_its_records_a_later_one():
    alert = DriftAlert(lambda drift: None, window=20)
    options = {"audit_share": 0.4, "background": False, "random_state": 0}
    with LabelingSession(ActiveLearner(GaussianNB()), X, hooks=[alert], **options) as session:
        alert.audit_ids = set(session.audit_ids)
        for number in range(60):
            batch = session.next_batch(2, "ann")
            answers = {row: int(Y[row]) if number < 30 else 7 for row in batch.ids}
            seconds = (2.0 if number < 30 else 6.0) + 0.01 * number
            session.submit(answers, ticket=batch.ticket, annotator="ann", seconds=seconds)
            session.submit(answers, annotator="bob")
        records = session.records()
    assert {alarm.signal for alarm in alert.alarms} >= {"speed", "classes"}
    again = DriftAlert(print, window=20, audit_ids=alert.audit_ids)
    again.replay(records)
    assert again.alarms == [alarm for alarm in alert.alarms if alarm.signal != "accuracy"]
    assert again._levels["agreement"].n_tests == alert._levels["agreement"].n_tests > 0
    assert again._levels["classes"].n_tests == alert._levels["classes"].n_tests > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signals": "speed"}, "signals must be some of"),
        ({"signals": []}, "signals must be some of"),
        ({"signals": ["mood"]}, "signals must be some of"),
        ({"alpha": 0.0}, "alpha must lie between 0 and 1"),
        ({"window": 5}, "window must be at least 10"),
        ({"speed_ratio": 0.5}, "speed_ratio must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DriftAlert(**options)
