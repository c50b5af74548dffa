"""The audit of a campaign: rows drawn at random, that no model learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.labels import read_labels, row_errors
from skactive._utils.seeding import derived_seed
from skactive.estimation._audit import right_rows

__all__ = ["Audit", "draw_audit_rows", "row_scores"]

_AUDIT_STREAM = 0xA0D1  # random numbers of the draw


class Audit:
    """Rows reserved at random, whose labels become known share by share."""

    def __init__(
        self, share: float, budget: int, n: int, taken: NDArray[np.intp] | None, seed: int
    ) -> None:
        self.share = share
        free = np.arange(n) if taken is None else np.setdiff1d(np.arange(n), taken)
        self.rows = draw_audit_rows(free, round(share * budget), seed)
        self.n_known = 0
        self.scores = np.empty(0)  # of the rows known, by the model of the round

    def buy(self, n_learned: int, *, last: bool) -> None:
        """Reveal audit labels until they are `share` of all labels, given those learned from."""
        due = round(n_learned / (1.0 - self.share)) - n_learned
        self.n_known = len(self.rows) if last else min(due, len(self.rows))


def draw_audit_rows(rows: NDArray[np.intp], n_audit: int, seed: int) -> NDArray[np.intp]:
    """Draw the rows of an audit, in the order in which their labels are asked for.

    The draw has a stream of random numbers of its own, so that the initial rows and the queries
    are those of a run without an audit. A larger audit begins with the rows of a smaller one.
    """
    return np.random.RandomState(derived_seed(seed, _AUDIT_STREAM)).permutation(rows)[:n_audit]


def row_scores(learner: Any, X: Any, y: Any) -> NDArray[np.float64]:
    """Score predictions row by row: right or wrong, or minus the squared error."""
    labels = read_labels(y, learner)
    right = right_rows(learner, X, labels)
    return -row_errors(labels, learner.predict(X)) if right is None else right
