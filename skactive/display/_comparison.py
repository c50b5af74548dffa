"""What a comparison of strategies found: critical differences, penalties, labels saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skactive.display._axes import CHARACTER, COLORS, new_axes

if TYPE_CHECKING:
    from skactive.comparison import (
        CriticalDifference,
        LabelsSaved,
        PenaltyMatrix,
        StrategyComparison,
    )

__all__ = ["CriticalDifferenceDisplay", "LabelsSavedDisplay", "PenaltyDisplay"]

BLACK, BLUE = COLORS[:2]
LONGEST = 44  # characters of a name that are shown


class CriticalDifferenceDisplay:
    """Mean ranks of strategies, and which of them cannot be told apart.

    Each strategy is held to its place on the axis of mean ranks. Bars join groups of strategies
    whose mean ranks differ by less than the critical difference, which a ruler shows. Use
    :meth:`from_comparison` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    result : CriticalDifference
        What :meth:`skactive.comparison.StrategyComparison.critical_difference` returned.
    blocks : str, default="repeats"
        What was ranked.

    Attributes
    ----------
    result, blocks
        As passed.
    groups : list of tuple of str
        What the bars join: the groups of `result`, or all strategies where Friedman's test finds
        no difference between any of them.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        Where it was drawn, after `plot`.
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
        alike = result.p_value > result.alpha and len(result.ranks) > 1
        self.groups = [tuple(result.ranks)] if alike else list(result.groups)

    @classmethod
    def from_comparison(
        cls,
        comparison: StrategyComparison,
        *,
        alpha: float = 0.05,
        model: str | None = None,
        data: str | None = None,
    ) -> Self:
        """Take over ranks and tests of a comparison.

        Parameters
        ----------
        comparison : StrategyComparison
            What :func:`skactive.comparison.compare_strategies` returned, of two strategies at
            least.
        alpha : float, default=0.05
            The level.
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        CriticalDifferenceDisplay
        """
        several = data is None and len(comparison.data) > 1
        result = comparison.critical_difference(alpha, model, data)
        return cls(result, blocks="data sets" if several else "repeats")

    @property
    def figsize(self) -> tuple[float, float]:
        """Inches that a drawing needs."""
        left, right = self._sides()
        width = 5.0 + CHARACTER * (_longest(left) + _longest(right))
        return min(max(7.0, width), 13.0), 0.75 + 0.26 * (_HEAD - self._floor())

    def plot(self, ax: Any = None) -> Self:
        """Draw the diagram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. Names stand to the left and right of the axes.

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
        ax.set(xlim=(0.8, self._right_end() + 0.2), ylim=(self._floor(), _HEAD))
        self._draw_axis(ax)
        self._draw_ruler(ax)
        self.names_: dict[str, Any] = {}
        for names, right in zip(self._sides(), (False, True), strict=True):
            for level, name in enumerate(names):
                self._draw_name(ax, name, self._first_level() - level, right)
        self.bars_ = [self._draw_bar(ax, row, names) for row, names in self._bar_rows()]
        ax.set_title(self._verdict(), fontsize="small", loc="center")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _sides(self) -> tuple[list[str], list[str]]:
        """Return the better half and the worse, each from the end of the axis to the middle."""
        names = list(self.result.ranks)
        half = (len(names) + 1) // 2
        return names[:half], names[half:][::-1]

    def _right_end(self) -> float:
        return max(len(self.result.ranks), 2, 1 + self.result.difference)

    def _first_level(self) -> float:
        rows = [row for row, _ in self._bar_rows()]
        return -1.2 - 0.5 * (max(rows) + 1 if rows else 0)

    def _floor(self) -> float:
        return self._first_level() - len(self._sides()[0]) + 0.5

    def _bar_rows(self) -> list[tuple[int, tuple[str, ...]]]:
        """Give each group the first row in which its bar meets no other."""
        ends: list[float] = []  # of each row
        placed = []
        for names in self.groups:
            low, high = self._extent(names)
            row = next((row for row, end in enumerate(ends) if end < low - 0.1), len(ends))
            ends[row : row + 1] = [high]
            placed.append((row, names))
        return placed

    def _extent(self, names: Sequence[str]) -> tuple[float, float]:
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
            f"{rank:.2f}  {_short(name)}" if right else f"{_short(name)}  {rank:.2f}",
            transform=ax.get_yaxis_transform(),
            ha="left" if right else "right",
            va="center",
            parse_math=False,
        )

    def _draw_bar(self, ax: Any, row: int, names: Sequence[str]) -> Any:
        low, high = self._extent(names)
        height = -0.5 - 0.5 * row
        style = {"color": BLUE, "linewidth": 4.0, "solid_capstyle": "round"}
        (bar,) = ax.plot([low - 0.04, high + 0.04], [height, height], **style)
        return bar

    def _verdict(self) -> str:
        result = self.result
        p = f"p = {result.p_value:.2g}" if result.p_value >= 1e-4 else "p < 0.0001"
        blocks = self.blocks.removesuffix("s") if result.n_blocks == 1 else self.blocks
        first = f"Friedman's test: {p}, {result.n_blocks} {blocks}"
        if result.p_value > result.alpha:
            return f"{first}\nno two can be told apart at the level {result.alpha:g}"
        return f"{first}\nbars join what cannot be told apart at the level {result.alpha:g}"


_HEAD = 4.4  # rows above the axis of ranks: ticks, what it shows, and the ruler


class PenaltyDisplay:
    """How often each strategy beats each other one: a heat map with the figures in its cells.

    Use :meth:`from_comparison` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    penalties : PenaltyMatrix
        What :meth:`skactive.comparison.StrategyComparison.penalty_matrix` returned.

    Attributes
    ----------
    penalties : PenaltyMatrix
        As passed.
    order : ndarray of shape (n_strategies,)
        The order of rows and columns: the least beaten strategy first, of several the one that
        wins most.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        Where it was drawn, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    cells_ : dict of (str, str) to matplotlib Text
        The figure of each pair (row, column).
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
        """Count the rounds that each strategy wins in a comparison.

        Parameters
        ----------
        comparison : StrategyComparison
            What :func:`skactive.comparison.compare_strategies` returned.
        alpha : float, default=0.05
            Level of the test in each round.

        Returns
        -------
        PenaltyDisplay
        """
        return cls(comparison.penalty_matrix(alpha))

    @property
    def figsize(self) -> tuple[float, float]:
        """Inches that a drawing needs."""
        n, longest = len(self.order), _longest(self.penalties.strategies)
        return max(6.0, 1.5 + CHARACTER * longest + 0.52 * n), 1.8 + 0.06 * longest + 0.34 * n

    def plot(self, ax: Any = None, *, cmap: str = "cividis") -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        cmap : str, default="cividis"
            A color map of matplotlib's; this one is even for all kinds of color vision.

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
        shown = np.where(np.eye(n) > 0, np.nan, matrix)  # against itself: no color
        means = self.penalties.column_means[order]
        colors = {"cmap": cmap, "vmin": 0, "vmax": self.penalties.n_experiments}
        edges, below = np.arange(n + 1), [n + _GAP, n + 1 + _GAP]
        mesh = ax.pcolormesh(edges, edges, shown, edgecolors="white", linewidth=1, **colors)
        ax.pcolormesh(edges, below, means[None], edgecolors="white", linewidth=1, **colors)
        self.cells_ = {
            (names[i], names[j]): self._write(ax, mesh, i, j, float(matrix[i, j]))
            for i, j in np.ndindex(n, n)
            if i != j
        }
        self.means_ = {
            name: self._write(ax, mesh, n + _GAP, j, means[j]) for j, name in enumerate(names)
        }
        self._label(ax, [_short(name) for name in names])
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _turned(self) -> dict[str, Any]:
        """Turn the names of columns where they would not stand side by side."""
        name = CHARACTER * _longest(self.penalties.strategies)
        if (len(self.order) + 1) * name < self.figsize[0] - 1:
            return {}
        return {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}

    def _write(self, ax: Any, mesh: Any, row: float, column: int, value: float) -> Any:
        color = _readable_on(mesh.cmap(mesh.norm(value)))
        text = "0" if value == 0 else f"{value:.2f}" if value < 9.995 else f"{value:.1f}"
        center = {"ha": "center", "va": "center", "fontsize": "small"}
        return ax.text(column + 0.5, row + 0.5, text, color=color, **center)

    def _label(self, ax: Any, names: list[str]) -> None:
        n, n_experiments = len(names), self.penalties.n_experiments
        ax.invert_yaxis()
        plain = {"parse_math": False}
        ax.set_yticks([*(np.arange(n) + 0.5), n + 0.5 + _GAP], [*names, "mean"], **plain)
        ax.set_xticks(np.arange(n) + 0.5, names, **plain, **self._turned())
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        over = "" if n_experiments == 1 else f", summed over {n_experiments} experiments"
        title = f"Share of the rounds in which\nthe row beats the column{over}"
        ax.set_title(title, fontsize="medium", loc="left")


_GAP = 0.25  # rows between the matrix and its means


class LabelsSavedDisplay:
    """Which share of the baseline's labels each strategy saves, with intervals.

    A triangle stands where the truth may be further on: the strategy or the baseline did not reach
    the target within the budget. Use :meth:`from_comparison` to make one, and :meth:`plot` to draw
    it.

    Parameters
    ----------
    savings : list of LabelsSaved
        What :meth:`skactive.comparison.StrategyComparison.labels_saved` returned.
    score_name : str, default="score"
        What the target is measured in.
    confidence : float, default=0.95
        How often the intervals hold the true share.

    Attributes
    ----------
    savings, score_name, confidence
        As passed.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        Where it was drawn, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    points_ : list of matplotlib Line2D or None
        The mark of each saving, in percent; None where neither curve reached the target.
    texts_ : list of matplotlib Text
        Each saving in words.

    Examples
    --------
    >>> from skactive.comparison import LabelsSaved
    >>> from skactive.display import LabelsSavedDisplay
    >>> saved = LabelsSaved("toy", "SVC", "Margin", "Random", 0.9, 60, 100, 0.4, "exact", 0.3, 0.5,
    ...                     n_repeats=10)
    >>> LabelsSavedDisplay([saved]).in_words(saved)
    '40 % (30 to 50 %)'
    """

    def __init__(
        self,
        savings: Sequence[LabelsSaved],
        *,
        score_name: str = "score",
        confidence: float = 0.95,
    ) -> None:
        self.savings = list(savings)
        self.score_name = score_name
        self.confidence = confidence

    @classmethod
    def from_comparison(
        cls,
        comparison: StrategyComparison,
        *,
        target: float | None = None,
        baseline: str | None = None,
        confidence: float = 0.95,
    ) -> Self:
        """Take over what a comparison says of labels saved.

        Parameters
        ----------
        comparison : StrategyComparison
            What :func:`skactive.comparison.compare_strategies` returned.
        target : float, default=None
            The score to reach. None is what the baseline's mean curve reaches in the end.
        baseline : str, default=None
            The strategy to compare with; None is the comparison's.
        confidence : float, default=0.95
            How often the intervals hold the true share.

        Returns
        -------
        LabelsSavedDisplay
        """
        savings = comparison.labels_saved(target, baseline, confidence)
        score_name = comparison.scoring.replace("_", " ")
        return cls(savings, score_name=score_name, confidence=confidence)

    @property
    def figsize(self) -> tuple[float, float]:
        """Inches that a drawing needs."""
        texts = [*map(self.in_words, self.savings)]
        width = 4.0 + CHARACTER * (_longest(self._names()) + _longest(texts))
        return max(7.0, width), 1.5 + 0.34 * max(1, len(self.savings))

    def in_words(self, saving: LabelsSaved) -> str:
        """Say what is saved, and its interval.

        Parameters
        ----------
        saving : LabelsSaved
            One of those to draw.

        Returns
        -------
        str
        """
        if saving.bound == "unknown":
            return "not reached"
        bound = "" if saving.bound == "exact" else f"{saving.bound} "
        share = f"{bound}{_percent(saving.saved)} %"
        if np.isnan(saving.low):
            return share
        low, high = _percent(saving.low), _percent(saving.high)
        if np.isinf(saving.low):
            return f"{share} (no bounds)" if saving.high >= 1 else f"{share} (up to {high} %)"
        return f"{share} ({low} % or more)" if saving.high >= 1 else f"{share} ({low} to {high} %)"

    def plot(self, ax: Any = None) -> Self:
        """Draw a row for each saving.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. Each saving is told in words to the right of
            the axes.

        Returns
        -------
        self : LabelsSavedDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        n, limits = len(self.savings), self._limits()
        ax.axvline(0, color=BLACK, linewidth=1.0, linestyle="--")
        self.points_ = [
            self._draw(ax, row, saving, limits) for row, saving in enumerate(self.savings)
        ]
        self.texts_ = [
            ax.text(1.02, row, self.in_words(saving), va="center", **_beside(ax))
            for row, saving in enumerate(self.savings)
        ]
        ax.set_yticks(range(n), self._names(), parse_math=False)
        ax.set(xlim=limits, ylim=(max(n, 1) - 0.5, -0.5))
        ax.set_xlabel(self._what(), parse_math=False)
        ax.tick_params(axis="y", length=0, pad=9)  # room for arrows at the edge
        ax.grid(axis="x", alpha=0.3)
        ax.spines[["top", "right", "left"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _names(self) -> list[str]:
        """Name the rows: by strategy, and by data set and model where there are several."""
        several = [
            len({getattr(saving, what) for saving in self.savings}) > 1
            for what in ("data", "model", "strategy")
        ]
        return [
            _short(", ".join([s.data] * several[0] + [s.model] * several[1] + [s.strategy]))
            for s in self.savings
        ]

    def _what(self) -> str:
        if not self.savings:
            return "nothing to compare"
        baseline, targets = _short(self.savings[0].baseline), {s.target for s in self.savings}
        goal = f"what {baseline} ends at"
        if len(targets) == 1:
            goal = f"{targets.pop():.3g} {self.score_name}"
        return f"% of {baseline}'s labels saved,\nto reach {goal}"

    def _limits(self) -> tuple[float, float]:
        """Return percents that hold all marks; what is below -100 is shown at the edge."""
        ends = np.array([[s.saved, s.low, s.high] for s in self.savings]).reshape(-1)
        ends = 100 * np.clip(ends[np.isfinite(ends)], -1, 1)
        low, high = min([0.0, *ends]), max([0.0, *ends])
        margin = max(2.0, 0.06 * (high - low))
        return low - margin, high + margin

    def _draw(self, ax: Any, row: int, saving: LabelsSaved, limits: tuple[float, float]) -> Any:
        """Draw one saving: the mark, its interval, and arrows where that has no end in sight."""
        if saving.bound == "unknown":
            return None
        at_edge = {"color": BLUE, "markersize": 6, "linestyle": ""}
        ends = 100 * np.array([saving.low, saving.high])
        if not np.isnan(ends).any():
            shown = np.clip([ends[0], np.inf if saving.high >= 1 else ends[1]], *limits)
            ax.plot(shown, [row, row], color=BLUE, linewidth=2.0)
            for edge, end, mark in zip(limits, shown, "<>", strict=True):
                if end == edge:
                    ax.plot(edge, row, marker=mark, clip_on=False, zorder=3, **at_edge)
        mark = {"exact": "o", "at least": ">", "at most": "<"}[saving.bound]
        (point,) = ax.plot(
            max(100 * saving.saved, limits[0]),
            row,
            marker=mark,
            markersize=8,
            color=BLACK if saving.bound == "exact" else COLORS[5],
            linestyle="",
            zorder=4,
            clip_on=False,
        )
        return point


# What they share --------------------------------------------------------------------------------


def _beside(ax: Any) -> dict[str, Any]:
    """Place a text beside the axes, at the height of its row."""
    return {"transform": ax.get_yaxis_transform(), "ha": "left", "parse_math": False}


def _longest(names: Sequence[str]) -> int:
    return max((len(_short(name)) for name in names), default=0)


def _short(name: str) -> str:
    """Return a name of few characters enough to be drawn, without its middle where it is long."""
    if len(name) <= LONGEST:
        return name
    half = (LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _percent(share: float) -> str:
    text = f"{100 * share:.0f}"
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def _readable_on(color: Sequence[float]) -> str:
    """Return black or white, whichever is told more easily from a color (red, green, blue)."""
    rgb = np.asarray(color[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # The contrast to white, 1.05 / (luminance + 0.05), is that to black where both are 4.6.
    return "black" if luminance > 0.179 else "white"
