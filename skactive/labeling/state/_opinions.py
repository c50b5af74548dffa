"""The answers of each person about each row, from the state of a session."""

from __future__ import annotations

from skactive.labeling.state._events import Ident, Label
from skactive.labeling.state._state import SessionState

__all__ = ["list_opinions"]


def list_opinions(state: SessionState) -> list[tuple[Ident, str | None, Label]]:
    """Return the row, the annotator and the label of each answer that holds and is a label."""
    answers = state._answers
    names = list(state._annotators)
    return [
        (
            state._rows[answers.row[number]],
            names[answers.annotator[number]],
            state._labels[answers.label[number]],
        )
        for number in answers.list_current()
        if answers.label[number] >= 0
    ]
