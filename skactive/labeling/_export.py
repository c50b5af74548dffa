"""Answers in files that other programs read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from skactive.labeling.state._events import Event
from skactive.labeling.state._progress import RECORD

__all__ = ["KINDS", "export"]

Records = Sequence[dict[str, Any]]


def export(records: Records, path: Path, kind: str | None) -> Path:
    """Write records into a file, whole or not at all.

    Parameters
    ----------
    records : sequence of dict
        As of ``LabelingSession.records``.
    path : Path
        The file; one that is there is replaced.
    kind : str or None
        One of `KINDS`; None goes by the ending of the file.
    """
    kind = _ENDINGS.get(path.suffix.lower()) if kind is None else kind
    if kind not in KINDS:
        raise ValueError(
            f"Export knows {', '.join(KINDS)}, got kind={kind!r} for {path.name}: name one of them."
        )
    # Beside it first, so that a full disk leaves an older file as it was.
    made = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        KINDS[kind](records, made)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    return path


def _csv(records: Records, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, RECORD)
        writer.writeheader()
        for record in records:
            label = record["label"]
            several = json.dumps(label, ensure_ascii=False) if isinstance(label, list) else label
            writer.writerow(record | {"label": several, "time": _moment(record["time"])})


def _jsonl(records: Records, path: Path) -> None:
    lines = (
        json.dumps(record | {"time": _moment(record["time"])}, ensure_ascii=False)
        for record in records
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _parquet(records: Records, path: Path) -> None:
    answers_frame(records).to_parquet(path, index=False)


def _label_studio(records: Records, path: Path) -> None:
    """Write tasks with their annotations, as Label Studio imports them."""
    tasks: dict[Any, dict[str, Any]] = {}
    for record in records:
        task = tasks.setdefault(record["id"], {"data": {"id": record["id"]}, "annotations": []})
        task["annotations"].append(_annotation(record))
    path.write_text(json.dumps(list(tasks.values()), ensure_ascii=False), encoding="utf-8")


def _annotation(record: dict[str, Any]) -> dict[str, Any]:
    label = record["label"]
    given = record["kind"] == "label"
    choices = [str(each) for each in (label if isinstance(label, list) else [label])]
    result = {
        "from_name": "label",
        "to_name": "item",
        "type": "choices",
        "value": {"choices": choices},
    }
    annotation = {
        "result": [result] if given else [],
        "was_cancelled": not given,
        "created_at": _moment(record["time"]),
    }
    if record["seconds"] is not None:
        annotation["lead_time"] = record["seconds"]
    if record["annotator"] is not None:
        annotation["completed_by"] = {"email": record["annotator"]}
    return annotation


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


KINDS: dict[str, Callable[[Records, Path], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "label-studio": _label_studio,
}
_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", ".json": "label-studio"}


def answers_frame(records: Sequence[dict[str, Any]]) -> Any:
    """Return a DataFrame of records, with times in UTC."""
    pandas = _pandas()
    frame = pandas.DataFrame(records, columns=list(RECORD))
    return frame.assign(time=pandas.to_datetime(frame["time"], unit="s", utc=True))


def rounds_frame(rounds: Sequence[Event]) -> Any:
    """Return a DataFrame with a row for each model."""
    pandas = _pandas()
    rows = []
    for number, event in enumerate(rounds, 1):
        value = event.value
        right, n = value["audit"] or (None, 0)
        row = {
            "round": number,
            "n_labels": value["n_labels"],
            "fit_seconds": value["fit_seconds"],
            "query_seconds": value["query_seconds"],
            "audit_n": n,
            "audit_score": right / n if right is not None else float("nan"),
            "time": pandas.Timestamp(event.time, unit="s", tz="UTC"),
            "stop": value["stop"],
        }
        rows.append(row | value["stopping"])
    return pandas.DataFrame(rows)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Tables of a session need pandas: pip install "skactive[data]". Without it use '
            "records()."
        ) from error
    return pandas
