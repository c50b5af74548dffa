"""One column of rows in any container, by its name or position."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import scipy.sparse as sp

from skactive._utils.inputs import has_several_inputs
from skactive._utils.rows import collect_rows, column_names, row_shape, type_name

__all__ = ["find_column"]


def find_column(X: Any, column: Any) -> Any:
    """Find a column of rows.

    Parameters
    ----------
    X : rows in any container
        A frame, table or structured array; a dict of inputs; a matrix; or a list of dicts.
    column : str or int
        A name of a frame, of an input or of the keys; or a position in the rows.

    Returns
    -------
    array-like of shape (n_rows,)
        The values, in the container that `X` keeps them in.

    Raises
    ------
    ValueError
        If the rows have no such column.
    """
    X = collect_rows(X)
    if has_several_inputs(X):
        return _look_up(X, column, list(X) if isinstance(X, Mapping) else list(range(len(X))))
    names, is_position = column_names(X), isinstance(column, Integral)
    if names is not None:
        if column not in names and is_position and -len(names) <= column < len(names):
            column = names[int(column)]
        return _look_up(X, column, names)
    if is_position and len(row_shape(X) or ()) == 1:
        return _take_from_matrix(X, int(column))
    if isinstance(X, list | tuple) and not any(isinstance(row, str | bytes) for row in X):
        return _take_from_list(X, column)
    raise _make_error(X, column, "whose rows have no columns of this kind")


def _look_up(X: Any, column: Any, names: list[Any]) -> Any:
    if column not in names:
        raise _make_error(X, column, f"which has {names}")
    return X[column]


def _take_from_matrix(X: Any, column: int) -> Any:
    n_columns = row_shape(X)[0]  # type: ignore[index]  # there is one: X is a matrix
    if not -n_columns <= column < n_columns:
        raise _make_error(X, column, f"which has {n_columns} columns")
    if sp.issparse(X):
        return sp.csc_array(X)[:, [column % n_columns]].toarray().ravel()
    return X[:, column]


def _take_from_list(X: Any, column: Any) -> Any:
    try:
        return [row[column] for row in X]
    except (KeyError, IndexError, TypeError) as error:
        raise _make_error(X, column, f"of which a row has none ({error!r})") from None


def _make_error(X: Any, column: Any, reason: str) -> ValueError:
    return ValueError(
        f"There is no column {column!r} in a {type_name(X)}, {reason}: name a column that the "
        "rows have, or pass a function of the rows that returns one value per row."
    )
