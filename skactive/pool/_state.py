"""What lasts from one query to the next, where they are about the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.rows import n_rows, take_rows
from skactive.selectors._engine.nearest_centers import NearestCenters

__all__ = ["CampaignCache", "PoolIndex"]

Positions = NDArray[np.intp]
Distances = TypeVar("Distances", bound=NearestCenters)


class CampaignCache:
    """The embedding of all rows of a campaign, and their distances to the labeled ones.

    A pool that shrinks, row by row, into the labeled set asks for the same distances again in
    each round. Here they are kept: a round costs the distances to the rows that are newly
    labeled. What it answers is what a query by itself would have computed. The distances are
    forgotten when the embedding changes.

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

    def embedding(self, make: Callable[[], Any]) -> Any:
        """Return the embedding of all rows, where it cannot change; `make` is called once."""
        if self._embedding is None:
            self._embedding = make()
        return self._embedding

    def assemble(self, parts: list[tuple[Positions, Any]]) -> Any:
        """Return the embedding of all rows from that of some and of the others.

        Where it is what it was, the object is the same too.
        """
        if self._embedding is None or not all(
            _equal(take_rows(self._embedding, rows), part) for rows, part in parts
        ):
            rows = np.concatenate([rows for rows, _ in parts])
            self._embedding = take_rows(_stacked([part for _, part in parts]), np.argsort(rows))
            self._distances.clear()
        return self._embedding

    def distances(self, kind: type[Distances], place: PoolIndex, X: Any) -> Distances:
        """Return the distances of rows `X`, at a place, to the nearest labeled row.

        The embedding must have been asked for before, by either way.
        """
        known = set(place.labeled.tolist())
        if kind not in self._distances or not self._labeled[kind] <= known:
            self._distances[kind], self._labeled[kind] = kind(self._embedding), set()
        kept = self._distances[kind]
        kept.add_all(sorted(known - self._labeled[kind]))
        self._labeled[kind] = known
        return kept.take(place.rows, X)  # type: ignore[return-value]  # of the kind of its key


@dataclass(frozen=True, eq=False)
class PoolIndex:
    """Where the rows of a query are among the rows of a state.

    Parameters
    ----------
    state : CampaignCache
        Of all rows.
    rows : ndarray of int
        Positions of the rows that a view shows.
    labeled : ndarray of int
        Positions of the labeled rows, in their order.
    """

    state: CampaignCache
    rows: Positions
    labeled: Positions

    def take(self, positions: Positions | slice) -> PoolIndex:
        """Return the place of some of the rows."""
        return replace(self, rows=self.rows[positions])

    def of_labeled(self) -> PoolIndex:
        """Return the place of the labeled rows."""
        return replace(self, rows=self.labeled)

    def is_all(self) -> bool:
        """Tell whether each row is either shown or labeled."""
        return len(self.rows) + len(self.labeled) == n_rows(self.state.X)


def _equal(one: Any, other: Any) -> bool:
    if one.shape != other.shape or sparse.issparse(one) != sparse.issparse(other):
        return False
    if sparse.issparse(one):
        return (one != other).nnz == 0
    return np.array_equal(one, other)


def _stacked(parts: list[Any]) -> Any:
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)
