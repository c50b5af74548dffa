"""Spending of a session: what answers have cost, in money and hours, against a budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from skactive._utils.text import format_apart, pluralize
from skactive.labeling._facts import iter_parts, name_part
from skactive.labeling.state._events import ANSWERS, Event, Ident
from skactive.labeling.state._shapes import check_shape
from skactive.labeling.stores import LabelStore

__all__ = ["Spending", "SpendingMeter", "Spent", "record_spending"]

_FACT = "spending"
_EVENTS_AT_ONCE = 1_000  # events in memory at a time
_SHAPE: Any = {
    "price": (int | float, [[str | int | float]]), "price_per_hour": int | float,
    "money": int | float | None, "hours": int | float | None,
}  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """The cost of the answers of a session.

    Parameters
    ----------
    money : float
        Prices of the labels, and of the hours.
    hours : float
        Time that all answers took, of those whose time was recorded.
    n_labels : int
        Number of labels paid for: a row that two people labeled counts twice, a corrected label
        once.
    n_timed : int
        Number of answers whose time was recorded; refused, corrected and undone ones too.
    n_untimed : int
        Number of answers whose time was not recorded: `hours` lacks theirs.
    routed : float
        What the answers of a router's annotators cost, accepted or not: a part of `money`. These
        answers are in no other number.
    """

    money: float = 0.0
    hours: float = 0.0
    n_labels: int = 0
    n_timed: int = 0
    n_untimed: int = 0
    routed: float = 0.0


@dataclass(frozen=True)
class Spending:
    """Prices of labels and hours, and the budget of a session.

    The session only advises: once the budget is used up it says so, as a stopping criterion does,
    and labeling may continue. A store keeps the spending that was set last, so that sessions that
    are opened without one have the same. Labels to begin with, which come from nobody and without a
    ticket, are not paid for.

    Parameters
    ----------
    price : float or mapping of id to float, default=0.0
        Price of a label, or the price of a label of each row.
    price_per_hour : float, default=0.0
        Price of an hour of the people who label.
    money : float, default=None
        Budget in money; None: no limit.
    hours : float, default=None
        Budget in hours; None: no limit.

    Raises
    ------
    TypeError
        If a price or a limit is not a number.
    ValueError
        If one is negative or not finite, or money is limited but nothing has a price.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession, Spending
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=500))
    >>> with LabelingSession(learner, X, spending=Spending(price=0.25, money=2)) as session:
    ...     for _ in range(2):
    ...         batch = session.next_batch(5, annotator="ann")
    ...         answers = {row: int(y[row]) for row in batch.ids}
    ...         stored = session.submit(answers, ticket=batch.ticket, annotator="ann", seconds=9.0)
    ...     print(session.spent.money, session.spent.hours)
    ...     print(session.progress().stop_reason)
    2.5 0.025
    the budget of 2 is used up: 10 labels cost 2.5
    """

    price: float | Mapping[Ident, float] = 0.0
    price_per_hour: float = 0.0
    money: float | None = None
    hours: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.price, Mapping):
            for ident, price in self.price.items():
                _check_amount(f"the price of row {ident!r}", price)
        else:
            _check_amount("price", self.price)
        _check_amount("price_per_hour", self.price_per_hour)
        for name in ("money", "hours"):
            if (limit := getattr(self, name)) is not None:
                _check_amount(name, limit, above=True)
        if self.money is not None and not self.has_prices:
            raise ValueError(
                f"money={self.money:g} limits what nothing is spent of: set price, "
                "price_per_hour, or hours in place of money."
            )

    @property
    def has_prices(self) -> bool:
        """Whether labels or hours cost money."""
        return bool(self.price) or self.price_per_hour > 0

    def to_record(self) -> dict[str, Any]:
        """Return what a store holds: the keys of JSON are texts, and ids may be numbers.

        Returns
        -------
        dict
            The parameters; prices of rows as a list of pairs.
        """
        price = self.price
        return {
            "price": [[*pair] for pair in price.items()] if isinstance(price, Mapping) else price,
            "price_per_hour": self.price_per_hour,
            "money": self.money,
            "hours": self.hours,
        }

    def find_price(self, ident: Ident) -> float:
        """Return the price of a label of a row; a row that has left the pool may have none.

        Parameters
        ----------
        ident : str or int
            Id of the row.

        Returns
        -------
        float
        """
        return self.price.get(ident, 0.0) if isinstance(self.price, Mapping) else self.price

    def describe_end(self, spent: Spent) -> str:
        """Describe which part of the budget is used up; empty while none is.

        Parameters
        ----------
        spent : Spent
            What was spent.

        Returns
        -------
        str
        """
        if self.money is not None and spent.money >= self.money:
            value, limit = format_apart(spent.money, self.money)
            hours = f" and {spent.hours:.3g} h" if self.price_per_hour else ""
            labels = pluralize(spent.n_labels, "label")
            return f"the budget of {limit} is used up: {labels}{hours} cost {value}"
        if self.hours is not None and spent.hours >= self.hours:
            value, limit = format_apart(spent.hours, self.hours)
            answers = pluralize(spent.n_timed, "answer")
            return f"the budget of {limit} hours is used up: {answers} took {value}"
        return ""


class SpendingMeter:
    """Adds up what the answers in a store have cost, each once, in the order of the store.

    Parameters
    ----------
    spending : Spending
        The prices.
    store : LabelStore
        The store.
    """

    def __init__(self, spending: Spending, store: LabelStore) -> None:
        self.spending, self._store = spending, store
        self._position = 0
        self._paid: set[tuple[Ident | None, str | None]] = set()
        self._prices = self._seconds = self._routed = 0.0
        self._routes: set[str] = set()
        self._n_timed = self._n_untimed = 0

    def read(self) -> Spent:
        """Add what was stored since the last call, and return the sums."""
        while True:
            events = self._store.events(self._position, _EVENTS_AT_ONCE)
            for event in events:
                self._add(event)
            if len(events) < _EVENTS_AT_ONCE:
                break
        hours = self._seconds / 3600.0
        money = self._prices + self.spending.price_per_hour * hours + self._routed
        n_labels = len(self._paid)
        return Spent(money, hours, n_labels, self._n_timed, self._n_untimed, self._routed)

    def read_money(self) -> float | None:
        """Return the money spent; None if nothing has a price."""
        spent = self.read()
        return spent.money if self.spending.has_prices or spent.routed else None

    def describe_end(self) -> str:
        """Describe which part of the budget is used up; empty while none is."""
        has_budget = self.spending.money is not None or self.spending.hours is not None
        return self.spending.describe_end(self.read()) if has_budget else ""

    def _add(self, event: Event) -> None:
        self._position = event.seq
        if event.kind == "route":
            self._routes.add(event.id)
            self._routed += sum(event.value["cost"]) + event.value["other_cost"]
        if event.ticket in self._routes:
            return
        if event.kind not in ANSWERS or (event.annotator is None and event.ticket is None):
            return
        if event.seconds is None:
            self._n_untimed += 1
        else:
            self._n_timed += 1
            self._seconds += event.seconds
        pair = event.item, event.annotator
        if event.kind == "label" and pair not in self._paid and event.item is not None:
            self._paid.add(pair)
            self._prices += self.spending.find_price(event.item)


def record_spending(store: LabelStore, spending: Spending | None) -> Spending | None:
    """Return the spending of a session; one that is given becomes that of the store.

    Parameters
    ----------
    store : LabelStore
        The store, which may be read only if `spending` is None.
    spending : Spending or None
        The spending; None: the one that the store has, if any.
    """
    parts = list(iter_parts(store, _FACT))
    stored = _read(parts[-1]) if parts else None
    if spending is None or spending == stored:
        return stored
    record, number = spending.to_record(), len(parts) + 1
    while store.set_fact(name_part(_FACT, number), record) != record:  # another session's is first
        number += 1
    return spending


def _read(record: Any) -> Spending:
    check_shape("fact spending", record, _SHAPE)
    try:
        price = record["price"]
        return Spending(**{**record, "price": dict(price) if isinstance(price, list) else price})
    except (TypeError, ValueError):  # pairs that are none, negative prices
        return Spending(**check_shape("fact spending", record, ()))


def _check_amount(name: str, value: Any, *, above: bool = False) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {value!r}.")
    if not isfinite(value) or value < 0 or (above and value == 0):
        raise ValueError(
            f"{name} must be finite and {'above' if above else 'at least'} 0, got {value!r}."
        )
