"""Arithmetic that scores share: blocks of rows, logarithms with their limits, sums in one order."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skactive.selectors._engine.points import slices

__all__ = [
    "SUM_TOLERANCE",
    "FloatArray",
    "Scores",
    "add_up",
    "entropy_terms",
    "log",
    "score_by_blocks",
    "two_largest",
]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
Scores: TypeAlias = NDArray[np.float64]

# How far from 1 the sum of probabilities may be; a softmax in single precision over thousands of
# classes stays well within it.
SUM_TOLERANCE = 1e-3
# A block of rows that fits the cache of one core is read from memory once, however often the
# arithmetic passes over it; below a few hundred rows, the calls cost more than the arithmetic.
_SCORE_BLOCK_BYTES = 2**19
_MIN_SCORE_BLOCK_ROWS = 256


def score_by_blocks(score: Callable[[Scores], Scores], values: FloatArray) -> Scores:
    """Apply ``score`` to blocks of rows, each transposed to (n_classes, n_block_rows).

    With the classes first, an operation over classes runs along whole vectors of rows, which is
    several times faster than reducing short rows; float32 becomes float64 a block at a time.
    """
    n_rows, n_classes = values.shape
    size = max(_MIN_SCORE_BLOCK_ROWS, _SCORE_BLOCK_BYTES // (8 * n_classes))
    result = np.empty(n_rows)
    for rows in slices(n_rows, size):
        result[rows] = score(np.ascontiguousarray(values[rows].T, dtype=np.float64))
    return result


def two_largest(values: Scores, *, floor: float) -> tuple[Scores, Scores]:
    """Return the largest and second largest over the first axis.

    If there is only one value, the second is ``floor``.
    """
    first, second = values[0].copy(), np.full(values.shape[1], floor)
    lesser = np.empty_like(first)
    for value in values[1:]:
        np.minimum(first, value, out=lesser)
        np.maximum(second, lesser, out=second)
        np.maximum(first, value, out=first)
    return first, second


def entropy_terms(p: Scores) -> Scores:
    """Return -p log p, exactly 0 where p is 0: as scipy's ``entr``, but several times faster."""
    terms = log(p)
    terms *= p
    return np.negative(terms, out=terms)


def log(p: FloatArray) -> Scores:
    """Return log p in float64; finite where p is 0, so that 0 log 0 is exactly 0."""
    return np.log(np.maximum(p, np.finfo(np.float64).tiny, dtype=np.float64))


def add_up(terms: Scores) -> Scores:
    """Sum over the first axis in a fixed order, so that scores do not depend on the block."""
    return reduce(np.add, terms)
