"""Factors of the squared distances from candidates, computed for those that are looked at."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skactive._utils.array_types import Floats, Positions

__all__ = ["Bandwidths", "KnownBandwidths", "Sharpness"]


class Bandwidths(Protocol):
    """One bandwidth per candidate: cheap upper bounds, and the bandwidths."""

    def bound(self, positions: Positions) -> Floats:
        """Return upper bounds of the bandwidths of candidates."""

    def solve(self, positions: Positions) -> Floats:
        """Return the bandwidths of candidates."""


class KnownBandwidths:
    """Bandwidths that are given, shape (n_rows,)."""

    def __init__(self, values: Floats) -> None:
        self._values = values

    def bound(self, positions: Positions) -> Floats:
        """Return the bandwidths of candidates."""
        return self._values[positions]

    solve = bound


class Sharpness:
    """One factor per candidate, the inverse of its squared bandwidth; each is computed once.

    Parameters
    ----------
    bandwidths : Bandwidths
        The bandwidths.
    n_rows : int
        Number of candidates.
    """

    def __init__(self, bandwidths: Bandwidths, n_rows: int) -> None:
        self._bandwidths = bandwidths
        self._values = np.full(n_rows, np.nan)
        self._is_exact = np.zeros(n_rows, dtype=bool)

    def bound(self, positions: Positions) -> Floats:
        """Return lower bounds for candidates: the factors themselves, where these are known."""
        missing = positions[np.isnan(self._values[positions])]
        if len(missing):
            self._values[missing] = self._bandwidths.bound(missing) ** -2.0
        return self._values[positions]

    def solve(self, positions: Positions) -> Floats:
        """Return the factors of candidates."""
        missing = positions[~self._is_exact[positions]]
        if len(missing):
            self._values[missing] = self._bandwidths.solve(missing) ** -2.0
            self._is_exact[missing] = True
        return self._values[positions]
