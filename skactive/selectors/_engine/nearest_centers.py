"""Distances to the nearest chosen row for large pools: bounds, refreshed where they matter.

Distances to the nearest center only shrink as centers come, so a distance that was right some
centers ago is an upper bound today. Farthest-first traversal needs the true distance of those rows
alone whose bound could still win, and D^2 sampling can draw from the bounds and reject. Both give
the answer, or the law, of the plain algorithm, for a small share of its work, most of it in matrix
products.

Bounds over the whole pool are computed in single precision where the data are, and raised by what
rounding could have taken away. Every decision rests on distances in double precision, and a close
one on differences of the rows themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive.selectors._engine.points import (
    AnyPoints,
    Centers,
    Floats,
    Points,
    Positions,
    count,
    slices,
)
from skactive.selectors._top import fill_at_random

__all__ = ["AllDistances", "NearestCenters", "central_row", "draw_centers", "drawn", "one_of"]

_CENTERS = 128  # centers that a block meets at a time
_CLOSE = 1e-10  # share of the norms within which double precision products may mislead
_SAME = 1e-12  # distances from differences tie within it
_TIE = 1e-9  # sums, and distances to a mean, carry the rounding of their terms; within it they tie
_PROPOSALS = 128  # rows drawn from the bounds at a time
_FEW_ACCEPTED = 0.4  # share of proposals below which the bounds are worth refreshing


class NearestCenters:
    """Upper bounds on the squared distance of each row to its nearest center.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` stands for the outer products of its rows.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centers from the start, of the kind of ``X``.

    Attributes
    ----------
    bound : ndarray of shape (n_rows,)
        Squared distance to the nearest of the centers that a row has seen, or a little more.
    seen : ndarray of shape (n_rows,)
        To how many centers, the first ones, `bound` is exact; 0 where it is a bound only.
    """

    def __init__(self, X: Any, *, labeled: Any = None) -> None:
        self._hold(Points(X))
        if labeled is not None and labeled.shape[0]:
            self._centers.add_rows(labeled)
            self.lower_all()

    def _hold(self, points: Points) -> None:
        """Start with points and no center."""
        self._points, self.n_rows = points, points.n_rows
        self.bound = np.full(self.n_rows, np.inf)
        self.seen = np.zeros(self.n_rows, dtype=np.int32)
        self._nearest = np.zeros(self.n_rows, dtype=np.int32)  # the center that `bound` is to
        self._centers = Centers(points)
        self._covered = 0  # centers that the bounds of all rows take into account

    @property
    def n_centers(self) -> int:
        """How many centers there are, labeled and chosen."""
        return len(self._centers)

    def start(self, rng: RandomState) -> list[int]:
        """Make the row nearest to the mean a center where there is none, and return it."""
        if self.n_centers or not self.n_rows:
            return []
        row = central_row(self._points, rng)
        self.add(row)
        self.lower_all()
        return [row]

    def label(self, positions: Sequence[int] | Positions) -> None:
        """Make rows centers, and let all rows know of them."""
        for position in positions:
            self.add(int(position))
        self.lower_all()

    def take(self, rows: Positions, X: Any) -> Self:
        """Return the distances of some rows, which are `X`, to be kept up to date by themselves."""
        other = copy(self)
        other._points = self._points.take(rows, X)
        other._centers = self._centers.of(other._points)
        other.n_rows, other.bound = len(rows), self.bound[rows]
        other.seen, other._nearest = self.seen[rows], self._nearest[rows]
        return other

    def add(self, position: int) -> None:
        """Make a row a center; no bound is touched but its own."""
        self._centers.add_position(position)
        self.bound[position], self.seen[position] = 0.0, self.n_centers
        self._nearest[position] = self.n_centers - 1

    def lower_all(self) -> None:
        """Lower the bounds of all rows by the centers that they have not met."""
        for rows in slices(self.n_rows, self._points.block_rows(_CENTERS)):
            block = self._points.block(rows)
            for centers in slices(self.n_centers, _CENTERS, self._covered):
                raised = self._points.raised_distances(block, rows, self._centers, centers)
                np.minimum(self.bound[rows], raised, out=self.bound[rows])
        self._covered = self.n_centers

    def refresh(self, rows: Positions) -> Floats:
        """Make the bounds of some rows exact, and return them."""
        stale = rows[self.seen[rows] < self.n_centers]
        for unseen in (True, False):
            part = stale[(self.seen[stale] == 0) == unseen]
            for chunk in slices(len(part), self._points.block_rows(_CENTERS)):
                self._refresh(part[chunk], unseen)
        return self.bound[rows]

    def _refresh(self, rows: Positions, unseen: bool) -> None:
        if not len(rows):
            return
        # A bound that was never exact is no distance, so it has no say in the minimum.
        best = np.full(len(rows), np.inf) if unseen else self.bound[rows]
        nearest = self._nearest[rows]
        first = 0 if unseen else int(self.seen[rows].min())
        block = self._points.rows(rows)
        for centers in slices(self.n_centers, _CENTERS, first):
            squared = self._points.distances(block, rows, self._centers, centers)
            column = squared.argmin(axis=1)
            value = squared[np.arange(len(rows)), column]
            nearest = np.where(value < best, centers.start + column, nearest)
            best = np.minimum(best, value)
        self.bound[rows], self.seen[rows], self._nearest[rows] = best, self.n_centers, nearest
        self.settle(rows[best < _CLOSE * self._points.norms[rows]])

    def settle(self, rows: Positions) -> Floats:
        """Replace distances by those from differences, which know zero from nearly zero."""
        for chunk in slices(len(rows), self._points.block_rows(1)):
            part = rows[chunk]
            nearest = self._nearest[part]
            self.bound[part] = self._points.exact_distances(part, self._centers, nearest)
        return self.bound[rows]

    def error(self, rows: Any) -> float:
        """Return by how much squared distances of rows may be wrong before they are settled."""
        return 2 * _CLOSE * float(self._points.norms[rows].max())

    def block(self, rows: Positions) -> Any:
        """Return a copy of rows in double precision, to meet centers one by one."""
        return self._points.rows(rows)

    # Farthest-first traversal -------------------------------------------------------------------

    def farthest_first(self, n_picks: int, rng: RandomState) -> list[int]:
        """Pick rows, each the farthest from all centers; fewer where only duplicates are left."""
        picks: list[int] = []
        self._width = max(256, 2 * n_picks)
        most = self.most_contenders(n_picks)
        while len(picks) < n_picks:
            rows, threshold = self._contenders()
            if not len(rows):
                break
            if len(rows) <= most:
                picks += self._traverse(rows, threshold, n_picks - len(picks), rng)
            else:  # so many are about as far that a copy of them is no help
                picks.append(self._farthest_of(rows, rng))
        return picks

    def most_contenders(self, n_picks: int) -> int:
        """Return how many rows may be copied to choose some of them."""
        return max(4 * self._points.block_rows(1), 256, 2 * n_picks)

    def _farthest_of(self, rows: Positions, rng: RandomState) -> int:
        """Pick the farthest of rows whose distances are exact."""
        close = rows[self.bound[rows] >= self.bound[rows].max() - self.error(rows)]
        if len(close) > 1:  # too close to call by products
            close = close[_highest(self.settle(close))]
        pick = one_of(close, rng)
        self.add(pick)
        return pick

    def _contenders(self) -> tuple[Positions, float]:
        """Return rows that are farther than any other row can be, and how far that is."""
        while True:
            width = min(self._width, self.n_rows)
            if width == self.n_rows:
                rows, threshold = np.arange(self.n_rows), 0.0
            else:
                order = np.argpartition(self.bound, self.n_rows - width - 1)
                rows = order[self.n_rows - width :]
                threshold = float(self.bound[order[self.n_rows - width - 1]])
            rows = rows[self.refresh(rows) > threshold]
            if len(rows) or width == self.n_rows:
                return rows, threshold
            self._width *= 2

    def _traverse(
        self, rows: Positions, threshold: float, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Pick farthest-first among rows while the farthest is beyond the threshold."""
        picks: list[int] = []
        rows = np.sort(rows)
        block, squared = self._points.rows(rows), self.bound[rows]
        margin = self.error(rows)
        while len(picks) < n_picks:
            farthest = squared.max()
            if farthest <= threshold:
                break
            close = np.flatnonzero(squared >= farthest - margin)
            if len(close) > 1:  # too close to call by products
                squared[close] = self.settle(rows[close])
                close = close[_highest(squared[close])]
                if squared[close[0]] <= threshold:
                    continue
            pick = int(rows[one_of(close, rng)])
            picks.append(pick)
            self.add(pick)
            self.meet_last(block, rows, squared)
            if np.count_nonzero(squared > threshold) < len(rows) // 2:
                alive = squared > threshold
                rows, squared = rows[alive], squared[alive]
                block = tuple(factor[alive] for factor in block)
                if not len(rows):
                    break
        return picks

    def meet_last(self, block: Any, rows: Positions, squared: Floats) -> None:
        """Let rows, whose distances are exact to all centers but the last, meet the last."""
        last = slice(self.n_centers - 1, self.n_centers)
        new = self._points.distances(block, rows, self._centers, last)[:, 0]
        nearer = np.flatnonzero(new < squared)
        squared[nearer] = new[nearer]
        self.bound[rows[nearer]], self._nearest[rows[nearer]] = new[nearer], last.start
        self.seen[rows] = self.n_centers
        zero = nearer[new[nearer] < _CLOSE * self._points.norms[rows[nearer]]]
        if len(zero):
            squared[zero] = self.settle(rows[zero])

    # D^2 sampling -------------------------------------------------------------------------------

    def draw(self, n_picks: int, rng: RandomState) -> list[int]:
        """Draw rows, each in proportion to its squared distance to the nearest center.

        Rows are proposed in proportion to bounds that stay fixed for many draws, and accepted with
        probability distance over bound. What is accepted follows the distances, whatever the
        bounds.
        """
        picks: list[int] = []
        weights, cumulated, n_new = self._proposal_law()
        while len(picks) < n_picks and cumulated[-1] > 0.0:
            proposed = drawn(cumulated, _PROPOSALS, rng)
            accepted = self._accept(proposed, weights, n_picks - len(picks), rng)
            picks += accepted
            n_new += len(accepted)
            if len(accepted) >= _FEW_ACCEPTED * _PROPOSALS:
                continue
            if n_new:
                weights, cumulated, n_new = self._proposal_law()
            elif not accepted and not self.refresh(np.arange(self.n_rows)).any():
                break  # only duplicates of centers are left
            elif not accepted:
                weights, cumulated, n_new = self._proposal_law()
        return picks

    def _proposal_law(self) -> tuple[Floats, Floats, int]:
        self.lower_all()
        weights = self.bound.copy()
        return weights, np.cumsum(weights), 0

    def _accept(
        self, proposed: Positions, weights: Floats, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Accept proposals in their order, each by the distance that it has by then."""
        picks: list[int] = []
        levels = rng.random_sample(len(proposed)) * weights[proposed]
        squared = self.refresh(proposed)
        block = self._points.rows(proposed)
        for i, row in enumerate(proposed):
            if levels[i] < squared[i]:
                picks.append(int(row))
                self.add(int(row))
                if len(picks) == n_picks:
                    break
                self.meet_last(block, proposed, squared)
        return picks


class AllDistances(NearestCenters):
    """The distance of every row to its nearest center, none of them a mere bound.

    ``bound`` holds the squared distances; rows that coincide with a center are at exactly 0.
    """

    def __init__(self, X: Any, *, labeled: Any = None) -> None:
        super().__init__(X)
        if labeled is not None and labeled.shape[0]:
            self._centers.add_rows(labeled)
            self.refresh(np.arange(self.n_rows))

    def start(self, rng: RandomState) -> list[int]:
        """Make the row nearest to the mean a center where there is none, and return it."""
        if self.n_centers or not self.n_rows:
            return []
        return [self.meet(central_row(self._points, rng))]

    def label(self, positions: Sequence[int] | Positions) -> None:
        """Make rows centers, and let all rows know of them."""
        if self.n_centers:
            for position in positions:
                self.meet(int(position))
            return
        for position in positions:
            self.add(int(position))
        self.refresh(np.arange(self.n_rows))

    def meet(self, position: int) -> int:
        """Make a row a center, tell the rows that may be nearer to it, return its position."""
        gaps = self._gaps(position)
        self.add(position)
        # A row within half of its center's gap to the new center cannot be nearer to the latter.
        rows = np.flatnonzero(4.0 * self.bound > gaps[self._nearest])
        size = self._points.block_rows(_CENTERS)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self.meet_last(self._points.rows(part), part, self.bound[part])
        self.seen.fill(self.n_centers)
        return position

    def _gaps(self, position: int) -> Floats:
        """Squared distances, at least, of the centers to a row that is to join them."""
        row = np.array([position])
        centers = slice(0, self.n_centers)
        gaps = np.zeros(self.n_centers + 1)  # the last is the new center's own
        if self.n_centers:
            gaps[:-1] = self._points.distances(self._points.rows(row), row, self._centers, centers)
            gaps[:-1] -= _CLOSE * (self._centers.norms + self._points.norms[position])
        return gaps

    def cluster_sums(self) -> Floats:
        """Sum of the squared distances of the rows of each center, shape (n_centers,)."""
        sums = np.bincount(self._nearest, self.bound, minlength=self.n_centers)
        return sums.astype(np.float64, copy=False)

    def farthest_of(self, cluster: int) -> Positions:
        """Return the rows of a cluster that are farthest from its center."""
        rows = np.flatnonzero(self._nearest == cluster)
        close = rows[self._near(rows, self.bound[rows].max())]
        if len(close) > 1:  # too close to call by products
            self.settle(close)
        return close[_highest(self.bound[close])]

    def at_place(self, place: int) -> Positions:
        """Return the rows that share a place in the order of distances, from the nearest up."""
        close = np.flatnonzero(self._near(slice(None), np.partition(self.bound, place)[place]))
        if len(close) > 1:
            self.settle(close)
        level = np.partition(self.bound, place)[place]
        return close[np.abs(self.bound[close] - level) <= _SAME * level]

    def _near(self, rows: Any, squared: float) -> NDArray[np.bool_]:
        """Tell which rows are as far as that, as well as products can tell."""
        return np.abs(self.bound[rows] - squared) <= self.error(rows)


def central_row(points: Points, rng: RandomState) -> int:
    """Return the position of the row nearest to the mean of all, ties broken at random."""
    squared = points.squared_distances_to_mean()
    return one_of(np.flatnonzero(squared <= squared.min() * (1 + _TIE)), rng)


def one_of(positions: Positions, rng: RandomState) -> int:
    """Return one of some positions, drawn where there are several."""
    return int(positions[rng.randint(len(positions)) if len(positions) > 1 else 0])


def _highest(values: Floats) -> NDArray[np.bool_]:
    """Tell which of some distances from differences are the highest."""
    return values >= values.max() * (1 - _SAME)


def drawn(cumulated: Floats, n: int, rng: RandomState) -> Positions:
    """Draw positions in proportion to weights, given as their running sum."""
    levels = np.minimum(rng.random_sample(n) * cumulated[-1], np.nextafter(cumulated[-1], 0.0))
    return np.searchsorted(cumulated, levels, side="right")


def draw_centers(
    X: AnyPoints, n_centers: int, rng: RandomState, first: int | None = None
) -> Positions:
    """Draw rows by k-means++, shape (min(n_centers, n_rows),)."""
    n_rows = count(X)
    n_centers = min(n_centers, n_rows)
    if n_centers == 0:
        return np.empty(0, dtype=np.intp)
    start = int(rng.randint(n_rows)) if first is None else first
    state = NearestCenters(X)
    state.add(start)
    picks = [start, *state.draw(n_centers - 1, rng)]
    return fill_at_random(picks, n_centers, n_rows, rng)
