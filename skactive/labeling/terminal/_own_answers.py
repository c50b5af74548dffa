"""Answers of one person, from their first sitting on."""

from __future__ import annotations

from typing import Any

from skactive.labeling.state._events import Event, Ident, new_id

__all__ = ["find_earlier_answer", "retract_answer"]


def retract_answer(session: Any, annotator: str | None) -> Event | None:
    """Undo the last answer of a person, and return it; None if there is none.

    Parameters
    ----------
    session : LabelingSession
        The session.
    annotator : str or None
        Name of the person.
    """
    if hasattr(session, "retract"):
        undone: Event | None = session.retract(annotator, key=new_id())
        return undone
    last: Event | None = session.last_answer(annotator)
    return None if session.undo(annotator, key=new_id()) is None else last


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
    idents = [each["id"] for each in session.records() if each["annotator"] == annotator]
    position = idents.index(shown) if shown in idents else len(idents)
    if position == 0:
        return None
    answer: Event | None = session.get_answer(idents[position - 1], annotator)
    return answer
