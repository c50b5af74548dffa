"""What a ledger comes to, as people read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skactive.estimation import clopper_pearson
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._state import SessionState

__all__ = ["RECORD", "Progress", "progress_of", "records_of"]

# The fields of a record, in the order in which tables and files have them, and what they are of
# an event.
RECORD = {
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
    """How far a session is.

    Parameters
    ----------
    n_rows, n_labeled, n_unknown, n_skipped, n_in_flight : int
        Rows in the pool; with a label; of which somebody said "don't know"; skipped by somebody
        and not labeled; handed out and not answered.
    n_learned : int
        Labels from which the last model learned.
    n_rounds : int
        Models so far; the first choice, without one, counts too.
    classes : dict
        How many rows have each label.
    annotators : dict
        How many answers came from each.
    accuracy : (float, float, float) or None
        Of the last model, on the rows of the audit: share predicted rightly, and its 95 %
        interval (Clopper-Pearson). None without an audit.
    stop_reason : str
        Why to stop, where the criterion says so; else empty.
    fitting : bool
        Whether a model is being fitted in this process.
    problem : str
        What went wrong in the last fit; else empty.
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


def progress_of(ledger: SessionState, leases: LiveLeases, *, n_rows: int) -> Progress:
    """Return how far a campaign is, from its ledger."""
    plan = ledger.plan.value if ledger.plan else {}
    audit = plan.get("audit")
    return Progress(
        n_rows=n_rows,
        n_labeled=ledger.n_labels,
        n_unknown=ledger.tally["unknown", None],
        n_skipped=ledger.tally["skip", None],
        n_in_flight=len(leases.items()),
        n_learned=plan.get("n_labels", 0),
        n_rounds=len(ledger.rounds),
        classes=ledger.counts("class"),
        annotators=ledger.counts("annotator"),
        accuracy=None if not audit else (audit[0] / audit[1], *clopper_pearson(*audit)),
        stop_reason=plan.get("stop", ""),
    )


def records_of(ledger: SessionState) -> list[dict[str, Any]]:
    """Return the answers that hold, in the order in which they came."""
    return [
        {name: getattr(event, attribute) for name, attribute in RECORD.items()}
        for event in ledger.answers()
    ]
