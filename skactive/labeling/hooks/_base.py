"""Calling the hooks of a session; an error in a hook never stops the labeling."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from skactive.exceptions import SkactiveWarning
from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._state import SessionState

__all__ = ["HOOKS", "Notifier", "SessionEvent", "check_hooks"]

HOOKS = ("on_fit_end", "on_query_end", "on_labels", "on_round_end", "on_stop")


@dataclass(frozen=True)
class SessionEvent:
    """Argument of the methods of a hook.

    Parameters
    ----------
    name : str
        The method that is called: "on_fit_end" (a model was fitted), "on_query_end" (rows were
        chosen), "on_labels" (answers were stored), "on_round_end" (a round is complete) or
        "on_stop" (the stopping criterion says stop for the first time).
    round : int
        Number of rounds so far; the first, without a model, is 1.
    n_labels : int
        Number of rows that have a label.
    ids : tuple of str or int
        The rows that were chosen, or answered.
    scores : tuple of float or None
        Scores of the chosen rows, if the query strategy scores rows.
    metrics : dict of str to float
        ``n_learned``, the number of labels that the model learned from; with an audit ``audit_n``
        and ``audit_score``, or if labels are numbers the mean absolute ``audit_error``; and the
        values of the stopping criteria, by name.
    seconds : float
        Duration of the fit, the query or the round; of answers, the time that the person took.
    annotator : str or None
        Name of the person who answered.
    labels : dict
        For "on_labels": the new labels, by row.
    audited : tuple of str or int
        For "on_labels": those of the rows that belong to the audit.
    reason : str
        For "on_stop": why to stop.
    """

    name: str
    round: int
    n_labels: int
    ids: tuple[Ident, ...] = ()
    scores: tuple[float, ...] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    annotator: str | None = None
    labels: dict[Ident, Any] = field(default_factory=dict)
    audited: tuple[Ident, ...] = ()
    reason: str = ""


def check_hooks(hooks: Sequence[Any]) -> list[Any]:
    """Check that each hook has at least one of the methods that are called."""
    for hook in hooks:
        if not any(callable(getattr(hook, name, None)) for name in HOOKS):
            raise TypeError(
                f"A hook needs at least one of the methods {', '.join(HOOKS)}; {hook!r} has none."
            )
    return list(hooks)


class Notifier:
    """Calls the hooks of a session.

    Parameters
    ----------
    hooks : list of objects
        The hooks, in the order in which they are called.
    state : SessionState
        The state of the session, for the numbers of rounds and labels.
    audit_ids : collection of str or int
        Rows of the audit.
    """

    def __init__(self, hooks: list[Any], state: SessionState, audit_ids: Collection[Ident]) -> None:
        self._hooks, self._state, self._audit_ids = hooks, state, audit_ids
        self._stopped = False

    def notify_labels(
        self, events: Sequence[Event], annotator: str | None, seconds: float | None
    ) -> None:
        """Call ``on_labels`` with answers that were stored, if there are any."""
        if events and self._hooks:
            self._notify(
                "on_labels",
                ids=tuple(event.item for event in events),
                labels={event.item: event.value for event in events if event.kind == "label"},
                annotator=annotator,
                audited=tuple(event.item for event in events if event.item in self._audit_ids),
                seconds=0.0 if seconds is None else float(seconds),
            )

    def notify_round(self, plan: dict[str, Any]) -> None:
        """Call the hooks of a round with its plan, as it was stored."""
        metrics = _read_metrics(plan)
        chosen = {"ids": tuple(plan["ids"]), "scores": plan["scores"] and tuple(plan["scores"])}
        if plan["n_labels"]:
            self._notify("on_fit_end", metrics=metrics, seconds=plan["fit_seconds"])
        self._notify("on_query_end", metrics=metrics, seconds=plan["query_seconds"], **chosen)
        seconds = plan["fit_seconds"] + plan["query_seconds"]
        self._notify("on_round_end", metrics=metrics, seconds=seconds, **chosen)
        if plan["stop"] and not self._stopped:
            self._stopped = True
            self._notify("on_stop", metrics=metrics, reason=plan["stop"])

    def _notify(self, name: str, **details: Any) -> None:
        event = SessionEvent(name, len(self._state.plan_positions), self._state.n_labels, **details)
        for hook in self._hooks:
            _call_hook(hook, event)


def _read_metrics(plan: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of a round: labels learned from, stopping values, audit."""
    metrics = {"n_learned": float(plan["n_labels"])}
    metrics |= {name: value for name, value in plan["stopping"].items() if value is not None}
    if plan["audit"]:
        n_right, n = plan["audit"]
        metrics |= {"audit_n": float(n), "audit_score": n_right / n}
    if plan.get("audit_error"):
        metrics["audit_error"] = plan["audit_error"][0]
    return metrics


def _call_hook(hook: Any, event: SessionEvent) -> None:
    """Call the method of a hook, if it has it; an error becomes a warning."""
    method = getattr(hook, event.name, None)
    if method is None:
        return
    try:
        method(event)
    except Exception as error:
        warnings.warn(
            f"The hook {type(hook).__name__}.{event.name} failed; labeling continues "
            f"({type(error).__name__}: {error}).",
            SkactiveWarning,
            stacklevel=2,
        )
