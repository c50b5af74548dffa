"""Kinds of hyper-parameters that several classes share, for their `_parameter_constraints`."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from skactive._utils.compat import HasMethods, Interval

__all__ = [
    "AT_LEAST_ONE",
    "NONNEGATIVE_INT",
    "NONNEGATIVE_REAL",
    "POSITIVE_INT",
    "POSITIVE_INT_OR_NONE",
    "POSITIVE_REAL",
    "POSITIVE_REAL_OR_NONE",
    "SCORE_STRATEGY",
    "SCORE_STRATEGY_OR_NONE",
    "STRATEGY",
    "UNIT_INTERVAL",
]

POSITIVE_INT: list[Any] = [Interval(Integral, 1, None, closed="left")]
POSITIVE_INT_OR_NONE: list[Any] = [*POSITIVE_INT, None]
NONNEGATIVE_INT: list[Any] = [Interval(Integral, 0, None, closed="left")]
POSITIVE_REAL: list[Any] = [Interval(Real, 0, None, closed="neither")]
POSITIVE_REAL_OR_NONE: list[Any] = [*POSITIVE_REAL, None]
NONNEGATIVE_REAL: list[Any] = [Interval(Real, 0, None, closed="left")]
AT_LEAST_ONE: list[Any] = [Interval(Real, 1, None, closed="left")]
UNIT_INTERVAL: list[Any] = [Interval(Real, 0, 1, closed="both")]

STRATEGY: list[Any] = [HasMethods("select")]
SCORE_STRATEGY: list[Any] = [HasMethods("score_in_chunks")]
SCORE_STRATEGY_OR_NONE: list[Any] = [*SCORE_STRATEGY, None]
