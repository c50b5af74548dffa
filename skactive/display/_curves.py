"""Learning curves of strategies or simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from skactive.display._axes import CHARACTER_WIDTH, COLORS, MARKERS, new_axes
from skactive.metrics import find_common_counts

if TYPE_CHECKING:
    from skactive.comparison import StrategyComparison

__all__ = ["LabelCurve", "LabelCurveDisplay"]

_LINE_STYLES = ("-", "--", ":", "-.")  # the next one whenever all colors are used up
_MAX_CURVES_INSIDE = len(COLORS)  # the legend of more stands beside the axes


class LabelCurve(NamedTuple):
    """Scores of several runs against the number of labels.

    Attributes
    ----------
    n_labels : ndarray of shape (n_points,)
        Labels known.
    scores : ndarray of shape (n_runs, n_points)
        Score of each run.
    """

    n_labels: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the runs, shape (n_points,)."""
        return self.scores.mean(axis=0)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard error of the mean, shape (n_points,); zeros for a single run."""
        n_runs = len(self.scores)
        if n_runs < 2:
            return np.zeros(self.scores.shape[1])
        return self.scores.std(axis=0, ddof=1) / np.sqrt(n_runs)

    def interval(self, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the t interval of the mean at each label count.

        Parameters
        ----------
        confidence : float, default=0.95
            Confidence level of the interval.

        Returns
        -------
        low, high : ndarray of shape (n_points,)
            Both are the mean if there is a single run.
        """
        half = np.zeros_like(self.mean)
        if len(self.scores) > 1:
            half = stdtrit(len(self.scores) - 1, (1 + confidence) / 2) * self.standard_error
        return self.mean - half, self.mean + half

    @classmethod
    def from_runs(cls, runs: Sequence[tuple[Any, Any]]) -> Self:
        """Make a curve of several runs, each ``(n_labels, scores)``.

        Runs with other label counts are interpolated on all counts that every run covers.
        """
        counts = [np.asarray(n_labels, dtype=np.float64) for n_labels, _ in runs]
        grid = find_common_counts(counts)
        lines = zip(counts, runs, strict=True)
        return cls(grid, np.stack([np.interp(grid, n, scores) for n, (_, scores) in lines]))


class LabelCurveDisplay:
    """Learning curves: score against the number of labels, with the spread over runs.

    Use :meth:`from_estimator`, :meth:`from_estimators` or :meth:`from_comparison` to make one, and
    :meth:`plot` to draw it.

    Parameters
    ----------
    curves : mapping of str to LabelCurve
        The curves by name.
    score_name : str, default="score"
        Label of the vertical axis.
    confidence : float, default=None
        Confidence level of the t interval of the mean that the bands show; None shows one standard
        error on either side.
    unit : str, default="labels"
        Label of the horizontal axis: "labels" or "cost".

    Attributes
    ----------
    curves : dict of str to LabelCurve
        All data of the drawing.
    score_name, confidence, unit
        As passed.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    lines_ : dict of str to matplotlib Line2D
        The line of each curve.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import train_test_split
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.display import LabelCurveDisplay
    >>> from skactive.strategies import Margin, Random
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    >>> runs = {}
    >>> for strategy in (Margin(), Random()):
    ...     learner = ActiveLearner(LogisticRegression(max_iter=1000), strategy)
    ...     simulation = SimulatedLearner(learner, budget=40, n_initial=20, random_state=0)
    ...     runs[str(strategy)] = simulation.fit(X, y)
    >>> display = LabelCurveDisplay.from_estimators(runs, X_test, y_test)
    >>> display.curves["Margin()"].n_labels
    array([20., 30., 40.])
    """

    def __init__(
        self,
        curves: Mapping[str, LabelCurve],
        *,
        score_name: str = "score",
        confidence: float | None = None,
        unit: str = "labels",
    ) -> None:
        if confidence is not None and not 0.0 < confidence < 1.0:
            raise ValueError(f"confidence must lie between 0 and 1, or be None, got {confidence!r}")
        self.curves = dict(curves)
        self.score_name = score_name
        self.confidence = confidence
        self.unit = unit

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height, in inches, that a drawing needs, with its legend."""
        if len(self.curves) <= _MAX_CURVES_INSIDE:
            return 7.0, 4.5
        longest = max(len(name) for name in self.curves)
        return 7.5 + CHARACTER_WIDTH * longest, max(4.5, 0.6 + 0.24 * len(self.curves))

    @classmethod
    def from_comparison(cls, comparison: StrategyComparison, *, confidence: float = 0.95) -> Self:
        """Make a display of the curves of a comparison, with confidence intervals.

        Parameters
        ----------
        comparison : StrategyComparison
            With one model on one dataset: of several, pass ``comparison.select(...)``.
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        LabelCurveDisplay
        """
        curves = {name: LabelCurve(*curve) for name, curve in comparison.curves().items()}
        score_name = comparison.scoring.replace("_", " ")
        return cls(curves, score_name=score_name, confidence=confidence, unit=comparison.unit)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, scoring: Any = None, name: str | None = None
    ) -> Self:
        """Score each round of a fitted simulation.

        Parameters
        ----------
        estimator : SimulatedLearner
            Fitted.
        X : rows in any container
            Test rows.
        y : array-like of shape (n_rows,)
            Their labels.
        scoring : str, callable or None, default=None
            As in scikit-learn's searches; None is the model's own ``score``.
        name : str, default=None
            Name of the curve; None takes that of the strategy.

        Returns
        -------
        LabelCurveDisplay
        """
        strategy = getattr(estimator.learner, "strategy", None)
        name = name or (type(estimator).__name__ if strategy is None else str(strategy))
        return cls.from_estimators({name: estimator}, X, y, scoring=scoring)

    @classmethod
    def from_estimators(
        cls, estimators: Mapping[str, Any], X: Any, y: Any, *, scoring: Any = None
    ) -> Self:
        """Score each round of several fitted simulations.

        Parameters
        ----------
        estimators : mapping of str to SimulatedLearner or list of SimulatedLearner
            Fitted; a list holds runs that differ in their seed, to average.
        X : rows in any container
            Test rows.
        y : array-like of shape (n_rows,)
            Their labels.
        scoring : str, callable or None, default=None
            As in scikit-learn's searches; None is the model's own ``score``.

        Returns
        -------
        LabelCurveDisplay
        """
        curves = {}
        for name, one_or_many in estimators.items():
            runs = one_or_many if isinstance(one_or_many, list | tuple) else [one_or_many]
            scored = [(run.n_labels_, list(run.staged_score(X, y, scoring))) for run in runs]
            curves[name] = LabelCurve.from_runs(scored)
        return cls(curves, score_name=scoring if isinstance(scoring, str) else "score")

    def plot(self, ax: Any = None, *, band: bool = True) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        band : bool, default=True
            Whether to shade the interval (or one standard error) around the mean, if there are
            several runs.

        Returns
        -------
        self : LabelCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        self.lines_ = {}
        alpha = min(0.15, 1 / len(self.curves)) if self.curves else 0.0  # many bands overlap
        for i, (name, curve) in enumerate(self.curves.items()):
            self.lines_[name] = line = _draw_curve(ax, i, name, curve)
            if band and len(curve.scores) > 1:
                shade = {"color": line.get_color(), "alpha": alpha, "linewidth": 0}
                ax.fill_between(curve.n_labels, *self._find_band(curve), **shade)
        ax.set(xlabel=self.unit, ylabel=self.score_name)
        ax.grid(alpha=0.3)
        beside = {"bbox_to_anchor": (1.01, 1.0), "loc": "upper left", "borderaxespad": 0.0}
        legend = ax.legend(
            frameon=False, **({} if len(self.curves) <= _MAX_CURVES_INSIDE else beside)
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # a name may contain $
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _find_band(self, curve: LabelCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.confidence is None:
            return curve.mean - curve.standard_error, curve.mean + curve.standard_error
        return curve.interval(self.confidence)


def _draw_curve(ax: Any, i: int, name: str, curve: LabelCurve) -> Any:
    """Draw the curve number i in a combination of color, marker and line of its own."""
    (line,) = ax.plot(
        curve.n_labels,
        curve.mean,
        color=COLORS[i % len(COLORS)],
        linestyle=_LINE_STYLES[i // len(COLORS) % len(_LINE_STYLES)],
        marker=MARKERS[i % len(MARKERS)],
        markersize=5,
        markevery=max(1, len(curve.n_labels) // 10),  # too many markers would hide the line
        linewidth=1.5,
        label=name,
    )
    return line
