"""Keys: which key stands for which class or command."""

import string

from hypothesis import given
from hypothesis import strategies as st

from skactive.labeling._keys import COMMANDS, Keys


def test_a_digit_is_never_another_class():
    keys = Keys(["0", "1", "2", "other"])
    assert keys.classes == {"0": "0", "1": "1", "2": "2", "3": "other"}


def test_commands_give_way_to_classes_of_one_letter():
    keys = Keys(["p", "n", "q", "Q", "-"])
    assert keys.commands["P"] == "play"
    assert keys.find_command_key("quit") not in "qQ"
    assert keys.find_command_key("none") not in "-"
    assert {keys.classes[name] for name in "pnqQ-"} == set("pnqQ-")


@given(st.lists(st.sampled_from(string.printable.strip()), max_size=70, unique=True),
       st.lists(st.text(min_size=1, max_size=3), max_size=50, unique=True))  # fmt: skip
def test_every_command_has_one_key_and_no_key_two_meanings(letters, added):
    keys = Keys(letters, added)
    assert not keys.classes.keys() & keys.commands.keys()
    assert len(set(keys.commands.values())) == len(keys.commands)
    assert set(keys.classes.values()) <= set(keys.names)
    if len(letters) <= 12:
        assert set(keys.commands.values()) == set(COMMANDS.values())


def test_characters_that_keyboards_lack_are_no_keys():
    assert Keys(["é", "👍", " "]).classes == {"1": "é", "2": "👍", "3": " "}


def test_keys_stay_when_classes_are_added():
    keys = Keys(["a1", "b1"])
    before = dict(keys.classes)
    for name in ("s", "x", *(f"class {i}" for i in range(40))):
        keys.add(name)
    assert before.items() <= keys.classes.items()
    assert keys.commands["s"] == "skip"
    assert keys.classes["x"] == "x"
    assert not keys.classes.keys() & keys.commands.keys()
    again = Keys(["a1", "b1"], keys.names[2:])
    assert again.classes == keys.classes
    assert "class 39" not in keys.classes.values()
    assert keys.find_classes("class 39") == ["class 39"]


def test_keys_stay_when_classes_are_removed_and_renamed():
    keys = Keys(["a1", "b1", "c1"])
    keys.rename("b1", "b2")
    assert keys.classes == {"1": "a1", "2": "b2", "3": "c1"}
    keys.rename("a1", "c1")
    assert keys.classes == {"2": "b2", "3": "c1"}
    keys.update(["c1", "d1", "b2"])
    assert keys.classes == {"1": "d1", "2": "b2", "3": "c1"}
    keys.update(["c1"])
    assert keys.names == ["c1"]


def test_a_class_that_gets_the_name_of_a_key_gets_the_key():
    keys = Keys(["a1", "b1", "c1"])
    keys.add("3")
    assert keys.classes == {"1": "a1", "2": "b1", "3": "3", "4": "c1"}
    keys.rename("a1", "4")
    assert keys.classes == {"1": "c1", "2": "b1", "3": "3", "4": "4"}
    keys.rename("3", "two")
    assert keys.classes["3"] == "two"  # it keeps its key
    keys.add("3")
    assert keys.classes == {"1": "c1", "2": "b1", "3": "3", "4": "4", "5": "two"}
    keys.rename("b1", "3")  # merged
    assert keys.classes == {"1": "c1", "3": "3", "4": "4", "5": "two"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "rename", "remove"]),
            st.sampled_from(["1", "2", "3", "a", "dog", "bird", "fish"]),
            st.sampled_from(["1", "2", "3", "a", "s", "cat"]),
        )
    )
)
def test_a_key_that_is_the_name_of_a_class_is_never_of_another(changes):
    keys = Keys(["dog", "bird", "fish"])
    for change, old, new in changes:
        if change == "add":
            keys.add(new)
        elif old in keys.names:
            keys.remove(old) if change == "remove" else keys.rename(old, new)
        assert not keys.classes.keys() & keys.commands.keys()
        assert sorted(keys.classes.values()) == sorted(keys.names)
        named = [name for name in keys.names if len(name) == 1 and name not in keys.commands]
        assert all(keys.classes[name] == name for name in named)


def test_keys_that_move_are_told():
    keys = Keys(["a1", "b1", "c1"])
    before = dict(keys.classes)
    keys.rename("a1", "a2")
    keys.remove("b1")
    keys.add("d1")
    assert keys.describe_moved(before) == ""  # no key of a class that is still there
    before = dict(keys.classes)
    keys.add("2")
    assert keys.describe_moved(before) == "The key 2 now means 2; d1 has the key 4."
    keys = Keys([f"class {n}" for n in range(50)])
    before = dict(keys.classes)
    keys.add("3")
    assert keys.describe_moved(before) == "The key 3 now means 3; class 2 has no key."


def test_a_name_is_found_by_its_beginning():
    keys = Keys(["Bad", "bad", "Banal", "bade"])
    assert keys.find_classes("bad") == ["bad"]
    assert keys.find_classes("BANAL") == ["Banal"]
    assert keys.find_classes("BAD") == ["Bad", "bad", "bade"]
    assert keys.find_classes("x") == []


def test_help_lists_the_commands_of_a_place():
    keys = Keys(["u", "other"])
    listed = keys.list_help({"open", "play", "undo"}, {"play": "open"})
    assert [(key, name) for key, name, _ in listed] == [("U", "undo"), ("o, p", "open")]
    assert all(explanation for *_, explanation in listed)
    assert [name for _, name, _ in keys.list_help(COMMANDS.values())] == list(COMMANDS.values())
