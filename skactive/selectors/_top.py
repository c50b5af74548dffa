"""The rows of highest score, with or without a random perturbation of the scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.random import sample_without_replacement

from skactive._utils.array_types import Positions
from skactive._utils.public_input import check_input
from skactive._utils.seeding import Seed, make_random_state

__all__ = [
    "PowerTop",
    "SoftmaxTop",
    "SoftrankTop",
    "top",
]


@check_input()
def top(scores: NDArray[Any], batch_size: int, random_state: Seed = None) -> Positions:
    r"""Select the rows of highest score, ties broken at random.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Score of each row, higher is better; minus infinity is allowed.
    batch_size : int
        Number of rows to select.
    random_state : int, RandomState or None, default=None
        Seed for breaking ties. Among rows of equal score, each subset and each order is equally
        likely.

    Returns
    -------
    ndarray of shape (min(batch_size, n_rows),)
        Positions, best first.

    Notes
    -----
    The maxima of blocks rule out most rows, a partition finds the lowest score that is selected,
    and only the selected rows are sorted: :math:`O(n + k \log k)` for :math:`k` of :math:`n` rows.

    Examples
    --------
    >>> import numpy as np
    >>> top(np.array([0.1, 0.7, 0.4, 0.9]), batch_size=2)
    array([3, 1])
    """
    batch_size = min(batch_size, len(scores))
    if batch_size == 0:
        return np.empty(0, dtype=np.intp)
    rng = make_random_state(random_state)
    rows = np.flatnonzero(scores >= _bound_threshold(scores, batch_size))
    contenders = scores[rows]
    threshold = np.partition(contenders, -batch_size)[-batch_size]
    above = rows[contenders > threshold]
    tied = rows[contenders == threshold]
    sample = sample_without_replacement(len(tied), batch_size - len(above), random_state=rng)
    picks = rng.permutation(np.concatenate([above, tied[sample]]))
    # The sort is stable, so rows of equal score keep their random order.
    return picks[np.argsort(-scores[picks].astype(np.float64), kind="stable")]


def _bound_threshold(scores: NDArray[Any], n: int) -> Any:
    """Return a lower bound of the n-th highest score that few other scores reach in a large pool.

    It is the n-th highest of the maxima of blocks: one pass, where a partition takes several.
    """
    width = len(scores) // (16 * n)
    if width < 2:
        return scores.min()
    n_blocks = len(scores) // width
    maxima = scores[: n_blocks * width].reshape(n_blocks, width).max(axis=1)
    return np.partition(maxima, -n)[-n]


class _GumbelTop(BaseEstimator, ABC):
    """Top-k of log-potentials perturbed by Gumbel noise of scale ``1 / beta``.

    The k highest perturbed log-potentials are a sample of k rows without replacement, drawn in
    proportion to their potentials to the power of ``beta``.
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    @check_input()
    def __call__(
        self, scores: NDArray[Any], batch_size: int, random_state: Seed = None
    ) -> Positions:
        """Select rows at random, rows of high score more often.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)
            Score of each row, higher is better.
        batch_size : int
            Number of rows to select.
        random_state : int, RandomState or None, default=None
            Seed for the noise and for breaking ties.

        Returns
        -------
        ndarray of shape (min(batch_size, n_rows),)
            Positions in the order of the draws.

        Raises
        ------
        ValueError
            If ``beta`` is not positive, or the potential is not defined for the scores.
        """
        if not self.beta > 0:
            raise ValueError(
                f"beta must be positive, got {self.beta!r}. Small values approach a uniform draw, "
                "large values top-k."
            )
        rng = make_random_state(random_state)
        noise = rng.gumbel(size=len(scores)) / self.beta
        return top(self._log_potential(scores, rng) + noise, batch_size, rng)

    @abstractmethod
    def _log_potential(self, scores: NDArray[Any], rng: RandomState) -> NDArray[np.float64]:
        """Return the logarithm of each row's potential, (n_rows,)."""


class PowerTop(_GumbelTop):
    r"""Draw rows in proportion to a power of their score.

    Parameters
    ----------
    beta : float, default=1.0
        Power, above 0: near 0 the draw is uniform, at infinity it is :func:`top`.

    Raises
    ------
    ValueError
        When called, if ``beta`` is not positive or a score is negative.

    Notes
    -----
    Without replacement, row :math:`i` is drawn with :math:`p_i \propto s_i^\beta`. Rows of score 0
    come last, in random order.

    References
    ----------
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal (2021),
    :doi:`10.48550/arXiv.2106.12059`.

    Examples
    --------
    >>> import numpy as np
    >>> PowerTop(beta=2.0)(np.array([0.0, 0.7, 0.0, 0.9]), batch_size=3, random_state=0)[:2]
    array([3, 1])
    """

    def _log_potential(self, scores: NDArray[Any], rng: RandomState) -> NDArray[np.float64]:
        lowest = scores.min(initial=0.0)
        if lowest < 0:
            raise ValueError(
                f"PowerTop needs scores that are at least 0, got {lowest:.6g}. Shift the scores, "
                "or use SoftmaxTop or SoftrankTop, which accept scores of any sign."
            )
        impossible = np.full(len(scores), -np.inf)
        return np.log(scores, out=impossible, where=scores > 0, dtype=np.float64)


class SoftmaxTop(_GumbelTop):
    r"""Draw rows in proportion to the exponential of their score.

    Parameters
    ----------
    beta : float, default=1.0
        Inverse temperature, above 0, in the inverse unit of the scores: near 0 the draw is
        uniform, at infinity it is :func:`top`.

    Raises
    ------
    ValueError
        When called, if ``beta`` is not positive.

    Notes
    -----
    Without replacement, row :math:`i` is drawn with :math:`p_i \propto e^{\beta s_i}`.

    References
    ----------
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal (2021),
    :doi:`10.48550/arXiv.2106.12059`.

    Examples
    --------
    >>> import numpy as np
    >>> SoftmaxTop(beta=100.0)(np.array([0.1, 0.7, -0.4, 0.9]), batch_size=2, random_state=0)
    array([3, 1])
    """

    def _log_potential(self, scores: NDArray[Any], rng: RandomState) -> NDArray[np.float64]:
        return scores.astype(np.float64)


class SoftrankTop(_GumbelTop):
    r"""Draw rows in inverse proportion to a power of their rank.

    Parameters
    ----------
    beta : float, default=1.0
        Power, above 0: near 0 the draw is uniform, at infinity it is :func:`top`.

    Raises
    ------
    ValueError
        When called, if ``beta`` is not positive.

    Notes
    -----
    Without replacement, row :math:`i` is drawn with :math:`p_i \propto r_i^{-\beta}`, where
    :math:`r_i = 1` is the rank of the highest score. Rows of equal score get their ranks at
    random. Only the order of the scores matters.

    References
    ----------
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal (2021),
    :doi:`10.48550/arXiv.2106.12059`.

    Examples
    --------
    >>> import numpy as np
    >>> SoftrankTop(beta=100.0)(np.array([0.1, 0.7, -0.4, 0.9]), batch_size=2, random_state=0)
    array([3, 1])
    """

    def _log_potential(self, scores: NDArray[Any], rng: RandomState) -> NDArray[np.float64]:
        rank = np.empty(len(scores))
        rank[top(scores, len(scores), rng)] = np.arange(1, len(scores) + 1)
        return -np.log(rank)


def fill_at_random(picks: list[int], batch_size: int, n_rows: int, rng: RandomState) -> Positions:
    """Return ``picks``, filled up to ``batch_size`` with other positions drawn uniformly."""
    positions = np.array(picks, dtype=np.intp)
    if len(positions) == batch_size:
        return positions
    is_candidate = np.ones(n_rows, dtype=bool)
    is_candidate[positions] = False
    rest = rng.choice(np.flatnonzero(is_candidate), batch_size - len(positions), replace=False)
    return np.concatenate([positions, rest])
