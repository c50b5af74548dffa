"""Taking the answers of a session, and changing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from skactive.labeling._recorder import Submission
from skactive.labeling._session_parts import SessionParts
from skactive.labeling.state._events import Event, Ident

__all__ = ["TakingAnswers"]


class TakingAnswers(SessionParts):
    """The methods of a session that take answers, retract them and change the classes."""

    def submit(
        self,
        answers: Mapping[Ident, Any],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        seconds: float | None = None,
        key: str | None = None,
    ) -> int:
        """Store labels; they are on disk when the call returns.

        Answers may be partial, late, out of order, and for rows that were never handed out. All of
        them are stored, or none. An answer that is sent again is stored once: one that equals the
        current answer of the annotator changes nothing, nor does one that they gave before under
        the same ticket, even if another came later (use :meth:`relabel` to return to it). With a
        `key`, only the key decides.

        Parameters
        ----------
        answers : mapping of id to label
            A label is a string, a number or a boolean; with ``multilabel=True`` a list of them.
        ticket : str, default=None
            Ticket of the batch that the rows belong to.
        annotator : str, default=None
            Name of the person who answered.
        seconds : float, default=None
            Time that each answer took.
        key : str, default=None
            A name for this submission: another one of the same name changes nothing.

        Returns
        -------
        int
            Number of answers that were new.

        Raises
        ------
        LabelError
            If an id is not in the pool, or a label is invalid; nothing was stored.
        StoreError
            If the answers cannot be stored (on a full disk, say); nothing was stored.
        """
        submission = Submission.check(ticket, annotator, seconds, key)
        return self._recorder.store_labels(answers, submission)

    def relabel(
        self,
        answers: Mapping[Ident, Any],
        *,
        annotator: str | None = None,
        seconds: float | None = None,
        key: str | None = None,
    ) -> int:
        """Change labels; the last answer counts.

        Parameters
        ----------
        answers : mapping of id to label
            As in :meth:`submit`.
        annotator : str, default=None
            Name of the person who changes them.
        seconds : float, default=None
            Time that each answer took.
        key : str, default=None
            A name for this submission: another one of the same name changes nothing.

        Returns
        -------
        int
            Number of labels that changed.
        """
        submission = Submission.check(None, annotator, seconds, key)
        return self._recorder.store_labels(answers, submission)

    def skip(
        self,
        ids: Iterable[Ident],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        key: str | None = None,
    ) -> int:
        """Skip rows: they are not handed to this annotator again, only to others.

        Parameters
        ----------
        ids : iterable of str or int
            Ids of the rows.
        ticket : str, default=None
            Ticket of the batch that the rows belong to.
        annotator : str, default=None
            Name of the person who skips them.
        key : str, default=None
            A name for this submission: another one of the same name changes nothing.

        Returns
        -------
        int
            Number of these answers that were new.
        """
        submission = Submission.check(ticket, annotator, None, key)
        return self._recorder.store_refusals("skip", ids, submission)

    def mark_unknown(
        self,
        ids: Iterable[Ident],
        *,
        ticket: str | None = None,
        annotator: str | None = None,
        key: str | None = None,
    ) -> int:
        """Mark rows that cannot be labeled: they are not handed to anybody again.

        Parameters
        ----------
        ids : iterable of str or int
            Ids of the rows.
        ticket : str, default=None
            Ticket of the batch that the rows belong to.
        annotator : str, default=None
            Name of the person who marks them.
        key : str, default=None
            A name for this submission: another one of the same name changes nothing.

        Returns
        -------
        int
            Number of these answers that were new.
        """
        submission = Submission.check(ticket, annotator, None, key)
        return self._recorder.store_refusals("unknown", ids, submission)

    def undo(self, annotator: str | None = None, *, key: str | None = None) -> Ident | None:
        """Retract the last answer of an annotator; their answer before it counts again.

        Parameters
        ----------
        annotator : str, default=None
            Name of the annotator.
        key : str, default=None
            A name for this call: another one of the same name changes nothing, and returns the
            same row.

        Returns
        -------
        str or int or None
            Id of the row; None if the annotator has no answer to retract.
        """
        answer = self.retract(annotator, key=key)
        return None if answer is None else answer.item

    def retract(self, annotator: str | None = None, *, key: str | None = None) -> Event | None:
        """Do as :meth:`undo`, and return the answer that was undone.

        Parameters
        ----------
        annotator : str, default=None
            Name of the annotator.
        key : str, default=None
            A name for this call: another one of the same name changes nothing, and returns the
            same answer.

        Returns
        -------
        Event or None
            The answer, with ``item``, ``kind`` and ``value`` among its attributes; None if there
            is none to undo.
        """
        return self._recorder.retract(annotator, key)

    def add_class(self, label: Any, *, key: str | None = None) -> None:
        """Add a class to the declared ones.

        Parameters
        ----------
        label : str, int, float or bool
            The class; of the same type as the others.
        key : str, default=None
            A name for this call: another one of the same name changes nothing.

        Raises
        ------
        LabelError
            If it is not a valid class.
        """
        self._classes.add(label, key)

    def rename_class(
        self, old: Any, new: Any, *, annotator: str | None = None, key: str | None = None
    ) -> int:
        """Rename a class, or merge it into another one; all labels follow.

        Parameters
        ----------
        old : str, int, float or bool
            The present name.
        new : str, int, float or bool
            The new name. If there is such a class already, the two are merged.
        annotator : str, default=None
            Name of the person who renames it.
        key : str, default=None
            A name for this call: another one of the same name changes nothing.

        Returns
        -------
        int
            Number of rows whose label changed.

        Raises
        ------
        LabelError
            If there is no such class, or the new name is not a valid class.
        """
        n_rows = self._classes.rename(old, new, annotator, key)
        self._rounds.wake()
        return n_rows
