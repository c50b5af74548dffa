"""Critical-difference diagram of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from skactive.display._axes import (
    BLACK,
    BLUE,
    CHARACTER_WIDTH,
    measure_names,
    new_axes,
    shorten_name,
)

if TYPE_CHECKING:
    from skactive.comparison import CriticalDifference, StrategyComparison

__all__ = ["CriticalDifferenceDisplay"]

_HEAD_ROWS = 4.4  # rows above the axis of ranks: ticks, label, and the ruler


class CriticalDifferenceDisplay:
    """Mean ranks of strategies, and which of them are not significantly different.

    A line leads from the name of each strategy to its mean rank on the axis. Bars join groups of
    strategies whose mean ranks differ by less than the critical difference, which a ruler shows.
    Use :meth:`from_comparison` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    result : CriticalDifference
        As returned by :meth:`skactive.comparison.StrategyComparison.critical_difference`.
    blocks : str, default="repeats"
        Name of the blocks that were ranked.

    Attributes
    ----------
    result, blocks
        As passed.
    groups : list of tuple of str
        The strategies that each bar joins: the groups of `result`, or all strategies if
        Friedman's test finds no difference between any of them.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    names_ : dict of str to matplotlib Text
        The name of each strategy.
    bars_ : list of matplotlib Line2D
        The bar of each group.
    ruler_ : matplotlib Line2D
        The critical difference.

    References
    ----------
    Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.

    Examples
    --------
    >>> from skactive.comparison import CriticalDifference
    >>> from skactive.display import CriticalDifferenceDisplay
    >>> ranks = {"Margin": 1.2, "Entropy": 1.9, "Random": 2.9}
    >>> result = CriticalDifference(ranks, 1.05, [("Margin", "Entropy"), ("Entropy", "Random")],
    ...                             p_value=0.01, alpha=0.05, n_blocks=10)
    >>> CriticalDifferenceDisplay(result).groups
    [('Margin', 'Entropy'), ('Entropy', 'Random')]
    """

    def __init__(self, result: CriticalDifference, *, blocks: str = "repeats") -> None:
        self.result = result
        self.blocks = blocks
        all_alike = result.p_value > result.alpha and len(result.ranks) > 1
        self.groups = [tuple(result.ranks)] if all_alike else list(result.groups)

    @classmethod
    def from_comparison(cls, comparison: StrategyComparison, *, alpha: float = 0.05) -> Self:
        """Make a display of the ranks and tests of a comparison.

        Parameters
        ----------
        comparison : StrategyComparison
            Of at least two strategies.
        alpha : float, default=0.05
            Significance level.

        Returns
        -------
        CriticalDifferenceDisplay
        """
        blocks = "datasets" if len(comparison.datasets) > 1 else "repeats"
        return cls(comparison.critical_difference(alpha), blocks=blocks)

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height, in inches, that a drawing needs."""
        left, right = self._split_names()
        width = 5.0 + CHARACTER_WIDTH * (measure_names(left) + measure_names(right))
        return min(max(7.0, width), 13.0), 0.75 + 0.26 * (_HEAD_ROWS - self._floor())

    def plot(self, ax: Any = None) -> Self:
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure. Names stand to the left and right of them.

        Returns
        -------
        self : CriticalDifferenceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        ax.set_axis_off()
        ax.set(xlim=(0.8, self._right_end() + 0.2), ylim=(self._floor(), _HEAD_ROWS))
        self._draw_axis(ax)
        self._draw_ruler(ax)
        self.names_: dict[str, Any] = {}
        for names, right in zip(self._split_names(), (False, True), strict=True):
            for level, name in enumerate(names):
                self._draw_name(ax, name, self._first_level() - level, right)
        self.bars_ = [self._draw_bar(ax, row, names) for row, names in self._assign_bar_rows()]
        ax.set_title(self._describe_test(), fontsize="small", loc="center")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _split_names(self) -> tuple[list[str], list[str]]:
        """Return the better half and the worse, each from the end of the axis to the middle."""
        names = list(self.result.ranks)
        half = (len(names) + 1) // 2
        return names[:half], names[half:][::-1]

    def _right_end(self) -> float:
        return max(len(self.result.ranks), 2, 1 + self.result.difference)

    def _first_level(self) -> float:
        rows = [row for row, _ in self._assign_bar_rows()]
        return -1.2 - 0.5 * (max(rows) + 1 if rows else 0)

    def _floor(self) -> float:
        return self._first_level() - len(self._split_names()[0]) + 0.5

    def _assign_bar_rows(self) -> list[tuple[int, tuple[str, ...]]]:
        """Assign each group to the first row in which its bar meets no other."""
        ends: list[float] = []  # of the last bar in each row
        bars = []
        for names in self.groups:
            low, high = self._find_extent(names)
            row = next((row for row, end in enumerate(ends) if end < low - 0.1), len(ends))
            ends[row : row + 1] = [high]
            bars.append((row, names))
        return bars

    def _find_extent(self, names: Sequence[str]) -> tuple[float, float]:
        ranks = [self.result.ranks[name] for name in names]
        return min(ranks), max(ranks)

    def _draw_axis(self, ax: Any) -> None:
        n = len(self.result.ranks)
        line = {"color": BLACK, "linewidth": 1.0}
        ax.plot([1, n], [0, 0], **line)
        for rank in range(1, n + 1):
            ax.plot([rank, rank], [0, 0.25], **line)
            ax.text(rank, 0.35, str(rank), ha="center", va="bottom", fontsize="small")
        ax.text((1 + n) / 2, 1.25, "mean rank, 1 is best", ha="center", va="bottom")

    def _draw_ruler(self, ax: Any) -> None:
        end = 1 + self.result.difference
        (self.ruler_,) = ax.plot([1, end], [3.0, 3.0], color=BLUE, marker="|", markersize=9)
        text = f"critical difference {self.result.difference:.2f}"
        ax.text(1, 3.4, text, ha="left", va="bottom", color=BLUE)

    def _draw_name(self, ax: Any, name: str, level: float, right: bool) -> None:
        """Write a name beside the axes, and draw the line from it to its rank."""
        rank = self.result.ranks[name]
        side = ax.get_xlim()[int(right)]
        ax.plot([side, rank, rank], [level, level, 0], color=BLACK, linewidth=0.8)
        self.names_[name] = ax.text(
            1.01 if right else -0.01,
            level,
            f"{rank:.2f}  {shorten_name(name)}" if right else f"{shorten_name(name)}  {rank:.2f}",
            transform=ax.get_yaxis_transform(),
            ha="left" if right else "right",
            va="center",
            parse_math=False,
        )

    def _draw_bar(self, ax: Any, row: int, names: Sequence[str]) -> Any:
        low, high = self._find_extent(names)
        height = -0.5 - 0.5 * row
        style = {"color": BLUE, "linewidth": 4.0, "solid_capstyle": "round"}
        (bar,) = ax.plot([low - 0.04, high + 0.04], [height, height], **style)
        return bar

    def _describe_test(self) -> str:
        result = self.result
        p = f"p = {result.p_value:.2g}" if result.p_value >= 1e-4 else "p < 0.0001"
        blocks = self.blocks.removesuffix("s") if result.n_blocks == 1 else self.blocks
        test = f"Friedman's test: {p}, {result.n_blocks} {blocks}"
        if result.p_value > result.alpha:
            return f"{test}\nno two are significantly different at the level {result.alpha:g}"
        return f"{test}\nbars join those not significantly different at the level {result.alpha:g}"
