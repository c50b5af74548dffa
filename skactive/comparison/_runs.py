"""Results of single campaigns: a run with its curve, or a failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.metrics import area_under_learning_curve

__all__ = [
    "SERIES",
    "Failure",
    "Run",
    "check_run",
    "compute_area",
    "drop_duplicates",
]

SERIES = ("n_labels", "scores", "fit_seconds", "query_seconds")  # and costs, if there are any


class Run(NamedTuple):
    """One campaign: a strategy, a model and a repeat.

    Attributes
    ----------
    dataset, model, strategy : str
        Their names.
    repeat : int
        Index of the repeat, from 0.
    n_labels : ndarray of shape (n_rounds,)
        Labels known in each round, the initial ones first.
    scores : ndarray of shape (n_rounds,)
        Score of each round on the test rows.
    fit_seconds, query_seconds : ndarray of shape (n_rounds,)
        Time that each round took to fit, and to choose its rows.
    costs : ndarray of shape (n_rounds,) or None
        What the labels known in each round have cost; None: 1 each.
    """

    dataset: str
    model: str
    strategy: str
    repeat: int
    n_labels: NDArray[Any]
    scores: Floats
    fit_seconds: Floats
    query_seconds: Floats
    costs: Floats | None = None


class Failure(NamedTuple):
    """A campaign that ended in an error: which one, and the error."""

    dataset: str
    model: str
    strategy: str
    repeat: int
    error: str
    message: str
    traceback: str


def check_run(run: Run) -> Run:
    """Check that the series of a run have one length; return the run with arrays."""
    counts = np.asarray(run.n_labels)
    others = [np.asarray(getattr(run, name), dtype=np.float64) for name in SERIES[1:]]
    if run.costs is not None:
        others.append(np.asarray(run.costs, dtype=np.float64))
    if not len(counts) or any(len(series) != len(counts) for series in others):
        raise ValueError(
            f"A run needs n_labels, scores, fit_seconds and query_seconds (and costs, if there are "
            f"any) of one length, got {[len(series) for series in (counts, *others)]}."
        )
    return Run(*run[:4], counts, *others)


def compute_area(run: Run) -> float:
    """Return the mean height of a curve; for a campaign of one round, its score."""
    if len(run.scores) == 1:
        return float(run.scores[0])
    return area_under_learning_curve(run.n_labels, run.scores)


def drop_duplicates(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in order of first occurrence."""
    return tuple(dict.fromkeys(names))
