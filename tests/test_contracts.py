"""The import contracts of setup.cfg hold, and a breach of each is caught."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

ROOT = Path(__file__).parents[1]


@pytest.fixture
def house(tmp_path):
    """A copy of the package and its contracts, to be broken."""
    shutil.copytree(
        ROOT / "skactive", tmp_path / "skactive", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def lint(folder):
    code = "import sys; from importlinter.cli import lint_imports_command as lint; lint()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, '.'); {code}", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_contracts_hold(house):
    code, output = lint(house)
    assert code == 0, output
    assert "3 kept, 0 broken" in output


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("scores/_uncertainty.py", "import skactive._learner", "Each room imports only"),
        ("strategies/_random.py", "import skactive.adapters", "Each room imports only"),
        ("selectors/_top.py", "import skactive.scores", "Each room imports only"),
        ("pool/_view.py", "import torch", "torch and skorch"),
    ],
)
def test_a_breach_is_caught(house, room, line, contract):
    path = house / "skactive" / room
    path.write_text(path.read_text() + f"\n{line}\n")
    code, output = lint(house)
    assert code == 1, output
    broken = [text for text in output.splitlines() if " BROKEN" in text]
    # An import from a higher room also closes a circle.
    assert [text for text in broken if not text.startswith("No two modules")] == broken[:1]
    assert broken[0].startswith(contract)


def test_a_circle_is_caught(house):
    path = house / "skactive" / "selectors" / "_engine" / "points.py"
    path.write_text(path.read_text() + "\nimport skactive.selectors._distance\n")
    code, output = lint(house)
    assert code == 1, output
    assert "No two modules or rooms import each other BROKEN" in output
