"""Checks of what users pass to public functions on arrays: a decorator, and kinds of parameters.

A kind is a function of the name of a parameter and its value: it returns the value as the function
takes it, or says what is wrong. Arrays that are right are passed on as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from typing import Any, TypeVar, cast

import numpy as np

from skactive._utils.input_kinds import (
    check_bandwidth,
    check_columns,
    check_count,
    check_equal,
    check_matrix,
    check_metric,
    check_number,
    check_numbers,
    check_option,
    check_proba,
    check_samples,
    check_scores,
    check_seed,
    check_table,
    check_vector,
    check_weights,
    take_last,
)
from skactive._utils.matrices import match_form

__all__ = ["check_input"]

Function = TypeVar("Function", bound="Callable[..., Any]")
Kind = Callable[[str, Any], Any]


def check_input(**kinds: Kind) -> Callable[[Function], Function]:
    """Return a decorator that checks the arguments of a function by the names of its parameters.

    Parameters
    ----------
    **kinds : callable
        Kinds of parameters that mean something else than in other functions.

    Returns
    -------
    callable
        A decorator; the function then raises ValueError or TypeError for wrong arguments.
    """

    def decorate(function: Function) -> Function:
        its_signature = signature(function)
        parameters = its_signature.parameters
        checks = {name: kinds.get(name) or _KINDS[name] for name in parameters if name != "self"}
        may_be_none = {n for n, p in parameters.items() if "None" in f"{p.annotation} {p.default}"}

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            bound = its_signature.bind(*args, **kwargs)
            values = bound.arguments
            for name, value in values.items():
                if name in checks and not (value is None and name in may_be_none):
                    values[name] = checks[name](name, value)
            _check_sizes(values)
            _match_kinds(values)
            return function(*bound.args, **bound.kwargs)

        return cast(Function, call)

    return decorate


# -- sizes that belong together ----------------------------------------------------------------

# Parameters with one entry per row of the pool, and per labeled row.
_PER_ROW = (
    *("X", "proba", "features", "embedding", "scores", "uncertainty", "prediction", "predicted"),
    *("quality", "candidate_weights", "bandwidth"),
)
_PER_LABELED = ("labeled", "labeled_bandwidth", "labeled_scores", "labels")
_WITH_COLUMNS_OF_X = ("labeled", "at", "reference", "targets")


def _check_sizes(values: dict[str, Any]) -> None:
    """Check that arguments that share an axis have the same length there."""
    given = {n: value for n, value in values.items() if len(getattr(take_last(value), "shape", ()))}
    per_row = [name for name in _PER_ROW if name in given]
    per_labeled = [name for name in _PER_LABELED if name in given]
    points = ["X", *_WITH_COLUMNS_OF_X]
    if "prediction" in given:  # of a regressor, whose targets are numbers
        per_labeled.append("targets")
        points.remove("targets")
    check_equal(given, per_row, 0, "rows")
    check_equal(given, per_labeled, 0, "rows")
    check_equal(given, ["reference" if "reference" in given else "X", "weights"], 0, "rows")
    check_equal(given, ["samples", "target_samples"], 0, "draws")
    check_equal(given, ["samples", "target_samples"], -1, "classes")
    check_equal(given, ["scores", "labeled_scores"], -1, "columns")
    if "prediction" in given:
        check_equal(given, ["prediction", "targets"], 1, "outputs")
    if isinstance(given.get("X"), tuple) or isinstance(given.get("labeled"), tuple):
        _check_factors(given)
    else:
        check_equal(given, points, -1, "columns")
    _check_positions(values)


def _match_kinds(values: dict[str, Any]) -> None:
    """Make the points beside X, or the features, dense or sparse as these are."""
    pool = values.get("X", values.get("features"))
    if not hasattr(pool, "shape"):
        return
    for name in _WITH_COLUMNS_OF_X:
        are_numbers = name == "targets" and "prediction" in values  # those of a regressor
        if hasattr(values.get(name), "shape") and not are_numbers:
            values[name] = match_form(values[name], pool)


def _check_factors(given: dict[str, Any]) -> None:
    """Check pairs against each other: those of the pool, and of the labeled rows."""
    labeled = given.get("labeled")
    pool = given["X"] if "X" in given else (given["proba"], given["features"])
    if labeled is None:
        return
    if not (isinstance(pool, tuple) and isinstance(labeled, tuple)):
        raise ValueError(
            "labeled must be of the kind of X: both matrices, or (where it is allowed) both pairs "
            "of factors."
        )
    source = "X" if "X" in given else "proba and features"
    sizes = [[factor.shape[1] for factor in pair] for pair in (pool, labeled)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"labeled must have the columns of {source} in both arrays, got {sizes[1]} for "
            f"{sizes[0]}."
        )


def _check_positions(values: dict[str, Any]) -> None:
    """Check numbers of rows and of columns against the arrays that they point into."""
    if values.get("first") is not None and values["first"] >= take_last(values["X"]).shape[0]:
        raise ValueError(
            f"first must be the position of a row, below {take_last(values['X']).shape[0]}, got "
            f"{values['first']}."
        )
    targets = None if "prediction" in values else values.get("targets")
    if targets is not None and targets.shape[0] == 0 < values["X"].shape[0]:
        raise ValueError("targets must have at least one row.")
    for name in ("predicted", "labels"):
        columns = values.get(name)
        if columns is None or len(columns) == 0:
            continue
        n_classes = max(2, values["scores"].shape[1])  # one column is enough for two classes
        if columns.max() >= n_classes:
            raise ValueError(f"{name} must be classes below {n_classes}, got {columns.max()}.")
    one_each = isinstance(values.get("bandwidth"), np.ndarray) and values.get("labeled") is not None
    if one_each and values.get("labeled_bandwidth") is None:
        raise ValueError("labeled_bandwidth must be given where bandwidth is an array.")


_POSITIVE = partial(check_number, low=0.0, above=True)
_NONNEGATIVE = partial(check_number, low=0.0)
_AT_LEAST_ONE = partial(check_number, low=1.0)
_SHARE = partial(check_number, low=0.0, high=1.0)
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("X", "labeled", "at", "reference", "features", "embedding"), check_matrix),
    **dict.fromkeys(("proba",), check_proba),
    **dict.fromkeys(("samples", "target_samples"), check_samples),
    **dict.fromkeys(("scores",), check_scores),
    **dict.fromkeys(("weights", "quality", "candidate_weights"), check_weights),
    "bandwidth": check_bandwidth,
    "labeled_bandwidth": check_weights,
    **dict.fromkeys(("decision", "prediction", "targets"), check_numbers),
    **dict.fromkeys(("predicted", "labels"), check_columns),
    **dict.fromkeys(("batch_size", "first"), partial(check_count, low=0)),
    **dict.fromkeys(("max_clusters", "n_neighbors", "n_clusters", "n_balls"), check_count),
    **dict.fromkeys(("max_reference", "n_configurations"), check_count),
    **dict.fromkeys(("factor", "oversample"), _AT_LEAST_ONE),
    **dict.fromkeys(("eta", "gamma", "epsilon", "n_chosen"), _NONNEGATIVE),
    "tolerance": partial(check_number, low=1e-12, high=0.1),
    "min_cluster_size": partial(check_count, low=0),
    **dict.fromkeys(("purity", "quantile"), _SHARE),
    "labeled_scores": check_table,
    "uncertainty": check_vector,
    **dict.fromkeys(("ridge", "weight"), _POSITIVE),
    "kernel": partial(check_option, options=("rbf", "tophat")),
    "metric": check_metric,
    "random_state": check_seed,
}
