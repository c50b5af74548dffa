"""Drawings of explanations: what is drawn is in the data, in its place, and legible."""

import sys
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits, load_wine
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearner
from skactive.display import ExplanationDisplay, RowContent
from skactive.display._row_contents import (
    compare_columns,
    find_row_kind,
    read_image,
    read_new_words,
)
from skactive.explanation import Explanation
from skactive.strategies import Margin, Random

TEXTS = ["the cat sat", "a dog barked at the cat", "bonds fell", "the bank of $x^", "a dog sat"]
LABELS = ["pets" * 20, "$m$", "money $", "pets" * 20, "$m$"]


def explain_digits():
    X, y = load_digits(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(max_iter=200), random_state=0).fit(X[:30], y[:30])
    return ExplanationDisplay.from_learner(learner, X[30:200], [3, 20, 160]), X[30:200], learner


def explain_wine():
    X, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    learner = ActiveLearner(model, random_state=0).fit(X[::10], y[::10])
    return ExplanationDisplay.from_learner(learner, X, [3, 77]), X, learner


def explain_texts():
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    learner = ActiveLearner(model, Margin(), random_state=0).fit(TEXTS[:3], LABELS[:3])
    return ExplanationDisplay.from_learner(learner, TEXTS[3:], [1, 0]), TEXTS[3:], learner


def explain_numbers():
    X = np.random.RandomState(0).randn(30, 3)
    learner = ActiveLearner(Ridge(), Random(), random_state=0).fit(X[:5], X[:5, 0])
    return ExplanationDisplay.from_learner(learner, X, [3, 7]), X, learner


MAKERS = [explain_digits, explain_wine, explain_texts, explain_numbers]


def test_pictures_are_the_row_and_its_nearest_labeled_rows(plt):
    display, X, learner = explain_digits()
    display.plot()
    for row, content, insets in zip(
        display.explanations, display.contents, display.content_axes_, strict=True
    ):
        rows = [X[row.position], *(learner.X_labeled_[near.position] for near in row.nearest)]
        assert_array_equal(content.images, np.reshape(rows, (4, 8, 8)))
        titles = [f"label {near.label}" for near in row.nearest]
        assert [inset.get_title() for inset in insets] == ["this row", *titles]
        for inset, image in zip(insets, content.images, strict=True):
            assert_allclose(inset.images[0].get_array(), image / 16)


@pytest.mark.parametrize("maker", MAKERS[:3])
def test_bars_are_probabilities_and_ranks(plt, maker):
    display = maker()[0].plot()
    for row, classes, ranks in zip(
        display.explanations, display.class_axes_, display.rank_axes_, strict=True
    ):
        assert [bar.get_width() for bar in classes.patches] == list(row.probabilities.values())
        assert [bar.get_width() for bar in ranks.patches] == list(row.ranks.values())
        assert [text.get_text() for text in ranks.get_yticklabels()] == list(row.ranks)


def test_without_probabilities_or_scores_no_bars_are_drawn(plt):
    display = explain_numbers()[0].plot()
    assert display.class_axes_ == display.rank_axes_ == [None, None]
    assert "The model predicts" in display.sentences_[0].get_text()


def test_columns_are_those_that_differ_most():
    display, X, learner = explain_wine()
    for row, content in zip(display.explanations, display.contents, strict=True):
        labeled = learner.X_labeled_[row.nearest[0].position]
        difference = (X[row.position] - labeled) / X.std(axis=0)
        order = np.argsort(-np.abs(difference))[:5]
        assert [pair.name for pair in content.differences] == [f"column {j}" for j in order]
        assert_allclose([pair.difference for pair in content.differences], difference[order])


def test_sparse_columns_are_those_of_dense_rows():
    _, X, _ = explain_wine()
    X = X * (X > 2)
    dense = compare_columns(X, 3, X, 9, 5)
    assert compare_columns(sparse.csr_array(X), 3, sparse.csr_array(X), 9, 5) == dense


def test_columns_of_frames_have_names_and_categories():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(
        {"size": [1.0, 2.0, 5.0, 4.0], "color": ["red", "blue", "red", "red"], "same": [7] * 4}
    )
    X["gap"] = [np.nan, 1.0, 2.0, 3.0]
    differences = compare_columns(X, 0, X, 1, 5)
    assert [(pair.name, pair.value, pair.labeled_value) for pair in differences] == [
        ("color", "red", "blue"),
        ("size", 1.0, 2.0),
    ]
    assert np.isnan(differences[0].difference)
    assert differences[1].difference == pytest.approx(-1 / np.std([1, 2, 5, 4]))


def test_new_words_are_those_that_the_other_text_lacks():
    assert read_new_words("The cat sat, the CAT ran", "the dog sat") == ["cat", "CAT", "ran"]
    display = explain_texts()[0]
    assert display.contents[0].texts[0] == "a dog sat"
    assert display.contents[0].kind == "text"


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (np.zeros((3, 8, 8)), "image"),
        (np.zeros((3, 8, 8, 3)), "image"),
        (np.zeros((3, 3, 8, 8)), "image"),
        (np.zeros((3, 5, 8, 8)), "none"),
        (np.zeros((3, 64)), "image"),
        (np.full((3, 64), 255.0), "image"),
        (np.full((3, 64), 0.5), "image"),
        (np.full((3, 64), -0.5), "table"),  # scaled features
        (np.full((3, 64), 1.5), "table"),
        (np.zeros((3, 9)), "table"),
        (np.zeros((3, 65)), "table"),
        (sparse.csr_array((3, 64)), "table"),
        (["a", "b"], "text"),
        (np.array(["a", "b"]), "text"),
        ([{"a": 1}, {"b": 2}], "none"),
        ({"one": np.zeros((3, 2)), "two": np.zeros(3)}, "none"),
        ([], "none"),
    ],
)
def test_kinds_of_rows(X, kind):
    assert find_row_kind(X) == kind


def test_channels_come_last_in_pictures():
    X = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert_array_equal(read_image(X, 1), X[1].transpose(1, 2, 0))
    assert_array_equal(read_image(X.transpose(0, 2, 3, 1), 1), X[1].transpose(1, 2, 0))
    assert read_image(np.zeros((2, 1, 4, 5)), 0).shape == (4, 5)


def test_a_kind_can_be_demanded():
    _, X, learner = explain_digits()
    display = ExplanationDisplay.from_learner(learner, X, [3], kind="table")
    assert display.contents[0].kind == "table"
    assert display.contents[0].differences


def test_before_any_label_pictures_are_drawn_alone(plt):
    X, _ = load_digits(return_X_y=True)
    learner = ActiveLearner(LogisticRegression(), random_state=0)
    display = ExplanationDisplay.from_learner(learner, X[:50], [3]).plot()
    assert len(display.contents[0].images) == 1
    assert display.class_axes_ == [None]


def test_explanations_can_be_drawn_alone(plt):
    display = ExplanationDisplay([Explanation(7, "Random")]).plot()
    assert display.contents == [RowContent("none")]
    assert display.sentences_[0].get_text().startswith("Row 7. Random chooses")
    assert ExplanationDisplay([]).plot().sentences_ == []


def texts_of(ax):
    """List all texts that are drawn on axes and on those inside."""
    texts = [*ax.texts, ax.title]
    if ax.axison:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    texts += [text for child in ax.child_axes for text in texts_of(child)]
    return [text for text in texts if text.get_text()]


@pytest.mark.parametrize("maker", MAKERS)
def test_texts_are_legible_and_no_formulas(plt, maker):
    display = maker()[0].plot()
    display.figure_.canvas.draw()
    boxes = {text: text.get_window_extent() for text in texts_of(display.ax_)}
    for text, box in boxes.items():
        inside = box.x0 >= -1 and box.y0 >= -1
        inside &= box.x1 <= display.figure_.bbox.x1 + 1 and box.y1 <= display.figure_.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} is cut off"
        assert "$" not in text.get_text() or not text.get_parse_math()
    for one, other in combinations(boxes, 2):
        overlap = boxes[one].padded(-1).overlaps(boxes[other].padded(-1))
        assert not overlap, f"{one.get_text()!r} lies on {other.get_text()!r}"


def test_given_axes_need_no_pyplot(plt, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    ax = Figure().add_subplot()
    display = explain_digits()[0]
    assert display.plot(ax=ax) is display
    assert (display.ax_, display.figure_) == (ax, ax.figure)
