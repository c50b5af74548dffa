"""HistoryWriter: the history of a session in a file, one line per round or label."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import warnings
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from skactive.exceptions import SkactiveWarning
from skactive.labeling.hooks._base import SessionEvent

__all__ = ["FIELDS", "HistoryWriter"]

FIELDS = (
    "time", "event", "round", "n_labels", "n_learned", "audit_n", "audit_score", "seconds",
    "annotator", "id", "label", "readings", "reason",
)  # fmt: skip

Line = dict[str, Any]


class HistoryWriter:
    """Hook that appends one line per round to a file, and on request one per label.

    Each line is on disk before the session continues, and an existing history is continued. Only
    one process may write at a time.

    Parameters
    ----------
    path : str or Path
        The file, with the suffix .csv or .jsonl.
    labels : bool, default=False
        Whether to write a line per label, too.

    Raises
    ------
    ValueError
        If the file has another suffix, or is not a history; it is left unchanged.
    OSError
        If the file cannot be written.

    Warns
    -----
    SkactiveWarning
        If the last line is incomplete, after a crash, say: it is removed, the warning quotes it.

    Notes
    -----
    The fields of a line:

    ``time``
        Time of writing, ISO 8601, UTC.
    ``event``
        "round", "label" or "stop".
    ``round``, ``n_labels``
        Numbers of rounds and labels so far.
    ``n_learned``, ``audit_n``, ``audit_score``
        Number of labels that the model learned from, number of labeled audit rows, and accuracy on
        these.
    ``seconds``
        Duration of the round; for a label, the time that the person took.
    ``annotator``, ``id``, ``label``
        For a label. Several classes of a row are a list (in a .csv: in JSON).
    ``readings``
        Values of the stopping criteria (in a .csv: in JSON).
    ``reason``
        Why to stop.

    Fields that do not apply, and infinite numbers, are null, or empty in a .csv.

    Examples
    --------
    >>> import csv, tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> from skactive.labeling.hooks import HistoryWriter
    >>> X, y = load_iris(return_X_y=True)
    >>> folder = tempfile.TemporaryDirectory()
    >>> writer = HistoryWriter(Path(folder.name) / "history.csv")
    >>> with LabelingSession(
    ...     ActiveLearner(GaussianNB()), X, background=False, hooks=[writer]
    ... ) as session:
    ...     for _ in range(3):
    ...         stored = session.submit({row: int(y[row]) for row in session.next_batch(10).ids})
    >>> with writer.path.open(newline="") as file:
    ...     [(line["event"], line["n_labels"]) for line in csv.DictReader(file)]
    [('round', '0'), ('round', '10'), ('round', '20')]
    >>> folder.cleanup()
    """

    def __init__(self, path: str | Path, *, labels: bool = False) -> None:
        self.path, self.labels = Path(path), labels
        self._format = _FORMATS.get(self.path.suffix.lower())
        if self._format is None:
            raise ValueError(
                f"A history is a {' or a '.join(_FORMATS)} file, got {self.path.name}: use one of "
                "these suffixes."
            )
        self._lock = Lock()
        self._open()

    def on_labels(self, event: SessionEvent) -> None:
        """Write a line per label, if `labels` is set."""
        if self.labels:
            source = {"annotator": event.annotator, "seconds": event.seconds or None}
            self._write(
                _make_line("label", event, id=ident, label=label, **source)
                for ident, label in event.labels.items()
            )

    def on_round_end(self, event: SessionEvent) -> None:
        """Write a line for the round."""
        self._write([_make_line("round", event, seconds=event.seconds)])

    def on_stop(self, event: SessionEvent) -> None:
        """Write a line with the reason to stop."""
        self._write([_make_line("stop", event, reason=event.reason)])

    def _open(self) -> None:
        """Create the file, or check that it is a history that ends with a complete line."""
        if not self.path.exists() or not self.path.stat().st_size:
            self._append(_HEADERS[self.path.suffix.lower()])
            return
        with self.path.open("rb") as file:
            header = file.readline()
        if not header.endswith(b"\n") or not _is_history(header, self.path.suffix.lower()):
            raise ValueError(
                f"{self.path} is not a history with the fields {', '.join(FIELDS)}: it begins "
                f"with {header[:80]!r}. It was left unchanged; pass another path."
            )
        self._remove_incomplete_line()

    def _remove_incomplete_line(self) -> None:
        """Remove a last line without a line break."""
        with self.path.open("rb+") as file:
            content = file.read()
            end = content.rfind(b"\n") + 1
            if end == len(content):
                return
            file.truncate(end)
        warnings.warn(
            f"The last line of {self.path} was incomplete and has been removed: {content[end:]!r}.",
            SkactiveWarning,
            stacklevel=4,
        )

    def _write(self, lines: Any) -> None:
        text = "".join(self._format(line) for line in lines)  # type: ignore[misc]
        with self._lock:
            self._append(text)

    def _append(self, text: str) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _make_line(kind: str, event: SessionEvent, **fields: Any) -> Line:
    metrics = {name: _finite_or_none(value) for name, value in event.metrics.items()}
    line: Line = dict.fromkeys(FIELDS)
    line |= {
        "time": datetime.now(UTC).isoformat(),
        "event": kind,
        "round": event.round,
        "n_labels": event.n_labels,
        "audit_score": metrics.pop("audit_score", None),
    }
    for count in ("n_learned", "audit_n"):
        value = metrics.pop(count, None)
        line[count] = None if value is None else int(value)
    return line | {"readings": metrics or None} | fields


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _format_csv(line: Line) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_to_cell(value) for value in line.values()])
    return text.getvalue()


def _to_cell(value: Any) -> Any:
    """Return the content of a cell, without line breaks: one line of the file per line."""
    is_nested = isinstance(value, list | tuple | dict)
    has_break = isinstance(value, str) and ("\n" in value or "\r" in value)
    return json.dumps(value, ensure_ascii=False) if is_nested or has_break else value


def _format_jsonl(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"


def _is_history(header: bytes, suffix: str) -> bool:
    """Return whether a file that begins with this line is a history."""
    if suffix == ".csv":
        return header.decode("utf-8", "replace") == _HEADERS[suffix]
    try:
        line = json.loads(header)
    except ValueError:
        return False
    return isinstance(line, dict) and tuple(line) == FIELDS


_FORMATS = {".csv": _format_csv, ".jsonl": _format_jsonl}
_HEADERS = {".csv": ",".join(FIELDS) + "\n", ".jsonl": ""}
