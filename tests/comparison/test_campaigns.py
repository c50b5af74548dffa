"""Campaigns: in order, alike for any n_jobs, and failures."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_info, threadpool_limits

from skactive.comparison import Failure
from skactive.exceptions import SkactiveWarning
from skactive.strategies import BALD, Margin, Random, Strategy

X, Y = load_iris(return_X_y=True)
MODEL = GaussianNB(var_smoothing=0.1)  # smooth: no probabilities of 0 and 1, so no ties

close = np.testing.assert_allclose


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_results_do_not_depend_on_n_jobs(n_jobs, compared, scores_of):
    assert scores_of(compared(n_jobs=n_jobs)) == scores_of(compared())


class Warns(Random):
    """Warns of every batch."""

    def select(self, pool, batch_size):
        warnings.warn("a batch of Warns", UserWarning, stacklevel=1)
        return super().select(pool, batch_size)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_warnings_are_shown_whatever_the_number_of_jobs(n_jobs, compared):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        compared({"warns": Warns(), "random": Random()}, n_jobs=n_jobs)
    assert {str(warning.message) for warning in caught} == {"a batch of Warns"}


class CountsThreads(GaussianNB):
    """Notes how many threads it is scored with."""

    threads: set = set()  # noqa: RUF012

    def score(self, X, y):
        CountsThreads.threads |= {pool["num_threads"] for pool in threadpool_info()}
        return super().score(X, y)


def test_models_are_scored_with_one_thread(compared):
    CountsThreads.threads.clear()
    with threadpool_limits(2):
        compared(learner=CountsThreads(var_smoothing=0.1), n_repeats=1)
        assert CountsThreads.threads == {1}


def test_runs_are_in_the_order_in_which_models_and_strategies_were_passed(compared):
    models = {"z": MODEL, "a": GaussianNB(var_smoothing=0.5)}
    comparison = compared({"z": Margin(), "a": Random()}, models, n_repeats=2)
    order = [(m, s, r) for m in "za" for s in "za" for r in range(2)]
    assert [(run.model, run.strategy, run.repeat) for run in comparison.runs] == order


def test_a_progress_bar_is_shown_when_asked_for(capsys, compared):
    compared(verbose=False)
    assert capsys.readouterr().err == ""
    compared(verbose=True)
    shown = capsys.readouterr().err
    assert "comparing" in shown
    assert "6/6" in shown


# Failures ---------------------------------------------------------------------------------------


class NeverChooses(Strategy):
    """Fails in its first query."""

    needs = frozenset({"X"})

    def select(self, pool, batch_size):
        raise ValueError("nothing <good> here")


class FailsWithSomeRows(Strategy):
    """Fails where row 0 of the data is in the pool."""

    needs = frozenset({"X"})

    def select(self, pool, batch_size):
        if (X[0] == pool.X).all(axis=1).any():
            raise ValueError("row 0")
        return np.arange(batch_size)


def make_forest():
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=5)


def test_failures_are_recorded_and_the_others_go_on(compared):
    strategies = {"bad": NeverChooses(), "random": Random(), "margin": Margin()}
    with pytest.warns(SkactiveWarning, match=r"3 of 9 campaigns failed \(bad 3\).*nothing <good>"):
        comparison = compared(strategies)
    assert len(comparison.runs) == 6
    assert [(f.strategy, f.model, f.repeat, f.error) for f in comparison.failures] == [
        ("bad", "GaussianNB", repeat, "ValueError") for repeat in range(3)
    ]
    failure = comparison.failures[0]
    assert isinstance(failure, Failure)
    assert failure.message == "nothing <good> here"
    assert "in select" in failure.traceback
    assert set(comparison.areas()) == {"random", "margin"}
    assert comparison.baseline == "random"
    assert "3 failures" in repr(comparison)


def test_statistics_use_the_repeats_in_which_all_succeeded(compared):
    with pytest.warns(SkactiveWarning, match="campaigns failed"):
        comparison = compared([FailsWithSomeRows(), Margin()], n_repeats=8)
    failed = {failure.repeat for failure in comparison.failures}
    assert 0 < len(failed) < 8
    areas, whole = comparison.areas(), compared([Margin()], n_repeats=8).areas()["Margin()"]
    succeeded = [repeat for repeat in range(8) if repeat not in failed]
    close(areas["Margin()"], whole[succeeded])
    assert len(areas["FailsWithSomeRows()"]) == len(succeeded)
    assert len(comparison.curves()["Margin()"][1]) == len(succeeded)


def test_a_strategy_that_fails_with_one_model_is_left_out_there(compared):
    models = {"bayes": MODEL, "committee": make_forest()}
    with pytest.warns(SkactiveWarning, match="CapabilityError"):
        comparison = compared([Random(), BALD()], learner=models, n_repeats=2)
    assert set(comparison.select(model="committee").areas()) == {"Random()", "BALD()"}
    assert set(comparison.select(model="bayes").areas()) == set(comparison.areas()) == {"Random()"}
    assert "Random() is the only strategy" in comparison.summary().splitlines()[0]


def test_if_everything_fails_the_first_error_is_raised(compared):
    with pytest.raises(RuntimeError, match=r"All 3 campaigns failed.*ValueError: nothing <good>"):
        compared([NeverChooses()])


def test_scores_that_are_no_numbers_are_failures(compared):
    with pytest.raises(RuntimeError, match="not finite numbers"):
        compared(scoring=lambda model, X, y: np.nan)


def test_failures_in_other_processes_are_recorded_too(compared):
    with pytest.warns(SkactiveWarning, match="CapabilityError"):
        comparison = compared([Random(), BALD()], n_jobs=2)
    assert len(comparison.failures) == 3
    assert "BALD needs" in comparison.failures[0].message
