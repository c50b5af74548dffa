"""Keys: which key stands for which class or command."""

from skactive.labeling._keys import Keys


def test_a_digit_is_never_another_class():
    keys = Keys(["0", "1", "2", "other"])
    assert keys.classes == {"0": "0", "1": "1", "2": "2", "3": "other"}


def test_commands_give_way_to_classes_of_one_letter():
    keys = Keys(["p", "n", "q"])
    assert keys.commands["P"] == "play"
    assert keys.commands["Q"] == "quit"
    assert keys.classes == {"p": "p", "n": "n", "q": "q"}


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
    assert keys.find_key("class 39") is None
    assert keys.find_classes("class 39") == ["class 39"]


def test_a_name_is_found_by_its_beginning():
    keys = Keys(["Bad", "bad", "Banal", "bade"])
    assert keys.find_classes("bad") == ["bad"]
    assert keys.find_classes("BANAL") == ["Banal"]
    assert keys.find_classes("BAD") == ["Bad", "bad", "bade"]
    assert keys.find_classes("x") == []
