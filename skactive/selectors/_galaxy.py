"""Bisection of rankings of the rows, to find where the class changes along each of them."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.input_kinds import check_table
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state
from skactive.selectors._top import fill_at_random, top

__all__ = ["galaxy"]


@check_input(scores=check_table)
def galaxy(
    scores: NDArray[Any],
    predicted: NDArray[np.intp],
    batch_size: int,
    *,
    labeled_scores: NDArray[Any],
    labels: NDArray[np.intp],
    random_state: Seed = None,
) -> Positions:
    r"""Select rows halfway between labeled rows of different classes, nearest pairs first.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Score of each row for each class: the rows are ranked by each column.
    predicted : ndarray of shape (n_rows,)
        Column of the predicted class of each row, which is used as its label once it is selected.
    batch_size : int
        Number of rows to select.
    labeled_scores : ndarray of shape (n_labeled, n_classes)
        The same scores of the labeled rows.
    labels : ndarray of shape (n_labeled,)
        Columns of their classes.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    In the ranking by column :math:`k`, each labeled row is of class :math:`k` or not. Of all pairs
    of labeled rows that differ in this, in any ranking, with no labeled row between them, take the
    pair with the fewest rows (but at least one) between them: the row in the middle is selected.
    If there is no such pair, the rows nearest to two adjacent labeled rows that differ come next.

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
    all_scores = np.concatenate([scores, labeled_scores])
    labeled = np.arange(n_rows, len(all_scores))
    rankings = [
        _LabeledRanking(all_scores[:, k], labeled, labels == k, rng) for k in range(n_columns)
    ]
    picks = _bisect_gaps(rankings, predicted, batch_size, rng)
    if len(picks) < batch_size:
        picks += _pick_near_cuts(rankings, picks, batch_size - len(picks), n_rows, rng)
    return fill_at_random(picks, batch_size, n_rows, rng)


class _LabeledRanking:
    """A ranking of the rows by one score, in which labeled rows are marked.

    A gap lies between two labeled rows of different classes with no labeled row between them. It
    is a pair of ranks (start, stop).

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Scores by which the rows are ranked, lowest first; ties are in random order.
    labeled : ndarray of int
        Positions of the labeled rows.
    is_positive : ndarray of bool
        Whether each labeled row is of the class of this ranking.
    rng : RandomState
        Orders tied rows.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Positions of the rows by rank.
    ranks : ndarray of shape (n_rows,)
        Ranks of the rows by position.
    labeled_ranks : list of int
        Sorted ranks of the labeled rows.
    """

    def __init__(
        self,
        scores: NDArray[Any],
        labeled: Positions,
        is_positive: NDArray[np.bool_],
        rng: RandomState,
    ) -> None:
        shuffled = rng.permutation(len(scores))
        # The sort is stable, so tied rows keep their random order.
        self.rows = shuffled[np.argsort(scores[shuffled], kind="stable")]
        self.ranks = np.empty_like(self.rows)
        self.ranks[self.rows] = np.arange(len(scores))
        ranks = self.ranks[labeled].tolist()
        self._is_positive = dict(zip(ranks, is_positive.tolist(), strict=True))
        self.labeled_ranks = sorted(self._is_positive)

    def gaps(self) -> list[tuple[int, int]]:
        """Return all gaps, in order of rank."""
        return self._filter_gaps(self.labeled_ranks)

    def is_gap(self, start: int, stop: int) -> bool:
        """Return whether there is still no labeled row between two labeled ranks."""
        return self.labeled_ranks[bisect_left(self.labeled_ranks, start) + 1] == stop

    def label(self, row: int, is_positive: bool) -> list[tuple[int, int]]:
        """Label a row, and return the gaps that end or start at it."""
        rank = int(self.ranks[row])
        insort(self.labeled_ranks, rank)
        self._is_positive[rank] = is_positive
        index = bisect_left(self.labeled_ranks, rank)
        return self._filter_gaps(self.labeled_ranks[max(0, index - 1) : index + 2])

    def _filter_gaps(self, ranks: list[int]) -> list[tuple[int, int]]:
        """Return the pairs of successive ranks whose classes differ."""
        return [
            (start, stop)
            for start, stop in pairwise(ranks)
            if self._is_positive[start] != self._is_positive[stop]
        ]


def _bisect_gaps(
    rankings: list[_LabeledRanking], predicted: NDArray[np.intp], n_picks: int, rng: RandomState
) -> list[int]:
    """Return the rows in the middle of the shortest gaps, at most `n_picks`."""
    # (number of steps, random number to break ties, ranking, start, stop)
    heap: list[tuple[int, float, int, int, int]] = []

    def push(k: int, gaps: list[tuple[int, int]]) -> None:
        for start, stop in gaps:
            if stop - start > 1:
                heapq.heappush(heap, (stop - start, rng.random_sample(), k, start, stop))

    for k, ranking in enumerate(rankings):
        push(k, ranking.gaps())
    picks: list[int] = []
    while heap and len(picks) < n_picks:
        _, _, k, start, stop = heapq.heappop(heap)
        if not rankings[k].is_gap(start, stop):  # a row within it was picked meanwhile
            continue
        row = int(rankings[k].rows[(start + stop) // 2])
        picks.append(row)
        for other, ranking in enumerate(rankings):
            push(other, ranking.label(row, bool(predicted[row] == other)))
    return picks


def _pick_near_cuts(
    rankings: list[_LabeledRanking], picks: list[int], n_picks: int, n_rows: int, rng: RandomState
) -> list[int]:
    """Return the rows nearest to a change of class in any ranking, at most `n_picks`."""
    distance = np.full(n_rows, np.inf)
    for ranking in rankings:
        cuts = np.array([start + 0.5 for start, _ in ranking.gaps()])  # sorted
        if len(cuts):
            ranks = ranking.ranks[:n_rows]  # of the pool, (n_rows,)
            right = np.searchsorted(cuts, ranks).clip(max=len(cuts) - 1)
            left = (right - 1).clip(min=0)
            nearest = np.minimum(np.abs(cuts[right] - ranks), np.abs(cuts[left] - ranks))
            np.minimum(distance, nearest, out=distance)
    distance[picks] = np.inf
    n_finite = min(n_picks, int(np.isfinite(distance).sum()))
    return top(-distance, n_finite, rng).tolist()
