"""Who gave the labels: how far people agree with each other and with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skactive.cli._errors import CommandError
from skactive.cli.checking._findings import Findings
from skactive.cli.checking._rows import CheckedRows, CheckSettings
from skactive.crowds import Answers, OneCoin, agreement
from skactive.estimation import Estimate

__all__ = ["People", "Person", "measure_people"]


@dataclass(frozen=True)
class Person:
    """One person's answers.

    Parameters
    ----------
    name : str
        The person.
    n_answers : int
        Number of answers.
    with_others, with_model : float
        Share of the answers of others to the same rows that are the same, NaN without any; and
        share of own answers that the model predicts.
    accuracy : float
        Share of right answers, as estimated from both.
    """

    name: str
    n_answers: int
    with_others: float
    with_model: float
    accuracy: float


@dataclass(frozen=True)
class People:
    """All people.

    Parameters
    ----------
    people : list of Person
        The least accurate first.
    agreement : Estimate or None
        Krippendorff's alpha; None if no row was answered twice.
    """

    people: list[Person]
    agreement: Estimate | None


def measure_people(rows: CheckedRows, findings: Findings, settings: CheckSettings) -> People | None:
    """Measure how far people agree with each other and with the model.

    Parameters
    ----------
    rows : CheckedRows
        The rows.
    findings : Findings
        Probabilities of the model, and rows that repeat others.
    settings : CheckSettings
        Which column names the person who gave each label; or which columns hold the labels of one
        person each.

    Returns
    -------
    People or None
        None if no column of annotators was named.

    Raises
    ------
    CommandError
        If there is no answer, or one of several columns holds a name instead of a label.
    """
    if not settings.annotators:
        return None
    items, names, labels = _read_answers(rows, settings)
    classes = np.union1d(rows.labels, labels)
    answers = Answers(items, names, labels, classes=classes)
    first = answers.items.astype(np.intp)  # the position of the first row of each item
    proba = np.zeros((len(first), len(classes)))
    columns = np.searchsorted(classes, findings.quality.classes_)
    proba[:, columns] = findings.quality.proba_[first]
    fitted = OneCoin().fit(answers, proba=proba)
    with_others = _agree_with_others(answers)
    same = proba.argmax(axis=1)[answers.item_codes] == answers.label_codes
    n_answers = np.bincount(answers.annotator_codes)
    with_model = np.bincount(answers.annotator_codes, same) / n_answers
    people = [
        Person(str(name), int(n_answers[i]), float(with_others[i]), float(with_model[i]),
               float(fitted.annotator_accuracy_[i]))
        for i, name in enumerate(answers.annotators)
    ]  # fmt: skip
    has_pairs = bool((np.bincount(answers.item_codes) > 1).any())
    return People(
        sorted(people, key=lambda person: (person.accuracy, person.name)),
        agreement(answers) if has_pairs else None,
    )


def _read_answers(
    rows: CheckedRows, settings: CheckSettings
) -> tuple[list[int], list[str], list[str]]:
    """Return item, person and label of each answer; items are positions of their first rows."""
    if len(settings.annotators) == 1:
        names = rows.name_cells(settings.annotators[0])
        items = rows.number_items(settings.id)
        found = [(items[i], name, str(rows.labels[i])) for i, name in enumerate(names) if name]
    else:
        found = [
            (i, name, label)
            for name in settings.annotators
            for i, label in enumerate(rows.name_cells(name))
            if label
        ]
        _check_labels(rows, {label for *_, label in found}, settings)
    if not found:
        raise CommandError(f"--annotators: {', '.join(settings.annotators)} has no answers")
    items, people, labels = (list(column) for column in zip(*found, strict=True))
    return items, people, labels


def _check_labels(rows: CheckedRows, labels: set[str], settings: CheckSettings) -> None:
    if not labels & set(rows.labels.tolist()):
        raise CommandError(
            f"--annotators: {', '.join(settings.annotators)} hold {sorted(labels)[:3]}, none of "
            f"the classes of {settings.target!r}; several columns hold the labels of one person "
            "each, one column alone the name of the person who gave each label"
        )


def _agree_with_others(answers: Answers) -> Any:
    """Return the share of the others' answers to the same items that are each person's."""
    votes = answers.count_votes()  # (n_items, n_classes)
    same = votes[answers.item_codes, answers.label_codes] - 1
    others = votes.sum(axis=1)[answers.item_codes] - 1
    n = len(answers.annotators)
    hits = np.bincount(answers.annotator_codes, same, minlength=n)
    total = np.bincount(answers.annotator_codes, others, minlength=n)
    return np.divide(hits, total, out=np.full(n, np.nan), where=total > 0)
