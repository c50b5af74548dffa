"""Measures of learning curves, by hand and by published numbers."""

import numpy as np
import pytest

from skactive.metrics import (
    area_under_learning_curve,
    data_utilization_rate,
    deficiency,
    end_quality,
    labels_to_reach,
    start_quality,
    zhan_area,
)

N_LABELS = [20, 40, 60, 80]


@pytest.mark.parametrize(
    ("scores", "target", "expected"),
    [
        ([0.5, 0.7, 0.8, 0.9], 0.75, 60.0),  # between two rounds: the later one
        ([0.5, 0.7, 0.8, 0.9], 0.7, 40.0),  # exactly reached counts
        ([0.5, 0.7, 0.8, 0.9], 0.3, 20.0),  # at the start
        ([0.5, 0.7, 0.8, 0.9], 0.9, 80.0),  # at the end
        ([0.5, 0.7, 0.8, 0.9], 0.91, np.inf),  # never
        ([0.5, 0.9, 0.6, 0.9], 0.85, 40.0),  # lost again: the first time counts
        ([0.9, 0.5, 0.6, 0.7], 0.7, 20.0),  # falling at first
        ([-3.0, -2.0, -1.0, -0.5], -1.0, 60.0),  # scores whose best is 0
    ],
)
@pytest.mark.parametrize("container", [list, tuple, np.array])
def test_first_round_that_reaches_the_target(scores, target, expected, container):
    reached = labels_to_reach(container(N_LABELS), container(scores), target)
    assert reached == expected
    assert type(reached) is float


def test_one_round():
    assert labels_to_reach([7], [0.4], 0.4) == 7.0
    assert labels_to_reach([7], [0.4], 0.5) == np.inf


# -- areas -------------------------------------------------------------------------------------


def test_area_published_value():
    assert area_under_learning_curve([10, 20, 40], [0.5, 0.7, 0.8]) == pytest.approx(
        0.70, abs=1e-15
    )


def test_area_by_scipy():
    from scipy.integrate import trapezoid

    rng = np.random.default_rng(0)
    n_labels, scores = np.cumsum(rng.integers(1, 9, size=30)), rng.random(30)
    expected = trapezoid(scores, n_labels) / np.ptp(n_labels)
    assert area_under_learning_curve(n_labels, scores) == pytest.approx(expected, rel=1e-14)


def test_area_counts_rounds_by_their_size():
    even = area_under_learning_curve([10, 20, 30, 40], [0.5, 0.7, 0.75, 0.8])
    assert area_under_learning_curve([10, 20, 40], [0.5, 0.7, 0.8]) == pytest.approx(even)


def test_area_against_cost_is_free_of_the_unit():
    costs = np.array([1.5, 4.0, 4.5])
    expected = (2.5 * 0.6 + 0.5 * 0.75) / 3.0
    assert area_under_learning_curve(costs, [0.5, 0.7, 0.8]) == pytest.approx(expected)
    assert area_under_learning_curve(60 * costs, [0.5, 0.7, 0.8]) == pytest.approx(expected)


@pytest.mark.parametrize("area", [area_under_learning_curve, start_quality, end_quality])
def test_flat_curve(area):
    assert area([3, 10, 11], [0.7] * 3) == pytest.approx(0.7)


def test_zhan_area_is_low_by_its_quirk():
    scores = [0.5, 0.7, 0.8, 0.9]
    assert zhan_area(scores) == pytest.approx((0.6 + 0.75 + 0.85) / 4)
    right = area_under_learning_curve([21, 22, 23, 24], scores)
    assert zhan_area(scores) == pytest.approx(right * 3 / 4)


# -- start and end -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "start", "end"),
    [
        (0.0, 0.5, 0.8),  # one score alone
        (0.5, 0.6, 0.75),  # cut at a round
        (0.25, 0.55, 0.775),  # cut between rounds
        (1.0, 0.675, 0.675),  # the whole curve
    ],
)
def test_start_and_end_by_hand(share, start, end):
    n_labels, scores = [20, 40, 60], [0.5, 0.7, 0.8]
    assert start_quality(n_labels, scores, share=share) == pytest.approx(start)
    assert end_quality(n_labels, scores, share=share) == pytest.approx(end)


def test_end_is_the_start_of_the_mirrored_curve():
    rng = np.random.default_rng(1)
    n_labels, scores = np.cumsum(rng.integers(1, 9, size=12)), rng.random(12)
    mirrored = start_quality(-n_labels[::-1], scores[::-1], share=0.3)
    assert end_quality(n_labels, scores, share=0.3) == pytest.approx(mirrored)


@pytest.mark.parametrize("quality", [start_quality, end_quality])
@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_share_outside_of_its_range(quality, share):
    with pytest.raises(ValueError, match="share must lie in"):
        quality(N_LABELS, [0.5, 0.6, 0.7, 0.8], share=share)


# -- data utilization rate ---------------------------------------------------------------------

FAST, SLOW = [0.5, 0.8, 0.9, 0.9], [0.5, 0.6, 0.7, 0.8]


@pytest.mark.parametrize(
    ("scores", "reference", "target", "limit", "bound"),
    [
        (FAST, SLOW, 0.8, 0.5, 0.5),
        (SLOW, FAST, 0.8, 2.0, 2.0),
        (FAST, SLOW, 0.5, 1.0, 1.0),  # both at the start
        (SLOW, FAST, 0.9, np.inf, 80 / 60),  # the strategy never: truly more than the bound
        (FAST, SLOW, 0.9, 0.0, 60 / 80),  # the reference never: truly less than the bound
        (FAST, SLOW, 0.95, np.nan, np.nan),  # neither
    ],
)
def test_utilization_and_its_censoring(scores, reference, target, limit, bound):
    rates = [
        data_utilization_rate(N_LABELS, scores, reference, target, censored=censored)
        for censored in ("limit", "bound")
    ]
    np.testing.assert_allclose(rates, [limit, bound])
    assert type(rates[0]) is type(rates[1]) is float


def test_bounds_hold_whatever_comes_after_the_end():
    longer = [*N_LABELS, 100]
    whole = data_utilization_rate(longer, [*SLOW, 0.9], [*FAST, 0.9], 0.9)
    assert data_utilization_rate(N_LABELS, SLOW, FAST, 0.9, censored="bound") < whole
    whole = data_utilization_rate(longer, [*FAST, 0.9], [*SLOW, 0.9], 0.9)
    assert data_utilization_rate(N_LABELS, FAST, SLOW, 0.9, censored="bound") > whole


def test_utilization_beside_a_reference_with_rounds_of_its_own():
    rate = data_utilization_rate([20, 50], [0.5, 0.8], SLOW, 0.8, reference_n_labels=N_LABELS)
    assert rate == 50 / 80


def test_utilization_refuses():
    with pytest.raises(ValueError, match="'limit' or 'bound'"):
        data_utilization_rate(N_LABELS, FAST, SLOW, 0.8, censored="drop")
    with pytest.raises(ValueError, match="target must be a finite number"):
        data_utilization_rate(N_LABELS, FAST, SLOW, np.nan)
    with pytest.raises(ValueError, match="more than 0 labels"):
        data_utilization_rate([0, 1, 2, 3], FAST, SLOW, 0.8)


# -- deficiency --------------------------------------------------------------------------------


def test_deficiency_is_the_plain_ratio_of_sums_one_label_a_round():
    # Baram et al. sum over the labels asked for, so not over the start.
    scores, reference = np.array([0.5, 0.75, 0.8, 0.8]), np.array([0.5, 0.6, 0.7, 0.8])
    expected = (0.05 + 0 + 0) / (0.2 + 0.1 + 0)
    assert deficiency([5, 6, 7, 8], scores, reference) == pytest.approx(expected)


def test_deficiency_counts_rounds_by_their_size():
    # 0.9 is the best: (10 * 0.2 + 20 * 0.1) / (10 * 0.4 + 20 * 0.2)
    assert deficiency([10, 20, 40], [0.5, 0.7, 0.8], [0.5, 0.5, 0.7], best=0.9) == pytest.approx(
        0.5
    )


def test_deficiency_of_the_reference_itself_and_of_the_reverse():
    assert deficiency(N_LABELS, SLOW, SLOW) == pytest.approx(1.0)
    forward = deficiency(N_LABELS, FAST, SLOW, best=0.95)
    assert forward < 1.0
    assert deficiency(N_LABELS, SLOW, FAST, best=0.95) == pytest.approx(1 / forward)


def test_deficiency_where_the_strategy_is_above_the_best():
    assert deficiency(N_LABELS, FAST, SLOW) < 0.0


@pytest.mark.parametrize("reference", [[0.5, 0.8, 0.8, 0.8], [0.5, 0.9, 0.9, 0.8]])
def test_deficiency_without_a_shortfall(reference):
    with pytest.raises(ValueError, match="not below best"):
        deficiency(N_LABELS, FAST, reference)


# -- invalid input -----------------------------------------------------------------------------

CURVES = {
    "area": area_under_learning_curve,
    "start": start_quality,
    "end": end_quality,
    "deficiency": lambda n, a: deficiency(n, a, a, best=2.0),
    "strategy": lambda n, a: data_utilization_rate(n, a, SLOW, 0.8, reference_n_labels=N_LABELS),
    "reference": lambda n, a: data_utilization_rate(N_LABELS, SLOW, a, 0.8, reference_n_labels=n),
}


@pytest.mark.parametrize("measure", CURVES.values(), ids=CURVES)
@pytest.mark.parametrize(
    ("n_labels", "scores", "message"),
    [
        ([1, 2, 3], [0.5, 0.6], "same length, got 3 and 2"),
        ([1, 1, 3], [0.5, 0.6, 0.7], "must increase"),
        ([3, 2, 1], [0.5, 0.6, 0.7], "must increase"),
        ([1], [0.5], "at least 2 numbers"),
        ([], [], "at least 2 numbers"),
        ([[1, 2]], [[0.5, 0.6]], "at least 2 numbers"),
        ([1, 2], [0.5, np.nan], "scores must be finite"),
        ([1, np.inf], [0.5, 0.6], "n_labels must be finite"),
    ],
)
def test_what_is_no_curve(measure, n_labels, scores, message):
    with pytest.raises(ValueError, match=message):
        measure(n_labels, scores)


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, np.nan], [[0.5, 0.6]]])
def test_zhan_area_of_no_curve(scores):
    with pytest.raises(ValueError, match="scores must be"):
        zhan_area(scores)


@pytest.mark.parametrize("measure", [*CURVES.values(), lambda n, a: zhan_area(a)])
def test_inputs_stay_and_the_answer_is_a_float(measure):
    n_labels, scores = np.array([20, 40, 60]), np.array([0.5, 0.9, 0.7])
    for array in (n_labels, scores):
        array.flags.writeable = False
    assert type(measure(n_labels, scores)) is float
