"""Coverage within a radius: a row is covered or it is not.

It needs no search for stale bounds: the rows that a pick covers are subtracted from the bounds of
its neighbors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.coverage import Coverage, Own
from skactive.selectors._engine.similarity import PairValues, block_slices, multiply

__all__ = ["RadiusCoverage"]


class RadiusCoverage(Coverage):
    """Coverage by similarities of 0 and 1: a row is covered once, and then fully.

    So all bounds are kept up to date by subtracting what each pick covers, and each reference row
    is compared with the candidates near it at most once more.
    """

    def __init__(
        self, *arguments: Any, weights: Floats, own: Own | None = None, **options: Any
    ) -> None:
        # Picks are the same for any unit of the weights; sums of ones are free of rounding.
        self._equal_weights = bool(weights.any() and (weights == weights[0]).all())
        if self._equal_weights:
            own = None if own is None else own._replace(excess=own.excess / weights[0])
            weights = np.ones_like(weights)
        super().__init__(*arguments, weights=weights, own=own, **options)
        self.has_all_bounds, self.can_bound_some = self.cheap_bounds, False

    def bounds(self, positions: Positions | None = None) -> Floats:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        self._sums = self._sum_bounds()
        return self._sums - self._excess_of_own(slice(None))

    def gains(self, positions: Positions, *, exact: bool) -> Floats:
        """Return the gains of candidates, or upper bounds that are cheaper to compute."""
        if exact or not self.cheap_bounds:
            return super().gains(positions, exact=exact)
        return self._sums[positions] - self._excess_of_own(positions)

    def add(self, position: int) -> None:
        """Choose a candidate."""
        before = self._cover.copy()
        super().add(position)
        if self.cheap_bounds:
            self._lower_bounds(np.flatnonzero(self._cover > before))

    def _lower_bounds(self, covered: Positions) -> None:
        """Lower the bounds of all candidates by reference rows that are now covered."""
        reachable = self._reach[:, covered] > 0  # (n_cells, n_covered)
        for cell in np.flatnonzero(reachable.any(axis=1)):
            reference, members = covered[reachable[cell]], self._cells.members[cell]
            n_columns = max(len(reference), self._candidates.width)  # or of a block of rows
            for block in block_slices(len(members), n_columns, self._itemsize):
                # Only rows that are surely within the radius may lower an upper bound.
                factor = self._get_factor(members[block])
                squared = self._rough_distances.upper_bounds(factor, reference)
                inside = self._similarity.apply(squared)
                self._sums[members[block]] -= self._sum_at_least(inside, reference)

    def _sum_at_least(self, inside: PairValues, reference: Positions) -> Floats:
        """Return the weight of the rows inside, less the largest possible rounding error."""
        total = multiply(inside, self._weights[reference].astype(inside.dtype)).astype(np.float64)
        unit = float(np.finfo(inside.dtype).eps)
        return total if self._equal_weights else total * (1 - 100 * unit)

    def _bound_gains(self, similarity: PairValues, reference: Positions) -> Floats:
        if self._equal_weights:
            return self._sum_gains(similarity, reference)  # whole numbers, without rounding
        return super()._bound_gains(similarity, reference)
