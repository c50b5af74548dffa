r"""Traces of the Fisher information of a softmax layer, updated row by row.

A row with class probabilities p and features h has the information
``(diag(p) - p p^T) kron h h^T``. There is none along the direction that all classes share, so
everything is computed in the (C - 1) d dimensions orthogonal to it, numbered (class direction,
feature). With an orthonormal basis B of these class directions, (C-1, C), and a factor F,
(C, C-1), of ``F F^T = diag(p) - p p^T``, the information of a row is ``V V^T`` for
``V = B F kron h``, and adding it to A lowers ``tr(A^-1 M)`` by

    tr[(I + V^T A^-1 V)^-1  V^T A^-1 M A^-1 V]        (Woodbury).

The two small matrices of each row are kept up to date; V is built for picked rows only.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from skactive._utils.array_types import Floats, Positions
from skactive.exceptions import PoolTooLargeError
from skactive.selectors._engine.design_rows import (
    split_rows,
    squared_row_norms,
    to_dense,
    to_float64,
)
from skactive.selectors._engine.information import (
    GAIN_RTOL,
    check_trace_dims,
    clip_ridge,
    invert_information,
)
from skactive.selectors._engine.points import canonical

if TYPE_CHECKING:
    from skactive.selectors._engine.points import Matrix

__all__ = ["FisherReduction", "prepare_fisher"]

# Numbers in the small matrices of all rows: 2 GiB.
_MAX_FISHER_NUMBERS = 2**28
# Rows of highest bounds whose gains are computed first, to rule out others.
_SCREENING_ROWS = 256
# Rounding of a difference of traces, relative to what is subtracted from.
_TRACE_ROUNDING = 1e-12
# Eigenvalues of I - V^T A^-1 V are positive, except for rounding.
_MIN_EIGENVALUE = 1e-12


class FisherReduction:
    """Reductions of the trace criterion by each row, and increases if a row is taken back.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    features : ndarray or sparse matrix of shape (n_rows, n_features)
        Input of the softmax layer.
    ridge : float
        Lambda: A is ``ridge * I`` without labeled rows.
    labeled : pair of arrays or None
        Probabilities and features of the labeled rows.
    weight : float
        Weight of an added row in A; that of a labeled row is 1.
    average_labeled : bool
        Whether M is the mean over the rows and the labeled rows, or over the rows alone.
    """

    def __init__(
        self,
        proba: NDArray[Any],
        features: Matrix,
        ridge: float,
        labeled: tuple[NDArray[Any], Matrix] | None,
        *,
        weight: float,
        average_labeled: bool,
    ) -> None:
        self._proba = proba
        self._features = features if isinstance(features, np.ndarray) else canonical(features)
        n_rows, n_classes = proba.shape
        self._basis = linalg.helmert(n_classes)  # B, (C-1, C)
        n_dims = (n_classes - 1) * features.shape[1]
        information, moment = (
            np.zeros((n_dims, n_dims)),
            self._sum_information(proba, self._features),
        )
        if labeled is not None and len(labeled[0]) > 0:
            h = labeled[1] if isinstance(labeled[1], np.ndarray) else canonical(labeled[1])
            information = self._sum_information(labeled[0], h)
            if average_labeled:
                moment, n_rows = moment + information, n_rows + len(labeled[0])
        self._moment = moment / n_rows  # M, (n_dims, n_dims)
        # A^-1, (n_dims, n_dims), of A divided by the weight: added rows then have weight 1.
        self._inverse = invert_information(information / weight, ridge / weight)
        # V^T A^-1 V and V^T A^-1 M A^-1 V, (n_rows, C-1, C-1)
        self._leverages = self._project(self._inverse)
        self._numerators = self._project(self._inverse @ self._moment @ self._inverse)

    def take(self, positions: Positions) -> FisherReduction:
        """Return the state restricted to the rows at `positions`; A and M stay shared."""
        part = copy(self)
        part._proba, part._features = self._proba[positions], self._features[positions]
        part._leverages = self._leverages[positions]
        part._numerators = self._numerators[positions]
        return part

    def gains(self, picks: list[int]) -> Floats:
        """Return the reduction of the trace if a row is added, (n_rows,).

        For rows that cannot be the best of those not yet picked, it is an upper bound.
        """
        if self._leverages.shape[1] == 1:
            return (self._numerators / (1 + self._leverages))[:, 0, 0]
        gains = self._bound_gains()
        gains[picks] = -1.0
        first = np.argpartition(gains, -min(_SCREENING_ROWS, len(gains)))[-_SCREENING_ROWS:]
        first = first[gains[first] >= 0]
        threshold = self._compute_gains(first).max(initial=0.0) * (1 - GAIN_RTOL)
        contenders = np.flatnonzero(gains >= threshold)
        gains[contenders] = self._compute_gains(contenders)
        return gains

    def exact_gains(self) -> Floats:
        """Return the reduction of the trace if a row is added, exact for all rows, (n_rows,)."""
        return self._compute_gains(np.arange(len(self._leverages)))

    def losses(self) -> Floats:
        """Return the increase of the trace if a row, which must be in A, is taken back, (n_rows,).

        This is tr[(I - V^T A^-1 V)^-1 V^T A^-1 M A^-1 V].
        """
        values, vectors = np.linalg.eigh(np.eye(self._leverages.shape[1]) - self._leverages)
        rotated = vectors.transpose(0, 2, 1) @ self._numerators @ vectors
        diagonal = np.diagonal(rotated, axis1=1, axis2=2)
        return (diagonal / np.maximum(values, _MIN_EIGENVALUE)).sum(axis=1)

    def add(self, position: int, sign: int = 1) -> None:
        """Add the information of the row at `position` to A; sign=-1 takes it back."""
        V = self._build_columns(position)
        U = self._inverse @ V
        values, vectors = np.linalg.eigh(np.eye(V.shape[1]) + sign * (V.T @ U))
        # P P^T = U (I + sign V^T A^-1 V)^-1 U^T; P and R are (n_dims, C-1).
        P = U @ (vectors / np.sqrt(np.maximum(values, _MIN_EIGENVALUE)))
        moment = self._moment @ P
        R = self._inverse @ moment - sign / 2 * P @ (P.T @ moment)
        # A^-1 falls by sign P P^T, and A^-1 M A^-1 by sign (P R^T + R P^T).
        self._inverse = self._inverse - sign * (P @ P.T)
        for block, product in self._project_columns(np.concatenate([P, R], axis=1)):
            p, r = np.split(product, 2, axis=2)  # V^T P and V^T R, (n, C-1, C-1)
            self._leverages[block] -= sign * _multiply_transposed(p, p)
            cross = _multiply_transposed(p, r)
            self._numerators[block] -= sign * (cross + cross.transpose(0, 2, 1))

    # -- gains ---------------------------------------------------------------------------------

    def _bound_gains(self) -> Floats:
        """Return upper bounds of the gains, (n_rows,).

        For eigenvalues s of the leverages, up to t, 1 / (1 + s) <= 1 - s / (1 + t).
        """
        bounds = np.empty(len(self._leverages))
        for block in split_rows(len(bounds), 2 * self._leverages[0].size):
            leverages, numerators = self._leverages[block], self._numerators[block]
            traces = np.einsum("nii->n", numerators)
            # The Frobenius norm is at least the largest eigenvalue.
            largest = np.sqrt(np.einsum("nij,nij->n", leverages, leverages))
            bounds[block] = traces - np.einsum("nij,nij->n", leverages, numerators) / (1 + largest)
            bounds[block] += _TRACE_ROUNDING * np.abs(traces)
        return np.maximum(bounds, 0.0)

    def _compute_gains(self, rows: Positions) -> Floats:
        """Return the gains of `rows`, (n,)."""
        rank = self._leverages.shape[1]
        gains, eye = np.empty(len(rows)), np.eye(rank)
        for block in split_rows(len(rows), 3 * rank**2):
            positions = rows[block]
            solutions = np.linalg.solve(
                eye + self._leverages[positions], self._numerators[positions]
            )
            gains[block] = np.trace(solutions, axis1=1, axis2=2)
        return gains

    # -- products with V -----------------------------------------------------------------------

    def _split_rows(self, n_columns: int) -> Iterator[slice]:
        """Return slices of rows for blocks of `n_columns` numbers per class."""
        n_rows, n_classes = self._proba.shape
        return split_rows(n_rows, n_classes * n_columns + self._features.shape[1])

    def _build_columns(self, position: int) -> Floats:
        """Return V of one row, (n_dims, C-1)."""
        p = self._proba[position : position + 1].astype(np.float64)
        h = to_dense(self._features[position : position + 1])
        factor = _multiply_by_factor(p, self._basis.T[None])[0]  # (B F)^T, (C-1, C-1)
        return np.kron(factor.T, h.T)

    def _project_columns(self, right: Floats) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows and their V^T right, (n, C-1, n_columns)."""
        n_features, n_columns = self._features.shape[1], right.shape[1]
        # (C-1, d, m) -> (C, d, m) -> (d, C m): one product with the features for all classes.
        by_class = np.tensordot(self._basis.T, right.reshape(-1, n_features, n_columns), axes=1)
        wide = by_class.transpose(1, 0, 2).reshape(n_features, -1)
        for block in self._split_rows(2 * n_columns):
            product = to_float64(self._features[block]) @ wide
            p = to_float64(self._proba[block])
            yield block, _multiply_by_factor(p, product.reshape(len(p), -1, n_columns))

    def _project(self, matrix: Floats) -> Floats:
        """Return V^T matrix V for each row, (n_rows, C-1, C-1)."""
        n_rows, rank = len(self._proba), len(self._basis)
        blocks = matrix.reshape(rank, -1, rank, len(matrix) // rank)  # (C-1, d, C-1, d)
        projected = np.empty((n_rows, rank, rank))
        for rows in self._split_rows(3 * rank):
            p = to_float64(self._proba[rows])
            inner = _quadratic_forms(to_dense(self._features[rows]), blocks)  # (n, C-1, C-1)
            # B^T inner B is (n, C, C); F^T from the left and then from the right.
            half = _multiply_by_factor(p, np.matmul(self._basis.T, inner) @ self._basis)
            projected[rows] = _multiply_by_factor(p, half.transpose(0, 2, 1))
        return projected

    def _sum_information(self, proba: NDArray[Any], features: Any) -> Floats:
        """Return the sum of B (diag(p) - p p^T) B^T kron h h^T over rows, (n_dims, n_dims)."""
        rank, n_features = len(self._basis), features.shape[1]
        total = np.zeros((rank, n_features, rank, n_features))
        for block in split_rows(len(proba), 2 * n_features + proba.shape[1]):
            p, h = to_float64(proba[block]), to_dense(features[block])
            mean = p @ self._basis.T  # B p, (n, C-1)
            for i in range(rank):
                for j in range(i + 1):
                    weights = p @ (self._basis[i] * self._basis[j]) - mean[:, i] * mean[:, j]
                    total[i, :, j] += (h * weights[:, None]).T @ h
        for i in range(rank):
            for j in range(i):
                total[j, :, i] = total[i, :, j]  # symmetric in the features
        return total.reshape(rank * n_features, -1)


def _quadratic_forms(h: Floats, blocks: Floats) -> Floats:
    """Return h^T blocks[i, :, j] h for each row and each pair (i, j), (n, C-1, C-1)."""
    rank = len(blocks)
    inner = np.empty((len(h), rank, rank))
    for i in range(rank):
        for j in range(i + 1):
            inner[:, i, j] = np.einsum("nd,nd->n", h @ blocks[i, :, j], h)
            inner[:, j, i] = inner[:, i, j]
    return inner


def _multiply_by_factor(p: Floats, values: Floats) -> Floats:
    """Return F^T values for each row, (n, C-1, m), where F F^T = diag(p) - p p^T.

    With s the square roots of p, diag(p) - p p^T = diag(s) (I - s s^T) diag(s). The last C - 1
    columns of the reflection that maps s to the first axis are an orthonormal basis of the
    complement of s, so their product with diag(s) is such an F: it needs no factorization, and is
    exact where probabilities are 0.

    Parameters
    ----------
    p : ndarray of shape (n, C)
        Class probabilities.
    values : ndarray of shape (n, C, m) or (1, C, m)
        What to multiply.
    """
    roots = np.sqrt(p)
    shared = np.einsum("nc,ncm->nm", p, values) + roots[:, :1] * values[:, 0]
    shared /= 1 + roots[:, :1]
    return roots[:, 1:, None] * (values[:, 1:] - shared[:, None])


def _multiply_transposed(left: Floats, right: Floats) -> Floats:
    """Return left right^T for each row, (n, C-1, C-1)."""
    # matmul is slow on many 1 x 1 matrices.
    return left * right if left.shape[1] == 1 else left @ right.transpose(0, 2, 1)


def prepare_fisher(
    proba: NDArray[Any],
    features: Matrix,
    ridge: float,
    labeled: tuple[NDArray[Any], Matrix] | None,
    *,
    weight: float,
    average_labeled: bool,
) -> FisherReduction:
    """Check sizes, raise the ridge to where rounding does not decide, and return the state."""
    rank = proba.shape[1] - 1
    check_trace_dims(rank * features.shape[1])
    _check_size(len(proba), rank)
    ridge = clip_ridge(ridge, weight * squared_row_norms(features))
    return FisherReduction(
        proba, features, ridge, labeled, weight=weight, average_labeled=average_labeled
    )


def _check_size(n_rows: int, rank: int) -> None:
    """Raise PoolTooLargeError if the small matrices of all rows are too large together."""
    if 2 * n_rows * rank**2 > _MAX_FISHER_NUMBERS:
        raise PoolTooLargeError(
            f"BAIT stores 2 x {rank}^2 numbers for each of {n_rows} rows, but at most "
            f"{_MAX_FISHER_NUMBERS} in total are supported. Wrap it: Subsample(BAIT()) or "
            "Prefilter(Margin(), BAIT())."
        )
