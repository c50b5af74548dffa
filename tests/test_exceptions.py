"""The tree of errors and warnings matches the one drawn in its docstring."""

import inspect
import pickle
import re

import pytest

from skactive import exceptions

CLASSES = {
    name: kind
    for name, kind in vars(exceptions).items()
    if inspect.isclass(kind) and issubclass(kind, Exception)
}
BUILTINS = {
    "BridgeError": OSError,
    "CapabilityError": TypeError,
    "InvalidReadingError": ValueError,
    "LabelError": ValueError,
    "PoolChangedError": ValueError,
    "PoolExhaustedError": ValueError,
    "PoolTooLargeError": ValueError,
    "SelectionError": ValueError,
    "StoreError": OSError,
    "TeachError": RuntimeError,
    "TeachValueError": ValueError,
    "UnreadableModelError": ValueError,
}


def test_all_is_sorted_and_complete():
    assert exceptions.__all__ == sorted(CLASSES)


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_each_error_is_ours_and_the_builtin_that_one_would_expect(name):
    with pytest.raises(BUILTINS[name], match="because"):
        raise CLASSES[name]("because")
    assert issubclass(CLASSES[name], exceptions.SkactiveError)


def test_errors_are_errors_and_warnings_are_user_warnings():
    errors = {name for name, kind in CLASSES.items() if issubclass(kind, exceptions.SkactiveError)}
    assert errors == {*BUILTINS, "SkactiveError"}
    for name in set(CLASSES) - errors:
        assert issubclass(CLASSES[name], exceptions.SkactiveWarning)
        assert issubclass(CLASSES[name], UserWarning)


def read_tree():
    """Read the tree in the docstring: for each class, its parent there and the builtin named."""
    tree, ancestors = {}, {}
    for line in exceptions.__doc__.splitlines():
        match = re.match(r"    ((?:[ │]   )*)([├└]── )?(\w+(?:Error|Warning))(?: \((\w+)\))?", line)
        if match:
            indent, branch, name, builtin = match.groups()
            depth = len(indent) // 4 + 1 if branch else 0
            ancestors[depth] = name
            tree[name] = (ancestors.get(depth - 1), builtin)
    return tree


def test_docstring_draws_every_class_with_its_bases():
    tree = read_tree()
    assert set(tree) == set(CLASSES)
    for name, (parent, builtin) in tree.items():
        bases = [base.__name__ for base in CLASSES[name].__bases__]
        assert bases == [base for base in (parent, builtin) if base] or bases == ["Exception"]


def test_every_class_says_what_it_means():
    for kind in CLASSES.values():
        assert kind.__doc__
        assert kind.__doc__ not in {base.__doc__ for base in kind.__bases__}


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_every_error_pickles(name):
    error = pickle.loads(pickle.dumps(CLASSES[name]("because")))
    assert type(error) is CLASSES[name]
    assert str(error) == "because"
