"""The suggestion of the model in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skactive._utils.text import take_first_line
from skactive.labeling._messages import (
    NO_MODEL,
    NO_MODEL_OF_NUMBERS,
    describe_label,
    describe_prediction,
)
from skactive.labeling.page._suggestions import suggest_classes, suggest_number

__all__ = ["describe_suggestion"]

_MAX_SUGGESTED = 5


def describe_suggestion(session: Any, position: int) -> str:
    """Return what the model predicts for a row: classes, or a number.

    If there is no model yet, the learner is fitted, which may take a while.

    Parameters
    ----------
    session : LabelingSession
        The session.
    position : int
        Position of the row in the pool.
    """
    suggest: Callable[[Any, int], Any] = (
        suggest_number if session.labels_are_numbers else suggest_classes
    )
    try:
        suggestion = suggest(session, position)
        if suggestion is None and _fit_learner(session):
            suggestion = suggest(session, position)
    except Exception as error:  # models raise errors of all kinds
        return f"Problem with the model: {type(error).__name__}: {take_first_line(error)}"
    if session.labels_are_numbers:
        return NO_MODEL_OF_NUMBERS if suggestion is None else describe_prediction(*suggestion)
    return NO_MODEL if suggestion is None else _describe_ranking(suggestion)


def _describe_ranking(ranking: Sequence[tuple[Any, float | None]]) -> str:
    """Return the most probable classes in a sentence."""
    best = [
        describe_label(label)
        if share is None
        else f"{describe_label(label)} {round(100 * share)} %"
        for label, share in ranking[:_MAX_SUGGESTED]
    ]
    return f"The model suggests {', '.join(best) or 'none'}."


def _fit_learner(session: Any) -> bool:
    """Return whether the learner could be fitted to the labels."""
    try:
        return session.learner is not None
    except ValueError:  # too few labels
        return False
