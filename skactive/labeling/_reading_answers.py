"""Reading the answers of a session, and writing them to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skactive.labeling._session_parts import SessionParts
from skactive.labeling.state._events import Event, Ident
from skactive.labeling.state._progress import state_records
from skactive.labeling.state._routing import RoutedAnswer, iter_route

__all__ = ["ReadingAnswers"]


class ReadingAnswers(SessionParts):
    """The methods of a session that read answers, one by one or all at once."""

    def get_answer(self, ident: Ident, annotator: str | None = None) -> Event | None:
        """Return the last answer of an annotator about a row.

        Parameters
        ----------
        ident : str or int
            Id of the row.
        annotator : str, default=None
            Name of the annotator.

        Returns
        -------
        Event or None
            The answer, with ``kind`` and ``value`` among its attributes; None without one.
        """
        with self._synced.latest() as state:
            answer = state.get_answer(ident, annotator)
            return None if answer is None else self._recorder.read_events([answer])[0]

    def get_answers(self, ident: Ident) -> list[Event]:
        """Return the last answers of all annotators about a row, latest first.

        Parameters
        ----------
        ident : str or int
            Id of the row.

        Returns
        -------
        list of Event
        """
        with self._synced.latest() as state:
            return self._recorder.read_events(state.list_answers_about(ident))

    def find_routed(self, answer: Event) -> RoutedAnswer | None:
        """Return what is known of an answer that a router accepted; None of other answers.

        Parameters
        ----------
        answer : Event
            An answer, as :meth:`get_answers` returns it.

        Returns
        -------
        RoutedAnswer or None
            With the attributes ``confidence``, None if the annotator did not say, and ``cost``.
        """
        route = None if answer.ticket is None else self.store.find_event(answer.ticket)
        if route is None or route.kind != "route" or answer.item is None:
            return None
        return dict(iter_route(route)).get((answer.item, answer.annotator))

    def has_answered(self, ident: Ident, annotator: str | None) -> bool:
        """Return whether an annotator has answered a row, even if they undid it.

        Parameters
        ----------
        ident : str or int
            Id of the row.
        annotator : str or None
            Name of the annotator.

        Returns
        -------
        bool
        """
        with self._synced.latest() as state:
            return state.has_answered(ident, annotator)

    def answers_of(self, annotator: str | None, n: int, before: int | None = None) -> list[Event]:
        """Return the answers of an annotator that hold, latest first.

        Parameters
        ----------
        annotator : str or None
            Name of the annotator.
        n : int
            Number of answers at most.
        before : int, default=None
            The attribute ``seq`` of an answer: only earlier ones are returned.

        Returns
        -------
        list of Event
        """
        with self._synced.latest() as state:
            return self._recorder.read_events(state.list_answers_by(annotator, n, before))

    def latest_answers(
        self, n: int, before: int | None = None, *, differ: bool = False
    ) -> list[Event]:
        """Return the latest answers about the rows that anybody answered last, latest first.

        Each row is there once; :meth:`get_answers` returns all answers about it.

        Parameters
        ----------
        n : int
            Number of rows at most.
        before : int, default=None
            The attribute ``seq`` of an answer: only earlier ones are returned.
        differ : bool, default=False
            Whether to return only rows to which people gave different labels.

        Returns
        -------
        list of Event
        """
        with self._synced.latest() as state:
            return self._recorder.read_events(state.list_latest(n, before, differ=differ))

    def last_answer(self, annotator: str | None = None) -> Event | None:
        """Return the last answer of an annotator, which :meth:`undo` would retract.

        Parameters
        ----------
        annotator : str, default=None
            Name of the annotator.

        Returns
        -------
        Event or None
        """
        return next(iter(self.answers_of(annotator, 1)), None)

    def records(self) -> list[dict[str, Any]]:
        """Return the current answers, one per row and annotator, in the order of the store.

        Returns
        -------
        list of dict
            With the keys ``id``, ``kind`` ("label", "skip", "unknown"), ``label``, ``annotator``,
            ``time`` (seconds since 1970), ``seconds``, ``round``, ``score``, ``ticket``. After
            :meth:`route` also ``source`` ("people" or "annotator"), and of answers of annotators
            ``confidence`` and ``cost``.
        """
        with self._synced.latest() as state:
            return list(state_records(state, self.store.get_events))

    @property
    def labels(self) -> Any:
        """The current answers as a DataFrame: :meth:`records` with times in UTC."""
        from skactive.labeling._export import answers_to_frame

        return answers_to_frame(self.records())

    def export(
        self,
        path: Any,
        kind: str | None = None,
        *,
        rows: str = "items",
        data: Any = None,
        predictions: bool = False,
        unlabeled: bool = False,
        spreadsheet_safe: bool = True,
    ) -> Path:
        """Write labels and the data to a file, completely or not at all.

        A row per item has its ``id``, the columns of the data, and ``label`` (the one that counts),
        ``status`` ("labeled", "skipped", "unknown", "unlabeled"), ``labeled_by`` (who gave that
        label), ``annotators`` (all who answered), ``n_answers``, ``agree`` (whether all labels of
        the row are the same; empty for fewer than two) and ``time`` (of the last answer, UTC). A
        column of the data that has one of these names is written with the prefix ``data_``. After
        :meth:`route` there are also ``source`` ("people" or "annotator"), ``confidence`` and
        ``cost`` of the label.

        Parameters
        ----------
        path : str or Path
            The file; an existing one is replaced.
        kind : {"csv", "jsonl", "parquet", "label-studio", "xlsx"}, default=None
            The format. None follows from the suffix: .csv, .jsonl, .parquet, .json, .xlsx.
        rows : {"items", "answers"}, default="items"
            One row per item, or per answer: :meth:`records` in a file, without the data.
        data : mapping of str to list, or DataFrame, default=None
            Columns to write beside the labels, in the order of the pool. None takes those of the
            pool, if it is a frame or a list of texts.
        predictions : bool, default=False
            Whether to write all rows, with predictions for those without a label: ``prediction``,
            its ``probability``, and one ``probability_...`` per class; and ``audit``, whether a row
            belongs to the audit.
        unlabeled : bool, default=False
            Whether to write rows that nobody has answered, too.
        spreadsheet_safe : bool, default=True
            Whether texts in CSV that begin with =, +, -, @, a tab or a line break get an apostrophe
            before, because spreadsheets would run them as formulas. Numbers stay as they are.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ValueError
            If a setting is invalid, or there are too few labels to predict others.
        OSError
            If the file cannot be written; an existing one is as it was.

        Warns
        -----
        SkactiveWarning
            If a column of the data gets another name, or a value cannot be written as it is.
        """
        from skactive.labeling._export import export_session  # late: few sessions need it
        from skactive.labeling.exporting._content import Answers

        return export_session(
            self,
            Answers(self.records(), self.labels_are_numbers),
            Path(path),
            kind,
            spreadsheet_safe=spreadsheet_safe,
            rows=rows,
            data=data,
            predictions=predictions,
            unlabeled=unlabeled,
        )
