"""Parameters of fit, which go with their rows or hold for all of them."""

import numpy as np
import pandas as pd
import pytest

from skactive._utils.fit_params import (
    can_extend_params,
    copy_params,
    extend_params,
    is_per_row,
    join_params,
    take_params,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.ones(3), True),
        ([1, 2, 3], True),
        (pd.Series([1, 2, 3]), True),
        (np.ones((3, 2)), True),
        (np.ones(4), False),
        ("abc", False),
        ({"a": 1, "b": 2, "c": 3}, False),
        (3, False),
        (None, False),
    ],
)
def test_values_one_a_row_are_told_from_others(value, expected):
    assert is_per_row("sample", value, 3) is expected


def test_a_list_of_texts_as_long_as_the_rows_is_not_one_value_per_row():
    names = list("abc")
    assert not is_per_row("names", names, 3)
    assert is_per_row("groups", names, 3)
    assert join_params({"names": names}, 3, {}, 2) == {"names": names}
    assert take_params({"names": names}, 3, np.array([0])) == {"names": names}


def test_a_list_of_numbers_as_long_as_the_rows_by_chance_may_be_left_out_later():
    assert join_params({"at": [1, 2, 3]}, 3, {}, 2) == {"at": [1, 2, 3]}
    assert join_params({}, 3, {"at": [1, 2]}, 2) == {"at": [1, 2]}
    assert join_params({"at": [1, 2, 3]}, 3, {"at": [1, 2, 3]}, 2) == {"at": [1, 2, 3]}
    joined = join_params({"costs": [1, 2, 3]}, 3, {"costs": [4, 5]}, 2)
    assert joined["costs"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "value"),
    [("sample_weight", [1, 2, 3]), ("groups", list("abc")), ("costs", np.ones(3))],
)
def test_values_for_each_row_are_needed_for_every_row(name, value):
    with pytest.raises(ValueError, match=f"{name} was given to fit .* but not to teach"):
        join_params({name: value}, 3, {}, 2)
    with pytest.raises(ValueError, match=f"{name} was given to teach .* but not to fit"):
        join_params({}, 2, {name: value}, 3)


def test_copies_do_not_change_with_the_original():
    weights, names = np.ones(3), ["a", "b"]
    copied = copy_params({"sample_weight": weights, "names": names}, 3)
    weights[0] = 7.0
    assert copied["sample_weight"].tolist() == [1.0, 1.0, 1.0]
    assert copied["names"] is names


def test_an_imagined_row_has_weight_1_and_nothing_else():
    params = {"sample_weight": [2.0, 3.0], "verbose": 0}
    assert can_extend_params(params, 2)
    assert extend_params(params, 2)["sample_weight"].tolist() == [2.0, 3.0, 1.0]
    assert not can_extend_params({"groups": [0, 1]}, 2)
