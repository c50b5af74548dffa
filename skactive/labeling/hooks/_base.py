"""Calling what watches a session; what goes wrong there never stops the labeling."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from skactive.exceptions import SkactiveWarning
from skactive.labeling.state._events import Ident

__all__ = ["HOOKS", "SessionEvent", "call_hooks", "check_hooks"]

HOOKS = ("on_fit_end", "on_query_end", "on_labels", "on_round_end", "on_stop")


@dataclass(frozen=True)
class SessionEvent:
    """What a hook is told.

    Parameters
    ----------
    name : str
        The method that is called: "on_fit_end" (a model was fitted), "on_query_end" (it has chosen
        rows), "on_labels" (answers were stored), "on_round_end" (all of a round is done) or
        "on_stop" (the stopping criterion says stop, for the first time).
    round : int
        How many rounds there were; the first, without a model, is 1.
    n_labels : int
        How many rows have a label.
    ids : tuple of str or int
        The rows that were chosen, or answered.
    scores : tuple of float or None
        What the strategy gave the rows that were chosen, where it scores rows.
    metrics : dict of str to float
        ``n_learned``, the labels that the model learned from; with an audit ``audit_n`` and
        ``audit_score``; of each stopping criterion what it read.
    seconds : float
        How long the fit, the query or the round took; of answers, how long the person took.
    annotator : str or None
        Who answered.
    labels : dict
        Of "on_labels": the label of each row that got one.
    audited : tuple of str or int
        Of "on_labels": which of the rows are of the audit.
    reason : str
        Of "on_stop": why.
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
    """Check that each hook has at least one method that will be called."""
    for hook in hooks:
        if not any(callable(getattr(hook, name, None)) for name in HOOKS):
            raise TypeError(
                f"A hook needs at least one of the methods {', '.join(HOOKS)}; {hook!r} has none."
            )
    return list(hooks)


def call_hooks(hooks: Sequence[Any], event: SessionEvent) -> None:
    """Tell all hooks; an error in one is reported as a warning."""
    for hook in hooks:
        method = getattr(hook, event.name, None)
        if method is None:
            continue
        try:
            method(event)
        except Exception as error:
            warnings.warn(
                f"The hook {type(hook).__name__}.{event.name} failed, labeling goes on "
                f"({type(error).__name__}: {error}).",
                SkactiveWarning,
                stacklevel=2,
            )
