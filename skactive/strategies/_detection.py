"""Detection: score images by the boxes that are found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skactive import reductions, scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import POSITIVE_INT_OR_NONE, UNIT_INTERVAL
from skactive.strategies._base import Selector
from skactive.strategies._structured import ElementReduction, ElementScores
from skactive.strategies._uncertainty import UncertaintyStrategy

if TYPE_CHECKING:
    from skactive.pool import ElementView, PoolView

__all__ = ["BoxEntropy", "BoxMargin", "LocalizationStability"]


class BoxMargin(UncertaintyStrategy):
    r"""Choose boxes whose two most probable classes are close, rare classes first.

    .. math:: u = w_{\hat y} \bigl(1 - (p_{(1)} - p_{(2)})\bigr)^2

    with :math:`p_{(1)} \ge p_{(2)}` the two largest probabilities of a box, and w the weight of its
    predicted class.

    **When:** detection, inside :class:`Aggregate`: ``Aggregate(BoxMargin(), reductions.total)`` was
    the best of the reductions in the source, and prefers images of many boxes. With
    ``class_weight="balanced"`` rare classes come first. Needs probabilities.

    Parameters
    ----------
    class_weight : array-like of shape (n_classes,) or "balanced", default=None
        Weights of the classes, in the order of the model's; None weighs all the same. "balanced"
        weighs them by :math:`(N + C) / (N_c + 1)`, with :math:`N_c` of all N labeled boxes of class
        c, and C classes; labels of images are then dicts, whose ``labels`` are numbers of classes.
    background : bool, default=False
        Whether the last column of the probabilities is the background: it counts for the margin,
        but has no weight, and the class of a box is its most probable other one.
    n_samples : int, default=None
        None scores the model's own probabilities; an integer scores the mean of so many draws from
        its posterior.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Brust, Käding and Denzler, "Active learning for deep object detection", VISAPP 2019,
    :doi:`10.5220/0007248601810190`.

    Examples
    --------
    >>> from skactive import reductions
    >>> from skactive.strategies import Aggregate, BoxMargin
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(elements={"proba": [[[0.9, 0.1]], [[0.6, 0.4], [0.5, 0.5]], []]})
    >>> Aggregate(BoxMargin(class_weight=[1.0, 2.0]), reductions.total).select(pool, 1)
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **UncertaintyStrategy._parameter_constraints,
        "class_weight": ["array-like", StrOptions({"balanced"}), None],
        "background": ["boolean"],
    }

    def __init__(
        self,
        class_weight: Any = None,
        *,
        background: bool = False,
        n_samples: int | None = None,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(n_samples=n_samples, selector=selector)
        self.class_weight = class_weight
        self.background = background

    def score(self, pool: PoolView) -> Floats:
        """Score boxes by their squared margin scores and weights, shape (n_boxes,)."""
        proba, weights = self._read_proba(pool), self.class_weight
        if isinstance(weights, str):
            weights = _balance_classes(pool, proba.shape[1] - self.background)
        return scores.box_margin(proba, weights, background=self.background)

    def score_proba(self, proba: NDArray[Any]) -> Floats:
        """Score boxes by their squared margin scores alone, shape (n_boxes,)."""
        return scores.box_margin(proba)


def _balance_classes(boxes: PoolView, n_classes: int) -> Floats:
    """Return a weight for each class, (n_classes,), by how rare it is in the labeled images."""
    images = getattr(boxes, "rows", boxes).labeled
    targets = [] if images is None else images.y
    try:
        labels = np.concatenate([np.empty(0, int), *(target["labels"] for target in targets)])
        counts = np.bincount(labels, minlength=n_classes)
    except (TypeError, IndexError, KeyError, ValueError) as error:
        raise ValueError(
            'class_weight="balanced" counts the classes of the labeled boxes: labels of images '
            f"must be dicts whose 'labels' are integers of at least 0 ({error}). Pass the weights "
            "as an array otherwise."
        ) from error
    if len(counts) > n_classes:
        raise ValueError(
            f"A labeled box has the class {len(counts) - 1}, but the model knows {n_classes} "
            "classes, from 0 on; background=True takes its last column for the background."
        )
    return (counts.sum() + n_classes) / (counts + 1.0)


class BoxEntropy(ElementScores):
    r"""Choose images of uncertain boxes, of which those that repeat each other count once.

    .. math:: u(x) = \sum_{j \text{ kept}} H\bigl[p(y \mid b_j)\bigr]

    The box of the highest entropy is kept, and others of its class that are alike are left out;
    then the next of those that remain.

    **When:** detectors that find the same thing several times, or crowds in which one box tells
    what the others do. Needs probabilities of boxes, and their corners or features.

    Parameters
    ----------
    compare : {"boxes", "features"}, default="boxes"
        Boxes of a class are alike by the intersection over union of their corners, or, as in the
        source, by the cosine of their features, wherever they are.
    threshold : float, default=0.5
        Boxes are alike above it.
    reduction : callable, default=None
        From scores of boxes, 0 for those left out, to one of the image; None means the total.
    empty : float, default=0.0
        Score of images without boxes.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Wu, Chen and Huang, "Entropy-based active learning for object detection with progressive
    diversity constraint", CVPR 2022, :doi:`10.48550/arXiv.2204.07965`.

    Examples
    --------
    >>> from skactive.strategies import BoxEntropy
    >>> from skactive.testing import FakePool
    >>> proba = [[[0.6, 0.4], [0.7, 0.3]], [[0.6, 0.4], [0.7, 0.3]]]
    >>> boxes = [[[0, 0, 2, 2], [0, 0, 2, 2]], [[0, 0, 2, 2], [5, 5, 7, 7]]]
    >>> BoxEntropy().select(FakePool(elements={"proba": proba, "boxes": boxes}), 1)
    array([1])
    """

    _default_reduction = staticmethod(reductions.total)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementScores._parameter_constraints,
        "compare": [StrOptions({"boxes", "features"})],
        "threshold": UNIT_INTERVAL,
    }

    def __init__(
        self,
        compare: Literal["boxes", "features"] = "boxes",
        *,
        threshold: float = 0.5,
        reduction: Any = None,
        empty: float = 0.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(reduction=reduction, empty=empty, selector=selector)
        self.compare = compare
        self.threshold = threshold

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """Probabilities of boxes, and their corners or their features."""
        reading = "boxes" if self.compare == "boxes" else "embedding"
        return frozenset({"elements.proba", f"elements.{reading}"})

    def score_elements(self, elements: ElementView) -> Floats:
        """Score the boxes, 0 for those that repeat another, shape (n_boxes,)."""
        by_place = self.compare == "boxes"
        compared = elements.boxes if by_place else elements.embedding
        return scores.box_entropy(
            elements.proba,
            elements.offsets,
            boxes=compared if by_place else None,
            features=None if by_place else compared,
            threshold=self.threshold,
        )


class LocalizationStability(ElementReduction):
    r"""Choose images whose boxes move when the image is disturbed.

    .. math::
        u(x) = 1 - \sum_j p_j S_j \Big/ \sum_j p_j, \qquad
        S_j = \frac1S \sum_s \mathrm{IoU}(b_j, b_j^s)

    with :math:`b_j^s` box j in draw s, and :math:`p_j` the largest of its class probabilities.

    **When:** what a thing is, is clear, but not where it ends; together with the uncertainty of
    classes by :class:`WeightedSum`, as in the source. The adapter gives the boxes of each draw as
    `box_samples`: of the image with noise, matched to the boxes of the image, or with dropout.

    Parameters
    ----------
    n_samples : int, default=None
        Number of draws; None leaves it to the model.
    empty : float, default=0.0
        Score of images without boxes.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Kao, Lee, Sen and Liu, "Localization-aware active learning for object detection", ACCV 2018,
    :doi:`10.48550/arXiv.1801.05124`.

    Examples
    --------
    >>> from skactive.strategies import LocalizationStability
    >>> from skactive.testing import FakePool
    >>> boxes = [[[0, 0, 2, 2]], [[0, 0, 2, 2]]]
    >>> draws = [[[[0, 0, 2, 2]], [[0, 0, 2, 2]]], [[[0, 0, 2, 2]], [[0, 1, 2, 3]]]]
    >>> tables = {"proba": [[[0.9, 0.1]]] * 2, "boxes": boxes, "box_samples": draws}
    >>> LocalizationStability().select(FakePool(elements=tables), 1)
    array([1])
    """

    needs = frozenset({"elements.proba", "elements.boxes", "elements.box_samples"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementReduction._parameter_constraints,
        "n_samples": POSITIVE_INT_OR_NONE,
    }

    def __init__(
        self,
        *,
        n_samples: int | None = None,
        empty: float = 0.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(empty=empty, selector=selector)
        self.n_samples = n_samples

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score images by how far their boxes move, shape (n_rows,)."""
        samples = elements.box_samples(self.n_samples)
        return scores.localization_instability(elements.proba, elements.boxes, samples, offsets)
