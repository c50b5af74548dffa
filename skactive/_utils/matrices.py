"""Rows as finite numeric matrices, dense or sparse, for distances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array

from skactive._utils.inputs import has_several_inputs, list_inputs, map_inputs
from skactive._utils.rows import collect_rows, column_names, is_from

__all__ = ["match_form", "match_rows", "stack_matrices", "tensor_to_array", "to_matrix"]


def to_matrix(X: Any, what: str) -> Any:
    """Return `X` as a finite numeric matrix of shape (n_rows, n_dims), dense or CSR.

    Rows of more dimensions (images) are flattened, and several inputs are put side by side. `what`
    names `X` in the error, which is a ValueError or a TypeError if `X` makes no such matrix, or if
    the squared distance of two rows might overflow.
    """
    X = collect_rows(X)
    if has_several_inputs(X):
        return _stack_columns([to_matrix(values, what) for _, values in list_inputs(X)])
    if getattr(getattr(X, "dtype", None), "names", None):  # a structured array
        names = column_names(X) or []
        return _stack_columns([to_matrix(np.asarray(X[name]), what) for name in names])
    matrix = _tidy(X) if sp.issparse(X) else _to_two_dimensions(tensor_to_array(X), what)
    with np.errstate(invalid="ignore"):  # of the sum in which scikit-learn looks for infinity
        matrix = check_array(
            matrix,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=0,
            input_name=what,
        )
    _check_range(matrix, what)
    return matrix


def _to_two_dimensions(X: Any, what: str) -> Any:
    """Return dense rows as a frame or an array of shape (n_rows, n_dims)."""
    is_frame = hasattr(X, "iloc") and X.ndim == 2
    if is_frame and not X.columns.is_unique:  # scikit-learn refuses names that repeat
        X = X.set_axis(range(X.shape[1]), axis=1)
    dtypes = list(X.dtypes) if is_frame else []
    if np.ma.isMaskedArray(X) and np.ma.is_masked(X):
        raise ValueError(f"{what} has masked values: fill them")
    if not is_frame:
        X = np.asarray(X)
        dtypes = [X.dtype]
    if any(getattr(dtype, "kind", "O") in "mM" for dtype in dtypes):
        raise TypeError(f"{what} has dates or durations, which have no scale of their own")
    return X if X.ndim == 2 else X.reshape(len(X), math.prod(X.shape[1:]))


def tensor_to_array(X: Any) -> Any:
    """Return a torch tensor as an array, in a precision that NumPy has; others unchanged."""
    if not is_from("torch", X) or not hasattr(X, "detach"):
        return X
    X = X.detach().cpu().to_dense()
    known = ("float16", "float32", "float64")
    is_odd_float = X.is_floating_point() and str(X.dtype).removeprefix("torch.") not in known
    return (X.float() if is_odd_float else X.resolve_conj().resolve_neg()).numpy()


def _tidy(X: Any) -> Any:
    """Return a sparse matrix as CSR with sorted indices, without duplicates or stored zeros.

    Its indices have 32 bits wherever they fit: scikit-learn's k-means takes no others.
    """
    tidy = X.tocsr()
    if not (tidy.has_canonical_format and tidy.data.all()):
        tidy = tidy.copy()  # the caller's matrix stays as it is
        tidy.sum_duplicates()
        tidy.eliminate_zeros()
    is_narrow = tidy.indices.dtype == tidy.indptr.dtype == np.int32
    if is_narrow or max(*tidy.shape, tidy.nnz) > np.iinfo(np.int32).max:
        return tidy
    parts = (tidy.data, tidy.indices.astype(np.int32), tidy.indptr.astype(np.int32))
    return type(tidy)(parts, shape=tidy.shape)


def stack_matrices(parts: list[Any]) -> Any:
    """Put matrices, of one form, on top of each other."""
    if len(parts) == 1:
        return parts[0]
    return sp.vstack(parts, format="csr") if sp.issparse(parts[0]) else np.concatenate(parts)


def _stack_columns(parts: list[Any]) -> Any:
    """Put matrices side by side; they become sparse if any is."""
    if any(map(sp.issparse, parts)):
        return sp.hstack([sp.csr_array(part) for part in parts], format="csr")
    return np.hstack(parts)


def _check_range(matrix: Any, what: str) -> None:
    """Check that no squared distance of two rows overflows."""
    values = matrix.data if sp.issparse(matrix) else matrix
    if not values.size:
        return
    largest = max(float(values.max()), -float(values.min()))
    # Two rows differ by at most twice the largest value in each column.
    if largest > math.sqrt(float(np.finfo(values.dtype).max) / matrix.shape[1]) / 2:
        raise ValueError(
            f"{what} has values as large as {largest:.3g}, whose squared distances overflow "
            f"{values.dtype}: scale the columns by their largest value first, by a MaxAbsScaler in "
            "a Pipeline or as embedder= (a StandardScaler squares the values too)"
        )


def match_rows(X: Any, like: Any) -> Any:
    """Return the rows `X` as dense or as sparse as the rows `like`, and in their precision.

    What is neither an array nor a sparse matrix nor numbers stays as it is.
    """
    if has_several_inputs(X) and has_several_inputs(like):
        return map_inputs(match_rows, X, like)
    X = match_form(X, like)
    dtypes = getattr(X, "dtype", None), getattr(like, "dtype", None)
    if not all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes):
        return X
    is_single, make_single = (dtype == np.float32 for dtype in dtypes)
    if is_single == make_single:
        return X
    with np.errstate(over="ignore"):  # infinity is refused where it matters
        return X.astype(np.float32 if make_single else np.float64)


def match_form(X: Any, like: Any) -> Any:
    """Return the rows `X` as dense or as sparse as the rows `like`."""
    if sp.issparse(like):
        kind = sp.csr_matrix if isinstance(like, sp.spmatrix) else sp.csr_array
        return X if type(X) is kind else _make_sparse(X, kind)
    return X.toarray() if sp.issparse(X) else X


def _make_sparse(X: Any, kind: Any) -> Any:
    """Return rows as a CSR matrix if they are numbers, else unchanged."""
    try:
        return kind(X if sp.issparse(X) else np.asarray(X, dtype=getattr(X, "dtype", np.float64)))
    except (TypeError, ValueError):
        return X
