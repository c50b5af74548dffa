"""Count, take and join the rows of any container that scikit-learn or skorch accepts.

Containers are arrays of any dimension, sparse matrices, pandas and polars frames and series,
lists and tuples (of texts, say) and torch tensors. pandas, polars and torch are never imported
here: a program that passes one of their objects has imported them.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array

from skactive._utils.compat import safe_indexing

__all__ = ["join_rows", "n_rows", "row_shape", "take_rows", "to_matrix"]


def n_rows(X: Any) -> int:
    """Count the rows of `X`."""
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)


def row_shape(X: Any) -> tuple[int, ...] | None:
    """Return the shape of one row of `X`, or None if rows have none (a list of texts)."""
    shape = getattr(X, "shape", None)
    return None if shape is None else tuple(int(length) for length in shape[1:])


def take_rows(X: Any, rows: Any) -> Any:
    """Take `rows` (positions or a slice) of `X`, in a container of the same kind."""
    return safe_indexing(X, rows)


def join_rows(first: Any, second: Any) -> Any:
    """Concatenate rows in a container of the kind of `first`."""
    for library, join in _JOINS.items():
        if _is_from(library, first) and _is_from(library, second):
            return join(sys.modules[library], first, second)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return [*first, *second]
    if any(_is_from(library, X) for library in ("pandas", "polars") for X in (first, second)):
        raise TypeError(
            f"Rows in a {_type_name(second)} cannot join rows in a {_type_name(first)}: pass both "
            "in the same kind of container."
        )
    if sp.issparse(first) or sp.issparse(second):
        kind = sp.csr_matrix if isinstance(first, sp.spmatrix) else sp.csr_array
        return kind(sp.vstack([kind(first), kind(second)], format="csr"))
    return np.concatenate([np.asarray(first), np.asarray(second)])


def to_matrix(X: Any, what: str) -> Any:
    """Return `X` as a finite numeric matrix of shape (n_rows, n_dims), dense or CSR.

    Rows of more dimensions (images) are flattened. `what` names `X` in the error.
    """
    if _is_from("torch", X):
        X = X.detach().cpu()
    if not sp.issparse(X) and not (hasattr(X, "iloc") and X.ndim == 2):
        X = np.asarray(X)
        X = X.reshape(len(X), math.prod(X.shape[1:])) if X.ndim != 2 else X
    return check_array(
        X,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        ensure_min_samples=0,
        input_name=what,
    )


def _is_from(library: str, X: Any) -> bool:
    """Return whether `X` is an object of `library`, without importing it."""
    return type(X).__module__.split(".")[0] == library


def _type_name(X: Any) -> str:
    return f"{type(X).__module__.split('.')[0]}.{type(X).__name__}"


_JOINS: dict[str, Any] = {
    "pandas": lambda pandas, first, second: pandas.concat([first, second]),
    "polars": lambda polars, first, second: polars.concat([first, second]),
    "torch": lambda torch, first, second: torch.cat([first, second]),
}
