"""Checking what people answer, before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skactive._utils.rows import n_rows
from skactive.exceptions import LabelError
from skactive.labeling.state._events import Ident, Label

__all__ = ["check_answers", "check_family", "check_ids", "check_label", "family", "plain"]


def plain(value: Any) -> Any:
    """Return a number or text of NumPy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def check_ids(ids: Any, X: Any) -> list[Ident]:
    """Return an id for each row: strings or whole numbers, no two alike; None numbers the rows."""
    n = n_rows(X)
    if ids is None:
        return list(range(n))
    found = [plain(each) for each in ids]
    if len(found) != n:
        raise ValueError(f"ids must have one id for each of the {n} rows, got {len(found)}.")
    wrong = [each for each in found if isinstance(each, bool) or not isinstance(each, str | int)]
    if wrong:
        raise ValueError(
            f"ids must be strings or whole numbers, got {wrong[0]!r}: pass str(id) of each."
        )
    if len(set(found)) < n:
        seen: set[Ident] = set()
        twice = next(each for each in found if each in seen or seen.add(each))  # type: ignore[func-returns-value]
        raise ValueError(
            f"ids must be unique: {twice!r} is there twice ({n - len(set(found))} too many in all)."
        )
    return found


def check_label(label: Any, *, multilabel: bool) -> Label:
    """Return a label as it is stored: text, number or truth value; a sorted list of several."""
    if multilabel:
        if isinstance(label, str) or not isinstance(label, Iterable):
            raise LabelError(
                f"multilabel=True: a label is a list of classes (it may be empty), got {label!r}."
            )
        return sorted({_one(each) for each in label})
    return _one(label)


def _one(label: Any) -> Any:
    label = plain(label)
    if not isinstance(label, str | int | float | bool):
        raise LabelError(
            f"A label is a text, a number or a truth value, got {label!r}. For a row without a "
            "label use skip or mark_unknown; for several classes a row, multilabel=True."
        )
    if isinstance(label, float) and not math.isfinite(label):
        raise LabelError(f"A label must be finite, got {label!r}. Use mark_unknown for no label.")
    return label


def family(label: Label) -> str:
    """Return of what kind a label is; labels of one session are all of one kind."""
    if isinstance(label, str):
        return "text"
    if isinstance(label, bool):
        return "truth value"
    return "number"


def check_answers(
    answers: Any,
    known: Mapping[Ident, Any],
    *,
    classes: Sequence[Any] | None,
    kind: str | None,
    multilabel: bool,
) -> dict[Ident, Label]:
    """Check answers as a whole, so that all of them are stored or none.

    Parameters
    ----------
    answers : mapping of id to label
        What was passed.
    known : mapping
        Its keys are the ids of the pool.
    classes : sequence or None
        The classes there are, where they were declared.
    kind : str or None
        Of what kind the labels are that are stored already.
    multilabel : bool
        Whether a label is a list of classes.
    """
    if not isinstance(answers, Mapping):
        raise LabelError(
            f"Pass answers as a dict of id to label, {{id: label, ...}}, got {answers!r}."
        )
    checked: dict[Ident, Label] = {}
    for ident, label in answers.items():
        ident = check_known(ident, known)
        checked[ident] = label = check_label(label, multilabel=multilabel)
        for each in label if isinstance(label, list) else [label]:
            if classes is not None and each not in classes:
                raise LabelError(
                    f"{each!r}, the label of row {ident!r}, is not among the classes "
                    f"{list(classes)!r}. Nothing was stored. For a new class call add_class first."
                )
            kind = kind or family(each)
            check_family(each, kind)
    return checked


def check_family(label: Label, kind: str | None) -> None:
    """Check that a label, or class, is of the kind of those that there are."""
    if kind is not None and family(label) != kind:
        raise LabelError(
            f"{label!r} is a {family(label)}, but the labels of this session are of kind {kind}. "
            "Nothing was stored."
        )


def check_known(ident: Any, known: Mapping[Ident, Any]) -> Ident:
    """Return the id of a row of the pool."""
    ident = plain(ident)
    try:
        found = ident in known
    except TypeError:
        found = False
    if not found or isinstance(ident, bool) or not isinstance(ident, str | int):
        raise LabelError(f"There is no row {ident!r} in the pool. Nothing was stored.")
    return ident
