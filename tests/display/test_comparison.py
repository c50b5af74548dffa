"""Displays of a comparison: the data are those of the comparison, and all that is drawn is read."""

import sys
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skactive.comparison import (
    CriticalDifference,
    LabelsSaved,
    PenaltyMatrix,
    Run,
    StrategyComparison,
)
from skactive.display import (
    CriticalDifferenceDisplay,
    LabelCurveDisplay,
    LabelsSavedDisplay,
    PenaltyDisplay,
)

DISPLAYS = [
    LabelCurveDisplay,
    CriticalDifferenceDisplay,
    PenaltyDisplay,
    LabelsSavedDisplay,
]
NAMES = ["Random", *(f"Strategy{'ABCDEFGHIJKLMNOPQRST'[i]}()" for i in range(19))]


def compared(
    n=3, n_repeats=5, models=("SVC",), names=NAMES, apart=0.02, noise=0.01, datasets=("toy",)
):
    """Return a comparison of n strategies, each better than the last by `apart`."""
    rng = np.random.RandomState(0)
    counts, rising = np.array([10, 20, 30, 40, 50]), np.array([0.0, 0.1, 0.15, 0.18, 0.2])
    runs = []
    for dataset in datasets:
        for model in models:
            for repeat in range(n_repeats):
                start = 0.5 + noise * rng.randn()
                for i in range(n):
                    gain = (1 + apart * i * 10) * rising + noise * rng.randn(5) * (counts > 10)
                    seconds = np.zeros(5)
                    run = Run(
                        dataset, model, names[i], repeat, counts, start + gain, seconds, seconds
                    )
                    runs.append(run)
    return StrategyComparison(runs, scoring="balanced_accuracy")


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


# Learning curves --------------------------------------------------------------------------------


def test_curves_are_those_of_the_comparison():
    comparison = compared()
    display = LabelCurveDisplay.from_comparison(comparison, confidence=0.9)
    expected = comparison.curves()
    assert list(display.curves) == list(expected)
    for name, (n_labels, scores) in expected.items():
        assert_array_equal(display.curves[name].n_labels, n_labels)
        assert_array_equal(display.curves[name].scores, scores)
    assert display.score_name == "balanced accuracy"
    assert display.confidence == 0.9


def test_curves_of_several_models_need_one():
    comparison = compared(models=("SVC", "forest"))
    with pytest.raises(ValueError, match=r"select\(model='SVC'\)"):
        LabelCurveDisplay.from_comparison(comparison)
    forest = comparison.select(model="forest")
    display = LabelCurveDisplay.from_comparison(forest)
    assert_array_equal(display.curves["Random"].scores, forest.curves()["Random"][1])


def test_bands_are_t_intervals(plt):
    display = LabelCurveDisplay.from_comparison(compared(n=2), confidence=0.8).plot()
    assert len(display.ax_.collections) == 2
    for band, curve in zip(display.ax_.collections, display.curves.values(), strict=True):
        corners = band.get_paths()[0].vertices
        for i, n in enumerate(curve.n_labels):
            scores = curve.scores[:, i]
            low, high = stats.t.interval(0.8, 4, scores.mean(), stats.sem(scores))
            heights = corners[corners[:, 0] == n, 1]
            assert_allclose([heights.min(), heights.max()], [low, high])


def test_the_interval_of_a_single_run_is_its_score():
    curve = LabelCurveDisplay.from_comparison(compared(n_repeats=1)).curves["Random"]
    assert_array_equal(curve.interval(), [curve.mean, curve.mean])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_that_cannot_be(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        LabelCurveDisplay.from_comparison(compared(), confidence=confidence)


def test_twenty_curves_are_told_apart_by_line_too(plt):
    lines = list(LabelCurveDisplay.from_comparison(compared(n=20)).plot().lines_.values())
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


@pytest.mark.parametrize(("n", "beside"), [(7, False), (8, True)])
def test_the_legend_of_many_curves_is_beside_them(plt, n, beside):
    display = LabelCurveDisplay.from_comparison(compared(n=n)).plot()
    display.figure_.canvas.draw()
    legend, axes = display.ax_.get_legend().get_window_extent(), display.ax_.get_window_extent()
    assert (legend.x0 > axes.x1) == beside
    assert (legend.x1 < axes.x1) != beside


# Critical differences ---------------------------------------------------------------------------


def test_ranks_are_those_of_the_comparison():
    comparison = compared(n=6, apart=0.01)
    display = CriticalDifferenceDisplay.from_comparison(comparison, alpha=0.1)
    assert display.result == comparison.critical_difference(0.1)
    assert display.result != comparison.critical_difference(0.05)
    assert display.groups == display.result.groups
    assert display.blocks == "repeats"


def test_models_and_datasets_are_chosen_or_joined():
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


def test_lines_to_the_names_do_not_cross(plt):
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


# Penalties --------------------------------------------------------------------------------------


def test_cells_hold_the_penalties(plt):
    comparison = compared(n=5, apart=0.01)
    penalties = comparison.penalty_matrix(0.1)
    display = PenaltyDisplay.from_comparison(comparison, alpha=0.1).plot()
    assert_array_equal(display.penalties.matrix, penalties.matrix)
    assert (penalties.matrix != comparison.penalty_matrix(0.01).matrix).any()
    names = penalties.strategies
    assert len(display.cells_) == 20
    for (row, column), text in display.cells_.items():
        value = penalties.matrix[names.index(row), names.index(column)]
        assert_allclose(float(text.get_text()), value, atol=0.005)
    shown = [float(display.means_[name].get_text()) for name in names]
    assert_allclose(shown, penalties.column_means, atol=0.005)


def test_cells_stand_where_their_names_are(plt):
    matrix = np.array([[0.0, 0.1, 0.2], [0.8, 0.0, 0.4], [0.7, 0.1, 0.0]])
    penalties = PenaltyMatrix(("A", "B", "C"), matrix, matrix.mean(axis=0), 1)
    display = PenaltyDisplay(penalties).plot()
    assert display.order.tolist() == [1, 2, 0]  # the least beaten first
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["B", "C", "A", "mean"]
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["B", "C", "A"]
    assert display.cells_["B", "A"].get_position() == (2.5, 0.5)
    assert display.cells_["A", "B"].get_position() == (0.5, 2.5)
    mesh = display.ax_.collections[0].get_array()
    assert_array_equal(mesh[0, 1:], [0.4, 0.8])


def test_of_those_never_beaten_the_one_that_wins_most_goes_first():
    matrix = np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.4], [0.0, 0.0, 0.0]])
    penalties = PenaltyMatrix(("A", "B", "C"), matrix, matrix.mean(axis=0), 1)
    assert PenaltyDisplay(penalties).order.tolist() == [1, 0, 2]


@pytest.mark.parametrize("cmap", ["cividis", "viridis", "Greys"])
def test_figures_are_readable_on_their_cells(plt, cmap):
    n = 20
    matrix = np.linspace(0, 3, n * n).reshape(n, n)
    penalties = PenaltyMatrix(tuple(NAMES), matrix, matrix.mean(axis=0), 3)
    display = PenaltyDisplay(penalties).plot(cmap=cmap)
    names, mesh = penalties.strategies, display.ax_.collections[0]

    def luminance(color):
        rgb = np.array(plt.matplotlib.colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for (row, column), text in display.cells_.items():
        cell = mesh.cmap(mesh.norm(matrix[names.index(row), names.index(column)]))
        dark, light = sorted([luminance(cell), luminance(text.get_color())])
        assert (light + 0.05) / (dark + 0.05) > 4.5


# Labels saved -----------------------------------------------------------------------------------


def saving(strategy="Margin", saved=0.4, bound="exact", low=0.3, high=0.5, **others):
    record = LabelsSaved("toy", "SVC", strategy, "Random", 0.9, 6, 10, saved, bound, low, high, 10)
    return record._replace(**others)


def test_savings_are_those_of_the_comparison():
    comparison = compared(n=4)
    display = LabelsSavedDisplay.from_comparison(comparison, target=0.65, confidence=0.9)
    assert display.savings == comparison.labels_saved(0.65, confidence=0.9)
    assert display.savings != comparison.labels_saved(0.65, confidence=0.95)
    assert display.score_name == "balanced accuracy"
    other = LabelsSavedDisplay.from_comparison(comparison, baseline=NAMES[2])
    assert {each.baseline for each in other.savings} == {NAMES[2]}


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


# Drawing ----------------------------------------------------------------------------------------


def texts_of(figure):
    """Return all texts that are drawn."""
    figure.canvas.draw()
    texts = []
    for ax in figure.axes:
        texts += [*ax.texts, ax.title, ax._left_title]
        if ax.axison:
            texts += [ax.xaxis.label, ax.yaxis.label]
            for axis in (ax.xaxis, ax.yaxis):
                low, high = sorted(axis.get_view_interval())
                texts += [tick.label1 for tick in axis.get_major_ticks()
                          if low <= tick.get_loc() <= high]  # fmt: skip
        if ax.get_legend() is not None:
            texts += ax.get_legend().get_texts()
    return [text for text in texts if text.get_text()]


def check_legible(figure):
    """All texts are within the figure, and none lies on another."""
    texts = texts_of(figure)
    assert texts
    boxes = {text: text.get_window_extent() for text in texts}
    for text, box in boxes.items():
        inside = box.x0 >= -1 and box.y0 >= -1
        inside &= box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} is cut off"
    straight = [text for text in texts if text.get_rotation() in (0, 90)]
    for one, other in combinations(straight, 2):
        first, second = boxes[one].padded(-1), boxes[other].padded(-1)
        assert not first.overlaps(second), f"{one.get_text()!r} lies on {other.get_text()!r}"


LONG = [f"Prefilter(strategy=KCenterGreedy(), by=Margin(), n={i})" for i in range(20)]


@pytest.mark.parametrize("names", [NAMES, LONG], ids=["short", "long"])
@pytest.mark.parametrize("n_repeats", [1, 6])
@pytest.mark.parametrize("n", [1, 2, 7, 15, 20])
@pytest.mark.parametrize("kind", DISPLAYS)
def test_drawings_are_legible(plt, kind, n, n_repeats, names):
    comparison = compared(n, n_repeats, names=names)
    if kind is CriticalDifferenceDisplay and n == 1:
        with pytest.raises(ValueError, match="two strategies"):
            kind.from_comparison(comparison)
        return
    check_legible(kind.from_comparison(comparison).plot().figure_)


@pytest.mark.parametrize("kind", DISPLAYS[1:])
def test_drawings_of_several_models_are_legible(plt, kind):
    comparison = compared(6, models=("logistic", "RandomForestClassifier"), noise=0.1)
    check_legible(kind.from_comparison(comparison).plot().figure_)


def test_ranks_all_alike_are_legible(plt):
    ranks = {name: 4.0 + i / 1000 for i, name in enumerate(NAMES[:7])}
    check_legible(CriticalDifferenceDisplay(ranked(ranks, p_value=1.0)).plot().figure_)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_names_are_no_formulas(plt, kind):
    names = ["a$b$c", "$x^", "plain"]
    texts = texts_of(kind.from_comparison(compared(names=names)).plot().figure_)
    boxes = [text for text in texts if any(name in text.get_text() for name in names[:2])]
    assert len(boxes) >= 2
    assert all(not text.get_parse_math() for text in boxes)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_given_axes_need_no_pyplot(plt, kind, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    ax = Figure().add_subplot()
    display = kind.from_comparison(compared())
    assert display.plot(ax=ax) is display
    assert (display.ax_, display.figure_) == (ax, ax.figure)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_new_figures_have_the_size_they_need(plt, kind):
    display = kind.from_comparison(compared(n=15)).plot()
    assert_allclose(display.figure_.get_size_inches(), display.figsize)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_without_matplotlib_the_error_names_the_extra(monkeypatch, kind):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    display = kind.from_comparison(compared())  # data: no need
    with pytest.raises(ImportError, match=r'pip install "skactive\[viz\]"'):
        display.plot()
