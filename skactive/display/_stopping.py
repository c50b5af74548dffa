"""Values of stopping criteria, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skactive.display._axes import BLACK, BLUE, VERMILION, new_axes

__all__ = ["StoppingDisplay", "StoppingHistory"]

_PANEL_HEIGHT = 2.4  # inches


class StoppingHistory(NamedTuple):
    """Values of one criterion.

    Attributes
    ----------
    n_labels : ndarray of shape (n_rounds,)
        Labels of each round.
    values : ndarray of shape (n_rounds,)
        Value in each round; NaN if the criterion had none yet.
    limit : float
        The value at which the criterion stops.
    reading : str
        Name of the values.
    stopped_at : int or None
        Labels of the first round in which the criterion stopped.
    """

    n_labels: NDArray[np.float64]
    values: NDArray[np.float64]
    limit: float
    reading: str = "value"
    stopped_at: int | None = None


class StoppingDisplay:
    """Values of stopping criteria against the number of labels, and where they stopped.

    One panel per criterion, so that those joined by ``&`` and ``|`` can be read side by side. Use
    :meth:`from_estimator` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    histories : mapping of str to StoppingHistory
        Values of each criterion, by its name.
    stopped_at : int, default=None
        Labels at which the campaign stopped; None if it did not.

    Attributes
    ----------
    histories : dict of str to StoppingHistory
        All data of the drawing.
    axes_ : ndarray of matplotlib Axes, shape (n_criteria,)
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `axes_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.display._stopping import StoppingDisplay
    >>> from skactive.stopping import Budget, StabilizingPredictions
    >>> X, y = load_iris(return_X_y=True)
    >>> stopping = StabilizingPredictions(0.9) | Budget(80)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000))
    >>> simulation = SimulatedLearner(learner, stopping=stopping, random_state=0)
    >>> display = StoppingDisplay.from_estimator(simulation.fit(X, y))
    >>> list(display.histories)
    ['StabilizingPredictions(threshold=0.9)', 'Budget(n_labels=80)']
    >>> display.histories["Budget(n_labels=80)"].values[:3]
    array([10., 20., 30.])
    """

    def __init__(
        self, histories: Mapping[str, StoppingHistory], *, stopped_at: int | None = None
    ) -> None:
        self.histories = dict(histories)
        self.stopped_at = stopped_at

    @classmethod
    def from_estimator(cls, estimator: Any) -> Self:
        """Make a display of the stopping criterion of a fitted simulation.

        Parameters
        ----------
        estimator : SimulatedLearner
            Fitted, with `stopping` set.

        Returns
        -------
        StoppingDisplay

        Raises
        ------
        ValueError
            If the simulation had no stopping criterion.
        """
        check_is_fitted(estimator)
        if estimator.stopping_ is None:
            raise ValueError(
                "This simulation had no stopping criterion, so it has no history to draw: set its "
                "parameter stopping= and fit it again."
            )
        return cls.from_monitor(estimator.stopping_)

    @classmethod
    def from_monitor(cls, monitor: Any) -> Self:
        """Make a display of the values of a criterion so far.

        Parameters
        ----------
        monitor : Monitor
            As returned by ``criterion.start()``, updated by rounds.

        Returns
        -------
        StoppingDisplay
        """
        histories: dict[str, StoppingHistory] = {}
        for leaf in monitor.leaves():
            pairs = np.asarray(leaf.history, dtype=np.float64).reshape(-1, 2)
            histories[str(leaf.criterion)] = StoppingHistory(
                pairs[:, 0], pairs[:, 1], leaf.limit, leaf.criterion.reading, leaf.stopped_at
            )
        return cls(histories, stopped_at=monitor.stopped_at)

    def plot(self, ax: Any = None) -> Self:
        """Draw one panel per criterion.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one per criterion; None makes a new figure.

        Returns
        -------
        self : StoppingDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one per criterion.
        """
        self.axes_ = self._make_axes(ax)
        self.figure_ = self.axes_[0].figure
        for panel, (name, history) in zip(self.axes_, self.histories.items(), strict=True):
            self._draw_panel(panel, name, history)
        self.axes_[-1].set_xlabel("labels")
        return self

    def _make_axes(self, ax: Any) -> NDArray[Any]:
        n = len(self.histories)
        if ax is None:
            first = new_axes(height=0.9 + _PANEL_HEIGHT * n)
            if n == 1:
                return np.array([first])
            figure = first.figure
            first.remove()
            return figure.subplots(n, sharex=True)
        panels = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(panels) != n:
            raise ValueError(
                f"ax must be {n} axes, one per criterion, got {len(panels)}: pass those of "
                f"plt.subplots({n}), or ax=None."
            )
        return panels

    def _draw_panel(self, ax: Any, name: str, history: StoppingHistory) -> None:
        """Draw one panel: values, limit, and where this criterion and the campaign stopped."""
        style = {"color": BLUE, "marker": "o", "markersize": 5, "linewidth": 1.5}
        ax.plot(history.n_labels, history.values, label="value", **style)
        ax.axhline(history.limit, color=VERMILION, linestyle="--", linewidth=1.5, label="limit")
        if history.stopped_at is not None:
            value = history.values[history.n_labels == history.stopped_at][0]
            ring = {"marker": "o", "markersize": 12, "markerfacecolor": "none", "linestyle": ""}
            ax.plot(history.stopped_at, value, color=BLACK, label="stops", **ring)
        if self.stopped_at is not None:
            stop = {"color": BLACK, "linestyle": ":", "linewidth": 1.5}
            ax.axvline(self.stopped_at, label=f"stopped at {self.stopped_at}", **stop)
        ax.set_title(name, loc="left", fontsize="medium")
        ax.set_ylabel(history.reading)
        if len(history.n_labels):  # with the rounds that have no value yet
            first, last = history.n_labels[[0, -1]]
            margin = max(0.04 * (last - first), 0.5)
            ax.set_xlim(first - margin, last + margin)
        ax.grid(alpha=0.3)
        ax.legend(frameon=False, loc="best", fontsize="small")
