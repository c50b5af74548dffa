"""Runs: their areas, the label counts that they share, and broken ones."""

import numpy as np
import pytest

from skactive.comparison import StrategyComparison
from skactive.metrics import area_under_learning_curve

equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


def test_areas_are_those_of_the_curves(compared):
    comparison = compared()
    for run in comparison.runs:
        area = comparison.areas()[run.strategy][run.repeat]
        assert area == pytest.approx(area_under_learning_curve(run.n_labels, run.scores), abs=1e-11)


def test_curves_of_other_counts_are_joined_where_all_reach(a_run):
    runs = [
        a_run("a", 0, [0.0, 0.2, 0.4], n=[10, 20, 30]),
        a_run("a", 1, [0.1, 0.3, 0.4], n=[11, 21, 30]),
        a_run("b", 0, [0.0, 0.2, 0.4], n=[10, 20, 30]),
        a_run("b", 1, [0.1, 0.3, 0.4], n=[11, 21, 30]),
    ]
    comparison = StrategyComparison(runs)
    counts, scores = comparison.curves()["a"]
    equal(counts, [11, 20, 21, 30])
    close(scores, [[0.02, 0.2, 0.2 + 0.02, 0.4], [0.1, 0.28, 0.3, 0.4]])
    equal(comparison.n_labels, counts)


def test_a_campaign_of_one_round_has_an_area_too(compared):
    comparison = compared(budget=5)
    areas = comparison.areas()
    close(areas["Random()"], areas["Margin()"])
    assert comparison.penalty_matrix().matrix.sum() == 0
    assert "as many labels as" in comparison.summary()


def test_no_runs_and_broken_runs_are_refused(a_run):
    with pytest.raises(ValueError, match="at least one run"):
        StrategyComparison([])
    with pytest.raises(ValueError, match="of one length"):
        StrategyComparison([a_run("a", 0, [0.5, 0.6])])
