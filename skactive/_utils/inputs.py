"""Several inputs per row: a dict or a list of containers, whose rows belong together.

A model of two inputs (a picture and its caption, say) takes ``{"picture": A, "caption": B}`` or
``[A, B]``, where A and B have one row each for every row. A dict is always read in this way; a list
only if something tells that it is not a list of rows, and then it becomes an `InputList`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "InputList",
    "find_input_list",
    "has_several_inputs",
    "is_ambiguous",
    "list_inputs",
    "map_inputs",
]

# A list of at most so many matrices, each with over so many times as many rows, is taken for inputs
# that someone forgot to name, rather than for rows.
_MOST_INPUTS = 8
_LONGER_BY = 10


class InputList(list[Any]):
    """A list of the inputs of a model, each with all rows, as opposed to a list of rows."""


def has_several_inputs(X: Any) -> bool:
    """Return whether `X` holds inputs with rows of their own: a mapping or an `InputList`."""
    # SciPy's matrices by key are dicts, and yet one matrix.
    return isinstance(X, InputList) or (isinstance(X, Mapping) and not hasattr(X, "tocsr"))


def list_inputs(X: Any) -> list[tuple[Any, Any]]:
    """List the inputs of `X` with their names: the keys of a mapping, positions in a list."""
    return list(X.items()) if isinstance(X, Mapping) else list(enumerate(X))


def map_inputs(function: Callable[..., Any], X: Any, *others: Any) -> Any:
    """Apply `function` to each input, and the inputs of that name in `others`; keep the kind."""
    values = {name: function(value, *(X[name] for X in others)) for name, value in list_inputs(X)}
    return _make_mapping(X, values) if isinstance(X, Mapping) else InputList(values.values())


def _make_mapping(like: Any, values: dict[Any, Any]) -> Any:
    """Return `values` in a mapping of the class of `like`, or in a dict if it cannot be made."""
    kind: Any = type(like)
    if kind is dict:
        return values
    makers: list[Callable[[], Any]] = [lambda: kind(values), lambda: kind(**values)]
    for make in makers:
        try:
            made = make()
            if list(made.keys()) == list(values):
                return made
        except (TypeError, ValueError):  # classes differ in what they are made from
            continue
    return values


def find_input_list(X: Any, n_labels: int | None, like: Any = None) -> Any:
    """Return `X` as an `InputList` if it is a list or tuple of inputs; else unchanged.

    Rows that are known already decide, if there are any; else the number of labels: a list with as
    many elements as labels is a list of rows.

    Parameters
    ----------
    X : rows in any container
        The rows.
    n_labels : int or None
        Number of labels of the rows, if known.
    like : rows in a checked container, default=None
        Rows of the same kind, if known.
    """
    if isinstance(X, InputList) or not isinstance(X, list | tuple):
        return X
    if like is not None:
        same_number = isinstance(like, InputList) and len(X) == len(like)
        return InputList(X) if same_number and all(map(_count_rows, X)) else X
    if n_labels is None or len(X) in {0, n_labels}:
        return X
    return InputList(X) if {_count_rows(value) for value in X} == {n_labels} else X


def is_ambiguous(X: Any) -> bool:
    """Return whether `X` may be a list of inputs as well as of rows: a few long matrices."""
    if isinstance(X, InputList) or not isinstance(X, list | tuple):
        return False
    if not 2 <= len(X) <= _MOST_INPUTS or not all(hasattr(value, "shape") for value in X):
        return False
    lengths, n_dims = {_count_rows(value) for value in X}, [len(value.shape) for value in X]
    return len(lengths) == 1 and max(n_dims) > 1 and (lengths.pop() or 0) > _LONGER_BY * len(X)


def _count_rows(value: Any) -> int | None:
    """Count the rows of what may be an input; None if it has none (a text, a number)."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else None
    if isinstance(value, Mapping | str | bytes) or not hasattr(value, "__len__"):
        return None
    return len(value)
