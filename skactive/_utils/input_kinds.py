"""Kinds of parameters: each takes a name and a value, and returns the value or says what is wrong.

Arrays that are right are returned as they are, after one pass.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
from numpy.random import RandomState

__all__ = [
    "check_bandwidth",
    "check_callable",
    "check_columns",
    "check_count",
    "check_draws",
    "check_equal",
    "check_flag",
    "check_labeled_pair",
    "check_matrix",
    "check_metric",
    "check_number",
    "check_numbers",
    "check_option",
    "check_points",
    "check_proba",
    "check_samples",
    "check_scores",
    "check_seed",
    "check_some_points",
    "check_table",
    "check_unbounded_weights",
    "check_vector",
    "check_weights",
    "take_last",
    "to_numbers",
]

# Numbers above this are refused, since their squares are not finite.
_LARGEST = 1e150


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


def _check_finite(name: str, values: Any, largest: float = _LARGEST) -> None:
    """Check that numbers are finite, and none above `largest` in size."""
    flat = values.reshape(-1)
    # One pass and no memory; it may overflow although all values are right.
    with np.errstate(over="ignore", invalid="ignore"):
        if values.dtype.kind == "f" and np.isfinite(np.vdot(flat, flat)):
            return
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity.")
    if values.size and max(float(values.max()), -float(values.min())) > largest:
        raise ValueError(f"{name} must be below {largest:g} in size, so that squares are finite.")


def _check_nonnegative(name: str, values: Any, largest: float = _LARGEST) -> None:
    """Check that numbers are finite, at least 0 and at most `largest`."""
    if values.size == 0:
        return
    if values.dtype.kind == "f" and values.dtype.isnative:
        # Read as integers, such numbers are below the bits of the largest; all others are above.
        bits = values.view(f"u{values.itemsize}")
        highest = min(np.float64(largest), np.finfo(values.dtype).max).astype(values.dtype)
        if bits.max() <= highest.view(bits.dtype):
            return
    _check_finite(name, values, largest)
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


def _check_array(name: str, values: Any, *axes: str, check: Any = _check_finite) -> Any:
    """Take numbers of one of the shapes that `axes` name, whose values `check` accepts."""
    values = to_numbers(name, values)
    n_dims = tuple(len(shape.strip("(,)").split(",")) for shape in axes)
    _check_shape(name, values, n_dims, " or ".join(axes))
    check(name, values)
    return values


def check_proba(name: str, values: Any) -> Any:
    """Take probabilities, (n_rows, n_classes)."""
    return _check_array(name, values, "(n_rows, n_classes)", check=_check_nonnegative)


def check_samples(name: str, values: Any) -> Any:
    """Take draws of probabilities, (n_samples, n_rows, n_classes)."""
    return _check_array(name, values, "(n_samples, n_rows, n_classes)", check=_check_nonnegative)


def check_draws(name: str, values: Any) -> Any:
    """Take draws of numbers, (n_draws, n_rows) or (n_draws, n_rows, n_outputs), at least one."""
    values = to_numbers(name, values)
    axes = "(n_draws, n_rows) or (n_draws, n_rows, n_outputs)"
    if values.ndim not in (2, 3) or 0 in (len(values), *values.shape[2:]):
        raise ValueError(f"{name} must be of shape {axes}, got shape {values.shape}.")
    _check_finite(name, values)
    return values


def check_numbers(name: str, values: Any) -> Any:
    """Take finite numbers, (n_rows,) or (n_rows, n_columns)."""
    return _check_array(name, values, "(n_rows,)", "(n_rows, n_columns)")


def check_table(name: str, values: Any) -> Any:
    """Take finite numbers, (n_rows, n_columns)."""
    return _check_array(name, values, "(n_rows, n_columns)")


def check_scores(name: str, values: Any) -> Any:
    """Take one number per row, which may be infinite."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    if len(values) and np.isnan(values.max()):
        raise ValueError(f"{name} must not be NaN: give rows that must not be selected -inf.")
    return values


def check_weights(name: str, values: Any, largest: float = _LARGEST) -> Any:
    """Take one number per row, finite and at least 0."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    _check_nonnegative(name, values, largest)
    return values


def check_unbounded_weights(name: str, values: Any) -> Any:
    """Take weights of any magnitude, where they are scaled first."""
    return check_weights(name, values, largest=np.inf)


def check_columns(name: str, values: Any) -> Any:
    """Take one column number per row."""
    values = to_numbers(name, values)
    _check_shape(name, values, (1,), "(n_rows,)")
    if not (values == np.floor(values)).all():  # false for NaN
        raise ValueError(f"{name} must be numbers of columns (integers).")
    if len(values) and values.min() < 0:
        raise ValueError(f"{name} must be numbers of columns, got {values.min()}.")
    return values.astype(np.intp, copy=False)


# -- single values -----------------------------------------------------------------------------


def check_flag(name: str, value: Any) -> bool:
    """Take True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


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
        if high < np.inf:
            raise ValueError(f"{name} must lie in {low:g} .. {high:g}, got {value!r}.")
        bound = f" {'above' if above else 'of at least'} {low:g}" if low > -np.inf else ""
        raise ValueError(f"{name} must be a finite number{bound}, got {value!r}.")
    return cast(float, value)  # an integer stays one


def check_count(name: str, value: Any, low: int = 1) -> int:
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


def check_seed(name: str, value: Any) -> Any:
    if value is None or isinstance(value, RandomState) or value is np.random:
        return value
    if isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < 2**32:
        return value
    kind = ValueError if isinstance(value, Integral) else TypeError
    raise kind(
        f"{name} must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got "
        f"{_shorten(value)}."
    )


def check_vector(name: str, values: Any) -> Any:
    """Take one finite number per row."""
    values = check_scores(name, values)
    _check_finite(name, values)
    return values


def check_bandwidth(name: str, value: Any) -> Any:
    """Take one number above 0, or one per row."""
    if np.ndim(value) == 0:
        # Everything is within an infinite radius: that of a pool of one place.
        is_infinite = isinstance(value, float) and value == np.inf
        return value if is_infinite else check_number(name, value, 0.0, above=True)
    values = check_weights(name, value)
    if len(values) and values.min() == 0:
        raise ValueError(f"{name} must be above 0, got 0.")
    return values


def check_option(name: str, value: Any, options: tuple[str, ...]) -> Any:
    if not isinstance(value, str) or value not in options:
        listed = " or ".join(map(repr, options))
        raise ValueError(f"{name} must be {listed}, got {_shorten(value)}.")
    return value


def check_metric(name: str, value: Any) -> Any:
    if not (isinstance(value, str) or callable(value)):
        raise TypeError(f"{name} must be a name or a function, got {_shorten(value)}.")
    return value


def check_callable(name: str, value: Any) -> Any:
    """Take anything that can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be callable, got {_shorten(value)}.")
    return value


def check_labeled_pair(name: str, value: Any) -> Any:
    """Take the probabilities and the features of labeled rows."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair (probabilities, features), got {_shorten(value)}.")
    proba, features = check_proba(f"{name}[0]", value[0]), check_matrix(f"{name}[1]", value[1])
    check_equal({"proba": proba, "features": features}, ["proba", "features"], 0, "rows")
    return proba, features


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"


def take_last(value: Any) -> Any:
    """Return the last factor of a pair, else the value itself."""
    return value[-1] if isinstance(value, tuple) and value else value


def check_equal(given: dict[str, Any], names: Iterable[str], axis: int, what: str) -> None:
    arrays = {name: take_last(given[name]) for name in names if name in given}
    # A second axis that is not there has length 1.
    sizes = {
        name: (*array.shape, 1)[axis if axis >= 0 else array.ndim - 1]
        for name, array in arrays.items()
    }
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ValueError(f"{' and '.join(sizes)} must have the same number of {what}: {found}.")
