"""The suggestion of the model in words."""

from __future__ import annotations

from typing import Any

from skactive._utils.text import take_first_line
from skactive.labeling._messages import NO_MODEL, describe_label
from skactive.labeling.page._suggestions import suggest_classes

__all__ = ["describe_suggestion"]

_MAX_SUGGESTED = 5


def describe_suggestion(session: Any, position: int) -> str:
    """Return which classes the model predicts for a row.

    If there is no model yet, the learner is fitted, which may take a while.

    Parameters
    ----------
    session : LabelingSession
        The session.
    position : int
        Position of the row in the pool.
    """
    try:
        ranking = suggest_classes(session, position)
        if ranking is None:
            ranking = suggest_classes(session, position) if _fit_learner(session) else None
    except Exception as error:  # models raise errors of all kinds
        return f"Problem with the model: {type(error).__name__}: {take_first_line(error)}"
    if ranking is None:
        return NO_MODEL
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
