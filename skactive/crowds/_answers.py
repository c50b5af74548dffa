"""Answers of several annotators, one entry per answer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.text import pluralize
from skactive._utils.values import is_missing

__all__ = ["Answers", "read_records"]

Codes = NDArray[np.intp]


class Answers:
    """Who said what about which item; one entry per answer, so memory grows with the answers only.

    An annotator may answer a few items or all, and an item several times: all answers count.

    Parameters
    ----------
    items : array-like of shape (n_answers,)
        The item of each answer: row numbers, names of files, ...
    annotators : array-like of shape (n_answers,)
        Who gave it.
    labels : array-like of shape (n_answers,)
        The label given.
    classes : array-like of shape (n_classes,), default=None
        All classes; None: the labels that occur.
    all_items : array-like, default=None
        All items, of which some may have no answer; None: those that have one.

    Attributes
    ----------
    items : ndarray of shape (n_items,)
        The items, sorted.
    annotators : ndarray of shape (n_annotators,)
        The annotators, sorted.
    classes : ndarray of shape (n_classes,)
        The classes, sorted.
    item_codes, annotator_codes, label_codes : ndarray of shape (n_answers,)
        Each answer's position in `items`, `annotators` and `classes`.

    Raises
    ------
    ValueError
        If the lengths differ, there is no answer, or a value is missing; if a label is not among
        `classes`, or an item not among `all_items`.

    Examples
    --------
    >>> from skactive.crowds import Answers
    >>> answers = Answers(["a", "a", "b"], ["Ann", "Bob", "Ann"], ["cat", "dog", "cat"])
    >>> answers
    Answers(3 answers of 2 annotators on 2 items, 2 classes)
    >>> answers.count_votes()
    array([[1., 1.],
           [1., 0.]])
    """

    def __init__(
        self,
        items: Any,
        annotators: Any,
        labels: Any,
        *,
        classes: Any = None,
        all_items: Any = None,
    ) -> None:
        columns = {"items": items, "annotators": annotators, "labels": labels}
        arrays = {name: _read_column(values, name) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"items, annotators and labels must have one length, got {lengths}.")
        if not lengths["items"]:
            raise ValueError("No answers: pass one entry of items, annotators and labels for each.")
        self.items, self.item_codes = _encode(arrays["items"], all_items, "items", "all_items")
        self.annotators, self.annotator_codes = _encode(
            arrays["annotators"], None, "annotators", ""
        )
        self.classes, self.label_codes = _encode(arrays["labels"], classes, "labels", "classes")

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        *,
        missing: Any = None,
        items: Any = None,
        annotators: Any = None,
        classes: Any = None,
    ) -> Self:
        """Read a matrix with a row per item and a column per annotator.

        Parameters
        ----------
        matrix : array-like or frame of shape (n_items, n_annotators)
            The labels; a frame's index and columns name items and annotators.
        missing : object, default=None
            The mark of no answer beside None and NaN, -1 say.
        items, annotators : array-like, default=None
            Their names; None: those of a frame, else their positions.
        classes : array-like, default=None
            All classes; None: the labels that occur.

        Returns
        -------
        Answers
            With all rows of the matrix as items, those without an answer too.

        Raises
        ------
        ValueError
            If `matrix` has no two dimensions, or names do not fit its shape.

        Examples
        --------
        >>> from skactive.crowds import Answers
        >>> Answers.from_matrix([[0, 1, -1], [1, -1, -1]], missing=-1)
        Answers(3 answers of 2 annotators on 2 items, 2 classes)
        """
        table = np.asarray(matrix)
        if table.ndim != 2:
            raise ValueError(
                f"matrix must have a row per item and a column per annotator, got shape "
                f"{table.shape}; for one entry per answer use Answers(items, annotators, labels)."
            )
        given = _find_answers(table, missing)
        rows, columns = np.nonzero(given)
        names = (
            _read_names(items, getattr(matrix, "index", None), table.shape[0], "items"),
            _read_names(annotators, getattr(matrix, "columns", None), table.shape[1], "annotators"),
        )
        labels = _tidy(table[given])
        return cls(names[0][rows], names[1][columns], labels, classes=classes, all_items=names[0])

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        item: str = "item",
        annotator: str = "annotator",
        label: str = "label",
        classes: Any = None,
    ) -> Self:
        """Read a frame with a row per answer.

        Parameters
        ----------
        frame : pandas or polars DataFrame, or mapping of str to array-like
            The answers.
        item, annotator, label : str
            Names of its columns.
        classes : array-like, default=None
            All classes; None: the labels that occur.

        Returns
        -------
        Answers

        Raises
        ------
        ValueError
            If a column is missing.
        """
        found = [str(name) for name in getattr(frame, "columns", frame)]
        absent = [name for name in (item, annotator, label) if name not in found]
        if absent:
            raise ValueError(
                f"The frame has no column {', '.join(map(repr, absent))}, but {found}: name the "
                "columns by item=, annotator= and label=."
            )
        return cls(frame[item], frame[annotator], frame[label], classes=classes)

    @classmethod
    def from_records(cls, records: Any, *, classes: Any = None) -> Self:
        """Read the records of a labeling session: the answer of each person to each row.

        Parameters
        ----------
        records : iterable of dict
            What :meth:`LabelingSession.records <skactive.labeling.LabelingSession.records>`
            returns. Rows that were skipped or marked as unknown are left out.
        classes : array-like of shape (n_classes,), default=None
            All classes; None: the labels that occur.

        Returns
        -------
        Answers
            Answers without a name are those of the annotator "".

        Raises
        ------
        ValueError
            If no record holds a label, or a label is a list of several.

        See Also
        --------
        skactive.labeling.read_answers : The answers in a store, or in the file of one.
        """
        items, people, labels = read_records(records)
        several = next((label for label in labels if isinstance(label, list | tuple)), None)
        if several is not None:
            raise ValueError(
                f"The records hold lists of labels, {several!r} among them: use MultilabelAnswers."
            )
        return cls(items, people, labels, classes=classes)

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.item_codes)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({pluralize(len(self), 'answer')} of "
            f"{pluralize(len(self.annotators), 'annotator')} on "
            f"{pluralize(len(self.items), 'item')}, {len(self.classes)} classes)"
        )

    def join(self, other: Answers) -> Answers:
        """Return these answers and those of another.

        Parameters
        ----------
        other : Answers
            Further answers, of any items, annotators and classes.

        Returns
        -------
        Answers
        """
        parts = (self, other)
        return type(self)(
            np.concatenate([part.items[part.item_codes] for part in parts]),
            np.concatenate([part.annotators[part.annotator_codes] for part in parts]),
            np.concatenate([part.classes[part.label_codes] for part in parts]),
            classes=np.union1d(self.classes, other.classes),
            all_items=np.union1d(self.items, other.items),
        )

    def declare(self, classes: Any) -> Answers:
        """Return these answers with further classes, which nobody has given yet.

        Parameters
        ----------
        classes : array-like
            The classes to declare, beside those that there are.

        Returns
        -------
        Answers
        """
        return type(self)(
            self.items[self.item_codes],
            self.annotators[self.annotator_codes],
            self.classes[self.label_codes],
            classes=np.union1d(self.classes, np.asarray(classes)),
            all_items=self.items,
        )

    def count_votes(self) -> Floats:
        """Count the answers of each class to each item.

        Returns
        -------
        ndarray of shape (n_items, n_classes)
        """
        n_classes = len(self.classes)
        cells = self.item_codes * n_classes + self.label_codes
        counts = np.bincount(cells, minlength=len(self.items) * n_classes)
        return counts.reshape(len(self.items), n_classes).astype(np.float64)


def read_records(records: Any) -> tuple[list[Any], list[str], list[Any]]:
    """Return items, annotators and labels of the records of a session that hold a label."""
    given = [record for record in records if record["kind"] == "label"]
    if not given:
        raise ValueError("No answers: none of the records holds a label.")
    people = ["" if record["annotator"] is None else record["annotator"] for record in given]
    return [record["id"] for record in given], people, [record["label"] for record in given]


def _read_column(values: Any, name: str) -> NDArray[Any]:
    """Return values as an array of one dimension without missing ones."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one entry per answer, got shape {array.shape}.")
    if array.dtype.kind in "OfmM":
        absent = np.flatnonzero(~_find_answers(array, None))
        if len(absent):
            raise ValueError(
                f"{name} has a missing value at position {absent[0]} ({len(absent)} in all): leave "
                "out what was not answered."
            )
    return array


def _tidy(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels in the type that they have without the missing ones beside them."""
    if labels.dtype.kind == "f" and (labels == np.trunc(labels)).all():
        return labels.astype(np.intp)  # NaN makes floats of integers
    if labels.dtype.kind == "O" and len({type(label) for label in labels}) == 1:
        return np.asarray(labels.tolist())  # None makes objects of all
    return labels


def _find_answers(table: NDArray[Any], missing: Any) -> NDArray[np.bool_]:
    """Return where a table has a value: neither None nor NaN nor the mark of a missing one."""
    if table.dtype.kind == "O":
        flat = (not is_missing(value) for value in table.flat)
        given = np.fromiter(flat, dtype=bool, count=table.size).reshape(table.shape)
    else:
        given = table == table
    return given if missing is None else given & (table != missing)


def _encode(values: NDArray[Any], known: Any, name: str, source: str) -> tuple[NDArray[Any], Codes]:
    """Return the distinct values, sorted, and the position of each value among them."""
    try:
        distinct, codes = np.unique(values, return_inverse=True)
        codes = codes.reshape(-1)
        if known is None:
            return distinct, codes
        every = np.unique(np.asarray(known))
        places = np.searchsorted(every, distinct)
    except TypeError as error:
        raise ValueError(
            f"{name} mix values that cannot be sorted, such as texts and numbers: use one kind."
        ) from error
    found = places < len(every)
    found[found] = every[places[found]] == distinct[found]
    if not found.all():
        raise ValueError(
            f"{name} has {distinct[~found].tolist()[0]!r}, which is not in {source}: add it there, "
            f"or leave {source} out."
        )
    return every, places[codes]


def _read_names(names: Any, own: Any, n: int, kind: str) -> NDArray[Any]:
    values = names if names is not None else own
    array = np.arange(n) if values is None or callable(values) else np.asarray(values)
    if len(array) != n:
        raise ValueError(f"{kind} must have {n} names, one for each, got {len(array)}.")
    return array
