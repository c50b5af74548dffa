"""Displays: the data apart from the drawing, and the drawing."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, balanced_accuracy_score, make_scorer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner, SimulatedLearner
from skactive.display import LabelCurve, LabelCurveDisplay
from skactive.strategies import Entropy, Random

X, X_TEST, Y, Y_TEST = train_test_split(*load_iris(return_X_y=True), random_state=0)


def simulate(strategy, seed=0, **sizes):
    learner = ActiveLearner(GaussianNB(), strategy)
    sizes = {"budget": 35, "batch_size": 10, "n_initial": 10, **sizes}
    return SimulatedLearner(learner, random_state=seed, **sizes).fit(X, Y)


@pytest.fixture(scope="module")
def runs():
    return [simulate(Random(), seed) for seed in range(3)]


def curves(n=2, n_runs=3):
    """Return n curves of n_runs runs, all different."""
    rng = np.random.RandomState(0)
    n_labels = np.array([10.0, 20.0, 40.0])
    return {f"curve {i}": LabelCurve(n_labels, rng.rand(n_runs, 3)) for i in range(n)}


# Curves -----------------------------------------------------------------------------------------


def test_mean_and_standard_error_over_runs():
    curve = LabelCurve.from_runs([([10, 20], [0.1, 0.5]), ([10, 20], [0.3, 0.5])])
    assert_array_equal(curve.n_labels, [10, 20])
    assert_array_equal(curve.scores, [[0.1, 0.5], [0.3, 0.5]])
    assert_allclose(curve.mean, [0.2, 0.5])
    # deviations of 0.1: sample variance 0.02, of the mean 0.01
    assert_allclose(curve.standard_error, [0.1, 0.0])


def test_standard_error_of_three_runs():
    curve = LabelCurve.from_runs([([5], [score]) for score in (1.0, 2.0, 6.0)])
    # mean 3, sample variance (4 + 1 + 9) / 2 = 7
    assert_allclose(curve.mean, [3.0])
    assert_allclose(curve.standard_error, [np.sqrt(7 / 3)])


def test_one_run_has_no_error():
    curve = LabelCurve.from_runs([([10, 20, 30], [0.1, 0.5, 0.2])])
    assert_array_equal(curve.mean, [0.1, 0.5, 0.2])
    assert_array_equal(curve.standard_error, [0, 0, 0])


def test_other_label_counts_are_interpolated_on_the_common_range():
    curve = LabelCurve.from_runs([([10, 20, 30], [0.0, 0.5, 1.0]), ([15, 25, 35], [0.2, 0.4, 0.8])])
    assert_array_equal(curve.n_labels, [15, 20, 25, 30])
    assert_allclose(curve.scores, [[0.25, 0.5, 0.75, 1.0], [0.2, 0.3, 0.4, 0.6]])
    assert_allclose(curve.mean, [0.225, 0.4, 0.575, 0.8])


def test_runs_that_start_or_end_apart_are_cut_not_extrapolated():
    curve = LabelCurve.from_runs([([10, 20, 30, 40], [0, 1, 2, 3]), ([20, 30], [5, 6])])
    assert_array_equal(curve.n_labels, [20, 30])
    assert_array_equal(curve.scores, [[1, 2], [5, 6]])


# From estimators --------------------------------------------------------------------------------


def test_from_estimator_holds_the_staged_scores():
    simulation = simulate(Entropy())
    display = LabelCurveDisplay.from_estimator(simulation, X_TEST, Y_TEST)
    assert list(display.curves) == ["Entropy()"]
    curve = display.curves["Entropy()"]
    assert_array_equal(curve.n_labels, [10, 20, 30, 35])
    assert_array_equal(curve.scores, [list(simulation.staged_score(X_TEST, Y_TEST))])
    by_hand = [accuracy_score(Y_TEST, model.predict(X_TEST)) for model in simulation.estimators_]
    assert_allclose(curve.mean, by_hand)
    assert len(set(by_hand)) > 1
    assert display.score_name == "score"


def test_from_estimator_takes_a_name():
    display = LabelCurveDisplay.from_estimator(simulate(Random()), X_TEST, Y_TEST, name="mine")
    assert list(display.curves) == ["mine"]


def test_from_estimator_averages_nothing_it_was_not_given(runs):
    display = LabelCurveDisplay.from_estimator(runs[0], X_TEST, Y_TEST)
    assert display.curves["Random()"].scores.shape == (1, 4)


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        ("balanced_accuracy", "balanced_accuracy"),
        (make_scorer(balanced_accuracy_score), "score"),
    ],
)
def test_scoring(scoring, name):
    simulation = simulate(Random())
    display = LabelCurveDisplay.from_estimator(
        simulation, X_TEST[:30], Y_TEST[:30], scoring=scoring
    )
    predicted = [model.predict(X_TEST[:30]) for model in simulation.estimators_]
    expected = [balanced_accuracy_score(Y_TEST[:30], y) for y in predicted]
    assert_allclose(display.curves["Random()"].mean, expected)
    assert expected != [accuracy_score(Y_TEST[:30], y) for y in predicted]
    assert display.score_name == name


@pytest.mark.parametrize("container", [list, tuple])
def test_from_estimators_averages_several_runs(runs, container):
    single = simulate(Entropy())
    display = LabelCurveDisplay.from_estimators(
        {"many": container(runs), "one": single}, X_TEST, Y_TEST
    )
    assert list(display.curves) == ["many", "one"]
    scores = np.array([list(run.staged_score(X_TEST, Y_TEST)) for run in runs])
    assert (scores.std(axis=0) > 0).any()
    assert_array_equal(display.curves["many"].scores, scores)
    assert_allclose(display.curves["many"].mean, scores.sum(axis=0) / 3)
    deviation = np.sqrt(((scores - scores.mean(axis=0)) ** 2).sum(axis=0) / 2)
    assert_allclose(display.curves["many"].standard_error, deviation / np.sqrt(3))
    assert_array_equal(display.curves["one"].scores, [list(single.staged_score(X_TEST, Y_TEST))])


def test_from_estimators_joins_runs_of_other_sizes(runs):
    other = simulate(Random(), batch_size=5, n_initial=15, budget=30)
    display = LabelCurveDisplay.from_estimators({"both": [runs[0], other]}, X_TEST, Y_TEST)
    curve = display.curves["both"]
    assert_array_equal(curve.n_labels, [15, 20, 25, 30])
    first = list(runs[0].staged_score(X_TEST, Y_TEST))  # at 10, 20, 30, 35
    between = [(first[0] + first[1]) / 2, first[1], (first[1] + first[2]) / 2, first[2]]
    assert_allclose(curve.scores[0], between)
    assert_allclose(curve.scores[1], list(other.staged_score(X_TEST, Y_TEST)))


def test_an_unfitted_simulation_is_refused():
    unfitted = SimulatedLearner(ActiveLearner(GaussianNB(), Random()))
    with pytest.raises((NotFittedError, AttributeError)):
        LabelCurveDisplay.from_estimator(unfitted, X_TEST, Y_TEST)


# Drawing ----------------------------------------------------------------------------------------


def test_plot_makes_a_figure(plt):
    display = LabelCurveDisplay(curves(), score_name="accuracy")
    assert display.plot() is display
    assert [plt.figure(number) for number in plt.get_fignums()] == [display.figure_]
    assert display.figure_.axes == [display.ax_]
    assert display.ax_.get_xlabel() == "labels"
    assert display.ax_.get_ylabel() == "accuracy"
    shown = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert shown == ["curve 0", "curve 1"]
    display.figure_.canvas.draw()


def test_plot_on_given_axes(plt):
    figure, (left, right) = plt.subplots(1, 2)
    display = LabelCurveDisplay(curves()).plot(ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert len(plt.get_fignums()) == 1
    assert not left.lines
    assert len(right.lines) == 2


def test_lines_show_the_means(plt):
    display = LabelCurveDisplay(curves()).plot()
    assert list(display.lines_) == ["curve 0", "curve 1"]
    for name, curve in display.curves.items():
        line = display.lines_[name]
        assert line in display.ax_.lines
        assert line.get_label() == name
        assert_array_equal(line.get_xdata(), curve.n_labels)
        assert_array_equal(line.get_ydata(), curve.mean)


def test_band_is_one_standard_error_around_the_mean(plt):
    display = LabelCurveDisplay(curves()).plot()
    assert len(display.ax_.collections) == 2
    for band, (name, curve) in zip(display.ax_.collections, display.curves.items(), strict=True):
        corners = band.get_paths()[0].vertices
        for n, mean, error in zip(curve.n_labels, curve.mean, curve.standard_error, strict=True):
            heights = corners[corners[:, 0] == n, 1]
            assert_allclose([heights.min(), heights.max()], [mean - error, mean + error])
        color = plt.matplotlib.colors.to_rgb(display.lines_[name].get_color())
        assert_allclose(band.get_facecolor()[0, :3], color)
        assert band.get_facecolor()[0, 3] < 0.5  # the lines stay visible


def test_no_band_where_it_is_not_wanted(plt):
    assert len(LabelCurveDisplay(curves()).plot(band=False).ax_.collections) == 0


def test_no_band_for_a_single_run(plt):
    assert len(LabelCurveDisplay(curves(n_runs=1)).plot().ax_.collections) == 0


def test_colors_are_distinct(plt):
    lines = LabelCurveDisplay(curves(n=7)).plot().lines_.values()
    assert len({line.get_color() for line in lines}) == 7


def test_many_curves_differ_by_color_or_mark(plt):
    lines = LabelCurveDisplay(curves(n=20)).plot().lines_.values()
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 20


def test_plotting_again_starts_afresh(plt):
    display = LabelCurveDisplay(curves()).plot()
    first = display.ax_
    display.plot()
    assert display.ax_ is not first
    assert len(display.ax_.lines) == len(display.lines_) == 2


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    display = LabelCurveDisplay.from_estimator(simulate(Random()), X_TEST, Y_TEST)  # data: no need
    with pytest.raises(ImportError, match=r'pip install "skactive\[viz\]"'):
        display.plot()


def test_given_axes_need_no_pyplot(plt, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    ax = Figure().add_subplot()
    assert LabelCurveDisplay(curves()).plot(ax=ax).ax_ is ax


# From comparisons -------------------------------------------------------------------------------


def test_curves_are_those_of_the_comparison(compared):
    comparison = compared()
    display = LabelCurveDisplay.from_comparison(comparison, confidence=0.9)
    expected = comparison.curves()
    assert list(display.curves) == list(expected)
    for name, (n_labels, scores) in expected.items():
        assert_array_equal(display.curves[name].n_labels, n_labels)
        assert_array_equal(display.curves[name].scores, scores)
    assert display.score_name == "balanced accuracy"
    assert display.confidence == 0.9


def test_curves_of_several_models_need_one(compared):
    comparison = compared(models=("SVC", "forest"))
    with pytest.raises(ValueError, match=r"select\(model='SVC'\)"):
        LabelCurveDisplay.from_comparison(comparison)
    forest = comparison.select(model="forest")
    display = LabelCurveDisplay.from_comparison(forest)
    assert_array_equal(display.curves["Random"].scores, forest.curves()["Random"][1])


def test_bands_are_t_intervals(plt, compared):
    display = LabelCurveDisplay.from_comparison(compared(n=2), confidence=0.8).plot()
    assert len(display.ax_.collections) == 2
    for band, curve in zip(display.ax_.collections, display.curves.values(), strict=True):
        corners = band.get_paths()[0].vertices
        for i, n in enumerate(curve.n_labels):
            scores = curve.scores[:, i]
            low, high = stats.t.interval(0.8, 4, scores.mean(), stats.sem(scores))
            heights = corners[corners[:, 0] == n, 1]
            assert_allclose([heights.min(), heights.max()], [low, high])


def test_the_interval_of_a_single_run_is_its_score(compared):
    curve = LabelCurveDisplay.from_comparison(compared(n_repeats=1)).curves["Random"]
    assert_array_equal(curve.interval(), [curve.mean, curve.mean])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_that_cannot_be(confidence, compared):
    with pytest.raises(ValueError, match="between 0 and 1"):
        LabelCurveDisplay.from_comparison(compared(), confidence=confidence)


def test_twenty_curves_are_told_apart_by_line_too(plt, compared):
    lines = list(LabelCurveDisplay.from_comparison(compared(n=20)).plot().lines_.values())
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


@pytest.mark.parametrize(("n", "beside"), [(7, False), (8, True)])
def test_the_legend_of_many_curves_is_beside_them(plt, n, beside, compared):
    display = LabelCurveDisplay.from_comparison(compared(n=n)).plot()
    display.figure_.canvas.draw()
    legend, axes = display.ax_.get_legend().get_window_extent(), display.ax_.get_window_extent()
    assert (legend.x0 > axes.x1) == beside
    assert (legend.x1 < axes.x1) != beside
