"""Embeddings: features of rows as a matrix, or one error that says what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skactive._utils.inputs import has_several_inputs, list_inputs
from skactive._utils.matrices import to_matrix
from skactive._utils.rows import n_rows, type_name
from skactive._utils.seeding import seeded_clone
from skactive.exceptions import InvalidReadingError, SkactiveError

__all__ = ["fit_embedder", "make_embedding", "make_matrix"]


def make_embedding(X: Any, compute_features: Callable[[Any], Any], embedder: Any = None) -> Any:
    """Return the embedding of the rows `X`, a finite matrix of shape (n_rows, n_dims)."""
    matrix = make_matrix(X, compute_features, embedder)
    if matrix.shape[0] != n_rows(X):
        problem = f"it has {matrix.shape[0]} rows where {n_rows(X)} were given"
        raise _make_error(X, problem, embedder)
    return matrix


def make_matrix(
    X: Any,
    compute_features: Callable[[Any], Any],
    embedder: Any = None,
    *,
    for_gradients: bool = False,
) -> Any:
    """Return the features of the rows `X` as a finite matrix, dense or CSR.

    Gradients are those of the model, so that no embedder could help where these features fail.
    Rows, embedders and transformers are the user's, so whatever they raise ends in an
    InvalidReadingError: strategies that can do without an embedding go on without.
    """
    try:
        return to_matrix(compute_features(X), "embedding")
    except (SkactiveError, MemoryError):
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise _make_error(X, problem, embedder, for_gradients=for_gradients) from error


def _make_error(
    X: Any, problem: str, embedder: Any, *, for_gradients: bool = False
) -> InvalidReadingError:
    problem = problem.removeprefix("ValueError: ").rstrip(". ")
    if embedder is not None:
        return InvalidReadingError(
            f"embedder={type(embedder).__name__} makes no embedding of the rows, {_name_kind(X)} "
            f"({problem}). Its transform must return one row of finite numbers for each row: "
            "correct it, or pass another embedder= to the learner."
        )
    use, advice = "as an embedding", "Pass embedder= to the learner or use"
    if for_gradients:
        use, advice = "for gradients", "Choose another strategy, or use"
    return InvalidReadingError(
        f"The rows, {_name_kind(X)}, cannot be used {use} ({problem}). {advice} a Pipeline whose "
        "first steps turn the rows into finite numbers."
    )


def _name_kind(X: Any) -> str:
    """Name the kind of container, and what is in a list or in several inputs."""
    if has_several_inputs(X):
        return f"{type_name(X)} of inputs ({', '.join(_name_kind(v) for _, v in list_inputs(X))})"
    if isinstance(X, list | tuple) and X:
        return f"{type(X).__name__} of {type(X[0]).__name__}"
    dtype = getattr(X, "dtype", None)
    return type_name(X) if dtype is None else f"{type_name(X)} of {dtype}"


def fit_embedder(embedder: Any, seed: int, get_rows: Callable[[], Any]) -> Any:
    """Return the embedder, or a clone that is fitted on the rows if it is not fitted yet."""
    try:
        check_is_fitted(embedder)
    except NotFittedError:
        return seeded_clone(embedder, seed).fit(get_rows())
    return embedder
