"""Share of the labels that strategies save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skactive.display._axes import (
    BLACK,
    BLUE,
    CHARACTER_WIDTH,
    VERMILION,
    measure_names,
    new_axes,
    shorten_name,
)

if TYPE_CHECKING:
    from skactive.comparison import LabelsSaved, StrategyComparison

__all__ = ["LabelsSavedDisplay"]


class LabelsSavedDisplay:
    """Share of the baseline's labels that each strategy saves, with intervals.

    A triangle is a bound: the strategy or the baseline did not reach the target within the budget,
    so that the true share may lie further on in its direction. Use :meth:`from_comparison` to make
    one, and :meth:`plot` to draw it.

    Parameters
    ----------
    savings : list of LabelsSaved
        As returned by :meth:`skactive.comparison.StrategyComparison.labels_saved`.
    score_name : str, default="score"
        Name of the score that the target is measured in.
    confidence : float, default=0.95
        Confidence level of the intervals.
    unit : str, default="labels"
        What is saved: "labels" or "cost".

    Attributes
    ----------
    savings, score_name, confidence, unit
        As passed.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    points_ : list of matplotlib Line2D or None
        The mark of each saving, in percent; None if neither curve reached the target.
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
        unit: str = "labels",
    ) -> None:
        self.savings = list(savings)
        self.score_name = score_name
        self.confidence = confidence
        self.unit = unit

    @classmethod
    def from_comparison(
        cls,
        comparison: StrategyComparison,
        *,
        target: float | None = None,
        baseline: str | None = None,
        confidence: float = 0.95,
    ) -> Self:
        """Make a display of the labels saved in a comparison.

        Parameters
        ----------
        comparison : StrategyComparison
            Of strategies on any number of datasets, with any number of models.
        target : float, default=None
            The score to reach. None is the final score of the baseline's mean curve.
        baseline : str, default=None
            The strategy to compare with; None is that of the comparison.
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        LabelsSavedDisplay
        """
        savings = comparison.labels_saved(target, baseline, confidence)
        score_name = comparison.scoring.replace("_", " ")
        return cls(savings, score_name=score_name, confidence=confidence, unit=comparison.unit)

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height, in inches, that a drawing needs."""
        texts = [*map(self.in_words, self.savings)]
        width = 4.0 + CHARACTER_WIDTH * (measure_names(self._name_rows()) + measure_names(texts))
        return max(7.0, width), 1.5 + 0.34 * max(1, len(self.savings))

    def in_words(self, saving: LabelsSaved) -> str:
        """Describe a saving and its interval.

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
        share = f"{bound}{_format_percent(saving.saved)} %"
        if np.isnan(saving.low):
            return share
        low, high = _format_percent(saving.low), _format_percent(saving.high)
        if np.isinf(saving.low):
            return f"{share} (no bounds)" if saving.high >= 1 else f"{share} (up to {high} %)"
        return f"{share} ({low} % or more)" if saving.high >= 1 else f"{share} ({low} to {high} %)"

    def plot(self, ax: Any = None) -> Self:
        """Draw one row per saving.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure. Each saving is described in words to the
            right of the axes.

        Returns
        -------
        self : LabelsSavedDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        n, limits = len(self.savings), self._find_limits()
        ax.axvline(0, color=BLACK, linewidth=1.0, linestyle="--")
        self.points_ = [
            self._draw_saving(ax, row, saving, limits) for row, saving in enumerate(self.savings)
        ]
        self.texts_ = [
            ax.text(1.02, row, self.in_words(saving), va="center", **_place_beside(ax))
            for row, saving in enumerate(self.savings)
        ]
        ax.set_yticks(range(n), self._name_rows(), parse_math=False)
        ax.set(xlim=limits, ylim=(max(n, 1) - 0.5, -0.5))
        ax.set_xlabel(self._describe_target(), parse_math=False)
        ax.tick_params(axis="y", length=0, pad=9)  # room for arrows at the edge
        ax.grid(axis="x", alpha=0.3)
        ax.spines[["top", "right", "left"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _name_rows(self) -> list[str]:
        """Name the rows by strategy, and by dataset and model if there are several."""
        several = [
            field
            for field in ("dataset", "model")
            if len({getattr(saving, field) for saving in self.savings}) > 1
        ]
        return [
            shorten_name(", ".join(getattr(saving, field) for field in [*several, "strategy"]))
            for saving in self.savings
        ]

    def _describe_target(self) -> str:
        if not self.savings:
            return "nothing to compare"
        baseline, targets = shorten_name(self.savings[0].baseline), {s.target for s in self.savings}
        goal = f"what {baseline} ends at"
        if len(targets) == 1:
            goal = f"{targets.pop():.3g} {self.score_name}"
        return f"% of {baseline}'s {self.unit} saved,\nto reach {goal}"

    def _find_limits(self) -> tuple[float, float]:
        """Return the limits of the axis in percent; values below -100 are drawn at its edge."""
        ends = np.array([[s.saved, s.low, s.high] for s in self.savings]).reshape(-1)
        ends = 100 * np.clip(ends[np.isfinite(ends)], -1, 1)
        low, high = min([0.0, *ends]), max([0.0, *ends])
        margin = max(2.0, 0.06 * (high - low))
        return low - margin, high + margin

    def _draw_saving(
        self, ax: Any, row: int, saving: LabelsSaved, limits: tuple[float, float]
    ) -> Any:
        """Draw one saving: its marker, its interval, and arrows if that has no bound."""
        if saving.bound == "unknown":
            return None
        arrow = {"color": BLUE, "markersize": 6, "linestyle": ""}
        ends = 100 * np.array([saving.low, saving.high])
        if not np.isnan(ends).any():
            shown = np.clip([ends[0], np.inf if saving.high >= 1 else ends[1]], *limits)
            ax.plot(shown, [row, row], color=BLUE, linewidth=2.0)
            for edge, end, mark in zip(limits, shown, "<>", strict=True):
                if end == edge:
                    ax.plot(edge, row, marker=mark, clip_on=False, zorder=3, **arrow)
        mark = {"exact": "o", "at least": ">", "at most": "<"}[saving.bound]
        (point,) = ax.plot(
            max(100 * saving.saved, limits[0]),
            row,
            marker=mark,
            markersize=8,
            color=BLACK if saving.bound == "exact" else VERMILION,
            linestyle="",
            zorder=4,
            clip_on=False,
        )
        return point


def _place_beside(ax: Any) -> dict[str, Any]:
    """Return options of a text to the right of the axes, at the height of its row."""
    return {"transform": ax.get_yaxis_transform(), "ha": "left", "parse_math": False}


def _format_percent(share: float) -> str:
    text = f"{100 * share:.0f}"
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")
