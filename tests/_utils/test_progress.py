"""The progress bar: on standard error, with or without tqdm, and only on request."""

import sys

import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive._utils.progress import progress


def play(verbose):
    X, y = load_iris(return_X_y=True)
    learner = ActiveLearner(GaussianNB())
    SimulatedLearner(learner, budget=25, n_initial=10, random_state=0, verbose=verbose).fit(X, y)


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)


def test_nothing_is_shown_unless_asked_for(capfd):
    play(verbose=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [True, 1])
def test_a_bar_on_standard_error(capfd, verbose):
    pytest.importorskip("tqdm")
    play(verbose)
    out, err = capfd.readouterr()
    assert out == ""
    assert "labeling: 100%" in err
    assert "3/3" in err


def test_without_tqdm_a_line_a_round(capfd, no_tqdm):
    play(verbose=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "labeling: 1/3 10 labels",
        "labeling: 2/3 20 labels",
        "labeling: 3/3 25 labels",
    ]


def test_more_steps_than_were_announced_do_no_harm(capfd, no_tqdm):
    with progress(1, "work", shown=True) as advance:
        advance("a")
        advance("b")
    assert capfd.readouterr().err.splitlines() == ["work: 1/1 a", "work: 1/1 b"]


def test_an_error_inside_is_passed_on(no_tqdm):
    with pytest.raises(KeyError, match="inside"), progress(2, "work", shown=True):
        raise KeyError("inside")
