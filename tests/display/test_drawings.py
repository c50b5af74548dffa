"""All displays of a comparison: drawings are legible, of the right size, and need no pyplot."""

import sys
from itertools import combinations

import pytest
from numpy.testing import assert_allclose
from pairwise import parametrize_pairs

from skactive.comparison import CriticalDifference
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


@parametrize_pairs(kind=DISPLAYS, n=[1, 2, 7, 20], n_repeats=[1, 6], names=[NAMES, LONG])
def test_drawings_are_legible(plt, kind, n, n_repeats, names, compared):
    comparison = compared(n, n_repeats, names=names)
    if kind is CriticalDifferenceDisplay and n == 1:
        with pytest.raises(ValueError, match="two strategies"):
            kind.from_comparison(comparison)
        return
    check_legible(kind.from_comparison(comparison).plot().figure_)


@pytest.mark.parametrize("kind", DISPLAYS[1:])
def test_drawings_of_several_models_are_legible(plt, kind, compared):
    comparison = compared(6, models=("logistic", "RandomForestClassifier"), noise=0.1)
    check_legible(kind.from_comparison(comparison).plot().figure_)


def test_ranks_all_alike_are_legible(plt):
    ranks = {name: 4.0 + i / 1000 for i, name in enumerate(NAMES[:7])}
    result = CriticalDifference(ranks, 1.0, [], p_value=1.0, alpha=0.05, n_blocks=10)
    check_legible(CriticalDifferenceDisplay(result).plot().figure_)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_names_are_no_formulas(plt, kind, compared):
    names = ["a$b$c", "$x^", "plain"]
    texts = texts_of(kind.from_comparison(compared(names=names)).plot().figure_)
    boxes = [text for text in texts if any(name in text.get_text() for name in names[:2])]
    assert len(boxes) >= 2
    assert all(not text.get_parse_math() for text in boxes)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_given_axes_need_no_pyplot(plt, kind, monkeypatch, compared):
    from matplotlib.figure import Figure

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    ax = Figure().add_subplot()
    display = kind.from_comparison(compared())
    assert display.plot(ax=ax) is display
    assert (display.ax_, display.figure_) == (ax, ax.figure)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_new_figures_have_the_size_they_need(plt, kind, compared):
    display = kind.from_comparison(compared(n=15)).plot()
    assert_allclose(display.figure_.get_size_inches(), display.figsize)


@pytest.mark.parametrize("kind", DISPLAYS)
def test_without_matplotlib_the_error_names_the_extra(monkeypatch, kind, compared):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    display = kind.from_comparison(compared())  # data: no need
    with pytest.raises(ImportError, match=r'pip install "skactive\[viz\]"'):
        display.plot()
