"""Progress and records of a session, derived from its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._state import SessionState

__all__ = ["RECORD_FIELDS", "Progress", "progress_of", "records_of"]

# The fields of a record, in the order of the columns of tables and files; and the attributes of an
# event that they hold.
RECORD_FIELDS = {
    "id": "item",
    "kind": "kind",
    "label": "value",
    "annotator": "annotator",
    "time": "time",
    "seconds": "seconds",
    "round": "round",
    "score": "score",
    "ticket": "ticket",
}


@dataclass(frozen=True)
class Progress:
    """Progress of a labeling session.

    Parameters
    ----------
    n_rows, n_labeled, n_unknown, n_skipped, n_in_flight : int
        Numbers of rows: in the pool; with a label; without one, that somebody answered with "don't
        know"; without one, that somebody skipped; handed out and not answered yet.
    n_learned : int
        Number of labels that the latest model learned from.
    n_rounds : int
        Number of rounds so far; the first, which has no model, counts too.
    classes : dict
        Number of rows per label.
    annotators : dict
        Number of answers per annotator.
    accuracy : (float, float, float) or None
        Accuracy of the latest model on the audit rows, and its 95 % interval (Clopper-Pearson).
        None without an audit.
    stop_reason : str
        Why the stopping criterion says stop; empty unless it does.
    fitting : bool
        Whether a model is being fitted in this process.
    problem : str
        Error of the last fit; empty if there was none.
    """

    n_rows: int
    n_labeled: int
    n_unknown: int
    n_skipped: int
    n_in_flight: int
    n_learned: int
    n_rounds: int
    classes: dict[Any, int] = field(default_factory=dict)
    annotators: dict[str | None, int] = field(default_factory=dict)
    accuracy: tuple[float, float, float] | None = None
    stop_reason: str = ""
    fitting: bool = False
    problem: str = ""


def progress_of(state: SessionState, leases: LiveLeases, *, n_rows: int) -> Progress:
    """Return the progress of a session."""
    plan = state.plan.value if state.plan else {}
    return Progress(
        n_rows=n_rows,
        n_labeled=state.n_labels,
        n_unknown=state.tally["unknown", None],
        n_skipped=state.tally["skip", None],
        n_in_flight=len(leases.items()),
        n_learned=plan.get("n_labels", 0),
        n_rounds=len(state.rounds),
        classes=state.counts("class"),
        annotators=state.counts("annotator"),
        accuracy=_estimate_accuracy(plan.get("audit")),
        stop_reason=plan.get("stop", ""),
    )


def _estimate_accuracy(audit: tuple[int, int] | None) -> tuple[float, float, float] | None:
    """Return the share of right predictions and its interval; None without an audit."""
    if not audit:
        return None
    from skactive.estimation import clopper_pearson  # late: a store can be read without SciPy

    n_right, n_audit = audit
    return n_right / n_audit, *clopper_pearson(n_right, n_audit)


def records_of(state: SessionState) -> list[dict[str, Any]]:
    """Return the answers that hold, in the order in which they were given."""
    return [
        {name: getattr(event, attribute) for name, attribute in RECORD_FIELDS.items()}
        for event in state.answers()
    ]
