"""Checks of user input and of the output of strategies, each in one place."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.row_checks import check_rows, check_same_features
from skactive._utils.rows import n_rows
from skactive.exceptions import PoolExhaustedError, SelectionError
from skactive.strategies import Strategy

__all__ = [
    "check_batch_size",
    "check_classes",
    "check_rows",
    "check_same_features",
    "check_selection",
    "check_strategy",
    "is_per_row",
]


def check_batch_size(batch_size: Any, n_pool: int) -> int:
    """Check that `batch_size` is a positive integer, at most the number of rows in the pool."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, Integral):
        raise TypeError(
            f"batch_size must be an integer, got {batch_size!r} of type "
            f"{type(batch_size).__name__}."
        )
    batch_size = int(batch_size)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    if batch_size > n_pool:
        raise PoolExhaustedError(
            f"Asked for {batch_size} rows of a pool that has {n_pool} left: ask for at most "
            f"{n_pool}, or stop."
        )
    return batch_size


def check_selection(positions: Any, batch_size: int, n_pool: int, strategy: Any) -> Positions:
    """Check that a strategy returned `batch_size` distinct positions in the pool."""
    name = type(strategy).__name__
    answer = np.asarray(positions)
    if answer.ndim != 1 or len(answer) != batch_size:
        raise SelectionError(
            f"{name}.select must return {batch_size} positions in one dimension, got shape "
            f"{answer.shape}."
        )
    if answer.dtype.kind not in "iu":
        raise SelectionError(f"{name}.select must return integers, got {answer.dtype}.")
    if answer.min() < 0 or answer.max() >= n_pool:
        raise SelectionError(
            f"{name}.select must return positions in 0 .. {n_pool - 1}, got {answer.min()} .. "
            f"{answer.max()}."
        )
    if len(np.unique(answer)) != batch_size:
        raise SelectionError(f"{name}.select returned some positions twice: {answer}.")
    return answer.astype(np.intp)


def check_strategy(strategy: Any) -> None:
    """Check the interface and the hyper-parameters of a strategy, and of its nested strategies."""
    if isinstance(strategy, type):
        raise TypeError(
            f"strategy must be an object, got the class {strategy.__name__}: write "
            f"{strategy.__name__}()."
        )
    if not callable(getattr(strategy, "select", None)):
        raise TypeError(
            f"strategy must be a skactive Strategy (an object with select(pool, batch_size)), got "
            f"{strategy!r}."
        )
    if isinstance(strategy, Strategy):
        strategy._validate_params()  # scikit-learn's, from _parameter_constraints
        for part in strategy.parts():
            check_strategy(part)


def check_classes(classes: Any, y: Any) -> NDArray[Any] | None:
    """Check that the declared classes include every label in `y`; return them sorted."""
    if classes is None:
        return None
    declared = np.unique(np.asarray(classes))
    if len(declared) != n_rows(classes):
        raise ValueError(f"classes must be distinct, got {classes!r}.")
    if y is None:
        return declared
    undeclared = np.setdiff1d(np.asarray(y), declared)
    if len(undeclared):
        raise ValueError(
            f"y has labels that classes= does not declare: {undeclared.tolist()}; declared are "
            f"{declared.tolist()}."
        )
    return declared


def is_per_row(value: Any, n: int) -> bool:
    """Return whether a fit parameter has one value for each of `n` rows."""
    return hasattr(value, "__len__") and not isinstance(value, str | dict) and n_rows(value) == n
