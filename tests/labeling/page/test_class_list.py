"""ClassList: classes keep their place and their key, whoever adds, renames or merges others."""

from types import SimpleNamespace

import pytest

from skactive.labeling._keys import Keys
from skactive.labeling.page._class_list import ClassList, to_name


def listed(classes):
    session = SimpleNamespace(classes=classes)
    return session, ClassList(session)


def keys_of(classes):
    classes.update()
    described = classes.describe()
    return dict(zip(described["classes"], described["keys"]["classes"], strict=True))


def test_keys_are_those_of_the_common_table():
    names = ["sport", "s", "0", "news"]
    _, classes = listed(names)
    assert keys_of(classes) == {name: key for key, name in Keys(names).classes.items()}
    assert classes.describe()["keys"]["commands"] == Keys(names).commands
    assert classes.describe()["keys"]["commands"]["S"] == "skip"
    assert "others" in classes.describe()["keys"]["help"]["skip"]


@pytest.mark.parametrize(
    ("label", "name"),
    [(7, "7"), (7.0, "7"), (0.5, "0.5"), (True, "true"), ("x", "x"), (2**60, str(2**60))],
)
def test_names_are_those_of_javascript(label, name):
    assert to_name(label) == name


def test_numbers_are_their_own_keys():
    _, classes = listed([0, 1.0, 12])
    assert list(keys_of(classes).values()) == ["0", "1", "2"]


def test_a_renamed_class_keeps_its_place_and_its_key():
    session, classes = listed(["cat", "dgo", "bird"])
    keys_of(classes)
    session.classes = ["cat", "dog", "bird"]
    assert keys_of(classes) == {"cat": "1", "dog": "2", "bird": "3"}
    session.classes = ["cat", "bird", "hound"]  # a store lists it elsewhere
    assert keys_of(classes) == {"cat": "1", "hound": "2", "bird": "3"}


def test_a_class_that_is_called_as_a_key_gets_it():
    session, classes = listed(["cat", "dog", "bird"])
    keys_of(classes)
    session.classes = ["cat", "dog", "bird", "3"]
    assert keys_of(classes) == {"cat": "1", "dog": "2", "bird": "4", "3": "3"}
    session.classes = ["1", "dog", "bird", "3"]  # renamed
    assert keys_of(classes) == {"1": "1", "dog": "2", "bird": "4", "3": "3"}
    session.classes = ["1", "2", "bird", "3"]
    assert keys_of(classes) == {"1": "1", "2": "2", "bird": "4", "3": "3"}
    session, classes = listed([10, 20])
    keys_of(classes)
    session.classes = [10, 20, 1]
    assert keys_of(classes) == {10: "3", 20: "2", 1: "1"}


def test_a_merged_class_leaves_the_keys_of_others_alone():
    session, classes = listed(["cat", "dgo", "bird"])
    keys_of(classes)
    session.classes = ["cat", "bird"]
    assert keys_of(classes) == {"cat": "1", "bird": "3"}
    session.classes = ["cat", "bird", "fish"]
    assert keys_of(classes) == {"cat": "1", "bird": "3", "fish": "2"}


def test_several_changes_at_a_time():
    session, classes = listed(["a1", "b1", "c1"])
    keys_of(classes)
    session.classes = ["a1", "d1", "e1", "f1"]
    assert keys_of(classes) == {"a1": "1", "d1": "2", "e1": "3", "f1": "4"}


def test_many_classes_are_searched():
    names = [f"kind {i}" for i in range(12)]
    session, classes = listed(names)
    assert keys_of(classes)["kind 11"] is not None
    assert classes.describe()["keys"]["search"] is False
    session.classes = [*names, "x", "kind 12"]
    keys = keys_of(classes)
    assert classes.describe()["keys"]["search"] is True
    assert (keys["kind 8"], keys["kind 9"], keys["x"]) == ("9", None, "x")


def test_many_classes_are_read_quickly():
    session, classes = listed([f"kind {i}" for i in range(2000)])
    classes.update()
    first = classes.describe()
    session.classes = list(session.classes)
    classes.update()
    assert classes.describe() is first  # nothing is made again
