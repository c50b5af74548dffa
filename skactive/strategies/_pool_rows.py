"""Rows of a pool that several strategies need: a random sample, the remaining, the labeled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skactive._utils.array_types import Positions

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["draw_rows", "labeled_embedding", "remaining_rows"]


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
