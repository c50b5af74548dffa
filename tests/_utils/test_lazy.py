"""Names that are imported on first use."""

import pickle
import subprocess
import sys

import pytest

import skactive
import skactive.labeling
from skactive._learner import ActiveLearner


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_package_without_its_names_imports_nothing():
    code = "import sys, skactive, skactive.labeling.stores; print(*sys.modules)"
    assert not {"numpy", "sklearn", "skactive._learner"} & set(run(code))


def test_names_and_modules_come_with_the_package():
    code = (
        "import skactive, skactive.labeling as labeling\n"
        "print(skactive.strategies.Margin.__name__, skactive.exceptions.StoreError.__name__)\n"
        "print(labeling.stores.SQLiteLabelStore.__name__, labeling.hooks.__name__)\n"
        "from skactive import *\n"
        "print(ActiveLearner.__module__, SimulatedLearner.__module__, skactive.scores.__name__)"
    )
    assert run(code) == [
        "Margin", "StoreError", "SQLiteLabelStore", "skactive.labeling.hooks",
        "skactive._learner", "skactive.simulation._learner", "skactive.scores",
    ]  # fmt: skip


def test_a_name_is_the_same_wherever_it_comes_from():
    assert skactive.ActiveLearner is ActiveLearner
    assert pickle.loads(pickle.dumps(skactive.ActiveLearner)) is ActiveLearner


@pytest.mark.parametrize("package", [skactive, skactive.labeling])
def test_names_are_listed_and_others_missing(package):
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'odd'"):
        _ = package.odd
    assert not hasattr(package, "odd")
