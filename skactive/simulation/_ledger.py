"""Ledgers of campaigns: which labels were bought, in which order, and what they cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.labels import (
    find_missing_elements,
    find_missing_rows,
    hide_elements,
    read_labels,
    take_labels,
)
from skactive._utils.ragged import Ragged
from skactive._utils.rows import select_rows
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError
from skactive.pool._state import CampaignCache, PoolIndex

__all__ = ["Chooser", "ElementLedger", "Ledger", "RowLedger"]

_ROUNDING = 1e-9  # of sums of costs


class Chooser(NamedTuple):
    """The learner that chooses labels, and the rows that it chooses from.

    Attributes
    ----------
    learner : ActiveLearner
        The learner, fitted.
    X : rows in any container
        All rows of the ledger.
    cache : CampaignCache
        Readings of these rows that are kept between rounds.
    taught : ndarray of int
        Positions of the learner's labeled rows, in its order.
    """

    learner: Any
    X: Any
    cache: CampaignCache
    taught: Positions


class Ledger(ABC):
    """The labels that a campaign can buy: those bought so far, and what they cost.

    One label is that of a row, of an element or of a group of elements. Positions of rows are among
    `rows`, which holds their positions in the `y` of the user.

    Parameters
    ----------
    rows : ndarray of int, shape (n_rows,)
        The rows.
    costs : Ragged
        The cost of each label of a row; 1 if labels have no price.
    is_open : ndarray of bool, shape (n_labels,)
        Whether a label can be bought.
    is_priced : bool
        Whether the user gave the costs.
    """

    def __init__(
        self, rows: Positions, costs: Ragged, is_open: NDArray[np.bool_], is_priced: bool
    ) -> None:
        self.rows, self.costs, self.is_open, self.is_priced = rows, costs, is_open, is_priced
        self.bought: list[int] = []  # in the order in which they were bought
        self.cost: float = 0
        self.crowd: Any = None  # the model of annotators whose consensus the labels are
        self._is_started = np.zeros(len(rows), dtype=bool)

    @property
    def n_labels(self) -> int:
        """Number of labels bought."""
        return len(self.bought)

    @property
    def queried(self) -> tuple[Positions, Positions]:
        """The row in `y` of each label that was bought, and its place in the row, (n_labels,)."""
        bought = np.asarray(self.bought, dtype=np.intp)
        owner = self._find_owners(bought)
        return self.rows[owner], bought - self.costs.offsets[owner]

    def make_record(self) -> dict[str, Any]:
        """Return what a record of a round says beside the number of labels and their cost."""
        return {}

    def find_row_costs(self) -> NDArray[Any]:
        """Return the cost of all labels of each row that can be bought, shape (n_rows,)."""
        costs = np.where(self.is_open, self.costs.values, 0)
        return np.diff(np.concatenate([[0], costs.cumsum()])[self.costs.offsets])

    def find_open_rows(self, left: float = np.inf) -> Positions:
        """Return the rows with a label that can be bought for at most `left`, in order."""
        n_open = np.concatenate([[0], np.cumsum(self._can_buy(left))])[self.costs.offsets]
        return np.flatnonzero(np.diff(n_open))

    def covers(self, row: int, left: float) -> bool:
        """Return whether all labels of a row that can be bought cost at most `left`."""
        labels = slice(*self.costs.offsets[row : row + 2])
        cost = self.costs.values[labels][self.is_open[labels]].sum()
        return bool(cost <= left + self._round_off(left))

    def find_known_rows(self) -> Positions:
        """Return the rows of which labels were bought, in order."""
        return np.flatnonzero(self._is_started)

    def buy_rows(self, rows: Any) -> None:
        """Buy all labels of some rows."""
        for row in rows:
            self._is_started[row] = True  # it may have no elements
            labels = np.arange(*self.costs.offsets[row : row + 2])
            self._buy(labels[self.is_open[labels]])

    def buy_batch(self, chooser: Chooser, batch_size: int, left: float) -> Positions:
        """Let a learner choose labels to buy for at most `left`; return their rows.

        Those that alone cost more are not offered. Those of the batch that no longer fit, in the
        learner's order, are not bought: it chooses others in their place, as long as any fit.
        """
        if not self.is_priced:
            batch_size = min(batch_size, int(left))
        n_before = len(self.bought)
        n_missing = batch_size
        while n_missing > 0 and self._can_buy(left).any():  # groups have more labels than one
            left -= self._buy_what_fits(self._choose(chooser, n_missing, left), left)
            n_missing = batch_size - (len(self.bought) - n_before)
        return np.unique(self._find_owners(np.asarray(self.bought[n_before:], dtype=np.intp)))

    def _buy_what_fits(self, labels: Positions, left: float) -> float:
        """Buy labels, in their order, as far as they fit; return what they cost."""
        before, tolerance = self.cost, self._round_off(left)
        for label in labels.tolist():
            if self.costs.values[label] <= left - (self.cost - before) + tolerance:
                self._buy([label])
        return self.cost - before

    @abstractmethod
    def _choose(self, chooser: Chooser, batch_size: int, left: float) -> Positions:
        """Let a learner choose labels, each of which can be bought for at most `left`."""

    @abstractmethod
    def read(self, rows: Positions, model: Any) -> Any:
        """Read the labels of some rows, as far as they were bought."""

    @abstractmethod
    def take(self, rows: Positions) -> Self:
        """Return a ledger of some of the rows, of which nothing is bought yet."""

    def _find_owners(self, labels: Positions) -> Positions:
        return np.searchsorted(self.costs.offsets, labels, side="right") - 1

    def _can_buy(self, left: float) -> NDArray[np.bool_]:
        return self.is_open & (self.costs.values <= left + self._round_off(left))

    def _round_off(self, left: float) -> float:
        """Return the error that a sum of costs may have."""
        return _ROUNDING * (self.cost + left) if self.is_priced else 0.0

    def _buy(self, labels: Any) -> None:
        labels = np.asarray(labels, dtype=np.intp)
        self.bought += labels.tolist()
        self.is_open[labels] = False
        self._is_started[self._find_owners(labels)] = True
        self.cost += self.costs.values[labels].sum().item()


class RowLedger(Ledger):
    """A ledger of rows, each of which has one label (of any kind), bought whole."""

    def __init__(self, y: Any, rows: Positions, costs: Ragged, is_priced: bool) -> None:
        super().__init__(rows, costs, np.ones(len(rows), dtype=bool), is_priced)
        self.y = y

    def take(self, rows: Positions) -> Self:
        return type(self)(self.y, self.rows[rows], self.costs.take(rows), self.is_priced)

    def _choose(self, chooser: Chooser, batch_size: int, left: float) -> Positions:
        rows = self.find_open_rows(left)
        index = PoolIndex(chooser.cache, rows, chooser.taught)
        costs = self.costs.values[rows] if self.is_priced else None
        pool, size = select_rows(chooser.X, rows), min(batch_size, len(rows))
        return rows[chooser.learner._query(pool, size, index, costs)]

    def read(self, rows: Positions, model: Any) -> Any:
        labels = take_labels(self.y, self.rows[rows])
        is_unknown = find_missing_rows(read_labels(labels, model))
        if is_unknown.any():
            raise ValueError(
                f"The label of row {self.rows[rows][is_unknown][0]} is missing: y answers for all "
                "rows. Leave out the rows without a label: known = ~pandas.isna(y), then X[known] "
                "and y[known]."
            )
        return labels


class ElementLedger(Ledger):
    """A ledger of elements, or of groups of them, each of which has a label.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, ...)
        The labels of all rows, as they were read.
    unknown : object
        The mark of an unknown label.
    rows, costs, is_priced
        See `Ledger`.
    groups : Ragged or None
        The group of each element; negative for those in none.
    answers : Ragged
        Number of the label, among those of its row, that each element gets; negative for none.
    """

    def __init__(
        self,
        labels: NDArray[Any],
        unknown: Any,
        rows: Positions,
        costs: Ragged,
        is_priced: bool,
        groups: Ragged | None,
        answers: Ragged,
    ) -> None:
        self.labels, self.unknown, self.groups, self.answers = labels, unknown, groups, answers
        super().__init__(rows, costs, self._find_answered(costs), is_priced)

    def _find_answered(self, costs: Ragged) -> NDArray[np.bool_]:
        """Find the labels that are given for an element or more, shape (n_labels,)."""
        is_answered = np.zeros(len(costs.values), dtype=bool)
        given = ~find_missing_elements(self.labels, self.unknown) & (self.answers.values >= 0)
        is_answered[(costs.offsets[self.answers.owner] + self.answers.values)[given]] = True
        return is_answered

    def take(self, rows: Positions) -> Self:
        return type(self)(
            self.labels[rows],
            self.unknown,
            self.rows[rows],
            self.costs.take(rows),
            self.is_priced,
            None if self.groups is None else self.groups.take(rows),
            self.answers.take(rows),
        )

    def _choose(self, chooser: Chooser, batch_size: int, left: float) -> Positions:
        kind = adapt(chooser.learner.estimator_).element
        if kind in {"box", "hypothesis"}:
            raise CapabilityError(
                f"The elements are the model's own proposals ({kind}), which have no labels in y: "
                "a campaign with such a model buys whole rows, oracle=None."
            )
        rows = self.find_open_rows(left)
        is_closed = Ragged(~self._can_buy(left), self.costs.offsets).take(rows)
        owner, place = chooser.learner.query_elements(
            select_rows(chooser.X, rows),
            min(batch_size, int((~is_closed.values).sum())),
            known=is_closed,
            groups=None if self.groups is None else self.groups.take(rows),
            costs=self.costs.take(rows) if self.is_priced else None,
        )
        return self.costs.offsets[rows[owner]] + place

    def read(self, rows: Positions, model: Any) -> Any:
        is_bought = np.zeros(len(self.is_open), dtype=bool)
        is_bought[self.bought] = True
        bought = Ragged(is_bought, self.costs.offsets).take(rows)
        answers = self.answers.take(rows)
        is_known = answers.values >= 0
        position = bought.offsets[answers.owner] + answers.values  # among the labels of these rows
        is_known[is_known] = bought.values[position[is_known]]
        return hide_elements(self.labels[rows], is_known, self.unknown)
