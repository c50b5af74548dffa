"""Readings that last from one query of a campaign to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from skactive._utils.array_types import Positions
from skactive._utils.rows import n_rows, take_rows
from skactive.selectors._engine.nearest_centers import NearestCenters

__all__ = ["CampaignCache", "DistancesT", "PoolIndex"]

DistancesT = TypeVar("DistancesT", bound=NearestCenters)


class CampaignCache:
    """Cache of the embedding of all rows of a campaign, and of their distances to labeled rows.

    A campaign asks for the same distances in each round, while row after row moves from the pool to
    the labeled rows. With the cache a round only computes the distances to the newly labeled rows.
    The results equal those of a query without the cache. The distances are dropped when the
    embedding changes.

    Parameters
    ----------
    X : rows in any container
        All rows, labeled or not.
    """

    def __init__(self, X: Any) -> None:
        self.X = X
        self._embedding: Any = None
        self._distances: dict[type[NearestCenters], NearestCenters] = {}
        self._labeled: dict[type[NearestCenters], set[int]] = {}

    def get_embedding(self, compute: Callable[[], Any]) -> Any:
        """Return the embedding of all rows, which never changes; `compute` is called once."""
        if self._embedding is None:
            self._embedding = compute()
        return self._embedding

    def assemble_embedding(self, parts: list[tuple[Positions, Any]]) -> Any:
        """Assemble the embedding of all rows from its parts: positions and their embedding.

        If nothing has changed, the same object is returned and the distances are kept.
        """
        if self._embedding is None or not all(
            _are_equal(take_rows(self._embedding, rows), part) for rows, part in parts
        ):
            rows = np.concatenate([rows for rows, _ in parts])
            # argsort inverts the permutation `rows`, back to the order of the campaign
            self._embedding = take_rows(_concatenate([part for _, part in parts]), np.argsort(rows))
            self._distances.clear()
        return self._embedding

    def get_distances(self, kind: type[DistancesT], pool_index: PoolIndex, X: Any) -> DistancesT:
        """Return the distances of the rows `X` at `pool_index` to the nearest labeled row.

        One of the two methods for the embedding must have been called before.
        """
        labeled = set(pool_index.labeled.tolist())
        # Starts again if labels were taken back: centers can only be added.
        if kind not in self._distances or not self._labeled[kind] <= labeled:
            self._distances[kind], self._labeled[kind] = kind(self._embedding), set()
        distances = self._distances[kind]
        distances.add_all(sorted(labeled - self._labeled[kind]))
        self._labeled[kind] = labeled
        return distances.take(pool_index.rows, X)  # type: ignore[return-value]  # of its key's kind


@dataclass(frozen=True, eq=False)
class PoolIndex:
    """Positions of the rows of a query among all rows of a campaign.

    Parameters
    ----------
    cache : CampaignCache
        The campaign's cache, which holds all rows.
    rows : ndarray of int
        Positions of the rows that a view shows.
    labeled : ndarray of int
        Positions of the labeled rows, in their order.
    """

    cache: CampaignCache
    rows: Positions
    labeled: Positions

    def take(self, positions: Positions | slice) -> PoolIndex:
        """Return the index of some of the rows."""
        return replace(self, rows=self.rows[positions])

    def take_labeled(self) -> PoolIndex:
        """Return the index of the labeled rows."""
        return replace(self, rows=self.labeled)

    def is_complete(self) -> bool:
        """Return whether each row of the campaign is either shown or labeled."""
        return len(self.rows) + len(self.labeled) == n_rows(self.cache.X)


def _are_equal(first: Any, second: Any) -> bool:
    if first.shape != second.shape or sparse.issparse(first) != sparse.issparse(second):
        return False
    if sparse.issparse(first):
        return (first != second).nnz == 0
    return np.array_equal(first, second)


def _concatenate(parts: list[Any]) -> Any:
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)
