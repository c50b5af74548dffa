"""Lazy greedy search for the rows that together raise an objective most.

A gain can only fall while rows are chosen (the objective is submodular), so an old gain is an upper
bound: of the candidates only those that could still win are asked again, a block of them at a time,
until the winner is up to date. So the picks are those of plain greedy. The search knows of an
objective only what `Objective` says: what is covered, and how that is reckoned, is its own affair.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive.selectors._top import Positions, fill_at_random

__all__ = ["Objective", "lazy_greedy"]

Values: TypeAlias = NDArray[np.float64]

_SHORTLIST = 4096  # candidates looked at between two passes over all bounds
# Candidates whose bounds, and whose gains, are asked for at a time.
_BOUNDED_AT_ONCE, _EXACT_AT_ONCE = 32, 4


class Objective(Protocol):
    """A monotone submodular function of the rows chosen, as the lazy greedy search sees it."""

    n_rows: int
    rough: bool  # whether bounds are cheaper than gains
    cells: Positions  # of each candidate; the gains of those of one cell are cheap to ask together
    at_hand: bool  # whether bounds of all candidates are there for the asking

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""

    def add(self, position: int) -> None:
        """Choose a candidate."""

    def exhausted(self) -> bool:
        """Tell whether no candidate can gain anything."""


def lazy_greedy(
    objective: Objective, worth: Values, batch_size: int, rng: RandomState
) -> Positions:
    """Choose rows one by one, each of the greatest gain; the first of them in a random order."""
    batch_size = min(batch_size, objective.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    order = rng.permutation(objective.n_rows)
    worth = worth[order]
    bounds = objective.bounds()[order] * worth
    shortlist = _Shortlist(bounds)
    stage = np.full(len(bounds), -1)  # when a bound was last renewed, and how well
    picks: list[int] = []
    while len(picks) < batch_size and not objective.exhausted():
        best = _refresh_until_sure(objective, order, worth, bounds, shortlist, stage, len(picks))
        if bounds[best] <= 0.0:
            break
        picks.append(int(order[best]))
        objective.add(picks[-1])
        bounds[best] = -np.inf
    return fill_at_random(picks, batch_size, objective.n_rows, rng)


def _refresh_until_sure(
    objective: Objective,
    order: Positions,
    worth: Values,
    bounds: Values,
    shortlist: _Shortlist,
    stage: NDArray[np.intp],
    n_picks: int,
) -> int:
    """Return the candidate of greatest gain, making bounds into gains until it is known."""
    bounded, exact = 2 * n_picks, 2 * n_picks + 1  # stages of a candidate in this round
    best, greatest = shortlist.best(), 0.0
    n_bounded, most = _BOUNDED_AT_ONCE, 16 * _BOUNDED_AT_ONCE
    while stage[best] < exact and bounds[best] > 0.0:
        aim = bounded if objective.rough and stage[best] < bounded else exact
        if aim == bounded and objective.at_hand:
            asked = shortlist.members
        else:
            # Those of one cell can be asked together at little more cost than one of them.
            rivals = shortlist.members
            rivals = rivals[objective.cells[order[rivals]] == objective.cells[order[best]]]
            rivals = rivals[(stage[rivals] < aim) & (bounds[rivals] >= greatest)]
            n_asked = _EXACT_AT_ONCE if aim == exact else n_bounded
            asked = np.union1d(_highest(bounds, rivals, n_asked), best)
            n_bounded = min(2 * n_bounded, most) if aim == bounded else n_bounded
        gains = objective.gains(order[asked], exact=aim == exact) * worth[asked]
        bounds[asked] = np.minimum(bounds[asked], gains)
        stage[asked] = np.maximum(stage[asked], aim)
        if aim == exact:
            greatest = max(greatest, gains.max())
        best = shortlist.best()
    return best


def _highest(bounds: Values, members: Positions, n_highest: int) -> Positions:
    """Return those of the members whose bounds are highest, in no order."""
    if n_highest >= len(members):
        return members
    place = len(members) - n_highest
    return members[np.argpartition(bounds[members], place)[place:]]


class _Shortlist:
    """The highest of many bounds that only fall, so that few of them are looked at often."""

    def __init__(self, bounds: Values) -> None:
        self._bounds = bounds
        self._fill()

    def _fill(self) -> None:
        bounds = self._bounds
        place = max(0, len(bounds) - _SHORTLIST)
        threshold = np.partition(bounds, place)[place]
        self.members = np.flatnonzero(bounds >= threshold)
        self._outside = bounds.max(initial=-np.inf, where=bounds < threshold)

    def _first(self) -> int:
        return int(self.members[np.argmax(self._bounds[self.members])])

    def best(self) -> int:
        """Return the position of the highest bound, the first of them where several tie."""
        best = self._first()
        if self._bounds[best] <= self._outside:
            self._fill()
            best = self._first()
        return best
