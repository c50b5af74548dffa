"""Hours that the rest of a session will take, from the recorded times of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.matrices import to_matrix
from skactive._utils.rows import are_stored, n_rows, take_rows
from skactive.costs import CostModel
from skactive.estimation import mean_interval
from skactive.labeling.state._events import Ident

__all__ = ["HoursForecast", "forecast_hours"]

_MIN_TIMED = 20


class HoursForecast(NamedTuple):
    """How long people will take for some rows.

    Attributes
    ----------
    hours : float
        The expected time.
    low, high : float
        Interval of the expected time, 95 %, if people answer as so far.
    n_rows : int
        Number of rows.
    n_timed : int
        Number of recorded times that it is based on.
    """

    hours: float
    low: float
    high: float
    n_rows: int
    n_timed: int


def forecast_hours(
    records: Sequence[Mapping[str, Any]],
    X: Any,
    positions: Mapping[Ident, int],
    left: Sequence[int],
    n: int | None = None,
) -> HoursForecast:
    """Forecast the time that rows take, each answered once, by the people and times so far.

    Parameters
    ----------
    records : sequence of mapping
        The answers, with the keys ``id``, ``annotator`` and ``seconds``.
    X : rows in any container
        The pool.
    positions : mapping of id to int
        Positions of the rows in the pool.
    left : sequence of int
        Positions of the rows that are left.
    n : int, default=None
        Number of these that will be answered; None: all.

    Returns
    -------
    HoursForecast

    Raises
    ------
    ValueError
        If there are too few times, or fewer than `n` rows are left.
    """
    timed = [r for r in records if (r["seconds"] or 0) > 0 and r["id"] in positions]
    if len(timed) < _MIN_TIMED:
        raise ValueError(
            f"A forecast of hours needs {_MIN_TIMED} answers whose time was recorded, got "
            f"{len(timed)}: pass seconds= with the answers, and label more rows."
        )
    left = list(left)
    n = len(left) if n is None else n
    if not 0 <= n <= len(left):
        raise ValueError(f"n must be at most the {len(left)} rows that are left, got {n}.")
    rows = _choose_rows(X)
    known = None if rows is None else take_rows(rows, [positions[r["id"]] for r in timed])
    seconds = np.array([r["seconds"] for r in timed], dtype=np.float64)
    people = np.array([r["annotator"] or "" for r in timed])
    model = CostModel().fit(known, seconds, annotator=people)
    # The model predicts medians, of a typical person; times have a long tail, and people differ.
    ratios = seconds / model.predict(len(seconds) if known is None else known)
    typical = model.predict(len(left) if rows is None else take_rows(rows, left)) if left else 0.0
    base = float(np.mean(typical)) * n / 3600.0
    low, high = mean_interval(ratios)
    return HoursForecast(
        base * float(ratios.mean()), base * max(low, 0.0), base * high, n, len(timed)
    )


def _choose_rows(X: Any) -> Any:
    """Return the rows as a model of times reads them: texts, or a table; None for others.

    Rows that are not in memory are not read for it.
    """
    if are_stored(X):
        return None
    if getattr(X, "ndim", 1) == 1 and n_rows(X) and isinstance(next(iter(X)), str):
        return [str(text) for text in X]
    try:
        matrix = to_matrix(X, "X")
    except (TypeError, ValueError):
        return None
    return _reduce(matrix) if matrix.shape[1] <= 100 else None


def _reduce(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
