"""The content of an export: one row per item, or one per answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from skactive.labeling.state._events import Ident
from skactive.labeling.state._progress import RECORD_FIELDS, ROUTED_FIELDS

if TYPE_CHECKING:
    from skactive.labeling.exporting._predictions import Predictions

__all__ = [
    "AnswerRecord",
    "Answers",
    "Columns",
    "ExportContent",
    "describe_renamed",
    "make_answers",
    "make_items",
    "name_columns",
    "to_datetime",
]

AnswerRecord = dict[str, Any]
Columns = dict[str, list[Any]]

_OUR_COLUMNS = ("label", "status", "labeled_by", "annotators", "n_answers", "agree", "time")
_PREFIX = "data_"  # of a column of the data that is called like one of ours


class Answers(NamedTuple):
    """The answers of a session at one time.

    Attributes
    ----------
    records : list of dict
        The last answer per row and annotator.
    are_numbers : bool
        Whether labels are numbers.
    """

    records: list[AnswerRecord]
    are_numbers: bool = False

    @property
    def routed_fields(self) -> tuple[str, ...]:
        """The fields of answers that a router accepted; none without a router."""
        is_routed = bool(self.records) and ROUTED_FIELDS[0] in self.records[0]
        return ROUTED_FIELDS if is_routed else ()

    def get_labels(self) -> dict[Ident, AnswerRecord]:
        """Return the answer that labels each row: the last label, as they are in order."""
        return {record["id"]: record for record in self.records if record["kind"] == "label"}

    def group(self) -> dict[Ident, list[AnswerRecord]]:
        """Return the answers by row, in the order of the first answers."""
        groups: dict[Ident, list[AnswerRecord]] = {}
        for record in self.records:
            groups.setdefault(record["id"], []).append(record)
        return groups


@dataclass(frozen=True)
class ExportContent:
    """The content of a file to write.

    Parameters
    ----------
    columns : dict of str to list
        The columns of a table.
    ids : list of str or int
        Ids of the items, for formats with one task per item.
    answers : dict of id to list of dict
        Answers by item.
    data : dict of str to list
        Columns of the data, one value per item.
    text : str or None
        Name of the column of texts among them.
    predictions : dict of id to (label, probability)
        Predictions by item.
    notes : list of str
        Remarks for the user.
    are_numbers : bool
        Whether labels are numbers.
    """

    columns: Columns
    ids: list[Ident]
    answers: dict[Ident, list[AnswerRecord]]
    data: Columns = field(default_factory=dict)
    text: str | None = None
    predictions: dict[Ident, tuple[Any, float | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    are_numbers: bool = False


def make_answers(answers: Answers) -> ExportContent:
    """Return one row per answer, in the order in which they were given."""
    records = answers.records
    names = (*RECORD_FIELDS, *answers.routed_fields)
    columns: Columns = {name: [record[name] for record in records] for name in names}
    columns["time"] = [to_datetime(seconds) for seconds in columns["time"]]
    groups = answers.group()
    return ExportContent(columns, list(groups), groups, are_numbers=answers.are_numbers)


def make_items(
    answers: Answers,
    ids: Sequence[Ident] | None = None,
    data: Mapping[str, Sequence[Any]] | None = None,
    *,
    text: str | None = None,
    predictions: Predictions | None = None,
    audit_ids: Iterable[Ident] = (),
    unlabeled: bool = False,
) -> ExportContent:
    """Return one row per item.

    Parameters
    ----------
    answers : Answers
        The answers.
    ids : sequence of str or int, default=None
        Ids of the pool, in its order; None takes those of the answers.
    data : mapping of str to sequence, default=None
        Columns of the data, in the order of `ids`.
    text : str, default=None
        Name of the column of texts.
    predictions : Predictions, default=None
        Predictions for rows without a label; adds columns, and writes all rows.
    audit_ids : iterable of str or int, default=()
        Ids of the audit rows; a column of its own beside predictions.
    unlabeled : bool, default=False
        Whether to write rows without an answer.
    """
    groups = answers.group()
    pool = list(groups) if ids is None else ids
    shown = unlabeled or predictions is not None
    positions = [i for i, ident in enumerate(pool) if shown or ident in groups]
    items = [pool[position] for position in positions]
    taken = {name: [values[i] for i in positions] for name, values in (data or {}).items()}
    labels = answers.get_labels()
    ours = _describe_items(items, groups, labels)
    for name in answers.routed_fields:
        ours[name] = [labels[ident][name] if ident in labels else None for ident in items]
    if predictions is not None:
        ours |= predictions.make_columns(items)
        audit = set(audit_ids)
        ours["audit"] = [ident in audit for ident in items]
    names = name_columns(taken, items, {"id", *ours})
    theirs = {new: taken[old] for old, new in names.items()}
    return ExportContent(
        {"id": items, **theirs, **ours},
        items,
        groups,
        theirs,
        None if text is None else names.get(text, text),
        {} if predictions is None else predictions.get_labels(),
        describe_renamed(names),
        are_numbers=answers.are_numbers,
    )


def _describe_items(
    items: Sequence[Ident],
    groups: dict[Ident, list[AnswerRecord]],
    labels: dict[Ident, AnswerRecord],
) -> Columns:
    """Return the columns that describe the answers about items."""
    columns: Columns = {name: [] for name in _OUR_COLUMNS}
    for ident in items:
        records, label = groups.get(ident, []), labels.get(ident)
        values = (
            None if label is None else label["label"],
            _name_status(records, label),
            None if label is None else label["annotator"],
            [record["annotator"] for record in records if record["annotator"] is not None],
            len(records),
            _do_agree(records),
            to_datetime(max(record["time"] for record in records)) if records else None,
        )
        for name, value in zip(_OUR_COLUMNS, values, strict=True):
            columns[name].append(value)
    return columns


def _name_status(records: list[AnswerRecord], label: AnswerRecord | None) -> str:
    if label is not None:
        return "labeled"
    kinds = {record["kind"] for record in records}
    return "unknown" if "unknown" in kinds else "skipped" if "skip" in kinds else "unlabeled"


def _do_agree(records: list[AnswerRecord]) -> bool | None:
    """Return whether all labels of a row are the same; None for fewer than two."""
    labels = [record["label"] for record in records if record["kind"] == "label"]
    return None if len(labels) < 2 else all(label == labels[0] for label in labels)


def name_columns(data: Columns, ids: Sequence[Ident], ours: set[str]) -> dict[str, str]:
    """Return names for the columns of the data that differ from ours; ids are written once."""
    names: dict[str, str] = {}
    used = set(ours)
    for name, values in data.items():
        if name == "id" and [str(value) for value in values] == [str(ident) for ident in ids]:
            continue
        new = name
        while new in used or (new != name and new in data):
            new = f"{_PREFIX}{new}"
        names[name] = new
        used.add(new)
    return names


def describe_renamed(names: Mapping[str, str]) -> list[str]:
    """Return remarks about columns of the data that are written under other names."""
    return [
        f"The column {old!r} of the data is written as {new!r}."
        for old, new in names.items()
        if old != new
    ]


def to_datetime(seconds: float) -> datetime | None:
    """Return a time in UTC; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
