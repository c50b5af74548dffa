"""Selectors that cover the pool: every row shall be near to a row that is labelled or chosen.

All of them maximise a weighted coverage, greedily and lazily. A gain can only fall while rows are
chosen (the objective is submodular), so an old gain is an upper bound: of the candidates only those
that could still win are asked again, a block of them by one matrix product, until the winner is
up to date. The first bounds come from one pass in single precision, in which distances are taken
shorter by as much as rounding could have made them longer; gains that decide are in double
precision, and leave out what no candidate near them can cover better. So the picks are those of
plain greedy, and no array holds n x n values.

Candidates lie in cells. By the triangle inequality, a cell too far from a reference row to cover it
better than it is covered is never compared with it; for balls that is most of all pairs. Balls
need no search for stale bounds either: what a pick covers is taken off those of its neighbours.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import ThreadpoolController

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
_BOUNDED_AT_ONCE, _EXACT_AT_ONCE = 32, 4
# Candidates lie in at most so many cells; for each, what none of its rows can cover is left out.
_CELLS, _CELL_ROWS = 48, 64
_CELL_SAMPLE, _LLOYD_STEPS = 20, 3  # rows from which a cell's centre is learnt, and how
_FEW_PAIRS = 10**6  # of rows; with fewer of them threads do not matter
_TILE = 2048  # reference rows that some candidates are compared with at a time
# Up to so much, rows are kept as the products take them; a larger pool is not copied whole.
_KEPT_BYTES = 2**25
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
    reference: Matrix | None = None,
    kernel: str = "rbf",
    bandwidth: float | NDArray[Any] | None = None,
    labeled_bandwidth: NDArray[Any] | None = None,
    worth: NDArray[Any] | None = None,
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
    weights : ndarray of shape (n_rows,) or (n_reference,), default=None
        How much it is worth to cover each row, at least 0; None counts all the same.
    reference : ndarray or sparse matrix of shape (n_reference, n_dims), default=None
        What is to be covered; None covers the rows of ``X``.
    kernel : {"rbf", "tophat"}, default="rbf"
        Similarity of two rows: :math:`\exp(-d^2 / \sigma^2)`, or 1 where :math:`d \le \sigma`
        and 0 elsewhere.
    bandwidth : float or ndarray of shape (n_rows,), default=None
        :math:`\sigma`, or how far each of the rows reaches ("rbf" only). None takes the root mean
        square distance of the rows from their mean; for rows of length 1 in all directions that
        is 1.
    labeled_bandwidth : ndarray of shape (n_labeled,), default=None
        How far the labelled points reach; needed where `bandwidth` is an array.
    worth : ndarray of shape (n_rows,), default=None
        What the gain of choosing each row is multiplied by, at least 0; None takes it as it is.
    max_reference : int or None, default=10_000
        Where there are more rows to be covered, coverage is measured on a sample of this many.
        None measures it on all rows, in time that grows with the square of their number.
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

    times what the row is worth itself, if `worth` says so. Without that, greedy picks reach at
    least :math:`1 - 1/e` of the best coverage possible. The sample is drawn without replacement,
    with probabilities :math:`\pi_i` in proportion to the weights, and its rows weigh
    :math:`w_i / \pi_i` (Horvitz-Thompson), so that its coverage is that of the pool on average.
    Every row remains a candidate: time grows with n_rows x n_reference, memory with
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
    rows = points.X if reference is None else reference
    chosen, weights = _sample(int(rows.shape[0]), weights, max_reference, rng)
    kind = _Balls if kernel == "tophat" else _Coverage
    options: dict[str, Any] = {"weights": weights, "labeled": labeled, "worth": worth}
    options["own"] = kernel != "tophat" and reference is None and isinstance(chosen, slice)
    if isinstance(bandwidth, np.ndarray):
        if kernel == "tophat":
            raise ValueError("kernel='tophat' takes one bandwidth for all rows; got an array.")
        options |= {"own": False, "sharpness": _sharpness(bandwidth)}
        options["labeled_sharpness"] = _sharpness(labeled_bandwidth)
        bandwidth = 1.0
    similarity = _KERNELS[kernel](points.spread if bandwidth is None else bandwidth)
    return _most_covering(kind, points, rows[chosen], similarity, batch_size, rng=rng, **options)


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
    options: dict[str, Any] = {"weights": weights, "labeled": labeled}
    options["own"] = isinstance(chosen, slice)
    return _most_covering(
        _Coverage, points, points.X[chosen], _distance(), batch_size, rng=rng, **options
    )


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
    options: dict[str, Any] = {"weights": ones, "labeled": labeled, "bonus": eta}
    return _most_covering(_Coverage, points, targets, similarity, batch_size, rng=rng, **options)


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
    clusters, _ = _nearest(points, centers)
    balls = np.sort(rng.permutation(points.n_rows)[:n_balls])
    stranger = np.sort(_distance_to_another(points, balls, clusters))
    impure = math.floor((1 - purity) * len(stranger) + 1e-9)
    return float(stranger[impure]) * (1 - 1e-6)  # just inside, whatever the rounding


# -- threads -----------------------------------------------------------------------------------


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def _threads(n_pairs: int) -> Iterator[int]:
    """Keep matrix products to one thread each, and tell how many threads there are for them.

    Products of some thousand rows lose more to waiting for threads than they win; parts of the
    pool are shared out among threads instead, with all that is done to them.
    """
    if n_pairs < _FEW_PAIRS:
        yield 1
        return
    n_threads = max((library["num_threads"] for library in _blas().info()), default=1)
    with _blas().limit(limits=1):
        yield n_threads


def _share_out(work: Callable[[int], None], n_parts: int, n_threads: int) -> None:
    """Do some work for each of the parts, which must not touch each other's results."""
    if n_threads == 1:
        for part in range(n_parts):
            work(part)
    else:
        with ThreadPoolExecutor(n_threads) as threads:
            list(threads.map(work, range(n_parts)))


def _split(n_rows: int, n_parts: int) -> Iterator[slice]:
    size = max(1, -(-n_rows // n_parts))
    return (slice(start, start + size) for start in range(0, n_rows, size))


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
        self._share, self._short = (1 - short) / scale, short
        columns = [rows * (-2 / scale), np.full_like(norms, self._share), norms * self._share]
        if isinstance(rows, np.ndarray):
            self._reference = np.concatenate(columns, axis=1).astype(dtype, copy=False)
        else:
            self._reference, self._norms = sparse.csr_array(columns[0]), columns[2].reshape(-1)

    @property
    def largest(self) -> float:
        """The largest squared norm of a reference row."""
        dense = isinstance(self._reference, np.ndarray)
        norms = self._reference[:, -1] if dense else self._norms
        return float(norms.max(initial=0.0)) / self._share

    def rounded(self, short: float, dtype: Any) -> _Distances:
        """Return the same, shortened by another share and in another precision."""
        other = copy(self)
        other.dtype, other._share = np.dtype(dtype), self._share * (1 - short) / (1 - self._short)
        other._short, other._reference = short, self._stretched(_ALL, other._share)
        other._reference = other._reference.astype(dtype)
        return other

    def _stretched(self, among: Positions | slice, share: float) -> NDArray[Any]:
        reference = self._reference[among].copy()
        reference[:, -1] *= share / self._share
        reference[:, -2] = share
        return reference

    def surely(self, left: NDArray[Any], among: Positions) -> Block:
        """Return distances of rows that are prepared, lengthened by what others are shortened."""
        share = self._share * (1 + 2 * self._short) / (1 - self._short)
        return _at_least_zero(_product(left, self._stretched(among, share).T))

    def __call__(self, rows: Matrix, among: Positions | slice = _ALL) -> Block:
        """Return at least 0, of shape (n_rows, n_reference), or so many as are `among` them."""
        return self.of(self.prepared(rows), among)

    def prepared(self, rows: Matrix) -> Matrix:
        """Return the factor of the product that stands for some rows."""
        rows = _shifted(rows, self._center, np.float64)
        if not isinstance(rows, np.ndarray):
            return rows
        norms = _squared_norms(rows)[:, np.newaxis]
        left = np.concatenate([rows, norms, np.ones_like(norms)], axis=1)
        return left.astype(self.dtype, copy=False)

    def of(self, left: Matrix, among: Positions | slice = _ALL) -> Block:
        """Return the distances of rows that are prepared."""
        reference = self._reference[among]
        if isinstance(left, np.ndarray):
            return _at_least_zero(_product(left, reference.T))
        squared = (left @ reference.T).toarray()
        squared += _squared_norms(left)[:, np.newaxis] * self._share
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


def _sharpness(lengths: NDArray[Any] | None) -> Values | None:
    """Return what squared distances are multiplied by, where each row has a length of its own."""
    return None if lengths is None else np.asarray(lengths, dtype=np.float64) ** -2.0


# -- the objective -----------------------------------------------------------------------------


class _Objective(Protocol):
    """A monotone submodular function of the rows chosen, as the lazy greedy search sees it."""

    n_rows: int
    rough: bool  # whether bounds are cheaper than gains
    cells: Positions  # of each candidate; the gains of those of one cell are cheap to ask together
    at_hand: bool  # whether bounds of all candidates are there for the asking

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
    own : bool, default=False
        Whether the reference rows are the candidates, and similarity is the same both ways.
    sharpness, labeled_sharpness : ndarray of shape (n_rows,) and (n_labeled,), default=None
        What squared distances from each candidate, and each labelled row, are multiplied by; None
        leaves them as they are.
    n_threads : int, default=1
        Number of threads among which the cells are shared out for the first bounds.
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
        own: bool = False,
        sharpness: Values | None = None,
        labeled_sharpness: Values | None = None,
        n_threads: int = 1,
    ) -> None:
        self._own, self._n_threads = own, n_threads
        self._sharpness = sharpness
        self.n_rows, self._points = points.n_rows, points
        self._similarity, self._weights = similarity, weights
        scale = similarity.scale
        self._exact = _Distances(
            rows, points.center, scale=scale, short=_DUPLICATE, dtype=np.float64
        )
        self._largest = max(points.largest, self._exact.largest)
        sharpest = 1.0 if sharpness is None else float(sharpness.max(initial=0.0))
        dtype, short = _precision(points, self._largest, scale, sharpest)
        self.rough = dtype is not np.float64
        self._rough = self._exact.rounded(short, dtype) if self.rough else self._exact
        farthest = 2 * math.sqrt(self._largest)  # no two rows are farther apart
        least = similarity.least if similarity.least is not None else -farthest
        self._cover = np.full(rows.shape[0], least)
        self._untouched = True  # nothing covers anything yet
        self._negligible = _NOTHING * float(weights.sum()) * (similarity.most - least)
        if labeled is not None and labeled.shape[0]:
            known = sparse.csr_array(labeled) if sparse.issparse(labeled) else labeled
            self._cover_by(known, labeled_sharpness)
        self._bonus = bonus * self._nearness() if bonus else np.zeros(self.n_rows)
        self._cells = _Cells.of(points, rng)
        self.cells, self._n_cells = self._cells.cells, len(self._cells.members)
        # The greatest similarity of any candidate of a cell to each reference row, or above; or
        # what nothing can be below, where it is covered better than that.
        self._reach = np.full((self._n_cells, rows.shape[0]), least)
        keeps = self.n_rows * (rows.shape[1] + 2) * self._rough.dtype.itemsize <= _KEPT_BYTES
        self._left = self._prepared() if self.rough and keeps else None

    at_hand = False

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        bounds = self._bonus.copy()

        def bound(cell: int) -> None:
            members = self._cells.members[cell]
            to_center = np.sqrt(self._exact(self._cells.centers[cell : cell + 1])[0])
            for block in _blocks(len(members), _TILE, self._rough.dtype.itemsize):
                among = self._within_reach(members[block], to_center)
                bounds[members[block]] += self._first_bounds(members[block], among)

        own = self._own and self._untouched  # no cover cuts anything off
        _share_out(self._own_bounds(bounds) if own else bound, self._n_cells, self._n_threads)
        self._reach += 100 * np.finfo(self._rough.dtype).eps * np.abs(self._reach)
        return bounds

    def _own_bounds(self, bounds: Values) -> Callable[[int], None]:
        """Return what bounds the gains of a cell, each similarity made once for both its rows."""
        lock, all_members = Lock(), self._cells.members

        def bound(cell: int) -> None:
            after = np.concatenate([np.empty(0, dtype=np.intp), *all_members[cell + 1 :]])
            for block in _blocks(len(all_members[cell]), _TILE, self._rough.dtype.itemsize):
                mine = all_members[cell][block]
                mutual = self._mutual_bounds(mine, after)
                first = self._first_bounds(mine, all_members[cell])
                with lock:
                    bounds[mine] += first
                    for positions, some in mutual:
                        bounds[positions] += some

        return bound

    def _mutual_bounds(self, mine: Positions, after: Positions) -> list[tuple[Positions, Values]]:
        """Return bounds of rows of a cell by those of later cells, and of those by these."""
        left, reach, bounds = self._factor(mine), self._reach[self.cells[mine[0]]], []
        for part in _blocks(len(after), len(mine), self._rough.dtype.itemsize):
            some, cells = after[part], self.cells[after[part]]
            similarity = self._similarity.of(self._rough.of(left, some))
            reach[some] = np.maximum(reach[some], similarity.max(axis=0))
            starts = np.flatnonzero(np.diff(cells, prepend=-1))
            there = np.ix_(cells[starts], mine)
            highest = np.maximum.reduceat(similarity, starts, axis=1).T
            self._reach[there] = np.maximum(self._reach[there], highest)
            bounds += [
                (mine, self._bound(similarity, some)),
                (some, self._bound(similarity.T, mine)),
            ]
        return bounds

    def _within_reach(self, positions: Positions, to_center: Values) -> Positions:
        """Return the reference rows that some candidates of a cell may cover better.

        By the triangle inequality, from the distances of both to the centre of the cell.
        """
        own = self._cells.distances[positions] / math.sqrt(self._similarity.scale)
        apart = np.maximum(to_center - own.max(), own.min() - to_center)
        # What rounding, and the shortening of distances, can do to the three of them.
        apart -= math.sqrt(8 * _DUPLICATE * self._largest / self._similarity.scale)
        nearest = np.square(np.maximum(apart, 0.0))
        if self._sharpness is not None:
            nearest *= self._sharpness[positions].min()
        return np.flatnonzero(self._similarity.of(nearest) > self._cover)

    def _first_bounds(self, positions: Positions, among: Positions) -> Values:
        """Return bounds for some candidates of one cell, and keep how far they reach."""
        left, reach = self._factor(positions), self._reach[self.cells[positions[0]]]
        bounds = np.zeros(len(positions))
        for part in _blocks(len(among), len(positions), self._rough.dtype.itemsize):
            some = among[part]
            similarity = self._likeness(self._rough.of(left, some), positions)
            reach[some] = np.maximum(reach[some], similarity.max(axis=0))
            bounds += self._bound(similarity, some)
        return bounds

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""
        gains, cells = self._bonus[positions], self.cells[positions]
        for cell in np.unique(cells):
            mine = np.flatnonzero(cells == cell)
            among = np.flatnonzero(self._reach[cell] > self._cover)  # nothing else can be gained
            gains[mine] += (self._exact_gains if exact else self._bounds_of)(positions[mine], among)
        if not exact:
            return gains
        gains[gains <= self._negligible] = 0.0
        return _rounded(gains)

    def _exact_gains(self, positions: Positions, among: Positions) -> Values:
        squared = self._exact(self._points.X[positions], among)
        return self._sum(self._likeness(squared, positions), among)

    def _bounds_of(self, positions: Positions, among: Positions) -> Values:
        worth_it = len(positions) * len(among) >= _FEW_PAIRS // 4
        n_threads = self._n_threads if worth_it else 1
        bounds, parts = np.zeros(len(positions)), list(_split(len(positions), n_threads))

        def bound(part: int) -> None:
            mine = positions[parts[part]]
            left = self._factor(mine)
            for block in _blocks(len(among), len(mine), self._rough.dtype.itemsize):
                similarity = self._likeness(self._rough.of(left, among[block]), mine)
                bounds[parts[part]] += self._bound(similarity, among[block])

        _share_out(bound, len(parts), n_threads)
        return bounds

    def _likeness(self, squared: Block, positions: Positions) -> Block:
        """Make squared distances from some candidates into similarities, in place."""
        if self._sharpness is not None:
            squared *= self._sharpness[positions, np.newaxis].astype(squared.dtype)
        return self._similarity.of(squared)

    def _sum(self, similarity: Block, among: Positions) -> Values:
        """Return what each candidate adds to the cover of some reference rows."""
        cover, weights = self._cover[among], self._weights[among]
        dtype = similarity.dtype
        if not self._untouched:  # else no similarity is below the cover
            similarity = _excess(similarity, cover.astype(dtype))
        total = _product(similarity, weights.astype(dtype)).astype(np.float64)
        return total - cover @ weights if self._untouched else total

    def _bound(self, similarity: Block, among: Positions) -> Values:
        """Return `_sum`, and as much as rounding could have taken from it."""
        unit = float(np.finfo(similarity.dtype).eps)
        covered = self._weights[among] @ np.abs(self._cover[among])
        lost = (100 if self._untouched else 8) * unit * covered
        return self._sum(similarity, among) * (1 + 100 * unit) + lost

    def add(self, position: int) -> None:
        """Choose a candidate."""
        among = np.flatnonzero(self._reach[self.cells[position]] > self._cover)
        mine = slice(position, position + 1)
        sharpness = None if self._sharpness is None else self._sharpness[mine]
        self._cover_by(self._points.X[mine], sharpness, among)
        self._bonus[position] = 0.0

    def exhausted(self) -> bool:
        """Tell whether no candidate can gain anything."""
        left = self._weights @ (self._similarity.most - self._cover)
        return bool(left + self._bonus.max(initial=0.0) <= self._negligible)

    def _prepared(self) -> Matrix:
        """Return the factors of all candidates, those of a cell one after the other."""
        order = np.concatenate(self._cells.members)
        left = np.empty((self.n_rows, self._points.X.shape[1] + 2), self._rough.dtype)
        for block in _blocks(*left.shape):
            left[block] = self._rough.prepared(self._points.X[order[block]])
        return left

    def _factor(self, positions: Positions) -> Matrix:
        if self._left is None:
            return self._rough.prepared(self._points.X[positions])
        return self._left[self._cells.places[positions]]

    def _cover_by(
        self, rows: Matrix, sharpness: Values | None, among: Positions | None = None
    ) -> None:
        """Cover reference rows, those among which any may be affected."""
        among = np.arange(self._exact.n_reference) if among is None else among
        for part in _blocks(len(among), _TILE):
            some = among[part]
            for block in _blocks(rows.shape[0], max(1, len(some))):
                squared = self._exact(rows[block], some)
                if sharpness is not None:
                    squared *= sharpness[block, np.newaxis]
                similarity = self._similarity.of(squared)
                self._cover[some] = np.maximum(self._cover[some], similarity.max(axis=0))
        self._untouched = False

    def _nearness(self) -> Values:
        """Return the similarity of each candidate to the reference row most like it."""
        nearness = np.empty(self.n_rows)
        for block in _blocks(self.n_rows, max(self._exact.n_reference, self._points.X.shape[1])):
            distances = self._exact(self._points.X[block])
            nearness[block] = self._similarity.of(distances).max(axis=1)
        return nearness


@dataclass(frozen=True)
class _Cells:
    """Groups of candidates that lie near to each other.

    Attributes
    ----------
    centers : ndarray or sparse matrix of shape (n_cells, n_dims)
        The point around which each cell lies.
    cells : ndarray of shape (n_rows,)
        The cell of each candidate: that of the nearest centre.
    distances : ndarray of shape (n_rows,)
        Distance of each candidate to it.
    members : list of n_cells arrays
        The positions of the candidates of each cell, those near to the centre first.
    places : ndarray of shape (n_rows,)
        Where each candidate comes, if those of a cell stand together.
    """

    centers: Matrix
    cells: Positions
    distances: Values
    members: list[Positions]
    places: Positions

    @classmethod
    def of(cls, points: _Points, rng: RandomState) -> _Cells:
        n_cells = max(1, min(_CELLS, -(-points.n_rows // _CELL_ROWS)))
        some = points.X[np.sort(rng.permutation(points.n_rows)[: _CELL_SAMPLE * n_cells])]
        centers = _lloyd(some, some[kmeans_plusplus(some, n_cells, random_state=rng)])
        cells, squared = _nearest(points, centers)
        order = np.lexsort((squared, cells))
        ends = np.cumsum(np.bincount(cells, minlength=centers.shape[0]))
        places = np.empty_like(order)
        places[order] = np.arange(points.n_rows)
        return cls(centers, cells, np.sqrt(squared), np.split(order, ends[:-1]), places)


def _lloyd(X: Matrix, centers: Matrix) -> Matrix:
    """Move each centre to the mean of the rows nearest to it, a few times."""
    points = _Points.of(X)
    for _ in range(_LLOYD_STEPS):
        nearest, _squared = _nearest(points, centers)
        used, nearest, sizes = np.unique(nearest, return_inverse=True, return_counts=True)
        shape = (len(used), points.n_rows)
        mean = sparse.csr_array((1 / sizes[nearest], (nearest, np.arange(points.n_rows))), shape)
        centers = mean @ points.X
    return centers


class _Balls(_Coverage):
    """Coverage by similarities of 0 and 1: what is covered is covered once and for all.

    So all bounds are kept up to date by taking off what each pick covers, and each reference row
    is compared with the candidates near it once more at most.
    """

    def __init__(self, *arguments: Any, weights: Values, **options: Any) -> None:
        # Picks are the same for any unit of the weights; sums of ones are free of rounding.
        self._counts = bool(weights.any() and (weights == weights[0]).all())
        weights = np.ones_like(weights) if self._counts else weights
        super().__init__(*arguments, weights=weights, **options)
        self.at_hand = self.rough

    def bounds(self) -> Values:
        """Return upper bounds of the first gains of all candidates, shape (n_rows,)."""
        self._bounds = super().bounds()
        return self._bounds.copy()

    def gains(self, positions: Positions, *, exact: bool) -> Values:
        """Return the gains of some candidates, or bounds of them that are cheaper to come by."""
        if exact or not self.rough:
            return super().gains(positions, exact=exact)
        return self._bounds[positions]

    def add(self, position: int) -> None:
        """Choose a candidate."""
        before = self._cover.copy()
        super().add(position)
        if self.rough:
            self._take_off(np.flatnonzero(self._cover > before))

    def _take_off(self, covered: Positions) -> None:
        """Lower the bounds of all candidates by reference rows that nothing can gain any more."""
        within = self._reach[:, covered] > 0
        for cell in np.flatnonzero(within.any(axis=1)):
            among, members = covered[within[cell]], self._cells.members[cell]
            n_columns = max(len(among), self._points.X.shape[1])  # of the block, or of its rows
            for block in _blocks(len(members), n_columns, self._rough.dtype.itemsize):
                left = self._factor(members[block])
                inside = self._similarity.of(self._rough.surely(left, among))
                self._bounds[members[block]] -= self._least_sum(inside, among)

    def _least_sum(self, inside: Block, among: Positions) -> Values:
        total = _product(inside, self._weights[among].astype(inside.dtype)).astype(np.float64)
        return total if self._counts else total * (1 - 100 * float(np.finfo(inside.dtype).eps))

    def _bound(self, similarity: Block, among: Positions) -> Values:
        if self._counts:
            return self._sum(similarity, among)  # whole numbers, without rounding
        return super()._bound(similarity, among)


def _precision(
    points: _Points, largest: float, scale: float, sharpest: float = 1.0
) -> tuple[Any, float]:
    """Choose the precision of bounds, and the rounding of squared distances in it.

    Single precision halves the time, where it can hold the distances and its bounds are tight.
    """
    short = float(np.finfo(np.float32).eps) * (8 + math.sqrt(points.X.shape[1]))
    sparse_rows = not isinstance(points.X, np.ndarray)  # their products are in double precision
    held = all(1e-30 < v < 1e30 for v in (largest, largest / scale, sharpest * largest / scale))
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


def _most_covering(
    kind: type[_Coverage],
    points: _Points,
    rows: Matrix,
    similarity: _Similarity,
    batch_size: int,
    *,
    rng: RandomState,
    worth: NDArray[Any] | None = None,
    **options: Any,
) -> Positions:
    with _threads(points.n_rows * rows.shape[0]) as n_threads:
        objective = kind(points, rows, similarity, rng=rng, n_threads=n_threads, **options)
        worth = np.ones(points.n_rows) if worth is None else np.asarray(worth, dtype=np.float64)
        return _lazy_greedy(objective, worth, batch_size, rng)


def _lazy_greedy(
    objective: _Objective, worth: Values, batch_size: int, rng: RandomState
) -> Positions:
    """Choose rows one by one, each of the greatest gain; the first of them in a random order."""
    batch_size = min(batch_size, objective.n_rows)
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    order = rng.permutation(objective.n_rows)
    worth = worth[order]
    bounds = objective.bounds()[order] * worth
    shortlist = _Shortlist(bounds)
    stage = np.full(len(bounds), -1)  # when a bound was last renewed, and how well
    picks: list[int] = []
    while len(picks) < batch_size and not objective.exhausted():
        best = _refresh_until_sure(objective, order, worth, bounds, shortlist, stage, len(picks))
        if bounds[best] <= 0.0:
            break
        picks.append(int(order[best]))
        objective.add(picks[-1])
        bounds[best] = -np.inf
    return fill_at_random(picks, batch_size, objective.n_rows, rng)


def _refresh_until_sure(
    objective: _Objective,
    order: Positions,
    worth: Values,
    bounds: Values,
    shortlist: _Shortlist,
    stage: NDArray[np.intp],
    n_picks: int,
) -> int:
    """Return the candidate of greatest gain, making bounds into gains until it is known."""
    bounded, exact = 2 * n_picks, 2 * n_picks + 1  # stages of a candidate in this round
    best, greatest = shortlist.best(), 0.0
    n_bounded, most = _BOUNDED_AT_ONCE, 16 * _BOUNDED_AT_ONCE
    while stage[best] < exact and bounds[best] > 0.0:
        aim = bounded if objective.rough and stage[best] < bounded else exact
        if aim == bounded and objective.at_hand:
            asked = shortlist.members
        else:
            # Those of one cell can be asked together at little more cost than one of them.
            rivals = shortlist.members
            rivals = rivals[objective.cells[order[rivals]] == objective.cells[order[best]]]
            rivals = rivals[(stage[rivals] < aim) & (bounds[rivals] >= greatest)]
            n_asked = _EXACT_AT_ONCE if aim == exact else n_bounded
            asked = np.union1d(_highest(bounds, rivals, n_asked), best)
            n_bounded = min(2 * n_bounded, most) if aim == bounded else n_bounded
        gains = objective.gains(order[asked], exact=aim == exact) * worth[asked]
        bounds[asked] = np.minimum(bounds[asked], gains)
        stage[asked] = np.maximum(stage[asked], aim)
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
    """Draw rows where there are more than `size`; else take all, with their own weights."""
    weights = np.ones(n_rows) if weights is None else np.asarray(weights, dtype=np.float64)
    if size is None or n_rows <= size:
        return slice(None), weights
    return weighted_sample(weights, size, rng)


def weighted_sample(weights: Values, size: int, rng: RandomState) -> tuple[Positions, Values]:
    """Draw rows in proportion to their weights, and return them with Horvitz-Thompson weights.

    Systematic sampling from a random order: exactly `size` rows, where as many have a weight.
    """
    inclusion = _inclusion_probabilities(weights, size)
    order = rng.permutation(len(weights))
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


def _nearest(points: _Points, centers: Matrix) -> tuple[Positions, Values]:
    """Return the position of the centre nearest to each row, and its squared distance."""
    X = points.X
    kind = np.asarray if isinstance(X, np.ndarray) else sparse.csr_array
    distances = _Distances(kind(centers), points.center, scale=1, short=0, dtype=np.float64)
    nearest, least = np.empty(points.n_rows, dtype=np.intp), np.empty(points.n_rows)
    for block in _blocks(points.n_rows, centers.shape[0] + X.shape[1]):
        squared = distances(X[block])
        nearest[block], least[block] = squared.argmin(axis=1), squared.min(axis=1)
    return nearest, least


def _distance_to_another(points: _Points, balls: Positions, clusters: Positions) -> Values:
    """Return the distance of some rows to the nearest row of another cluster, or a little less."""
    dtype, short = _precision(points, points.largest, 1.0)
    distances = _Distances(points.X[balls], points.center, scale=1, short=short, dtype=dtype)
    members = np.split(np.argsort(clusters, kind="stable"), np.cumsum(np.bincount(clusters))[:-1])
    nearest = np.full((len(members), len(balls)), np.inf)

    def measure(cluster: int) -> None:
        others, mine = np.flatnonzero(clusters[balls] != cluster), members[cluster]
        for block in _blocks(len(mine), len(balls) + points.X.shape[1], distances.dtype.itemsize):
            squared = distances(points.X[mine[block]], others).min(axis=0)
            nearest[cluster, others] = np.minimum(nearest[cluster, others], squared)

    with _threads(points.n_rows * len(balls)) as n_threads:
        _share_out(measure, len(members), n_threads)
    return np.sqrt(nearest.min(axis=0))
