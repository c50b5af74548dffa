"""An empty folder, a table, and commands that are mistaken."""

import re

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skactive.cli import main

SMALL = ["--estimator", "logistic", "--seeds", "1", "--budget", "30", "--strategies", "Random"]


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the default picture goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def frame():
    pd = pytest.importorskip("pandas")
    # Eighths have few decimals and no rounding: a csv holds them exactly.
    X, y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=3.0, random_state=0)
    return pd.DataFrame(np.round(X * 8) / 8, columns=["a", "b"]).assign(
        kind=np.array(["u", "v", "w"])[y]
    )


@pytest.fixture
def mistake(folder, capsys):
    """Run a mistaken ``skactive demo``; return the one line that it says about it."""

    def run(*arguments):
        before = contents(folder)
        code = main(["demo", *SMALL, *map(str, arguments)])
        out, err = capsys.readouterr()
        assert code == 2
        assert out == ""
        assert err.startswith("skactive: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert contents(folder) == before
        return err

    return run


@pytest.fixture
def late_mistake(folder, capsys):
    """Like `mistake`, where the run may have begun before it was noticed."""

    def run(*arguments):
        before = contents(folder)
        code = main(["demo", *SMALL, *map(str, arguments)])
        err = re.split(r"[\r\n]+", capsys.readouterr().err.strip())
        assert code == 2
        assert err[-1].startswith("skactive: ")
        assert sum(line.startswith("skactive: ") for line in err) == 1
        assert contents(folder) == before
        return err[-1]

    return run
