"""Scores of rows from those of their elements, and scores per cost."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skactive import reductions
from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import Interval
from skactive.exceptions import SelectionError
from skactive.strategies._base import ScoreStrategy, ScoringStrategy, Selector
from skactive.strategies._structured import name_highest
from skactive.strategies._uncertainty import Margin

if TYPE_CHECKING:
    from skactive.pool import ElementView, PoolView

__all__ = ["Aggregate", "PerCost"]


class Aggregate(ScoreStrategy):
    r"""Score each row by the scores of its elements: labels, tokens, pixels or boxes.

    .. math:: u(x) = R\bigl(u(e_1), \dots, u(e_n)\bigr)

    with :math:`u(e_j)` the score of an element, by any strategy that scores rows, and R a
    reduction. For models that predict several things per row. The reduction of each field:

    - several labels: ``reductions.mean``, or ``reductions.maximum``: the most doubtful label;
    - tagging: ``reductions.mean``; ``reductions.total`` prefers long sentences;
    - segmentation: ``reductions.mean``, or ``reductions.TopMean(0.1)`` where most pixels are sure;
    - detection: ``reductions.total``, or ``reductions.maximum``.

    A row without elements (an image without boxes) has the score `empty`.

    **When:** rows are labeled whole. :meth:`ActiveLearner.query_elements
    <skactive.ActiveLearner.query_elements>` asks for single elements instead, by the scores of
    the strategy in it.

    Parameters
    ----------
    strategy : ScoringStrategy, default=None
        Scores the elements, as it would score the rows of a pool; None means ``Margin()``.
    reduction : callable, default=None
        ``reduction(scores, offsets)`` returns one score per row; see :mod:`skactive.reductions`.
        None means the mean.
    empty : float, default=0.0
        Score of rows without elements.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Settles and Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008, :doi:`10.3115/1613715.1613855`, for total and mean over tokens.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skactive import ActiveLearner, reductions
    >>> from skactive.strategies import Aggregate, Entropy
    >>> X, Y = make_multilabel_classification(random_state=0)
    >>> strategy = Aggregate(Entropy(), reductions.mean)
    >>> learner = ActiveLearner(KNeighborsClassifier(), strategy, random_state=0)
    >>> learner.fit(X[:20], Y[:20]).query(X[20:], batch_size=3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "strategy": [ScoringStrategy, None],
        "reduction": [callable, None],
        "empty": [Real],
    }

    def __init__(
        self,
        strategy: ScoringStrategy | None = None,
        reduction: Any = None,
        *,
        empty: float = 0.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.strategy = strategy
        self.reduction = reduction
        self.empty = empty

    @property
    def for_elements(self) -> ScoringStrategy:
        """The strategy that scores the elements."""
        return Margin() if self.strategy is None else self.strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of elements that the strategy in it uses."""
        return frozenset(
            "|".join(f"elements.{option}" for option in need.split("|"))
            for need in self.for_elements.needs
        )

    @property
    def rowwise(self) -> bool:  # type: ignore[override]
        """Whether the score of an element, and so of a row, depends on it alone."""
        return self.for_elements.rowwise

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """Whether the scores of the elements depend on random numbers."""
        return self.for_elements.draws_scores

    def parts(self) -> list[Any]:
        """Return nothing: the strategy in it reads elements, not the rows of the pool."""
        return []

    def _name_parts(self) -> dict[str, Any]:
        return {}

    def _validate_params(self) -> None:
        super()._validate_params()
        self.for_elements._validate_params()
        if isinstance(self.reduction, type):
            name = self.reduction.__name__
            raise TypeError(f"reduction is the class {name}: pass an instance, {name}().")
        if any("elements." in need for need in self.for_elements.needs):
            raise TypeError(
                f"{type(self.for_elements).__name__} reads the elements of rows itself: use it "
                "without Aggregate, or give Aggregate a strategy for one label per row."
            )

    def score(self, pool: PoolView) -> Floats:
        """Reduce the scores of the elements, shape (n_rows,); a few rows are read at a time."""
        strategy = self.for_elements
        if not strategy.rowwise:
            return self._reduce(pool.elements, pool.elements.offsets)
        blocks = pool.element_blocks(strategy.needs)
        rows = [self._reduce(block, offsets) for block, offsets in blocks]
        return np.concatenate(rows) if rows else np.empty(0)

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the score of each row, under the name of that of its elements."""
        return {self.for_elements.score_name: self.score_in_chunks(pool)}

    def explain_elements(self, pool: PoolView, positions: Positions) -> list[dict[str, float]]:
        """Return the highest scores among the elements of some rows, at most five of each."""
        elements = pool.take(positions).elements
        scores = self.for_elements.score_in_chunks(elements)
        return name_highest(scores, elements.offsets, elements.kind)

    def _reduce(self, elements: ElementView, offsets: Any) -> Floats:
        """Score elements, and reduce the scores to one per row, shape (n_rows,)."""
        scores = self.for_elements.score_in_chunks(elements) if len(elements) else np.empty(0)
        reduced = self._call_reduction(scores, offsets)
        return np.where(np.diff(offsets) > 0, reduced, self.empty)

    def _call_reduction(self, scores: Floats, offsets: Any) -> Floats:
        """Return what the reduction makes of scores, (n_rows,), after checking its shape."""
        reduction = reductions.mean if self.reduction is None else self.reduction
        try:
            reduced = np.asarray(reduction(scores, offsets), dtype=np.float64)
        except TypeError as error:
            raise TypeError(
                f"reduction={reduction!r} fails ({error}). It is called with the scores of all "
                "elements and the offsets of rows, and must return one score per row, as those in "
                "skactive.reductions do."
            ) from error
        if reduced.shape != (len(offsets) - 1,):
            raise SelectionError(
                f"reduction={reduction!r} returned scores of shape {reduced.shape} for "
                f"{len(offsets) - 1} rows; expected one per row."
            )
        return reduced


class PerCost(ScoreStrategy):
    r"""Divide the scores of a strategy by what the labels cost.

    .. math:: u(x) / c(x)^\gamma

    **When:** labels differ in price, such as long and short recordings: pass
    ``learner.query(X, batch_size, costs=costs)``. If the price goes with what a row looks like,
    cheap rows are alike, and it may take more money than the strategy in it. Scores must not be
    negative; those of the uncertainty strategies are not if the model has probabilities.

    Parameters
    ----------
    strategy : ScoringStrategy, default=None
        Scores the rows; None means ``Margin()``.
    exponent : float, default=1.0
        The power of the cost: 0 ignores costs.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Settles, Craven and Friedland, "Active learning with real annotation costs", NIPS workshop on
    cost-sensitive learning 2008, and Haertel et al., "Return on investment for active learning",
    the same.

    Examples
    --------
    >>> from skactive.strategies import Margin, PerCost
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(proba=[[0.9, 0.1], [0.5, 0.5], [0.7, 0.3]], costs=[1.0, 4.0, 1.0])
    >>> PerCost(Margin()).select(pool, 1)
    array([2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "strategy": [ScoringStrategy, None],
        "exponent": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        strategy: ScoringStrategy | None = None,
        exponent: float = 1.0,
        *,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(selector=selector)
        self.strategy = strategy
        self.exponent = exponent

    @property
    def _inner(self) -> ScoringStrategy:
        return Margin() if self.strategy is None else self.strategy

    def _name_parts(self) -> dict[str, Any]:
        return {"strategy": self._inner}

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """The readings of the strategy in it but decisions, whose margins are negative."""
        return frozenset(
            "|".join(each for each in need.split("|") if not each.endswith("decision")) or need
            for need in self._inner.needs
        )

    @property
    def rowwise(self) -> bool:  # type: ignore[override]
        """Whether the score of a row depends on that row alone."""
        return self._inner.rowwise

    @property
    def draws_scores(self) -> bool:  # type: ignore[override]
        """Whether the scores depend on random numbers."""
        return self._inner.draws_scores

    def score(self, pool: PoolView) -> Floats:
        """Divide the scores by a power of the costs, shape (n_rows,)."""
        return self._read_scores(pool) / pool.costs**self.exponent

    def _read_scores(self, pool: PoolView) -> Floats:
        """Return the scores of the strategy in it, (n_rows,), after checking their sign."""
        scores = self._inner.score_in_chunks(pool)
        if (scores < 0).any():
            raise ValueError(
                f"{type(self._inner).__name__} gives negative scores, of which those of dear rows "
                "would rise by the division: use a strategy whose scores are 0 or more."
            )
        return scores

    def explain(self, pool: PoolView) -> dict[str, Floats]:
        """Return the score, what it is multiplied by since the label costs, and their product."""
        scores = self._read_scores(pool)
        cheapness, name = pool.costs**-self.exponent, self._inner.score_name
        return {
            "score before costs" if name == "score" else name: scores,
            "cheapness": cheapness,
            "score": scores * cheapness,
        }
