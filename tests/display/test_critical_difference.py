"""Critical-difference diagrams: ranks and groups are those of the comparison, in their place."""

from itertools import combinations

from numpy.testing import assert_allclose

from skactive.comparison import CriticalDifference
from skactive.display import CriticalDifferenceDisplay


def test_ranks_are_those_of_the_comparison(compared):
    comparison = compared(n=6, apart=0.01)
    display = CriticalDifferenceDisplay.from_comparison(comparison, alpha=0.1)
    assert display.result == comparison.critical_difference(0.1)
    assert display.result != comparison.critical_difference(0.05)
    assert display.groups == display.result.groups
    assert display.blocks == "repeats"


def test_models_and_datasets_are_chosen_or_joined(compared):
    comparison = compared(models=("SVC", "forest"), datasets=("a", "b", "c"))
    joined = CriticalDifferenceDisplay.from_comparison(comparison)
    assert (joined.blocks, joined.result.n_blocks) == ("datasets", 3)
    narrow = comparison.select(model="SVC", dataset="b")
    one = CriticalDifferenceDisplay.from_comparison(narrow)
    assert one.result == narrow.critical_difference()
    assert (one.blocks, one.result.n_blocks) == ("repeats", 5)


def ranked(ranks, difference=1.0, groups=(), p_value=0.001):
    return CriticalDifference(ranks, difference, list(groups), p_value, 0.05, 10)


def test_all_are_joined_where_friedmans_test_finds_nothing():
    ranks = {"A": 1.2, "B": 2.0, "C": 2.8}
    assert CriticalDifferenceDisplay(ranked(ranks, p_value=0.2)).groups == [("A", "B", "C")]
    assert CriticalDifferenceDisplay(ranked(ranks, p_value=0.04)).groups == []


def test_what_is_drawn_is_in_its_place(plt):
    ranks = {"A": 1.1, "B": 1.6, "C": 2.9, "D": 3.4, "E": 4.9}
    groups = [("A", "B"), ("B", "C", "D"), ("C", "D", "E")]
    display = CriticalDifferenceDisplay(ranked(ranks, 1.9, groups)).plot()
    assert_allclose(display.ruler_.get_xdata(), [1, 2.9])
    for bar, names in zip(display.bars_, groups, strict=True):
        ends = ranks[names[0]], ranks[names[-1]]
        assert_allclose(bar.get_xdata(), ends, atol=0.05)
    heights = [bar.get_ydata()[0] for bar in display.bars_]
    assert heights[1] not in (heights[0], heights[2])  # each shares a strategy with the next
    assert list(display.names_) == list("ABCED")
    ends = {tuple(line.get_xydata()[-1]) for line in display.ax_.lines if len(line.get_xdata()) > 2}
    assert ends == {(rank, 0) for rank in ranks.values()}
    for name, rank in ranks.items():
        assert sorted(display.names_[name].get_text().split()) == sorted([name, f"{rank:.2f}"])


def test_bars_apart_share_a_row(plt):
    groups = [("A", "B"), ("C", "D")]
    ranks = {"A": 1.1, "B": 1.6, "C": 3.0, "D": 3.4}
    bars = CriticalDifferenceDisplay(ranked(ranks, 0.7, groups)).plot().bars_
    assert bars[0].get_ydata()[0] == bars[1].get_ydata()[0]


def test_lines_to_the_names_do_not_cross(plt, compared):
    display = CriticalDifferenceDisplay.from_comparison(compared(n=9, apart=0.02)).plot()
    elbows = [line.get_xydata() for line in display.ax_.lines if len(line.get_xdata()) > 2]
    assert len(elbows) == 9
    for (side, corner, _), (_, other, top) in combinations(elbows, 2):
        low, high = sorted([side[0], corner[0]])
        assert not (low < other[0] < high and other[1] < corner[1] < top[1])


def test_the_verdict_is_told(plt):
    ranks = {"A": 1.0, "B": 2.0}
    told = CriticalDifferenceDisplay(ranked(ranks, p_value=0.3)).plot().ax_.get_title()
    assert "p = 0.3, 10 repeats" in told
    assert "no two are significantly different" in told
    told = CriticalDifferenceDisplay(ranked(ranks, p_value=1e-9)).plot().ax_.get_title()
    assert "p < 0.0001" in told
    assert "no two" not in told
