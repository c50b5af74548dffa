"""Checks of ids and answers, before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skactive._utils.inputs import find_input_list
from skactive._utils.row_checks import check_rows
from skactive._utils.rows import n_rows
from skactive._utils.stored_rows import open_rows
from skactive._utils.text import pluralize
from skactive._utils.values import is_missing
from skactive.exceptions import LabelError
from skactive.labeling._names import check_name
from skactive.labeling._numbers import ValueRange, check_number
from skactive.labeling.state._events import Ident, Label

__all__ = [
    "check_annotator",
    "check_answers",
    "check_id",
    "check_ids",
    "check_key",
    "check_label",
    "check_label_type",
    "check_pool_rows",
    "check_seconds",
    "get_label_type",
    "to_builtin",
]


def to_builtin(value: Any) -> Any:
    """Convert a NumPy scalar to a Python object; return anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def check_pool_rows(X: Any, ids: Any) -> Any:
    """Check that `X` holds rows; the number of ids tells a list of inputs from a list of rows."""
    if hasattr(ids, "__len__"):
        X = find_input_list(X, len(ids))
    check_rows(X, like=None if ids is None else X)
    return open_rows(X)


def check_ids(ids: Any, X: Any) -> list[Ident]:
    """Return a unique id per row, a string or an integer; None numbers the rows."""
    n = n_rows(X)
    if ids is None:
        return list(range(n))
    checked = [to_builtin(ident) for ident in ids]
    if len(checked) != n:
        raise ValueError(f"ids must have one id for each of the {n} rows, got {len(checked)}.")
    invalid = [i for i in checked if isinstance(i, bool) or not isinstance(i, str | int)]
    if invalid:
        raise ValueError(
            f"ids must be strings or integers, got {invalid[0]!r}: pass str(id) for each id."
        )
    broken = [i for i in checked if isinstance(i, str) and not _can_encode(i)]
    if broken:
        raise ValueError(
            f"ids must be strings that UTF-8 can encode, got {broken[0]!r}, with half of a "
            "surrogate pair: mend it where it comes from."
        )
    if len(set(checked)) < n:
        seen: set[Ident] = set()
        repeated = next(i for i in checked if i in seen or seen.add(i))  # type: ignore[func-returns-value]
        n_duplicates = n - len(set(checked))
        raise ValueError(
            f"ids must be unique: {repeated!r} occurs more than once "
            f"({pluralize(n_duplicates, 'duplicate')})."
        )
    return checked


def check_id(ident: Any, positions: Mapping[Ident, Any]) -> Ident:
    """Return the id of a row, which must be a key of `positions`."""
    ident = to_builtin(ident)
    try:
        in_pool = ident in positions
    except TypeError:  # not hashable
        in_pool = False
    # 1.0 and True equal the key 1, but are not ids
    if not in_pool or isinstance(ident, bool) or not isinstance(ident, str | int):
        raise LabelError(f"Unknown row {ident!r}: not in the pool. Nothing was stored.")
    return ident


def check_annotator(name: Any) -> str | None:
    """Return the name of an annotator as it is stored, or None."""
    if name is None:
        return None
    if not isinstance(name, str):
        advice = None if is_missing(name) else str(name)
        raise LabelError(
            f"annotator must be a string or None, got {name!r}: pass annotator={advice!r}. "
            "Nothing was stored."
        )
    return check_name(name)


def check_key(key: Any, name: str = "key") -> str | None:
    """Return a key or a ticket as it is stored, or None."""
    if key is None:
        return None
    if not isinstance(key, str) or not _can_encode(key):
        raise LabelError(f"{name} must be a string or None, got {key!r}. Nothing was stored.")
    return str.__str__(key)


def check_seconds(seconds: Any) -> float | None:
    """Return the time of an answer as it is stored, or None."""
    if seconds is None:
        return None
    number = to_builtin(seconds)
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not math.isfinite(number) or number < 0:
        raise LabelError(
            f"seconds must be a finite number, 0 or more, or None, got {seconds!r}. Nothing was "
            "stored."
        )
    return float(number) + 0.0  # no -0.0


def _can_encode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def check_label(label: Any, *, multilabel: bool) -> Label:
    """Return a label as it is stored: a scalar, or if multilabel a sorted list of classes."""
    if multilabel:
        if isinstance(label, str) or not isinstance(label, Iterable):
            raise LabelError(
                f"multilabel=True: a label is a list of classes (it may be empty), got {label!r}."
            )
        return sorted({_check_class(c) for c in label})
    return _check_class(label)


def _check_class(label: Any) -> Any:
    label = to_builtin(label)
    if isinstance(label, str) and not _can_encode(label):
        raise LabelError(
            f"The label {label!r} holds half of a surrogate pair, which cannot be written as "
            "UTF-8: mend it where it comes from. Nothing was stored."
        )
    if not isinstance(label, str | int | float | bool):
        raise LabelError(
            f"A label is a string, a number or a boolean, got {label!r}. For a row without a label "
            "use skip or mark_unknown; for several classes per row, multilabel=True."
        )
    if isinstance(label, float) and not math.isfinite(label):
        raise LabelError(f"A label must be finite, got {label!r}. Use mark_unknown for no label.")
    return label + 0.0 if isinstance(label, float) else label  # no -0.0


def get_label_type(label: Label) -> str:
    """Return the type of a label, in words; all labels of a session have the same."""
    if isinstance(label, str):
        return "string"
    if isinstance(label, bool):
        return "boolean"
    return "number"


def check_label_type(label: Label, label_type: str | None) -> None:
    """Check that a label has the type of the others; None accepts any."""
    if label_type is not None and get_label_type(label) != label_type:
        raise LabelError(
            f"{label!r} is a {get_label_type(label)}, but the labels of this session are of type "
            f"{label_type}. Nothing was stored."
        )


def check_answers(
    answers: Any,
    positions: Mapping[Ident, Any],
    *,
    classes: Sequence[Any] | None,
    label_type: str | None,
    multilabel: bool,
    value_range: ValueRange | None = None,
) -> dict[Ident, Label]:
    """Check all answers of a call, so that all of them are stored or none.

    Parameters
    ----------
    answers : mapping of id to label
        The answers, as passed by the user.
    positions : mapping
        Positions of the rows of the pool, by id.
    classes : sequence or None
        The classes, if they were declared.
    label_type : str or None
        Type of the labels that are stored already.
    multilabel : bool
        Whether a label is a list of classes.
    value_range : (float or None, float or None) or None, default=None
        If labels are numbers: the smallest and the largest.

    Returns
    -------
    dict of id to label
        The answers, as they are stored.

    Raises
    ------
    LabelError
        If an id is not in the pool, or a label is invalid.
    """
    if not isinstance(answers, Mapping):
        raise LabelError(
            f"Pass answers as a dict of id to label, {{id: label, ...}}, got {answers!r}."
        )
    checked: dict[Ident, Label] = {}
    for ident, label in answers.items():
        ident = check_id(ident, positions)
        checked[ident] = label = check_label(label, multilabel=multilabel)
        for c in label if isinstance(label, list) else [label]:
            if classes is not None and c not in classes:
                raise LabelError(
                    f"{c!r}, the label of row {ident!r}, is not among the classes "
                    f"{list(classes)!r}. Nothing was stored. For a new class call add_class first."
                )
            label_type = label_type or get_label_type(c)
            check_label_type(c, label_type)
        if value_range is not None:
            checked[ident] = check_number(label, value_range)
    return checked
