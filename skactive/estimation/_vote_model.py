"""A Bayesian model of the labels of rows, given the votes of several models for their classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import softmax

from skactive._utils.array_types import Floats, Positions

__all__ = ["VoteModel"]

_MEAN, _DEVIATION = 4.0, 2.0  # prior of the sum of all weights: how far votes are trusted
_OWN_DEVIATION = 0.5  # prior deviation of the weight of a model from the others
_BLOCK = 2_000_000  # probabilities that are held at a time
_N_STEPS = 50


class VoteModel:
    r"""Logistic model of labels: each model adds its weight to the class that it votes for.

    Parameters
    ----------
    votes : ndarray of int, shape (n_models, n_rows)
        The class that each model predicts, 0 .. n_classes - 1.
    n_classes : int
        Number of classes.

    Notes
    -----
    With the votes :math:`v_m(x)` of M models

    .. math:: p(c \mid x, \beta) \propto \exp \sum_m \beta_m 1[v_m(x) = c], \qquad
        \beta \sim N\Big( \frac{b}{M} 1,\ \tau^2 I + \frac{\sigma^2}{M^2} 1 1^T \Big)

    so that without labels the votes count alike. The model is one of labels given votes; therefore
    rows may be labeled in any order and for any reason. Its posterior is taken as normal around its
    mode, with the curvature there (Laplace).
    """

    def __init__(self, votes: NDArray[np.intp], n_classes: int) -> None:
        self._votes, self._n_classes = votes, n_classes
        n_models, n_rows = votes.shape
        cells = np.arange(n_rows) * n_classes + votes  # (n_models, n_rows): row and class as one
        models = np.repeat(np.arange(n_models), n_rows)
        shape = (n_rows * n_classes, n_models)
        ones = np.ones(cells.size)
        self._ballots = sp.csr_matrix((ones, (cells.ravel(), models)), shape=shape)
        self._prior = np.full(n_models, _MEAN / n_models)
        together = np.full((n_models, n_models), (_DEVIATION / n_models) ** 2)
        self._precision = np.linalg.inv(together + _OWN_DEVIATION**2 * np.eye(n_models))
        self.weights = self._prior.copy()
        self._factor = cho_factor(self._precision, lower=True)

    def fit(self, rows: Positions, codes: NDArray[np.intp]) -> None:
        """Find the mode of the posterior by Newton steps, from the last one.

        Parameters
        ----------
        rows, codes : ndarray of shape (n_labeled,)
            The labeled rows and their classes.
        """
        cells = rows[:, None] * self._n_classes + np.arange(self._n_classes)
        ballots = self._ballots[cells.ravel()].toarray()
        ballots = ballots.reshape(len(rows), self._n_classes, -1)  # (n_labeled, n_classes, M)
        chosen = ballots[np.arange(len(rows)), codes].sum(axis=0)  # (M,)
        for _ in range(_N_STEPS):
            p = softmax(ballots @ self.weights, axis=1)  # (n_labeled, n_classes)
            means = np.einsum("lk,lkm->lm", p, ballots)
            flat = (np.sqrt(p)[:, :, None] * ballots).reshape(-1, len(self.weights))
            curvature = flat.T @ flat - means.T @ means + self._precision
            gradient = chosen - means.sum(axis=0) - self._precision @ (self.weights - self._prior)
            self._factor = cho_factor(curvature, lower=True)
            step = cho_solve(self._factor, gradient)
            # The log posterior is concave, but far from its mode a whole step may go too far.
            self.weights = self.weights + step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
            if np.abs(step).max() < 1e-8:
                break

    def draw_weights(self, n_draws: int, rng: np.random.RandomState) -> Floats:
        """Draw weights from the posterior, (n_models, n_draws)."""
        noise = rng.standard_normal((len(self.weights), n_draws))
        factor, lower = self._factor
        spread = solve_triangular(factor, noise, lower=lower, trans="T")
        return np.asarray(self.weights[:, None] + spread)

    def proba(self, weights: Floats) -> Iterator[tuple[slice, Floats]]:
        """Yield blocks of rows with the probabilities of their classes by each draw.

        Yields
        ------
        block : slice
            Some of the rows.
        proba : ndarray of shape (n_block, n_classes, n_draws)
            Their probabilities.
        """
        n_rows, n_draws = self._votes.shape[1], weights.shape[1]
        size = max(1, _BLOCK // (self._n_classes * n_draws))
        for begin in range(0, n_rows, size):
            block = slice(begin, min(begin + size, n_rows))
            cells = slice(block.start * self._n_classes, block.stop * self._n_classes)
            scores = self._ballots[cells] @ weights
            yield block, softmax(scores.reshape(-1, self._n_classes, n_draws), axis=1)

    def count_right(self, block: slice, proba: Floats) -> Floats:
        """Return how many rows of a block each model has right, (n_models, n_draws)."""
        cells = slice(block.start * self._n_classes, block.stop * self._n_classes)
        return np.asarray(self._ballots[cells].T @ proba.reshape(-1, proba.shape[2]))
