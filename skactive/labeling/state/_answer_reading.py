"""Reading the answers that a state holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from skactive.labeling.state._answers import SKIPPED, UNKNOWN, AnswerTable
from skactive.labeling.state._codes import LabelCodes, RowCodes
from skactive.labeling.state._events import Ident, Label

__all__ = ["CODE_OF_KIND", "Answer", "AnswerReading"]

CODE_OF_KIND = {"skip": SKIPPED, "unknown": UNKNOWN}
_KIND_OF_CODE = {code: kind for kind, code in CODE_OF_KIND.items()}


class Answer(NamedTuple):
    """An answer that holds.

    Parameters
    ----------
    kind : {"label", "skip", "unknown"}
        Its kind.
    label : label or None
        The label, under its present name.
    position : int
        Position of the event in the store.
    """

    kind: str
    label: Label | None
    position: int


class AnswerReading:
    """The methods of a state that read its answers."""

    _rows: RowCodes
    _answers: AnswerTable
    _labels: LabelCodes
    _annotators: dict[str | None, int]

    def iter_answers(self) -> Iterator[Answer]:
        """Yield the last answer per row and annotator, in the order of the store."""
        return map(self._make_answer, self._answers.list_current())

    def get_answer(self, item: Ident, annotator: str | None) -> Answer | None:
        """Return the last answer of an annotator about a row."""
        row, code = self._rows.find(item), self._annotators.get(annotator)
        if row is None or code is None:
            return None
        about = self._answers.iter_about(row)
        number = next((n for n in about if self._answers.annotator[n] == code), None)
        return None if number is None else self._make_answer(number)

    def list_answers_about(self, item: Ident) -> list[Answer]:
        """Return the last answer of each annotator about a row, latest first."""
        row = self._rows.find(item)
        current = () if row is None else self._answers.iter_current(row)
        return [self._make_answer(number) for number in current]

    def list_answers_by(self, annotator: str | None, n: int, before: int | None) -> list[Answer]:
        """Return the last `n` answers of an annotator that hold, latest first.

        Parameters
        ----------
        annotator : str or None
            Name of the annotator.
        n : int
            Number of answers.
        before : int or None
            Position that they are before; None: up to the latest one.
        """
        code = self._annotators.get(annotator)
        answers: list[Answer] = []
        for number in self._answers.iter_by(code) if code is not None else ():
            if len(answers) == n:
                break
            is_earlier = before is None or self._answers.position[number] < before
            if is_earlier and self._answers.is_current(number):
                answers.append(self._make_answer(number))
        return answers

    def list_latest(self, n: int, before: int | None, *, differ: bool) -> list[Answer]:
        """Return the latest answers about the `n` rows that were answered last, latest first.

        Parameters
        ----------
        n : int
            Number of rows.
        before : int or None
            Position that these answers are before; None: up to the latest one.
        differ : bool
            Whether to leave out rows about which all labels are the same.
        """
        answers = self._answers
        numbers = answers.iter_differing(before) if differ else answers.iter_latest(before)
        return [self._make_answer(number) for number in islice(numbers, n)]

    def has_answered(self, item: Ident, annotator: str | None) -> bool:
        """Return whether an annotator has answered a row, even if they undid it."""
        row, code = self._rows.find(item), self._annotators.get(annotator)
        about = () if row is None else self._answers.iter_about(row, undone=True)
        return any(self._answers.annotator[number] == code for number in about)

    def find_equal(
        self, item: Ident, annotator: str | None, kind: str, label: Label | None
    ) -> list[int]:
        """Return the positions of equal answers of an annotator, undone ones too."""
        row, by = self._rows.find(item), self._annotators.get(annotator)
        code = CODE_OF_KIND.get(kind, self._labels.find(label))
        if row is None or by is None or code is None:
            return []
        answers = self._answers
        return [
            answers.position[number]
            for number in answers.iter_about(row, undone=True)
            if answers.annotator[number] == by and answers.label[number] == code
        ]

    def _make_answer(self, number: int) -> Answer:
        code, position = self._answers.label[number], self._answers.position[number]
        if code >= 0:
            return Answer("label", self._labels[code], position)
        return Answer(_KIND_OF_CODE[code], None, position)
