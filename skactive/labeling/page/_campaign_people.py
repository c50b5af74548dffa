"""The people of a session, by their answers: speed, agreement and drift."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import Any

from skactive.labeling.hooks import DriftAlert

__all__ = ["count_by_time", "describe_agreement", "describe_people", "find_drift"]

_HOUR = 3600
_WIDTHS = (_HOUR, 24 * _HOUR, 7 * 24 * _HOUR)  # seconds
_MAX_SPANS = 48
_MAX_PAIRS = 10

Record = dict[str, Any]


def describe_people(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the labels, answers, speed and hours of each person, the most active first."""
    given: dict[str | None, list[Record]] = defaultdict(list)
    for record in records:
        given[record["annotator"]].append(record)
    people = [_describe_person(name, answers) for name, answers in given.items()]
    return sorted(people, key=lambda person: -person["n_answers"])


def _describe_person(name: str | None, answers: Sequence[Record]) -> dict[str, Any]:
    seconds = [answer["seconds"] for answer in answers if answer["seconds"] is not None]
    return {
        "name": name or "",
        "n_labels": sum(answer["kind"] == "label" for answer in answers),
        "n_answers": len(answers),
        "seconds": median(seconds) if seconds else None,
        "hours": sum(seconds) / _HOUR if seconds else None,
        "last": max(answer["time"] for answer in answers),
    }


def count_by_time(records: Sequence[Record]) -> dict[str, Any]:
    """Count the labels per hour, day or week (UTC), those of people and of annotators.

    Returns
    -------
    dict
        ``seconds``, the width of a span; ``spans``, triples of its beginning (seconds since 1970),
        the labels of people and those of annotators, without gaps.
    """
    labels = [record for record in records if record["kind"] == "label"]
    times = [record["time"] for record in labels]
    if not times:
        return {"seconds": _HOUR, "spans": []}
    reach = max(times) - min(times)
    width = next((w for w in _WIDTHS if reach / w < _MAX_SPANS), _WIDTHS[-1])
    counts: Counter[tuple[int, bool]] = Counter(
        (int(r["time"] // width), r.get("source") == "annotator") for r in labels
    )
    last = int(max(times) // width)
    first = max(int(min(times) // width), last - _MAX_SPANS + 1)
    spans = [[n * width, counts[n, False], counts[n, True]] for n in range(first, last + 1)]
    return {"seconds": width, "spans": spans}


def describe_agreement(records: Sequence[Record], *, are_numbers: bool) -> dict[str, Any] | None:
    """Return how far people agree; None if no row was labeled by two.

    Returns
    -------
    dict or None
        ``alpha``, Krippendorff's alpha with its interval, None where it cannot be measured;
        ``n_rows``, the rows that several people labeled; ``n_differ``, those with different labels;
        ``pairs``: two names, rows that both labeled, and the share with equal labels.
    """
    by_row: dict[Any, dict[str, Any]] = defaultdict(dict)
    for record in records:
        if record["kind"] == "label" and record["annotator"] is not None:
            by_row[record["id"]][record["annotator"]] = _to_key(record["label"])
    shared = [labels for labels in by_row.values() if len(labels) > 1]
    if not shared:
        return None
    return {
        "alpha": _measure_alpha(shared, are_numbers=are_numbers),
        "n_rows": len(shared),
        "n_differ": sum(len(set(labels.values())) > 1 for labels in shared),
        "pairs": _compare_pairs(shared),
    }


def _to_key(label: Any) -> Any:
    return tuple(label) if isinstance(label, list) else label


def _measure_alpha(shared: Sequence[dict[str, Any]], *, are_numbers: bool) -> list[Any] | None:
    """Return Krippendorff's alpha and its interval, None for what is not defined."""
    from skactive.crowds import Answers, agreement  # late: few need it

    triples = [(i, name, label) for i, row in enumerate(shared) for name, label in row.items()]
    if any(isinstance(label, tuple) for *_, label in triples):
        triples = [(i, name, repr(label)) for i, name, label in triples]
    if len({label for *_, label in triples}) < 2:
        return None  # all are the same: chance agrees as well
    level = "interval" if are_numbers else "nominal"
    found = agreement(Answers(*(list(c) for c in zip(*triples, strict=True))), level=level)
    values = (found.value, found.low, found.high)
    return (
        None if found.value != found.value else [v if v == v else None for v in map(float, values)]
    )


def _compare_pairs(shared: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """Return pairs of people, the rows that both labeled, and the share with equal labels."""
    n_rows: Counter[tuple[str, str]] = Counter()
    n_equal: Counter[tuple[str, str]] = Counter()
    for labels in shared:
        for pair in combinations(sorted(labels), 2):
            n_rows[pair] += 1
            n_equal[pair] += labels[pair[0]] == labels[pair[1]]
    most = n_rows.most_common(_MAX_PAIRS)
    return [[*pair, n, n_equal[pair] / n] for pair, n in most]


def find_drift(records: Sequence[Record], session: Any) -> list[dict[str, Any]]:
    """Return the alarms of a DriftAlert: that of the session's hooks, or one of all answers."""
    watching = [hook for hook in session.hooks if isinstance(hook, DriftAlert)]
    if not watching:
        watching = [DriftAlert(callback=_ignore, audit_ids=session.audit_ids)]
        watching[0].replay(records)
    alarms = [alarm for hook in watching for alarm in hook.alarms]
    return [{"message": str(alarm), "n_labels": alarm.n_labels} for alarm in alarms]


def _ignore(alarm: Any) -> None:
    """Take an alarm, which is shown with the others."""
