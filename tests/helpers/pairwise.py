"""All-pairs parametrization: any two values of two axes meet in a test, without the whole grid.

Most faults depend on one condition, or on two that meet. A grid of five axes tries the same pairs
dozens of times.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import combinations, product
from typing import Any

import pytest


def parametrize_pairs(**axes: Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrize a test such that every pair of values of two axes occurs.

    Parameters
    ----------
    **axes : iterable
        The values of each argument of the test.
    """
    values = [list(axis) for axis in axes.values()]
    rows = [[values[i][j] for i, j in enumerate(row)] for row in cover_pairs([*map(len, values)])]
    return pytest.mark.parametrize(list(axes), rows)


def cover_pairs(sizes: list[int]) -> list[tuple[int, ...]]:
    """Return rows of indices below `sizes` that contain every pair of indices of two columns.

    Greedy: each row is the one of the grid that contains most of the pairs that are missing.
    """
    columns = list(combinations(range(len(sizes)), 2)) or [(0, 0)]
    pairs_of = {
        row: {(a, b, row[a], row[b]) for a, b in columns} for row in product(*map(range, sizes))
    }
    missing = set().union(*pairs_of.values())
    # Counts of missing pairs only fall, so a count from before is an upper bound.
    queue = [(-len(columns), row) for row in pairs_of]
    rows = []
    while missing:
        bound, row = heappop(queue)
        count = len(pairs_of[row] & missing)
        if count < -bound:
            heappush(queue, (-count, row))
            continue
        rows.append(row)
        missing -= pairs_of[row]
    return rows
