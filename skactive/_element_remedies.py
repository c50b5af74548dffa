"""Advice by strategy: the one like it that serves a model of several things per row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skactive._utils.text import join_lines
from skactive.adapters import ModelAdapter
from skactive.adapters._elements import ELEMENT_READINGS
from skactive.exceptions import CapabilityError
from skactive.strategies import (
    BALD,
    Aggregate,
    HypothesisEntropy,
    Margin,
    PredictiveStd,
    Random,
    SampleDisagreement,
    ScoringStrategy,
    Strategy,
)

__all__ = [
    "PER_LABEL",
    "ROWS_ONLY",
    "advise_on_elements",
    "advise_on_single_elements",
    "find_missing_need",
    "iter_parts",
    "list_readings",
    "name_elements",
]

# Readings of which there is one per label of a row: they are for one label per row.
PER_LABEL = frozenset(
    {"proba", "decision", "proba_samples", "joint_samples", "gradient_factors", "fantasize"}
)

ROWS_ONLY = "a strategy that looks at the rows only, such as KCenterGreedy or Random"

Provides = Callable[[str], bool]


def iter_parts(strategy: Any) -> Iterator[Any]:
    """Yield a strategy and the strategies in it."""
    yield strategy
    for part in strategy.parts() if hasattr(strategy, "parts") else []:
        yield from iter_parts(part)


def advise_on_elements(strategy: Any, adapter: ModelAdapter) -> str:
    """Return which strategy like a given one chooses among rows of several elements each."""
    kind, kinds = str(adapter.element), name_elements(adapter.element)

    def provides(reading: str) -> bool:
        return adapter.provides(f"elements.{reading}")

    if (found := _find_served(strategy, adapter)) is not None:
        place = f"it predicts each {kind} of a row"
    else:
        found = next((each for each in _list_plain(kind) if _serves_rows(each, adapter)), None)
        place = f"of its {kinds} it gives {list_readings(provides)}"
    if found is None:
        return f"{place}, so use {ROWS_ONLY}"
    single = _find_for_elements(found, kind, provides)
    use = f"{write_strategy(found)}, which scores rows by their {kinds} in query"
    if single is found:
        return f"{place}, so use {use} and chooses single {kinds} in query_elements, or {ROWS_ONLY}"
    return f"{place}, so use {use}, and {write_strategy(single)} in query_elements, or {ROWS_ONLY}"


def advise_on_single_elements(strategy: Any, elements: Any) -> str:
    """Return which strategy, of a learner, chooses among elements that a given one cannot read."""
    found = _find_for_elements(strategy, elements.kind, elements.provides)
    return f"Choose rows by query, or set the strategy to {write_strategy(found)}."


def write_strategy(strategy: Any) -> str:
    """Return the code that makes a strategy, on one line."""
    return join_lines(strategy).replace("Aggregate(strategy=", "Aggregate(")


def name_elements(kind: str | None) -> str:
    """Return the plural of a kind of elements."""
    irregular = {"box": "boxes", "hypothesis": "hypotheses"}
    return irregular.get(str(kind), f"{kind}s")


def find_missing_need(strategy: Any, provides: Provides) -> list[str] | None:
    """Return the alternatives of the first need that is not provided; None if all are."""
    needs = (need.split("|") for need in sorted(getattr(strategy, "needs", frozenset())))
    return next((options for options in needs if not any(map(provides, options))), None)


def _find_served(strategy: Any, adapter: ModelAdapter) -> Any:
    """Return a strategy like a given one that a model of elements serves; None if there is none.

    It is the same around others that are served, or one of those in it, or in Aggregate.
    """
    if _serves_rows(strategy, adapter):
        return strategy
    if not isinstance(strategy, Strategy):
        return None
    parts: list[Any] = []

    def replace(part: Any) -> Any:
        parts.append(_find_served(part, adapter))
        return part if parts[-1] is None else parts[-1]

    tries = [strategy.with_parts(replace), *(part for part in parts if _reads_elements(part))]
    if isinstance(strategy, ScoringStrategy):
        tries.append(Aggregate(strategy))
    return next((each for each in tries if _serves_rows(each, adapter)), None)


def _reads_elements(strategy: Any) -> bool:
    return strategy is not None and any("elements." in need for need in strategy.needs)


def _serves_rows(strategy: Any, adapter: ModelAdapter) -> bool:
    """Return whether a model of elements gives a strategy what it needs to choose rows."""
    reads_labels = any(getattr(part, "one_label_only", False) for part in iter_parts(strategy))
    options = {option for need in strategy.needs for option in need.split("|")}
    return (
        not reads_labels
        and not options & PER_LABEL
        and find_missing_need(strategy, adapter.provides) is None
    )


def _find_for_elements(strategy: Any, kind: str, provides: Provides) -> Any:
    """Return a strategy whose choice among elements is served: this one, one in it, or another."""
    tries = [strategy, *_iter_strategies_in(strategy), *_list_plain(kind), Random()]
    return next(each for each in tries if _serves_elements(each, provides))


def _serves_elements(strategy: Any, provides: Provides) -> bool:
    """Return whether a strategy can choose among elements by what is provided of them."""
    try:
        chooser = getattr(strategy, "for_elements", strategy)
    except CapabilityError:  # it keeps a rule of rows
        return False
    return find_missing_need(chooser, provides) is None


def _iter_strategies_in(strategy: Any) -> Iterator[Any]:
    """Yield the strategies of which a strategy is made, the outer ones first."""
    parts: list[Any] = []
    if isinstance(strategy, Strategy):
        strategy.with_parts(lambda part: parts.append(part) or part)  # type: ignore[func-returns-value]
    for part in parts:
        yield part
        yield from _iter_strategies_in(part)


def _list_plain(kind: str) -> list[Any]:
    """List simple strategies for models of elements, one for each kind of reading."""
    plain = [Aggregate(Margin()), Aggregate(BALD()), Aggregate(PredictiveStd())]
    of_texts = [SampleDisagreement()] if kind == "hypothesis" else []
    return [*plain, HypothesisEntropy(), *of_texts]


def list_readings(provides: Provides) -> str:
    """List what is provided of elements."""
    return ", ".join(filter(provides, ELEMENT_READINGS)) or "nothing that strategies read"
