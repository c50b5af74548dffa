"""The two base classes of all strategies."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skactive._utils.compat import HasMethods, Interval
from skactive.exceptions import SelectionError, TiedScoresWarning
from skactive.selectors import top

if TYPE_CHECKING:
    from skactive.pool._view import PoolView

__all__ = ["SampledScoreStrategy", "ScoreStrategy", "Strategy"]

# Constraints that several strategies share.
STRATEGY: list[Any] = [HasMethods("select")]
A_SCORE: list[Any] = [HasMethods("score_in_chunks"), None]
POSITIVE_INT: list[Any] = [Interval(Integral, 1, None, closed="left"), None]

Positions = NDArray[np.intp]
Selector = Callable[..., Positions]


class Strategy(BaseEstimator, ABC):
    """Base of all strategies: hyper-parameters, and which rows of a pool to label next.

    A strategy holds no data and no model. Subclasses assign their hyper-parameters in
    ``__init__``, say what they read of a pool in `needs`, and implement `select`. They check
    nothing: the learner checks what comes in and what goes out.

    Attributes
    ----------
    needs : frozenset of str
        The readings of the pool that it uses: "proba", "decision", "proba_samples",
        "joint_samples", "prediction", "embedding", "gradient_factors", "fantasize", "X". A name
        such as "proba|decision" means that either will do. A strategy that needs only "embedding"
        or "X" can start cold, before there is a label.
    randomized : bool
        Whether the answer depends on the pool's random numbers other than through ties, for pools
        that are not so large that a sample of them has to do.
    """

    needs: frozenset[str] = frozenset()
    randomized: bool = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}  # checked by the learner

    def parts(self) -> list[Any]:
        """Return the strategies that this one is made of: those among its parameters."""
        return [
            value
            for value in self.get_params(deep=False).values()
            if isinstance(value, Strategy)
            or (isinstance(value, type) and issubclass(value, Strategy))
        ]

    @abstractmethod
    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose rows to label.

        Parameters
        ----------
        pool : PoolView
            The candidate rows, as the fitted model sees them.
        batch_size : int
            How many rows to choose, at most ``len(pool)``.

        Returns
        -------
        ndarray of shape (batch_size,), dtype intp
            Distinct positions in the pool, best first.
        """


class ScoreStrategy(Strategy):
    """Base of the strategies that give each row a score and take the best.

    Parameters
    ----------
    selector : callable, default=None
        ``selector(scores, batch_size, random_state)`` returns the positions to take. None takes
        the highest scores (:func:`skactive.selectors.top`). The stochastic selectors
        (:class:`skactive.selectors.PowerTop` and its fellows) spread a batch over more rows.

    Attributes
    ----------
    rowwise : bool
        Whether the score of a row depends on that row alone. Then the pool is scored in chunks
        that fit scikit-learn's ``working_memory``.
    """

    rowwise: bool = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"selector": [callable, None]}

    def __init__(self, *, selector: Selector | None = None) -> None:
        self.selector = selector

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """Whether rows are drawn; the default selector takes the best."""
        return self.selector is not None

    @abstractmethod
    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows of a pool.

        Parameters
        ----------
        pool : PoolView
            The candidate rows, as the fitted model sees them.

        Returns
        -------
        ndarray of shape (n_rows,)
            Finite; higher is more informative.
        """

    def score_in_chunks(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows of a pool, a chunk at a time where the score is `rowwise`."""
        chunks = list(pool.chunks(self.needs)) if self.rowwise else []
        if len(chunks) <= 1:
            scores = self.score(pool)
        else:
            scores = np.concatenate([self.score(pool.take(chunk)) for chunk in chunks])
        return _checked(scores, len(pool), type(self).__name__)

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Choose the rows that the selector makes of the scores."""
        scores = self.score_in_chunks(pool)
        if batch_size < len(scores) and np.ptp(scores) == 0.0:
            _warn_of_ties(self, len(scores))
        selector = top if self.selector is None else self.selector
        return selector(scores, batch_size, random_state=pool.random_state)


class SampledScoreStrategy(ScoreStrategy):
    """Base of scores that are made of each row's draws from the posterior.

    Parameters
    ----------
    n_samples : int, default=None
        How many draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        How rows are taken by their scores; None takes the highest.
    """

    needs = frozenset({"proba_samples"})
    rowwise = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_samples": POSITIVE_INT,
    }

    def __init__(self, *, n_samples: int | None = None, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.n_samples = n_samples


def _checked(scores: Any, n_rows: int, name: str) -> NDArray[np.float64]:
    """Check that scores are finite numbers, one a row."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (n_rows,):
        raise SelectionError(f"{name}.score must return {n_rows} numbers, got {scores.shape}.")
    if not np.isfinite(scores).all():
        n_bad = int((~np.isfinite(scores)).sum())
        raise SelectionError(f"{name}.score must return finite numbers; {n_bad} are not.")
    return scores


def _warn_of_ties(strategy: Any, n_rows: int) -> None:
    warnings.warn(
        f"{type(strategy).__name__} scores all {n_rows} rows of the pool the same, so the choice "
        "is random. Does the model give probabilities other than 0 and 1, and has it learned?",
        TiedScoresWarning,
        stacklevel=2,
    )
