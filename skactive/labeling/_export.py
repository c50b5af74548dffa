"""Answers and rounds in files and tables that other programs read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from skactive._utils.files import remove_leftovers, write_atomically
from skactive.exceptions import SkactiveWarning
from skactive.labeling.exporting._content import (
    AnswerRecord,
    Answers,
    ExportContent,
    make_answers,
    make_items,
)
from skactive.labeling.exporting._data import find_text_column, read_data, read_pool
from skactive.labeling.exporting._label_studio import write_label_studio
from skactive.labeling.exporting._tables import write_csv, write_jsonl, write_parquet, write_xlsx
from skactive.labeling.state._events import Event
from skactive.labeling.state._progress import RECORD_FIELDS

__all__ = [
    "EXPORT_KINDS",
    "answers_to_frame",
    "export_session",
    "find_kind",
    "make_session_content",
    "rounds_to_frame",
    "write_content",
]

EXPORT_KINDS: dict[str, Callable[[ExportContent, BinaryIO, bool], list[str]]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "label-studio": write_label_studio,
    "xlsx": write_xlsx,
}
_KIND_OF_SUFFIX = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".json": "label-studio",
    ".xlsx": "xlsx",
}


def find_kind(path: Path, kind: str | None) -> str:
    """Return the format of a file: one of `EXPORT_KINDS`.

    Parameters
    ----------
    path : Path
        The file.
    kind : str or None
        The format; None follows from the suffix of the file.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    found = _KIND_OF_SUFFIX.get(path.suffix.lower()) if kind is None else kind
    if found is None:
        raise ValueError(
            f"{path.name} has none of the suffixes {', '.join(_KIND_OF_SUFFIX)}: use one of them, "
            f"or pass a kind, one of {', '.join(EXPORT_KINDS)}."
        )
    if found not in EXPORT_KINDS:
        raise ValueError(f"kind must be one of {', '.join(EXPORT_KINDS)}, got {kind!r}.")
    return found


def write_content(
    content: ExportContent, path: Path, kind: str | None, *, spreadsheet_safe: bool = True
) -> list[str]:
    """Write a file, completely or not at all; return remarks for the user.

    Parameters
    ----------
    content : ExportContent
        The content.
    path : Path
        The file; an existing one is replaced.
    kind : str or None
        One of `EXPORT_KINDS`; None follows from the suffix of the file.
    spreadsheet_safe : bool, default=True
        Whether texts in CSV that a spreadsheet would read as formulas get an apostrophe before.

    Raises
    ------
    ValueError
        If the kind is unknown, or cannot hold the content.
    ImportError
        If a library is missing.
    OSError
        If the file cannot be written.
    """
    write = EXPORT_KINDS[find_kind(path, kind)]
    notes: list[str] = []
    write_atomically(path, lambda file: notes.extend(write(content, file, spreadsheet_safe)))
    remove_leftovers(path.parent)
    return notes


def export_session(
    session: Any,
    answers: Answers,
    path: Path,
    kind: str | None,
    *,
    spreadsheet_safe: bool,
    **options: Any,
) -> Path:
    """Write a file as ``LabelingSession.export`` describes it; warn of what the user should know.

    Parameters
    ----------
    session : LabelingSession
        The session.
    answers : Answers
        Its answers.
    path : Path
        The file.
    kind, spreadsheet_safe
        As in `write_content`.
    **options
        Of `make_session_content`.

    Returns
    -------
    Path
        The file.
    """
    find_kind(path, kind)  # before a model is fitted
    content = make_session_content(session, answers, **options)
    for note in write_content(content, path, kind, spreadsheet_safe=spreadsheet_safe):
        warnings.warn(note, SkactiveWarning, stacklevel=3)
    return path


def make_session_content(
    session: Any,
    answers: Answers,
    *,
    rows: str,
    data: Any = None,
    text: str | None = None,
    predictions: bool = False,
    unlabeled: bool = False,
) -> ExportContent:
    """Return the content of an export of a session.

    Parameters
    ----------
    session : LabelingSession
        The session.
    answers : Answers
        Its answers.
    rows, data, predictions, unlabeled
        As in ``LabelingSession.export``.
    text : str, default=None
        Name of the column of texts; None finds the column that holds the texts of the pool.

    Raises
    ------
    ValueError
        If a setting is invalid, or the labels are too few to predict others.
    """
    if rows not in {"items", "answers"}:
        raise ValueError(f'rows must be "items" or "answers", got {rows!r}.')
    if rows == "answers":
        if data is not None or predictions or unlabeled:
            raise ValueError(
                'data, predictions and unlabeled need rows="items", one row per item; got '
                'rows="answers".'
            )
        return make_answers(answers)
    columns = read_pool(session.X) if data is None else read_data(data, len(session.ids))
    predicted = None
    if predictions:
        from skactive.labeling.exporting._predictions import predict_rows  # late: seldom needed

        predicted = predict_rows(
            session, [ident for ident in session.ids if ident not in answers.get_labels()]
        )
    return make_items(
        answers,
        session.ids,
        columns,
        text=text or find_text_column(columns, session.X),
        predictions=predicted,
        audit_ids=session.audit_ids,
        unlabeled=unlabeled,
    )


def answers_to_frame(records: Sequence[AnswerRecord]) -> Any:
    """Return records as a DataFrame, with times in UTC."""
    pandas = _import_pandas_for_frames()
    frame = pandas.DataFrame(
        records, columns=[*RECORD_FIELDS, *Answers(list(records)).routed_fields]
    )
    return frame.assign(time=pandas.to_datetime(frame["time"], unit="s", utc=True, errors="coerce"))


def rounds_to_frame(rounds: Sequence[Event]) -> Any:
    """Return the plans of a session as a DataFrame, one row per model."""
    pandas = _import_pandas_for_frames()
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


def _import_pandas_for_frames() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'Tables of a session need pandas: pip install "skactive[data]". Without it use '
            "records()."
        ) from error
    return pandas
