"""Tasks with annotations and predictions, as Label Studio imports them."""

from __future__ import annotations

from typing import Any, BinaryIO

from skactive._utils.values import dump_json
from skactive.labeling.exporting._content import AnswerRecord, Columns, ExportContent, to_datetime
from skactive.labeling.exporting._values import Cleaner

__all__ = ["write_label_studio"]

_TEXT_FIELD = "text"  # the field that generated labeling configurations show


def write_label_studio(content: ExportContent, file: BinaryIO, spreadsheet_safe: bool) -> list[str]:
    """Write one task per item, with all answers as annotations; return remarks for the user."""
    cleaner = Cleaner()
    data = _name_text(content.data, content.text)
    tasks = [
        cleaner.clean(_make_task(content, data, position)) for position in range(len(content.ids))
    ]
    file.write(dump_json(tasks).encode())
    return [*content.notes, *cleaner.describe()]


def _name_text(data: Columns, name: str | None) -> Columns:
    """Return columns in which that of texts is called "text"."""
    if name is None or name == _TEXT_FIELD or name not in data:
        return data
    other = f"data_{_TEXT_FIELD}"
    while other in data:
        other = f"data_{other}"
    names = {name: _TEXT_FIELD, _TEXT_FIELD: other}
    return {names.get(column, column): values for column, values in data.items()}


def _make_task(content: ExportContent, data: Columns, position: int) -> dict[str, Any]:
    ident = content.ids[position]
    task: dict[str, Any] = {
        "data": {"id": ident, **{name: values[position] for name, values in data.items()}},
        "annotations": [
            _make_annotation(record, content.are_numbers)
            for record in content.answers.get(ident, ())
        ],
    }
    if ident in content.predictions:
        label, probability = content.predictions[ident]
        task["predictions"] = [_make_prediction(label, probability, content.are_numbers)]
    return task


def _make_annotation(record: AnswerRecord, are_numbers: bool) -> dict[str, Any]:
    is_label = record["kind"] == "label"
    annotation = {
        "result": [_make_result(record["label"], are_numbers)] if is_label else [],
        "was_cancelled": not is_label,
        "created_at": to_datetime(record["time"]),
    }
    if record["seconds"] is not None:
        annotation["lead_time"] = record["seconds"]
    if record["annotator"] is not None:
        annotation["completed_by"] = {"email": record["annotator"]}
    return annotation


def _make_prediction(label: Any, probability: float | None, are_numbers: bool) -> dict[str, Any]:
    prediction = {"model_version": "skactive", "result": [_make_result(label, are_numbers)]}
    return prediction if probability is None else {**prediction, "score": probability}


def _make_result(label: Any, are_numbers: bool) -> dict[str, Any]:
    named = {"from_name": "label", "to_name": "item"}
    if are_numbers:
        return {**named, "type": "number", "value": {"number": label}}
    classes = label if isinstance(label, list) else [label]
    return {**named, "type": "choices", "value": {"choices": [str(c) for c in classes]}}
