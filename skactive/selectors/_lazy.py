"""Distances to the nearest chosen row for large pools: bounds, refreshed where they matter.

Distances to the nearest centre only shrink as centres come, so a distance that was right some
centres ago is an upper bound today. Farthest-first traversal needs the true distance of those rows
alone whose bound could still win, and D^2 sampling can draw from the bounds and reject. Both give
the answer, or the law, of the plain algorithm, for a small share of its work, most of it in matrix
products.

Bounds over the whole pool are computed in single precision where the data are, and raised by what
rounding could have taken away. Every decision rests on distances in double precision, and a close
one on differences of the rows themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["LazyDistances"]

Floats: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.intp]

_BLOCK_BYTES = 2**21  # of products in a block: with the rows that they come from, a core's cache
_CENTRES = 128  # centres that a block meets at a time
_CLOSE = 1e-10  # share of the norms within which double precision products may mislead
_PROPOSALS = 128  # rows drawn from the bounds at a time
_FEW_ACCEPTED = 0.4  # share of proposals below which the bounds are worth refreshing


class LazyDistances:
    """Upper bounds on the squared distance of each row to its nearest centre.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims), or pair of factors
        Points; a pair ``(a, h)`` stands for the outer products of its rows.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Centres from the start, of the kind of ``X``.

    Attributes
    ----------
    bound : ndarray of shape (n_rows,)
        Squared distance to the nearest of the centres that a row has seen, or a little more.
    seen : ndarray of shape (n_rows,)
        To how many centres, the first ones, `bound` is exact; 0 where it is a bound only.
    """

    def __init__(self, X: Any, *, labeled: Any = None) -> None:
        self._points = _Points(X)
        self.n_rows = self._points.n_rows
        self.bound = np.full(self.n_rows, np.inf)
        self.seen = np.zeros(self.n_rows, dtype=np.int32)
        self._nearest = np.zeros(self.n_rows, dtype=np.int32)  # the centre that `bound` is to
        self._centres = _Centres(self._points)
        self._covered = 0  # centres that the bounds of all rows take into account
        if labeled is not None and labeled.shape[0]:
            self._centres.add_rows(labeled)
            self.lower_all()

    @property
    def n_centres(self) -> int:
        """How many centres there are, labelled and chosen."""
        return len(self._centres)

    def add(self, position: int) -> None:
        """Make a row a centre; no bound is touched but its own."""
        self._centres.add_position(position)
        self.bound[position], self.seen[position] = 0.0, self.n_centres
        self._nearest[position] = self.n_centres - 1

    def lower_all(self) -> None:
        """Lower the bounds of all rows by the centres that they have not met."""
        for rows in _slices(self.n_rows, self._points.block_rows(_CENTRES)):
            block = self._points.block(rows)
            for centres in _slices(self.n_centres, _CENTRES, self._covered):
                raised = self._points.raised_distances(block, rows, self._centres, centres)
                np.minimum(self.bound[rows], raised, out=self.bound[rows])
        self._covered = self.n_centres

    def refresh(self, rows: Positions) -> Floats:
        """Make the bounds of some rows exact, and return them."""
        stale = rows[self.seen[rows] < self.n_centres]
        for unseen in (True, False):
            part = stale[(self.seen[stale] == 0) == unseen]
            for chunk in _slices(len(part), self._points.block_rows(_CENTRES)):
                self._refresh(part[chunk], unseen)
        return self.bound[rows]

    def _refresh(self, rows: Positions, unseen: bool) -> None:
        if not len(rows):
            return
        # A bound that was never exact is no distance, so it has no say in the minimum.
        best = np.full(len(rows), np.inf) if unseen else self.bound[rows]
        nearest = self._nearest[rows]
        first = 0 if unseen else int(self.seen[rows].min())
        block = self._points.rows(rows)
        for centres in _slices(self.n_centres, _CENTRES, first):
            squared = self._points.distances(block, rows, self._centres, centres)
            column = squared.argmin(axis=1)
            value = squared[np.arange(len(rows)), column]
            nearest = np.where(value < best, centres.start + column, nearest)
            best = np.minimum(best, value)
        self.bound[rows], self.seen[rows], self._nearest[rows] = best, self.n_centres, nearest
        self._settle(rows[best < _CLOSE * self._points.norms[rows]])

    def _settle(self, rows: Positions) -> Floats:
        """Replace distances by those from differences, which know zero from nearly zero."""
        self.bound[rows] = self._points.exact_distances(rows, self._centres, self._nearest[rows])
        return self.bound[rows]

    # Farthest-first traversal -------------------------------------------------------------------

    def farthest_first(self, n_picks: int, rng: RandomState) -> list[int]:
        """Pick rows, each the farthest from all centres; fewer where only duplicates are left."""
        picks: list[int] = []
        self._width = max(256, 2 * n_picks)
        while len(picks) < n_picks:
            rows, threshold = self._contenders()
            if not len(rows):
                break
            picks += self._traverse(rows, threshold, n_picks - len(picks), rng)
        return picks

    def _contenders(self) -> tuple[Positions, float]:
        """Return rows that are farther than any other row can be, and how far that is."""
        while True:
            width = min(self._width, self.n_rows)
            if width == self.n_rows:
                rows, threshold = np.arange(self.n_rows), 0.0
            else:
                order = np.argpartition(self.bound, self.n_rows - width - 1)
                rows = order[self.n_rows - width :]
                threshold = float(self.bound[order[self.n_rows - width - 1]])
            rows = rows[self.refresh(rows) > threshold]
            if len(rows) or width == self.n_rows:
                return rows, threshold
            self._width *= 2

    def _traverse(
        self, rows: Positions, threshold: float, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Pick farthest-first among rows while the farthest is beyond the threshold."""
        picks: list[int] = []
        rows = np.sort(rows)
        block, squared = self._points.rows(rows), self.bound[rows]
        margin = 2 * _CLOSE * float(self._points.norms[rows].max())
        while len(picks) < n_picks:
            farthest = squared.max()
            if farthest <= threshold:
                break
            close = np.flatnonzero(squared >= farthest - margin)
            if len(close) > 1:  # too close to call by products
                squared[close] = self._settle(rows[close])
                close = close[squared[close] == squared[close].max()]
                if squared[close[0]] <= threshold:
                    continue
            pick = int(rows[close[rng.randint(len(close)) if len(close) > 1 else 0]])
            picks.append(pick)
            self.add(pick)
            self._meet_last(block, rows, squared)
            if np.count_nonzero(squared > threshold) < len(rows) // 2:
                alive = squared > threshold
                rows, squared = rows[alive], squared[alive]
                block = tuple(factor[alive] for factor in block)
                if not len(rows):
                    break
        return picks

    def _meet_last(self, block: Any, rows: Positions, squared: Floats) -> None:
        """Let rows, whose distances are exact to all centres but the last, meet the last."""
        last = slice(self.n_centres - 1, self.n_centres)
        new = self._points.distances(block, rows, self._centres, last)[:, 0]
        nearer = np.flatnonzero(new < squared)
        squared[nearer] = new[nearer]
        self.bound[rows[nearer]], self._nearest[rows[nearer]] = new[nearer], last.start
        self.seen[rows] = self.n_centres
        zero = nearer[new[nearer] < _CLOSE * self._points.norms[rows[nearer]]]
        if len(zero):
            squared[zero] = self._settle(rows[zero])

    # D^2 sampling -------------------------------------------------------------------------------

    def draw(self, n_picks: int, rng: RandomState) -> list[int]:
        """Draw rows, each in proportion to its squared distance to the nearest centre.

        Rows are proposed in proportion to bounds that stay fixed for many draws, and accepted with
        probability distance over bound. What is accepted follows the distances, whatever the
        bounds.
        """
        picks: list[int] = []
        weights, cumulated, n_new = self._proposal_law()
        while len(picks) < n_picks and cumulated[-1] > 0.0:
            proposed = _drawn(cumulated, _PROPOSALS, rng)
            accepted = self._accept(proposed, weights, n_picks - len(picks), rng)
            picks += accepted
            n_new += len(accepted)
            if len(accepted) >= _FEW_ACCEPTED * _PROPOSALS:
                continue
            if n_new:
                weights, cumulated, n_new = self._proposal_law()
            elif not accepted and not self.refresh(np.arange(self.n_rows)).any():
                break  # only duplicates of centres are left
            elif not accepted:
                weights, cumulated, n_new = self._proposal_law()
        return picks

    def _proposal_law(self) -> tuple[Floats, Floats, int]:
        self.lower_all()
        weights = self.bound.copy()
        return weights, np.cumsum(weights), 0

    def _accept(
        self, proposed: Positions, weights: Floats, n_picks: int, rng: RandomState
    ) -> list[int]:
        """Accept proposals in their order, each by the distance that it has by then."""
        picks: list[int] = []
        levels = rng.random_sample(len(proposed)) * weights[proposed]
        squared = self.refresh(proposed)
        block = self._points.rows(proposed)
        for i, row in enumerate(proposed):
            if levels[i] < squared[i]:
                picks.append(int(row))
                self.add(int(row))
                if len(picks) == n_picks:
                    break
                self._meet_last(block, proposed, squared)
        return picks


class _Points:
    """Rows as the product of factors: one for plain rows, two for gradients.

    Plain dense rows are centred, which leaves distances alone and makes products precise.
    """

    def __init__(self, X: Any) -> None:
        factors = X if isinstance(X, tuple) else (X,)
        self.factors = tuple(_canonical(factor) for factor in factors)
        self.n_rows = self.factors[0].shape[0]
        plain = len(self.factors) == 1 and not sparse.issparse(self.factors[0])
        self.offset = self.factors[0].mean(axis=0, dtype=np.float64) if plain else None
        single = all(factor.dtype == np.float32 for factor in self.factors)
        self.dtype: np.dtype[Any] = np.dtype(np.float32 if single else np.float64)
        n_terms = sum(factor.shape[1] for factor in self.factors) + 16
        self.rounding = n_terms * float(np.finfo(np.float32 if single else np.float64).eps)
        self.norms = np.empty(self.n_rows)
        for rows in _slices(self.n_rows, self.block_rows(1)):
            self.norms[rows] = _norms(self._cut(rows, np.dtype(np.float64)))

    def block_rows(self, n_columns: int) -> int:
        """How many rows make a block whose products, or copies, are of bounded size."""
        dense = sum(min(factor.shape[1], 4096) for factor in self.factors)
        return max(16, _BLOCK_BYTES // (8 * max(n_columns, dense)))

    def rows(self, rows: Positions) -> Any:
        """Copy rows in double precision."""
        return self._cut(rows, np.dtype(np.float64))

    def block(self, rows: slice) -> Any:
        """Copy a block of rows in the precision of the data."""
        return self._cut(rows, self.dtype)

    def _cut(self, rows: Any, dtype: np.dtype[Any]) -> Any:
        cut = tuple(factor[rows].astype(dtype) for factor in self.factors)
        if self.offset is not None:
            cut[0].__isub__(self.offset.astype(dtype))
        return cut

    def centred(self, labeled: Any) -> Any:
        """Bring rows that are not of the pool, in double precision, where the pool is."""
        labeled = _canonical(labeled).astype(np.float64)
        return (labeled if self.offset is None else labeled - self.offset,)

    def distances(self, block: Any, rows: Positions, centres: _Centres, which: slice) -> Floats:
        """Squared distances of a block to some centres, shape (n_block, n_which)."""
        squared = _products(block, centres.get(which, np.dtype(np.float64)))
        squared *= -2.0
        squared += centres.norms[which]
        squared += self.norms[rows, np.newaxis]
        return np.maximum(squared, 0.0, out=squared)

    def raised_distances(self, block: Any, rows: slice, centres: _Centres, which: slice) -> Floats:
        """Bounds on the squared distances of a block to the nearest of some centres."""
        norms = centres.norms[which]
        products = _products(block, centres.get(which, self.dtype))
        products -= (0.5 * norms).astype(self.dtype)
        squared = self.norms[rows] - 2.0 * products.max(axis=1).astype(np.float64)
        return np.maximum(squared, 0.0) + self.rounding * 2.0 * (self.norms[rows] + norms.max())

    def exact_distances(self, rows: Positions, centres: _Centres, which: Positions) -> Floats:
        """Squared distance of each row to one centre each; exactly 0 for duplicates."""
        block = self.rows(rows)
        others = centres.take(which)
        if self.offset is not None:
            return np.square(block[0] - others[0]).sum(axis=1)
        inner = np.prod([_paired(*pair) for pair in zip(block, others, strict=True)], axis=0)
        norms = self.norms[rows] + centres.norms[which]
        squared = norms - 2.0 * inner
        squared[squared < 1e-12 * norms] = 0.0
        return squared


class _Centres:
    """The coordinates and norms of the centres, in the order in which they came."""

    def __init__(self, points: _Points) -> None:
        self._points = points
        self._length = 0
        self._factors: list[Any] = [
            None if sparse.issparse(factor) else np.empty((64, factor.shape[1]))
            for factor in points.factors
        ]
        self._norms = np.empty(64)

    def __len__(self) -> int:
        return self._length

    @property
    def norms(self) -> Floats:
        """Squared norms, shape (n_centres,)."""
        return self._norms[: self._length]

    def add_position(self, position: int) -> None:
        """Add a row of the pool."""
        self._add(self._points.rows(np.array([position])))

    def add_rows(self, labeled: Any) -> None:
        """Add rows from elsewhere."""
        self._add(self._points.centred(labeled))

    def _add(self, rows: Any) -> None:
        new = self._length + rows[0].shape[0]
        norms = _norms(rows)
        if new > len(self._norms):
            self._norms = np.resize(self._norms, 2 * new)
        self._norms[self._length : new] = norms
        for k, factor in enumerate(rows):
            if sparse.issparse(factor):
                known = self._factors[k]
                self._factors[k] = (
                    factor if known is None else sparse.vstack([known, factor], "csr")
                )
                continue
            if new > len(self._factors[k]):
                self._factors[k] = np.resize(self._factors[k], (2 * new, factor.shape[1]))
            self._factors[k][self._length : new] = factor
        self._length = new

    def get(self, which: slice, dtype: np.dtype[Any]) -> Any:
        """Return some centres, dense."""
        cut = [factor[which] for factor in self._factors]
        return tuple(
            (factor.toarray() if sparse.issparse(factor) else factor).astype(dtype, copy=False)
            for factor in cut
        )

    def take(self, which: Positions) -> Any:
        """Return one centre for each of some rows."""
        return tuple(factor[which] for factor in self._factors)


def _canonical(factor: Any) -> Any:
    """Return rows that can be cut: an array, or CSR without repeated entries."""
    if not sparse.issparse(factor):
        return factor
    rows = sparse.csr_array(factor)
    if not rows.has_canonical_format:
        rows = rows.copy()  # it may share the caller's arrays
        rows.sum_duplicates()
    return rows


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def _products(block: Any, centres: Any) -> Any:
    """Inner products of a block with centres, shape (n_block, n_centres)."""
    product = block[0] @ centres[0].T
    for factor, centre in zip(block[1:], centres[1:], strict=True):
        product *= factor @ centre.T
    return product


def _norms(block: Any) -> Floats:
    """Squared norms of the rows of a block, shape (n_block,)."""
    return np.prod([_paired(factor, factor) for factor in block], axis=0)


def _paired(first: Any, second: Any) -> Floats:
    """Inner product of each row of one factor with the same row of another."""
    if sparse.issparse(first):
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", first, second)


def _slices(stop: int, size: int, start: int = 0) -> Iterator[slice]:
    return (slice(begin, min(begin + size, stop)) for begin in range(start, stop, size))


def _drawn(cumulated: Floats, n: int, rng: RandomState) -> Positions:
    """Draw positions in proportion to weights, given as their running sum."""
    levels = np.minimum(rng.random_sample(n) * cumulated[-1], np.nextafter(cumulated[-1], 0.0))
    return np.searchsorted(cumulated, levels, side="right")
