"""Tests for drift, against plain loops, and the protocol that they share with river."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from skactive.streams import DDM, PageHinkley
from skactive.streams._drift import clone_detector, watch

errors_of_a_stream = st.lists(st.integers(0, 1), max_size=150)
EVERY = pytest.mark.parametrize("detector", [PageHinkley(), DDM()], ids=["page", "ddm"])


def detections(detector, errors):
    found = []
    for error in errors:
        detector.update(error)
        found.append(detector.drift_detected)
    return found


@settings(max_examples=50, deadline=None)
@given(errors_of_a_stream)
def test_page_hinkley_is_the_formula(errors):
    total, sums, expected = 0.0, [0.0], []
    for t in range(1, len(errors) + 1):
        total += errors[t - 1] - np.mean(errors[:t]) - 0.1
        sums.append(total)
        expected.append(bool(t >= 20 and total - min(sums) > 2.0))
    assert detections(PageHinkley(0.1, 2.0, n_min=20), errors) == expected


@settings(max_examples=50, deadline=None)
@given(errors_of_a_stream)
def test_ddm_is_the_formula(errors):
    lowest, least, expected = math.inf, 0.0, []
    for t in range(1, len(errors) + 1):
        rate = np.mean(errors[:t])
        deviation = math.sqrt(rate * (1 - rate) / t)
        if t >= 20 and rate + deviation <= lowest + least:
            lowest, least = rate, deviation
        limit = lowest + 3 * max(least, 1 / t)
        expected.append(bool(t >= 20 and rate + deviation > limit + 1e-12))
    found = detections(DDM(n_min=20), errors)
    assert found == expected


@EVERY
def test_a_rise_of_the_error_rate_is_found_and_a_fall_is_not(detector):
    rng = np.random.RandomState(0)
    low, high = rng.uniform(size=300) < 0.1, rng.uniform(size=100) < 0.6
    rise = detections(clone(detector), [*low.astype(int), *high.astype(int)])
    assert not any(rise[:300])
    assert any(rise[300:360])
    fall = detections(clone(detector), [*high.astype(int), *low.astype(int)])
    assert not any(fall[150:])


def test_page_hinkley_has_few_false_alarms():
    rng = np.random.RandomState(0)
    alarms = [any(detections(PageHinkley(), rng.uniform(size=500) < 0.2)) for _ in range(40)]
    assert sum(alarms) <= 2


@EVERY
def test_a_clone_has_seen_nothing(detector):
    errors = [0] * 100 + [1] * 60
    used = clone(detector)
    first = detections(used, errors)
    assert any(first)
    assert detections(clone_detector(used), errors) == first


@EVERY
def test_watching_does_not_change_the_detector(detector):
    errors = [0.0] * 100 + [1.0] * 60
    after, found = watch(detector, errors)
    assert found
    assert after.drift_detected
    assert not detector.drift_detected
    assert watch(detector, errors[:100])[1] is False


def test_ddm_refuses_errors_that_are_no_counts():
    with pytest.raises(ValueError, match="PageHinkley"):
        DDM().update(0.5)


@pytest.mark.parametrize("detector", [PageHinkley(threshold=0), DDM(n_min=0)], ids=["page", "ddm"])
def test_bad_hyper_parameters_are_refused(detector):
    with pytest.raises(InvalidParameterError):
        detector.update(0)


@pytest.mark.parametrize("name", ["ADWIN", "PageHinkley", "KSWIN", "binary.DDM", "binary.EDDM"])
def test_detectors_of_river_have_the_protocol(name):
    river = pytest.importorskip("river.drift")
    module, _, kind = f"river.drift.{name}".rpartition(".")
    del river
    detector = getattr(pytest.importorskip(module), kind)()
    rng = np.random.RandomState(0)
    errors = np.concatenate([rng.uniform(size=400) < 0.1, rng.uniform(size=600) < 0.9])
    after, found = watch(detector, errors)
    assert found
    assert after.drift_detected
    assert not detector.drift_detected
    assert not clone_detector(after).drift_detected
