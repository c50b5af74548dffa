"""Forecast of a learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skactive.display._axes import BLACK, BLUE, VERMILION, new_axes

if TYPE_CHECKING:
    from skactive.estimation import Forecast

__all__ = ["ForecastDisplay"]


class ForecastDisplay:
    """The measured learning curve, its forecast with the interval, and a target to reach.

    Parameters
    ----------
    forecast : Forecast
        As returned by :func:`skactive.estimation.forecast_learning_curve`.
    target : float, default=None
        A score to reach: drawn as a line, with the number of labels that it takes.
    score_name : str, default="score"
        Label of the vertical axis.
    until : float, default=None
        Last label count to draw; None takes the last one of the forecast.

    Attributes
    ----------
    n : ndarray of shape (n_points,)
        Label counts of the forecast, from the last round on.
    median, low, high : ndarray of shape (n_points,)
        The forecast there.
    reached : tuple of float or None
        Median, low and high of the labels that the target takes.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    measured_, median_ : matplotlib Line2D
        The lines.
    band_ : matplotlib collection
        The interval.

    Examples
    --------
    >>> from skactive.display import ForecastDisplay
    >>> from skactive.estimation import forecast_learning_curve
    >>> forecast = forecast_learning_curve(
    ...     [20, 40, 60, 80], [0.60, 0.72, 0.79, 0.82], at=200, random_state=0
    ... )
    >>> display = ForecastDisplay(forecast, target=0.85, score_name="accuracy")
    >>> float(display.n[0]), float(display.n[-1])
    (80.0, 200.0)
    """

    def __init__(
        self,
        forecast: Forecast,
        *,
        target: float | None = None,
        score_name: str = "score",
        until: float | None = None,
    ) -> None:
        self.forecast = forecast
        self.target = target
        self.score_name = score_name
        last = forecast.n_labels[-1]
        if until is None:
            until = max([*forecast.n, last])
        if not last < until <= forecast.grid[-1]:
            raise ValueError(
                f"until must lie above {last:g}, the last round, got {until:g}: pass until= up to "
                f"{forecast.grid[-1]:g}."
            )
        self.n: NDArray[np.float64] = np.linspace(last, until, 100)
        self.median, self.low, self.high = forecast.interval(self.n)
        self.reached = None if target is None else forecast.labels_to_reach(target)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curve, the forecast and the target.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ForecastDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes() if ax is None else ax
        (self.measured_,) = ax.plot(
            self.forecast.n_labels,
            self.forecast.scores,
            color=BLACK,
            marker="o",
            markersize=5,
            linewidth=1.5,
            label="measured",
        )
        (self.median_,) = ax.plot(
            self.n, self.median, color=BLUE, linestyle="--", linewidth=1.5, label="forecast"
        )
        percent = f"{100 * self.forecast.confidence:.3g} % interval"
        self.band_ = ax.fill_between(
            self.n, self.low, self.high, color=BLUE, alpha=0.2, linewidth=0, label=percent
        )
        self._draw_target(ax)
        ax.set(xlabel="labels", ylabel=self.score_name)
        ax.grid(alpha=0.3)
        ax.legend(frameon=False, loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_target(self, ax: Any) -> None:
        if self.target is None or self.reached is None:
            return
        label = f"target {self.target:g}: {_describe_reached(self.reached)}"
        ax.axhline(self.target, color=VERMILION, linestyle=":", linewidth=1.5, label=label)
        if self.reached[0] <= self.n[-1]:
            ax.plot(self.reached[0], self.target, color=VERMILION, marker="D", markersize=6)


def _describe_reached(reached: tuple[float, float, float]) -> str:
    """Describe the number of labels that a target takes."""
    median, low, high = (f"{n:.0f}" if np.isfinite(n) else "never" for n in reached)
    if low == "never":
        return "out of reach"
    if low == high:
        return "reached"
    if median == "never":
        return f"{low} labels at least"
    if high == "never":
        return f"about {median} labels ({low} at least)"
    return f"about {median} labels ({low} to {high})"
