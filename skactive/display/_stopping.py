"""What stopping criteria read, round by round: what to draw, and the drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skactive.display._axes import COLORS, new_axes

__all__ = ["StoppingDisplay", "StoppingHistory"]

_LINE, _LIMIT, _STOP = COLORS[1], COLORS[5], COLORS[0]  # blue, vermilion and black
_PANEL_HEIGHT = 2.4


class StoppingHistory(NamedTuple):
    """What one criterion read.

    Attributes
    ----------
    n_labels : ndarray of shape (n_rounds,)
        Labels of each round.
    values : ndarray of shape (n_rounds,)
        What was read; NaN where there was nothing to read yet.
    limit : float
        The value at which the criterion says stop.
    reading : str
        What the values are.
    stopped_at : int or None
        Labels of the first round in which the criterion said stop.
    """

    n_labels: NDArray[np.float64]
    values: NDArray[np.float64]
    limit: float
    reading: str = "value"
    stopped_at: int | None = None


class StoppingDisplay:
    """What stopping criteria read against the number of labels, and where they said stop.

    A panel for each criterion, so that those that were joined by ``&`` and ``|`` can be read side
    by side. Use :meth:`from_estimator` to make one, and :meth:`plot` to draw it.

    Parameters
    ----------
    histories : mapping of str to StoppingHistory
        What each criterion read, by its name.
    stopped_at : int, default=None
        Labels at which the campaign was to stop; None where it was not.

    Attributes
    ----------
    histories : dict of str to StoppingHistory
        The data; nothing of it is lost in the drawing.
    axes_ : ndarray of matplotlib Axes, shape (n_criteria,)
        Where it was drawn, after `plot`.
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
        """Take over what a fitted simulation's criterion read.

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
                "This simulation had no stopping criterion, so there is no history to draw: set "
                "its parameter stopping= and fit it again."
            )
        return cls.from_monitor(estimator.stopping_)

    @classmethod
    def from_monitor(cls, monitor: Any) -> Self:
        """Take over what a criterion has read so far.

        Parameters
        ----------
        monitor : Monitor
            As ``criterion.start()`` made it, and rounds have updated it.

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
        """Draw a panel for each criterion.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw, one for each criterion; None makes a new figure.

        Returns
        -------
        self : StoppingDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` is not one for each criterion.
        """
        self.axes_ = self._axes(ax)
        self.figure_ = self.axes_[0].figure
        for panel, (name, history) in zip(self.axes_, self.histories.items(), strict=True):
            self._draw(panel, name, history)
        self.axes_[-1].set_xlabel("labels")
        return self

    def _axes(self, ax: Any) -> NDArray[Any]:
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
                f"ax must be {n} axes, one for each criterion, got {len(panels)}: pass those of "
                f"plt.subplots({n}), or ax=None."
            )
        return panels

    def _draw(self, ax: Any, name: str, history: StoppingHistory) -> None:
        """Draw one panel: the readings, the limit, and where this criterion and all said stop."""
        style = {"color": _LINE, "marker": "o", "markersize": 5, "linewidth": 1.5}
        ax.plot(history.n_labels, history.values, label="read", **style)
        ax.axhline(history.limit, color=_LIMIT, linestyle="--", linewidth=1.5, label="limit")
        if history.stopped_at is not None:
            value = history.values[history.n_labels == history.stopped_at][0]
            ring = {"marker": "o", "markersize": 12, "markerfacecolor": "none", "linestyle": ""}
            ax.plot(history.stopped_at, value, color=_STOP, label="says stop", **ring)
        if self.stopped_at is not None:
            stop = {"color": _STOP, "linestyle": ":", "linewidth": 1.5}
            ax.axvline(self.stopped_at, label=f"stopped at {self.stopped_at}", **stop)
        ax.set_title(name, loc="left", fontsize="medium")
        ax.set_ylabel(history.reading)
        if len(history.n_labels):  # with the rounds of which nothing was read yet
            first, last = history.n_labels[[0, -1]]
            margin = max(0.04 * (last - first), 0.5)
            ax.set_xlim(first - margin, last + margin)
        ax.grid(alpha=0.3)
        ax.legend(frameon=False, loc="best", fontsize="small")
