"""Answers of one person, from their first sitting on."""

from __future__ import annotations

from typing import Any

from skactive.labeling.state._events import Event, Ident

__all__ = ["find_earlier_answer"]


def find_earlier_answer(session: Any, annotator: str | None, shown: Ident | None) -> Event | None:
    """Return the answer of a person before that about the row on the screen.

    Parameters
    ----------
    session : LabelingSession
        The session.
    annotator : str or None
        Name of the person.
    shown : str or int or None
        Id of the row on the screen. If the person has no answer about it, their last one is
        returned.

    Returns
    -------
    Event or None
        None if there is no earlier answer.
    """
    answer = None if shown is None else session.get_answer(shown, annotator)
    before = None if answer is None else answer.seq
    return next(iter(session.answers_of(annotator, 1, before)), None)
