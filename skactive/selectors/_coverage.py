"""Selectors that cover the pool: every row shall be near to a row that is labelled or chosen.

All of them maximise a weighted coverage, greedily and lazily. A gain can only fall while rows are
chosen (the objective is submodular), so an old gain is an upper bound: of the candidates only those
that could still win are asked again, a block of them by one matrix product, until the winner is
up to date. The first bounds come from one pass in single precision, in which distances are taken
shorter by as much as rounding could have made them longer; gains that decide are in double
precision, and leave out what no candidate near them can cover better. So the picks are those of
plain greedy, and no array holds n x n values.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse

from skactive._seeding import Seed, make_random_state
from skactive.selectors._distance import Matrix, fill_at_random, kmeans_plusplus
from skactive.selectors._top import Positions

__all__ = [
    "facility_location",
    "max_coverage",
    "purity_radius",
    "targeted_coverage",
]

Values: TypeAlias = NDArray[np.float64]
Block: TypeAlias = NDArray[np.floating[Any]]  # some candidates x all reference rows

_BLOCK_BYTES = 2**22  # similarities at a time: within a core's share of the last-level cache
_SHORTLIST = 4096  # candidates looked at between two passes over all bounds
# Candidates whose bounds, and whose gains, are made anew by one matrix product.
_BOUNDED_AT_ONCE, _EXACT_AT_ONCE = 64, 4
# Candidates lie in at most so many cells; for each, what none of its rows can cover is left out.
_CELLS, _CELL_ROWS = 48, 64
# Squared distances from inner products carry rounding of some 1e-15 of the norms. By this share of
# them they are shortened, so that duplicates, and rows on the rim of a ball, lie where they should.
_DUPLICATE = 1e-12
# Gains are rounded to this many bits, and counted as none below this share of the greatest
# coverage, so that rows that tie in exact arithmetic tie here.
_BITS = 36
_NOTHING = 1e-12
_ALL = slice(None)


def max_coverage(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    kernel: str = "rbf",
    bandwidth: float | None = None,
    max_reference: int | None = 10_000,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows that are together most similar to all rows, each to the nearest of them.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover rows from the start.
    weights : ndarray of shape (n_rows,), default=None
        How much it is worth to cover each row, at least 0; None counts all the same.
    kernel : {"rbf", "tophat"}, default="rbf"
        Similarity of two rows: :math:`\exp(-d^2 / \sigma^2)`, or 1 where :math:`d \le \sigma`
        and 0 elsewhere.
    bandwidth : float, default=None
        :math:`\sigma`. None takes the root mean square distance of the rows from their mean; for
        rows of length 1 in all directions that is 1.
    max_reference : int or None, default=10_000
        Where the pool has more rows, coverage is measured on a sample of this many. None measures
        it on all rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the rest where nothing is left to cover.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`L` the labelled rows, each pick adds most to

    .. math:: F(S) = \sum_i w_i \max_{s \in L \cup S} k(x_i, x_s)

    Greedy picks reach at least :math:`1 - 1/e` of the best coverage possible. The sample is drawn
    without replacement, with probabilities :math:`\pi_i` in proportion to the weights, and its
    rows weigh :math:`w_i / \pi_i` (Horvitz-Thompson), so that its coverage is that of the pool on
    average. Every row remains a candidate: time grows with n_rows x n_reference, memory with
    n_rows + n_reference.

    References
    ----------
    Bae, Noh and Sutherland (2024), :doi:`10.48550/arXiv.2407.12212`; lazy evaluation, Minoux
    (1978), :doi:`10.1007/BFb0006528`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [8.0], [9.0]])
    >>> max_coverage(X, batch_size=2, bandwidth=1.0, random_state=0)[0]
    np.int64(1)
    >>> max_coverage(X, batch_size=1, labeled=X[1:2], kernel="tophat", bandwidth=1.5)
    array([...])
    """
    rng = make_random_state(random_state)
    points = _Points.of(X)
    similarity = _KERNELS[kernel](points.spread if bandwidth is None else bandwidth)
    chosen, weights = _sample(points.n_rows, weights, max_reference, rng)
    objective = _Coverage(
        points, points.X[chosen], similarity, weights=weights, rng=rng, labeled=labeled
    )
    return _lazy_greedy(objective, batch_size, rng)


def facility_location(
    X: Matrix,
    batch_size: int,
    *,
    labeled: Matrix | None = None,
    weights: NDArray[Any] | None = None,
    max_reference: int | None = 10_000,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows so that the distances of all rows to the nearest of them have a small sum.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    batch_size : int
        Number of rows to select.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that serve rows from the start.
    weights : ndarray of shape (n_rows,), default=None
        How much each row counts, at least 0; None counts all the same.
    max_reference : int or None, default=10_000
        Where the pool has more rows, the sum is estimated on a sample of this many. None takes all
        rows, in time that grows with the square of their number.
    random_state : int, RandomState or None, default=None
        Breaks ties, draws the sample, and draws the rest where all distances are 0.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    Each pick makes the sum :math:`\sum_i w_i \min_{s \in L \cup S} \lVert x_i - x_s \rVert_2` as
    small as it can. Where nothing is labelled or chosen yet, the distance is that to a phantom
    farther away than any row: the first pick is the medoid, and the picks are those of the
    similarity :math:`d_{\max} - d`, whatever constant stands for :math:`d_{\max}`. The sample is
    that of :func:`max_coverage`.

    References
    ----------
    Nemhauser, Wolsey and Fisher (1978), :doi:`10.1007/BF01588971`; as a strategy, Wei, Iyer and
    Bilmes (2015), "Submodularity in data subset selection and active learning", *ICML*.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    >>> facility_location(X, batch_size=2)
    array([2, 4])
    """
    rng = make_random_state(random_state)
    points = _Points.of(X)
    chosen, weights = _sample(points.n_rows, weights, max_reference, rng)
    objective = _Coverage(
        points, points.X[chosen], _distance(), weights=weights, rng=rng, labeled=labeled
    )
    return _lazy_greedy(objective, batch_size, rng)


def targeted_coverage(
    X: Matrix,
    targets: Matrix,
    batch_size: int,
    *,
    eta: float = 1.0,
    labeled: Matrix | None = None,
    bandwidth: float | None = None,
    random_state: Seed = None,
) -> Positions:
    r"""Select rows that resemble the targets, and between them all of the targets.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    targets : ndarray or sparse matrix of shape (n_targets, n_dims)
        Points to find rows for, of the kind of ``X``.
    batch_size : int
        Number of rows to select.
    eta : float, default=1.0
        At least 0. At 0 each target needs one row only; large values take the rows nearest to any
        target.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Points that cover targets from the start.
    bandwidth : float, default=None
        :math:`\sigma` of the similarity :math:`k = \exp(-d^2 / \sigma^2)`. None takes the root
        mean square distance of the rows of ``X`` from their mean.
    random_state : int, RandomState or None, default=None
        Breaks ties, and draws the rest where nothing is left to gain.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    With :math:`T` the targets and :math:`L` the labelled rows, each pick adds most to the mutual
    information of facility location over the pairs of a row and a target,

    .. math::
        \sum_{t \in T} \max_{s \in L \cup S} k(t, s) + \eta \sum_{s \in S} \max_{t \in T} k(s, t)

    References
    ----------
    Kothawade, Kaushal, Ramakrishnan, Bilmes and Iyer (2022), :doi:`10.48550/arXiv.2103.00128`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> targeted_coverage(X, np.array([[0.0], [9.1]]), 2, bandwidth=1.0)
    array([0, 3])
    """
    rng = make_random_state(random_state)
    points = _Points.of(X)
    similarity = _rbf(points.spread if bandwidth is None else bandwidth)
    ones = np.ones(targets.shape[0])
    objective = _Coverage(
        points, targets, similarity, weights=ones, rng=rng, labeled=labeled, bonus=eta
    )
    return _lazy_greedy(objective, batch_size, rng)


def purity_radius(
    X: Matrix,
    n_clusters: int,
    *,
    purity: float = 0.95,
    n_balls: int = 1000,
    max_reference: int = 10_000,
    random_state: Seed = None,
) -> float:
    r"""Return the largest radius at which most balls around rows hold rows of one cluster only.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        Points.
    n_clusters : int
        Number of k-means clusters, which stand for the classes.
    purity : float, default=0.95
        Share of the balls that must be pure.
    n_balls : int, default=1000
        Number of rows, drawn at random, around which balls are laid. Each is checked against all
        rows.
    max_reference : int, default=10_000
        Number of rows, drawn at random, from which k-means learns.
    random_state : int, RandomState or None, default=None
        Draws the rows and seeds k-means.

    Returns
    -------
    float
        The radius; infinity where there is one cluster only.

    Notes
    -----
    The ball around :math:`x_i` is pure while its radius is below the distance to the nearest row
    of another cluster. So no radii are tried: the answer is a quantile of these distances.

    References
    ----------
    Yehuda, Dekel, Hacohen and Weinshall (2022), :doi:`10.48550/arXiv.2205.11320`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> round(purity_radius(X, n_clusters=2, random_state=0), 3)
    4.0
    """
    rng = make_random_state(random_state)
    points = _Points.of(X)
    learnt = np.sort(rng.permutation(points.n_rows)[:max_reference])
    centers = _kmeans_centers(points.X[learnt], n_clusters, rng)
    clusters = _nearest(points, centers)
    balls = np.sort(rng.permutation(points.n_rows)[:n_balls])
    stranger = np.sort(_distance_to_another(points, points.X[balls], clusters, clusters[balls]))
    impure = math.floor((1 - purity) * len(stranger) + 1e-9)
    return float(stranger[impure]) * (1 - 1e-6)  # just inside, whatever the rounding


# -- the points --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Points:
    """Candidate rows, and what inner products need to keep their digits.

    Attributes
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_dims)
        The rows, untouched.
    center : ndarray of shape (n_dims,) or None
        Mean, which is taken from dense rows; taken from sparse rows it would fill them.
    largest : float
        Largest squared norm, after the mean is taken off.
    spread : float
        Root mean square distance from the mean; 1 where all rows coincide.
    """

    X: Matrix
    center: Values | None
    largest: float
    spread: float

    @classmethod
    def of(cls, X: Matrix) -> _Points:
        if not isinstance(X, np.ndarray):
            X = sparse.csr_array(X)
        n_rows = max(1, X.shape[0])
        mean = np.asarray(X.sum(axis=0, dtype=np.float64)).reshape(-1) / n_rows
        center = mean if isinstance(X, np.ndarray) else None
        total = largest = 0.0
        for block in _blocks(*X.shape):
            norms = _squared_norms(_shifted(X[block], center, np.float64))
            total, largest = total + norms.sum(), max(largest, norms.max(initial=0.0))
        variance = total / n_rows - (0.0 if center is not None else mean @ mean)
        # What rounding leaves of rows that coincide is no spread.
        flat = variance <= _DUPLICATE * (largest + mean @ mean)
        return cls(X, center, float(largest), 1.0 if flat else math.sqrt(variance))

    @property
    def n_rows(self) -> int:
        return int(self.X.shape[0])


def _blocks(n_rows: int, n_columns: int, itemsize: int = 8) -> Iterator[slice]:
    size = max(16, _BLOCK_BYTES // (itemsize * max(1, n_columns)))
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))


def _shifted(rows: Matrix, center: Values | None, dtype: Any) -> Matrix:
    """Take the mean off in double precision; the result is a copy of its own."""
    if center is not None:
        return np.subtract(rows, center, dtype=np.float64).astype(dtype, copy=False)
    return sparse.csr_array(rows, dtype=dtype)


def _squared_norms(rows: Matrix) -> Values:
    if isinstance(rows, np.ndarray):
        return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).reshape(-1)


class _Distances:
    """Squared distances from any rows to some reference rows, shortened and divided by a scale.

    One matrix product gives them: the norms are two more columns of its factors.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows.
    center : ndarray of shape (n_dims,) or None
        Taken from all rows, if dense.
    scale : float
        What squared distances are divided by.
    short : float
        By this share of both squared norms the squared distances are shortened.
    dtype : dtype
        Of the product.
    """

    def __init__(
        self, rows: Matrix, center: Values | None, *, scale: float, short: float, dtype: Any
    ) -> None:
        self.n_reference = rows.shape[0]
        self._center, self.dtype = center, np.dtype(dtype)
        rows = _shifted(rows, center, np.float64)
        norms = _squared_norms(rows)[:, np.newaxis]
        self._share = (1 - short) / scale
        columns = [rows * (-2 / scale), np.full_like(norms, self._share), norms * self._share]
        if isinstance(rows, np.ndarray):
            self._reference = np.concatenate(columns, axis=1).astype(dtype, copy=False)
        else:
            self._reference, self._norms = sparse.csr_array(columns[0]), columns[2].reshape(-1)

    def __call__(self, rows: Matrix, among: Positions | slice = _ALL) -> Block:
        """Return at least 0, of shape (n_rows, n_reference), or so many as are `among` them."""
        rows = _shifted(rows, self._center, np.float64)
        norms = _squared_norms(rows)[:, np.newaxis]
        reference = self._reference[among]
        if isinstance(rows, np.ndarray):
            left = np.concatenate([rows, norms, np.ones_like(norms)], axis=1)
            squared = _product(left.astype(self.dtype, copy=False), reference.T)
        else:
            squared = (rows @ reference.T).toarray()
            squared += norms * self._share
            squared += self._norms[among]
        return _at_least_zero(squared)


# BLAS may flag an invalid number that it reads beside a short block; these are finite.
@np.errstate(invalid="ignore")
def _product(left: Block, right: Block) -> Block:
    return left @ right


def _at_least_zero(block: Block) -> Block:
    """Clip in place."""
    # A row of zeros: NumPy compares arrays with each other twice as fast as with a number.
    return np.maximum(block, np.zeros(block.shape[1], block.dtype), out=block)


# -- similarities ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Similarity:
    """What a squared distance, divided by `scale`, is worth; `of` works in place.

    `least` is the similarity of a row and of nothing, `most` that of a row and itself. None says
    that distances have no end: it takes the negative of a distance that none exceeds.
    """

    of: Callable[[Block], Block]
    scale: float = 1.0
    most: float = 1.0
    least: float | None = 0.0


def _rbf(bandwidth: float) -> _Similarity:
    def similarity(squared: Block) -> Block:
        return np.exp(np.negative(squared, out=squared), out=squared)

    return _Similarity(similarity, scale=bandwidth * bandwidth)


def _tophat(radius: float) -> _Similarity:
    def similarity(squared: Block) -> Block:
        # In single precision the limit is rounded up, as it serves upper bounds.
        limit = np.nextafter(
            np.asarray(radius * radius, squared.dtype), np.inf, dtype=squared.dtype
        )
        return np.less_equal(squared, limit, out=squared)

    return _Similarity(similarity)


def _distance() -> _Similarity:
    def similarity(squared: Block) -> Block:
        return np.negative(np.sqrt(squared, out=squared), out=squared)

    return _Similarity(similarity, most=0.0, least=None)


_KERNELS = {"rbf": _rbf, "tophat": _tophat}


# -- the objective -----------------------------------------------------------------------------


class _Objective(Protocol):
    """A monotone submodular function of the rows chosen, as the lazy greedy search sees it."""

    n_rows: int
    rough: bool  # whether bounds are cheaper than gains
    cells: Positions  # of each candidate; the gains of those of one cell are cheap to ask together

    def bounds(self) -> Values: ...

    def gains(self, positions: Positions, *, exact: bool) -> Values: ...

    def add(self, position: int) -> None: ...

    def exhausted(self) -> bool: ...


class _Coverage:
    """Weighted coverage of reference rows, kept up to date while rows are chosen.

    Parameters
    ----------
    points : _Points
        The candidates.
    rows : ndarray or sparse matrix of shape (n_reference, n_dims)
        Reference rows: what is to be covered.
    similarity : _Similarity
        How well a row covers another.
    weights : ndarray of shape (n_reference,)
        What it is worth to cover each reference row.
    rng : RandomState
        Draws the rows around which candidates are put into cells.
    labeled : ndarray or sparse matrix of shape (n_labeled, n_dims), default=None
        Rows that cover from the start.
    bonus : float, default=0.0
        What a candidate adds by itself, as a multiple of its greatest similarity to any reference
        row.
    """

    def __init__(
        self,
        points: _Points,
        rows: Matrix,
        similarity: _Similarity,
        *,
        weights: Values,
        rng: RandomState,
        labeled: Matrix | None = None,
        bonus: float = 0.0,
    ) -> None:
        self.n_rows, self._points, self._rows = points.n_rows, points, rows
        self._similarity, self._weights = similarity, weights
        reference = _squared_norms(_shifted(rows, points.center, np.float64)).max(initial=0.0)
        largest = max(points.largest, float(reference))
        dtype, short = _precision(points, largest, similarity.scale)
        self._exact = self._distances(_DUPLICATE, np.float64)
        self.rough = dtype is not np.float64
        self._rough = self._distances(short, dtype) if self.rough else self._exact
        farthest = 2 * math.sqrt(largest)  # no two rows are farther apart
        least = similarity.least if similarity.least is not None else -farthest
        self._cover = np.full(rows.shape[0], least)
        self._negligible = _NOTHING * float(weights.sum()) * (similarity.most - least)
        if labeled is not None:
            self._cover_by(sparse.csr_array(labeled) if sparse.issparse(labeled) else labeled)
        self._bonus = bonus * self._nearness() if bonus else np.zeros(self.n_rows)
        self.cells = _cells(points, rng)
        # The greatest similarity of any candidate of a cell to each reference row, or above.
        self._reach = np.full((self.cells.max(initial=0) + 1, rows.shape[0]), -np.inf)

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        bounds = np.empty(self.n_rows)
        n_reference, itemsize = self._rough.n_reference, self._rough.dtype.itemsize
        for cell, members in enumerate(_members(self.cells)):
            for block in _blocks(len(members), n_reference, itemsize):
                positions = members[block]
                similarity = self._similarity.of(self._rough(self._points.X[positions]))
                np.maximum(self._reach[cell], similarity.max(axis=0), out=self._reach[cell])
                bounds[positions] = self._bound(similarity, _ALL)
        self._reach += 100 * np.finfo(self._rough.dtype).eps * np.abs(self._reach)
        return bounds + self._bonus

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""
        gains, cells = self._bonus[positions], self.cells[positions]
        distances = self._exact if exact else self._rough
        for cell in np.unique(cells):
            mine = np.flatnonzero(cells == cell)
            among = np.flatnonzero(self._reach[cell] > self._cover)  # nothing else can be gained
            block = self._similarity.of(distances(self._points.X[positions[mine]], among))
            gains[mine] += self._sum(block, among) if exact else self._bound(block, among)
        if not exact:
            return gains
        gains[gains <= self._negligible] = 0.0
        return _rounded(gains)

    def _sum(self, similarity: Block, among: Positions | slice) -> Block:
        """Return what each candidate adds to the cover of some reference rows."""
        cover, weights = self._cover[among], self._weights[among]
        dtype = similarity.dtype
        return _product(_excess(similarity, cover.astype(dtype)), weights.astype(dtype))

    def _bound(self, similarity: Block, among: Positions | slice) -> Block:
        """Return `_sum`, and as much as rounding could have taken from it."""
        unit = float(np.finfo(similarity.dtype).eps)
        covered = self._weights[among] @ np.abs(self._cover[among])
        return self._sum(similarity, among) * (1 + 100 * unit) + 8 * unit * covered

    def add(self, position: int) -> None:
        """Choose a candidate."""
        self._cover_by(self._points.X[position : position + 1])
        self._bonus[position] = 0.0

    def exhausted(self) -> bool:
        """Tell whether no candidate can gain anything."""
        left = self._weights @ (self._similarity.most - self._cover)
        return bool(left + self._bonus.max(initial=0.0) <= self._negligible)

    def _distances(self, short: float, dtype: Any) -> _Distances:
        scale, center = self._similarity.scale, self._points.center
        return _Distances(self._rows, center, scale=scale, short=short, dtype=dtype)

    def _cover_by(self, rows: Matrix) -> None:
        for block in _blocks(rows.shape[0], self._exact.n_reference):
            similarity = self._similarity.of(self._exact(rows[block]))
            np.maximum(self._cover, similarity.max(axis=0), out=self._cover)

    def _nearness(self) -> Values:
        """Return the similarity of each candidate to the reference row most like it."""
        nearness = np.empty(self.n_rows)
        for block in _blocks(self.n_rows, self._exact.n_reference):
            distances = self._exact(self._points.X[block])
            nearness[block] = self._similarity.of(distances).max(axis=1)
        return nearness


def _cells(points: _Points, rng: RandomState) -> Positions:
    """Return the cell of each candidate: that of the nearest of some rows spread over the pool."""
    n_cells = min(_CELLS, -(-points.n_rows // _CELL_ROWS))
    if n_cells <= 1:
        return np.zeros(points.n_rows, dtype=np.intp)
    some = points.X[np.sort(rng.permutation(points.n_rows)[: 20 * _CELLS])]
    return _nearest(points, some[kmeans_plusplus(some, n_cells, random_state=rng)])


def _members(cells: Positions) -> list[Positions]:
    """Return the positions of the candidates of each cell."""
    sizes = np.bincount(cells)
    return np.split(np.argsort(cells, kind="stable"), np.cumsum(sizes)[:-1])


def _precision(points: _Points, largest: float, scale: float) -> tuple[Any, float]:
    """Choose the precision of bounds, and the rounding of squared distances in it.

    Single precision halves the time, where it can hold the distances and its bounds are tight.
    """
    short = float(np.finfo(np.float32).eps) * (8 + math.sqrt(points.X.shape[1]))
    sparse_rows = not isinstance(points.X, np.ndarray)  # their products are in double precision
    held = all(1e-30 < value < 1e30 for value in (largest, largest / scale))
    if sparse_rows or not held or short * largest > 0.01 * points.spread**2:
        return np.float64, _DUPLICATE
    return np.float32, short


def _excess(block: Block, cover: Block) -> Block:
    """What each candidate covers better than it is covered already, in place."""
    if not cover.any():  # nothing is labelled
        return block
    return _at_least_zero(np.subtract(block, cover, out=block))


def _rounded(values: Values) -> Values:
    """Round to fewer bits than the arithmetic has."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, _BITS)), exponent - _BITS)


# -- lazy greedy -------------------------------------------------------------------------------


def _lazy_greedy(objective: _Objective, batch_size: int, rng: RandomState) -> Positions:
    """Choose rows one by one, each of the greatest gain; the first of them in a random order."""
    batch_size = min(batch_size, objective.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    order = rng.permutation(objective.n_rows)
    bounds = objective.bounds()[order]
    shortlist = _Shortlist(bounds)
    stage = np.full(len(bounds), -1)  # when a bound was last renewed, and how well
    picks: list[int] = []
    while len(picks) < batch_size and not objective.exhausted():
        best = _refresh_until_sure(objective, order, bounds, shortlist, stage, len(picks))
        if bounds[best] <= 0.0:
            break
        picks.append(int(order[best]))
        objective.add(picks[-1])
        bounds[best] = -np.inf
    return fill_at_random(picks, batch_size, objective.n_rows, rng)


def _refresh_until_sure(
    objective: _Objective,
    order: Positions,
    bounds: Values,
    shortlist: _Shortlist,
    stage: NDArray[np.intp],
    n_picks: int,
) -> int:
    """Return the candidate of greatest gain, making bounds into gains until it is known."""
    bounded, exact = 2 * n_picks, 2 * n_picks + 1  # stages of a candidate in this round
    best, greatest = shortlist.best(), 0.0
    while stage[best] < exact and bounds[best] > 0.0:
        aim = bounded if objective.rough and stage[best] < bounded else exact
        # Those of one cell can be asked together at little more cost than one of them.
        rivals = shortlist.members
        rivals = rivals[objective.cells[order[rivals]] == objective.cells[order[best]]]
        rivals = rivals[(stage[rivals] < aim) & (bounds[rivals] >= greatest)]
        n_asked = _BOUNDED_AT_ONCE if aim == bounded else _EXACT_AT_ONCE
        asked = np.union1d(_highest(bounds, rivals, n_asked), best)
        gains = objective.gains(order[asked], exact=aim == exact)
        bounds[asked], stage[asked] = np.minimum(bounds[asked], gains), aim
        if aim == exact:
            greatest = max(greatest, gains.max())
        best = shortlist.best()
    return best


def _highest(bounds: Values, members: Positions, n_highest: int) -> Positions:
    """Return those of the members whose bounds are highest, in no order."""
    if n_highest >= len(members):
        return members
    place = len(members) - n_highest
    return members[np.argpartition(bounds[members], place)[place:]]


class _Shortlist:
    """The highest of many bounds that only fall, so that few of them are looked at often."""

    def __init__(self, bounds: Values) -> None:
        self._bounds = bounds
        self._fill()

    def _fill(self) -> None:
        bounds = self._bounds
        place = max(0, len(bounds) - _SHORTLIST)
        threshold = np.partition(bounds, place)[place]
        self.members = np.flatnonzero(bounds >= threshold)
        self._outside = bounds.max(initial=-np.inf, where=bounds < threshold)

    def _first(self) -> int:
        return int(self.members[np.argmax(self._bounds[self.members])])

    def best(self) -> int:
        """Return the position of the highest bound, the first of them where several tie."""
        best = self._first()
        if self._bounds[best] <= self._outside:
            self._fill()
            best = self._first()
        return best


# -- the sample on which coverage is measured --------------------------------------------------


def _sample(
    n_rows: int, weights: NDArray[Any] | None, size: int | None, rng: RandomState
) -> tuple[Positions | slice, Values]:
    """Draw rows in proportion to their weights, and return them with Horvitz-Thompson weights.

    Systematic sampling from a random order: exactly `size` rows, where as many have a weight.
    """
    weights = np.ones(n_rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if size is None or n_rows <= size:
        return slice(None), weights
    inclusion = _inclusion_probabilities(weights, size)
    order = rng.permutation(n_rows)
    steps = np.floor(np.cumsum(inclusion[order]) + rng.uniform())
    drawn = np.sort(order[np.diff(steps, prepend=0.0) > 0])
    return drawn, weights[drawn] / inclusion[drawn]


def _inclusion_probabilities(weights: Values, size: int) -> Values:
    """Return probabilities in proportion to the weights that sum to `size`, none above 1."""
    inclusion = np.where(weights > 0, 1.0, 0.0)
    free, n_positive = weights > 0, int((weights > 0).sum())
    while n_positive > size:
        left = size - (n_positive - free.sum())  # draws not taken up by rows that are certain
        inclusion[free] = weights[free] * (left / weights[free].sum())
        certain = free & (inclusion >= 1.0)
        if not certain.any():
            break
        inclusion[certain] = 1.0
        free &= ~certain
    return inclusion


# -- the radius at which balls are pure --------------------------------------------------------


def _kmeans_centers(X: Matrix, n_clusters: int, rng: RandomState) -> Values:
    """Return the centres of at most as many clusters as there are rows, (n_clusters, n_dims)."""
    from sklearn.cluster import KMeans  # late: it takes a tenth of a second
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Duplicate rows are no fault of the caller's: some clusters are empty.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        model = KMeans(min(n_clusters, X.shape[0]), n_init=1, random_state=rng)
        return model.fit(X).cluster_centers_


def _nearest(points: _Points, centers: Matrix) -> Positions:
    """Return the position of the centre nearest to each row, (n_rows,)."""
    X = points.X
    kind = np.asarray if isinstance(X, np.ndarray) else sparse.csr_array
    distances = _Distances(kind(centers), points.center, scale=1, short=0, dtype=np.float64)
    nearest = np.empty(points.n_rows, dtype=np.intp)
    for block in _blocks(points.n_rows, centers.shape[0] + X.shape[1]):
        nearest[block] = distances(X[block]).argmin(axis=1)
    return nearest


def _distance_to_another(
    points: _Points, balls: Matrix, clusters: Positions, own: Positions
) -> Values:
    """Return the distance of each ball's centre to the nearest row of another cluster."""
    distances = _Distances(balls, points.center, scale=1, short=_DUPLICATE, dtype=np.float64)
    nearest = np.full(balls.shape[0], np.inf)
    for block in _blocks(points.n_rows, balls.shape[0] + balls.shape[1]):
        squared = distances(points.X[block])
        squared[clusters[block, np.newaxis] == own] = np.inf
        np.minimum(nearest, squared.min(axis=0), out=nearest)
    return np.sqrt(nearest)
