"""Cells: groups of candidates that are near to each other, around centers learned by k-means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.nearest_centers import draw_centers
from skactive.selectors._engine.points import Matrix
from skactive.selectors._engine.similarity import Candidates, Distances, block_slices

__all__ = ["Cells", "assign_to_centers"]

# At most this many cells, of this many rows on average or more.
_MAX_CELLS, _ROWS_PER_CELL = 48, 64
_SAMPLE_PER_CELL, _LLOYD_STEPS = 20, 3  # how the center of a cell is learned
# So many pairs of rows are compared in less time than it takes to tell which of them to leave out.
_MIN_PAIRS = 10**7


@dataclass(frozen=True)
class Cells:
    """Groups of candidates that are near to each other.

    Attributes
    ----------
    centers : ndarray or sparse matrix of shape (n_cells, n_dims)
        The center of each cell.
    cells : ndarray of shape (n_rows,)
        The cell of each candidate: that of the nearest center.
    distances : ndarray of shape (n_rows,)
        Distance of each candidate to the center of its cell.
    members : list of n_cells arrays
        The positions of the candidates of each cell, those near to the center first.
    ranks : ndarray of shape (n_rows,)
        Rank of each candidate in the order of `members`, one cell after the other.
    """

    centers: Matrix
    cells: Positions
    distances: Floats
    members: list[Positions]
    ranks: Positions

    @classmethod
    def build(cls, candidates: Candidates, n_reference: int, rng: RandomState) -> Cells:
        """Group candidates around centers learned from a sample; few of them are one group."""
        n_cells = max(1, min(_MAX_CELLS, -(-candidates.n_rows // _ROWS_PER_CELL)))
        if n_cells == 1 or candidates.n_rows * n_reference < _MIN_PAIRS:
            return cls._group_all(candidates)
        n_sample = _SAMPLE_PER_CELL * n_cells
        sample = candidates.X[np.sort(rng.permutation(candidates.n_rows)[:n_sample])]
        centers = _run_lloyd(sample, sample[draw_centers(sample, n_cells, rng)])
        cells, squared = assign_to_centers(candidates, centers)
        order = np.lexsort((squared, cells))
        ends = np.cumsum(np.bincount(cells, minlength=centers.shape[0]))
        ranks = np.empty_like(order)
        ranks[order] = np.arange(candidates.n_rows)
        return cls(centers, cells, np.sqrt(squared), np.split(order, ends[:-1]), ranks)

    @classmethod
    def _group_all(cls, candidates: Candidates) -> Cells:
        """Return one group, around any of the rows, that reaches everywhere."""
        rows = np.arange(candidates.n_rows)
        reach = np.full(candidates.n_rows, np.inf)
        return cls(candidates.X[:1], np.zeros_like(rows), reach, [rows], rows)


def _run_lloyd(X: Matrix, centers: Matrix) -> Matrix:
    """Move each center to the mean of the rows nearest to it, a few times."""
    candidates = Candidates.from_rows(X)
    for _ in range(_LLOYD_STEPS):
        nearest, _squared = assign_to_centers(candidates, centers)
        used, nearest, sizes = np.unique(nearest, return_inverse=True, return_counts=True)
        shape = (len(used), candidates.n_rows)
        rows = np.arange(candidates.n_rows)
        mean = sparse.csr_array((1 / sizes[nearest], (nearest, rows)), shape)
        centers = mean @ candidates.X
    return centers


def assign_to_centers(candidates: Candidates, centers: Matrix) -> tuple[Positions, Floats]:
    """Return the index of the center nearest to each row, and its squared distance."""
    X = candidates.X
    kind = np.asarray if isinstance(X, np.ndarray) else sparse.csr_array
    distances = Distances(kind(centers), candidates, scale=1, shrinkage=0, dtype=np.float64)
    nearest, least = np.empty(candidates.n_rows, dtype=np.intp), np.empty(candidates.n_rows)
    for block in block_slices(candidates.n_rows, centers.shape[0] + candidates.width):
        squared = distances(X[block])
        nearest[block], least[block] = squared.argmin(axis=1), squared.min(axis=1)
    return nearest, least
