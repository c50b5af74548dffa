"""Labels as they are read: one per row, an array per row, or structured; and missing ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from numbers import Number, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from skactive._utils.tags import find_estimator_type, is_known_classifier, read_tags
from skactive._utils.values import is_missing

__all__ = [
    "RowList",
    "check_same_kind",
    "check_unmasked",
    "find_missing",
    "find_missing_rows",
    "has_one_label",
    "is_container",
    "is_structured",
    "name_kind",
    "read_labels",
    "to_dense",
]


_MAX_NAME = 500  # characters of a text that may be the name of a class


class RowList(np.ndarray[Any, Any]):
    """An object vector whose rows came in a list, so that the model is given a list of them."""


def is_structured(y: Any) -> bool:
    """Return whether labels have a list, array, set or dict per row, which is kept as it is."""
    if isinstance(y, np.ndarray):
        if y.dtype != object or y.ndim != 1:
            return False
    elif not isinstance(y, list | tuple):
        return False
    # Missing labels say nothing; all others are of one kind.
    return is_container(next((row for row in y if not is_missing(row)), None))


def has_one_label(y: Any) -> bool:
    """Return whether labels that were read are one per row: a class, a number or a text."""
    return y is not None and np.ndim(y) == 1 and not is_structured(y)


def read_labels(y: Any, model: Any = None) -> NDArray[Any]:
    """Return labels as an array; structured ones as an object vector of their rows.

    Parameters
    ----------
    y : array-like, frame, sparse matrix or list
        The labels.
    model : estimator, default=None
        The model that learns from them: its tags say whether it takes lists of plain values as a
        matrix. None: no list of lists is one.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, ...)

    Raises
    ------
    ValueError
        If labels are masked, texts and numbers are mixed, or rows are of several kinds.
    """
    y = to_dense(y)
    if not isinstance(y, list | tuple | RowList):
        y = np.asarray(y)
        is_column = y.dtype == object and y.ndim == 2 and y.shape[1] == 1
        y = y.ravel() if is_column and is_structured(y.ravel()) else y
    if isinstance(y, np.ndarray) and (y.dtype != object or y.ndim != 1):
        return _unify_types(y)
    if not any(map(is_container, y)):
        return _unify_types(_list_to_array(y))
    if _are_plain_lists(y) and _takes_matrix(model, {len(row) for row in y}):
        return _unify_types(_list_to_array([list(row) for row in y]))
    check_same_kind(map(name_kind, y))
    if isinstance(y, np.ndarray):
        return y
    return np.fromiter(y, dtype=object, count=len(y)).view(RowList)


def check_unmasked(y: Any) -> Any:
    """Return labels unchanged; masked ones are missing, which is an error."""
    if np.ma.isMaskedArray(y) and np.ma.is_masked(y):  # arrays of pandas have masks, too
        n_masked = int(np.ma.getmaskarray(y).sum())
        raise ValueError(
            f"{n_masked} of {len(y)} labels are masked, so they are missing. Keep the "
            "others: known = ~numpy.ma.getmaskarray(y), then X[known] and y[known]."
        )
    return y


def to_dense(y: Any) -> Any:
    """Return labels of a sparse matrix as an array, since few models take others."""
    return y.toarray() if sp.issparse(y) else check_unmasked(y)


def is_container(row: Any) -> bool:
    """Return whether a row has labels of its own; a text has not."""
    return isinstance(row, list | tuple | Set | Mapping) or bool(getattr(row, "shape", ()))


def _are_plain_lists(rows: Any) -> bool:
    """Return whether all rows are lists, tuples or vectors of numbers and texts, or of missing."""

    def is_plain(row: Any) -> bool:
        if isinstance(row, list | tuple):
            return all(isinstance(value, str | Number) or is_missing(value) for value in row)
        return isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype != object

    return all(map(is_plain, rows))


def _takes_matrix(model: Any, lengths: set[int]) -> bool:
    """Return whether a model takes rows of these lengths as the rows of a matrix."""
    if len(lengths) != 1 or 0 in lengths:
        return False
    kind = find_estimator_type(model)
    if kind not in {"classifier", "regressor"}:
        return False
    tags = read_tags(model)
    # A home-made tagger has the tags of a classifier, and rows of one tag each are no classes.
    takes_one = (tags is None or tags.target_tags.single_output) and (
        kind == "regressor" or is_known_classifier(model)
    )
    return (lengths == {1} and takes_one) or _takes_several(model)


def _takes_several(model: Any) -> bool:
    """Return whether a model takes several outputs per row, by its tags or those in a search."""
    tags = read_tags(model)
    if tags is None:
        return False
    classifies_several = tags.classifier_tags is not None and tags.classifier_tags.multi_label
    if tags.target_tags.multi_output or classifies_several:
        return True
    inner = getattr(model, "estimator", None)  # searches do not pass on that tag of regressors
    return inner is not None and _takes_several(inner)


def _list_to_array(y: Any) -> NDArray[Any]:
    """Return a list as an array; numbers and texts in it are not made all texts.

    Long texts are objects: an array of texts takes the memory of the longest for each of them.
    """
    if any(isinstance(label, str) and len(label) > _MAX_NAME for label in y):
        return np.array(y, dtype=object)
    labels = np.asarray(y)
    if labels.dtype.kind == "U" and not all(isinstance(v, str) for v in _iter_values(y)):
        labels = np.array(y, dtype=object)
    return labels


def _iter_values(y: Any) -> Iterable[Any]:
    """Yield the values of a list, or of a list of lists."""
    for row in y:
        yield from row if isinstance(row, list | tuple | np.ndarray) else (row,)


def _unify_types(labels: NDArray[Any]) -> NDArray[Any]:
    """Return objects that are all numbers as numbers; mixed with texts they are an error."""
    if labels.dtype != object:
        return labels
    types = {
        "text" if isinstance(label, str) else "number"
        for label in labels.ravel()
        if isinstance(label, str | Real) and not is_missing(label)
    }
    if len(types) > 1:
        raise ValueError(
            "y mixes texts and numbers, which would split classes: pass labels of one type."
        )
    if types == {"number"}:  # as in a column of a mixed frame: scikit-learn refuses objects
        numbers = np.array(labels.ravel().tolist()).reshape(labels.shape)
        return numbers if numbers.dtype.kind in "biuf" else labels
    return labels


def name_kind(row: Any) -> str | None:
    """Name the kind of a row of structured labels; None if it is missing or an empty list."""
    if is_missing(row) or (isinstance(row, list | tuple) and not row):
        return None
    kinds = {"dict": Mapping, "set": Set, "list": list | tuple}
    kind = next((name for name, types in kinds.items() if isinstance(row, types)), "array")
    return kind if is_container(row) else "single label"


def check_same_kind(kinds: Iterable[str | None]) -> None:
    """Check that rows of structured labels are of one kind; empty lists go with any."""
    names = sorted({kind for kind in kinds if kind is not None})
    if len(names) > 1:
        raise ValueError(
            f"The labels of some rows are of the kind {names[0]!r}, of others {names[1]!r}: pass "
            "all in one kind, lists of tags, say, or arrays."
        )


# Missing labels -----------------------------------------------------------------------------------


def find_missing(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Find the labels, one after the other, that are None, NaN, NaT or NA."""
    labels = labels.ravel()
    if labels.dtype.kind == "O":
        return np.array([is_missing(label) for label in labels], dtype=bool)
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    return np.isnan(labels) if labels.dtype.kind in "fc" else np.zeros(len(labels), dtype=bool)


def find_missing_rows(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Find the rows without a label, (n_rows,): any of their values is missing, or all of a map."""
    if not len(labels) or not labels.size:
        return np.zeros(len(labels), dtype=bool)
    is_unknown = find_missing(labels).reshape(len(labels), -1)
    is_all = labels.ndim > 2
    return np.asarray(is_unknown.all(axis=1) if is_all else is_unknown.any(axis=1))
