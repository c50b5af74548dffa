"""Mean ranks of strategies with Nemenyi's critical difference."""

from __future__ import annotations

from typing import NamedTuple

from skactive._utils.array_types import Floats
from skactive.comparison._statistics import friedman, nemenyi_critical_difference

__all__ = ["CriticalDifference", "compare_ranks", "sort_ranks"]


class CriticalDifference(NamedTuple):
    """Data of a critical-difference diagram.

    Attributes
    ----------
    ranks : dict of str to float
        Mean rank of each strategy, the best (lowest) first.
    difference : float
        Mean ranks that differ by less are not significantly different.
    groups : list of tuple of str
        The largest groups of two strategies or more that are not significantly different.
    p_value : float
        Of Friedman's test: above `alpha` no two strategies are significantly different.
    alpha : float
        Significance level.
    n_blocks : int
        Number of repeats or datasets that were ranked.
    """

    ranks: dict[str, float]
    difference: float
    groups: list[tuple[str, ...]]
    p_value: float
    alpha: float
    n_blocks: int


def compare_ranks(names: tuple[str, ...], areas: Floats, alpha: float) -> CriticalDifference:
    """Rank strategies by their areas of shape (n_blocks, n_strategies), and group them."""
    result = friedman(areas)
    ranks = sort_ranks(names, result.average_ranks)
    difference = nemenyi_critical_difference(len(ranks), result.n_blocks, alpha)
    groups = _find_groups(ranks, difference)
    return CriticalDifference(ranks, difference, groups, result.p_value, alpha, result.n_blocks)


def sort_ranks(names: tuple[str, ...], ranks: Floats) -> dict[str, float]:
    """Return mean ranks by name, the best first."""
    return dict(sorted(zip(names, ranks.tolist(), strict=True), key=lambda pair: pair[1]))


def _find_groups(ranks: dict[str, float], difference: float) -> list[tuple[str, ...]]:
    """Return the largest groups of neighbors, in order of rank, that lie within a difference."""
    names, values = list(ranks), list(ranks.values())
    groups: list[tuple[str, ...]] = []
    end = 0
    for start, value in enumerate(values):
        stop = start + sum(other - value < difference for other in values[start:])
        if stop > max(end, start + 1):  # else it lies within the group before it
            groups.append(tuple(names[start:stop]))
            end = stop
    return groups
