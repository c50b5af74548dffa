"""HistoryWriter: what happens in a session, a line at a time, in a file that others can read."""

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
    """Appends a line a round to a file, and if asked a line a label.

    Each line is on disk before the session goes on, and a file that is there is continued. One
    process writes at a time.

    Parameters
    ----------
    path : str or Path
        The file; it ends in .csv or .jsonl.
    labels : bool, default=False
        Whether to write a line for each label, too.

    Raises
    ------
    ValueError
        If the file ends otherwise, or holds something else already; it is left as it is.
    OSError
        If it cannot be written.

    Warns
    -----
    SkactiveWarning
        If the last line was cut short, by a crash, say: it is taken away, the warning quotes it.

    Notes
    -----
    The fields of a line:

    ``time``
        When it was written, ISO 8601, UTC.
    ``event``
        "round", "label" or "stop".
    ``round``, ``n_labels``
        How many rounds and labels there were.
    ``n_learned``, ``audit_n``, ``audit_score``
        What the model learned from, the labeled rows of the audit, and its accuracy there.
    ``seconds``
        What the round took; of a label, how long the person took.
    ``annotator``, ``id``, ``label``
        Of a label. Several labels of a row are a list (in a .csv: in JSON).
    ``readings``
        What the stopping criteria read (in a .csv: in JSON).
    ``reason``
        Why to stop.

    What does not apply is null, or empty in a .csv; so is a number that is infinite.

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
                f"A history is a {' or a '.join(_FORMATS)} file, got {self.path.name}: name it so."
            )
        self._lock = Lock()
        self._begin()

    def on_labels(self, event: SessionEvent) -> None:
        """Write a line for each label, if asked."""
        if self.labels:
            about = {"annotator": event.annotator, "seconds": event.seconds or None}
            self._write(
                _line("label", event, id=ident, label=label, **about)
                for ident, label in event.labels.items()
            )

    def on_round_end(self, event: SessionEvent) -> None:
        """Write a line."""
        self._write([_line("round", event, seconds=event.seconds)])

    def on_stop(self, event: SessionEvent) -> None:
        """Write a line that says why."""
        self._write([_line("stop", event, reason=event.reason)])

    def _begin(self) -> None:
        """Make the file, or check that it is a history and ends with a whole line."""
        if not self.path.exists() or not self.path.stat().st_size:
            self._append(_HEADERS[self.path.suffix.lower()])
            return
        with self.path.open("rb") as file:
            first = file.readline()
        if not first.endswith(b"\n") or not _is_history(first, self.path.suffix.lower()):
            raise ValueError(
                f"{self.path} holds something else than a history with the fields "
                f"{', '.join(FIELDS)}: it begins with {first[:80]!r}. It was left as it is; pass "
                "another path."
            )
        self._mend()

    def _mend(self) -> None:
        """Take away a last line that has no end."""
        with self.path.open("rb+") as file:
            whole = file.read()
            end = whole.rfind(b"\n") + 1
            if end == len(whole):
                return
            file.truncate(end)
        warnings.warn(
            f"The last line of {self.path} was cut short, and is taken away: {whole[end:]!r}.",
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


def _line(kind: str, event: SessionEvent, **about: Any) -> Line:
    metrics = {name: _finite(value) for name, value in event.metrics.items()}
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
    return line | {"readings": metrics or None} | about


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _csv(line: Line) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow([_cell(value) for value in line.values()])
    return made.getvalue()


def _cell(value: Any) -> Any:
    """Return what stands in a cell; never a line break, so that each line is a line."""
    several = isinstance(value, list | tuple | dict)
    broken = isinstance(value, str) and ("\n" in value or "\r" in value)
    return json.dumps(value, ensure_ascii=False) if several or broken else value


def _jsonl(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"


def _is_history(first: bytes, suffix: str) -> bool:
    if suffix == ".csv":
        return first.decode("utf-8", "replace") == _HEADERS[suffix]
    try:
        found = json.loads(first)
    except ValueError:
        return False
    return isinstance(found, dict) and tuple(found) == FIELDS


_FORMATS = {".csv": _csv, ".jsonl": _jsonl}
_HEADERS = {".csv": ",".join(FIELDS) + "\n", ".jsonl": ""}
