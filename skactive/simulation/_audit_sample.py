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
    """Rows reserved at random, whose labels become known share by share.

    Parameters
    ----------
    share : float
        Share of the cost of all labels that goes to the audit.
    budget : float
        What all labels may cost.
    costs : ndarray of shape (n_rows,)
        Cost of the labels of each row; integers if labels have no price.
    taken : ndarray of int or None
        Rows that are not free.
    seed : int
        Seed of the draw.
    """

    def __init__(
        self,
        share: float,
        budget: float,
        costs: NDArray[Any],
        taken: NDArray[np.intp] | None,
        seed: int,
    ) -> None:
        self.share = share
        rows = np.arange(len(costs))
        free = rows if taken is None else np.setdiff1d(rows, taken)
        order = draw_audit_rows(free, len(free) if share else 0, seed)
        self._costs = np.concatenate([costs[:0], [0], costs[order].cumsum()])  # of the first rows
        self.rows = order[: self._count(self._round(share * budget))]
        self.n_known = 0
        self.scores = np.empty(0)  # of the rows known, by the model of the round

    @property
    def total_cost(self) -> float:
        """Cost of all rows of the audit."""
        return self._costs[len(self.rows)].item()

    @property
    def cost(self) -> float:
        """Cost of the rows whose labels are known."""
        return self._costs[self.n_known].item()

    def buy(self, spent: float, *, last: bool) -> None:
        """Reveal audit labels until they are `share` of all cost, given that of the others."""
        due = self._count(self._round(spent / (1.0 - self.share)) - spent)
        self.n_known = len(self.rows) if last else min(due, len(self.rows))

    def _round(self, cost: float) -> float:
        """Return a cost as a number of labels, if they have no price."""
        return round(cost) if self._costs.dtype.kind == "i" else cost * (1.0 + 1e-9)

    def _count(self, cost: float) -> int:
        """Return how many rows come to a cost."""
        return int(np.searchsorted(self._costs, cost, side="right")) - 1


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
