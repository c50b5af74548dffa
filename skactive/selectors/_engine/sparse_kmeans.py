"""K-means of sparse rows: the steps of scikit-learn's, with centers that stay sparse.

The centers are means of sparse rows, so they have no more entries than the rows; dense ones take
n_clusters x n_dims numbers, and most of the time. Random numbers are drawn in the order in which
:class:`sklearn.cluster.KMeans` and :class:`sklearn.cluster.MiniBatchKMeans` draw them, so that
sparse and dense rows have the same clusters up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

from skactive._utils.array_types import Floats, Positions
from skactive.selectors._engine.points import slices
from skactive.selectors._engine.sparse_rows import ColumnSplit, SplitRows, scale_rows

__all__ = ["run_lloyd", "run_mini_batches"]

_MAX_ITERATIONS = 300
_TOLERANCE = 1e-4
_BLOCK_BYTES = 2**23  # of products with the centers
_MAX_PAIRS_BYTES = 2**27  # of the products of all pairs of rows among which first centers are drawn
# Mini-batches: the first centers are drawn among so many rows; centers with less than this share of
# the rows of the largest are drawn again after so many rows a cluster, of which a batch counts as
# so many at most.
_INIT_ROWS = 3_072
_LIGHT_SHARE = 0.01
_REDRAW_AFTER, _BATCH_COUNT = 10, 1_024


def run_lloyd(
    X: sparse.csr_array, n_clusters: int, rng: RandomState, weights: Floats | None
) -> NDArray[np.intp]:
    """Return the cluster of each row after Lloyd's algorithm, (n_rows,)."""
    rows = ColumnSplit(X).split(X)
    weights = np.ones(len(rows)) if weights is None else weights
    centers = rows[_draw_spread_rows(rows, n_clusters, rng, weights)]
    tolerance = _TOLERANCE * _mean_variance(X)
    blocks = list(_cut_rows(rows, n_clusters))  # what each needs for its products is kept
    before = np.full(len(rows), -1)
    for _ in range(_MAX_ITERATIONS):
        labels, squared = _assign_to_centers(blocks, centers)
        filled = _fill_empty_clusters(labels, squared, n_clusters)
        centers, last = _compute_centers(rows, filled, weights, n_clusters), centers
        if np.array_equal(labels, before):
            return labels
        if _sum_squared_differences(centers, last) <= tolerance:
            break
        before = labels
    return _assign_to_centers(blocks, centers)[0]


def _mean_variance(X: sparse.csr_array) -> float:
    """Return the mean of the variances of the columns."""
    n_rows, n_dims = X.shape
    means = np.bincount(X.indices, X.data, minlength=n_dims) / n_rows
    squares = np.square(X.data, dtype=np.float64).sum() / n_rows
    return float(squares - np.square(means).sum()) / n_dims


def _draw_spread_rows(
    rows: SplitRows, n_picks: int, rng: RandomState, weights: Floats
) -> Positions:
    """Draw first centers by k-means++, each the best of several draws, (n_picks,)."""
    n_trials = 2 + int(np.log(n_picks))
    distances = _RowDistances(rows, n_picks * n_trials)
    picks = np.empty(n_picks, dtype=np.intp)
    picks[0] = rng.choice(len(rows), p=weights / weights.sum())
    squared = distances.compute(picks[:1])[0]
    for k in range(1, n_picks):
        cumulative = np.cumsum(weights * squared)
        levels = rng.uniform(size=n_trials) * (weights @ squared)
        trials = np.minimum(np.searchsorted(cumulative, levels), len(rows) - 1)
        nearer = np.minimum(distances.compute(trials), squared)
        best = int((nearer @ weights).argmin())
        picks[k], squared = trials[best], nearer[best]
    return picks


class _RowDistances:
    """Squared distances of some rows to all; of all pairs at once if about as many are needed."""

    def __init__(self, rows: SplitRows, n_needed: int) -> None:
        n_bytes = rows.rare.dtype.itemsize * len(rows) ** 2
        self._rows = rows
        at_once = n_needed >= len(rows) and n_bytes <= _MAX_PAIRS_BYTES
        self._products = self._multiply_all() if at_once else None

    def _multiply_all(self) -> NDArray[Any]:
        rows = self._rows
        products = np.empty((len(rows), len(rows)), rows.rare.dtype)
        start = 0
        for block in _cut_rows(rows, len(rows)):
            products[start : start + len(block)] = block.multiply(rows)
            start += len(block)
        return products

    def compute(self, some: Positions) -> Floats:
        """Return the squared distances of some rows to all, (n_some, n_rows)."""
        rows = self._rows
        known = self._products
        inner = rows[some].multiply(rows) if known is None else known[some]
        squared = np.add.outer(rows.squared_norms[some], rows.squared_norms)
        squared -= 2.0 * inner
        return np.maximum(squared, 0.0, out=squared)


def _cut_rows(rows: SplitRows, n_centers: int) -> Iterator[SplitRows]:
    """Cut rows into blocks whose products with the centers fit the cache."""
    size = max(1, _BLOCK_BYTES // (8 * n_centers))
    return (rows[block] for block in slices(len(rows), size))


def _assign_to_centers(
    blocks: Iterable[SplitRows], centers: SplitRows
) -> tuple[NDArray[np.intp], Floats]:
    """Return the nearest center of each row, and its squared distance, each (n_rows,)."""
    half_norms = (centers.squared_norms / 2).astype(centers.rare.dtype)
    labels, squared = [], []
    for block in blocks:
        inner = block.multiply(centers)  # (n_block, n_clusters)
        inner -= half_norms
        nearest = inner.argmax(axis=1)
        labels.append(nearest)
        squared.append(block.squared_norms - 2.0 * inner[np.arange(len(block)), nearest])
    return np.concatenate(labels), np.concatenate(squared)


def _compute_centers(
    rows: SplitRows, labels: NDArray[np.intp], weights: Floats, n_clusters: int
) -> SplitRows:
    """Return the weighted mean of the rows of each cluster."""
    totals = np.bincount(labels, weights, minlength=n_clusters)
    shares = weights / np.where(totals > 0, totals, 1.0)[labels]
    return _sum_by_label(rows, labels, shares, n_clusters)


def _sum_by_label(
    rows: SplitRows, labels: NDArray[np.intp], factors: Floats, n_labels: int
) -> SplitRows:
    """Return the sum of the rows of each label, each times its factor."""
    dtype = rows.rare.dtype
    entries = (factors.astype(dtype), labels, np.arange(len(labels) + 1))
    indicator = sparse.csr_array(entries, shape=(len(labels), n_labels))
    columns = sparse.csr_array(indicator.T)  # (n_labels, n_rows)
    return SplitRows((columns @ rows.frequent).toarray(), columns @ rows.rare, rows.usage)


def _fill_empty_clusters(
    labels: NDArray[np.intp], squared: Floats, n_clusters: int
) -> NDArray[np.intp]:
    """Return the labels with the rows farthest from their centers moved to empty clusters."""
    empty = np.flatnonzero(np.bincount(labels, minlength=n_clusters) == 0)
    if not len(empty):
        return labels
    filled = labels.copy()
    filled[np.argpartition(squared, -len(empty))[-len(empty) :]] = empty
    return filled


def _sum_squared_differences(A: SplitRows, B: SplitRows) -> float:
    squared = np.square(A.dense - B.dense, dtype=np.float64).sum()
    return float(squared + np.square((A.rare - B.rare).data, dtype=np.float64).sum())


def run_mini_batches(
    parts: list[sparse.csr_array],
    batches: Iterable[sparse.csr_array],
    n_clusters: int,
    rng: RandomState,
) -> tuple[NDArray[np.intp], sparse.csr_array]:
    """Return the cluster of each row of the parts, and the centers after a step on each batch."""
    split = ColumnSplit(*parts)
    steps = _MiniBatchSteps(n_clusters, rng)
    for batch in batches:
        steps.take(split.split(batch))
    labels = [
        _assign_to_centers(_cut_rows(split.split(part), n_clusters), steps.centers)[0]
        for part in parts
    ]
    return np.concatenate(labels), split.join(steps.centers)


class _MiniBatchSteps:
    """Centers that move towards the rows of one mini-batch after another."""

    centers: SplitRows

    def __init__(self, n_clusters: int, rng: RandomState) -> None:
        self._rng = rng
        self._masses = np.zeros(n_clusters)  # rows that each center is the mean of
        self._n_since_redraw = 0

    def take(self, rows: SplitRows) -> None:
        """Move the centers to the rows of a batch; the first batch provides them."""
        n_clusters = len(self._masses)
        if not hasattr(self, "centers"):
            self.centers = self._draw_first_centers(rows)
        self._n_since_redraw += min(_BATCH_COUNT, len(rows))
        due = self._n_since_redraw >= _REDRAW_AFTER * n_clusters or not self._masses.all()
        self._move(rows)
        if due:
            self._n_since_redraw = 0
            self._redraw_light(rows)

    def _draw_first_centers(self, rows: SplitRows) -> SplitRows:
        n_clusters = len(self._masses)
        n_init = _INIT_ROWS if n_clusters <= _INIT_ROWS else 3 * n_clusters
        if n_init < len(rows):
            rows = rows[self._rng.randint(0, len(rows), n_init)]
        return rows[_draw_spread_rows(rows, n_clusters, self._rng, np.ones(len(rows)))]

    def _move(self, rows: SplitRows) -> None:
        """Average each center with the rows nearest to it."""
        n_clusters = len(self._masses)
        labels, _ = _assign_to_centers(_cut_rows(rows, n_clusters), self.centers)
        total = self._masses + np.bincount(labels, minlength=n_clusters)
        sums = _sum_by_label(rows, labels, 1.0 / total[labels], n_clusters)
        # Centers of no row so far stay where they are.
        kept = np.where(total > 0, self._masses, 1.0) / np.maximum(total, 1.0)
        kept = kept.astype(rows.rare.dtype)
        dense = self.centers.dense * kept[:, np.newaxis] + sums.dense
        rare = scale_rows(self.centers.rare, kept) + sums.rare
        self.centers, self._masses = SplitRows(dense, rare, rows.usage), total

    def _redraw_light(self, rows: SplitRows) -> None:
        """Replace the centers of few rows by rows of the batch, drawn at random."""
        masses = self._masses
        light = masses < _LIGHT_SHARE * masses.max()
        if light.sum() > len(rows) // 2:
            light[np.argsort(masses)[len(rows) // 2 :]] = False
        if not light.any():
            return
        picks = rows[self._rng.choice(len(rows), replace=False, size=int(light.sum()))]
        masses[light] = masses[~light].min()
        dense = self.centers.dense.copy()
        dense[light] = picks.dense
        # Rows of the stack: the centers, then the rows that replace the light ones.
        source = np.arange(len(masses))
        source[light] = len(masses) + np.arange(len(picks))
        stack = sparse.vstack([self.centers.rare, picks.rare], format="csr")
        self.centers = SplitRows(dense, stack[source], rows.usage)
