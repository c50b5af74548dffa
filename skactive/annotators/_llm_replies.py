"""The replies to all requests about rows, gathered by row."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.annotators._llm_scores import Reading
from skactive.annotators._llm_sending import Outcome
from skactive.exceptions import UnansweredRowsWarning

__all__ = ["Replies", "gather_replies", "warn_of_failures"]

_REASONS = {
    "budget": "could exceed the budget",
    "failed": "failed",
    "stopped": "were not sent after failures",
}


class Replies(NamedTuple):
    """Labels and scores of rows; NaN or -1 where the model says nothing."""

    labels: NDArray[np.intp]  # (n_rows, n_votes)
    scores: Floats  # (n_rows, n_classes)
    cost: Floats  # (n_rows,)
    seconds: Floats  # (n_rows,)


def gather_replies(outcomes: Sequence[Outcome], n_votes: int, n_classes: int) -> Replies:
    """Gather outcomes, `n_votes` of which belong to a row."""
    nothing, shape = np.full(n_classes, np.nan), (-1, n_votes)
    readings = [outcome.reading or Reading(-1, False, None) for outcome in outcomes]
    scores = [nothing if r.scores is None else r.scores for r in readings[::n_votes]]
    return Replies(
        np.array([r.label for r in readings], dtype=np.intp).reshape(shape),
        np.array(scores, dtype=np.float64).reshape(-1, n_classes),
        np.array([o.cost for o in outcomes], dtype=np.float64).reshape(shape).sum(axis=1),
        np.array([o.seconds for o in outcomes], dtype=np.float64).reshape(shape).sum(axis=1),
    )


def warn_of_failures(outcomes: Sequence[Outcome], error: Exception | None) -> None:
    """Warn if requests have no reply, or one could not be stored."""
    counts = Counter(outcome.status for outcome in outcomes)
    n_left = len(outcomes) - counts["answered"]
    if not n_left and error is None:
        return
    reasons = [f"{n} {_REASONS[status]}" for status, n in counts.items() if status in _REASONS]
    last = "" if error is None else f" The last failure: {error}"
    warnings.warn(
        f"{n_left} of {len(outcomes)} requests have no reply ({'; '.join(reasons) or 'none'}). "
        f"Rows without any are left to people.{last}",
        UnansweredRowsWarning,
        stacklevel=4,
    )
