"""Bisection of orders of the rows: where along each of them the label changes."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._top import Positions, fill_at_random, top

__all__ = ["galaxy"]


def galaxy(
    scores: NDArray[Any],
    predicted: NDArray[np.intp],
    batch_size: int,
    *,
    labeled_scores: NDArray[Any],
    labels: NDArray[np.intp],
    random_state: Seed = None,
) -> Positions:
    r"""Select rows half-way between labeled rows of different classes, nearest pairs first.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        How much each row looks like each class: the rows are ordered by each column.
    predicted : ndarray of shape (n_rows,)
        The column of the class that is expected of each row, which stands for its label once it
        is selected.
    batch_size : int
        Number of rows to select.
    labeled_scores : ndarray of shape (n_labeled, n_classes)
        The same scores of the labeled rows.
    labels : ndarray of shape (n_labeled,)
        The columns of their classes.
    random_state : int, RandomState or None, default=None
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    In the order of column :math:`k`, labeled rows are of class :math:`k` or not. Of all pairs of
    labeled rows that differ in this, in any order, with no labeled row between them, the pair
    with the fewest rows between it (but at least one) is taken; the row in the middle is selected.
    Where no such pair is left, the rows nearest to a pair of neighbors that differ come next.

    References
    ----------
    Zhang, Katz-Samuels and Nowak (2022), :doi:`10.48550/arXiv.2202.01402`, on the bisection of
    Dasarathy, Nowak and Zhu (2015), :doi:`10.48550/arXiv.1506.08760`.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([[0.1], [0.2], [0.3], [0.4], [0.5]])
    >>> ends, labels = np.array([[0.0], [0.6]]), np.array([1, 0])  # the upper one is of class 0
    >>> galaxy(scores, np.zeros(5, int), 1, labeled_scores=ends, labels=labels)
    array([2])
    """
    rng = make_random_state(random_state)
    n_rows, n_columns = scores.shape
    batch_size = min(batch_size, n_rows)
    everything = np.concatenate([scores, labeled_scores])
    known = np.arange(n_rows, len(everything))
    orders = [_Order(everything[:, k], known, labels == k, rng) for k in range(n_columns)]
    picks = _halves(orders, predicted, batch_size, rng)
    if len(picks) < batch_size:
        picks += _around_cuts(orders, picks, batch_size - len(picks), n_rows, rng)
    return fill_at_random(picks, batch_size, n_rows, rng)


class _Order:
    """Rows in an order, those whose label is known marked, and the gaps where the label changes.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Sorts the rows; ties are in random order.
    known : ndarray of int
        Rows whose labels are known.
    positive : ndarray of bool
        What these labels are.
    rng : RandomState
        Orders ties.
    """

    def __init__(
        self,
        scores: NDArray[Any],
        known: Positions,
        positive: NDArray[np.bool_],
        rng: RandomState,
    ) -> None:
        shuffled = rng.permutation(len(scores))
        self.rows = shuffled[np.argsort(scores[shuffled], kind="stable")]
        self.places = np.empty_like(self.rows)
        self.places[self.rows] = np.arange(len(scores))
        self._is_positive = dict(zip(self.places[known].tolist(), positive.tolist(), strict=True))
        self.marks = sorted(self._is_positive)

    def gaps(self) -> list[tuple[int, int]]:
        """Return the pairs of marked places, nothing marked between them, that differ."""
        return [pair for pair in pairwise(self.marks) if self._differ(*pair)]

    def _differ(self, one: int, other: int) -> bool:
        return self._is_positive[one] != self._is_positive[other]

    def is_open(self, start: int, stop: int) -> bool:
        """Tell whether there is still nothing marked between two marked places."""
        return self.marks[bisect_left(self.marks, start) + 1] == stop

    def mark(self, row: int, positive: bool) -> list[tuple[int, int]]:
        """Mark a row, and return the gaps that it makes."""
        place = int(self.places[row])
        insort(self.marks, place)
        self._is_positive[place] = positive
        at = bisect_left(self.marks, place)
        around = self.marks[max(0, at - 1) : at + 2]
        return [pair for pair in pairwise(around) if self._differ(*pair)]


def _halves(
    orders: list[_Order],
    predicted: NDArray[np.intp],
    n_picks: int,
    rng: RandomState,
) -> list[int]:
    """Pick the middles of the shortest gaps, while there are any."""
    heap: list[tuple[int, float, int, int, int]] = []

    def push(k: int, gaps: list[tuple[int, int]]) -> None:
        for start, stop in gaps:
            if stop - start > 1:
                heapq.heappush(heap, (stop - start, rng.random_sample(), k, start, stop))

    for k, order in enumerate(orders):
        push(k, order.gaps())
    picks: list[int] = []
    while heap and len(picks) < n_picks:
        _, _, k, start, stop = heapq.heappop(heap)
        if not orders[k].is_open(start, stop):
            continue
        row = int(orders[k].rows[(start + stop) // 2])
        picks.append(row)
        for other, order in enumerate(orders):
            push(other, order.mark(row, bool(predicted[row] == other)))
    return picks


def _around_cuts(
    orders: list[_Order], picks: list[int], n_picks: int, n_rows: int, rng: RandomState
) -> list[int]:
    """Pick the rows nearest to where the label changes, in any order."""
    distance = np.full(n_rows, np.inf)
    for order in orders:
        cuts = np.array([start + 0.5 for start, _ in order.gaps()])
        if len(cuts):
            places = order.places[:n_rows]
            right = np.searchsorted(cuts, places).clip(max=len(cuts) - 1)
            left = (right - 1).clip(min=0)
            nearest = np.minimum(np.abs(cuts[right] - places), np.abs(cuts[left] - places))
            np.minimum(distance, nearest, out=distance)
    distance[picks] = np.inf
    n_near = min(n_picks, int(np.isfinite(distance).sum()))
    return top(-distance, n_near, rng).tolist()
