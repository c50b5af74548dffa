"""Checks of what users pass to public functions on arrays: a decorator, and kinds of parameters.

A kind is a function of the name of a parameter and its value: it returns the value as the function
takes it, or says what is wrong. Arrays that are right are passed on as they are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import signature
from numbers import Integral, Real
from typing import Any, TypeVar, cast

import numpy as np
import scipy.sparse as sp
from numpy.random import RandomState

__all__ = [
    "check_input",
    "check_labeled_pair",
    "check_matrix",
    "check_number",
    "check_points",
    "check_some_points",
    "check_table",
    "check_weights",
    "to_numbers",
]

Function = TypeVar("Function", bound="Callable[..., Any]")
Kind = Callable[[str, Any], Any]
_LARGEST = 1e150


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


# -- numbers in any container ------------------------------------------------------------------


def to_numbers(name: str, values: Any) -> Any:
    """Return any container of real numbers as an array; one that is right as it is."""
    if sp.issparse(values):
        raise TypeError(f"{name} must be a dense array, got a {type(values).__name__}.")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} must not be masked, got {values.mask.sum()} masked values.")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged rows; tensors with a gradient
        raise TypeError(f"{name} must be an array of numbers ({error}).") from error
    if array.dtype.kind == "O" and not any(isinstance(x, (str, bytes)) for x in array.flat):
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must be an array of numbers ({error}).") from error
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must be an array of numbers, got {_describe(values, array)}.")
    return array.astype(np.float64) if array.dtype.kind == "b" or array.itemsize > 8 else array


def _describe(values: Any, array: Any) -> str:
    return f"a {type(values).__name__}" if array.ndim == 0 else f"dtype {array.dtype}"


def _check_shape(name: str, values: Any, n_dims: tuple[int, ...], axes: str) -> None:
    """Check the number of axes, and that no axis but that of the rows is empty."""
    if values.ndim not in n_dims:
        raise ValueError(f"{name} must be of shape {axes}, got shape {values.shape}.")
    row_axis = 1 if values.ndim == 3 else 0
    if any(length == 0 for axis, length in enumerate(values.shape) if axis != row_axis):
        raise ValueError(
            f"{name} must be of shape {axes}, none of them 0 but that of the rows, "
            f"got shape {values.shape}."
        )


def _check_finite(name: str, values: Any) -> None:
    """Check that numbers are finite, and that their squares are."""
    flat = values.reshape(-1)
    # One pass and no memory; it may overflow although all values are right.
    with np.errstate(over="ignore", invalid="ignore"):
        if values.dtype.kind == "f" and np.isfinite(np.vdot(flat, flat)):
            return
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    if values.size and max(values.max(), -values.min()) > _LARGEST:
        raise ValueError(f"{name} must be below {_LARGEST:g} in size, so that squares are finite.")


def _check_nonnegative(name: str, values: Any) -> None:
    """Check that numbers are finite and at least 0."""
    if values.size == 0:
        return
    if values.dtype.kind == "f" and values.dtype.isnative:
        # Read as integers, such numbers are below the bits of the largest; all others are above.
        bits = values.view(f"u{values.itemsize}")
        largest = np.array(min(_LARGEST, np.finfo(values.dtype).max), values.dtype)
        if bits.max() <= largest.view(bits.dtype):
            return
    _check_finite(name, values)
    if values.min() < 0:
        raise ValueError(f"{name} must be at least 0, got {values.min():.6g}.")


def check_matrix(name: str, values: Any) -> Any:
    """Take points, (n, n_dims), dense or sparse."""
    if sp.issparse(values):
        if values.dtype.kind not in "buif":
            raise TypeError(f"{name} must hold numbers, got dtype {values.dtype}.")
        _check_shape(name, values, (2,), "(n_rows, n_dims)")
        values = values if values.format == "csr" else values.tocsr()
        values = values.astype(np.float64) if values.dtype.kind == "b" else values
        _check_finite(name, values.data)
        return values
    values = to_numbers(name, values)
    _check_shape(name, values, (2,), "(n_rows, n_dims)")
    _check_finite(name, values)
    return values


def check_some_points(name: str, values: Any) -> Any:
    """Take points, at least one."""
    values = check_matrix(name, values)
    if values.shape[0] == 0:
        raise ValueError(f"{name} must have at least one row.")
    return values


def check_points(name: str, values: Any) -> Any:
    """Take points, or a tuple of two factors (a, h) whose outer products are the points."""
    if not (isinstance(values, tuple) and len(values) == 2 and any(map(_has_two_axes, values))):
        return check_matrix(name, values)
    left = to_numbers(f"{name}[0]", values[0])
    _check_shape(f"{name}[0]", left, (2,), "(n_rows, n_a)")
    _check_finite(f"{name}[0]", left)
    right = check_matrix(f"{name}[1]", values[1])
    if len(left) != right.shape[0]:
        raise ValueError(
            f"Both factors in {name} must have the same rows, got {len(left)} and {right.shape[0]}."
        )
    return left, right


def _has_two_axes(values: Any) -> bool:
    try:
        return np.ndim(values) == 2 or sp.issparse(values)
    except (TypeError, ValueError, RuntimeError):
        return False


def _check_proba(name: str, values: Any) -> Any:
    """Take probabilities, (n_rows, n_classes)."""
    values = to_numbers(name, values)
    _check_shape(name, values, (2,), "(n_rows, n_classes)")
    _check_nonnegative(name, values)
    return values


def _check_samples(name: str, values: Any) -> Any:
    """Take draws of probabilities, (n_samples, n_rows, n_classes)."""
    values = to_numbers(name, values)
    _check_shape(name, values, (3,), "(n_samples, n_rows, n_classes)")
    _check_nonnegative(name, values)
    return values


def _check_numbers(name: str, values: Any) -> Any:
    """Take finite numbers, (n_rows,) or (n_rows, n_columns)."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1, 2), "(n_rows,) or (n_rows, n_columns)")
    _check_finite(name, values)
    return values


def check_table(name: str, values: Any) -> Any:
    """Take finite numbers, (n_rows, n_columns)."""
    values = to_numbers(name, values)
    _check_shape(name, values, (2,), "(n_rows, n_columns)")
    _check_finite(name, values)
    return values


def _check_scores(name: str, values: Any) -> Any:
    """Take one number per row, which may be infinite."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    if len(values) and np.isnan(values.max()):
        raise ValueError(f"{name} must not be NaN: give rows that must not be selected -inf.")
    return values


def check_weights(name: str, values: Any) -> Any:
    """Take one number per row, finite and at least 0."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    _check_nonnegative(name, values)
    return values


def _check_columns(name: str, values: Any) -> Any:
    """Take one column number per row."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    if not (values == np.floor(values)).all():  # false for NaN
        raise ValueError(f"{name} must be numbers of columns (integers).")
    if len(values) and values.min() < 0:
        raise ValueError(f"{name} must be numbers of columns, got {values.min()}.")
    return values.astype(np.intp, copy=False)


# -- single values -----------------------------------------------------------------------------


def check_number(
    name: str, value: Any, low: float = -np.inf, high: float = np.inf, *, above: bool = False
) -> float:
    """Check a finite number, at least (or above) `low` and at most `high`."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be a number, got {_shorten(value)}.")
    number = float(value)
    if not (np.isfinite(number) and low <= number <= high) or (above and number == low):
        bounds = [f"{'above' if above else 'at least'} {low:g}"] if low > -np.inf else []
        bounds += [f"at most {high:g}"] if high < np.inf else []
        must = " and ".join(["finite", *bounds])
        raise ValueError(f"{name} must be {must}, got {value!r}.")
    return cast(float, value)  # an integer stays one


def _check_count(name: str, value: Any, low: int = 1) -> int:
    """Take an integer of at least `low`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        count = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be an integer, got {_shorten(value)}.") from error
    if count < low:
        raise ValueError(f"{name} must be at least {low}, got {count}.")
    return count


def _check_seed(name: str, value: Any) -> Any:
    if value is None or isinstance(value, RandomState) or value is np.random:
        return value
    if isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < 2**32:
        return value
    kind = ValueError if isinstance(value, Integral) else TypeError
    raise kind(
        f"{name} must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got "
        f"{_shorten(value)}."
    )


def _check_vector(name: str, values: Any) -> Any:
    """Take one finite number per row."""
    values = _check_scores(name, values)
    _check_finite(name, values)
    return values


def _check_bandwidth(name: str, value: Any) -> Any:
    """Take one number above 0, or one per row."""
    if np.ndim(value) == 0:
        return check_number(name, value, 0.0, above=True)
    values = check_weights(name, value)
    if len(values) and values.min() == 0:
        raise ValueError(f"{name} must be above 0, got 0.")
    return values


def _check_kernel(name: str, value: Any) -> Any:
    if not isinstance(value, str) or value not in ("rbf", "tophat"):
        raise ValueError(f"{name} must be 'rbf' or 'tophat', got {_shorten(value)}.")
    return value


def _check_metric(name: str, value: Any) -> Any:
    if not (isinstance(value, str) or callable(value)):
        raise TypeError(f"{name} must be a name or a function, got {_shorten(value)}.")
    return value


def check_labeled_pair(name: str, value: Any) -> Any:
    """Take the probabilities and the features of labeled rows."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair (probabilities, features), got {_shorten(value)}.")
    proba, features = _check_proba(f"{name}[0]", value[0]), check_matrix(f"{name}[1]", value[1])
    _check_equal({"proba": proba, "features": features}, ["proba", "features"], 0, "rows")
    return proba, features


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"


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
    given = {n: value for n, value in values.items() if len(getattr(_last(value), "shape", ()))}
    per_row = [name for name in _PER_ROW if name in given]
    per_labeled = [name for name in _PER_LABELED if name in given]
    points = ["X", *_WITH_COLUMNS_OF_X]
    if "prediction" in given:  # of a regressor, whose targets are numbers
        per_labeled.append("targets")
        points.remove("targets")
    _check_equal(given, per_row, 0, "rows")
    _check_equal(given, per_labeled, 0, "rows")
    _check_equal(given, ["reference" if "reference" in given else "X", "weights"], 0, "rows")
    _check_equal(given, ["samples", "target_samples"], 0, "draws")
    _check_equal(given, ["samples", "target_samples"], -1, "classes")
    _check_equal(given, ["scores", "labeled_scores"], -1, "columns")
    if "prediction" in given:
        _check_equal(given, ["prediction", "targets"], 1, "outputs")
    if isinstance(given.get("X"), tuple) or isinstance(given.get("labeled"), tuple):
        _check_factors(given)
    else:
        _check_equal(given, points, -1, "columns")
    _check_positions(values)


def _last(value: Any) -> Any:
    """Return the last factor of a pair, else the value itself."""
    return value[-1] if isinstance(value, tuple) and value else value


def _check_equal(given: dict[str, Any], names: Iterable[str], axis: int, what: str) -> None:
    arrays = {name: _last(given[name]) for name in names if name in given}
    # A second axis that is not there has length 1.
    sizes = {
        name: (*array.shape, 1)[axis if axis >= 0 else array.ndim - 1]
        for name, array in arrays.items()
    }
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ValueError(f"{' and '.join(sizes)} must have the same number of {what}: {found}.")


def _match_kinds(values: dict[str, Any]) -> None:
    """Make the points beside X, or the features, dense or sparse as these are."""
    pool = values.get("X", values.get("features"))
    if not hasattr(pool, "shape"):
        return
    for name in _WITH_COLUMNS_OF_X:
        if sp.issparse(values.get(name)) and not sp.issparse(pool):
            values[name] = values[name].toarray()
        elif (
            isinstance(values.get(name), np.ndarray)
            and sp.issparse(pool)
            and ("prediction" not in values or name != "targets")
        ):
            values[name] = sp.csr_array(values[name])


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
    if values.get("first") is not None and values["first"] >= _last(values["X"]).shape[0]:
        raise ValueError(
            f"first must be the position of a row, below {_last(values['X']).shape[0]}, got "
            f"{values['first']}."
        )
    for name in ("predicted", "labels"):
        columns = values.get(name)
        if columns is not None and len(columns) and columns.max() >= values["scores"].shape[1]:
            raise ValueError(
                f"{name} must be columns of scores, below {values['scores'].shape[1]}, got "
                f"{columns.max()}."
            )
    one_each = isinstance(values.get("bandwidth"), np.ndarray) and values.get("labeled") is not None
    if one_each and values.get("labeled_bandwidth") is None:
        raise ValueError("labeled_bandwidth must be given where bandwidth is an array.")


_POSITIVE = partial(check_number, low=0.0, above=True)
_NONNEGATIVE = partial(check_number, low=0.0)
_AT_LEAST_ONE = partial(check_number, low=1.0)
_SHARE = partial(check_number, low=0.0, high=1.0)
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("X", "labeled", "at", "reference", "features", "embedding"), check_matrix),
    **dict.fromkeys(("proba",), _check_proba),
    **dict.fromkeys(("samples", "target_samples"), _check_samples),
    **dict.fromkeys(("scores",), _check_scores),
    **dict.fromkeys(("weights", "quality", "candidate_weights"), check_weights),
    "bandwidth": _check_bandwidth,
    "labeled_bandwidth": check_weights,
    **dict.fromkeys(("decision", "prediction", "targets"), _check_numbers),
    **dict.fromkeys(("predicted", "labels"), _check_columns),
    **dict.fromkeys(("batch_size", "first"), partial(_check_count, low=0)),
    **dict.fromkeys(("max_clusters", "n_neighbors", "n_clusters", "n_balls"), _check_count),
    **dict.fromkeys(("max_reference", "n_configurations"), _check_count),
    **dict.fromkeys(("factor", "oversample"), _AT_LEAST_ONE),
    **dict.fromkeys(("eta", "gamma", "epsilon", "n_chosen"), _NONNEGATIVE),
    **dict.fromkeys(("purity", "quantile"), _SHARE),
    "labeled_scores": check_table,
    "uncertainty": _check_vector,
    "ridge": _POSITIVE,
    "kernel": _check_kernel,
    "metric": _check_metric,
    "random_state": _check_seed,
}
