"""Lazy greedy search for the rows that together maximize a submodular objective.

A gain can only fall while rows are chosen (the objective is submodular), so an old gain is an upper
bound. Only candidates that could still win are evaluated again, a block of them at a time, until
the winner is up to date. So the picks are those of plain greedy. The search knows only the
`Objective` protocol.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.random import RandomState

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._top import fill_at_random

__all__ = ["Objective", "lazy_greedy"]

_SHORTLIST_SIZE = 4096  # candidates looked at between two passes over all bounds
# Candidates whose bounds, and whose gains, are computed at a time.
_BOUNDED_AT_ONCE, _EXACT_AT_ONCE = 32, 4
_WORTHY_AT_ONCE = 256  # candidates whose first gains are bounded at a time, by falling weight


class Objective(Protocol):
    """A monotone submodular function of the chosen rows, as the lazy greedy search sees it."""

    n_rows: int
    cheap_bounds: bool  # whether bounds are cheaper than gains
    cells: Positions  # cell of each candidate; gains within one cell are cheap to compute together
    has_all_bounds: bool  # whether bounds of all candidates cost nothing
    can_bound_some: bool  # whether first gains may be bounded for some of the candidates only

    def bound_all(self) -> float:
        """Return a number that no gain exceeds."""

    def bounds(self, positions: Positions | None = None) -> Floats:
        """Return upper bounds of the first gains of candidates; None stands for all of them."""

    def gains(self, positions: Positions, *, exact: bool) -> Floats:
        """Return the gains of candidates, or upper bounds that are cheaper to compute."""

    def add(self, position: int) -> None:
        """Choose a candidate."""

    def is_exhausted(self) -> bool:
        """Return whether no candidate can gain anything."""


def lazy_greedy(
    objective: Objective, candidate_weights: Floats, batch_size: int, rng: RandomState
) -> Positions:
    """Choose rows one by one, each with the largest weighted gain, ties broken at random."""
    batch_size = min(batch_size, objective.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    search = _Search(objective, candidate_weights, rng.permutation(objective.n_rows))
    picks: list[int] = []
    while len(picks) < batch_size and not objective.is_exhausted():
        pick = search.choose()
        if pick is None:
            break
        picks.append(pick)
        objective.add(pick)
    return fill_at_random(picks, batch_size, objective.n_rows, rng)


class _Search:
    """Bounds on the gains of all candidates, updated where they decide.

    Parameters
    ----------
    objective : Objective
        The function to maximize.
    candidate_weights : ndarray of shape (n_rows,)
        Factor of the gains of each candidate.
    order : ndarray of shape (n_rows,)
        A random order of the candidates: of those that tie, the first is chosen.
    """

    def __init__(self, objective: Objective, candidate_weights: Floats, order: Positions) -> None:
        self._objective, self._order, self._candidate_weights = (
            objective,
            order,
            candidate_weights[order],
        )
        # When a bound was last updated: 2 * round for a bound, 2 * round + 1 for a gain.
        self._stage = np.zeros(len(order), dtype=np.intp)
        self._bounds = self._bound_first_gains()
        self._shortlist = _Shortlist(self._bounds)
        self._n_picks = 0

    def _bound_first_gains(self) -> Floats:
        """Return bounds of all candidates, not looking at those that are worth too little."""
        weights, objective = self._candidate_weights, self._objective
        if not objective.can_bound_some or weights.min() == weights.max():
            return objective.bounds()[self._order] * weights
        bounds, greatest = weights * objective.bound_all(), 0.0
        self._stage[:] = -1
        worthy_first = np.argsort(-weights, kind="stable")
        for places in np.split(worthy_first, range(_WORTHY_AT_ONCE, len(weights), _WORTHY_AT_ONCE)):
            if bounds[places[0]] <= greatest:
                break
            bounds[places] = objective.bounds(self._order[places]) * weights[places]
            self._stage[places] = 0
            greatest = max(greatest, bounds[places].max())
        return bounds

    def choose(self) -> int | None:
        """Return the candidate of greatest gain; None if no candidate gains anything."""
        best = self._find_best()
        if self._bounds[best] <= 0.0:
            return None
        self._bounds[best] = -np.inf
        self._n_picks += 1
        return int(self._order[best])

    def _find_best(self) -> int:
        """Return the place of the greatest gain, turning bounds into gains until it is certain."""
        bounded, exact = 2 * self._n_picks, 2 * self._n_picks + 1
        best, greatest = self._shortlist.find_best(), 0.0
        sizes = {bounded: _BOUNDED_AT_ONCE, exact: _EXACT_AT_ONCE}
        while self._stage[best] < exact and self._bounds[best] > 0.0:
            use_bound = self._objective.cheap_bounds and self._stage[best] < bounded
            stage = bounded if use_bound else exact
            if use_bound and self._objective.has_all_bounds:
                places = self._shortlist.members
            else:
                places = self._find_rivals(best, stage, greatest, sizes[stage])
                # Another round means that the bounds are loose, so more of them are needed.
                sizes[stage] = min(2 * sizes[stage], 16 * _BOUNDED_AT_ONCE)
            gains = self._update(places, stage, exact=not use_bound)
            if not use_bound:
                greatest = max(greatest, gains.max())
            best = self._shortlist.find_best()
        return best

    def _find_rivals(self, best: int, stage: int, greatest: float, n_rivals: int) -> Positions:
        """Return the best and others of its cell whose bounds are stale but could still win.

        Those of one cell are evaluated together at little more cost than one of them.
        """
        places, cells = self._shortlist.members, self._objective.cells
        places = places[cells[self._order[places]] == cells[self._order[best]]]
        places = places[(self._stage[places] < stage) & (self._bounds[places] >= greatest)]
        return np.union1d(_find_highest(self._bounds, places, n_rivals), best)

    def _update(self, places: Positions, stage: int, *, exact: bool) -> Floats:
        """Lower bounds to the gains, or to newer bounds, and return these."""
        # All arrays here are in the random order; only the objective is asked by position.
        gains = (
            self._objective.gains(self._order[places], exact=exact)
            * self._candidate_weights[places]
        )
        self._bounds[places] = np.minimum(self._bounds[places], gains)
        self._stage[places] = np.maximum(self._stage[places], stage)
        return gains


def _find_highest(bounds: Floats, members: Positions, n_highest: int) -> Positions:
    """Return the members of the highest bounds, in any order."""
    if n_highest >= len(members):
        return members
    rank = len(members) - n_highest
    return members[np.argpartition(bounds[members], rank)[rank:]]


class _Shortlist:
    """The highest of many bounds that only fall, so that most bounds are rarely looked at."""

    def __init__(self, bounds: Floats) -> None:
        self._bounds = bounds
        self._fill()

    def _fill(self) -> None:
        bounds = self._bounds
        rank = max(0, len(bounds) - _SHORTLIST_SIZE)
        threshold = np.partition(bounds, rank)[rank]
        self.members = np.flatnonzero(bounds >= threshold)
        self._outside = bounds.max(initial=-np.inf, where=bounds < threshold)

    def _find_best_member(self) -> int:
        return int(self.members[np.argmax(self._bounds[self.members])])

    def find_best(self) -> int:
        """Return the position of the highest bound, the first if several tie."""
        best = self._find_best_member()
        # Bounds outside only fell since then; one of them may be the best now, or tie with it.
        if self._bounds[best] <= self._outside:
            self._fill()
            best = self._find_best_member()
        return best
