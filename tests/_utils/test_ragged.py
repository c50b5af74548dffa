"""Ragged arrays against lists of arrays."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skactive import Ragged
from skactive._utils.ragged import offsets_of, reduce_rows

some_lengths = st.lists(st.integers(0, 4), max_size=8)


def draw_rows(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, 2)) for length in lengths]


def assert_equal_rows(ragged, rows):
    assert len(ragged) == len(rows)
    for got, row in zip(ragged, rows, strict=True):
        assert_array_equal(got, row)


@given(some_lengths)
@settings(deadline=None)
def test_rows_come_back_as_they_were_joined(lengths):
    rows = draw_rows(lengths)
    ragged = Ragged.of(rows)
    assert_equal_rows(ragged, rows)
    assert ragged.lengths.tolist() == lengths
    assert ragged.owner.tolist() == [i for i, n in enumerate(lengths) for _ in range(n)]


@given(some_lengths, st.data())
@settings(deadline=None)
def test_rows_are_taken_in_any_order_and_repeated(lengths, data):
    rows, indices = draw_rows(lengths), st.integers(0, max(0, len(lengths) - 1))
    positions = data.draw(st.lists(indices, max_size=6)) if lengths else []
    taken = Ragged.of(rows).take(np.array(positions, dtype=int))
    assert_equal_rows(taken, [rows[i] for i in positions])


@given(some_lengths, st.integers(0, 8), st.integers(0, 8))
@settings(deadline=None)
def test_a_slice_of_rows_is_no_copy(lengths, start, stop):
    rows = draw_rows(lengths)
    ragged = Ragged.of(rows)
    taken = ragged.take(slice(start, stop))
    assert_equal_rows(taken, rows[start:stop])
    if taken.values.size:
        assert np.shares_memory(taken.values, ragged.values)


def test_draws_come_before_the_elements():
    rows = [np.ones((3, 2)), np.zeros((3, 0)), 2 * np.ones((3, 1))]
    ragged = Ragged.of(rows, axis=1)
    assert ragged.values.shape == (3, 3)
    assert_equal_rows(ragged, rows)
    assert_equal_rows(ragged.take(np.array([2, 0])), [rows[2], rows[0]])


def test_rows_without_elements_alone():
    for ragged in (Ragged.of([[], []]), Ragged.of([np.empty((0, 3)), np.empty((0, 3))])):
        assert ragged.lengths.tolist() == [0, 0]
        assert len(ragged[-1]) == 0
    assert len(Ragged.of([])) == 0
    with pytest.raises(IndexError, match="row 2 is not among the 2 rows"):
        Ragged.of([[], [1.0]])[2]


def test_a_single_value_is_no_row():
    with pytest.raises(ValueError, match=r"Row 1 is of shape .* put a single value into a list"):
        Ragged.of([[1.0], 2.0])


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([1, 3], "must start at 0"),
        ([0, 2, 1, 3], "never decrease"),
        ([0, 2], "end at 2, but there are 3 elements"),
        ([0.0, 1.5, 3.0], "must be integers"),
        ([], "must start at 0"),
        ([[0, 3]], "must start at 0"),
    ],
)
def test_offsets_that_do_not_cut_the_elements_are_refused(offsets, message):
    with pytest.raises(ValueError, match=message):
        Ragged(np.zeros(3), offsets)


def test_values_without_an_axis_of_elements_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) have no axis 1"):
        Ragged(np.zeros(3), [0, 3], axis=1)


@given(some_lengths)
@settings(deadline=None)
def test_reduced_rows_are_those_of_a_loop(lengths):
    values = np.random.default_rng(1).normal(size=sum(lengths))
    offsets = offsets_of(lengths)
    expected = [values[a:b].max() if b > a else 0 for a, b in pairwise(offsets)]
    assert_array_equal(reduce_rows(np.maximum, values, offsets), expected)
