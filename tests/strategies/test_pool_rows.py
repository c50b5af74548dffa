"""Rows that several strategies need, against definitions."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skactive.strategies._pool_rows import draw_rows, labeled_embedding, remaining_rows
from skactive.testing import FakePool


@pytest.mark.parametrize("n_rows", [0, 1, 7, 20, 99])
def test_rows_are_drawn_without_replacement_and_sorted(n_rows):
    rows = draw_rows(FakePool(20), n_rows)
    assert len(rows) == min(n_rows, 20)
    assert (np.diff(rows) > 0).all()
    assert set(rows) <= set(range(20))


@pytest.mark.parametrize("chosen", [[], [3], [4, 0, 2], range(6)])
def test_remaining_rows_are_those_not_chosen(chosen):
    chosen = np.array(chosen, dtype=np.intp)
    assert_array_equal(remaining_rows(6, chosen), np.setdiff1d(np.arange(6), chosen))


def test_embedding_of_labeled_rows_if_there_are_any():
    assert labeled_embedding(FakePool(9, n_labeled=0)) is None
    pool = FakePool(9, n_labeled=4)
    assert_array_equal(labeled_embedding(pool), pool.labeled.embedding)
