"""Sentences that the terminal and the page have in common."""

from __future__ import annotations

import math
from typing import Any

from skactive.labeling.state._progress import Progress

__all__ = [
    "NOTHING_LEFT",
    "NOTHING_TO_UNDO",
    "NO_MODEL",
    "NO_MODEL_OF_NUMBERS",
    "PICK_CLASSES",
    "TYPE_NUMBER",
    "UNOPENED_FILE",
    "describe_accuracy",
    "describe_answer",
    "describe_counts",
    "describe_label",
    "describe_labeled",
    "describe_prediction",
]

TYPE_NUMBER = "Type a number."
PICK_CLASSES = "Pick classes first, or press None ({key})."
NOTHING_TO_UNDO = "There is nothing to undo."
NOTHING_LEFT = "There is nothing left to label. Thank you!"
NO_MODEL = "There is no model yet to suggest a class."
NO_MODEL_OF_NUMBERS = "There is no model yet to predict a number."
UNOPENED_FILE = "The file could not be opened. Press again to label it anyway."


def describe_label(label: Any) -> str:
    """Return the text of a label; of several classes, their names.

    Parameters
    ----------
    label : str, int, float, bool or list
        A label as it is stored.
    """
    if isinstance(label, list | tuple):
        return ", ".join(map(describe_label, label)) or "none"
    return str(label) or "(empty)"


def describe_prediction(number: float, deviation: float | None) -> str:
    """Return a predicted number in words, as precise as its standard deviation lets it be.

    Parameters
    ----------
    number : float
        The prediction.
    deviation : float or None
        Its standard deviation; None if the model has none.
    """
    if deviation is None:
        return f"The model predicts {number:.6g}."
    if not 1e-9 < deviation < 1e12:
        return f"The model predicts {number:.6g} (standard deviation {deviation:.2g})."
    n_decimals = 1 - math.floor(math.log10(deviation))  # two digits of the deviation
    shown, spread = (
        f"{round(value, n_decimals) + 0.0:.{max(n_decimals, 0)}f}" for value in (number, deviation)
    )
    return f"The model predicts {shown} (standard deviation {spread})."


def describe_answer(kind: str, label: Any) -> str:
    """Return the text of an answer.

    Parameters
    ----------
    kind : {"label", "skip", "unknown"}
        Kind of the answer.
    label : str, int, float, bool or list
        Its label, if it has one.
    """
    if kind == "label":
        return f"labeled {describe_label(label)}"
    return "skipped" if kind == "skip" else "don't know"


def describe_labeled(progress: Progress) -> str:
    """Return how many rows are labeled."""
    return f"{progress.n_labeled:,} of {progress.n_rows:,} labeled"


def describe_counts(progress: Progress, annotator: str | None) -> str:
    """Return how many rows are labeled, by whom, and what else was answered.

    Parameters
    ----------
    progress : Progress
        Progress of a session.
    annotator : str or None
        The person whose labels are counted.
    """
    counts = {
        "by you": progress.annotators.get(annotator, 0),
        "skipped": progress.n_skipped,
        "unknown": progress.n_unknown,
    }
    facts = [f"{n:,} {words}" for words, n in counts.items() if n]
    return " · ".join([describe_labeled(progress), *facts])


def describe_accuracy(progress: Progress, n_audit_rows: int) -> str:
    """Return the accuracy of the model with its 95 % interval, or why there is none yet.

    If labels are numbers, it is the mean absolute error.

    Parameters
    ----------
    progress : Progress
        Progress of a session.
    n_audit_rows : int
        Number of rows that are reserved for the audit, labeled or not.

    Returns
    -------
    str
        Empty without an audit, and before the first model.
    """
    if progress.reliable_accuracy is not None:
        share, low, high = (f"{100 * value:.1f} %" for value in progress.reliable_accuracy)
        return f"Accuracy {share} (95 % interval {low} to {high})"
    n_audited, n_needed = progress.n_audited, progress.min_audited
    measure = "Accuracy" if progress.has_classes else "Mean error"
    if progress.error is not None and n_audited >= n_needed:
        error, low, high = (f"{value:.3g}" for value in progress.error)
        return f"Mean error {error} (95 % interval {low} to {high})"
    if not n_audit_rows or n_audited >= n_needed:
        return ""
    if n_audit_rows < n_needed:
        return f"{measure}: needs {n_needed} audit rows; there are only {n_audit_rows}"
    return f"{measure}: after {n_needed} audit rows; {n_audited} so far"
