"""Objectives of coverage: what it gains to choose a row, and what bounds the gain.

Bounds and gains come by matrix products, a block at a time, so that no array holds n x n values.
The first bounds come from one pass in single precision, in which distances are taken shorter by as
much as rounding could have made them longer; gains that decide are in double precision, and leave
out what no candidate near them can cover better.

Candidates lie in cells. By the triangle inequality, a cell too far from a reference row to cover it
better than it is covered is never compared with it; for balls that is most of all pairs. Balls need
no search for stale bounds either: what a pick covers is taken off those of its neighbors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.random import RandomState
from scipy import sparse

from skactive.selectors._engine.nearest_centers import draw_centers
from skactive.selectors._engine.points import DUPLICATE, Matrix, rounded
from skactive.selectors._engine.similarity import (
    Block,
    Distances,
    Points,
    Similarity,
    Values,
    _at_least_zero,
    _product,
    blocks,
    precision,
)
from skactive.selectors._engine.threads import _FEW_PAIRS, _split, share_out
from skactive.selectors._top import Positions

__all__ = [
    "Coverage",
    "RadiusCoverage",
    "nearest_centers",
]


# Candidates lie in at most so many cells; for each, what none of its rows can cover is left out.
_CELLS, _CELL_ROWS = 48, 64
_CELL_SAMPLE, _LLOYD_STEPS = 20, 3  # rows from which a cell's center is learned, and how
_TILE = 2048  # reference rows that some candidates are compared with at a time
# Up to so much, rows are kept as the products take them; a larger pool is not copied whole.
_KEPT_BYTES = 2**25
# Gains are rounded to this many bits, and counted as none below this share of the greatest
# coverage, so that rows that tie in exact arithmetic tie here.
_BITS = 36
_NOTHING = 1e-12


# -- threads -----------------------------------------------------------------------------------


# -- the points --------------------------------------------------------------------------------


# -- similarities ------------------------------------------------------------------------------


# -- the objectives ----------------------------------------------------------------------------


class Coverage:
    """Weighted coverage of reference rows, kept up to date while rows are chosen.

    Parameters
    ----------
    points : Points
        The candidates.
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows: what is to be covered.
    similarity : Similarity
        How well a row covers another.
    weights : ndarray of shape (n_reference,)
        What it is worth to cover each reference row.
    rng : RandomState
        Draws the rows around which candidates are put into cells.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Rows that cover from the start.
    bonus : float, default=0.0
        What a candidate adds by itself, as a multiple of its greatest similarity to any reference
        row.
    own : bool, default=False
        Whether the reference rows are the candidates, and similarity is the same both ways.
    sharpness, labeled_sharpness : ndarray of shape (n_rows,) and (n_labeled,), default=None
        What squared distances from each candidate, and each labeled row, are multiplied by; None
        leaves them as they are.
    n_threads : int, default=1
        Number of threads among which the cells are shared out for the first bounds.
    """

    def __init__(
        self,
        points: Points,
        rows: Matrix,
        similarity: Similarity,
        *,
        weights: Values,
        rng: RandomState,
        labeled: Matrix | None = None,
        bonus: float = 0.0,
        own: bool = False,
        sharpness: Values | None = None,
        labeled_sharpness: Values | None = None,
        n_threads: int = 1,
    ) -> None:
        self._own, self._n_threads = own, n_threads
        self._sharpness = sharpness
        self.n_rows, self._points = points.n_rows, points
        self._similarity, self._weights = similarity, weights
        scale = similarity.scale
        # Shortened so that duplicates, and rows on the rim of a ball, lie where they should.
        self._exact = Distances(rows, points.center, scale=scale, short=DUPLICATE, dtype=np.float64)
        self._largest = max(points.largest, self._exact.largest)
        sharpest = 1.0 if sharpness is None else float(sharpness.max(initial=0.0))
        dtype, short = precision(points, self._largest, scale, sharpest)
        self.rough = dtype is not np.float64
        self._rough = self._exact.rounded(short, dtype) if self.rough else self._exact
        farthest = 2 * math.sqrt(self._largest)  # no two rows are farther apart
        least = similarity.least if similarity.least is not None else -farthest
        self._cover = np.full(rows.shape[0], least)
        self._untouched = True  # nothing covers anything yet
        self._negligible = _NOTHING * float(weights.sum()) * (similarity.most - least)
        if labeled is not None and labeled.shape[0]:
            known = sparse.csr_array(labeled) if sparse.issparse(labeled) else labeled
            self._cover_by(known, labeled_sharpness)
        self._bonus = bonus * self._nearness() if bonus else np.zeros(self.n_rows)
        self._cells = _Cells.of(points, rng)
        self.cells, self._n_cells = self._cells.cells, len(self._cells.members)
        # The greatest similarity of any candidate of a cell to each reference row, or above; or
        # what nothing can be below, where it is covered better than that.
        self._reach = np.full((self._n_cells, rows.shape[0]), least)
        keeps = self.n_rows * (rows.shape[1] + 2) * self._rough.dtype.itemsize <= _KEPT_BYTES
        self._left = self._prepared() if self.rough and keeps else None

    at_hand = False

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        bounds = self._bonus.copy()

        def bound(cell: int) -> None:
            members = self._cells.members[cell]
            to_center = np.sqrt(self._exact(self._cells.centers[cell : cell + 1])[0])
            for block in blocks(len(members), _TILE, self._rough.dtype.itemsize):
                among = self._within_reach(members[block], to_center)
                bounds[members[block]] += self._first_bounds(members[block], among)

        own = self._own and self._untouched  # no cover cuts anything off
        share_out(self._own_bounds(bounds) if own else bound, self._n_cells, self._n_threads)
        self._reach += 100 * np.finfo(self._rough.dtype).eps * np.abs(self._reach)
        return bounds

    def _own_bounds(self, bounds: Values) -> Callable[[int], None]:
        """Return what bounds the gains of a cell, each similarity made once for both its rows."""
        lock, all_members = Lock(), self._cells.members

        def bound(cell: int) -> None:
            after = np.concatenate([np.empty(0, dtype=np.intp), *all_members[cell + 1 :]])
            for block in blocks(len(all_members[cell]), _TILE, self._rough.dtype.itemsize):
                mine = all_members[cell][block]
                mutual = self._mutual_bounds(mine, after)
                first = self._first_bounds(mine, all_members[cell])
                with lock:
                    bounds[mine] += first
                    for positions, some in mutual:
                        bounds[positions] += some

        return bound

    def _mutual_bounds(self, mine: Positions, after: Positions) -> list[tuple[Positions, Values]]:
        """Return bounds of rows of a cell by those of later cells, and of those by these."""
        left, reach, bounds = self._factor(mine), self._reach[self.cells[mine[0]]], []
        for part in blocks(len(after), len(mine), self._rough.dtype.itemsize):
            some, cells = after[part], self.cells[after[part]]
            similarity = self._similarity.of(self._rough.of(left, some))
            reach[some] = np.maximum(reach[some], similarity.max(axis=0))
            starts = np.flatnonzero(np.diff(cells, prepend=-1))
            there = np.ix_(cells[starts], mine)
            highest = np.maximum.reduceat(similarity, starts, axis=1).T
            self._reach[there] = np.maximum(self._reach[there], highest)
            bounds += [
                (mine, self._bound(similarity, some)),
                (some, self._bound(similarity.T, mine)),
            ]
        return bounds

    def _within_reach(self, positions: Positions, to_center: Values) -> Positions:
        """Return the reference rows that some candidates of a cell may cover better.

        By the triangle inequality, from the distances of both to the center of the cell.
        """
        own = self._cells.distances[positions] / math.sqrt(self._similarity.scale)
        apart = np.maximum(to_center - own.max(), own.min() - to_center)
        # What rounding, and the shortening of distances, can do to the three of them.
        apart -= math.sqrt(8 * DUPLICATE * self._largest / self._similarity.scale)
        nearest = np.square(np.maximum(apart, 0.0))
        if self._sharpness is not None:
            nearest *= self._sharpness[positions].min()
        return np.flatnonzero(self._similarity.of(nearest) > self._cover)

    def _first_bounds(self, positions: Positions, among: Positions) -> Values:
        """Return bounds for some candidates of one cell, and keep how far they reach."""
        left, reach = self._factor(positions), self._reach[self.cells[positions[0]]]
        bounds = np.zeros(len(positions))
        for part in blocks(len(among), len(positions), self._rough.dtype.itemsize):
            some = among[part]
            similarity = self._likeness(self._rough.of(left, some), positions)
            reach[some] = np.maximum(reach[some], similarity.max(axis=0))
            bounds += self._bound(similarity, some)
        return bounds

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""
        gains, cells = self._bonus[positions], self.cells[positions]
        for cell in np.unique(cells):
            mine = np.flatnonzero(cells == cell)
            among = np.flatnonzero(self._reach[cell] > self._cover)  # nothing else can be gained
            gains[mine] += (self._exact_gains if exact else self._bounds_of)(positions[mine], among)
        if not exact:
            return gains
        gains[gains <= self._negligible] = 0.0
        return rounded(gains, _BITS)

    def _exact_gains(self, positions: Positions, among: Positions) -> Values:
        squared = self._exact(self._points.X[positions], among)
        return self._sum(self._likeness(squared, positions), among)

    def _bounds_of(self, positions: Positions, among: Positions) -> Values:
        worth_it = len(positions) * len(among) >= _FEW_PAIRS // 4
        n_threads = self._n_threads if worth_it else 1
        bounds, parts = np.zeros(len(positions)), list(_split(len(positions), n_threads))

        def bound(part: int) -> None:
            mine = positions[parts[part]]
            left = self._factor(mine)
            for block in blocks(len(among), len(mine), self._rough.dtype.itemsize):
                similarity = self._likeness(self._rough.of(left, among[block]), mine)
                bounds[parts[part]] += self._bound(similarity, among[block])

        share_out(bound, len(parts), n_threads)
        return bounds

    def _likeness(self, squared: Block, positions: Positions) -> Block:
        """Make squared distances from some candidates into similarities, in place."""
        if self._sharpness is not None:
            squared *= self._sharpness[positions, np.newaxis].astype(squared.dtype)
        return self._similarity.of(squared)

    def _sum(self, similarity: Block, among: Positions) -> Values:
        """Return what each candidate adds to the cover of some reference rows."""
        cover, weights = self._cover[among], self._weights[among]
        dtype = similarity.dtype
        if not self._untouched:  # else no similarity is below the cover
            similarity = _excess(similarity, cover.astype(dtype))
        total = _product(similarity, weights.astype(dtype)).astype(np.float64)
        return total - cover @ weights if self._untouched else total

    def _bound(self, similarity: Block, among: Positions) -> Values:
        """Return `_sum`, and as much as rounding could have taken from it."""
        unit = float(np.finfo(similarity.dtype).eps)
        covered = self._weights[among] @ np.abs(self._cover[among])
        lost = (100 if self._untouched else 8) * unit * covered
        return self._sum(similarity, among) * (1 + 100 * unit) + lost

    def add(self, position: int) -> None:
        """Choose a candidate."""
        among = np.flatnonzero(self._reach[self.cells[position]] > self._cover)
        mine = slice(position, position + 1)
        sharpness = None if self._sharpness is None else self._sharpness[mine]
        self._cover_by(self._points.X[mine], sharpness, among)
        self._bonus[position] = 0.0

    def exhausted(self) -> bool:
        """Tell whether no candidate can gain anything."""
        left = self._weights @ (self._similarity.most - self._cover)
        return bool(left + self._bonus.max(initial=0.0) <= self._negligible)

    def _prepared(self) -> Matrix:
        """Return the factors of all candidates, those of a cell one after the other."""
        order = np.concatenate(self._cells.members)
        left = np.empty((self.n_rows, self._points.X.shape[1] + 2), self._rough.dtype)
        for block in blocks(*left.shape):
            left[block] = self._rough.prepared(self._points.X[order[block]])
        return left

    def _factor(self, positions: Positions) -> Matrix:
        if self._left is None:
            return self._rough.prepared(self._points.X[positions])
        return self._left[self._cells.places[positions]]

    def _cover_by(
        self, rows: Matrix, sharpness: Values | None, among: Positions | None = None
    ) -> None:
        """Cover reference rows, those among which any may be affected."""
        among = np.arange(self._exact.n_reference) if among is None else among
        for part in blocks(len(among), _TILE):
            some = among[part]
            for block in blocks(rows.shape[0], max(1, len(some))):
                squared = self._exact(rows[block], some)
                if sharpness is not None:
                    squared *= sharpness[block, np.newaxis]
                similarity = self._similarity.of(squared)
                self._cover[some] = np.maximum(self._cover[some], similarity.max(axis=0))
        self._untouched = False

    def _nearness(self) -> Values:
        """Return the similarity of each candidate to the reference row most like it."""
        nearness = np.empty(self.n_rows)
        for block in blocks(self.n_rows, max(self._exact.n_reference, self._points.X.shape[1])):
            distances = self._exact(self._points.X[block])
            nearness[block] = self._similarity.of(distances).max(axis=1)
        return nearness


@dataclass(frozen=True)
class _Cells:
    """Groups of candidates that lie near to each other.

    Attributes
    ----------
    centers : ndarray or sparse matrix of shape (n_cells, n_dims)
        The point around which each cell lies.
    cells : ndarray of shape (n_rows,)
        The cell of each candidate: that of the nearest center.
    distances : ndarray of shape (n_rows,)
        Distance of each candidate to it.
    members : list of n_cells arrays
        The positions of the candidates of each cell, those near to the center first.
    places : ndarray of shape (n_rows,)
        Where each candidate comes, if those of a cell stand together.
    """

    centers: Matrix
    cells: Positions
    distances: Values
    members: list[Positions]
    places: Positions

    @classmethod
    def of(cls, points: Points, rng: RandomState) -> _Cells:
        n_cells = max(1, min(_CELLS, -(-points.n_rows // _CELL_ROWS)))
        some = points.X[np.sort(rng.permutation(points.n_rows)[: _CELL_SAMPLE * n_cells])]
        centers = _lloyd(some, some[draw_centers(some, n_cells, rng)])
        cells, squared = nearest_centers(points, centers)
        order = np.lexsort((squared, cells))
        ends = np.cumsum(np.bincount(cells, minlength=centers.shape[0]))
        places = np.empty_like(order)
        places[order] = np.arange(points.n_rows)
        return cls(centers, cells, np.sqrt(squared), np.split(order, ends[:-1]), places)


def _lloyd(X: Matrix, centers: Matrix) -> Matrix:
    """Move each center to the mean of the rows nearest to it, a few times."""
    points = Points.of(X)
    for _ in range(_LLOYD_STEPS):
        nearest, _squared = nearest_centers(points, centers)
        used, nearest, sizes = np.unique(nearest, return_inverse=True, return_counts=True)
        shape = (len(used), points.n_rows)
        mean = sparse.csr_array((1 / sizes[nearest], (nearest, np.arange(points.n_rows))), shape)
        centers = mean @ points.X
    return centers


def nearest_centers(points: Points, centers: Matrix) -> tuple[Positions, Values]:
    """Return the position of the center nearest to each row, and its squared distance."""
    X = points.X
    kind = np.asarray if isinstance(X, np.ndarray) else sparse.csr_array
    distances = Distances(kind(centers), points.center, scale=1, short=0, dtype=np.float64)
    nearest, least = np.empty(points.n_rows, dtype=np.intp), np.empty(points.n_rows)
    for block in blocks(points.n_rows, centers.shape[0] + X.shape[1]):
        squared = distances(X[block])
        nearest[block], least[block] = squared.argmin(axis=1), squared.min(axis=1)
    return nearest, least


class RadiusCoverage(Coverage):
    """Coverage by similarities of 0 and 1: what is covered is covered once and for all.

    So all bounds are kept up to date by taking off what each pick covers, and each reference row
    is compared with the candidates near it once more at most.
    """

    def __init__(self, *arguments: Any, weights: Values, **options: Any) -> None:
        # Picks are the same for any unit of the weights; sums of ones are free of rounding.
        self._counts = bool(weights.any() and (weights == weights[0]).all())
        weights = np.ones_like(weights) if self._counts else weights
        super().__init__(*arguments, weights=weights, **options)
        self.at_hand = self.rough

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        self._bounds = super().bounds()
        return self._bounds.copy()

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""
        if exact or not self.rough:
            return super().gains(positions, exact=exact)
        return self._bounds[positions]

    def add(self, position: int) -> None:
        """Choose a candidate."""
        before = self._cover.copy()
        super().add(position)
        if self.rough:
            self._take_off(np.flatnonzero(self._cover > before))

    def _take_off(self, covered: Positions) -> None:
        """Lower the bounds of all candidates by reference rows that nothing can gain any more."""
        within = self._reach[:, covered] > 0
        for cell in np.flatnonzero(within.any(axis=1)):
            among, members = covered[within[cell]], self._cells.members[cell]
            n_columns = max(len(among), self._points.X.shape[1])  # of the block, or of its rows
            for block in blocks(len(members), n_columns, self._rough.dtype.itemsize):
                left = self._factor(members[block])
                inside = self._similarity.of(self._rough.surely(left, among))
                self._bounds[members[block]] -= self._least_sum(inside, among)

    def _least_sum(self, inside: Block, among: Positions) -> Values:
        total = _product(inside, self._weights[among].astype(inside.dtype)).astype(np.float64)
        return total if self._counts else total * (1 - 100 * float(np.finfo(inside.dtype).eps))

    def _bound(self, similarity: Block, among: Positions) -> Values:
        if self._counts:
            return self._sum(similarity, among)  # whole numbers, without rounding
        return super()._bound(similarity, among)


def _excess(block: Block, cover: Block) -> Block:
    """What each candidate covers better than it is covered already, in place."""
    if not cover.any():  # nothing is labeled
        return block
    return _at_least_zero(np.subtract(block, cover, out=block))
