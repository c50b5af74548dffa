"""What a campaign gives: a run with its curve, or a failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive.metrics import area_under_learning_curve

__all__ = [
    "SERIES",
    "Failure",
    "Floats",
    "Run",
    "area_of",
    "as_arrays",
    "distinct",
]

Floats = NDArray[np.float64]

SERIES = ("n_labels", "scores", "fit_seconds", "query_seconds")


class Run(NamedTuple):
    """One campaign: a strategy, a model and a repeat.

    Attributes
    ----------
    data, model, strategy : str
        Their names.
    repeat : int
        Which repeat, from 0.
    n_labels : ndarray of shape (n_rounds,)
        Labels known in each round, the start first.
    scores : ndarray of shape (n_rounds,)
        Score of each round on the test rows.
    fit_seconds, query_seconds : ndarray of shape (n_rounds,)
        What each round took to fit, and to choose its rows.
    """

    data: str
    model: str
    strategy: str
    repeat: int
    n_labels: NDArray[np.intp]
    scores: Floats
    fit_seconds: Floats
    query_seconds: Floats


class Failure(NamedTuple):
    """A campaign that ended in an error: which one, and the error."""

    data: str
    model: str
    strategy: str
    repeat: int
    error: str
    message: str
    traceback: str


def as_arrays(run: Run) -> Run:
    """Return a run whose series are arrays."""
    counts = np.asarray(run.n_labels)
    others = [np.asarray(getattr(run, name), dtype=np.float64) for name in SERIES[1:]]
    if not len(counts) or any(len(series) != len(counts) for series in others):
        raise ValueError(
            f"A run needs n_labels, scores, fit_seconds and query_seconds of one length, got "
            f"{[len(series) for series in (counts, *others)]}."
        )
    return Run(*run[:4], counts, *others)


def area_of(run: Run) -> float:
    """Mean height of a curve; that of a campaign of one round is its score."""
    if len(run.scores) == 1:
        return float(run.scores[0])
    return area_under_learning_curve(run.n_labels, run.scores)


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in the order in which they first occur."""
    return tuple(dict.fromkeys(names))
