"""The base classes of all strategies."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import POSITIVE_INT_OR_NONE
from skactive.exceptions import SelectionError, TiedScoresWarning
from skactive.scores._draws import score_one_by_one
from skactive.selectors import top

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = [
    "SampledScoreStrategy",
    "ScoreStrategy",
    "ScoringStrategy",
    "Selector",
    "Strategy",
    "change_named",
    "score_draws",
]

Selector = Callable[..., Positions]


class Strategy(BaseEstimator, ABC):
    """Base of all strategies: hyper-parameters, and the choice of the rows to label next.

    A strategy holds no data and no model. Subclasses assign their hyper-parameters in
    ``__init__``, declare the readings of a pool that they use in `needs`, and implement `select`.
    They check nothing: the learner checks their input and their output.

    Attributes
    ----------
    needs : frozenset of str
        The readings of the pool that the strategy uses: "proba", "decision", "proba_samples",
        "joint_samples", "prediction", "embedding", "gradient_factors", "fantasize", "X". A name
        such as "proba|decision" means that either will do. A strategy that needs only "embedding"
        or "X" can start cold, before any row is labeled.
    randomized : bool
        Whether the choice depends on the pool's random numbers, apart from breaking ties and
        sampling from large pools.
    regressors_only : bool
        Whether it compares predictions as numbers, so that the learner refuses classifiers.
    one_label_only : bool
        Whether it reads the labels of rows, one each, so that the learner refuses several per row.
    """

    needs: frozenset[str] = frozenset()
    randomized: bool = False
    regressors_only: ClassVar[bool] = False
    one_label_only: ClassVar[bool] = False
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}  # checked by the learner

    def parts(self) -> list[Any]:
        """Return the strategies among the parameters."""
        return [
            value
            for value in self.get_params(deep=False).values()
            if isinstance(value, Strategy)
            or (isinstance(value, type) and issubclass(value, Strategy))
        ]

    def with_parts(self, change: Callable[[Any], Any]) -> Any:
        """Return the same strategy around other ones.

        Parameters
        ----------
        change : callable
            ``change(part)`` returns the strategy to use instead of one that is in this one.

        Returns
        -------
        Strategy
            This one if no part changes.
        """
        parts = self._name_parts()
        changed = {name: change(part) for name, part in parts.items()}
        if all(changed[name] is part for name, part in parts.items()):
            return self
        return type(self)(**{**self.get_params(deep=False), **changed})

    def _name_parts(self) -> dict[str, Any]:
        """Return the strategies that this one is made of, by the names of the parameters."""
        params = self.get_params(deep=False)
        return {name: value for name, value in params.items() if isinstance(value, Strategy)}

    @property
    def for_elements(self) -> Any:
        """The strategy that chooses single elements of rows: the same, around those for elements.

        :meth:`ActiveLearner.query_elements <skactive.ActiveLearner.query_elements>` passes it the
        elements as its pool.
        """
        return self.with_parts(lambda part: getattr(part, "for_elements", part))

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

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return what the choice depends on, by name: a number for each row of the pool.

        Higher always speaks for a row. Strategies that score rows return their score; one that is
        made of parts returns them, and last their sum or product as "score". The values are those
        for the first row of a batch. By default there are none.

        Parameters
        ----------
        pool : PoolView
            The candidate rows, as the fitted model sees them.

        Returns
        -------
        dict of str to ndarray of shape (n_rows,)
        """
        return {}

    def explain_elements(
        self, pool: PoolView, positions: Positions
    ) -> list[dict[str, float]] | None:
        """Return the scores of the elements of some rows, where scores are made of elements.

        Parameters
        ----------
        pool : PoolView
            The candidate rows, as the fitted model sees them.
        positions : ndarray of shape (n,)
            Positions of rows of the pool.

        Returns
        -------
        list of n dicts of str to float, or None
            For each of these rows the elements that raise its score most, by name: those of the
            first strategy in this one that scores elements. None: none of them does.
        """
        explained = (getattr(part, "explain_elements", None) for part in self.parts())
        answers = (explain(pool, positions) for explain in explained if explain is not None)
        return next((answer for answer in answers if answer is not None), None)


class ScoringStrategy(Strategy):
    """Base of the strategies that can score every row of a pool.

    The row of the highest score is their first choice, apart from random draws. Further rows of a
    batch may depend on those chosen before.

    Attributes
    ----------
    rowwise : bool
        Whether the score of a row depends on that row alone. Then the pool is scored in chunks
        that fit scikit-learn's ``working_memory``.
    draws_scores : bool
        Whether the scores, not only the choice, depend on the pool's random numbers, apart from
        sampling from large pools.
    score_name : str
        A word for the score, with which :meth:`ActiveLearner.explain
        <skactive.ActiveLearner.explain>` names it.
    """

    rowwise: bool = False
    draws_scores: bool = False
    score_name: ClassVar[str] = "score"

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
        """Score the rows of a pool, chunk by chunk if the score is `rowwise`."""
        if not len(pool):  # such as rows without elements
            return np.empty(0)
        if self.rowwise:
            parts = (part for part in pool.blocks(self.needs) if len(part))
            scores = np.concatenate([self.score(part) for part in parts])
        else:
            scores = self.score(pool)
        return _check_scores(scores, len(pool), type(self).__name__)

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the score of each row under its name, of shape (n_rows,)."""
        return {self.score_name: self.score_in_chunks(pool)}


class ScoreStrategy(ScoringStrategy):
    """Base of the strategies that score the rows and choose those of the highest scores.

    Parameters
    ----------
    selector : callable, default=None
        ``selector(scores, batch_size, random_state)`` returns the chosen positions. None takes
        the highest scores (:func:`skactive.selectors.top`). Stochastic selectors such as
        :class:`skactive.selectors.PowerTop` spread a batch over more rows.

    Attributes
    ----------
    rowwise : bool
        Whether the score of a row depends on that row alone. Then the pool is scored in chunks
        that fit scikit-learn's ``working_memory``.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"selector": [callable, None]}

    def __init__(self, *, selector: Selector | None = None) -> None:
        self.selector = selector

    @property
    def randomized(self) -> bool:  # type: ignore[override]
        """True if scores are drawn, or with a selector, which may draw rows."""
        return self.draws_scores or self.selector is not None

    def select(self, pool: PoolView, batch_size: int) -> Positions:
        """Score the rows and let the selector choose among them."""
        scores = self.score_in_chunks(pool)
        warn_about_ties(self, scores, batch_size)
        selector = top if self.selector is None else self.selector
        return selector(scores, batch_size, random_state=pool.random_state)


class SampledScoreStrategy(ScoreStrategy):
    """Base of the strategies whose score of a row depends on draws from the posterior.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model (all members of an ensemble).
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    needs = frozenset({"proba_samples"})
    rowwise = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "n_samples": POSITIVE_INT_OR_NONE,
    }

    def __init__(self, *, n_samples: int | None = None, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.n_samples = n_samples


def score_draws(score: Callable[..., Floats], pool: PoolView, n_samples: int | None) -> Floats:
    """Score rows by draws of their probabilities: all at once, or one by one if they come so."""
    if pool.yields_draws:
        return score_one_by_one(score, pool.iter_draws(n_samples))
    return score(pool.proba_samples(n_samples))


def change_named(strategy: Any, named: list[tuple[str, Any]], change: Callable[[Any], Any]) -> Any:
    """Return a strategy of named ones around changed ones; itself if none of them changes."""
    changed = [(name, change(part)) for name, part in named]
    if all(new is old for (_, new), (_, old) in zip(changed, named, strict=True)):
        return strategy
    return type(strategy)(**{**strategy.get_params(deep=False), "strategies": changed})


def _check_scores(scores: Any, n_rows: int, name: str) -> Floats:
    """Return scores as an array, after checking that they are finite and one per row."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != (n_rows,):
        raise SelectionError(f"{name}.score must return {n_rows} numbers, got {scores.shape}.")
    if not np.isfinite(scores).all():
        n_invalid = int((~np.isfinite(scores)).sum())
        raise SelectionError(f"{name}.score must return finite numbers; {n_invalid} are not.")
    return scores


def warn_about_ties(strategy: Any, scores: Floats, batch_size: int) -> None:
    """Warn if the scores are all the same, so that they do not decide the choice."""
    if batch_size >= len(scores) or np.ptp(scores) > 0.0:
        return
    warnings.warn(
        f"{type(strategy).__name__} scores all {len(scores)} rows of the pool the same, so the "
        "choice is random. Check that the model gives probabilities other than 0 and 1, and has "
        "learned.",
        TiedScoresWarning,
        stacklevel=2,
    )
