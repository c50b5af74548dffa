"""Objectives of coverage: gains of choosing a row, and upper bounds on them.

Bounds and gains are matrix products, a block at a time, so that no array holds n x n values. The
first bounds come from one pass in single precision, in which distances are shrunk by the possible
rounding error; gains that decide are in double precision, and leave out reference rows that no
candidate nearby can cover better.

Many candidates are grouped into cells. By the triangle inequality, a cell too far from a reference
row to improve its cover is never compared with it; with a top-hat kernel those are most pairs. Few
candidates are one cell, and are compared with all reference rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.cells import Cells
from skactive.selectors._engine.points import DUPLICATE, Matrix, canonical, round_to_bits
from skactive.selectors._engine.sharpness import Bandwidths, Sharpness
from skactive.selectors._engine.similarity import (
    Candidates,
    Distances,
    Factor,
    PairValues,
    Similarity,
    as_slice,
    block_slices,
    choose_precision,
    clip_at_zero,
    multiply,
)
from skactive.selectors._engine.threads import MIN_THREADED_PAIRS, run_parts, split_evenly

__all__ = ["Coverage", "Own"]

_TILE_ROWS = 2048  # reference rows that candidates are compared with at a time
_MAX_FACTOR_BYTES = 2**25  # of the left factor of all candidates, which is kept up to this size
# Gains are rounded to this many bits, and count as 0 below this share of the greatest coverage, so
# that rows that tie in exact arithmetic tie here.
_GAIN_BITS = 36
_MIN_GAIN = 1e-12


class Own(NamedTuple):
    """Coverage of candidates by themselves, if reference rows are a sample of them.

    A row of the sample stands for others, too. Its weight says how many, but that it covers itself
    says nothing about these.

    Attributes
    ----------
    places : ndarray of shape (n_rows,)
        Place of each candidate among the reference rows; any place if it is not one of them.
    excess : ndarray of shape (n_rows,)
        How much its weight there exceeds its own weight; 0 if it is not a reference row.
    """

    places: Positions
    excess: Floats


class Coverage:
    """Weighted coverage of reference rows, kept up to date while rows are chosen.

    Parameters
    ----------
    candidates : Candidates
        The candidates.
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows: those to cover.
    similarity : Similarity
        How well a row covers another.
    weights : ndarray of shape (n_reference,)
        Weight of each reference row.
    rng : RandomState
        Draws the rows around which candidates are grouped into cells.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Rows that cover from the start.
    bonus : float, default=0.0
        What a candidate adds by itself, as a multiple of its greatest similarity to any reference
        row.
    symmetric : bool, default=False
        Whether the reference rows are the candidates, and similarity is the same both ways.
    bandwidths : Bandwidths, default=None
        Divisors of the distances from each candidate; None leaves these as they are. They are
        asked for bounds of the candidates that are looked at, and for the bandwidths of those whose
        gains decide.
    labeled_sharpness : ndarray of shape (n_labeled,), default=None
        Factors of the squared distances from each labeled row.
    own : Own, default=None
        The weights at which candidates count for too much in their own coverage.
    n_threads : int, default=1
        Number of threads among which the cells are shared out for the first bounds.

    Attributes
    ----------
    cheap_bounds : bool
        Whether bounds are cheaper than gains.
    cells : ndarray of shape (n_rows,)
        The cell of each candidate.
    """

    has_all_bounds = False

    def __init__(
        self,
        candidates: Candidates,
        rows: Matrix,
        similarity: Similarity,
        *,
        weights: Floats,
        rng: RandomState,
        labeled: Matrix | None = None,
        bonus: float = 0.0,
        symmetric: bool = False,
        bandwidths: Bandwidths | None = None,
        labeled_sharpness: Floats | None = None,
        own: Own | None = None,
        n_threads: int = 1,
    ) -> None:
        self._symmetric, self._n_threads = symmetric, n_threads
        self.n_rows, self._candidates, self._own = candidates.n_rows, candidates, own
        self._sharpness = None if bandwidths is None else Sharpness(bandwidths, self.n_rows)
        self._similarity, self._weights = similarity, weights
        self._set_distances(rows)
        self._set_cover(labeled, labeled_sharpness)
        self._bonus = bonus * self._max_similarity() if bonus else np.zeros(self.n_rows)
        self._cells = Cells.build(candidates, rows.shape[0], rng)
        self.cells, self._n_cells = self._cells.cells, len(self._cells.members)
        self.can_bound_some = self._n_cells == 1  # several store how far their candidates reach
        # Upper bound on the similarity of any candidate of a cell to each reference row, of shape
        # (n_cells, n_reference); not computed, and so at the minimum, for rows covered better.
        self._reach = np.full((self._n_cells, rows.shape[0]), self._minimum)
        self._all_reference = np.arange(rows.shape[0])
        n_bytes = self.n_rows * (candidates.width + 2) * self._rough_distances.dtype.itemsize
        keep = self.cheap_bounds and n_bytes <= _MAX_FACTOR_BYTES
        self._factors = self._make_factors() if keep else None

    def _set_distances(self, rows: Matrix) -> None:
        """Set the distances to reference rows for gains, and for bounds."""
        candidates, scale = self._candidates, self._similarity.scale
        # Shrunk so that duplicates, and rows on the rim of a ball, are on the inner side.
        self._exact_distances = Distances(
            rows, candidates, scale=scale, shrinkage=DUPLICATE, dtype=np.float64
        )
        self._largest = max(candidates.largest, self._exact_distances.largest)
        dtype, shrinkage = choose_precision(candidates, self._largest, scale)
        self.cheap_bounds = dtype is not np.float64
        self._rough_distances = (
            self._exact_distances.with_precision(shrinkage, dtype)
            if self.cheap_bounds
            else self._exact_distances
        )

    def _set_cover(self, labeled: Matrix | None, labeled_sharpness: Floats | None) -> None:
        """Set the similarity of each reference row to the labeled row most similar to it."""
        maximum, minimum = self._similarity.maximum, self._similarity.minimum
        # No two rows are farther apart than twice the largest norm.
        self._minimum = minimum if minimum is not None else -2 * math.sqrt(self._largest)
        self._cover = np.full(self._exact_distances.n_reference, self._minimum)
        self._nothing_covered = True
        self._negligible = _MIN_GAIN * float(self._weights.sum()) * (maximum - self._minimum)
        if labeled is not None and labeled.shape[0]:
            self._cover_by(canonical(labeled), labeled_sharpness)

    # -- first bounds ----------------------------------------------------------------------------

    def bounds(self, positions: Positions | None = None) -> Floats:
        """Return upper bounds of the first gains of candidates; None stands for all of them.

        Some of them may be asked for if `can_bound_some`.
        """
        if positions is None:
            return self._sum_bounds() - self._excess_of_own(slice(None))
        bounds = self._bonus[positions]
        for block in block_slices(len(positions), _TILE_ROWS, self._itemsize):
            bounds[block] += self._first_bounds(positions[block], self._all_reference)
        return bounds - self._excess_of_own(positions)

    def bound_all(self) -> float:
        """Return a number that no gain exceeds."""
        remaining = self._weights @ (self._similarity.maximum - self._cover)
        return float(remaining + self._bonus.max(initial=0.0)) * (1 + _MIN_GAIN)

    def _sum_bounds(self) -> Floats:
        """Return `bounds`, if no candidate counts for too much in its own coverage."""
        bounds = self._bonus.copy()

        def bound(cell: int) -> None:
            members = self._cells.members[cell]
            to_center = np.sqrt(self._exact_distances(self._cells.centers[cell : cell + 1])[0])
            for block in block_slices(len(members), _TILE_ROWS, self._itemsize):
                reference = self._find_reachable(members[block], to_center)
                bounds[members[block]] += self._first_bounds(members[block], reference)

        # Without a cover there is nothing that the triangle inequality could leave out.
        symmetric = self._symmetric and self._nothing_covered
        work = self._symmetric_bounds(bounds) if symmetric else bound
        run_parts(work, self._n_cells, self._n_threads)
        self._reach += 100 * np.finfo(self._rough_distances.dtype).eps * np.abs(self._reach)
        return bounds

    @property
    def _itemsize(self) -> int:
        return self._rough_distances.dtype.itemsize

    def _symmetric_bounds(self, bounds: Floats) -> Callable[[int], None]:
        """Return a function that adds to `bounds` the similarities of a cell.

        Each similarity is computed once, and added for both of its rows.
        """
        lock, all_members = Lock(), self._cells.members

        def bound(cell: int) -> None:
            later = np.concatenate([np.empty(0, dtype=np.intp), *all_members[cell + 1 :]])
            for block in block_slices(len(all_members[cell]), _TILE_ROWS, self._itemsize):
                members = all_members[cell][block]
                mutual = self._mutual_bounds(members, later)
                within = self._first_bounds(members, all_members[cell])
                with lock:  # other cells add to the bounds of these rows, too
                    bounds[members] += within
                    for positions, part in mutual:
                        bounds[positions] += part

        return bound

    def _mutual_bounds(
        self, members: Positions, later: Positions
    ) -> list[tuple[Positions, Floats]]:
        """Return bounds of members of a cell by rows of later cells, and the other way round."""
        factor, reach = self._get_factor(members), self._reach[self.cells[members[0]]]
        bounds = []
        for block in block_slices(len(later), len(members), self._itemsize):
            others, cells = later[block], self.cells[later[block]]
            # (n_members, n_others)
            similarity = self._similarity.apply(self._rough_distances.from_factor(factor, others))
            reach[others] = np.maximum(reach[others], similarity.max(axis=0))
            starts = np.flatnonzero(np.diff(cells, prepend=-1))  # others are ordered by cell
            highest = np.maximum.reduceat(similarity, starts, axis=1).T  # (n_cells, n_members)
            pairs = np.ix_(cells[starts], members)
            self._reach[pairs] = np.maximum(self._reach[pairs], highest)
            bounds += [
                (members, self._bound_gains(similarity, others)),
                (others, self._bound_gains(similarity.T, members)),
            ]
        return bounds

    def _find_reachable(self, positions: Positions, to_center: Floats) -> Positions:
        """Return the reference rows that candidates of a cell may cover better.

        By the triangle inequality, from the distances of both to the center of the cell.
        """
        if self._n_cells == 1:
            return self._all_reference
        radii = self._cells.distances[positions] / math.sqrt(self._similarity.scale)
        # |d(z, c) - d(x, c)| <= d(x, z)
        lowest = np.maximum(to_center - radii.max(), radii.min() - to_center)
        # Rounding, and the shrinkage, of the three distances.
        lowest -= math.sqrt(8 * DUPLICATE * self._largest / self._similarity.scale)
        squared = np.square(np.maximum(lowest, 0.0))
        if self._sharpness is not None:
            squared *= self._sharpness.bound(positions).min()
        return np.flatnonzero(self._similarity.apply(squared) > self._cover)

    def _first_bounds(self, positions: Positions, reference: Positions) -> Floats:
        """Return bounds for candidates of one cell, and store how far they reach."""
        factor, reach = self._get_factor(positions), self._reach[self.cells[positions[0]]]
        bounds = np.zeros(len(positions))
        for block in block_slices(len(reference), len(positions), self._itemsize):
            part = reference[block]
            squared = self._rough_distances.from_factor(factor, part)
            similarity = self._to_similarity(squared, positions)  # (n_positions, n_part)
            reach[part] = np.maximum(reach[part], similarity.max(axis=0))
            bounds += self._bound_gains(similarity, part)
        return bounds

    # -- gains -----------------------------------------------------------------------------------

    def gains(self, positions: Positions, *, exact: bool) -> Floats:
        """Return the gains of candidates, or upper bounds that are cheaper to compute."""
        gains, cells = self._bonus[positions], self.cells[positions]
        compute = self._exact_gains if exact else self._rough_gains
        for cell in np.unique(cells):
            members = np.flatnonzero(cells == cell)
            reference = self._find_improvable(cell)  # no gain from the others
            gains[members] += compute(positions[members], reference)
        gains -= self._excess_of_own(positions)
        if not exact:
            return gains
        gains[gains <= self._negligible] = 0.0
        return round_to_bits(gains, _GAIN_BITS)

    def first_gains(self) -> Floats:
        """Return the gains of all candidates while none is chosen, shape (n_rows,)."""
        self._sum_bounds()  # sets how far the candidates of each cell reach
        gains, n_columns = np.empty(self.n_rows), self._exact_distances.n_reference

        def compute(cell: int) -> None:
            members = self._cells.members[cell]
            for block in block_slices(len(members), max(n_columns, self._candidates.width)):
                gains[members[block]] = self.gains(members[block], exact=True)

        run_parts(compute, self._n_cells, self._n_threads)
        return gains

    def _find_improvable(self, cell: int) -> Positions:
        """Return the reference rows that a candidate of a cell may cover better."""
        if self._n_cells == 1:  # most of them, so that copying these would take longer
            return self._all_reference
        return np.flatnonzero(self._reach[cell] > self._cover)

    def _excess_of_own(self, positions: Positions | slice) -> Floats | float:
        """Return by how much the gains of candidates are too large for their own coverage."""
        if self._own is None:
            return 0.0
        covered = self._cover[self._own.places[positions]]
        return self._own.excess[positions] * (self._similarity.maximum - covered)

    def _exact_gains(self, positions: Positions, reference: Positions) -> Floats:
        if self._sharpness is not None:
            self._sharpness.solve(positions)
        squared = self._exact_distances(self._candidates.X[positions], reference)
        return self._sum_gains(self._to_similarity(squared, positions), reference)

    def _rough_gains(self, positions: Positions, reference: Positions) -> Floats:
        enough = len(positions) * len(reference) >= MIN_THREADED_PAIRS // 4
        n_threads = self._n_threads if enough else 1
        bounds, parts = np.zeros(len(positions)), list(split_evenly(len(positions), n_threads))

        def bound(part: int) -> None:
            rows = positions[parts[part]]
            factor = self._get_factor(rows)
            for block in block_slices(len(reference), len(rows), self._itemsize):
                squared = self._rough_distances.from_factor(factor, reference[block])
                similarity = self._to_similarity(squared, rows)
                bounds[parts[part]] += self._bound_gains(similarity, reference[block])

        run_parts(bound, len(parts), n_threads)
        return bounds

    def _to_similarity(self, squared: PairValues, positions: Positions) -> PairValues:
        """Turn squared distances of candidates into similarities, in place."""
        if self._sharpness is not None:
            # Bounds may be lowered to what single precision can represent.
            sharpness = np.minimum(self._sharpness.bound(positions), np.finfo(squared.dtype).max)
            squared *= sharpness[:, np.newaxis].astype(squared.dtype)
        return self._similarity.apply(squared)

    def _sum_gains(self, similarity: PairValues, reference: Positions) -> Floats:
        """Return the weighted increase of the cover of reference rows by each candidate.

        ``similarity`` has the shape (n_candidates, n_reference), and is overwritten.
        """
        cover, weights = self._cover[reference], self._weights[reference]
        dtype = similarity.dtype
        if not self._nothing_covered:  # else no similarity is below the cover
            similarity = _excess(similarity, cover.astype(dtype))
        total = multiply(similarity, weights.astype(dtype)).astype(np.float64)
        return total - cover @ weights if self._nothing_covered else total

    def _bound_gains(self, similarity: PairValues, reference: Positions) -> Floats:
        """Return `_sum_gains` plus the largest possible rounding error."""
        unit = float(np.finfo(similarity.dtype).eps)
        covered = self._weights[reference] @ np.abs(self._cover[reference])
        lost = (100 if self._nothing_covered else 8) * unit * covered
        return self._sum_gains(similarity, reference) * (1 + 100 * unit) + lost

    # -- choosing --------------------------------------------------------------------------------

    def add(self, position: int) -> None:
        """Choose a candidate."""
        reference = self._find_improvable(self.cells[position])
        row = np.array([position])
        sharpness = None if self._sharpness is None else self._sharpness.solve(row)
        self._cover_by(self._candidates.X[row], sharpness, reference)
        self._bonus[position] = 0.0

    def is_exhausted(self) -> bool:
        """Return whether no candidate can gain anything."""
        return self.bound_all() <= self._negligible

    def _make_factors(self) -> Factor:
        """Return the left factors of all candidates, ordered by cell."""
        order, width = np.concatenate(self._cells.members), self._candidates.width + 2
        make = self._rough_distances.make_factor
        parts = [make(self._candidates.X[order[b]]) for b in block_slices(self.n_rows, width)]
        dense = np.concatenate([part.dense for part in parts])
        rest = None if parts[0].rest is None else sparse.vstack([p.rest for p in parts], "csr")
        return Factor(dense, rest)

    def _get_factor(self, positions: Positions) -> Factor:
        if self._factors is None:
            return self._rough_distances.make_factor(self._candidates.X[positions])
        return self._factors.take(as_slice(self._cells.ranks[positions]))

    def _cover_by(
        self, rows: Matrix, sharpness: Floats | None, reference: Positions | None = None
    ) -> None:
        """Cover those reference rows that may be affected; None stands for all."""
        reference = np.arange(self._exact_distances.n_reference) if reference is None else reference
        for tile in block_slices(len(reference), self._candidates.width):
            part = reference[tile]
            for block in block_slices(rows.shape[0], max(1, len(part))):
                squared = self._exact_distances(rows[block], part)
                if sharpness is not None:
                    squared *= sharpness[block, np.newaxis]
                similarity = self._similarity.apply(squared)
                self._cover[part] = np.maximum(self._cover[part], similarity.max(axis=0))
        self._nothing_covered = False

    def _max_similarity(self) -> Floats:
        """Return the similarity of each candidate to the reference row most similar to it."""
        n_columns = max(self._exact_distances.n_reference, self._candidates.width)
        maxima = np.empty(self.n_rows)
        for block in block_slices(self.n_rows, n_columns):
            squared = self._exact_distances(self._candidates.X[block])
            maxima[block] = self._similarity.apply(squared).max(axis=1)
        return maxima


def _excess(similarity: PairValues, cover: PairValues) -> PairValues:
    """Return how much better each candidate covers reference rows than they are, in place."""
    if not cover.any():  # nothing is labeled
        return similarity
    return clip_at_zero(np.subtract(similarity, cover, out=similarity))
