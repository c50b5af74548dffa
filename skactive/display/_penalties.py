"""Heat map of the rounds in which strategies beat each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skactive.display._axes import CHARACTER_WIDTH, measure_names, new_axes, shorten_name

if TYPE_CHECKING:
    from skactive.comparison import PenaltyMatrix, StrategyComparison

__all__ = ["PenaltyDisplay"]

_GAP = 0.25  # rows between the matrix and its means


class PenaltyDisplay:
    """Heat map of the share of rounds in which each strategy beats each other one.

    Use :meth:`from_comparison` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    penalties : PenaltyMatrix
        As returned by :meth:`skactive.comparison.StrategyComparison.penalty_matrix`.

    Attributes
    ----------
    penalties : PenaltyMatrix
        As passed.
    order : ndarray of shape (n_strategies,)
        The order of rows and columns: the least beaten strategy first, and of those equally
        beaten the one that wins most.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    cells_ : dict of (str, str) to matplotlib Text
        The number in the cell of each pair (row, column).
    means_ : dict of str to matplotlib Text
        The mean of each column.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.comparison import PenaltyMatrix
    >>> from skactive.display import PenaltyDisplay
    >>> matrix = np.array([[0.0, 0.1], [0.8, 0.0]])
    >>> penalties = PenaltyMatrix(("Random", "Margin"), matrix, matrix.mean(axis=0), 1)
    >>> PenaltyDisplay(penalties).order
    array([1, 0])
    """

    def __init__(self, penalties: PenaltyMatrix) -> None:
        self.penalties = penalties
        wins = penalties.matrix.sum(axis=1)
        self.order: NDArray[np.intp] = np.lexsort((-wins, penalties.column_means))

    @classmethod
    def from_comparison(cls, comparison: StrategyComparison, *, alpha: float = 0.05) -> Self:
        """Make a display of the penalty matrix of a comparison.

        Parameters
        ----------
        comparison : StrategyComparison
            Of strategies on any number of datasets, with any number of models.
        alpha : float, default=0.05
            Level of the test in each round.

        Returns
        -------
        PenaltyDisplay
        """
        return cls(comparison.penalty_matrix(alpha))

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height, in inches, that a drawing needs."""
        n, longest = len(self.order), measure_names(self.penalties.strategies)
        return max(6.0, 1.5 + CHARACTER_WIDTH * longest + 0.52 * n), 1.8 + 0.06 * longest + 0.34 * n

    def plot(self, ax: Any = None, *, cmap: str = "cividis") -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        cmap : str, default="cividis"
            Color map of matplotlib; the default is even for all kinds of color vision.

        Returns
        -------
        self : PenaltyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        n, order = len(self.order), self.order
        names = [self.penalties.strategies[i] for i in order]
        matrix = self.penalties.matrix[np.ix_(order, order)]
        shown = np.where(np.eye(n) > 0, np.nan, matrix)  # no color on the diagonal
        means = self.penalties.column_means[order]
        colors = {"cmap": cmap, "vmin": 0, "vmax": self.penalties.n_experiments}
        edges, below = np.arange(n + 1), [n + _GAP, n + 1 + _GAP]
        mesh = ax.pcolormesh(edges, edges, shown, edgecolors="white", linewidth=1, **colors)
        ax.pcolormesh(edges, below, means[None], edgecolors="white", linewidth=1, **colors)
        self.cells_ = {
            (names[i], names[j]): self._write_value(ax, mesh, i, j, float(matrix[i, j]))
            for i, j in np.ndindex(n, n)
            if i != j
        }
        self.means_ = {
            name: self._write_value(ax, mesh, n + _GAP, j, means[j]) for j, name in enumerate(names)
        }
        self._label_axes(ax, [shorten_name(name) for name in names])
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _rotate_names(self) -> dict[str, Any]:
        """Return the rotation of the names of columns, if they do not fit side by side."""
        name_width = CHARACTER_WIDTH * measure_names(self.penalties.strategies)
        if (len(self.order) + 1) * name_width < self.figsize[0] - 1:
            return {}
        return {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}

    def _write_value(self, ax: Any, mesh: Any, row: float, column: int, value: float) -> Any:
        color = _choose_text_color(mesh.cmap(mesh.norm(value)))
        text = "0" if value == 0 else f"{value:.2f}" if value < 9.995 else f"{value:.1f}"
        center = {"ha": "center", "va": "center", "fontsize": "small"}
        return ax.text(column + 0.5, row + 0.5, text, color=color, **center)

    def _label_axes(self, ax: Any, names: list[str]) -> None:
        n, n_experiments = len(names), self.penalties.n_experiments
        ax.invert_yaxis()
        text = {"parse_math": False}  # a name may contain $
        ax.set_yticks([*(np.arange(n) + 0.5), n + 0.5 + _GAP], [*names, "mean"], **text)
        ax.set_xticks(np.arange(n) + 0.5, names, **text, **self._rotate_names())
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        over = "" if n_experiments == 1 else f", summed over {n_experiments} experiments"
        title = f"Share of the rounds in which\nthe row beats the column{over}"
        ax.set_title(title, fontsize="medium", loc="left")


def _choose_text_color(color: Sequence[float]) -> str:
    """Return black or white, whichever has more contrast to a color (red, green, blue)."""
    rgb = np.asarray(color[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # Contrasts to white, 1.05 / (luminance + 0.05), and to black are both 4.6 at this luminance.
    return "black" if luminance > 0.179 else "white"
