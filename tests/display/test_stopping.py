"""The display of what stopping criteria read."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive.display._stopping import StoppingDisplay, StoppingHistory
from skactive.stopping import Budget, OverallUncertainty, Round, StabilizingPredictions, TimeLimit
from skactive.strategies import Random

X, Y = load_iris(return_X_y=True)
BOTH = StabilizingPredictions(0.5, window=2) & Budget(50)


def simulate(stopping=BOTH):
    learner = ActiveLearner(GaussianNB(), Random())
    return SimulatedLearner(learner, budget=80, random_state=0, stopping=stopping).fit(X, Y)


def test_from_estimator_holds_what_was_read():
    simulation = simulate()
    display = StoppingDisplay.from_estimator(simulation)
    assert list(display.histories) == list(simulation.history_[-1]["stopping"])
    for name, history in display.histories.items():
        assert_array_equal(history.n_labels, [10, 20, 30, 40, 50])
        assert_array_equal(
            history.values, [record["stopping"][name] for record in simulation.history_]
        )
    kappa, budget = display.histories.values()
    assert (kappa.limit, kappa.reading, kappa.stopped_at) == (0.5, "mean kappa", 30)
    assert (budget.limit, budget.reading, budget.stopped_at) == (50.0, "labels bought", 50)
    assert display.stopped_at == 50


def test_from_monitor_before_the_first_round():
    display = StoppingDisplay.from_monitor(Budget(3).start())
    assert display.histories["Budget(n_labels=3)"].n_labels.shape == (0,)
    assert display.stopped_at is None


def test_without_a_criterion_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="no stopping criterion"):
        StoppingDisplay.from_estimator(simulate(None))
    with pytest.raises(NotFittedError):
        StoppingDisplay.from_estimator(SimulatedLearner(ActiveLearner(GaussianNB())))


def test_plot_makes_a_panel_for_each_criterion(plt):
    display = StoppingDisplay.from_estimator(simulate())
    assert display.plot() is display
    assert [plt.figure(number) for number in plt.get_fignums()] == [display.figure_]
    assert display.figure_.axes == list(display.axes_)
    assert [panel.get_title(loc="left") for panel in display.axes_] == list(display.histories)
    assert [panel.get_ylabel() for panel in display.axes_] == ["mean kappa", "labels bought"]
    assert [panel.get_xlabel() for panel in display.axes_] == ["", "labels"]
    display.figure_.canvas.draw()


def lines(panel):
    return {line.get_label(): line for line in panel.lines}


def test_a_panel_shows_the_values_the_limit_and_the_stop(plt):
    display = StoppingDisplay.from_estimator(simulate()).plot()
    for panel, history in zip(display.axes_, display.histories.values(), strict=True):
        drawn = lines(panel)
        assert list(drawn) == ["value", "limit", "stops", "stopped at 50"]
        assert_array_equal(drawn["value"].get_xdata(), history.n_labels)
        assert_array_equal(drawn["value"].get_ydata(), history.values)
        assert_array_equal(drawn["limit"].get_ydata(), [history.limit] * 2)
        assert_array_equal(drawn["stops"].get_xdata(), [history.stopped_at])
        at = history.n_labels == history.stopped_at
        assert_array_equal(drawn["stops"].get_ydata(), history.values[at])
        assert_array_equal(drawn["stopped at 50"].get_xdata(), [50, 50])
        assert len({line.get_color() for line in (drawn["value"], drawn["limit"])}) == 2
        low, high = panel.get_xlim()
        assert 0 < low < 10  # from the first round on, though nothing was read then
        assert 50 < high < 60


def test_no_stop_is_marked_where_there_was_none(plt):
    display = StoppingDisplay.from_estimator(simulate(OverallUncertainty(0.0))).plot()
    assert list(lines(display.axes_[0])) == ["value", "limit"]
    assert len(display.axes_) == 1


def test_nothing_read_yet_can_be_drawn(plt):
    monitor = StabilizingPredictions().start()
    model = GaussianNB().fit(X, Y)
    monitor.update(Round(10, model, X))
    display = StoppingDisplay.from_monitor(monitor).plot()
    display.figure_.canvas.draw()
    low, high = display.axes_[0].get_xlim()
    assert low < 10 < high


def test_plot_on_given_axes(plt):
    figure, axes = plt.subplots(1, 3)
    display = StoppingDisplay.from_estimator(simulate()).plot(ax=axes[1:])
    assert list(display.axes_) == list(axes[1:])
    assert display.figure_ is figure
    assert len(plt.get_fignums()) == 1
    assert not axes[0].lines
    single = StoppingDisplay.from_estimator(simulate(TimeLimit(1e6))).plot(ax=axes[0])
    assert single.axes_[0] is axes[0]
    assert axes[0].lines


def test_too_few_axes_are_refused(plt):
    with pytest.raises(ValueError, match=r"2 axes.*got 1: .*plt.subplots\(2\)"):
        StoppingDisplay.from_estimator(simulate()).plot(ax=plt.subplots()[1])


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    display = StoppingDisplay({"a": StoppingHistory(np.arange(2.0), np.arange(2.0), 1.0)})
    with pytest.raises(ImportError, match=r'pip install "skactive\[viz\]"'):
        display.plot()
