"""SharedState: the state of a session that goes out with each reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skactive.labeling._messages import describe_accuracy
from skactive.labeling._numbers import describe_range
from skactive.labeling.page._class_list import ClassList
from skactive.labeling.page._protocol import to_json

__all__ = ["SharedState"]


class SharedState:
    """Read the state of a session that all clients of a page share.

    It goes out with every reply, so its longer parts are made only when they change.

    Parameters
    ----------
    session : LabelingSession
        The session.
    classes : ClassList
        Its classes.
    title : str
        The title of the page.
    """

    def __init__(self, session: Any, classes: ClassList, title: str) -> None:
        self._session, self._classes, self._title = session, classes, title
        self._last: dict[str, Any] = {}  # sent again if a new one cannot be read
        # classes, number of rows of each, pairs of the two
        self._counts: tuple[list[Any], dict[Any, int], list[list[Any]]] = ([], {}, [])
        self._numbers = _describe_numbers(session)
        self._curve: tuple[int, list[list[float]]] = (-1, [])  # number of rounds, points

    def read(self, annotator: str | None) -> dict[str, Any]:
        """Return the state; the labels of the annotator are counted as ``mine``."""
        try:
            self._last = state = self._read_session()
        except Exception as error:  # the reply still goes out, with the last state
            state = {**self._last, "problem": f"{type(error).__name__}: {error}"}
        annotators = state.get("annotators", {})
        public = {name: value for name, value in state.items() if name != "annotators"}
        return {**public, "mine": annotators.get(annotator, 0)}

    def _read_session(self) -> dict[str, Any]:
        progress = self._session.progress()
        classes = self._classes.update()
        accuracy = progress.reliable_accuracy
        return {
            "title": self._title,
            "multilabel": self._session.multilabel,
            "numbers": self._numbers,
            "lease_seconds": self._session.lease_seconds,
            "n_rows": progress.n_rows,
            "n_labeled": progress.n_labeled,
            "n_unknown": progress.n_unknown,
            "n_skipped": progress.n_skipped,
            "n_in_flight": progress.n_in_flight,
            "n_learned": progress.n_learned,
            "n_rounds": progress.n_rounds,
            "counts": self._get_counts(classes, progress.classes),
            "accuracy": None if accuracy is None else [*map(float, accuracy)],
            "accuracy_text": describe_accuracy(progress, len(self._session.audit_ids)),
            "curve": self._get_curve(progress.n_rounds, progress.min_audited),
            "stop_reason": progress.stop_reason,
            "problem": progress.problem,
            "fitting": progress.fitting,
            "annotators": progress.annotators,
        }

    def _get_counts(self, classes: list[Any], n_rows: dict[Any, int]) -> list[list[Any]]:
        """Return pairs of a class and its number of rows."""
        if self._counts[0] is not classes or self._counts[1] != n_rows:
            self._counts = classes, n_rows, [[to_json(c), n_rows.get(c, 0)] for c in classes]
        return self._counts[2]

    def _get_curve(self, n_rounds: int, min_audited: int) -> list[list[float]]:
        """Return the learning curve: numbers of labels, and accuracies or errors on the audit."""
        if self._curve[0] != n_rounds:
            points = [
                [record["n_labels"], score]
                for record in self._session.rounds
                if (score := _read_score(record, min_audited)) is not None
            ]
            self._curve = n_rounds, points
        return self._curve[1]


def _read_score(record: Mapping[str, Any], min_audited: int) -> float | None:
    """Return the accuracy of a round, or the mean error; None if the audit rows were too few."""
    if record.get("audit"):
        n_right, n_audit = record["audit"]
        return n_right / n_audit if n_audit >= min_audited else None
    if record.get("audit_error") and record.get("n_audited", 0) >= min_audited:
        return float(record["audit_error"][0])
    return None


def _describe_numbers(session: Any) -> dict[str, Any] | None:
    """Return the limits of numbers, and their range in words; None if labels are classes."""
    if not session.labels_are_numbers:
        return None
    low, high = session.value_range
    return {"low": low, "high": high, "range": describe_range(session.value_range)}
