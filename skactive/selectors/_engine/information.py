"""Information matrices and determinants, updated pick by pick."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy import linalg

from skactive.exceptions import PoolTooLargeError
from skactive.selectors._engine.points import canonical
from skactive.selectors._top import Positions

if TYPE_CHECKING:
    from skactive.selectors._engine.points import AnyPoints, Matrix

__all__ = ["Block", "Values"]


Values: TypeAlias = NDArray[np.float64]


Block: TypeAlias = slice | Positions


_BLOCK_BYTES = 2**21  # a block of rows and its products stay in a core's cache


_MIN_BLOCK_ROWS = 32  # fewer make no matrix product


_TIE = 1e-9  # merits carry the rounding of many updates; within it they tie


_MAX_NUMBERS = 2**27  # of an inverse, or of the columns that stand for it: 1 GiB


_MAX_DIMS = 5120  # of a trace criterion, which holds several matrices: 512 features, 10 classes


_MAX_FISHER_NUMBERS = 2**28  # of all rows' Fisher blocks: 2 GiB


_MAX_PENDING = 256  # picks that rows out of the race may lag behind


_ROWS_IN_RACE = (256, 4096)


_ROWS_IN_FRONT = 256  # rows whose traces are found first, to rule out others


_TINY_QUALITY = 1e-100  # so that its square is a number


_LEAST_RIDGE = 1e-10  # of the largest squared length: below, rounding would choose


_ROUNDING = 1e-12  # of bounds, as a share of what they are the difference of


_LEAST_EIGENVALUE = 1e-12  # of I - V^T A^-1 V, positive but for rounding


def _one_of_the_best(merits: Values, rng: RandomState) -> int:
    """Return the position of the largest merit; merits are at least 0 where they count."""
    best = np.flatnonzero(merits >= merits.max() * (1 - _TIE))
    return int(best[rng.randint(len(best))])


def _at_least(ridge: float, squared_lengths: Values) -> float:
    return max(ridge, _LEAST_RIDGE * float(squared_lengths.max()))


class _Rows:
    """Rows of a matrix, or outer products of the rows of two factors; float64 by blocks."""

    def __init__(self, X: AnyPoints) -> None:
        self._a, h = X if isinstance(X, tuple) else (None, X)
        self._h = h if isinstance(h, np.ndarray) else canonical(h)
        self._n_a = 1 if self._a is None else self._a.shape[1]
        self.n_rows, self.n_dims = h.shape[0], h.shape[1] * self._n_a

    def take(self, where: Block) -> _Rows:
        return _Rows(self._h[where] if self._a is None else (self._a[where], self._h[where]))

    def squared_lengths(self) -> Values:
        squared = _squared_lengths(self._h)
        return squared if self._a is None else squared * _squared_lengths(self._a)

    def dense(self, where: Block) -> Values:
        """Build some rows, (n, n_dims)."""
        h = _dense(self._h[where])
        if self._a is None:
            return h
        a = _floats(self._a[where])
        return (a[:, :, None] * h[:, None, :]).reshape(-1, self.n_dims)

    def row(self, position: int) -> Values:
        return self.dense(slice(position, position + 1))[0]

    def products(self, right: Values) -> Iterator[tuple[slice, Values]]:
        """Multiply the rows by the columns of `right`, a block (n, n_columns) at a time."""
        n_columns = right.shape[1]
        n_dense = self._h.shape[1] if isinstance(self._h, np.ndarray) else 0
        if self._a is not None:
            # (n_a n_h, m) -> (n_h, m n_a), so that the sums over n_a run along memory.
            right = right.reshape(self._n_a, -1, n_columns).transpose(1, 2, 0)
            right = right.reshape(len(right), -1)
        for block in _slices(self.n_rows, n_dense + right.shape[1]):
            product = _floats(self._h[block]) @ right
            yield block, product if self._a is None else self._summed(block, product)

    def _summed(self, block: slice, product: Values) -> Values:
        """Weigh by a, and sum over, the products of h with each part of the columns."""
        a = _floats(self._a[block])
        return np.einsum("ima,ia->im", product.reshape(len(a), -1, self._n_a), a)

    def sums_of_squares(self, columns: Values) -> Values:
        """Sum over the columns the squares of each row's products with them, (n_rows,)."""
        sums = np.empty(self.n_rows)
        for block, product in self.products(columns):
            sums[block] = np.einsum("im,im->i", product, product)
        return sums

    def quadratic(self, matrix: Values) -> Values:
        """Return x^T matrix x for each row, (n_rows,)."""
        values = np.empty(self.n_rows)
        for block in _slices(self.n_rows, 2 * self.n_dims):
            x = self.dense(block)
            values[block] = np.einsum("ij,ij->i", x @ matrix, x)
        return values

    def information(self) -> Values:
        """Sum x x^T over the rows, (n_dims, n_dims)."""
        total = np.zeros((self.n_dims, self.n_dims))
        for block in _slices(self.n_rows, self.n_dims):
            x = self.dense(block)
            total += x.T @ x
        return total


def _slices(n_rows: int, n_columns: int) -> Iterator[slice]:
    size = max(_MIN_BLOCK_ROWS, _BLOCK_BYTES // (8 * max(1, n_columns)))
    return (slice(start, start + size) for start in range(0, n_rows, size))


def _floats(block: Any) -> Any:
    return block.astype(np.float64, copy=False)


def _dense(block: Any) -> Values:
    return _floats(block if isinstance(block, np.ndarray) else block.toarray())


def _squared_lengths(factor: Any) -> Values:
    if isinstance(factor, np.ndarray):
        return np.einsum("ij,ij->i", factor, factor, dtype=np.float64)
    return np.asarray(_floats(factor).power(2).sum(axis=1)).reshape(-1)


class _Inverse:
    """``A^-1`` of a matrix A that grows by x x^T, for rows x one by one.

    Where rows will be fewer than dimensions, it is kept as I / ridge less the squares of as many
    columns; else it is written out.
    """

    def __init__(self, n_dims: int, ridge: float, known: _Rows | None, n_more: int) -> None:
        n_known = 0 if known is None else known.n_rows
        n_columns = min(n_dims, n_known + n_more)
        _check_numbers(n_dims, n_columns)
        self._ridge = ridge
        self._matrix: Values | None = None
        self._columns, self._n_columns = np.empty((n_dims, 0)), 0
        if n_columns < n_dims:
            self._columns = np.empty((n_dims, n_columns), order="F")
            if known is not None and n_known > 0:
                self._columns[:, :n_known] = _prior_columns(known, ridge)
                self._n_columns = n_known
        elif n_known == 0 or known is None:
            self._matrix = np.eye(n_dims) / ridge
        else:
            self._matrix = _inverse(known.information(), ridge)
        self._plain = n_known == 0

    def leverages(self, rows: _Rows) -> Values:
        """Return x^T A^-1 x for each row."""
        if self._matrix is not None and not self._plain:
            return rows.quadratic(self._matrix)
        leverages = rows.squared_lengths() / self._ridge
        if self._n_columns > 0:
            leverages -= rows.sums_of_squares(self._columns[:, : self._n_columns])
        return np.maximum(leverages, 0.0)

    def add(self, x: Values) -> Values:
        """Add x x^T to A, and return v for which A^-1 has fallen by v v^T."""
        v = self._times(x)
        v /= math.sqrt(1 + max(0.0, float(x @ v)))
        if self._matrix is None:
            self._columns[:, self._n_columns] = v
            self._n_columns += 1
        else:
            self._matrix -= np.outer(v, v)
        return v

    def _times(self, x: Values) -> Values:
        if self._matrix is not None:
            return self._matrix @ x
        columns = self._columns[:, : self._n_columns]
        return x / self._ridge - columns @ (columns.T @ x)


def _prior_columns(known: _Rows, ridge: float) -> Values:
    """Return R for which (ridge I + X^T X)^-1 = I / ridge - R R^T, (n_dims, n_known)."""
    X = known.dense(slice(None))
    gram = X @ X.T
    gram[np.diag_indices_from(gram)] += ridge
    factor = linalg.cholesky(gram, lower=True, overwrite_a=True)
    return linalg.solve_triangular(factor, X, lower=True).T / math.sqrt(ridge)


def _inverse(information: Values, ridge: float) -> Values:
    """Return (ridge I + information)^-1; `information` is overwritten."""
    information[np.diag_indices_from(information)] += ridge
    factor = linalg.cho_factor(information, lower=True, overwrite_a=True)
    inverse = linalg.cho_solve(factor, np.eye(len(information)), overwrite_b=True)
    return (inverse + inverse.T) / 2


class _Race:
    """The largest leverage, weighted or not, of rows whose leverages fall pick by pick.

    A few rows in front are up to date. The others lag behind: what they had when they last were is
    the most that they can have. Only when the front falls to the level of the others do all rows
    catch up, and the front is formed anew.
    """

    def __init__(self, rows: _Rows, inverse: _Inverse, weights: Values | None) -> None:
        self._rows, self._inverse, self._weights = rows, inverse, weights
        self._leverages = inverse.leverages(rows)
        self._left = np.ones(rows.n_rows, dtype=bool)
        self._pending: list[Values] = []
        self._form_front(self._merits(slice(None), self._leverages))

    def best(self, rng: RandomState) -> int:
        """Return the position of the row of largest merit, ties broken at random."""
        if len(self._pending) < _MAX_PENDING:
            merits = self._merits(self._front, self._front_leverages)
            if merits.max() * (1 - _TIE) > self._ceiling:
                return int(self._front[_one_of_the_best(merits, rng)])
        self._catch_up()
        merits = self._merits(slice(None), self._leverages)
        self._form_front(merits)
        return _one_of_the_best(merits, rng)

    def add(self, position: int) -> int:
        v = self._inverse.add(self._rows.row(position))
        self._left[position] = False
        self._pending.append(v)
        self._front_leverages -= self._front_rows.sums_of_squares(v[:, None])
        return position

    def _merits(self, where: Block, leverages: Values) -> Values:
        """Return what each row multiplies the determinant by; -1 for rows chosen."""
        leverages = np.maximum(leverages, 0.0)
        # 1 + g would lose the digits of small leverages, and without weights g orders as well.
        merits = leverages if self._weights is None else self._weights[where] * (1 + leverages)
        return np.where(self._left[where], merits, -1.0)

    def _catch_up(self) -> None:
        if self._pending:
            self._leverages -= self._rows.sums_of_squares(np.column_stack(self._pending))
            self._pending = []

    def _form_front(self, merits: Values) -> None:
        n_behind = len(merits) - _front_size(len(merits))
        if n_behind > 0:
            order = np.argpartition(merits, n_behind - 1)
            self._ceiling = float(merits[order[n_behind - 1]])
            # In order of position: which row wins a tie must not depend on who is in front.
            self._front = np.sort(order[n_behind:])
        else:
            self._front, self._ceiling = np.arange(len(merits)), -np.inf
        self._front_rows = self._rows.take(self._front)
        self._front_leverages = self._leverages[self._front]


def _front_size(n_rows: int) -> int:
    least, most = _ROWS_IN_RACE
    return min(n_rows, max(least, min(most, n_rows // 64)))


class _Variances:
    """What the mean variance over the pool falls by for each row that might be added."""

    def __init__(self, rows: _Rows, known: _Rows | None, ridge: float) -> None:
        n_dims = rows.n_dims
        information = np.zeros((n_dims, n_dims)) if known is None else known.information()
        self._rows, self._inverse = rows, _inverse(information, ridge)
        self._moment = rows.information() / rows.n_rows
        self._leverages = rows.quadratic(self._inverse)
        self._falls = rows.quadratic(self._inverse @ self._moment @ self._inverse)

    def gains(self, picks: list[int]) -> Values:
        """Return what the variance falls by if a row is added, (n_rows,)."""
        return self._falls / (1 + self._leverages)

    def add(self, position: int) -> None:
        x = self._rows.row(position)
        v = self._inverse @ x
        v /= math.sqrt(1 + max(0.0, float(x @ v)))
        moment = self._moment @ v
        w = self._inverse @ moment - v * (v @ moment / 2)
        self._inverse -= np.outer(v, v)
        # (A^-1 - v v^T) M (A^-1 - v v^T) is A^-1 M A^-1 - v w^T - w v^T.
        for block, product in self._rows.products(np.column_stack([v, w])):
            along_v, along_w = product.T
            self._leverages[block] -= along_v**2
            self._falls[block] -= 2 * along_v * along_w


class _Fisher:
    """What the trace falls by for each row that might be added, or rises by if taken back.

    For each row ``_spread`` is V^T A^-1 V and ``_fall`` is V^T A^-1 M A^-1 V, both (C-1, C-1).
    Dimensions are numbered (class direction, feature).
    """

    def __init__(
        self,
        proba: NDArray[Any],
        features: Matrix,
        ridge: float,
        labeled: tuple[NDArray[Any], Matrix] | None,
    ) -> None:
        self._proba = proba
        self._features = features if isinstance(features, np.ndarray) else canonical(features)
        n_rows, n_classes = proba.shape
        self._basis = linalg.helmert(n_classes)  # (C-1, C), across the shared direction
        n_dims = (n_classes - 1) * features.shape[1]
        known = np.zeros((n_dims, n_dims))
        if labeled is not None and len(labeled[0]) > 0:
            h = labeled[1]
            known = self._information(labeled[0], h if isinstance(h, np.ndarray) else canonical(h))
        self._inverse = _inverse(known, ridge)
        self._moment = self._information(self._proba, self._features) / n_rows
        self._spread = self._projected(self._inverse)
        self._fall = self._projected(self._inverse @ self._moment @ self._inverse)

    def of(self, positions: Positions) -> _Fisher:
        """Return the state for some of the rows; the matrices stay shared."""
        part = object.__new__(_Fisher)
        vars(part).update(vars(self))
        part._proba, part._features = self._proba[positions], self._features[positions]
        part._spread, part._fall = self._spread[positions], self._fall[positions]
        return part

    def gains(self, picks: list[int]) -> Values:
        """Return what the trace falls by if a row is added, (n_rows,).

        Of rows that cannot be the best of those not picked it is a bound from above.
        """
        if self._spread.shape[1] == 1:
            return (self._fall / (1 + self._spread))[:, 0, 0]
        gains = self._most()
        gains[picks] = -1.0
        front = np.argpartition(gains, -min(_ROWS_IN_FRONT, len(gains)))[-_ROWS_IN_FRONT:]
        front = front[gains[front] >= 0]
        level = self._traces(front).max(initial=0.0) * (1 - _TIE)
        close = np.flatnonzero(gains >= level)
        gains[close] = self._traces(close)
        return gains

    def _most(self) -> Values:
        """Return bounds of the gains, from 1 / (1 + s) <= 1 - s / (1 + t) where 0 <= s <= t."""
        most = np.empty(len(self._spread))
        for block in _slices(len(most), 2 * self._spread[0].size):
            spread, fall = self._spread[block], self._fall[block]
            traces = np.einsum("nii->n", fall)
            largest = np.sqrt(np.einsum("nij,nij->n", spread, spread))  # eigenvalue, at the most
            most[block] = traces - np.einsum("nij,nij->n", spread, fall) / (1 + largest)
            most[block] += _ROUNDING * np.abs(traces)
        return np.maximum(most, 0.0)

    def _traces(self, rows: Positions) -> Values:
        """Return the gains of some rows."""
        rank = self._spread.shape[1]
        gains, eye = np.empty(len(rows)), np.eye(rank)
        for block in _slices(len(rows), 3 * rank**2):
            solved = np.linalg.solve(eye + self._spread[rows[block]], self._fall[rows[block]])
            gains[block] = np.trace(solved, axis1=1, axis2=2)
        return gains

    def losses(self) -> Values:
        """Return what the trace rises by if a row, which must have been added, is taken back."""
        values, vectors = np.linalg.eigh(np.eye(self._spread.shape[1]) - self._spread)
        rotated = vectors.transpose(0, 2, 1) @ self._fall @ vectors
        diagonal = np.diagonal(rotated, axis1=1, axis2=2)
        return (diagonal / np.maximum(values, _LEAST_EIGENVALUE)).sum(axis=1)

    def add(self, position: int, sign: int = 1) -> None:
        """Add a row's information; sign=-1 takes it back."""
        V = self._columns(position)
        U = self._inverse @ V
        values, vectors = np.linalg.eigh(np.eye(V.shape[1]) + sign * (V.T @ U))
        P = U @ (vectors / np.sqrt(np.maximum(values, _LEAST_EIGENVALUE)))
        moment = self._moment @ P
        R = self._inverse @ moment - sign / 2 * P @ (P.T @ moment)
        # A^-1 falls by P P^T and A^-1 M A^-1 by P R^T + R P^T.
        self._inverse = self._inverse - sign * (P @ P.T)
        for block, product in self._products(np.concatenate([P, R], axis=1)):
            p, r = np.split(product, 2, axis=2)
            self._spread[block] -= sign * _product(p, p)
            cross = _product(p, r)
            self._fall[block] -= sign * (cross + cross.transpose(0, 2, 1))

    def _blocks(self, n_columns: int) -> Iterator[slice]:
        n_rows, n_classes = self._proba.shape
        return _slices(n_rows, n_classes * n_columns + self._features.shape[1])

    def _columns(self, position: int) -> Values:
        """Build V of one row, (n_dims, C-1)."""
        p = self._proba[position : position + 1].astype(np.float64)
        h = _dense(self._features[position : position + 1])
        factor = _across(p, self._basis.T[None])[0]  # (C-1, C-1), transposed
        return np.kron(factor.T, h.T)

    def _products(self, right: Values) -> Iterator[tuple[slice, Values]]:
        """Return V^T right a block of rows at a time, (n, C-1, n_columns)."""
        n_features, n_columns = self._features.shape[1], right.shape[1]
        by_class = np.tensordot(self._basis.T, right.reshape(-1, n_features, n_columns), axes=1)
        wide = by_class.transpose(1, 0, 2).reshape(n_features, -1)
        for block in self._blocks(2 * n_columns):
            product = _floats(self._features[block]) @ wide
            p = _floats(self._proba[block])
            yield block, _across(p, product.reshape(len(p), -1, n_columns))

    def _information(self, proba: NDArray[Any], features: Any) -> Values:
        """Sum (diag(p) - p p^T) kron h h^T over rows, (n_dims, n_dims)."""
        rank, n_features = len(self._basis), features.shape[1]
        total = np.zeros((rank, n_features, rank, n_features))
        for block in _slices(len(proba), 2 * n_features + proba.shape[1]):
            p, h = _floats(proba[block]), _dense(features[block])
            mean = p @ self._basis.T
            for i in range(rank):
                for j in range(i + 1):
                    weights = p @ (self._basis[i] * self._basis[j]) - mean[:, i] * mean[:, j]
                    total[i, :, j] += (h * weights[:, None]).T @ h
        for i in range(rank):
            for j in range(i):
                total[j, :, i] = total[i, :, j]  # symmetric in the features
        return total.reshape(rank * n_features, -1)

    def _projected(self, matrix: Values) -> Values:
        """Return V^T matrix V for each row, (n_rows, C-1, C-1)."""
        n_rows, rank = len(self._proba), len(self._basis)
        blocks = matrix.reshape(rank, -1, rank, len(matrix) // rank)
        projected = np.empty((n_rows, rank, rank))
        for where in self._blocks(3 * rank):
            p = _floats(self._proba[where])
            inner = _pairs(_dense(self._features[where]), blocks)
            half = _across(p, np.matmul(self._basis.T, inner) @ self._basis)  # (n, C-1, C)
            projected[where] = _across(p, half.transpose(0, 2, 1))
        return projected


def _pairs(h: Values, blocks: Values) -> Values:
    """Return h^T blocks[i, :, j] h for each row and pair, (n, C-1, C-1)."""
    rank = len(blocks)
    inner = np.empty((len(h), rank, rank))
    for i in range(rank):
        for j in range(i + 1):
            inner[:, i, j] = np.einsum("nd,nd->n", h @ blocks[i, :, j], h)
            inner[:, j, i] = inner[:, i, j]
    return inner


def _across(p: Values, values: Values) -> Values:
    """Return F^T values for each row, (n, C-1, m), where F F^T is diag(p) - p p^T.

    With s the roots of p, diag(p) - p p^T is diag(s) (I - s s^T) diag(s). The last C - 1 columns of
    the reflection that takes s to the first axis are an orthonormal basis across s, so F, their
    product with diag(s), costs no factorization and is right where probabilities are 0.
    """
    roots = np.sqrt(p)
    shared = np.einsum("nc,ncm->nm", p, values) + roots[:, :1] * values[:, 0]
    shared /= 1 + roots[:, :1]
    return roots[:, 1:, None] * (values[:, 1:] - shared[:, None])


def _product(left: Values, right: Values) -> Values:
    """Return left right^T for each row; matrices of one number take no call each."""
    return left * right if left.shape[1] == 1 else left @ right.transpose(0, 2, 1)


def _check_numbers(n_dims: int, n_columns: int) -> None:
    if n_dims * n_columns > _MAX_NUMBERS:
        raise PoolTooLargeError(
            f"The determinant needs {n_dims} x {n_columns} numbers, and takes at most "
            f"{_MAX_NUMBERS}. Ask for fewer rows, or lower the dimensions: pass the learner an "
            "embedder such as PCA or TruncatedSVD."
        )


def _check_dims(n_dims: int) -> None:
    if n_dims > _MAX_DIMS:
        raise PoolTooLargeError(
            f"The trace needs several matrices of {n_dims} x {n_dims} numbers (BAIT: classes less "
            f"one, times features), and takes at most {_MAX_DIMS} dimensions. Lower them: put PCA "
            "or TruncatedSVD before the model, or pass it to the learner as embedder."
        )


def _check_fisher_blocks(n_rows: int, rank: int) -> None:
    if 2 * n_rows * rank**2 > _MAX_FISHER_NUMBERS:
        raise PoolTooLargeError(
            f"BAIT keeps 2 x {rank}^2 numbers for each of {n_rows} rows, and takes at most "
            f"{_MAX_FISHER_NUMBERS} in all. Wrap it: Subsample(BAIT()) or "
            "Prefilter(Margin(), BAIT())."
        )
