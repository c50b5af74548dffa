"""Rows of a pool that several strategies need: a random sample, the remaining, the labeled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import PointSet

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["distances_to_labeled", "draw_rows", "labeled_embedding", "remaining_rows"]


def draw_rows(pool: PoolView, n_rows: int) -> Positions:
    """Draw rows of a pool uniformly, at most all of them, sorted by position."""
    return np.sort(pool.random_state.permutation(len(pool))[:n_rows])


def remaining_rows(n_rows: int, chosen: Positions) -> Positions:
    """Return the positions that are not chosen, sorted, in linear time."""
    remaining = np.ones(n_rows, dtype=bool)
    remaining[chosen] = False
    return np.flatnonzero(remaining)


def labeled_embedding(pool: PoolView) -> Any:
    """Return the embedding of the labeled rows, or None without labeled rows."""
    return None if pool.labeled is None else pool.labeled.embedding


def distances_to_labeled(pool: PoolView) -> Floats:
    """Return the distance of each row to its nearest labeled row, in the embedding, (n_rows,).

    Without labeled rows, it is minus the distance to the mean: farthest-first starts there.
    """
    if pool.labeled is None:
        return -np.sqrt(PointSet(pool.embedding).squared_distances_to_mean())
    return np.sqrt(pool.labeled_distances().refresh(np.arange(len(pool))))
