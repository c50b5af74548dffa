"""Dicts and lists of inputs are containers of rows, and keep their kind."""

from collections import OrderedDict, UserDict, defaultdict
from types import MappingProxyType

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from skactive._utils.inputs import InputList, find_input_list, is_ambiguous
from skactive._utils.rows import join_rows, n_rows, row_shape, row_size, take_rows

U, V = np.arange(12.0).reshape(6, 2), np.arange(18.0).reshape(6, 3)


class ByNames(dict):
    """A dict that is made from names only, and whose length is that of its rows (as skorch's)."""

    def __init__(self, **inputs):
        super().__init__(**inputs)

    def __len__(self):
        return len(next(iter(self.values())))


KINDS = {
    "dict": {"u": U, "v": V},
    "made from names": ByNames(u=U, v=V),
    "UserDict": UserDict(u=U, v=V),
    "OrderedDict": OrderedDict(u=U, v=V),
    "read-only": MappingProxyType({"u": U, "v": V}),
    "numbers as keys": {0: U, 1: V},
    "list": InputList([U, V]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_counted_taken_and_joined_together(kind):
    X = KINDS[kind]
    names = [0, 1] if kind in {"list", "numbers as keys"} else ["u", "v"]
    assert n_rows(X) == 6
    assert row_shape(X) is None
    assert row_size(X) == 5
    taken = take_rows(X, np.array([4, 1]))
    joined = join_rows(taken, take_rows(X, slice(0, 1)))
    assert type(taken) is type(joined) is type(X)
    for name, values in zip(names, (U, V), strict=True):
        assert_array_equal(taken[name], values[[4, 1]])
        assert_array_equal(joined[name], values[[4, 1, 0]])


def test_a_mapping_that_cannot_be_made_anew_becomes_a_dict():
    class Strange(UserDict):
        def __init__(self):
            super().__init__(u=U)

    assert type(take_rows(Strange(), [1])) is dict
    assert type(take_rows(defaultdict(list, u=U), [1])) is defaultdict


def test_inputs_are_joined_by_name_in_any_order():
    joined = join_rows({"u": U, "v": V}, {"v": V[:1], "u": U[:1]})
    assert_array_equal(joined["u"], np.r_[U, U[:1]])


def test_inputs_do_not_join_other_rows():
    for first, second in (({"u": U}, U), (U, {"u": U}), (InputList([U, V]), [U, V])):
        with pytest.raises(TypeError, match="same kind of container"):
            join_rows(first, second)


def test_a_matrix_by_key_is_no_mapping_of_inputs():
    assert n_rows(sp.dok_matrix(np.eye(4, 7))) == 4


@pytest.mark.parametrize("kind", [list, tuple])
def test_the_number_of_labels_tells_inputs_from_rows(kind):
    assert isinstance(find_input_list(kind([U, V]), 6), InputList)
    assert isinstance(find_input_list(kind([["a"] * 6, V]), 6), InputList)
    for n_labels in (2, 5, None):  # rows; neither; unknown
        assert type(find_input_list(kind([U, V]), n_labels)) is kind
    assert type(find_input_list(kind([U, V[:5]]), 6)) is kind
    assert type(find_input_list(kind(["abcdef", "ghijkl"]), 6)) is kind
    six = kind([np.zeros(6)] * 6)  # as many rows as columns
    assert type(find_input_list(six, 6)) is kind


def test_rows_that_are_known_tell_inputs_from_rows():
    assert isinstance(find_input_list([U[:2], V[:2]], 2, InputList([U, V])), InputList)
    assert type(find_input_list([U, V], 6, list(np.zeros((9, 3))))) is list
    assert type(find_input_list([U, V, V], None, InputList([U, V]))) is list


def test_a_few_long_matrices_are_ambiguous_and_images_are_not():
    long = np.zeros((300, 8))
    assert is_ambiguous([long, long])
    assert is_ambiguous((long, np.zeros((300, 5))))
    assert not is_ambiguous(InputList([long, long]))
    assert not is_ambiguous(list(np.zeros((300, 8))))
    assert not is_ambiguous([np.zeros((28, 28))] * 20)
    assert not is_ambiguous([np.zeros(300), np.zeros(300)])  # two rows of 300 numbers
    assert not is_ambiguous([np.zeros((300, 2)), np.zeros((200, 2))])
    assert not is_ambiguous(["a text", "another"])
