"""Rows that one person is shown: the next ones, and those of earlier answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skactive._utils.rows import take_rows
from skactive.labeling._session import LabelingSession
from skactive.labeling.state._events import Event, Ident, new_id
from skactive.labeling.terminal._own_answers import find_earlier_answer

__all__ = ["Item", "Rows"]


@dataclass(eq=False)
class Item:
    """A row on the screen.

    Parameters
    ----------
    id : str or int
        Id of the row.
    row : rows in the container of the pool
        The row alone.
    content : object
        Its content, for `format_content`.
    ticket : str or None
        Ticket of the batch that it was handed out in.
    answer : Event or None
        Its present answer of this person.
    """

    id: Ident
    row: Any
    content: Any
    ticket: str | None = None
    answer: Event | None = None


class Rows:
    """Choose the row to show.

    Parameters
    ----------
    session : LabelingSession
        The session.
    annotator : str or None
        Name of the person.
    content : callable
        Takes the rows of a batch of size 1, and returns the content to show.

    Attributes
    ----------
    current : Item or None
        The row on the screen.
    """

    def __init__(
        self, session: LabelingSession, annotator: str | None, content: Callable[[Any], Any]
    ) -> None:
        self._session, self._annotator, self._content = session, annotator, content
        self._postponed: list[Item] = []  # without an answer, while earlier ones are shown again
        self.current: Item | None = None

    def advance(self) -> None:
        """Go to the row that was postponed last, else to the next one of the session."""
        if self._postponed:
            self.current = self._postponed.pop()
            return
        batch = self._session.next_batch(1, annotator=self._annotator)
        self.current = self._make_item(batch.ids[0], None, batch.ticket) if len(batch) else None

    def go_back(self) -> bool:
        """Go to the row of the answer before; return whether there is one."""
        shown = None if self.current is None else self.current.id
        answer = find_earlier_answer(self._session, self._annotator, shown)
        if answer is None or answer.item is None:
            return False
        self._postpone(unless=answer.item)
        self.current = self._make_item(answer.item, answer)
        return True

    def undo(self) -> Event | None:
        """Take back the last answer, and go to its row; return the answer, if there was one."""
        undone = self._session.retract(self._annotator, key=new_id())
        if undone is None or undone.item is None:
            return None
        self._postpone(unless=undone.item)
        before = self._session.get_answer(undone.item, self._annotator)
        self.current = self._make_item(undone.item, before)
        return undone

    def refresh(self) -> None:
        """Read the answer of the row on the screen again."""
        if self.current is not None and self.current.answer is not None:
            self.current.answer = self._session.get_answer(self.current.id, self._annotator)

    def _postpone(self, unless: Ident) -> None:
        """Keep the row on the screen for later, unless it has an answer or is the one named."""
        item = self.current
        if item is not None and item.answer is None and item.id != unless:
            self._postponed.append(item)

    def _make_item(self, ident: Ident, answer: Event | None, ticket: str | None = None) -> Item:
        row = take_rows(self._session.X, [self._session.positions[ident]])
        return Item(ident, row, self._content(row), ticket, answer)
