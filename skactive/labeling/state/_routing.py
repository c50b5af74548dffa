"""Routing: the rows that annotators other than people have labeled, and those to ask first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._shapes import ASK, ROUTE, has_shape

__all__ = ["RoutedAnswer", "Routing", "iter_route", "read_routed"]

GetEvents = Callable[[Sequence[int]], Sequence[Event]]

_CHUNK = 100  # routes in memory at a time; each holds up to 1,000 rows


class RoutedAnswer(NamedTuple):
    """An answer that a router accepted: how sure the annotator was, and what it cost.

    Parameters
    ----------
    confidence : float or None
        How sure the annotator was; None if it did not say.
    cost : float
        What the answer cost.
    """

    confidence: float | None
    cost: float


class Routing:
    """The router of a session: its annotators, its promise, and whom it asks for.

    Attributes
    ----------
    annotators : dict
        The annotators of the router, by name: the code of each.
    positions : list of int
        Positions of the routes in the store: each holds what is known of some answers.
    certificate : str
        The promise of the router that was used last; empty without one.
    asked : dict
        The rows that people are asked for first, in order, though an annotator may have labeled
        them; the keys of a dict, whose values are None.
    said : str
        A digest of what models answered to these rows when they were drawn.
    """

    def __init__(self) -> None:
        self.annotators: dict[str, int] = {}
        self.positions: list[int] = []
        self.certificate = ""
        self.asked: dict[Ident, None] = {}
        self.said = ""

    def add_route(self, event: Event, add_annotator: Callable[[Any], int]) -> None:
        """Add a route: it precedes the answers that it is about."""
        if not has_shape(event.value, ROUTE) or not _is_consistent(event.value):
            raise ValueError("it is not a route")
        if event.annotator is not None:
            self.annotators[event.annotator] = add_annotator(event.annotator)
        self.positions.append(event.seq)
        self.certificate = event.value["certificate"]

    def ask(self, event: Event) -> None:
        """Ask people for rows first, in place of those that were to come first before."""
        if not has_shape(event.value, ASK):
            raise ValueError("it does not ask for rows")
        self.asked, self.said = dict.fromkeys(event.value["items"]), event.value["said"]

    def to_record(self) -> dict[str, Any]:
        """Return what a saved state holds; the codes of annotators are in it already."""
        return {
            "annotators": list(self.annotators),
            "positions": self.positions,
            "certificate": self.certificate,
            "asked": list(self.asked),
            "said": self.said,
        }

    def load(self, record: dict[str, Any], codes: dict[str | None, int]) -> None:
        """Load what `to_record` returned."""
        self.annotators = {name: codes[name] for name in record["annotators"]}
        self.positions = list(record["positions"])
        self.certificate = str(record["certificate"])
        self.asked, self.said = dict.fromkeys(record["asked"]), str(record["said"])


def read_routed(
    positions: Sequence[int], get_events: GetEvents
) -> dict[tuple[Ident, str | None], RoutedAnswer]:
    """Return what is known of the answers of annotators, by row and name: the last of each.

    Parameters
    ----------
    positions : sequence of int
        Positions of the routes.
    get_events : callable
        Returns the events at a list of positions.
    """
    found: dict[tuple[Ident, str | None], RoutedAnswer] = {}
    for start in range(0, len(positions), _CHUNK):
        for event in get_events(positions[start : start + _CHUNK]):
            found.update(iter_route(event))
    return found


def iter_route(event: Event) -> Iterable[tuple[tuple[Ident, str | None], RoutedAnswer]]:
    """Yield what a route says of answers, by row and name."""
    value = event.value
    columns = zip(value["items"], value["confidence"], value["cost"], strict=True)
    return (((i, event.annotator), RoutedAnswer(sure, cost)) for i, sure, cost in columns)


def _is_consistent(value: dict[str, Any]) -> bool:
    return len(value["items"]) == len(value["confidence"]) == len(value["cost"])
