"""Distances to the nearest chosen row in large pools: upper bounds, made exact where it matters.

Distances to the nearest center only shrink as centers are added, so a distance that was exact some
centers ago is an upper bound today. Farthest-first traversal needs the exact distance of those rows
alone whose bound could still win, and D^2 sampling can draw from the bounds and reject. Both give
the answer, or the distribution, of the plain algorithm, for a small share of its work, most of it
in matrix products.

Bounds over the whole pool are computed in single precision if the data are, and raised by the
possible rounding error. Every decision is based on distances in double precision, and a close one
on differences of the rows themselves. No row is ruled out by a bound that rounding may have put
just below a distance, so that rows which are equally far are all candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import AnyPoints, Centers, PointSet, count, slices
from skactive.selectors._top import fill_at_random

__all__ = [
    "AllDistances",
    "NearestCenters",
    "draw_centers",
    "draw_one",
    "draw_weighted",
    "find_central_row",
]

_CENTER_BLOCK = 128  # centers that a block of rows is compared with at a time
# Squared distances from double precision products may be wrong by this share of the norms.
_PRODUCT_TOLERANCE = 1e-10
# Squared distances from differences of rows tie within this share of themselves.
_DIFFERENCE_TOLERANCE = 1e-12
_MEAN_TOLERANCE = 1e-9  # the same for distances to a mean, which carries the rounding of its terms
_N_PROPOSALS = 128  # rows drawn from the bounds at a time
_MIN_ACCEPTANCE = 0.4  # share of accepted proposals below which new bounds pay off


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
        Squared distance to the nearest of the centers that a row was compared with, or a little
        more.
    seen : ndarray of shape (n_rows,)
        Number of centers, in their order, for which `bound` is exact; 0 if it is only a bound.
    """

    def __init__(self, X: Any, *, labeled: Any = None) -> None:
        self._set_points(PointSet(X))
        if labeled is not None and labeled.shape[0]:
            self._centers.add_rows(labeled)
            self.lower_all()

    def _set_points(self, points: PointSet) -> None:
        """Start with points and no center."""
        self._points, self.n_rows = points, points.n_rows
        self.bound = np.full(self.n_rows, np.inf)
        self.seen = np.zeros(self.n_rows, dtype=np.int32)
        self._nearest = np.zeros(self.n_rows, dtype=np.int32)  # the center that `bound` is to
        self._centers = Centers(points)
        self._covered = 0  # centers that the bounds of all rows take into account

    @property
    def n_centers(self) -> int:
        """Number of centers, labeled and chosen."""
        return len(self._centers)

    def start(self, rng: RandomState) -> list[int]:
        """Make the row nearest to the mean a center if there is none yet, and return it."""
        if self.n_centers or not self.n_rows:
            return []
        row = find_central_row(self._points, rng)
        self.add(row)
        self.lower_all()
        return [row]

    def add_all(self, positions: Sequence[int] | Positions) -> None:
        """Make rows centers, and lower the bounds of all rows by them."""
        for position in positions:
            self.add(int(position))
        self.lower_all()

    def take(self, rows: Positions, X: Any) -> Self:
        """Return an independent copy restricted to `rows`, given as `X`."""
        subset = copy(self)
        subset._points = self._points.take(rows, X)
        subset._centers = self._centers.copy_for(subset._points)
        subset.n_rows, subset.bound = len(rows), self.bound[rows]
        subset.seen, subset._nearest = self.seen[rows], self._nearest[rows]
        return subset

    def add(self, position: int) -> None:
        """Make a row a center; only its own bound changes."""
        self._centers.add_position(position)
        self.bound[position], self.seen[position] = 0.0, self.n_centers
        self._nearest[position] = self.n_centers - 1

    def lower_all(self) -> None:
        """Lower the bounds of all rows by the centers added since the last call."""
        if self._points.is_sparse:
            # Products of sparse rows cost far more than what follows from them: distances in double
            # precision are as cheap as bounds, and need not be computed again.
            self.refresh(np.arange(self.n_rows))
            self._covered = self.n_centers
            return
        for rows in slices(self.n_rows, self._points.rows_per_block(_CENTER_BLOCK)):
            block = self._points.copy_block(rows)  # once for all centers, while it is in the cache
            for centers in slices(self.n_centers, _CENTER_BLOCK, self._covered):
                bound = self._points.upper_bounds(block, rows, self._centers, centers)
                np.minimum(self.bound[rows], bound, out=self.bound[rows])
        self._covered = self.n_centers

    def refresh(self, rows: Positions) -> Floats:
        """Bring the bounds of rows up to date with all centers, exactly, and return them."""
        stale = rows[self.seen[rows] < self.n_centers]
        # Apart, because rows never seen need all centers, and the others only the newer ones.
        for unseen in (True, False):
            part = stale[(self.seen[stale] == 0) == unseen]
            for chunk in slices(len(part), self._points.rows_per_block(_CENTER_BLOCK)):
                self._refresh(part[chunk], unseen)
        return self.bound[rows]

    def _refresh(self, rows: Positions, unseen: bool) -> None:
        if not len(rows):
            return
        # A bound that was never exact belongs to no center, so it must not enter the minimum.
        best = np.full(len(rows), np.inf) if unseen else self.bound[rows]
        nearest = self._nearest[rows]
        first = 0 if unseen else int(self.seen[rows].min())
        block = self._points.copy_rows(rows)
        for centers in slices(self.n_centers, _CENTER_BLOCK, first):
            # (n_rows, n_centers of the block)
            squared = self._points.distances(block, rows, self._centers, centers)
            least = squared.min(axis=1)
            slack = self._slack(rows, least)
            column = (squared <= (least + slack)[:, np.newaxis]).argmax(axis=1)  # the first
            least = squared[np.arange(len(rows)), column]
            is_nearer = least < best - slack
            nearest = np.where(is_nearer, centers.start + column, nearest)
            best = np.where(is_nearer, least, best)
        self.bound[rows], self.seen[rows], self._nearest[rows] = best, self.n_centers, nearest
        self.make_exact(rows[best < _PRODUCT_TOLERANCE * self._points.norms[rows]])

    def find_within(self, radius: float) -> Positions:
        """Return the rows at most `radius` from a center, sorted; the bounds must be up to date."""
        squared = radius * radius
        if not self.n_centers:
            return np.empty(0, dtype=np.intp)
        # Bounds exceed distances by twice the rounding error at most.
        largest = self._points.norms.max(initial=0.0) + self._centers.norms.max()
        error = 4.0 * self._points.rounding * largest
        rows = np.flatnonzero(self.bound <= squared + error)
        unsure = rows[self.bound[rows] > squared - error]
        distances = self.refresh(unsure)
        self.make_exact(unsure[np.abs(distances - squared) <= 2 * _PRODUCT_TOLERANCE * largest])
        return rows[self.bound[rows] <= squared * (1 + _DIFFERENCE_TOLERANCE)]

    def _slack(self, rows: Positions, squared: Floats) -> Any:
        """Return by how much a later center must be nearer to a row to be its nearest."""
        return np.zeros(len(rows))

    def make_exact(self, rows: Positions) -> Floats:
        """Replace distances by those from differences, which tell zero from nearly zero."""
        for chunk in slices(len(rows), self._points.rows_per_block(1)):
            part = rows[chunk]
            nearest = self._nearest[part]
            self.bound[part] = self._points.exact_distances(part, self._centers, nearest)
        return self.bound[rows]

    def max_error(self, rows: Any) -> float:
        """Return the largest error of squared distances before `make_exact`."""
        return 2 * _PRODUCT_TOLERANCE * float(self._points.norms[rows].max())

    def raise_bounds(self) -> Floats:
        """Return the bounds of all rows, raised by the error of products, shape (n_rows,)."""
        # The norm of a center is at most twice the sum of the norm of a row and their distance.
        return self.bound + 2 * _PRODUCT_TOLERANCE * (self.bound + self._points.norms)

    def copy_rows(self, rows: Positions) -> Any:
        """Copy rows in double precision, for `update_by_last`."""
        return self._points.copy_rows(rows)

    # -- farthest-first traversal ----------------------------------------------------------------

    def farthest_first(self, n_picks: int, rng: RandomState) -> list[int]:
        """Pick rows, each the farthest from all centers; fewer if only duplicates remain."""
        picks: list[int] = []
        self._width = max(256, 2 * n_picks)
        max_contenders = self.max_contenders(n_picks)
        while len(picks) < n_picks:
            rows, threshold = self._find_contenders()
            if not len(rows):
                break
            if len(rows) <= max_contenders:
                picks += self._traverse(rows, threshold, n_picks - len(picks), rng)
            else:  # copying that many rows would cost more than it saves
                picks.append(self._pick_farthest(rows, rng))
        return picks

    def max_contenders(self, n_picks: int) -> int:
        """Return the number of rows that may be copied to choose among them."""
        return max(4 * self._points.rows_per_block(1), 256, 2 * n_picks)

    def _pick_farthest(self, rows: Positions, rng: RandomState) -> int:
        """Pick the farthest of rows whose distances are up to date."""
        close = rows[self.bound[rows] >= self.bound[rows].max() - self.max_error(rows)]
        if len(close) > 1:  # too close for distances from products
            close = close[_is_highest(self.make_exact(close))]
        pick = draw_one(close, rng)
        self.add(pick)
        return pick

    def _find_contenders(self) -> tuple[Positions, float]:
        """Return rows that include all of the farthest, and a distance beyond which no others lie.

        It is below all distances if the others coincide with centers.
        """
        while self._width < self.n_rows:
            raised, rank = self.raise_bounds(), self.n_rows - self._width - 1
            order = np.argpartition(raised, rank)
            rows, threshold = order[rank + 1 :], float(raised[order[rank]])
            distances = self.refresh(rows)
            rows = rows[distances > threshold]
            # Else a row that was left out may be as far.
            if len(rows) and distances.max() - self.max_error(rows) > threshold:
                return rows, threshold
            self._width *= 2
        rows = np.arange(self.n_rows)
        return rows[self.refresh(rows) > 0.0], -np.inf

    def _traverse(
        self, rows: Positions, threshold: float, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Pick farthest-first among rows while the farthest are surely beyond the threshold."""
        picks: list[int] = []
        rows = np.sort(rows)
        block, squared = self._points.copy_rows(rows), self.bound[rows]
        margin = self.max_error(rows)
        while len(picks) < n_picks:
            farthest = squared.max()
            if farthest <= 0.0 or farthest - margin <= threshold:
                break
            close = np.flatnonzero(squared >= farthest - margin)
            if len(close) > 1:  # too close for distances from products
                squared[close] = self.make_exact(rows[close])
                close = close[_is_highest(squared[close])]
            pick = draw_one(rows[close], rng)
            picks.append(pick)
            self.add(pick)
            self.update_by_last(block, rows, squared)
            # Rows at or below the threshold cannot be picked here; dropping them is a copy, so it
            # waits until they are half of all.
            remaining = squared > max(threshold, 0.0)
            if np.count_nonzero(remaining) < len(rows) // 2:
                rows, squared = rows[remaining], squared[remaining]
                block = tuple(factor[remaining] for factor in block)
                if not len(rows):
                    break
        return picks

    def update_by_last(self, block: Any, rows: Positions, squared: Floats) -> None:
        """Update rows, whose distances are exact to all centers but the last, by the last.

        ``block`` holds the copied rows, and ``squared`` their distances, which are changed too.
        """
        last = slice(self.n_centers - 1, self.n_centers)
        to_last = self._points.distances(block, rows, self._centers, last)[:, 0]
        nearer = np.flatnonzero(to_last < squared - self._slack(rows, to_last))
        squared[nearer] = to_last[nearer]
        self.bound[rows[nearer]], self._nearest[rows[nearer]] = to_last[nearer], last.start
        self.seen[rows] = self.n_centers
        tiny = nearer[to_last[nearer] < _PRODUCT_TOLERANCE * self._points.norms[rows[nearer]]]
        if len(tiny):
            squared[tiny] = self.make_exact(rows[tiny])

    # -- D^2 sampling ----------------------------------------------------------------------------

    def draw(self, n_picks: int, rng: RandomState) -> list[int]:
        """Draw rows, each in proportion to its squared distance to the nearest center.

        Rows are proposed in proportion to bounds that stay fixed for many draws, and accepted with
        probability distance over bound. So accepted rows follow the distances, whatever the bounds
        are.
        """
        picks: list[int] = []
        weights, cumulated, n_new = self._make_proposals()
        while len(picks) < n_picks and cumulated[-1] > 0.0:
            proposed = draw_weighted(cumulated, _N_PROPOSALS, rng)
            accepted = self._accept(proposed, weights, n_picks - len(picks), rng)
            picks += accepted
            n_new += len(accepted)
            if len(accepted) >= _MIN_ACCEPTANCE * _N_PROPOSALS:
                continue
            # Few proposals are accepted, as weights are far above the distances: lower them.
            if n_new:
                weights, cumulated, n_new = self._make_proposals()
            elif not accepted and not self.refresh(np.arange(self.n_rows)).any():
                break  # only duplicates of centers remain
            elif not accepted:
                weights, cumulated, n_new = self._make_proposals()
        return picks

    def _make_proposals(self) -> tuple[Floats, Floats, int]:
        """Return up-to-date weights, their running sum, and 0 centers that they do not know."""
        self.lower_all()
        weights = self.bound.copy()
        return weights, np.cumsum(weights), 0

    def _accept(
        self, proposed: Positions, weights: Floats, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Accept proposals in their order, each by its distance to the centers at that time."""
        picks: list[int] = []
        # P(proposed) ~ weight and P(accepted) = distance / weight, so P(both) ~ distance.
        levels = rng.random_sample(len(proposed)) * weights[proposed]
        squared = self.refresh(proposed)
        block = self._points.copy_rows(proposed)
        for i, row in enumerate(proposed):
            if levels[i] < squared[i]:
                picks.append(int(row))
                self.add(int(row))
                if len(picks) == n_picks:
                    break
                self.update_by_last(block, proposed, squared)
        return picks


class AllDistances(NearestCenters):
    """The squared distance of every row to its nearest center, always up to date.

    ``bound`` holds the distances; those of rows that coincide with a center are exactly 0. A row
    that is equally near to several centers, up to rounding, belongs to the first of them.
    """

    def __init__(self, X: Any, *, labeled: Any = None) -> None:
        super().__init__(X)
        if labeled is not None and labeled.shape[0]:
            self._centers.add_rows(labeled)
            self.refresh(np.arange(self.n_rows))

    def start(self, rng: RandomState) -> list[int]:
        """Make the row nearest to the mean a center if there is none yet, and return it."""
        if self.n_centers or not self.n_rows:
            return []
        return [self.add_and_update(find_central_row(self._points, rng))]

    def add_all(self, positions: Sequence[int] | Positions) -> None:
        """Make rows centers, and update the distances of all rows."""
        if self.n_centers:
            for position in positions:
                self.add_and_update(int(position))
            return
        # The first centers together: one matrix product instead of a pass per center.
        for position in positions:
            self.add(int(position))
        self.refresh(np.arange(self.n_rows))

    def add_and_update(self, position: int) -> int:
        """Make a row a center, update the rows that may be nearer to it, return its position."""
        gaps = self._center_gaps(position)
        self.add(position)
        # A row within half of its center's gap to the new center cannot be nearer to the new one
        # (triangle inequality); in squares, 4 d^2 <= gap^2.
        rows = np.flatnonzero(4.0 * self.bound > gaps[self._nearest])
        size = self._points.rows_per_block(1)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            self.update_by_last(self._points.copy_rows(part), part, self.bound[part])
        self.seen.fill(self.n_centers)
        return position

    def _slack(self, rows: Positions, squared: Floats) -> Any:
        slack = _PRODUCT_TOLERANCE * self._points.norms[rows]
        return np.where(squared < slack, 0.0, slack)  # near zero, the nearest center decides

    def _center_gaps(self, position: int) -> Floats:
        """Return lower bounds on the squared distances of the centers to a row that will be one.

        The shape is (n_centers + 1,); the last is the distance of the row to itself.
        """
        row = np.array([position])
        centers = slice(0, self.n_centers)
        gaps = np.zeros(self.n_centers + 1)
        if self.n_centers:
            block = self._points.copy_rows(row)
            gaps[:-1] = self._points.distances(block, row, self._centers, centers)
            gaps[:-1] -= _PRODUCT_TOLERANCE * (self._centers.norms + self._points.norms[position])
        return gaps

    def cluster_sums(self) -> Floats:
        """Sum of the squared distances of the rows of each center, shape (n_centers,)."""
        sums = np.bincount(self._nearest, self.bound, minlength=self.n_centers)
        return sums.astype(np.float64, copy=False)

    def find_farthest(self, cluster: int) -> Positions:
        """Return the rows of a cluster that are farthest from its center."""
        rows = np.flatnonzero(self._nearest == cluster)
        close = rows[self._is_near(rows, self.bound[rows].max())]
        if len(close) > 1:  # too close for distances from products
            self.make_exact(close)
        return close[_is_highest(self.bound[close])]

    def find_at_rank(self, rank: int) -> Positions:
        """Return the rows that share a rank in the order of distances, from the nearest up."""
        close = np.flatnonzero(self._is_near(slice(None), np.partition(self.bound, rank)[rank]))
        if len(close) > 1:
            self.make_exact(close)
        level = np.partition(self.bound, rank)[rank]
        return close[np.abs(self.bound[close] - level) <= _DIFFERENCE_TOLERANCE * level]

    def _is_near(self, rows: Any, squared: float) -> NDArray[np.bool_]:
        """Return which rows have this squared distance, up to the error of products."""
        return np.abs(self.bound[rows] - squared) <= self.max_error(rows)


def find_central_row(points: PointSet, rng: RandomState) -> int:
    """Return the position of the row nearest to the mean of all, ties broken at random."""
    squared = points.squared_distances_to_mean()
    return draw_one(np.flatnonzero(squared <= squared.min() * (1 + _MEAN_TOLERANCE)), rng)


def draw_one(positions: Positions, rng: RandomState) -> int:
    """Return one of several positions at random; a single one without a draw."""
    return int(positions[rng.randint(len(positions)) if len(positions) > 1 else 0])


def _is_highest(squared: Floats) -> NDArray[np.bool_]:
    """Return which of several distances from differences are the highest."""
    return squared >= squared.max() * (1 - _DIFFERENCE_TOLERANCE)


def draw_weighted(cumulated: Floats, n_draws: int, rng: RandomState) -> Positions:
    """Draw positions in proportion to weights, given as their running sum."""
    levels = rng.random_sample(n_draws) * cumulated[-1]
    # Else a level rounded up to the last sum would fall beyond the last positive weight.
    levels = np.minimum(levels, np.nextafter(cumulated[-1], 0.0))
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
