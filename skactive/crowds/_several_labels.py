"""Several labels per item: each label of each item is a question that is answered yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods
from skactive._utils.text import pluralize
from skactive._utils.values import is_missing
from skactive.crowds._answers import Answers, read_records
from skactive.crowds._base import CrowdModel, read_table
from skactive.crowds._one_coin import OneCoin

__all__ = ["MultilabelAnswers", "MultilabelCrowd"]


class MultilabelAnswers:
    """Who gave which labels to which item; each answer is a set of labels, which may be empty.

    Parameters
    ----------
    items, annotators : array-like of shape (n_answers,)
        The item of each answer, and who gave it.
    labels : list of sets or lists of labels, or array-like of shape (n_answers, n_classes)
        The labels given; or in an indicator matrix, dense or sparse, 1 for each and 0 for the rest.
    classes : array-like of shape (n_classes,), default=None
        All labels; None: those that occur, or the positions of the columns of a matrix.
    all_items : array-like, default=None
        All items, of which some may have no answer; None: those that have one.

    Attributes
    ----------
    items : ndarray of shape (n_items,)
        The items, sorted.
    annotators : ndarray of shape (n_annotators,)
        The annotators, sorted.
    classes : ndarray of shape (n_classes,)
        The labels; sorted, if the answers are sets.
    indicators : sparse array of bool of shape (n_answers, n_classes)
        The labels of each answer.

    Raises
    ------
    ValueError
        If the lengths differ, there is no answer, or a value is missing; if a label is not among
        `classes`, or a matrix holds other values than 0 and 1.

    Examples
    --------
    >>> from skactive.crowds import MultilabelAnswers
    >>> answers = MultilabelAnswers(
    ...     ["a", "a", "b"], ["Ann", "Bob", "Ann"], [{"sea", "sky"}, {"sky"}, set()]
    ... )
    >>> answers
    MultilabelAnswers(3 answers of 2 annotators on 2 items, 2 labels)
    >>> answers.about("sea").count_votes()  # no and yes, for each item
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
        if _is_matrix(labels):
            self.classes, self.indicators = _read_matrix(labels, classes)
        else:
            self.classes, self.indicators = _read_sets(labels, classes)
        n = self.indicators.shape[0]
        # The answers to one label, of which `about` replaces the codes.
        self._given = Answers(
            items, annotators, np.zeros(n, dtype=np.intp), classes=[0, 1], all_items=all_items
        )
        self.items, self.annotators = self._given.items, self._given.annotators

    @classmethod
    def from_records(cls, records: Any, *, classes: Any = None) -> Self:
        """Read the records of a labeling session with ``multilabel=True``.

        Parameters
        ----------
        records : iterable of dict
            What :meth:`LabelingSession.records <skactive.labeling.LabelingSession.records>`
            returns. Rows that were skipped or marked as unknown are left out.
        classes : array-like, default=None
            All labels; None: those that occur.

        Returns
        -------
        MultilabelAnswers
            Answers without a name are those of the annotator "".
        """
        items, people, labels = read_records(records)
        return cls(items, people, labels, classes=classes)

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self._given)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({pluralize(len(self), 'answer')} of "
            f"{pluralize(len(self.annotators), 'annotator')} on "
            f"{pluralize(len(self.items), 'item')}, {pluralize(len(self.classes), 'label')})"
        )

    def about(self, label: Any) -> Answers:
        """Return the answers to the question whether an item has a label.

        Parameters
        ----------
        label : label
            One of `classes`.

        Returns
        -------
        Answers
            With the classes 0, no, and 1, yes.

        Raises
        ------
        ValueError
            If it is not one of `classes`.
        """
        places = np.flatnonzero(self.classes == label)
        if not len(places):
            raise ValueError(f"{label!r} is not among the labels {self.classes.tolist()[:5]}.")
        answers = copy(self._given)
        column = self.indicators[:, [places[0]]].toarray()
        answers.label_codes = column[:, 0].astype(np.intp)
        return answers


class MultilabelCrowd(BaseEstimator):
    """Labels of items that may have several, from the answers of several annotators.

    Each label is a question of its own, with a model of annotators of its own: who finds all cats
    may overlook the mice.

    Parameters
    ----------
    model : CrowdModel, default=None
        The model of each label; None: :class:`OneCoin` whose classes are as frequent as the answers
        make them, since most labels are rare.

    Attributes
    ----------
    items_ : ndarray of shape (n_items,)
        The items, sorted.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    labels_ : ndarray of int of shape (n_items, n_classes)
        1 for the labels of each item, 0 for the others.
    proba_ : ndarray of shape (n_items, n_classes)
        Probability of each label.
    annotators_ : ndarray of shape (n_annotators,)
        The annotators, sorted.
    annotator_accuracy_ : ndarray of shape (n_annotators, n_classes)
        Expected share of right answers of each, by label.
    models_ : list of CrowdModel
        The fitted model of each label.

    Examples
    --------
    Cyd overlooks the sea, the others know it:

    >>> from skactive.crowds import MultilabelAnswers, MultilabelCrowd
    >>> sets = [{"sea", "sky"}, {"sea"}, {"sky"}] * 10
    >>> careless = [given - {"sea"} for given in sets]
    >>> answers = MultilabelAnswers(
    ...     list(range(30)) * 3, ["Ann"] * 30 + ["Bob"] * 30 + ["Cyd"] * 30, sets * 2 + careless
    ... )
    >>> crowd = MultilabelCrowd().fit(answers)
    >>> crowd.classes_[crowd.labels_[0] == 1].tolist()
    ['sea', 'sky']
    >>> crowd.annotator_accuracy_[2].round(2)
    array([0.33, 1.  ])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"model": [HasMethods("fit"), None]}

    def __init__(self, model: CrowdModel | None = None) -> None:
        self.model = model

    def fit(self, answers: MultilabelAnswers, *, proba: Any = None, gold: Any = None) -> Self:
        """Estimate the labels of the items.

        Parameters
        ----------
        answers : MultilabelAnswers
            The answers.
        proba : array-like of shape (n_items, n_classes), default=None
            Probability of each label by a model that has not learned from the answers to the same
            items; one more annotator. NaN where it has none.
        gold : mapping of item to labels, or array-like of shape (n_items, n_classes), default=None
            True labels of some items: sets, or 0 and 1, and NaN where they are not known.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If shapes do not fit, or gold labels or items are unknown.
        """
        self._validate_params()
        if not isinstance(answers, MultilabelAnswers):
            raise TypeError(
                f"answers must be MultilabelAnswers, got {type(answers).__name__}: fit the models "
                "of one label per item to Answers."
            )
        truth = _read_gold(gold, answers)
        yes = read_table(proba, answers)
        base = OneCoin(class_prior="estimate") if self.model is None else self.model
        models = []
        for k, label in enumerate(answers.classes.tolist()):
            column = None if yes is None else np.stack([1 - yes[:, k], yes[:, k]], axis=1)
            known = None if truth is None else truth[:, k]
            models.append(clone(base).fit(answers.about(label), proba=column, gold=known))
        self.items_, self.annotators_ = answers.items, answers.annotators
        self.classes_, self.models_ = answers.classes, models
        shape = (len(self.items_), len(models))
        self.labels_ = np.empty(shape, dtype=np.intp)
        self.proba_ = np.empty(shape)
        for k, model in enumerate(models):
            self.labels_[:, k], self.proba_[:, k] = model.labels_, model.proba_[:, 1]
        self.annotator_accuracy_ = np.stack([m.annotator_accuracy_ for m in models], axis=1)
        return self


def _is_matrix(labels: Any) -> bool:
    if sp.issparse(labels) or hasattr(labels, "columns"):
        return True
    return isinstance(labels, np.ndarray) and labels.ndim == 2


def _read_matrix(labels: Any, classes: Any) -> tuple[NDArray[Any], Any]:
    """Return the names of the columns of an indicator matrix, and the matrix."""
    own = getattr(labels, "columns", None)
    try:
        values = labels if sp.issparse(labels) else np.asarray(labels)
        matrix = sp.csr_array(values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "A matrix of labels must hold 0 and 1; pass labels by name as a list of sets."
        ) from error
    strange = matrix.data[(matrix.data != 0) & (matrix.data != 1)]
    if len(strange):
        raise ValueError(
            f"A matrix of labels must hold 0 and 1 only, got {strange[0]!r}: leave out answers "
            "that were not given."
        )
    names = classes if classes is not None else own
    named = np.arange(matrix.shape[1]) if names is None else np.asarray(names)
    if len(named) != matrix.shape[1] or len(np.unique(named)) != len(named):
        raise ValueError(
            f"classes must be {matrix.shape[1]} different names, one for each column of the "
            f"labels, got {named.tolist()[:5]}."
        )
    return named, matrix.astype(bool)


def _read_sets(labels: Any, classes: Any) -> tuple[NDArray[Any], Any]:
    """Return the labels that occur, sorted, and an indicator matrix of the sets."""
    rows = [_check_set(row, i) for i, row in enumerate(labels)]
    found = set().union(*rows) if rows else set()
    names = found if classes is None else set(np.asarray(classes).tolist())
    if not names:
        raise ValueError("No labels: all answers are empty. Pass classes= to declare some.")
    strange = sorted(map(repr, found - names))
    if strange:
        raise ValueError(f"labels has {strange[0]}, which is not in classes: add it there.")
    try:
        ordered = sorted(names)
    except TypeError as error:
        raise ValueError(
            "labels mix values that cannot be sorted, such as texts and numbers: use one kind."
        ) from error
    codes = {label: code for code, label in enumerate(ordered)}
    columns = [sorted(codes[label] for label in row) for row in rows]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.array([code for row in columns for code in row], dtype=np.intp)
    shape = (len(rows), len(ordered))
    return np.asarray(ordered), sp.csr_array((np.ones(len(flat), bool), flat, ends), shape=shape)


def _check_set(row: Any, i: int) -> set[Any]:
    if isinstance(row, str) or not isinstance(row, Set | Sequence | np.ndarray):
        got = "missing" if is_missing(row) else repr(row)
        raise ValueError(
            f"labels[{i}] must be a set or a list of labels, which may be empty, got {got}: leave "
            "out what was not answered; for one label per item use Answers."
        )
    values = set(np.asarray(row).tolist() if isinstance(row, np.ndarray) else row)
    if any(is_missing(value) for value in values):
        raise ValueError(f"labels[{i}] holds a missing value: leave it out.")
    return values


def _read_gold(gold: Any, answers: MultilabelAnswers) -> Floats | None:
    """Return true labels as 0 and 1, and NaN where they are not known, (n_items, n_classes)."""
    if gold is None:
        return None
    shape = (len(answers.items), len(answers.classes))
    if not isinstance(gold, Mapping):
        table = np.asarray(gold, dtype=np.float64)
        if table.shape != shape or not np.isin(table[~np.isnan(table)], (0, 1)).all():
            raise ValueError(
                f"gold must be a mapping of item to a set of labels, or a matrix of shape {shape} "
                f"of 0, 1 and NaN, got shape {table.shape}."
            )
        return table
    table = np.full(shape, np.nan)
    places = {item: i for i, item in enumerate(answers.items.tolist())}
    codes = {label: code for code, label in enumerate(answers.classes.tolist())}
    for i, (item, labels) in enumerate(gold.items()):
        if item not in places:
            raise ValueError(f"gold has the item {item!r}, which has no answers: leave it out.")
        strange = _check_set(labels, i) - codes.keys()
        if strange:
            raise ValueError(
                f"gold has the label {strange.pop()!r}, which nobody gave: pass classes= to declare"
                " it."
            )
        table[places[item]] = 0
        table[places[item], [codes[label] for label in labels]] = 1
    return table
