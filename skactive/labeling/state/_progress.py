"""Progress and records of a session, derived from its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, TypeAlias

from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._leases import LiveLeases
from skactive.labeling.state._routing import RoutedAnswer, read_routed
from skactive.labeling.state._state import Answer, SessionState

__all__ = [
    "RECORD_FIELDS",
    "ROUTED_FIELDS",
    "Progress",
    "iter_records",
    "progress_of",
    "state_records",
]

GetEvents: TypeAlias = Callable[[Sequence[int]], Sequence[Event]]

_CHUNK = 10_000  # events in memory at a time

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
# Further fields, of sessions with a router.
ROUTED_FIELDS = ("source", "confidence", "cost")


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
        Number of rows per label; empty if labels are numbers.
    annotators : dict
        Number of rows that each annotator labeled.
    accuracy : (float, float, float) or None
        Accuracy of the latest model on the audit rows, and its 95 % interval (Clopper-Pearson).
        None without an audit.
    error : (float, float, float) or None
        If labels are numbers: mean absolute error of the latest model on the audit rows, and its
        95 % interval (:func:`skactive.estimation.mean_interval`).
    n_audited : int
        Number of audit rows that have a label.
    stop_reason : str
        Why the stopping criterion says stop; empty unless it does.
    fitting : bool
        Whether a model is being fitted in this process.
    problem : str
        Error of the last fit; empty if there was none.
    has_classes : bool
        Whether labels are classes; False if they are numbers.
    routed : dict
        Number of rows that each annotator of a router labeled; they are among `annotators`, too.
    certificate : str
        What the router promises; empty without one.
    n_asked : int
        Number of rows for which people are asked first, and that none of them has labeled.
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
    n_audited: int = 0
    error: tuple[float, float, float] | None = None
    has_classes: bool = True
    routed: dict[str, int] = field(default_factory=dict)
    certificate: str = ""
    n_asked: int = 0
    min_audited: ClassVar[int] = 20

    @property
    def reliable_accuracy(self) -> tuple[float, float, float] | None:
        """The accuracy; None below `min_audited` audit rows, when it could be almost anything."""
        return self.accuracy if self.n_audited >= self.min_audited else None


def progress_of(
    state: SessionState, leases: LiveLeases, *, n_rows: int, has_classes: bool = True
) -> Progress:
    """Return the progress of a session; numbers are counted by no class."""
    plan = state.plan.value if state.plan else {}
    return Progress(
        n_rows=n_rows,
        n_labeled=state.n_labels,
        n_unknown=state.n_unknown,
        n_skipped=state.n_skipped,
        n_in_flight=len(leases.items()),
        n_learned=plan.get("n_labels", 0),
        n_rounds=len(state.plan_positions),
        classes=state.count_classes() if has_classes else {},
        annotators=state.count_annotators(),
        accuracy=_estimate_accuracy(plan.get("audit")),
        stop_reason=plan.get("stop", ""),
        n_audited=state.n_audited,
        error=None if (error := plan.get("audit_error")) is None else tuple(error),
        has_classes=has_classes,
        routed=state.count_routed(),
        certificate=state.routing.certificate,
        n_asked=sum(state.awaits_people(item) for item in state.routing.asked),
    )


def _estimate_accuracy(audit: tuple[int, int] | None) -> tuple[float, float, float] | None:
    """Return the share of right predictions and its interval; None without an audit."""
    if not audit:
        return None
    from skactive.estimation import clopper_pearson  # late: a store can be read without SciPy

    n_right, n_audit = audit
    return n_right / n_audit, *clopper_pearson(n_right, n_audit)


def iter_records(
    answers: Iterable[Answer],
    get_events: GetEvents,
    routed: Mapping[tuple[Ident, str | None], RoutedAnswer] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield answers as dicts, with their labels under the present names of the classes.

    Parameters
    ----------
    answers : iterable of Answer
        The answers.
    get_events : callable
        Returns the events at a list of positions.
    routed : mapping, default=None
        What is known of the answers of annotators, as `read_routed` returns it; if there is any,
        all records have the fields `ROUTED_FIELDS`.
    """
    for chunk in _split(answers):
        events = get_events([answer.position for answer in chunk])
        for answer, event in zip(chunk, events, strict=True):
            named = event._replace(value=answer.label)
            record = {name: getattr(named, field) for name, field in RECORD_FIELDS.items()}
            if routed:
                known = (
                    routed.get((event.item, event.annotator)) if event.item is not None else None
                )
                record |= _describe_source(known)
            yield record


def state_records(state: SessionState, get_events: GetEvents) -> Iterator[dict[str, Any]]:
    """Yield the answers that hold in a state, as dicts, in the order of the store."""
    routed = read_routed(state.routing.positions, get_events)
    return iter_records(state.iter_answers(), get_events, routed)


def _describe_source(known: RoutedAnswer | None) -> dict[str, Any]:
    if known is None:
        return dict(zip(ROUTED_FIELDS, ("people", None, None), strict=True))
    return dict(zip(ROUTED_FIELDS, ("annotator", known.confidence, known.cost), strict=True))


def _split(answers: Iterable[Answer]) -> Iterator[list[Answer]]:
    iterator = iter(answers)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
