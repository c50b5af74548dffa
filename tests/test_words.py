"""The counter of words: it finds what it looks for, and text for users names no private module."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("words", ROOT / "tools" / "words.py")
words = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(words)

MODULE = '''"""Say what a model learned."""

_BLOCK_BYTES = 1


def _checked(colour):
    """Tell whether it is."""


def seed():
    """Return a seed."""
'''


@pytest.fixture
def checkout(tmp_path):
    """A small checkout with one place of each kind."""
    for name in ("_one", "_two"):
        path = tmp_path / "skactive" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(MODULE if name == "_one" else "_BLOCK_BYTES = 2\n")
    (tmp_path / "README.md").write_text("See skactive.pool.PoolView.\n")
    return tmp_path


def test_text_for_users_names_no_private_module():
    assert list(words.find_private_modules(ROOT, words.parse_package(ROOT))) == []


def test_each_kind_is_found(checkout, capsys):
    assert words.main(["--root", str(checkout)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "functions named by a past participle: 1 of 2 (50.0%)" in lines
    assert "  skactive/_one.py:6: _checked" in lines
    assert "docstrings that begin with What, Tell or Say: 2 of 3 (66.7%)" in lines
    assert "  skactive/_two.py:1: _BLOCK_BYTES, also in _one" in lines
    assert "British spelling in identifiers: 1" in lines


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "See `skactive._learner`."),
        ("docs/guide.md", "{class}`PoolView <skactive.pool._view.PoolView>`"),
        ("notebooks/01.ipynb", json.dumps({"cells": [{"source": ["import skactive._learner"]}]})),
        ("skactive/_three.py", "CODE = 'from skactive.cli.learners._models import ESTIMATORS'"),
        ("skactive/_three.py", '"""See :class:`~skactive.pool._view.PoolView`."""'),
    ],
)
def test_private_modules_in_text_for_users_fail(checkout, file, text, capsys):
    path = checkout / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert words.main(["--root", str(checkout), "--counts"]) == 1
    assert "private modules in public text: 1" in capsys.readouterr().out
