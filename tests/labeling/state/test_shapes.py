"""Values that a store holds, and whether they have the shape of what sessions store."""

import pytest

from skactive.exceptions import StoreError
from skactive.labeling.state._shapes import IDENT, PLAN, POOL, check_seed, check_shape, has_shape

A_PLAN = {"by": "x", "upto": 3, "n_labels": 2, "ids": ["a", 7], "scores": [0.5, None]}


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (1, int, True),
        (True, int, False),  # JSON tells them apart, isinstance does not
        (True, bool, True),
        (True, str | bool, True),
        (True, IDENT, False),
        (None, (type(None), [str]), True),
        (["a", "b"], (type(None), [str]), True),
        (["a", 1], (type(None), [str]), False),
        ("ab", [str], False),
        ({"a": 1}, {"a": int}, True),
        ({"a": 1, "b": 2}, {"a": int}, True),
        ({}, {"a": int}, False),
        ({}, {"a?": int}, True),
        ({"a": "1"}, {"a?": int}, False),
        (1, (), False),
        (A_PLAN, PLAN, True),
        (A_PLAN | {"audit": [3, 4], "stop": ""}, PLAN, True),
        (A_PLAN | {"ids": None}, PLAN, False),
        (A_PLAN | {"scores": "high"}, PLAN, False),
        ({"n_rows": 3, "ids": "x", "rows": "y", "added": [[]]}, POOL, False),
    ],
)
def test_shapes(value, shape, expected):
    assert has_shape(value, shape) is expected


@pytest.mark.parametrize("seed", [None, "7", 1.5, True, -1, 2**32, [7]])
def test_seeds_that_nobody_stores(seed):
    with pytest.raises(StoreError, match="The fact seed of the store has a content that no"):
        check_seed(seed)


def test_values_are_returned():
    assert check_seed(2**32 - 1) == 2**32 - 1
    assert check_shape("fact x", {"a": 1}, {"a": int}) == {"a": 1}
