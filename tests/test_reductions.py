"""Reductions against plain loops over rows."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skactive import reductions
from skactive._utils.ragged import offsets_of
from skactive.reductions import (
    LengthNormalized,
    Quantile,
    SoftMin,
    TopMean,
    maximum,
    mean,
    minimum,
    total,
)

ALL = [total, mean, maximum, minimum, TopMean(2), TopMean(0.4), Quantile(0.3)]
ALL += [LengthNormalized(0.5), SoftMin(2.0)]
NAMES = [getattr(reduction, "__name__", repr(reduction)) for reduction in ALL]
finite = st.floats(-1e6, 1e6).map(lambda x: round(x, 6))
some_rows = st.lists(st.lists(finite, max_size=6), max_size=12)


def flatten(rows):
    return np.array([score for row in rows for score in row]), offsets_of([len(r) for r in rows])


def interpolate(row, q):
    """The quantile between the two nearest sorted scores."""
    ordered, place = sorted(row), q * (len(row) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def average_top(row, n_top):
    top = sorted(row, reverse=True)[:n_top]
    return sum(top) / len(top)


def reduce_by_loop(reduction, row):
    if not row:
        return 0.0
    if isinstance(reduction, TopMean):
        share = reduction.k < 1
        return average_top(row, max(1, round(reduction.k * len(row))) if share else reduction.k)
    if isinstance(reduction, Quantile):
        return interpolate(row, reduction.q)
    if isinstance(reduction, LengthNormalized):
        return sum(row) / len(row) ** reduction.alpha
    if isinstance(reduction, SoftMin):
        weights = [math.exp((min(row) - score) / reduction.temperature) for score in row]
        return sum(w * score for w, score in zip(weights, row, strict=True)) / sum(weights)
    reduce = {"total": sum, "mean": lambda r: sum(r) / len(r), "maximum": max, "minimum": min}
    return reduce[reduction.__name__](row)


@pytest.mark.parametrize("reduction", ALL, ids=NAMES)
@given(rows=some_rows)
@settings(deadline=None, max_examples=50)
def test_a_reduction_is_that_of_each_row_alone(reduction, rows):
    expected = [reduce_by_loop(reduction, row) for row in rows]
    assert_allclose(reduction(*flatten(rows)), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("reduction", ALL, ids=NAMES)
def test_reductions_do_not_depend_on_the_rows_around(reduction, monkeypatch):
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=length) for length in rng.integers(0, 9, size=60)]
    whole = reduction(*flatten(rows))
    parts = [reduction(*flatten(rows[i:j])) for i, j in ((0, 1), (1, 33), (33, 60))]
    assert_allclose(np.concatenate(parts), whole, rtol=1e-13)
    order = rng.permutation(60)
    assert_allclose(reduction(*flatten([rows[i] for i in order])), whole[order], rtol=1e-13)
    monkeypatch.setattr(reductions, "_BLOCK_ELEMENTS", 10)
    assert_allclose(reduction(*flatten(rows)), whole, rtol=1e-13)


@pytest.mark.parametrize("reduction", ALL, ids=NAMES)
def test_no_rows_rows_without_elements_and_lists(reduction):
    assert reduction([], [0]).shape == (0,)
    assert_array_equal(reduction([], [0, 0, 0]), [0.0, 0.0])
    one = reduction([0.25], [0, 0, 1, 1])
    assert_array_equal(one, [0.0, 0.25, 0.0])
    assert one.dtype == np.float64


@pytest.mark.parametrize("reduction", ALL, ids=NAMES)
def test_scores_are_left_as_they_were(reduction):
    scores = np.array([3.0, 1.0, 2.0, 0.0])
    reduction(scores, [0, 3, 4])
    assert_array_equal(scores, [3.0, 1.0, 2.0, 0.0])


@pytest.mark.parametrize("reduction", ALL, ids=NAMES)
@pytest.mark.parametrize(
    ("scores", "offsets", "error", "message"),
    [
        ([0.0, np.nan, 1.0], [0, 0, 3], ValueError, "1 of 3 scores are NaN.*element 1 of row 1"),
        ([[0.0], [1.0]], [0, 2], ValueError, r"one entry per element, got shape \(2, 1\)"),
        ([0.0, 1.0], [0, 1], ValueError, "end at 1, but there are 2 elements"),
        ([0.0, 1.0], [1, 2], ValueError, "must start at 0"),
        ([0.0, 1.0], [0, 2, 1, 2], ValueError, "never decrease"),
        (["a", "b"], [0, 2], TypeError, "scores must be an array of numbers"),
        (np.ma.array([0.0, 1.0], mask=[0, 1]), [0, 2], ValueError, "must not be masked"),
    ],
    ids=["nan", "table", "short", "start", "decreasing", "text", "masked"],
)
def test_scores_that_do_not_fit_are_refused(reduction, scores, offsets, error, message):
    with pytest.raises(error, match=message):
        reduction(scores, offsets)


def test_infinite_scores_rank_above_all():
    assert_array_equal(maximum([np.inf, 1.0], [0, 2]), [np.inf])
    assert_array_equal(TopMean(1)([np.inf, 1.0, 5.0], [0, 2, 3]), [np.inf, 5.0])


@pytest.mark.parametrize(
    ("reduction", "message"),
    [
        (TopMean(0), "k must be a positive integer or a share below 1, got 0"),
        (TopMean(1.5), "got 1.5"),
        (TopMean(True), "got True"),
        (TopMean(float("nan")), "got nan"),
        (Quantile(1.1), "q must be between 0 and 1, got 1.1"),
        (Quantile("half"), "got 'half'"),
        (LengthNormalized("a"), "alpha must be a finite number, got 'a'"),
        (LengthNormalized(np.inf), "alpha must be a finite number, got inf"),
        (SoftMin(0), "temperature must be a number above 0, got 0"),
        (SoftMin(np.inf), "temperature must be a number above 0, got inf"),
    ],
    ids=repr,
)
def test_wrong_parameters_are_refused(reduction, message):
    with pytest.raises(ValueError, match=message):
        reduction([1.0, 2.0], [0, 2])


def test_laws_of_the_extremes():
    rng = np.random.default_rng(1)
    scores, offsets = rng.normal(size=50), offsets_of(rng.multinomial(50, np.ones(9) / 9))
    assert_allclose(TopMean(1)(scores, offsets), maximum(scores, offsets))
    assert_allclose(TopMean(50)(scores, offsets), mean(scores, offsets))
    assert_allclose(Quantile(1)(scores, offsets), maximum(scores, offsets))
    assert_allclose(LengthNormalized(0)(scores, offsets), total(scores, offsets))
    assert_allclose(LengthNormalized(1)(scores, offsets), mean(scores, offsets))


@pytest.mark.parametrize("reduction", [TopMean(3), Quantile(0.7), LengthNormalized(0.2)], ids=repr)
def test_reductions_with_parameters_can_be_cloned_and_searched(reduction):
    copied = clone(reduction)
    assert copied.get_params() == reduction.get_params()
    assert type(copied) is type(reduction)


@pytest.mark.no_cover
@pytest.mark.parametrize("reduction", [TopMean(2), TopMean(0.5), Quantile()], ids=repr)
def test_many_short_rows_take_no_loop(reduction):
    lengths = np.random.default_rng(0).integers(0, 6, 100_000)
    scores, offsets = np.random.default_rng(1).random(lengths.sum()), offsets_of(lengths)
    start = time.process_time()
    reduction(scores, offsets)
    assert time.process_time() - start < 0.4  # a loop over rows takes 0.7 to 5 seconds
