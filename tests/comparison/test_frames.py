"""Tables of pandas, and all the rest without it."""

import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.naive_bayes import GaussianNB

MODEL = GaussianNB(var_smoothing=0.1)  # smooth: no probabilities of 0 and 1, so no ties

equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


def test_tidy_table(compared):
    pd = pytest.importorskip("pandas")
    comparison = compared()
    frame = comparison.to_frame()
    assert list(frame.columns) == [
        *["dataset", "model", "strategy", "repeat", "n_labels", "score"],
        *["fit_seconds", "query_seconds"],
    ]
    assert len(frame) == 2 * 3 * 4
    back = frame[(frame.strategy == "Margin()") & (frame.repeat == 2)]
    run = next(run for run in comparison.runs if (run.strategy, run.repeat) == ("Margin()", 2))
    equal(back.score, run.scores)
    equal(back.n_labels, run.n_labels)
    assert isinstance(frame, pd.DataFrame)


def test_table_of_areas(compared):
    pytest.importorskip("pandas")
    comparison = compared(n_repeats=6)
    table, areas = comparison.areas_table(0.9), comparison.areas()
    for name in comparison.strategies:
        row, runs = table.loc[name], [run for run in comparison.runs if run.strategy == name]
        interval = stats.ttest_1samp(areas[name], 0).confidence_interval(0.9)
        close([row.area, row.low, row.high], [areas[name].mean(), *interval])
        assert row.final_score == pytest.approx(np.mean([run.scores[-1] for run in runs]))
        assert row.fit_seconds == pytest.approx(np.mean([run.fit_seconds.sum() for run in runs]))
        assert row.n_repeats == 6
    paired = stats.ttest_rel(areas["Margin()"], areas["Random()"]).confidence_interval(0.9)
    row = table.loc["Margin()"]
    close([row.difference_low, row.difference_high], paired)
    assert row.difference == pytest.approx((areas["Margin()"] - areas["Random()"]).mean())
    assert table.loc["Random()"].difference == 0
    models = {"a": MODEL, "b": GaussianNB(var_smoothing=0.5)}
    assert compared(learner=models).areas_table().index.names == ["model", "strategy"]


def test_without_pandas_all_but_the_tables_works(monkeypatch, noisy):
    monkeypatch.setitem(sys.modules, "pandas", None)
    comparison = noisy()
    comparison.curves()
    comparison.ranks()
    comparison.friedman()
    comparison.critical_difference()
    comparison.penalty_matrix()
    comparison.labels_saved()
    assert "Faster" in comparison.summary()
    assert "Faster" in comparison._repr_html_()
    for table in ("to_frame", "areas_table", "wilcoxon", "wins_ties_losses", "effect_sizes"):
        with pytest.raises(ImportError, match=r'pip install "skactive\[data\]"'):
            getattr(comparison, table)()
