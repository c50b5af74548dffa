"""The recent labeled rows, against a list."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skactive.streams._recent import RecentRows


@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=30),
    st.one_of(st.none(), st.integers(1, 12)),
)
def test_the_last_rows_are_kept_in_their_order(lessons, max_rows):
    recent, every = RecentRows(np.zeros((1, 1)), np.zeros(1), max_rows), [0]
    for n, read in lessons:
        new = list(range(len(every), len(every) + n))
        recent.append(np.array(new)[:, None], np.array(new))
        every += new
        if read:
            recent.join()
    X, y = recent.join()
    kept = every if max_rows is None else every[-max_rows:]
    assert y.tolist() == X.ravel().tolist() == kept


def test_old_lessons_are_dropped_when_they_are_not_read():
    recent = RecentRows(np.zeros((1, 1)), np.zeros(1), 10)
    for _ in range(100):
        recent.append(np.zeros((3, 1)), np.zeros(3))
    assert recent._n < 13
    assert len(recent._lessons) <= 4


@pytest.mark.parametrize("kind", [list, pd.Series], ids=["list", "series"])
def test_any_container(kind):
    recent = RecentRows(kind(["a"]), np.array([0]), 2)
    recent.append(kind(["b"]), np.array([1]))
    recent.append(kind(["c"]), np.array([2]))
    X, y = recent.join()
    assert list(X) == ["b", "c"]
    assert y.tolist() == [1, 2]
