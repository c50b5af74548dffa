"""Heat maps of penalties: the values are those of the comparison, in their place, and readable."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skactive.comparison import PenaltyMatrix
from skactive.display import PenaltyDisplay


def test_cells_hold_the_penalties(plt, compared):
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
    penalties = PenaltyMatrix(tuple(map(str, range(n))), matrix, matrix.mean(axis=0), 3)
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
