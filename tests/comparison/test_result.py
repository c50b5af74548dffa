"""StrategyComparison: tests by hand and by SciPy, several datasets, notebooks."""

import pickle
import re

import numpy as np
import pytest
from scipy import stats

from skactive.comparison import Failure, StrategyComparison
from skactive.comparison._pairing import PairedRuns

RANDOM = [0.5, 0.6, 0.7, 0.8, 0.9]
FASTER = [0.5, 0.8, 0.9, 0.95, 0.95]
SLOWER = [0.5, 0.55, 0.6, 0.65, 0.7]

close = np.testing.assert_allclose


def test_pickle_and_repr(compared, scores_of):
    comparison = compared()
    again = pickle.loads(pickle.dumps(comparison))
    assert scores_of(again) == scores_of(comparison)
    assert repr(again) == "StrategyComparison(2 strategies x 3 repeats, 6 to 20 labels, accuracy)"


def test_html_escapes_names(toy):
    comparison = toy({"Random": RANDOM, "<script>": FASTER})
    html = comparison._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") >= 2
    assert html.count("<tr>") == 3
    assert "40 % fewer" in html


def test_no_repeat_in_which_all_succeeded(a_run):
    runs = [a_run("a", 0), a_run("b", 1)]
    with pytest.raises(ValueError, match="no repeat on 'toy' in which all"):
        StrategyComparison(runs).areas()


# Tests ------------------------------------------------------------------------------------------


def test_statistics_are_those_of_the_areas(noisy):
    pytest.importorskip("pandas")
    comparison = noisy()
    areas = np.stack(list(comparison.areas().values()))
    assert comparison.ranks() == {"Faster": 1.0, "Random": 2.0, "Slower": 3.0}
    expected = stats.friedmanchisquare(*areas)
    assert comparison.friedman().chi2 == pytest.approx(expected.statistic)
    table = comparison.wilcoxon()
    assert list(table.index) == [("Random", "Faster"), ("Random", "Slower"), ("Faster", "Slower")]
    by_scipy = stats.wilcoxon(areas[0], areas[1], method="exact").pvalue
    assert table.loc[("Random", "Faster"), "p_value"] == pytest.approx(by_scipy)
    close(table.p_holm, np.full(3, 3 * 2 / 2**8))
    assert table.loc[("Random", "Faster"), "difference"] < 0
    effects = comparison.effect_sizes()
    assert effects.loc[("Faster", "Slower"), "rank_biserial"] == 1.0
    difference = areas[1] - areas[2]
    expected = difference.mean() / difference.std(ddof=1)
    assert effects.loc[("Faster", "Slower"), "cohen_d_z"] == pytest.approx(expected, rel=1e-6)


def test_wins_ties_and_losses(a_run):
    pytest.importorskip("pandas")
    runs = [a_run("a", r, [0, 0, 0, 0, x]) for r, x in enumerate([1, 1, 1, 0.3, 0])]
    runs += [a_run("b", r, [0, 0, 0, 0, x]) for r, x in enumerate([0, 0, 0, 0.1 + 0.2, 1])]
    table = StrategyComparison(runs).wins_ties_losses()
    assert table.loc[("a", "b")].tolist() == [3, 1, 1]  # 0.1 + 0.2 is 0.3 here


def test_critical_difference_and_its_groups(toy):
    names = ["a", "b", "c", "d", "e"]
    heights = dict(zip(names, [0.9, 0.8, 0.7, 0.6, 0.5], strict=True))
    result = toy({name: np.full(5, height) for name, height in heights.items()})
    result = result.critical_difference()
    assert result.ranks == dict(zip(names, [1.0, 2.0, 3.0, 4.0, 5.0], strict=True))
    assert result.difference == pytest.approx(2.728 * np.sqrt(30 / 30), rel=1e-3)
    assert result.groups == [("a", "b", "c"), ("b", "c", "d"), ("c", "d", "e")]
    assert result.n_blocks == 5
    assert result.p_value < 0.001


def test_critical_difference_is_of_the_ranks_and_the_test_of_the_same_blocks(noisy, monkeypatch):
    comparison = noisy()
    ranks, tested = comparison.ranks(), comparison.friedman()
    reads = []
    compute_areas = PairedRuns.compute_areas
    monkeypatch.setattr(
        PairedRuns, "compute_areas", lambda self: reads.append(self) or compute_areas(self)
    )
    comparison = comparison.select(model="SVC", dataset="toy")
    result = comparison.critical_difference()
    assert list(result.ranks.items()) == list(ranks.items())
    assert (result.p_value, result.n_blocks) == (tested.p_value, tested.n_blocks)
    assert reads == [comparison._pairing]  # once


def test_groups_hold_two_at_least_and_none_lies_in_another(toy):
    result = toy({"a": RANDOM, "b": FASTER}, n_repeats=50).critical_difference()
    assert result.groups == []
    alike = toy({"a": RANDOM, "b": RANDOM, "c": RANDOM}).critical_difference()
    assert alike.groups == [("a", "b", "c")]
    assert alike.p_value == 1.0


def test_penalties(noisy):
    result = noisy().penalty_matrix()
    assert result.strategies == ("Random", "Faster", "Slower")
    assert result.matrix[1, 2] == 1.0  # in all four rounds after the start
    assert result.matrix[2].sum() == 0
    close(result.column_means, result.matrix.mean(axis=0))
    assert result.column_means[1] == 0
    stricter = noisy().penalty_matrix(alpha=1e-12)
    assert stricter.matrix.sum() < result.matrix.sum()
    twice = StrategyComparison.concat({"a": noisy(), "b": noisy()}).penalty_matrix()
    close(twice.matrix, 2 * result.matrix)
    assert twice.n_experiments == 2


def test_one_strategy_has_no_tests(toy):
    comparison = toy({"a": RANDOM})
    assert list(comparison.areas()) == ["a"]
    for test in (comparison.ranks, comparison.friedman, comparison.critical_difference):
        with pytest.raises(ValueError, match="at least two strategies"):
            test()


# Several datasets --------------------------------------------------------------------------------


def test_datasets_are_blocks(toy):
    pytest.importorskip("pandas")
    parts = {
        "one": toy({"Random": RANDOM, "Faster": FASTER}),
        "two": toy({"Random": RANDOM, "Faster": FASTER}, noise=0.1),
        "three": toy({"Random": RANDOM, "Faster": SLOWER}),
    }
    joined = StrategyComparison.concat(parts)
    assert joined.datasets == ("one", "two", "three")
    assert joined.baseline == "Random"
    areas = joined.areas()
    close(areas["Faster"], [part.areas()["Faster"].mean() for part in parts.values()])
    close(joined.select(dataset="two").areas()["Faster"], parts["two"].areas()["Faster"])
    assert joined.ranks() == pytest.approx({"Faster": 4 / 3, "Random": 5 / 3})
    assert joined.friedman().n_blocks == 3
    assert joined.wins_ties_losses().loc[("Random", "Faster")].tolist() == [1, 0, 2]
    assert joined.areas_table().index.names == ["dataset", "strategy"]
    assert [line.split(":")[0] for line in joined.summary().splitlines()] == list(parts)
    assert repr(joined).startswith("StrategyComparison(3 datasets x 2 strategies x 5 repeats")
    assert {saving.dataset for saving in joined.labels_saved()} == set(parts)
    nested = StrategyComparison.concat({"all": joined, "more": parts["one"]})
    assert nested.datasets == ("all: one", "all: two", "all: three", "more")


def test_datasets_must_be_alike(toy):
    first = toy({"Random": RANDOM, "Faster": FASTER})
    with pytest.raises(ValueError, match="differ in their baseline"):
        StrategyComparison.concat({"a": first, "b": toy({"Faster": FASTER, "Slower": SLOWER})})
    other = StrategyComparison(first.runs, scoring="f1")
    with pytest.raises(ValueError, match="differ in their scoring"):
        StrategyComparison.concat({"a": first, "b": other})
    with pytest.raises(ValueError, match="at least one"):
        StrategyComparison.concat({})


def test_records_are_those_of_the_table_and_of_one_model_where_asked(a_run):
    scores = np.random.RandomState(0).uniform(size=(2, 2, 3, 5))
    comparison = StrategyComparison(
        a_run(strategy, repeat, scores[i, j, repeat], model=model)
        for i, model in enumerate(("SVC", "forest"))
        for j, strategy in enumerate(("Random", "Margin"))
        for repeat in range(3)
    )
    records, frame = comparison.area_records(0.9), comparison.areas_table(0.9)
    assert [record["area"] for record in records] == frame["area"].tolist()
    assert [record["low"] for record in records] == frame["low"].tolist()
    assert comparison.select(model="forest").area_records(0.9) == [
        record for record in records if record["model"] == "forest"
    ]


# One model or dataset ---------------------------------------------------------------------------


@pytest.fixture
def grid(a_run):
    """Make two datasets with two models, of which one pair has no runs; and two failures."""
    pairs = [("toy", "SVC"), ("toy", "forest"), ("other", "forest")]
    rng = np.random.default_rng(0)
    runs = [
        a_run(strategy, repeat, rng.random(5), model=model, dataset=dataset)
        for dataset, model in pairs
        for strategy in ("Margin", "Other")
        for repeat in range(3)
    ]
    failures = [
        Failure(dataset, model, "Never", 0, "ValueError", "no", "...") for dataset, model in pairs
    ]
    return StrategyComparison(
        runs, failures=failures, scoring="f1", baseline="Other", settings={"budget": 50}
    )


def test_select_keeps_the_runs_and_failures_of_a_model_and_a_dataset(grid):
    assert grid.experiments == [("toy", "SVC"), ("toy", "forest"), ("other", "forest")]
    forest = grid.select(model="forest")
    assert forest.experiments == [("toy", "forest"), ("other", "forest")]
    assert [run.scores.tolist() for run in forest.runs] == [
        run.scores.tolist() for run in grid.runs if run.model == "forest"
    ]
    assert [failure[:2] for failure in forest.failures] == forest.experiments
    both = forest.select(dataset="other")
    assert both.experiments == grid.select(model="forest", dataset="other").experiments
    assert len(both.runs) == 6
    assert (both.baseline, both.scoring, both.settings) == ("Other", "f1", {"budget": 50})
    assert grid.select().runs == grid.runs


def test_select_keeps_a_baseline_that_has_no_runs_there(a_run):
    runs = [a_run("Random", 0), a_run("Margin", 0), a_run("Margin", 0, model="forest")]
    assert StrategyComparison(runs).select(model="forest").baseline == "Random"


def test_select_of_unknown_names(grid):
    with pytest.raises(ValueError, match=r"unknown model 'svm': choose one of \['SVC', 'forest'\]"):
        grid.select(model="svm")
    with pytest.raises(ValueError, match=r"unknown dataset 'x': choose one of \['toy', 'other'\]"):
        grid.select(dataset="x")
    with pytest.raises(ValueError, match=r"'SVC' has no runs on dataset 'other'.*\('SVC', 'toy'\)"):
        grid.select(model="SVC", dataset="other")


@pytest.mark.parametrize("pairs", ["aa ab", "aa ba", "aa ab ba bb", "ab ba"])
def test_the_advice_of_the_error_works(a_run, pairs):
    comparison = StrategyComparison(
        a_run(name, 0, dataset=dataset, model=model)
        for dataset, model in pairs.split()
        for name in ("Random", "Margin")
    )
    with pytest.raises(ValueError, match="this comparison has the") as caught:
        comparison.curves()
    call = re.search(r"as in (select\(.*\))\.", str(caught.value)).group(1)
    assert list(eval(f"comparison.{call}").curves()) == ["Random", "Margin"]


def test_the_advice_where_no_strategy_succeeded_everywhere_works(a_run):
    comparison = StrategyComparison([a_run("a", 0), a_run("b", 0, model="forest")])
    with pytest.raises(ValueError, match="No strategy succeeded on all datasets") as caught:
        comparison.areas()
    call = re.search(r"as in (select\(.*\))\.", str(caught.value)).group(1)
    assert list(eval(f"comparison.{call}").areas()) == ["a"]
