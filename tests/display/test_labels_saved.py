"""Labels saved: values and intervals are those of the comparison, in words and in their place."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skactive.comparison import LabelsSaved
from skactive.display import LabelsSavedDisplay


def saving(strategy="Margin", saved=0.4, bound="exact", low=0.3, high=0.5, **others):
    record = LabelsSaved("toy", "SVC", strategy, "Random", 0.9, 6, 10, saved, bound, low, high, 10)
    return record._replace(**others)


def test_savings_are_those_of_the_comparison(compared):
    comparison = compared(n=4)
    display = LabelsSavedDisplay.from_comparison(comparison, target=0.65, confidence=0.9)
    assert display.savings == comparison.labels_saved(0.65, confidence=0.9)
    assert display.savings != comparison.labels_saved(0.65, confidence=0.95)
    assert display.score_name == "balanced accuracy"
    other = LabelsSavedDisplay.from_comparison(comparison, baseline=comparison.strategies[2])
    assert {each.baseline for each in other.savings} == {comparison.strategies[2]}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (saving(), "40 % (30 to 50 %)"),
        (saving(saved=-0.2, low=-0.31, high=-0.001), "~20 % (~31 to 0 %)"),
        (saving(bound="at least", high=1.0), "at least 40 % (30 % or more)"),
        (saving(bound="at most", low=-np.inf), "at most 40 % (up to 50 %)"),
        (saving(low=-np.inf, high=1.0), "40 % (no bounds)"),
        (saving(low=np.nan, high=np.nan), "40 %"),
        (saving(saved=np.nan, bound="unknown", low=-np.inf, high=1.0), "not reached"),
    ],
)
def test_savings_in_words(plt, record, words):
    display = LabelsSavedDisplay([record])
    assert display.in_words(record) == words.replace("~", "\N{MINUS SIGN}")
    assert display.plot().texts_[0].get_text() == display.in_words(record)


def test_points_and_intervals_are_in_their_place(plt):
    records = [
        saving("A"),
        saving("B", bound="at least", saved=0.1, low=0.0, high=1.0),
        saving("C", bound="at most", saved=-0.3, low=-np.inf, high=-0.1),
        saving("D", bound="unknown", saved=np.nan, low=-np.inf, high=1.0),
        saving("E", saved=-4.0, low=-7.0, high=0.2),
    ]
    display = LabelsSavedDisplay(records).plot()
    points, (left, right) = display.points_, display.ax_.get_xlim()
    marks = [point and point.get_marker() for point in points]
    assert marks == ["o", ">", "<", None, "o"]
    places = [point and (point.get_xdata()[0], point.get_ydata()[0]) for point in points]
    assert_allclose(places[0], (40, 0))
    assert_allclose(places[1], (10, 1))
    assert_allclose(places[2], (-30, 2))
    assert_allclose(places[4], (left, 4))  # beyond the edge
    intervals = {line.get_ydata()[0]: line.get_xdata() for line in display.ax_.lines
                 if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"}  # fmt: skip
    assert_allclose(intervals.pop(0), (30, 50))
    assert_allclose(intervals.pop(1), (0, right))
    assert_allclose(intervals.pop(2), (left, -10))
    assert_allclose(intervals.pop(4), (left, 20))
    assert not intervals
    assert -115 < left < -100
    bottom, top = display.ax_.get_ylim()
    assert bottom > top  # the first above
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == list("ABCDE")


def test_the_target_is_told(plt):
    display = LabelsSavedDisplay([saving()], score_name="accuracy").plot()
    assert display.ax_.get_xlabel() == "% of Random's labels saved,\nto reach 0.9 accuracy"
    several = LabelsSavedDisplay([saving(), saving(model="forest", target=0.8)]).plot()
    assert several.ax_.get_xlabel().endswith("to reach what Random ends at")
    assert [t.get_text() for t in several.ax_.get_yticklabels()] == [
        "SVC, Margin",
        "forest, Margin",
    ]
