"""Answers and rounds in files and tables that other programs read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from skactive.labeling.state._events import Event
from skactive.labeling.state._progress import RECORD_FIELDS

__all__ = ["EXPORT_KINDS", "answers_to_frame", "export", "rounds_to_frame"]

Record = dict[str, Any]


def export(records: Sequence[Record], path: Path, kind: str | None) -> Path:
    """Write records to a file, completely or not at all.

    Parameters
    ----------
    records : sequence of dict
        Records as ``LabelingSession.records`` returns them.
    path : Path
        The file; an existing one is replaced.
    kind : str or None
        One of `EXPORT_KINDS`; None follows from the suffix of the file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    kind = _KIND_OF_SUFFIX.get(path.suffix.lower()) if kind is None else kind
    if kind not in EXPORT_KINDS:
        raise ValueError(
            f"kind must be one of {', '.join(EXPORT_KINDS)}, got kind={kind!r} for {path.name}: "
            f"pass one of them, or a file with one of the suffixes {', '.join(_KIND_OF_SUFFIX)}."
        )
    # Beside it first, so that a full disk leaves an older file as it was.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        EXPORT_KINDS[kind](records, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def answers_to_frame(records: Sequence[Record]) -> Any:
    """Return records as a DataFrame, with times in UTC."""
    pandas = _import_pandas()
    frame = pandas.DataFrame(records, columns=list(RECORD_FIELDS))
    return frame.assign(time=pandas.to_datetime(frame["time"], unit="s", utc=True))


def rounds_to_frame(rounds: Sequence[Event]) -> Any:
    """Return the plans of a session as a DataFrame, one row per model."""
    pandas = _import_pandas()
    rows = []
    for number, event in enumerate(rounds, 1):
        plan = event.value
        n_right, n_audit = plan["audit"] or (None, 0)
        row = {
            "round": number,
            "n_labels": plan["n_labels"],
            "fit_seconds": plan["fit_seconds"],
            "query_seconds": plan["query_seconds"],
            "audit_n": n_audit,
            "audit_score": n_right / n_audit if n_right is not None else float("nan"),
            "time": pandas.Timestamp(event.time, unit="s", tz="UTC"),
            "stop": plan["stop"],
        }
        rows.append(row | plan["stopping"])
    return pandas.DataFrame(rows)


def _write_csv(records: Sequence[Record], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, RECORD_FIELDS)
        writer.writeheader()
        for record in records:
            label = record["label"]
            cell = json.dumps(label, ensure_ascii=False) if isinstance(label, list) else label
            writer.writerow(record | {"label": cell, "time": _format_time(record["time"])})


def _write_jsonl(records: Sequence[Record], path: Path) -> None:
    lines = (
        json.dumps(record | {"time": _format_time(record["time"])}, ensure_ascii=False)
        for record in records
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_parquet(records: Sequence[Record], path: Path) -> None:
    answers_to_frame(records).to_parquet(path, index=False)


def _write_label_studio(records: Sequence[Record], path: Path) -> None:
    """Write tasks with their annotations, as Label Studio imports them."""
    tasks: dict[Any, dict[str, Any]] = {}
    for record in records:
        task = tasks.setdefault(record["id"], {"data": {"id": record["id"]}, "annotations": []})
        task["annotations"].append(_make_annotation(record))
    path.write_text(json.dumps(list(tasks.values()), ensure_ascii=False), encoding="utf-8")


def _make_annotation(record: Record) -> dict[str, Any]:
    label = record["label"]
    is_label = record["kind"] == "label"
    classes = label if isinstance(label, list) else [label]
    result = {
        "from_name": "label",
        "to_name": "item",
        "type": "choices",
        "value": {"choices": [str(c) for c in classes]},
    }
    annotation = {
        "result": [result] if is_label else [],
        "was_cancelled": not is_label,
        "created_at": _format_time(record["time"]),
    }
    if record["seconds"] is not None:
        annotation["lead_time"] = record["seconds"]
    if record["annotator"] is not None:
        annotation["completed_by"] = {"email": record["annotator"]}
    return annotation


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _import_pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Tables of a session need pandas: pip install "skactive[data]". Without it use '
            "records()."
        ) from error
    return pandas


EXPORT_KINDS: dict[str, Callable[[Sequence[Record], Path], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
    "label-studio": _write_label_studio,
}
_KIND_OF_SUFFIX = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".json": "label-studio",
}
