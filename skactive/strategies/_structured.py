"""Scores of rows that read their elements together, where Aggregate would read each alone."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skactive import reductions, scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import NONNEGATIVE_INT
from skactive.strategies._base import ScoreStrategy, Selector

if TYPE_CHECKING:
    from skactive.pool import ElementView, PoolView

__all__ = [
    "ElementReduction",
    "ElementScores",
    "EnergyWeightedVariance",
    "RegionImpurity",
    "name_highest",
]


class ElementReduction(ScoreStrategy):
    """Base of the strategies that score each row by all of its elements.

    Parameters
    ----------
    empty : float, default=0.0
        Score of rows without elements.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    rowwise = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ScoreStrategy._parameter_constraints,
        "empty": [Real],
    }

    def __init__(self, *, empty: float = 0.0, selector: Selector | None = None) -> None:
        super().__init__(selector=selector)
        self.empty = empty

    def score(self, pool: PoolView) -> Floats:
        """Score the rows by their elements, shape (n_rows,); a few rows are read at a time."""
        blocks = pool.element_blocks(_of_elements(self.needs))
        rows = [self._score_block(block, offsets) for block, offsets in blocks]
        return np.concatenate(rows) if rows else np.empty(0)

    def _score_block(self, elements: ElementView, offsets: Positions) -> Floats:
        if not len(elements):
            return np.full(len(offsets) - 1, float(self.empty))
        return np.where(np.diff(offsets) > 0, self.score_rows(elements, offsets), self.empty)

    @abstractmethod
    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows, (n_rows,), that have the elements ``offsets[i]:offsets[i + 1]``."""


class ElementScores(ElementReduction):
    """Base of the strategies that score an element by the others of its row as well.

    Parameters
    ----------
    reduction : callable, default=None
        ``reduction(scores, offsets)`` returns one score per row; see :mod:`skactive.reductions`.
    empty : float, default=0.0
        Score of rows without elements.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.
    """

    _default_reduction = staticmethod(reductions.mean)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementReduction._parameter_constraints,
        "reduction": [callable, None],
    }

    def __init__(
        self, *, reduction: Any = None, empty: float = 0.0, selector: Selector | None = None
    ) -> None:
        super().__init__(empty=empty, selector=selector)
        self.reduction = reduction

    @property
    def for_elements(self) -> ScoreStrategy:
        """The strategy that chooses single elements by their scores."""
        return _SingleElements(self)

    def explain_elements(self, pool: PoolView, positions: Positions) -> list[dict[str, float]]:
        """Return the highest scores among the elements of some rows, at most five of each."""
        elements = pool.take(positions).elements
        scores = self._score_all(elements.rows)
        return name_highest(scores, elements.offsets, elements.kind)

    def _score_all(self, rows: PoolView) -> Floats:
        """Score all elements of rows, shape (n_elements,); a few rows are read at a time."""
        blocks = rows.element_blocks(_of_elements(self.needs))
        scores = [self.score_elements(block) for block, _ in blocks if len(block)]
        return np.concatenate(scores) if scores else np.empty(0)

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Reduce the scores of the elements, shape (n_rows,)."""
        reduction = self._default_reduction if self.reduction is None else self.reduction
        whole = elements.rows.elements  # of groups, not all elements of a row are among these
        scores = self.score_elements(whole)[elements.offsets[elements.owner] + elements.place]
        return np.asarray(reduction(scores, offsets), dtype=np.float64)

    @abstractmethod
    def score_elements(self, elements: ElementView) -> Floats:
        """Score all elements of some rows, shape (n_elements,)."""


class _SingleElements(ScoreStrategy):
    """Choose single elements by the scores that they have among all elements of their row."""

    def __init__(self, strategy: ElementScores) -> None:
        super().__init__(selector=strategy.selector)
        self.strategy = strategy

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return _of_elements(self.strategy.needs)

    def score(self, pool: Any) -> Floats:
        values = self.strategy._score_all(pool.rows)
        return values[pool.offsets[pool.owner] + pool.place]


class RegionImpurity(ElementScores):
    r"""Choose images in which uncertain pixels lie at the borders of several classes.

    .. math:: u(x_i) = -\sum_c f_c \log f_c \cdot
        \frac{1}{|R_i|} \sum_{j \in R_i} H\bigl[p(y \mid x_j)\bigr]

    for each pixel i, with :math:`f_c` the share of class c among the pixels that are predicted in
    the square :math:`R_i` around it. The score of an image is their mean.

    **When:** segmentation of maps in which small and thin things matter, and single pixels or small
    regions are labeled: :meth:`ActiveLearner.query_elements
    <skactive.ActiveLearner.query_elements>` chooses pixels, or with ``groups`` regions, each by the
    mean over its pixels. Works for volumes and for sequences,
    whose regions have three axes or one. Needs probabilities of elements.

    Parameters
    ----------
    radius : int, default=1
        The region is a square of ``2 * radius + 1`` pixels a side.
    reduction : callable, default=None
        From scores of pixels to one of the image; None means the mean. With few pixels at
        borders, ``reductions.TopMean(0.1)``.
    empty : float, default=0.0
        Score of rows without elements.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Xie, Yuan, Li, Liu and Cheng, "Towards fewer annotations: active learning via region impurity
    and prediction uncertainty for domain adaptive semantic segmentation", CVPR 2022,
    :doi:`10.48550/arXiv.2111.12940`.

    Examples
    --------
    >>> from skactive.strategies import RegionImpurity
    >>> from skactive.testing import FakePool
    >>> agreed, mixed = [[0.6, 0.4], [0.6, 0.4]], [[0.6, 0.4], [0.4, 0.6]]
    >>> RegionImpurity().select(FakePool(elements={"proba": [agreed, mixed]}), 1)
    array([1])
    """

    needs = frozenset({"elements.proba"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementScores._parameter_constraints,
        "radius": NONNEGATIVE_INT,
    }

    def __init__(
        self,
        radius: int = 1,
        *,
        reduction: Any = None,
        empty: float = 0.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(reduction=reduction, empty=empty, selector=selector)
        self.radius = radius

    def score_elements(self, elements: ElementView) -> Floats:
        """Score the pixels by their regions, shape (n_elements,)."""
        proba, offsets = elements.proba, elements.offsets
        result = np.zeros(len(proba))
        for i, shape in enumerate(elements.shapes):
            row = slice(offsets[i], offsets[i + 1])
            if len(proba[row]):  # (height, width, n_classes)
                maps = proba[row].reshape(*shape, -1)
                result[row] = scores.region_impurity(maps, self.radius).ravel()
        return result


class EnergyWeightedVariance(ElementReduction):
    r"""Choose rows whose predicted numbers vary where they are large.

    .. math:: u(x) = \sum_j \hat y_j^2 \sigma_j^2 \Big/ \sum_j \hat y_j^2

    with :math:`\hat y_j` the prediction for element j, and :math:`\sigma_j` its standard deviation.

    **When:** a model predicts a number for each element, and small ones do not matter: magnitudes
    of a spectrogram in enhancement and separation of sounds, where silence fills much of a
    recording. Where all elements count alike, as in maps of depth, reduce their variance by
    :class:`Aggregate`. Needs predictions of elements and their standard deviations.

    Parameters
    ----------
    empty : float, default=0.0
        Score of rows without elements.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Own definition; see :func:`skactive.scores.energy_weighted_variance`.

    Examples
    --------
    >>> from skactive.strategies import EnergyWeightedVariance
    >>> from skactive.testing import FakePool
    >>> tables = {"std": [[9.0, 1.0], [2.0, 2.0]], "prediction": [[0.0, 5.0], [1.0, 5.0]]}
    >>> EnergyWeightedVariance().select(FakePool(elements=tables), 1)
    array([1])
    """

    needs = frozenset({"elements.std", "elements.prediction"})
    score_name = "energy-weighted variance"

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Average the variances of the elements by their energy, shape (n_rows,)."""
        return scores.energy_weighted_variance(elements.std, elements.prediction, offsets)


def name_highest(scores: Floats, offsets: Positions, kind: str) -> list[dict[str, float]]:
    """Return the five highest scores among the elements of each row, by their names."""
    bounds = pairwise(offsets)
    rows = (scores[start:stop] for start, stop in bounds)
    return [
        {f"{kind} {place}": float(row[place]) for place in np.argsort(-row, kind="stable")[:5]}
        for row in rows
    ]


def _of_elements(needs: frozenset[str]) -> frozenset[str]:
    """Return readings of elements by the names that the view of the elements has for them."""
    return frozenset(need.replace("elements.", "") for need in needs)
