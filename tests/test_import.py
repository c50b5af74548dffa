"""Imports of skactive: the packages that they load, and the names that modules export."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skactive

HEAVY = {"torch", "skorch", "matplotlib", "pandas", "polars", "dask", "tqdm"}

# scikit-learn 1.9 imports pandas where it is installed: what it takes is not held against us.
PROGRAM = """
import sys
class Hidden:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in {hidden}:
            raise ImportError("not installed: " + name)
sys.meta_path.insert(0, Hidden)
import sklearn
before = set(sys.modules)
import {modules}
{used}
print(*sorted({{name.split(".")[0] for name in set(sys.modules) - before}} & {heavy}))
"""


def run(modules, hidden=()):
    used = (
        "from sklearn.linear_model import LogisticRegression\n"
        "skactive.adapters.adapt(LogisticRegression())\n"
        "skactive.ActiveLearner, skactive.SimulatedLearner"  # imported on first use
    )
    program = PROGRAM.format(modules=modules, used=used, hidden=sorted(hidden), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def public_modules():
    """Name every module and package of skactive that has no underscore, but for the programs."""
    found = [info.name for info in pkgutil.walk_packages(skactive.__path__, "skactive.")]
    return ["skactive", *(name for name in found if "._" not in name)]


MODULES = "skactive.adapters, skactive.display, skactive.selectors, skactive.strategies"


def test_import_takes_no_heavy_library():
    assert run(MODULES) == []


def test_import_works_where_no_heavy_library_is_installed():
    run(MODULES, hidden=HEAVY)


def test_no_module_of_the_core_imports_pandas_or_polars():
    sources = Path(skactive.__file__).parent.rglob("*.py")
    lines = [line for source in sources for line in source.read_text().splitlines()]
    assert len(lines) > 1000
    assert [line for line in lines if re.match(r"(import|from) (pandas|polars)\b", line)] == []


@pytest.mark.parametrize("name", public_modules())
def test_all_is_sorted_and_importable(name):
    module = importlib.import_module(name)
    exported = module.__all__

    def order(export):  # as ruff sorts them: constants, classes, the rest
        rank = 0 if export.isupper() else 1 if export[0].isupper() else 2
        return rank, export

    assert list(exported) == sorted(exported, key=order)
    assert len(set(exported)) == len(exported)
    assert all(hasattr(module, export) for export in exported)


def test_version_is_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", skactive.__version__)


def test_the_front_door_is_small():
    assert {"ActiveLearner", "SimulatedLearner", "__version__"} <= set(skactive.__all__)


def test_import_takes_no_part_of_scikit_learn_that_it_can_do_without():
    code = (
        "import sys, sklearn.base, sklearn.utils.validation, sklearn.utils.metadata_routing\n"
        "before = set(sys.modules)\n"
        "import skactive, skactive.strategies, skactive.adapters\n"
        "skactive.ActiveLearner, skactive.SimulatedLearner\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("calibration", "cluster", "ensemble", "gaussian_process", "metrics", "model_selection")
    taken = {name.split(".")[1] for name in done.stdout.split() if name.startswith("sklearn.")}
    assert not taken & set(heavy)
