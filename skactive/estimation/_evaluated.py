"""Metrics of an evaluation: the rows that may be asked for, and a number per label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_numbers
from skactive.estimation._prediction_powered import read_vector

__all__ = ["Evaluated", "make_evaluated"]

METRICS = ("accuracy", "difference", "value")


@dataclass(frozen=True)
class Evaluated:
    """The rows that are evaluated.

    Attributes
    ----------
    rows : ndarray of shape (n_open,)
        Rows that may be asked for, ascending; the number of every other is known to be 0.
    n_rows : int
        Number of all rows.
    proxy, spread : ndarray of shape (n_open,)
        Expected number of each of these rows, and its deviation, whose mean is 1.
    low, high : float
        Bounds of the numbers.
    is_share : bool
        Whether numbers are 0 or 1.
    convert : callable
        Takes labels and rows, and returns numbers.
    """

    rows: Positions
    n_rows: int
    proxy: Floats
    spread: Floats
    low: float
    high: float
    is_share: bool
    convert: Callable[[Any, Positions], Any]

    def to_values(self, labels: Any, rows: Positions) -> Floats:
        """Return the number of each labeled row, or raise."""
        values = read_vector("The numbers of the rows", self.convert(labels, rows))
        if len(values) != len(rows):
            raise ValueError(f"Got {len(values)} labels for {len(rows)} rows.")
        return values


def make_evaluated(
    metric: str | Callable[[Any, Positions], Any], proxy: Any, predicted: Any, spread: Any
) -> Evaluated:
    """Check what an evaluation is given, and return its rows."""
    if metric == "difference":
        return _make_difference(proxy, predicted, spread)
    expected = read_vector("proxy", proxy)
    if len(expected) == 0:
        raise ValueError("proxy is empty: it has one number per row of the pool.")
    rows, n_rows = np.arange(len(expected)), len(expected)
    if metric == "accuracy":
        compare = _compare_with(_read_predicted(predicted, (n_rows,), "(n_rows,)"))
        deviations = np.sqrt(_check_chances(expected) * (1.0 - expected))
        scaled = _scale_spread(spread, deviations, rows, n_rows)
        return Evaluated(rows, n_rows, expected, scaled, 0.0, 1.0, True, compare)
    if predicted is not None:
        raise ValueError("predicted is for the metrics 'accuracy' and 'difference' only.")
    if metric != "value" and not callable(metric):
        raise ValueError(f"metric must be callable or one of {METRICS}, got {metric!r}.")
    convert = metric if callable(metric) else _take_numbers
    scaled = _scale_spread(spread, np.abs(expected), rows, n_rows)
    return Evaluated(rows, n_rows, expected, scaled, -np.inf, np.inf, False, convert)


def _make_difference(proxy: Any, predicted: Any, spread: Any) -> Evaluated:
    """Return the rows where two systems differ; all others are 0."""
    both = np.asarray(check_numbers("proxy", proxy), dtype=np.float64)
    if both.ndim != 2 or both.shape[1] != 2:
        raise ValueError(
            "proxy of a difference must be of shape (n_rows, 2): the probability of being right of "
            f"either system, got shape {both.shape}."
        )
    labels = _read_predicted(predicted, (2, len(both)), "(2, n_rows)")
    first, second = _compare_with(labels[0]), _compare_with(labels[1])
    rows = np.flatnonzero(labels[0] != labels[1])
    if len(rows) == 0:
        raise ValueError("Both systems predict the same for all rows: no label is needed.")
    one, other = _check_chances(both)[rows].T
    deviations = np.sqrt(np.maximum(one + other - (one - other) ** 2, 0.0))
    scaled = _scale_spread(spread, deviations, rows, len(both))
    subtract: Callable[[Any, Positions], Any] = lambda y, asked: (  # noqa: E731
        first(y, asked) - second(y, asked)
    )
    return Evaluated(rows, len(both), one - other, scaled, -1.0, 1.0, False, subtract)


def _scale_spread(spread: Any, default: Floats, rows: Positions, n_rows: int) -> Floats:
    """Return the spread of some of the rows, or the default, of mean 1; all 1 if all are 0."""
    deviations = default if spread is None else _check_spread(spread, n_rows)[rows]
    mean = float(deviations.mean())
    return deviations / mean if mean > 0.0 else np.ones(len(rows))


def _take_numbers(numbers: Any, rows: Positions) -> Any:
    """Return the numbers that were taught, whatever the rows."""
    return numbers


def _compare_with(predicted: NDArray[Any]) -> Callable[[Any, Positions], Floats]:
    """Return a function of labels and rows: 1 where the prediction is the label, else 0."""

    def compare(labels: Any, rows: Positions) -> Floats:
        given = np.asarray(labels)
        if given.shape != rows.shape:
            raise ValueError(f"labels must be of shape {rows.shape}, got {given.shape}.")
        if _kind(given) != _kind(predicted):
            raise ValueError(
                f"labels must be of the kind of predicted, {predicted.dtype}, got {given.dtype}: "
                "texts never equal numbers."
            )
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise ValueError("labels must not be missing: got NaN or infinity.")
        if given.dtype.kind == "O" and any(label is None or label != label for label in given):
            raise ValueError("labels must not be missing: got None or NaN.")
        return (given == predicted[rows]).astype(np.float64)

    return compare


def _kind(labels: NDArray[Any]) -> str:
    """Return whether labels are texts or numbers."""
    if labels.dtype.kind == "O":
        return "texts" if all(isinstance(label, str) for label in labels.flat) else "numbers"
    return "texts" if labels.dtype.kind in "US" else "numbers"


def _read_predicted(predicted: Any, shape: tuple[int, ...], axes: str) -> NDArray[Any]:
    if predicted is None:
        raise ValueError(f"predicted is needed for this metric: labels of shape {axes}.")
    labels = np.asarray(predicted)
    if labels.shape != shape:
        raise ValueError(
            f"predicted must be of shape {axes} as the proxy says, {shape}, got {labels.shape}."
        )
    return labels


def _check_chances(proxy: Floats) -> Floats:
    if not ((proxy >= 0.0) & (proxy <= 1.0)).all():
        raise ValueError(
            "proxy must be probabilities of being right, 0 .. 1, got values from "
            f"{proxy.min():g} to {proxy.max():g}."
        )
    return proxy


def _check_spread(spread: Any, n_rows: int) -> Floats:
    deviations = read_vector("spread", spread)
    if len(deviations) != n_rows or not (deviations >= 0.0).all():
        raise ValueError(
            f"spread must be {n_rows} numbers of at least 0, one per row of the pool, got "
            f"{len(deviations)} of which the least is {min(deviations, default=0.0):g}."
        )
    return deviations
